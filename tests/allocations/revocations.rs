//! With a list of revocations opening allocates no more than without, and refusing nothing.

use std::hint::black_box;

use serde::{Deserialize, Serialize};
use waxseal::revocation::Engine;
use waxseal::{Revocations, Revoke, Sealer, SessionId, SessionState};

use super::{count, ring};

/// A state that owns nothing, of somebody all the same.
#[derive(Serialize, Deserialize)]
struct Ada;

impl SessionState for Ada {
    fn subject(&self) -> Option<&str> {
        Some("ada")
    }

    fn tenant(&self) -> Option<&str> {
        // Longer than any name that is hashed in one piece.
        Some("a tenant with a name that goes on for as long as names of tenants go")
    }
}

/// A state with fields of its own.
#[derive(Serialize, Deserialize)]
struct Shop {
    user: String,
    cart: Vec<u32>,
}

impl SessionState for Shop {
    fn subject(&self) -> Option<&str> {
        Some(&self.user)
    }
}

const ENGINES: [Engine; 2] = [Engine::Exact, Engine::Bloom { false_positives: 1e-9 }];

fn revoke(list: &Revocations, revoke: Revoke) {
    let _ = list.revoke(revoke).wait().unwrap();
}

#[test]
fn a_list_allocates_nothing() {
    let ring = ring();
    let bare: Sealer<Shop> = Sealer::new(&ring, "session").unwrap();
    let token = bare.start(&Shop { user: "ada".into(), cart: vec![70_000; 5] }).unwrap();
    let own = count(|| assert!(bare.open(&token).is_ok()));
    for engine in ENGINES {
        let list = Revocations::in_memory(&ring);
        list.set_engine(engine).unwrap();
        let sealer: Sealer<Shop> = Sealer::builder(&ring, "session").revocations(&list).build().unwrap();
        let opens = || count(|| assert!(sealer.open(&token).is_ok()));
        assert_eq!(opens(), own, "an empty list");
        for n in 1..2000_u128 {
            // In the slice of the session that is opened.
            let start = u128::from(token.id().start().as_unix());
            let other: SessionId = format!("s1.{:032x}", start << 96 | n).parse().unwrap();
            revoke(&list, Revoke::session(other));
        }
        assert_eq!(opens(), own, "a list of sessions");
        revoke(&list, Revoke::subject("bob"));
        revoke(&list, Revoke::tenant("acme"));
        assert_eq!(opens(), own, "a list of cut-offs");
    }
}

#[test]
fn a_revoked_session_is_refused_without_an_allocation() {
    let ring = ring();
    for engine in ENGINES {
        let list = Revocations::in_memory(&ring);
        list.set_engine(engine).unwrap();
        let sealer: Sealer<Ada> = Sealer::builder(&ring, "session").revocations(&list).build().unwrap();
        let token = sealer.start(&Ada).unwrap();
        let opens = |is: bool| count(|| assert_eq!(black_box(sealer.open(&token)).is_ok(), is));
        revoke(&list, Revoke::subject("bob"));
        revoke(&list, Revoke::tenant("acme"));
        assert_eq!(opens(true), 0);
        revoke(&list, Revoke::session(token.id()));
        assert_eq!(opens(false), 0);
        let token = sealer.start(&Ada).unwrap();
        revoke(&list, Revoke::subject("ada").except(token.id()));
        assert_eq!(count(|| assert!(sealer.open(&token).is_ok())), 0);
        revoke(&list, Revoke::subject("ada"));
        assert_eq!(count(|| assert!(sealer.open(&token).is_err())), 0);
    }
}
