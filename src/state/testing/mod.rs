//! Two assertions for your own tests: the state's layout has not changed unnoticed, and its token is small enough.
//!
//! [`assert_layout`] compares the layout of a state, as one line of text, with the line you froze in your test.
//! A field that is added, removed, moved or given another type changes the line, and the failure says what to do.
//! To freeze a state for the first time, give `""`: the failure shows the line.
//!
//! ```
//! use serde::{Deserialize, Serialize};
//! use waxseal::SessionState;
//! use waxseal::state::testing::{assert_budget, assert_layout};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Shop { user: String, cart: Vec<Item>, coupon: Option<String>, role: Role }
//!
//! #[derive(Serialize, Deserialize)]
//! struct Item { sku: u32, count: u16 }
//!
//! #[derive(Serialize, Deserialize)]
//! enum Role { Guest, Admin { level: u8 } }
//!
//! impl SessionState for Shop { const SCHEMA: u16 = 2; }
//!
//! // Together the samples must show every variant, and something in every option, list and map.
//! let guest = Shop { user: String::new(), cart: vec![], coupon: None, role: Role::Guest };
//! let admin = Shop {
//!     user: "alice".into(),
//!     cart: vec![Item { sku: 70_000, count: 1 }],
//!     coupon: Some("SPRING".into()),
//!     role: Role::Admin { level: 3 },
//! };
//!
//! assert_budget(&admin, 120);
//! assert_layout(
//!     &[guest, admin],
//!     "2: {user: str, cart: [{sku: u32, count: u16}], coupon: str?, role: 0=Guest|1=Admin{level: u8}}",
//! );
//! ```
//!
//! # The line
//!
//! It begins with [`SCHEMA`](crate::SessionState::SCHEMA). After that:
//!
//! | written | is |
//! |---|---|
//! | `bool` `u8` … `i128` `f32` `f64` `char` `str` `bytes` | what serde calls it; `usize` is `u64` |
//! | `()` | nothing: no bytes |
//! | `T?` | an option |
//! | `[T]` | a list or set |
//! | `{K => V}` | a map |
//! | `(A, B)` | a tuple |
//! | `[T; 3]` | an array, or a tuple of equal parts |
//! | `{name: T}` | a struct |
//! | `0=Guest\|1=Admin{level: u8}` | an enum: numbers, names and contents of its variants |
//!
//! Two types with equal lines write equal values as equal bytes. Names of types are therefore left out, and a struct
//! around a single unnamed field is that field. Names of fields and variants are not among the bytes either, but they
//! are kept: two fields of one type that change places show in nothing else.
//!
//! # What it cannot see
//!
//! - A variant that no sample shows in that place. A `match` without `_` in your test reminds you to add a sample.
//! - That `#[serde(skip_serializing_if)]` leaves out a field, which no token survives, unless a sample does so.
//! - A type that holds itself, such as a tree: there is no end to its line, so the samples never show all of it.
//! - What the values mean: seconds that become minutes keep their line, and still need a new `SCHEMA`.

mod budget;
mod layout;
mod recorder;
mod shape;

pub use budget::{assert_budget, longest_token};
pub use layout::{LayoutError, assert_layout, layout};

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Serialize;

    use super::recorder::record;
    use super::shape::{Kind, Shape, UNIT};
    use crate::state::encode;

    fn shape_and_bytes<T: Serialize>(value: T) -> (String, Vec<u8>) {
        (shape_of(&[&value]).to_string(), bytes_of(&value))
    }

    fn shape_of<T: Serialize>(values: &[T]) -> Shape {
        let mut shape = Shape::Unseen;
        values.iter().for_each(|value| record(value, &mut shape).unwrap());
        shape
    }

    fn bytes_of<T: Serialize>(value: &T) -> Vec<u8> {
        let mut bytes = Vec::new();
        encode(value, &mut bytes).unwrap();
        bytes
    }

    #[derive(Serialize)]
    enum Role {
        Guest,
        Admin { level: u8 },
        Both(u8, String),
        Id(Id),
    }

    #[derive(Serialize)]
    struct Id(u64);

    /// Takes one value off `bytes` as postcard wrote it, knowing its shape and nothing else.
    fn take(shape: &Shape, bytes: &mut &[u8]) {
        match shape {
            Shape::Unseen => panic!("unseen"),
            Shape::Plain(UNIT) => {}
            Shape::Plain("bool" | "u8" | "i8") => drop(bytes.split_off(..1).unwrap()),
            Shape::Plain("f32") => drop(bytes.split_off(..4).unwrap()),
            Shape::Plain("f64") => drop(bytes.split_off(..8).unwrap()),
            Shape::Plain("str" | "bytes" | "char") => {
                let len = number(bytes);
                bytes.split_off(..len).unwrap();
            }
            Shape::Plain(_) => drop(number(bytes)),
            Shape::Group(Kind::Struct | Kind::Tuple, parts) => parts.iter().for_each(|part| take(&part.shape, bytes)),
            Shape::Group(Kind::Enum, parts) => {
                let index = number(bytes);
                take(&parts.iter().find(|part| part.index as usize == index).unwrap().shape, bytes);
            }
            Shape::Group(Kind::Option | Kind::Seq | Kind::Map, parts) => {
                for _ in 0..number(bytes) {
                    parts.iter().for_each(|part| take(&part.shape, bytes));
                }
            }
        }
    }

    fn number(bytes: &mut &[u8]) -> usize {
        let len = bytes.iter().position(|byte| byte & 0x80 == 0).unwrap() + 1;
        let digits = bytes.split_off(..len).unwrap();
        digits.iter().rev().fold(0, |value, byte| value << 7 | usize::from(byte & 0x7f))
    }

    #[test]
    fn the_shape_alone_finds_its_way_through_the_bytes() {
        let table = || BTreeMap::from([("one".to_owned(), [Some(-1_i32), None]), ("two".to_owned(), [None, Some(9)])]);
        let roles = || vec![Role::Guest, Role::Admin { level: 200 }, Role::Both(1, "b".into()), Role::Id(Id(1 << 40))];
        let numbers = (u16::MAX, 300_u32, u64::MAX, i64::MIN, u128::MAX, -1_i128);
        let values = [
            (table(), roles(), numbers, (1.5_f32, 1.5_f64, true, 'ß', ()), Some(Some("x"))),
            (table(), vec![], numbers, (0.0, 0.0, false, 'a', ()), None),
        ];
        let shape = shape_of(&values);
        for value in &values {
            let bytes = bytes_of(value);
            let mut rest = &bytes[..];
            take(&shape, &mut rest);
            assert!(rest.is_empty());
        }
    }

    #[test]
    fn equal_lines_write_equal_bytes() {
        #[derive(Serialize)]
        struct Details {
            level: u8,
        }
        #[derive(Serialize)]
        enum Wrapped {
            Guest(()),
            Admin(Details),
        }
        #[derive(Serialize)]
        struct Pair(u16, u16);

        assert_eq!(shape_and_bytes(Wrapped::Admin(Details { level: 7 })), shape_and_bytes(Role::Admin { level: 7 }));
        assert_eq!(shape_and_bytes(Wrapped::Guest(())), shape_and_bytes(Role::Guest));
        assert_eq!(shape_and_bytes(Role::Id(Id(300))).1, [3, 0xac, 2]);
        assert_eq!(shape_and_bytes(Pair(300, 2)), shape_and_bytes([300_u16, 2]));
        assert_eq!(shape_and_bytes(Id(300)), shape_and_bytes(300_u64));
    }
}
