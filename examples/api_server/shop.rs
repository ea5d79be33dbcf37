//! What a session holds: the user and the cart, in the layout of today and of before.

use serde::{Deserialize, Serialize};
use waxseal::{Older, SchemaError, SessionState};

/// The state of a session. Raise `SCHEMA` and keep the old type whenever this one changes.
#[derive(Serialize, Deserialize)]
pub(crate) struct Shop {
    pub(crate) user: String,
    pub(crate) cart: Vec<CartLine>,
}

/// So many of one article.
#[derive(Serialize, Deserialize)]
pub(crate) struct CartLine {
    pub(crate) sku: u32,
    pub(crate) count: u16,
}

impl SessionState for Shop {
    const SCHEMA: u16 = 2;

    fn subject(&self) -> Option<&str> {
        Some(&self.user)
    }

    /// Users who logged in before the cart knew counts keep their session.
    fn upgrade(old: Older<'_>) -> Result<Self, SchemaError> {
        old.from::<ShopV1, _>(|v1| {
            let mut shop = Shop { user: v1.user, cart: vec![] };
            v1.skus.into_iter().for_each(|sku| shop.add(sku, 1));
            shop
        })
    }
}

impl Shop {
    /// Puts `count` more of an article into the cart.
    pub(crate) fn add(&mut self, sku: u32, count: u16) {
        match self.cart.iter_mut().find(|line| line.sku == sku) {
            Some(line) => line.count = line.count.saturating_add(count),
            None => self.cart.push(CartLine { sku, count }),
        }
    }
}

/// The state as the first version of this server wrote it.
#[derive(Serialize, Deserialize)]
pub(crate) struct ShopV1 {
    pub(crate) user: String,
    pub(crate) skus: Vec<u32>,
}

impl SessionState for ShopV1 {
    fn subject(&self) -> Option<&str> {
        Some(&self.user)
    }
}
