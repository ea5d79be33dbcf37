//! Rings under a key-encryption key: replaced without a stop, never without a word, never in plain by accident.

use std::path::PathBuf;

use waxseal::KeyRing;
use waxseal::keys::{AtRestError, KekError, KekSource, RingError, RingFile, Role, generate_kek};

use super::desk::Desk;
use super::{at, put};

fn kek(desk: &Desk, name: &str) -> KekSource {
    let path = desk.beside(name);
    put(&path, generate_kek().unwrap().as_bytes());
    KekSource::File(path)
}

fn refused(result: Result<KeyRing, RingError>) -> String {
    match result {
        Err(RingError::Disk(error)) => {
            assert_eq!(error.code(), "ring_at_rest", "{error}");
            error.to_string()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn t19_a_wrong_or_missing_kek_is_a_clear_error_and_never_plain() {
    let desk = Desk::new();
    let (right, wrong) = (kek(&desk, "right"), kek(&desk, "wrong"));
    let with = |source: &KekSource| desk.start(KeyRing::options().kek(source.clone()));
    assert!(refused(with(&right)).contains("not encrypted"));
    desk.file.rewrap(&desk.file.clone().kek(right.clone()), desk.now()).unwrap();
    assert!(with(&right).is_ok());
    assert!(refused(desk.start(KeyRing::options())).contains("name its KEK"));
    assert!(refused(with(&wrong)).contains("which no source gives"));
    for (source, what) in [
        ("cmd:exit 3", "exited with 3"),
        ("cmd:no-such-command-here 2>/dev/null", "exited with 127"),
        ("cmd:echo hello", "43 characters"),
        ("env:WAXSEAL_NO_SUCH_KEK", "not set"),
        ("fd:9999", "os error"),
    ] {
        let error = refused(with(&source.parse().unwrap()));
        assert!(error.contains(what) && error.contains(source), "{error}");
    }
    let missing = refused(with(&KekSource::File(PathBuf::from("/no/such/kek"))));
    assert!(missing.contains("no such file"), "{missing}");
}

#[test]
fn t19_a_running_server_keeps_its_ring_when_the_kek_is_gone() {
    let desk = Desk::new();
    let source = kek(&desk, "kek");
    let wrapped = desk.file.clone().kek(source.clone());
    desk.file.rewrap(&wrapped, desk.now()).unwrap();
    let ring = desk.start(KeyRing::options().kek(source)).unwrap();
    let (before, plain) = (ring.status().ring, wrapped.read().unwrap());
    super::change(&wrapped, at(super::NOW + 9), "rotate", |ring, now| Ok(ring.rotate(now).unwrap())).unwrap();
    let good = desk.bytes();
    // Wrapped anew under a KEK that this server does not have, and then not wrapped at all.
    let other = desk.file.clone().kek(kek(&desk, "other"));
    wrapped.rewrap(&other, desk.now()).unwrap();
    assert!(ring.reload().unwrap_err().to_string().contains("which no source gives"));
    other.rewrap(&desk.file, desk.now()).unwrap();
    assert!(ring.reload().unwrap_err().to_string().contains("not encrypted"));
    assert_eq!(ring.status().ring, before);
    assert_eq!(plain.generation(), before.generation);
    desk.put(&good);
    assert!(ring.reload().is_ok(), "{:?}", ring.status().last_error);
}

/// Old KEK, both, new file, new KEK: at every step a restart finds its ring and a running server goes on.
#[test]
fn drill_a_kek_is_replaced_with_a_restart_at_each_step() {
    let desk = Desk::new();
    let (old, new) = (kek(&desk, "old"), kek(&desk, "new"));
    let file = |sources: &[&KekSource]| {
        sources.iter().fold(RingFile::at(desk.file.path()), |file, source| file.kek(KekSource::clone(source)))
    };
    let options =
        |sources: &[&KekSource]| sources.iter().fold(KeyRing::options(), |with, source| with.kek((*source).clone()));
    desk.file.rewrap(&file(&[&old]), desk.now()).unwrap();
    let generation = desk.ring.status().ring.generation;
    let running = desk.start(options(&[&old])).unwrap();
    // 1. Servers are restarted with both.
    let both = desk.start(options(&[&old, &new])).unwrap();
    // 2. The file is rewrapped; who has both follows, and who has not keeps its ring and says why.
    file(&[&old]).rewrap(&file(&[&new]), desk.now()).unwrap();
    assert!(both.reload().is_ok());
    assert!(running.reload().unwrap_err().to_string().contains("which no source gives"));
    assert!(desk.start(options(&[&old, &new])).is_ok() && desk.start(options(&[&new, &old])).is_ok());
    assert_eq!(running.status().ring, both.status().ring, "a rewrap is no other ring");
    // 3. Servers are restarted with the new one alone.
    let renewed = desk.start(options(&[&new])).unwrap();
    assert!(desk.start(options(&[&old])).is_err());
    assert_eq!(renewed.status().ring.generation, generation);
    // 4. The ring goes on under the new one.
    super::change(&file(&[&new]), desk.now(), "rotate", |ring, now| Ok(ring.rotate(now).unwrap())).unwrap();
    assert!(renewed.reload().is_ok() && both.reload().is_ok());
}

#[cfg(unix)]
#[test]
fn drill_a_hanging_kek_command_is_a_clear_error() {
    let desk = Desk::new();
    desk.file.rewrap(&desk.file.clone().kek(kek(&desk, "kek")), desk.now()).unwrap();
    let hanging = KekSource::Command("sleep 600".into());
    let error = desk.file.clone().kek(hanging.clone()).read().unwrap_err();
    assert!(error.to_string().contains("did not finish in 5 s"), "{error}");
    assert!(error.to_string().contains("cmd:sleep 600"), "{error}");
    let error = AtRestError::Kek { source: Some(hanging), error: KekError::Timeout };
    assert!(error.to_string().contains("5 s"));
}

#[test]
fn t27_every_change_is_on_record_and_no_secret_is() {
    let desk = Desk::new();
    let wrapped = desk.file.clone().kek(kek(&desk, "kek"));
    let mut secrets = secrets(&desk.bytes());
    let mut said = String::new();
    let mut verbs = vec!["init"];
    let mut change = |verb: &'static str, change: &dyn Fn(&mut waxseal::keys::Ring, waxseal::KeyId)| {
        let active = desk.key(Role::Active);
        let done = desk.change(verb, |ring, _| {
            change(ring, active);
            Ok(format!("{ring:?}"))
        });
        said += &done.unwrap();
        verbs.push(verb);
        secrets.extend(self::secrets(&desk.bytes()));
        desk.clock.advance(10);
    };
    let now = desk.now();
    change("rotate", &|ring, _| assert!(ring.rotate(now).is_ok()));
    change("revoke", &|ring, active| drop(ring.revoke(active, Some("laptop lost"), None, now).unwrap()));
    change("not-before", &|ring, _| ring.set_not_before(now, now).unwrap());
    change("revoke-all", &|ring, _| drop(ring.revoke_all(Some("backup stolen"), now).unwrap()));
    change("prune", &|ring, _| drop(ring.prune(now)));
    desk.file.rewrap(&wrapped, now).unwrap();
    verbs.push("rewrap");
    desk.follow_wrapped(&wrapped);
    let audit = std::fs::read_to_string(desk.beside("ring.json.audit")).unwrap();
    let lines: Vec<serde_json::Value> = audit.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.iter().map(|line| line["verb"].as_str().unwrap()).collect::<Vec<_>>(), verbs);
    for pair in lines.windows(2) {
        assert_eq!(pair[0]["to"], pair[1]["from"], "no generation is missing");
    }
    said += &audit;
    said += &format!("{:?} {:?} {:?} {:?}", desk.ring, desk.ring.status(), wrapped, KeyRing::options());
    desk.put(b"{");
    said += &desk.ring.reload().unwrap_err().to_string();
    assert!(secrets.len() > 10);
    for secret in &secrets {
        assert!(!said.contains(&secret[..8]), "a secret was said");
    }
}

/// Every secret of a plain ring file, as text.
fn secrets(bytes: &[u8]) -> Vec<String> {
    let json: serde_json::Value = serde_json::from_slice(bytes).unwrap();
    let keys = json["keys"].as_array().unwrap().iter().chain(json["revocation_secrets"]["mac"].as_array().unwrap());
    let secrets = keys.map(|key| &key["secret"]).chain([&json["revocation_secrets"]["scope"]]);
    secrets.filter_map(|secret| secret.as_str().map(str::to_owned)).collect()
}

impl Desk {
    /// The file is wrapped now: this server, which knows no KEK, refuses it, and its admin reads it.
    fn follow_wrapped(&self, wrapped: &RingFile) {
        self.refuses();
        assert!(wrapped.read().is_ok());
    }
}
