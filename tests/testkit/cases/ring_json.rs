//! Ring files whose bytes, JSON or members are wrong. FORMAT.md, "Framing" and "Members".

use super::super::hex;
use super::super::key::sha256;
use super::super::ring::{Ring, digested};
use super::Cases;

pub(super) fn cases(cases: &mut Cases) {
    good(cases);
    framing(cases);
    json(cases);
    members(cases);
    nulls(cases);
    numbers(cases);
}

fn text() -> String {
    Ring::example().text()
}

/// The file without its digest member, changed, with a digest that fits.
fn edited(edit: impl FnOnce(String) -> String) -> String {
    let text = text();
    let members = text[..text.rfind(",\n\"digest\"").unwrap()].to_owned();
    let changed = edit(members.clone());
    assert_ne!(members, changed);
    digested(&changed)
}

fn good(cases: &mut Cases) {
    cases.ring("example", "load", "Example 11 with other keys.", |_| {});
    cases.ring("order_of_members", "load", "The members stand in another order.", |ring| {
        ring.top.0.reverse();
        ring.policy.0.reverse();
        ring.keys.iter_mut().for_each(|key| key.0.reverse());
        ring.keys.reverse();
    });
    cases.file(
        "white_space",
        "load",
        "White space between all tokens.",
        edited(|members| members.replace(":", " :\t").replace(",", "\r\n, ").replace("{", "{ ").replace("[", "[\n")),
    );
    cases.file("one_line", "load", "One line.", edited(|members| members.replace('\n', "")));
    cases.file(
        "space_before_digest",
        "load",
        "White space before the member `digest`.",
        edited(|members| members + "\n\n"),
    );
}

fn framing(cases: &mut Cases) {
    let mut refused = |name: &str, comment: &str, file: String| cases.file(name, "refused", comment, file);
    let text = text();
    refused("empty", "No bytes.", String::new());
    refused("line_feed", "A line feed alone.", "\n".into());
    refused("object", "An empty object.", "{}\n".into());
    refused("first_half", "The first half of a ring.", text[..text.len() / 2].into());
    refused("second_half", "The second half of a ring, with its digest.", text[text.len() / 2..].into());
    refused("no_line_feed", "The line feed at the end is not there.", text.trim_end().into());
    refused("two_line_feeds", "Two line feeds at the end.", format!("{text}\n"));
    refused("crlf", "The last line ends in carriage return and line feed.", text.trim_end().to_owned() + "\r\n");
    refused("space_in_end", "A space before the last brace.", text.replace("\"}\n", "\" }\n"));
    refused("space_in_digest", "A space behind the colon of `digest`.", redigested(&text, "\"digest\": \"sha256:"));
    refused("digest_sha512", "The digest says sha512.", redigested(&text, "\"digest\":\"sha512:"));
    let digest = text.rfind("sha256:").unwrap() + 7;
    refused("digest_upper_case", "The digits are upper case.", {
        format!("{}{}", &text[..digest], text[digest..].to_uppercase())
    });
    refused("digest_zero", "The digits are all 0.", format!("{}{}\"}}\n", &text[..digest], "0".repeat(64)));
    refused("digest_short", "The digest lacks its last digit.", text[..text.len() - 4].to_owned() + "\"}\n");
    refused("digest_of_whole_text", "The digest covers the text without the digest member alone.", {
        let members = &text[..text.rfind(",\n\"digest\"").unwrap()];
        format!("{}{}\"}}\n", &text[..digest], hex(&sha256(format!("{members}}}\n").as_bytes())))
    });
    refused("changed_by_hand", "One digit of the generation is another.", text.replacen("1785992800", "1785992801", 1));
    refused("byte_order_mark", "A byte order mark before.", {
        let members = &text[..text.rfind(",\n\"digest\"").unwrap()];
        digested(&format!("\u{feff}{members}"))
    });
    refused("envelope", "The first bytes of a ring in an envelope.", digested("waxseal-ring-v1\n{\"format\":1"));
    let mut bytes = edited(|members| members.replacen("laptop lost", "laptop \u{1}ost", 1)).into_bytes();
    let at = bytes.iter().position(|&byte| byte == 1).unwrap();
    bytes[at] = 0xff;
    let end = bytes.len() - 67;
    let digits = hex(&sha256(&bytes[..end]));
    bytes[end..end + 64].copy_from_slice(digits.as_bytes());
    cases.file("no_utf8", "refused", "A byte ff in a reason.", bytes);
}

/// The file with another start of its digest member, and a digest that fits that.
fn redigested(text: &str, start: &str) -> String {
    let members = &text[..text.rfind("\"digest\"").unwrap()];
    let signed = format!("{members}{start}");
    format!("{signed}{}\"}}\n", hex(&sha256(signed.as_bytes())))
}

fn json(cases: &mut Cases) {
    let mut refused = |name: &str, comment: &str, edit: &dyn Fn(String) -> String| {
        cases.file(name, "refused", comment, edited(edit));
    };
    refused("no_json", "A bracket is missing.", &|members| members.replacen('[', "", 1));
    refused("comment", "A comment.", &|members| members.replacen('\n', "/* one */\n", 1));
    refused("trailing_comma", "A comma behind the last entry.", &|members| members.replacen("}\n]", "},\n]", 1));
    refused("single_quotes", "Single quotes.", &|members| members.replacen("\"format\"", "'format'", 1));
    refused("two_objects", "Two objects, one behind the other.", &|members| format!("{{}}{members}"));
    refused("keys_as_object", "`keys` is an object.", &|members| {
        members.replacen("\"keys\":[", "\"keys\":{\"0\":", 1).replacen("}\n]", "}\n}", 1)
    });
    refused("policy_as_array", "`policy` is the array of its values.", &|members| {
        let (start, end) = (members.find("{\"max_token").unwrap(), members.find("},\n\"keys\"").unwrap());
        let values = "[86400,60,15,600,86400,3600,2592000]";
        format!("{}{values}{}", &members[..start], &members[end + 1..])
    });
    refused("mac_as_array", "An entry of `mac` is the array of its values.", &|members| {
        members
            .replacen("{\"status\":\"current\",\"created_at\":1783404400,\"secret\":", "[\"current\",1783404400,", 1)
            .replacen("\"},{\"status\":\"verify_only\"", "\"],{\"status\":\"verify_only\"", 1)
    });
    refused("status_as_object", "A status is an object.", &|members| {
        members.replacen("\"enabled\"", "{\"enabled\":null}", 1)
    });
}

fn members(cases: &mut Cases) {
    for name in ["format", "ring_id", "generation", "not_before", "stale_ok_until"] {
        let comment = format!("`{name}` is missing.");
        cases.ring(&format!("without_{name}"), "refused", &comment, |ring| ring.top.remove(name));
    }
    for name in Ring::example().policy.0.iter().map(|(name, _)| name) {
        let comment = format!("`{name}` is missing in the policy.");
        cases.ring(&format!("policy_without_{name}"), "refused", &comment, |ring| ring.policy.remove(name));
    }
    for name in Ring::example().keys[2].0.iter().map(|(name, _)| name) {
        let comment = format!("`{name}` is missing in an entry.");
        cases.ring(&format!("key_without_{name}"), "refused", &comment, |ring| ring.keys[2].remove(name));
    }
    for name in ["status", "created_at", "secret"] {
        let comment = format!("`{name}` is missing in a MAC secret.");
        cases.ring(&format!("mac_without_{name}"), "refused", &comment, |ring| ring.mac[0].remove(name));
    }
    for (name, member) in [("policy", "\"policy\""), ("keys", "\"keys\""), ("secrets", "\"revocation_secrets\"")] {
        let comment = format!("{member} has another name.");
        cases.file(
            &format!("without_{name}"),
            "refused",
            &comment,
            edited(|members| members.replacen(member, "\"other\"", 1)),
        );
    }
    cases.ring("unknown_member", "refused", "A member that is none.", |ring| ring.top.add("extra", 1));
    cases.ring("policy_unknown", "refused", "A member of the policy that is none.", |ring| {
        ring.policy.add("extra", 1);
    });
    cases.ring("key_unknown", "refused", "A member of an entry that is none.", |ring| ring.keys[1].add("extra", 1));
    cases.ring("mac_unknown", "refused", "A member of a MAC secret that is none.", |ring| {
        ring.mac[1].add("extra", 1);
    });
    cases.ring("twice", "refused", "`not_before` stands there twice.", |ring| ring.top.add("not_before", 0));
    cases.ring("policy_twice", "refused", "`skew` stands there twice.", |ring| ring.policy.add("skew", 60));
    cases.ring("key_twice_a_member", "refused", "`status` stands there twice.", |ring| {
        ring.keys[1].add("status", "\"enabled\"");
    });
    cases.file(
        "digest_twice",
        "refused",
        "`digest` stands there twice.",
        edited(|members| members + ",\"digest\":\"sha256:\""),
    );
}

fn nulls(cases: &mut Cases) {
    for name in ["format", "ring_id", "generation", "not_before", "stale_ok_until"] {
        cases.ring(&format!("null_{name}"), "refused", &format!("`{name}` is null."), |ring| {
            ring.top.set(name, "null");
        });
    }
    for name in ["id", "status", "created_at", "max_token_lifetime"] {
        cases.ring(&format!("key_null_{name}"), "refused", &format!("`{name}` of an entry is null."), |ring| {
            ring.keys[1].set(name, "null");
        });
    }
}

fn numbers(cases: &mut Cases) {
    for (name, value) in [
        ("negative", "-1"),
        ("minus_0", "-0"),
        ("fraction", "0.0"),
        ("exponent", "0e0"),
        ("leading_zero", "00"),
        ("plus", "+0"),
        ("hexadecimal", "0x0"),
        ("text", "\"0\""),
        ("2_to_64", "18446744073709551616"),
        ("true", "true"),
        ("nan", "NaN"),
    ] {
        let comment = format!("`not_before` is {value}.");
        cases.ring(&format!("number_{name}"), "refused", &comment, |ring| ring.top.set("not_before", value));
    }
    cases.ring("number_greatest", "load", "The greatest instant.", |ring| {
        ring.top.set("stale_ok_until", u64::MAX);
        ring.keys[2].set("activate_at", u64::MAX);
    });
}
