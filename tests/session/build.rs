//! Every refusal at build time, in one table.

use std::time::Duration;

use waxseal::session::{BuildError, Limit, RawSealer, SealerBuilder, Signed};
use waxseal::{KeyRing, Mode, Padding, Policy, Sealer, Signer};

use super::testkit::ring::Ring;
use super::testkit::state::Example;

/// The ring's longest token lifetime.
const DAY: u64 = 86_400;
const LONGEST: u64 = u32::MAX as u64;

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// What a table line does to a policy.
type Set = fn(Policy, Duration) -> Policy;

const SETTERS: [(Limit, Set); 4] = [
    (Limit::TokenLifetime, Policy::token_lifetime),
    (Limit::Idle, Policy::idle_limit),
    (Limit::Absolute, Policy::absolute_limit),
    (Limit::RenewAfter, Policy::renew_after),
];

fn ring() -> KeyRing {
    super::ring(&Ring::example()).0
}

fn built(policy: Policy) -> Result<(), BuildError> {
    let ring = ring();
    let typed = Sealer::<Example>::builder(&ring, "session").policy(policy.clone()).build().map(drop);
    let raw = RawSealer::builder(&ring, Mode::Sealed, "session").policy(policy).build().map(drop);
    assert_eq!(typed, raw);
    typed
}

/// Every single duration that is no limit, for every limit.
#[test]
fn limits_are_whole_seconds_in_their_range() {
    for (limit, set) in SETTERS {
        for refused in [
            Duration::ZERO,
            Duration::from_nanos(1),
            Duration::from_millis(999),
            Duration::from_millis(1500),
            secs(60) + Duration::from_nanos(1),
            secs(LONGEST + 1),
            secs(u64::MAX),
            Duration::MAX,
        ] {
            assert_eq!(built(set(Policy::default(), refused)), Err(BuildError::Range { limit }), "{limit} {refused:?}");
        }
        assert_eq!(built(set(Policy::default(), secs(60))), Ok(()), "{limit}");
    }
    assert_eq!(built(Policy::default().absolute_limit(secs(LONGEST))), Ok(()));
    assert_eq!(built(Policy::default().absolute_limit(secs(1))), Ok(()));
}

/// Limits that contradict the ring's or each other, each at the last that is accepted and the first that is not.
#[test]
fn limits_that_contradict_are_refused() {
    use Limit::{Absolute, Idle, RenewAfter, RingLifetime, TokenLifetime};
    let policy = |ttl: u64, idle: u64, absolute: u64, renew_after: u64| {
        let set = [ttl, idle, absolute, renew_after].into_iter().zip(SETTERS);
        set.filter(|(seconds, _)| *seconds > 0)
            .fold(Policy::default(), |policy, (seconds, (_, set))| set(policy, secs(seconds)))
    };
    let month = 30 * DAY;
    for (ttl, idle, absolute, renew_after, contradiction) in [
        (0, 0, 0, 0, None),
        (DAY, 0, 0, 0, None),
        (DAY + 1, 0, 0, 0, Some((TokenLifetime, RingLifetime))),
        (0, DAY, 0, 0, None),
        (0, DAY + 1, 0, 0, Some((Idle, RingLifetime))),
        (0, LONGEST, LONGEST, 0, Some((Idle, RingLifetime))),
        (0, 3600, 3600, 0, None),
        (0, 3601, 3600, 0, Some((Idle, Absolute))),
        (3600, 0, 3600, 0, None),
        (3601, 0, 3600, 0, Some((TokenLifetime, Absolute))),
        (3600, 3600, 0, 0, None),
        (3601, 3600, 0, 0, Some((TokenLifetime, Idle))),
        (3600, 0, 0, 3599, None),
        (3600, 0, 0, 3600, Some((RenewAfter, TokenLifetime))),
        (0, 3600, 0, 3600, Some((RenewAfter, TokenLifetime))),
        (0, 0, 3600, 3600, Some((RenewAfter, TokenLifetime))),
        (0, 0, 0, DAY - 1, None),
        (0, 0, 0, DAY, Some((RenewAfter, TokenLifetime))),
        (0, 0, 0, month, Some((RenewAfter, TokenLifetime))),
    ] {
        let expected = contradiction.map_or(Ok(()), |(limit, above)| Err(BuildError::Contradiction { limit, above }));
        let found = built(policy(ttl, idle, absolute, renew_after));
        assert_eq!(found, expected, "ttl {ttl}, idle {idle}, absolute {absolute}, renew after {renew_after}");
    }
}

#[test]
fn purposes_and_prefixes_are_refused() {
    let ring = ring();
    for purpose in ["", "Session", "a b", "a\0b", "a:b", "ü", "session\n", &"a".repeat(65)] {
        let error = Sealer::<Example>::new(&ring, purpose).unwrap_err();
        assert!(matches!(error, BuildError::Label(_)), "{purpose}: {error}");
        assert!(error.to_string().contains("1 to 64 characters"), "{error}");
        assert!(Signer::<Example>::new(&ring, purpose).is_err());
    }
    for purpose in ["s", "a.b_c/d-9", &"a".repeat(64)] {
        assert!(Sealer::<Example>::new(&ring, purpose).is_ok(), "{purpose}");
    }
    let prefixed = |prefix: &str| Sealer::<Example>::builder(&ring, "session").prefix(prefix).build().map(drop);
    for prefix in ["", "shop", "_shop", "sh-op_", "sh op_", "shöp_", "shop_\n", &format!("{}_", "a".repeat(16))] {
        assert_eq!(prefixed(prefix), Err(BuildError::Prefix), "{prefix}");
    }
    for prefix in ["_", "shop_", "Shop_9_", &format!("{}_", "a".repeat(15))] {
        assert_eq!(prefixed(prefix), Ok(()), "{prefix}");
    }
}

#[test]
fn a_newer_schema_and_a_padded_signature_are_refused() {
    let ring = ring();
    let build = |schema| Sealer::<Example>::builder(&ring, "session").write_schema(schema).build().map(drop);
    assert_eq!(build(2), Err(BuildError::WriteSchema { asked: 2, known: 1 }));
    assert_eq!(build(u16::MAX), Err(BuildError::WriteSchema { asked: u16::MAX, known: 1 }));
    assert_eq!(build(1), Ok(()));
    for padding in [Padding::To16, Padding::To32, Padding::To64] {
        let signer: SealerBuilder<Example, Signed> = Signer::builder(&ring, "session");
        assert_eq!(signer.padding(padding).build().map(drop), Err(BuildError::PaddedSignature));
        let raw = RawSealer::builder(&ring, Mode::Signed, "session").padding(padding);
        assert_eq!(raw.build().map(drop), Err(BuildError::PaddedSignature));
        assert!(Sealer::<Example>::builder(&ring, "session").padding(padding).build().is_ok());
    }
    assert!(Signer::<Example>::builder(&ring, "session").padding(Padding::None).build().is_ok());
}

/// An error says what was wrong and what to do.
#[test]
fn errors_are_sentences() {
    let range = BuildError::Range { limit: Limit::Idle }.to_string();
    assert_eq!(range, "the idle limit must be a whole number of seconds from 1 to 4294967295");
    let above = BuildError::Contradiction { limit: Limit::Idle, above: Limit::RingLifetime }.to_string();
    assert_eq!(above, "the idle limit must not exceed the ring's longest token lifetime");
    let schema = BuildError::WriteSchema { asked: 3, known: 2 }.to_string();
    assert_eq!(schema, "schema 3 cannot be written; the type's own, 2, is the newest");
}
