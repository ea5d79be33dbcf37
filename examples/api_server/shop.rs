//! What a session holds: the user, the cart and a choice, in the layout of today and of before.

use serde::{Deserialize, Serialize};
use waxseal::{Older, SchemaError, SessionState};

/// The state of a session. Raise `SCHEMA` and keep the old type whenever this one changes.
#[derive(Serialize, Deserialize)]
pub(crate) struct Shop {
    pub(crate) user: String,
    pub(crate) cart: Vec<CartLine>,
    /// The user wants a cookie from this site, whatever the browser says to all sites.
    pub(crate) chose_cookie: bool,
}

/// So many of one article.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct CartLine {
    pub(crate) sku: u32,
    pub(crate) count: u16,
}

impl SessionState for Shop {
    const SCHEMA: u16 = 3;

    fn subject(&self) -> Option<&str> {
        Some(&self.user)
    }

    /// Users who logged in before keep their session.
    fn upgrade(old: Older<'_>) -> Result<Self, SchemaError> {
        old.from::<ShopV2, _>(|v2| Shop { user: v2.user, cart: v2.cart, chose_cookie: false })
    }
}

impl Shop {
    /// A session of `user` with an empty cart.
    pub(crate) fn of(user: String) -> Self {
        Shop { user, cart: vec![], chose_cookie: false }
    }

    /// Puts `count` more of an article into the cart.
    pub(crate) fn add(&mut self, sku: u32, count: u16) {
        add(&mut self.cart, sku, count);
    }
}

fn add(cart: &mut Vec<CartLine>, sku: u32, count: u16) {
    match cart.iter_mut().find(|line| line.sku == sku) {
        Some(line) => line.count = line.count.saturating_add(count),
        None => cart.push(CartLine { sku, count }),
    }
}

/// The state before it knew of a choice.
#[derive(Serialize, Deserialize)]
pub(crate) struct ShopV2 {
    pub(crate) user: String,
    pub(crate) cart: Vec<CartLine>,
}

impl SessionState for ShopV2 {
    const SCHEMA: u16 = 2;

    fn subject(&self) -> Option<&str> {
        Some(&self.user)
    }

    fn upgrade(old: Older<'_>) -> Result<Self, SchemaError> {
        old.from::<ShopV1, _>(|v1| {
            let mut cart = vec![];
            v1.skus.into_iter().for_each(|sku| add(&mut cart, sku, 1));
            ShopV2 { user: v1.user, cart }
        })
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
