//! Laws of the public face, over arbitrary states, texts, rings and instants.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

#[cfg(feature = "tower")]
mod httpkit;
mod testkit;

#[path = "laws/agreement.rs"]
mod agreement;
#[cfg(feature = "tower")]
#[path = "laws/carriers.rs"]
mod carriers;
#[path = "laws/chains.rs"]
mod chains;
#[cfg(feature = "tower")]
#[path = "laws/requests.rs"]
mod requests;
#[path = "laws/texts.rs"]
mod texts;
#[path = "laws/tokens.rs"]
mod tokens;
#[cfg(feature = "tower")]
#[path = "laws/visits.rs"]
mod visits;

use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use waxseal::SessionState;

/// A state with one of everything.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Anything {
    user: String,
    cart: Vec<(u32, u16)>,
    admin: Option<bool>,
    role: Role,
    far: (i64, u128, char),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Role {
    Guest,
    Member { since: u64 },
    Staff(Box<[u8]>),
}

impl SessionState for Anything {}

fn any_state() -> impl Strategy<Value = Anything> {
    let role = prop_oneof![
        Just(Role::Guest),
        any::<u64>().prop_map(|since| Role::Member { since }),
        prop::collection::vec(any::<u8>(), 0..200).prop_map(|bytes| Role::Staff(bytes.into())),
    ];
    (
        ".{0,60}",
        prop::collection::vec(any::<(u32, u16)>(), 0..40),
        any::<Option<bool>>(),
        role,
        any::<(i64, u128, char)>(),
    )
        .prop_map(|(user, cart, admin, role, far)| Anything { user, cart, admin, role, far })
}

fn any_context() -> impl Strategy<Value = Vec<u8>> {
    let length = prop_oneof![Just(0_usize), 1..40_usize, 1000..=1024_usize];
    length.prop_flat_map(|length| prop::collection::vec(any::<u8>(), length))
}

fn any_purpose() -> impl Strategy<Value = String> {
    "[a-z0-9._/-]{1,64}"
}

fn any_carrier() -> impl Strategy<Value = String> {
    prop_oneof![Just("header".to_owned()), "cookie:[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}"]
}
