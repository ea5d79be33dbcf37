//! The three sessions that are measured, here and beside the peers: about 30, 160 and 1,900 bytes of postcard.

use serde::{Deserialize, Serialize};
use waxseal::SessionState;

/// A session with a sample of itself.
pub(crate) trait Sample: SessionState {
    const NAME: &'static str;
    fn sample() -> Self;
}

/// Who they are and little else.
#[derive(Serialize, Deserialize)]
pub(crate) struct Small {
    user: String,
    account: u64,
    roles: u32,
}

impl SessionState for Small {}

impl Sample for Small {
    const NAME: &'static str = "small";

    fn sample() -> Self {
        Self { user: "ada.lovelace@example".into(), account: 1_234_567_890_123, roles: 5 }
    }
}

/// A session as services have it: nine fields on the heap, under the names that services give them.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Typical {
    pub(crate) user_id: String,
    email: String,
    display_name: String,
    pub(crate) tenant_id: String,
    locale: String,
    theme: String,
    roles: Vec<String>,
    csrf_token: [u8; 16],
    account_id: u64,
    pub(crate) flags: u32,
}

impl SessionState for Typical {}

impl Sample for Typical {
    const NAME: &'static str = "typical";

    fn sample() -> Self {
        Self {
            user_id: "0198c0de-7b1a-7cc3-9a44-5f0d1c2b3a49".into(),
            email: "ada.lovelace@analytical.example".into(),
            display_name: "Augusta Ada King, Countess".into(),
            tenant_id: "analytical".into(),
            locale: "en-GB".into(),
            theme: "dark".into(),
            roles: vec!["editor".into(), "billing".into()],
            csrf_token: *b"\x3f\xa1\x09\xd4\x72\x5e\xc8\x16\xb0\x94\xeb\x2d\x61\x87\xfa\x33",
            account_id: 1_234_567_890_123,
            flags: 77,
        }
    }
}

/// A session with a full cart.
#[derive(Serialize, Deserialize)]
pub(crate) struct Large {
    user: String,
    cart: Vec<(u64, u32, String)>,
}

impl SessionState for Large {}

impl Sample for Large {
    const NAME: &'static str = "large";

    fn sample() -> Self {
        let line = |index: u32| {
            let sku = 9_000_000_000 + u64::from(index) * 7919;
            (sku, index % 9 + 1, format!("a thing that somebody wants, number {index:03}"))
        };
        Self { user: "ada.lovelace@example".into(), cart: (0..41).map(line).collect() }
    }
}
