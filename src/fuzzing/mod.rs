//! What holds for any input at all: the properties behind the fuzz targets, one function for each.
//!
//! A property takes bytes and panics when the library breaks a promise. The targets in `fuzz/` only
//! hand their input on; the tests below run the same properties over the seeds, over seeds that were
//! damaged, and over plain noise. Not part of the public face: compiled for tests and fuzzing alone.
//!
//! | property | takes |
//! |---|---|
//! | [`open_text`] | any text, as a sealed token |
//! | [`verify_text`] | any text, as a signed token |
//! | [`claims`] | any plaintext, under a good tag |
//! | [`ring_file`] | any ring file, under its own digest and under a good one |
//! | [`roles`] | any dates and statuses of keys |
//! | [`labels`] | any name |
//! | [`cookie_fields`] | any `Cookie` fields |
//! | [`authorization_fields`] | any `Authorization` fields |
//! | [`carrying`] | any head of a request, under any policy, to any handler |

mod carriers;
#[cfg(test)]
mod field_seeds;
mod fields;
mod fixture;
mod names;
mod rings;
#[cfg(test)]
mod seed;
#[cfg(test)]
mod seeds;
mod tokens;

pub use carriers::carrying;
pub use fields::{authorization_fields, cookie_fields};
pub use names::labels;
pub use rings::{ring_file, roles};
pub use tokens::{claims, open_text, verify_text};

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proptest::sample::Index;

    /// A way to damage a seed: where, how, and with what.
    type Damage = (Index, u8, u8);

    fn damaged(mut bytes: Vec<u8>, damages: &[Damage]) -> Vec<u8> {
        for (at, how, byte) in damages {
            let at = at.index(bytes.len() + 1);
            match (how % 5, bytes.get(at).copied()) {
                (0, Some(_)) => bytes[at] = *byte,
                (1, Some(old)) => bytes[at] = old ^ 1 << (byte % 8),
                (2, Some(_)) => drop(bytes.remove(at)),
                (3, Some(_)) => bytes.truncate(at),
                _ => bytes.insert(at, *byte),
            }
        }
        bytes
    }

    fn damages() -> impl Strategy<Value = Vec<Damage>> {
        prop::collection::vec(any::<Damage>(), 0..4)
    }

    macro_rules! properties {
        ($($name:ident)*) => {
            mod over_seeds {
                use super::*;
                proptest! {
                    $(#[test] fn $name(which: Index, damages in damages()) {
                        let seeds = seeds::of(stringify!($name));
                        super::super::$name(&damaged(which.get(&seeds).bytes.clone(), &damages));
                    })*
                }
            }
            mod over_noise {
                use super::*;
                proptest! {
                    $(#[test] fn $name(noise in prop::collection::vec(any::<u8>(), 0..200)) {
                        super::super::$name(&noise);
                    })*
                }
            }
        };
    }

    properties! {
        authorization_fields carrying claims cookie_fields labels open_text ring_file roles verify_text
    }
}
