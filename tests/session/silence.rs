//! What a client or a log is told: no token, no key, no state.

use std::fmt::Debug;

use waxseal::keys::{RingFile, RingPolicy};
use waxseal::session::{Buffer, RawSealer};
use waxseal::time::{ManualClock, SystemClock};
use waxseal::{Carrier, KeyRing, Mode, Padding, Policy, Sealer, Signer};

use super::testkit::forge::Forge;
use super::testkit::ring::{Disk, Ring, role};
use super::testkit::state::{Last, Two};
use super::testkit::{NOW, decode, encode, hex};
use super::{at, ring};

/// A state whose every field can be looked for.
fn state() -> Two {
    Two { user: 7_412_369_850, shop: 3_141_592_653, count: 27_182, note: "SECRETNOTE".into(), choice: Some(true) }
}

/// Everything that must not be shown, as text that could show it.
fn secrets(tokens: &[&str]) -> Vec<String> {
    let state = postcard::to_stdvec(&state()).unwrap();
    let mut secrets: Vec<_> = ["7412369850", "3141592653", "27182", "SECRETNOTE"].map(str::to_owned).to_vec();
    let keys = [role::active(), role::retiring(), role::staged()];
    let bytes = keys.iter().flat_map(|key| [key.0.to_vec(), key.prk().to_vec()]).chain([state]);
    let tags = tokens.iter().map(|text| decode(text).unwrap()[20..].to_vec());
    for bytes in bytes.chain(tags) {
        let (eight, listed) = (&bytes[..8], format!("{:?}", &bytes[..8]));
        secrets.extend([hex(eight), hex(eight).to_uppercase(), encode(&bytes)[..10].to_owned()]);
        secrets.push(listed.trim_matches(['[', ']']).to_owned());
    }
    secrets.extend(tokens.iter().map(|text| text[text.len() - 20..].to_owned()));
    secrets
}

/// `Debug` of a value, in both forms.
fn shown(value: &dyn Debug) -> String {
    format!("{value:?} {value:#?}")
}

#[test]
fn debug_shows_no_secret() {
    let (ring, _clock) = ring(&Ring::example());
    let disk = Disk::with(Ring::example().text().as_bytes());
    let file = RingFile::at(&disk.path);
    let context = b"SECRETNOTE";
    let builder = Sealer::<Two>::builder(&ring, "session").prefix("shop_").padding(Padding::To16);
    let raw_builder = RawSealer::builder(&ring, Mode::Sealed, "session");
    let mut all = vec![shown(&builder), shown(&raw_builder), shown(&file.read().unwrap())];
    let (sealer, raw) = (Sealer::<Two>::new(&ring, "session").unwrap(), raw_builder.build().unwrap());
    let signer = Signer::<Two>::new(&ring, "session").unwrap();
    let (token, signed) = (sealer.start(&state()).unwrap(), signer.sign(&state()).unwrap());
    let (session, readable) = (sealer.open(&token).unwrap(), signer.verify(&signed).unwrap());
    let mut buffer = Buffer::new();
    let raw_session = raw.open(&token, &[], &mut buffer).unwrap();
    all.extend([shown(&raw_session), shown(raw_session.info()), shown(&session), shown(&readable)]);
    all.extend([shown(&token), shown(&signed), shown(&sealer), shown(&signer), shown(&raw), shown(&buffer)]);
    all.extend([shown(&sealer.with(context)), shown(&signer.with(context)), shown(&raw.with_context(context))]);
    all.extend([shown(&ring), shown(&ring.status()), shown(&file), shown(&file.report(at(NOW)).unwrap())]);
    all.extend([shown(&KeyRing::options()), shown(&ring.follow()), shown(&KeyRing::generate().unwrap())]);
    all.extend([shown(&Policy::default()), shown(&RingPolicy::default()), shown(&Carrier::Header), shown(&token.id())]);
    all.extend([shown(&ManualClock::at(at(NOW))), shown(&SystemClock::new(std::time::Duration::from_secs(60)))]);
    let secrets = secrets(&[token.as_str(), signed.as_str()]);
    assert!(shown(&state()).contains(&secrets[0]), "the search finds what is there");
    for text in &all {
        assert!(text.len() > 3);
        assert_eq!(secrets.iter().find(|secret| text.contains(*secret)), None, "{text}");
    }
}

#[test]
fn refusals_tell_a_client_nothing_and_a_log_no_secret() {
    let (ring, _clock) = ring(&Ring::example());
    let sealer = Sealer::<Two>::new(&ring, "session").unwrap();
    let token = sealer.start(&state()).unwrap();
    let text = token.as_str();
    let newer = Sealer::<Last>::new(&ring, "session").unwrap();
    let unreadable = Forge { context: vec![], head: vec![4], ..Forge::new("", role::active()) };
    let errors = [
        sealer.open(&text[1..]).unwrap_err(),
        sealer.open(format!("{text}=")).unwrap_err(),
        sealer.open(format!("{text}AAAA")).unwrap_err(),
        sealer.with(b"SECRETNOTE").open(text).unwrap_err(),
        sealer.with(&[]).at(at(NOW + 86_400)).open(text).unwrap_err(),
        newer.open(text).unwrap_err(),
        sealer.open(unreadable.text()).unwrap_err(),
    ];
    let mut codes = std::collections::BTreeSet::new();
    for error in errors {
        assert_eq!(error.to_string(), "invalid session token");
        assert!([401, 503].contains(&error.status()));
        codes.insert(error.reason().code());
        let log = format!("{} {}", shown(&error), error.reason());
        let secrets = secrets(&[text]);
        assert_eq!(secrets.iter().find(|secret| log.contains(*secret)), None, "{log}");
    }
    assert!(codes.len() >= 5, "{codes:?}");
}

#[test]
fn a_ring_file_that_is_refused_is_not_quoted() {
    let text = Ring::example().text();
    let secret = encode(&role::active().0);
    for bad in [
        text.replacen("\"enabled\"", &format!("\"{secret}\""), 1),
        text.replacen("\"format\":1", &format!("\"format\":\"{secret}\""), 1),
        text.replacen("\"skew\"", &format!("\"{secret}\""), 1),
        text.replacen(&format!("\"{secret}\""), &format!("[\"{secret}\"]"), 1),
        text.replacen("\"not_before\":0", &format!("\"not_before\":{secret}"), 1),
    ] {
        let members = &bad[..bad.rfind(",\n\"digest\"").unwrap()];
        let disk = Disk::with(super::testkit::ring::digested(members).as_bytes());
        let error = RingFile::at(&disk.path).read().unwrap_err();
        let shown = format!("{error} {}", shown(&error));
        assert!(error.file_error().is_some());
        assert!(!shown.contains(&secret[..10]) && !shown.contains(&secret[20..30]), "{shown}");
    }
}
