//! When a key or the whole ring leaked: what is dead stays dead.

use waxseal::KeyId;
use waxseal::keys::{ChangeError, RingFile, Role, Sessions};
use waxseal::session::Reason;

use super::desk::Desk;
use super::testkit::forge::{Forge, varint};
use super::testkit::key::Key;
use super::{NOW, at};

const HOUR: u64 = 3600;
const DAY: u64 = 86_400;

/// Forges a first token under the secret of `key` in a stolen ring file.
fn forged(stolen: &[u8], key: KeyId, issued_at: u64) -> String {
    let json: serde_json::Value = serde_json::from_slice(stolen).unwrap();
    let entry = json["keys"].as_array().unwrap().iter().find(|entry| entry["id"] == key.to_string()).unwrap();
    let secret = super::testkit::decode(entry["secret"].as_str().unwrap()).unwrap();
    let mut forge = Forge::new("stolen", Key(secret.try_into().unwrap()));
    forge.context.clear();
    forge.body = varint(666);
    forge.iat = issued_at as u32;
    forge.ttl = varint(DAY);
    forge.text()
}

/// Every key of a ring file that has its secret.
fn living(file: &RingFile) -> Vec<KeyId> {
    let report = file.report(at(NOW)).unwrap();
    report.keys.iter().filter(|key| key.role != Role::Revoked).map(|key| key.id).collect()
}

#[test]
fn drill_a_leaked_ring_is_replaced_and_all_that_was_forged_is_dead() {
    let desk = Desk::new();
    desk.rotate();
    let (stolen, ids, honest) = (desk.bytes(), living(&desk.file), desk.mint());
    let forge = |issued_at| ids.iter().map(|&id| forged(&stolen, id, issued_at)).collect::<Vec<_>>();
    let before = forge(NOW);
    assert!(before.iter().all(|token| desk.opens(token).is_ok()), "the attacker is in");
    desk.clock.advance(5);
    let done = desk.change("revoke-all", |ring, now| ring.revoke_all(Some("ring leaked"), now)).unwrap();
    assert_eq!(done.revoked.len(), ids.len());
    desk.follow();
    for token in before.iter().chain(&forge(NOW + 6)).map(String::as_str).chain([honest.as_str()]) {
        assert!(matches!(desk.opens(token), Err(Reason::RevokedKey { .. })));
    }
    // Nothing of the stolen file is left: keys, and the secrets that revocations are shared under.
    let (old, new): (serde_json::Value, serde_json::Value) =
        (serde_json::from_slice(&stolen).unwrap(), serde_json::from_slice(&desk.bytes()).unwrap());
    assert_ne!(old["revocation_secrets"]["scope"], new["revocation_secrets"]["scope"]);
    assert_ne!(old["revocation_secrets"]["mac"], new["revocation_secrets"]["mac"]);
    desk.opens(desk.mint()).unwrap();
}

/// A forged session renewed under a good key outlives the revoked one, until the steps that are printed.
#[test]
fn drill_a_retired_key_and_its_renewed_forgery_are_dead_after_the_printed_steps() {
    let (desk, straggler) = (Desk::new(), Desk::new());
    desk.change("rotate", |ring, now| Ok(ring.rotate(now).unwrap())).unwrap();
    let (stolen, retired) = (desk.bytes(), desk.key(Role::Active));
    straggler.put(&stolen);
    let straggler = Desk::holding(&stolen);
    desk.follow();
    let both = |now: u64| {
        desk.clock.set(at(now));
        straggler.clock.set(at(now));
    };
    both(NOW + 2 * HOUR);
    let renew = |on: &Desk, token: &str| on.sealer.renew(&on.sealer.open(token).unwrap()).unwrap();
    let first = renew(&desk, &forged(&stolen, retired, NOW + HOUR));
    assert_ne!(first.key_id(), retired, "under a good key");
    let unsaid = desk.change("revoke", |ring, now| ring.revoke(retired, None, None, now)).unwrap_err();
    assert_eq!(unsaid, ChangeError::SessionsUnsaid { id: retired });
    // Kept, the forgery lives on.
    let kept = Desk::holding(&desk.bytes());
    kept.clock.set(desk.now());
    kept.change("revoke", |ring, now| ring.revoke(retired, None, Some(Sessions::Keep), now)).unwrap();
    kept.follow();
    kept.opens(&first).unwrap();
    // 1. `keys revoke ID --sessions end`.
    desk.change("revoke", |ring, now| ring.revoke(retired, None, Some(Sessions::End), now)).unwrap();
    desk.follow();
    assert_eq!(desk.opens(&first), Err(Reason::Revoked));
    // A server that has not followed yet takes one more forgery and renews it.
    both(NOW + 2 * HOUR + 30);
    let second = renew(&straggler, &forged(&stolen, retired, NOW + 2 * HOUR + 30));
    desk.opens(&second).unwrap();
    // 2. Once the fleet has converged: `keys not-before`.
    both(NOW + 2 * HOUR + 700);
    desk.change("not-before", |ring, now| ring.set_not_before(now, now)).unwrap();
    straggler.put(&desk.bytes());
    desk.follow();
    straggler.follow();
    for server in [&desk, &straggler] {
        assert_eq!(server.opens(&first), Err(Reason::Revoked));
        assert_eq!(server.opens(&second), Err(Reason::Revoked));
        assert!(matches!(server.opens(forged(&stolen, retired, NOW + 2 * HOUR + 701)), Err(Reason::RevokedKey { .. })));
        server.opens(server.mint()).unwrap();
    }
}

#[test]
fn drill_fourteen_keys_and_ten_tombstones_leave_room_for_a_revoke() {
    let desk = Desk::new();
    for _ in 0..10 {
        let active = desk.key(Role::Active);
        desk.change("revoke", |ring, now| ring.revoke(active, None, None, now)).unwrap();
        desk.clock.advance(HOUR);
    }
    while desk.file.update(desk.now(), "rotate", |ring| Ok::<_, Full>((ring.rotate(desk.now())?, true))).is_ok() {
        desk.clock.advance(HOUR);
    }
    desk.follow();
    let count = |role| desk.file.report(desk.now()).unwrap().keys.iter().filter(|key| key.role == role).count();
    assert_eq!((living(&desk.file).len(), count(Role::Revoked)), (14, 10));
    desk.clock.advance(10);
    let (token, active) = (desk.mint(), desk.key(Role::Active));
    desk.change("revoke", |ring, now| ring.revoke(active, Some("leak"), None, now)).unwrap();
    desk.follow();
    assert_eq!(desk.opens(&token), Err(Reason::RevokedKey { key_id: active }));
    desk.opens(desk.mint()).unwrap();
}

#[derive(Debug)]
struct Full;

impl From<waxseal::keys::DiskError> for Full {
    fn from(error: waxseal::keys::DiskError) -> Self {
        panic!("{error}")
    }
}

impl From<waxseal::keys::RotateError> for Full {
    fn from(error: waxseal::keys::RotateError) -> Self {
        assert!(matches!(error, waxseal::keys::RotateError::Full { .. }));
        Self
    }
}
