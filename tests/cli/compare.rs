//! `keys compare`: who has the newest ring, who lags, and who has another.

use serde_json::{Value, json};
use waxseal::KeyRing;

use crate::support::{Ran, Scratch, refused};

const RING: &str = "896a4b1924a9f623b59aa3daca4e3aac";
const OTHER: &str = "00000000000000000000000000000001";

/// What a server says, with as much in it as is compared.
fn status(ring: &str, generation: u64, digest: char) -> Value {
    let digest = format!("sha256:{}", String::from(digest).repeat(64));
    json!({"ring_id": ring, "generation": generation, "digest": digest, "checked_at": 1, "last_error": null})
}

/// A directory with `statuses` as `a.json`, `b.json` and so on.
fn fleet(statuses: &[Value]) -> Scratch {
    let scratch = Scratch::empty();
    for (name, status) in ('a'..).zip(statuses) {
        scratch.write(&format!("{name}.json"), status.to_string().as_bytes());
    }
    scratch
}

/// Where each server stands, and the exit code with the line of error.
fn stands(scratch: &Scratch, words: &str) -> (Vec<String>, i32, String) {
    let ran = scratch.run(&format!("keys compare {words} --json"));
    let json: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(json["converged"], ran.code == 0);
    let servers = json["servers"].as_array().unwrap().iter();
    (servers.map(|server| server["stand"].as_str().unwrap().to_owned()).collect(), ran.code, ran.err)
}

#[test]
fn servers_with_one_ring_agree() {
    let scratch = Scratch::with_ring();
    let ring = KeyRing::load(scratch.path("ring.json")).unwrap();
    let said = serde_json::to_string(&ring.status()).unwrap();
    for name in ["a.json", "b.json"] {
        scratch.write(name, said.as_bytes());
    }
    let text = scratch.run("keys compare a.json b.json").ok();
    assert!(text.contains("All 2 agree on generation 1786000000."), "{text}");
    let words = "keys compare a.json b.json --generation 1786000000 --ring-id 896a4b19 --json";
    let done = scratch.run(words).json();
    assert_eq!((&done["converged"], &done["ring_id"]), (&Value::Bool(true), &Value::from(RING)));
    assert_eq!(done["servers"][1]["server"], "b.json");
}

#[test]
fn stragglers_are_named() {
    let scratch = fleet(&[status(RING, 7, 'a'), status(RING, 6, 'b'), status(RING, 7, 'a')]);
    let (stands, code, line) = stands(&scratch, "a.json b.json c.json");
    assert_eq!((stands, code), (vec!["agrees".into(), "behind".into(), "agrees".into()], 1));
    assert!(line.contains("generation 7: 2 of 3 agree, 1 behind") && line.contains("not_converged"), "{line}");
    let text = scratch.run("keys compare a.json b.json c.json").out;
    assert!(text.lines().any(|row| row.starts_with("b.json  behind  6 ")), "{text}");
}

#[test]
fn all_of_them_may_be_behind_what_was_written() {
    let scratch = fleet(&[status(RING, 7, 'a'), status(RING, 7, 'a')]);
    let (all, code, line) = stands(&scratch, "a.json b.json --generation 8");
    assert_eq!((all, code), (vec!["behind".to_owned(); 2], 1));
    assert!(line.contains("generation 8: 0 of 2 agree"), "{line}");
    assert_eq!(stands(&scratch, "a.json b.json --generation 6").1, 0, "a later change is as good");
}

#[test]
fn two_rings_of_one_generation_are_a_fork() {
    let scratch = fleet(&[status(RING, 7, 'a'), status(RING, 7, 'b'), status(RING, 6, 'c')]);
    let (stands, code, line) = stands(&scratch, "a.json b.json c.json");
    assert_eq!((stands, code), (vec!["fork".into(), "fork".into(), "behind".into()], 1));
    assert!(line.contains("changed in two places"), "{line}");
}

#[test]
fn a_foreign_ring_is_no_matter_how_new() {
    let scratch = fleet(&[status(RING, 7, 'a'), status(OTHER, 9, 'b'), status(RING, 7, 'a')]);
    let (found, code, line) = stands(&scratch, "a.json b.json c.json");
    assert_eq!((found, code), (vec!["agrees".into(), "foreign".into(), "agrees".into()], 1));
    assert!(line.contains("1 foreign ring"), "{line}");
    let (found, code, _) = stands(&scratch, "a.json b.json c.json --ring-id 0000");
    assert_eq!((found, code), (vec!["foreign".into(), "agrees".into(), "foreign".into()], 1));
    assert_eq!(stands(&scratch, "a.json c.json --ring-id ffff").1, 1, "agreeing on the wrong ring");
}

#[test]
fn a_server_that_says_nothing_may_have_any_ring() {
    let scratch = fleet(&[status(RING, 7, 'a'), json!({"error": "503"}), json!({}), json!([]), json!("x")]);
    scratch.write("f.json", b"");
    scratch.write("g.json", b"<html>");
    let mut bad = status(RING, 7, 'a');
    bad["digest"] = json!("sha256:\u{1b}[2J");
    scratch.write("h.json", bad.to_string().as_bytes());
    for name in ["b", "c", "d", "e", "f", "g", "h"] {
        let (stands, code, line) = stands(&scratch, &format!("a.json {name}.json"));
        assert_eq!((&*stands[0], &*stands[1], code), ("agrees", "silent", 1), "{name}");
        assert!(line.contains("1 no answer"), "{line}");
        let text = scratch.run(&format!("keys compare a.json {name}.json")).out;
        assert!(text.contains(&format!("{name}.json: ")) && !text.contains('\u{1b}'), "{text}");
    }
}

#[test]
fn one_stream_may_hold_many() {
    let scratch = Scratch::empty();
    let said = [status(RING, 7, 'a'), status(RING, 6, 'b')].map(|status| status.to_string()).join("\n");
    let ran = scratch.run_with("keys compare -", said.as_bytes());
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("-#1") && ran.out.contains("-#2"), "{}", ran.out);
    let pretty = serde_json::to_vec_pretty(&status(RING, 7, 'a')).unwrap();
    scratch.run_with("keys compare -", &[&pretty[..], &pretty[..]].concat()).ok();
    assert_eq!(scratch.run_with("keys compare -", b"").code, 1);
}

#[test]
fn what_a_server_complains_of_is_shown_tame() {
    let mut troubled = status(RING, 7, 'a');
    troubled["last_error"] = json!("the ring file is \u{1b}[31mdamaged");
    let scratch = fleet(&[status(RING, 7, 'a'), troubled]);
    let text = scratch.run("keys compare a.json b.json").ok();
    assert!(text.contains("b.json cannot use its file: the ring file is ?[31mdamaged"), "{text}");
}

#[test]
fn arguments_that_are_wrong() {
    let scratch = fleet(&[status(RING, 7, 'a')]);
    refused(&scratch, "keys compare none.json", 2, "usage", &["cannot read none.json", "KeyRing::status()"]);
    refused(&scratch, "keys compare .", 2, "usage", &["cannot read ."]);
    for id in ["xyz", "896A"] {
        refused(&scratch, &format!("keys compare a.json --ring-id {id}"), 2, "usage", &["0-9 a-f"]);
    }
    assert_eq!(scratch.run("keys compare").code, 2);
    let many = Ran::of(scratch.command(["keys", "compare", "-"]), &vec![b' '; (16 << 20) + 1]).failed(2);
    assert!(many.contains("more than 16777216 bytes"), "{many}");
}
