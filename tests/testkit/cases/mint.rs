//! Tokens that a writer must mint, bit for bit, from inputs that include what it would draw. FORMAT.md, "Minting".

use super::super::forge::varint;
use super::super::key::Key;
use super::super::mint::complete;
use super::super::reader::Reader;
use super::super::ring::{entry, role};
use super::super::vector::{Mint, Opened, Renews, Vector};
use super::super::{NOW, hex};
use super::{Cases, Ring};

/// All keys that the rings of these vectors hold.
pub(crate) fn keys() -> Vec<Key> {
    (1..=8).map(Key::test).collect()
}

pub(super) fn cases(cases: &mut Cases) {
    first_tokens(cases);
    lifetimes(cases);
    padded(cases);
    later_tokens(cases);
    which_key(cases);
}

/// A login at the instant of the examples, asking for an hour.
fn login() -> Mint {
    Mint {
        kind: "mint".into(),
        name: String::new(),
        comment: String::new(),
        expect: "token".into(),
        now: NOW,
        ring: String::new(),
        writer: Reader::example(),
        padding: None,
        lifetime: 3600,
        schema: 1,
        body: "d285d8cc04b1a8038104".into(),
        renews: None,
        r: "a5".repeat(16),
        draw: 7,
        token: String::new(),
        opened: Opened {
            session_id: String::new(),
            issued_at: 0,
            expires_at: 0,
            key_id: String::new(),
            schema: 0,
            body: String::new(),
        },
    }
}

impl Cases {
    /// Adds what becomes of a login after a change.
    fn mint(&mut self, name: &str, comment: &str, edit: impl FnOnce(&mut Mint, &mut Ring)) {
        let (mut mint, mut ring) = (login(), Ring::example());
        edit(&mut mint, &mut ring);
        mint.name = format!("mint_{name}");
        mint.comment = comment.into();
        self.vectors.push(Vector::Mint(Box::new(complete(mint, &ring, &keys()))));
    }
}

fn first_tokens(cases: &mut Cases) {
    cases.mint("sealed", "As Example 1.", |_, _| {});
    cases.mint("sealed_cookie", "As Example 2.", |mint, _| mint.writer.carrier = "cookie:__Host-Http-id".into());
    cases.mint("signed", "As Example 3.", |mint, _| mint.writer.mode = "signed".into());
    cases.mint("signed_cookie", "A signed token for a cookie.", |mint, _| {
        mint.writer.mode = "signed".into();
        mint.writer.carrier = "cookie:__Host-Http-id".into();
    });
    cases.mint("sealed_no_context", "As Example 8.", |mint, _| mint.writer.context = String::new());
    cases.mint("signed_no_context", "As Example 9.", |mint, _| {
        mint.writer.mode = "signed".into();
        mint.writer.context = String::new();
    });
    cases.mint("context_1024", "The longest context.", |mint, _| mint.writer.context = "c7".repeat(1024));
    cases.mint("prefix", "As Example 10.", |mint, _| mint.writer.prefix = Some("shop_".into()));
    cases.mint("purpose", "Another purpose.", |mint, _| mint.writer.purpose = "reset".into());
    cases.mint("draw_of_8_bytes", "draw is LE64.", |mint, _| mint.draw = 0x0102_0304_0506_0708);
    cases.mint("other_r", "Another r.", |mint, _| mint.r = hex(&core::array::from_fn::<u8, 16, _>(|at| at as u8)));
    cases.mint("longest", "A token of 4000 characters.", |mint, _| {
        mint.schema = 2;
        mint.writer.chain(&[2]);
        mint.body += &format!("{}{}00", hex(&varint(2947)), "78".repeat(2947));
    });
}

fn lifetimes(cases: &mut Cases) {
    cases.mint("ttl_of_idle_limit", "The idle limit cuts the lifetime asked for.", |mint, _| mint.lifetime = 10_000);
    cases.mint("ttl_of_ring", "The ring's policy cuts it.", |mint, ring| {
        mint.lifetime = 7200;
        mint.writer.idle_limit = 1800;
        ring.policy.set("max_token_lifetime", 1800);
    });
    cases.mint("ttl_1", "The least lifetime.", |mint, _| mint.lifetime = 1);
    cases.mint("ttl_of_absolute_limit", "The absolute limit cuts it, 43000 seconds on.", |mint, _| {
        later(mint, 43_000);
    });
    cases.mint("ttl_of_last_second", "The last second before the absolute limit.", |mint, _| later(mint, 43_199));
    cases.mint("cut_off_now", "A login in the second of a cut-off starts one second later.", |_, ring| {
        ring.top.set("not_before", NOW);
    });
    cases.mint("cut_off_ahead", "A login before a cut-off starts one second after it.", |_, ring| {
        ring.top.set("not_before", NOW + 60);
    });
    cases.mint("cut_off_passed", "A login one second after a cut-off.", |_, ring| {
        ring.top.set("not_before", NOW - 1);
    });
}

fn padded(cases: &mut Cases) {
    for block in [16, 32, 64] {
        let comment = format!("Padded to a multiple of {block}.");
        cases.mint(&format!("padding_{block}"), &comment, |mint, _| mint.padding = Some(block));
    }
    cases.mint("padding_full_block", "P has 16 bytes without padding; 16 are added.", |mint, _| {
        mint.padding = Some(16);
        mint.body = "d285d8cc04ffffffff0fffff".into();
        mint.body += "03";
        mint.lifetime = 100;
        assert_eq!(mint.body.len() / 2 + 3, 16);
    });
}

/// Makes a renewal of a session that began `age` seconds ago, by the token that began it.
fn later(mint: &mut Mint, age: u64) {
    // With limits of its own, so that the first token is still alive.
    let mut first = login();
    first.now -= age;
    first.lifetime = 86_400;
    first.writer.mode.clone_from(&mint.writer.mode);
    first.writer.idle_limit = 86_400;
    let mut ring = Ring::example();
    ring.entry(role::active()).set("activate_at", NOW - 100_000);
    let first = complete(first, &ring, &keys());
    mint.writer.idle_limit = 43_200;
    mint.renews = Some(Renews::of(&first));
}

fn later_tokens(cases: &mut Cases) {
    cases.mint("renewal", "As Example 4.", |mint, _| {
        later(mint, 600);
        mint.draw = 8;
    });
    cases.mint("renewal_at_once", "A renewal in the second of the start: origin is 1.", |mint, _| later(mint, 0));
    cases.mint("renewal_signed", "A signed renewal.", |mint, _| {
        mint.writer.mode = "signed".into();
        later(mint, 600);
    });
    cases.mint("renewal_clock_behind", "The clock is behind the token's iat, which is kept.", |mint, _| {
        later(mint, 0);
        mint.now = NOW - 60;
    });
    cases.mint("carrier_change", "As Example 5.", |mint, _| {
        later(mint, 0);
        mint.writer.carrier = "cookie:__Host-Http-id".into();
        mint.draw = 9;
    });
    cases.mint("renewal_new_state", "The state has changed.", |mint, _| {
        later(mint, 600);
        mint.body = "d285d8cc04b1a8038204".into();
    });
    cases.mint("renewal_padded", "A padded renewal.", |mint, _| {
        later(mint, 600);
        mint.padding = Some(32);
    });
}

fn which_key(cases: &mut Cases) {
    cases.mint("key_before_activation", "One second before the newer key takes over.", |mint, _| {
        mint.now = 1_785_996_399;
    });
    cases.mint("key_at_activation", "The second in which the newer key takes over.", |mint, _| {
        mint.now = 1_785_996_400;
    });
    cases.mint("key_of_greater_id", "Two keys with one date: the greater id seals.", |_, ring| {
        ring.keys = vec![entry(Key::test(7), "1780000000"), entry(Key::test(8), "1780000000")];
    });
    cases.mint("key_order_in_file", "The order of the entries means nothing.", |_, ring| ring.keys.reverse());
}
