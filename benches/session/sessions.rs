//! The three sessions that are measured: about 30, 160 and 1,900 bytes of postcard.

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

/// A session as services have it: nine fields on the heap.
#[derive(Serialize, Deserialize)]
pub(crate) struct Typical {
    user: String,
    email: String,
    name: String,
    tenant: String,
    locale: String,
    theme: String,
    roles: Vec<String>,
    csrf: [u8; 16],
    account: u64,
    flags: u32,
}

impl SessionState for Typical {}

impl Sample for Typical {
    const NAME: &'static str = "typical";

    fn sample() -> Self {
        Self {
            user: "0198c0de-7b1a-7cc3-9a44-5f0d1c2b3a49".into(),
            email: "ada.lovelace@analytical.example".into(),
            name: "Augusta Ada King, Countess".into(),
            tenant: "analytical".into(),
            locale: "en-GB".into(),
            theme: "dark".into(),
            roles: vec!["editor".into(), "billing".into()],
            csrf: [0x5c; 16],
            account: 1_234_567_890_123,
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
