//! Opening allocates what the state's own fields need; refusing a token allocates nothing.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

#[cfg(feature = "tower")]
mod httpkit;
mod testkit;

#[cfg(feature = "tower")]
#[path = "allocations/layer.rs"]
mod layer;
#[path = "allocations/revocations.rs"]
mod revocations;

use allocation_counter::measure;
use serde::{Deserialize, Serialize};
use testkit::reader::{Reader, load};
use testkit::ring::Ring;
use testkit::state::{EXAMPLE, Example};
use testkit::{NOW, cases, unhex};
use waxseal::session::Buffer;
use waxseal::{KeyRing, Sealer, SessionState, Signer};

#[derive(Serialize, Deserialize)]
struct Shop {
    user: String,
    cart: Vec<u32>,
    coupon: Option<String>,
}

impl SessionState for Shop {}

#[derive(Serialize, Deserialize)]
struct Named {
    user: String,
    level: u8,
}

impl SessionState for Named {}

/// [`Named`], borrowed.
#[derive(Deserialize)]
struct NamedView<'a> {
    user: &'a str,
    level: u8,
}

fn shop(cart: usize) -> Shop {
    Shop { user: "ada".into(), cart: vec![70_000; cart], coupon: Some("SPRING".into()) }
}

fn ring() -> KeyRing {
    load(&Ring::example().text(), NOW)
}

/// Allocations of `act`, after a first run: a thread's first look at a ring sets up its place there.
fn count(mut act: impl FnMut()) -> u64 {
    act();
    measure(act).count_total
}

#[test]
fn the_counter_counts() {
    assert_eq!(count(|| drop(std::hint::black_box(vec![7_u8; 100]))), 1);
    assert_eq!(count(|| assert_eq!(std::hint::black_box(7), 7)), 0);
}

#[test]
fn a_state_without_fields_to_own_opens_without_an_allocation() {
    let ring = ring();
    let sealer: Sealer<Example> = Sealer::new(&ring, "session").unwrap();
    let signer: Signer<Example> = Signer::new(&ring, "session").unwrap();
    let (sealed, signed) = (sealer.start(&EXAMPLE).unwrap(), signer.sign(&EXAMPLE).unwrap());
    assert_eq!(count(|| assert!(sealer.open(&sealed).is_ok())), 0);
    assert_eq!(count(|| assert!(signer.verify(&signed).is_ok())), 0);
    let context = [7; 1024];
    let sealed = sealer.with(&context).start(&EXAMPLE).unwrap();
    assert_eq!(count(|| assert!(sealer.with(&context).open(&sealed).is_ok())), 0);
}

#[test]
fn a_state_allocates_its_own_fields() {
    let ring = ring();
    let sealer: Sealer<Shop> = Sealer::new(&ring, "session").unwrap();
    // Short and long enough for either buffer on the stack.
    for cart in [2, 600] {
        let token = sealer.start(&shop(cart)).unwrap();
        let body = postcard::to_stdvec(&shop(cart)).unwrap();
        let own = count(|| assert!(postcard::from_bytes::<Shop>(&body).is_ok()));
        assert!(own >= 3);
        assert_eq!(count(|| assert!(sealer.open(&token).is_ok())), own);
    }
}

#[test]
fn a_buffer_that_is_used_again_allocates_nothing() {
    let ring = ring();
    let sealer: Sealer<Named> = Sealer::new(&ring, "session").unwrap();
    let token = sealer.start(&Named { user: "ada".into(), level: 3 }).unwrap();
    let mut buffer = Buffer::new();
    let allocated = count(|| {
        let session = sealer.open_raw(&token, &mut buffer).unwrap();
        let view: NamedView<'_> = session.borrow::<NamedView<'_>>().unwrap();
        assert_eq!((view.user, view.level), ("ada", 3));
    });
    assert_eq!(allocated, 0);
}

#[test]
fn a_refusal_allocates_nothing() {
    let mut codes = std::collections::BTreeSet::new();
    for (open, _) in cases::all_with_rings() {
        if open.expect == "open" || open.reader.schemas != [1] {
            continue;
        }
        let (ring, context) = (load(&open.ring, open.now), unhex(&open.reader.context));
        let token = open.token.map_or_else(|| unhex(open.token_hex.as_deref().unwrap()), String::into_bytes);
        let allocated = if open.reader.mode == "sealed" {
            let sealer = open.reader.sealer::<Example>(&ring);
            count(|| assert!(sealer.with(&context).open(&token).is_err()))
        } else {
            let signer = open.reader.signer::<Example>(&ring);
            count(|| assert!(signer.with(&context).verify(&token).is_err()))
        };
        assert_eq!(allocated, 0, "{}", open.name);
        codes.insert(open.expect);
    }
    assert_eq!(codes.len(), testkit::vector::CODES.len(), "{codes:?}");
}

#[test]
fn megabytes_are_refused_without_an_allocation() {
    let ring = ring();
    let sealer = Reader::example().sealer::<Example>(&ring);
    for byte in [b'A', b'.', 0xff] {
        let text = vec![byte; 4 << 20];
        assert_eq!(count(|| assert!(sealer.open(&text).is_err())), 0);
    }
}
