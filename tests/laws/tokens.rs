//! What is sealed opens, as long as it should, there and nowhere else.

use std::time::Duration;

use proptest::prelude::*;
use waxseal::session::Buffer;
use waxseal::time::{ManualClock, Timestamp};
use waxseal::{Carrier, KeyRing, Padding, Policy, Sealer, Signer};

use super::testkit::forge::{Forge, varint};
use super::testkit::reader::load;
use super::testkit::ring::{Ring, role};
use super::testkit::{NOW, decode};
use super::{Anything, any_carrier, any_context, any_purpose, any_state};

fn ring() -> KeyRing {
    KeyRing::options().clock(ManualClock::at(Timestamp::from_unix(NOW))).generate().unwrap()
}

fn sealer(ring: &KeyRing, purpose: &str, carrier: &str, padding: Padding) -> Sealer<Anything> {
    let carrier: Carrier = carrier.parse().unwrap();
    Sealer::builder(ring, purpose).carrier(carrier).padding(padding).build().unwrap()
}

fn signer(ring: &KeyRing, purpose: &str, carrier: &str) -> Signer<Anything> {
    Signer::builder(ring, purpose).carrier(carrier.parse().unwrap()).build().unwrap()
}

fn any_padding() -> impl Strategy<Value = Padding> {
    prop::sample::select(vec![Padding::None, Padding::To16, Padding::To32, Padding::To64])
}

proptest! {
    #[test]
    fn what_is_sealed_opens(
        state in any_state(), context in any_context(), purpose in any_purpose(), carrier in any_carrier(),
        padding in any_padding(), now in 0..=u64::from(u32::MAX),
    ) {
        let ring = load(&Ring::single(role::active()).text(), NOW);
        let now = Timestamp::from_unix(now.max(1_780_000_000));
        let sealer = sealer(&ring, &purpose, &carrier, padding);
        let token = sealer.with(&context).at(now).start(&state).unwrap();
        let session = sealer.with(&context).at(now).open(&token).unwrap();
        prop_assert_eq!((session.id(), session.key_id()), (token.id(), token.key_id()));
        prop_assert_eq!((session.start(), session.issued_at()), (now, now));
        prop_assert_eq!(session.expires_at(), token.expires_at());
        prop_assert_eq!(session.state(), &state);
    }

    #[test]
    fn what_is_signed_verifies(
        state in any_state(), context in any_context(), purpose in any_purpose(), carrier in any_carrier(),
    ) {
        let ring = ring();
        let signer = signer(&ring, &purpose, &carrier);
        let token = signer.with(&context).sign(&state).unwrap();
        let session = signer.with(&context).verify(&token).unwrap();
        prop_assert_eq!(session.id(), token.id());
        prop_assert_eq!(session.into_state(), state);
    }

    /// The testkit reads what the library writes.
    #[test]
    fn every_byte_of_a_token_is_what_the_format_says(
        state in any_state(), context in any_context(), purpose in any_purpose(), carrier in any_carrier(),
        ttl in 1..=86_400_u32, signed: bool,
    ) {
        let ring = load(&Ring::example().text(), NOW);
        let life = Duration::from_secs(ttl.into());
        let text = if signed {
            signer(&ring, &purpose, &carrier).with(&context).ttl(life).sign(&state).unwrap().into_string()
        } else {
            let sealer = sealer(&ring, &purpose, &carrier, Padding::None);
            sealer.with(&context).ttl(life).start(&state).unwrap().into_string()
        };
        let token = decode(&text).unwrap();
        let forge = Forge { signed, purpose, carrier, context, ..Forge::new("", role::active()) };
        let body = postcard::to_stdvec(&state).unwrap();
        prop_assert_eq!(&token[..8], &forge.header()[..8]);
        prop_assert_eq!(forge.read(&token).unwrap(), [varint(2), varint(ttl.into()), varint(0), body].concat());
    }

    /// Purpose, carrier, context and mode: a token opens if, and only if, all are its own.
    #[test]
    fn a_token_opens_nowhere_else(
        state in any_state(),
        own in (any_purpose(), any_carrier(), any_context()),
        other in (any_purpose(), any_carrier(), any_context()),
        pick in 0_u8..8, signed: bool, asks_signed: bool,
    ) {
        let ring = ring();
        let reader = (
            if pick & 1 == 0 { &own.0 } else { &other.0 },
            if pick & 2 == 0 { &own.1 } else { &other.1 },
            if pick & 4 == 0 { &own.2 } else { &other.2 },
        );
        let token = if signed {
            signer(&ring, &own.0, &own.1).with(&own.2).sign(&state).unwrap()
        } else {
            sealer(&ring, &own.0, &own.1, Padding::None).with(&own.2).start(&state).unwrap()
        };
        let opened = if asks_signed {
            signer(&ring, reader.0, reader.1).with(reader.2).verify(&token).map(drop)
        } else {
            sealer(&ring, reader.0, reader.1, Padding::None).with(reader.2).open(&token).map(drop)
        };
        let same = signed == asks_signed && reader == (&own.0, &own.1, &own.2);
        prop_assert_eq!(opened.is_ok(), same);
        if let Err(error) = opened {
            let expected = if signed == asks_signed { "forged" } else { "mode" };
            prop_assert_eq!(error.reason().code(), expected);
            prop_assert_eq!((error.status(), error.keep_token()), (401, false));
        }
    }

    #[test]
    fn no_lifetime_exceeds_a_limit(
        ring_max in 1..=100_000_u64, idle in 1..=100_000_u64, absolute in 1..=200_000_u64,
        asked in 1..=200_000_u64, age in 0..=200_000_u64,
    ) {
        let mut file = Ring::single(role::active());
        file.policy.set("max_token_lifetime", ring_max);
        let ring = load(&file.text(), NOW);
        let idle = idle.min(ring_max).min(absolute);
        let policy = Policy::default()
            .idle_limit(Duration::from_secs(idle))
            .absolute_limit(Duration::from_secs(absolute));
        let sealer: Sealer<Anything> = Sealer::builder(&ring, "session").policy(policy).build().unwrap();
        let state = Anything {
            user: String::new(), cart: vec![], admin: None, role: super::Role::Guest, far: (0, 0, 'x'),
        };
        let mut token = sealer.with(&[]).ttl(Duration::from_secs(asked)).start(&state).unwrap();
        let (start, mut now) = (NOW, NOW);
        let mut buffer = Buffer::new();
        loop {
            let at = Timestamp::from_unix(now);
            let life = sealer.with(&[]).at(at).open_raw(&token, &mut buffer).unwrap().info().token_lifetime();
            let left = start + absolute - now;
            prop_assert_eq!(u64::from(life), asked.min(idle).min(ring_max).min(left));
            let session = sealer.with(&[]).at(at).open(&token).unwrap();
            prop_assert_eq!(session.expires_at().as_unix(), now + u64::from(life));
            let next = now + u64::from(life) - 1;
            if next == now || next - start > age {
                break;
            }
            now = next;
            let at = Timestamp::from_unix(now);
            token = sealer.with(&[]).at(at).ttl(Duration::from_secs(asked)).renew(&session).unwrap();
        }
    }
}
