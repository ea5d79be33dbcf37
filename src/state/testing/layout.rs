//! The layout of a state as one line of text, and what to do when it is no longer the frozen one.

use core::fmt;
use std::any::type_name;

use super::recorder::{Unsuited, record};
use super::shape::Shape;
use crate::state::{BodyError, SessionState, decode_exact, encode};

/// Asserts that the layout of `T` is still the line `frozen`, which begins with its `SCHEMA`.
///
/// `samples` together show every variant of every enum, and something in every option, list and map. With `""` as
/// `frozen`, the failure shows the line to freeze. See the [module docs](super) for an example.
///
/// # Panics
/// - the layout is not the frozen one; the message says whether `SCHEMA` must be raised
/// - the samples do not show all of it
/// - postcard cannot write and read the samples
#[track_caller]
pub fn assert_layout<T: SessionState>(samples: &[T], frozen: &str) {
    if let Err(message) = check(samples, frozen) {
        panic!("{message}");
    }
}

/// The line that [`assert_layout`] compares.
///
/// # Errors
/// - the samples do not show all of the layout
/// - postcard cannot write and read them
pub fn layout<T: SessionState>(samples: &[T]) -> Result<String, LayoutError> {
    let mut shape = Shape::Unseen;
    for (sample, state) in samples.iter().enumerate() {
        record(state, &mut shape)?;
        there_and_back(state).map_err(|error| LayoutError::Unread { sample, error })?;
    }
    match shape.unseen() {
        paths if paths.is_empty() => Ok(format!("{}: {shape}", T::SCHEMA)),
        paths => Err(LayoutError::Unseen { paths }),
    }
}

/// What `Serialize` writes, `Deserialize` must read: with `#[serde(untagged)]` and some others it cannot.
fn there_and_back<T: SessionState>(state: &T) -> Result<(), BodyError> {
    let mut body = Vec::new();
    encode(state, &mut body)?;
    decode_exact::<T>(&body).map(drop)
}

fn check<T: SessionState>(samples: &[T], frozen: &str) -> Result<(), String> {
    let name = type_name::<T>();
    match layout(samples) {
        Ok(line) if line == frozen => Ok(()),
        Ok(line) => Err(advice(name, T::SCHEMA, &line, frozen)),
        Err(error) => Err(format!("the layout of `{name}` cannot be told: {error}")),
    }
}

/// What happened to the type `name`, and what to do next.
fn advice(name: &str, schema: u16, line: &str, frozen: &str) -> String {
    let both = format!("  frozen: {frozen}\n     now: {line}\n");
    match schema_of(frozen) {
        None if frozen.is_empty() => format!("no layout of `{name}` is frozen yet; freeze this line:\n{line}"),
        None => format!("the frozen line of `{name}` does not begin with its schema:\n{both}Freeze this line:\n{line}"),
        Some(before) if before < schema => format!(
            "SCHEMA of `{name}` was raised from {before} to {schema}:\n{both}\
             Keep the old type, with its own frozen line, as a step of the chain; then freeze this line:\n{line}"
        ),
        Some(before) if before > schema => format!(
            "SCHEMA of `{name}` fell from {before} to {schema}:\n{both}\
             A number is never used again. Put it back, or raise it above {before} if the layout is to change.\n\
             Only if no server ever wrote schema {before}, freeze this line:\n{line}"
        ),
        Some(_) => unraised(name, schema, line, &both),
    }
}

fn unraised(name: &str, schema: u16, line: &str, both: &str) -> String {
    let raised = u32::from(schema) + 1;
    let layout = line.split_once(": ").map_or(line, |(_, layout)| layout);
    format!(
        "the layout of `{name}` changed, but its SCHEMA is still {schema}:\n{both}\
         Tokens of the old layout are still out there and would be misread. Raise SCHEMA to {raised}, keep the old \
         type as a step of the chain (see `SessionState::upgrade`), then freeze the new line:\n{raised}: {layout}\n\
         The number may stay only if the type's bytes did not change: a field or variant got another name in the \
         same place, or a sample now shows a variant that was there before. Then freeze the line after `now:`."
    )
}

fn schema_of(line: &str) -> Option<u16> {
    line.split_once(':')?.0.parse().ok()
}

/// Why the layout of a state cannot be told from its samples.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LayoutError {
    /// postcard cannot read back what it wrote of a sample.
    Unread {
        /// Which sample, counted from 0.
        sample: usize,
        /// What postcard says.
        error: BodyError,
    },
    /// The samples leave open what is in some places.
    Unseen {
        /// These places, such as `cart[].coupon`; empty for the state itself.
        paths: Vec<String>,
    },
    /// The type has no single layout.
    Unsuited {
        /// Where, such as `cart[].coupon`; empty for the state itself.
        path: String,
        /// What is wrong there.
        why: String,
    },
}

impl From<Unsuited> for LayoutError {
    fn from(Unsuited { path, why }: Unsuited) -> Self {
        Self::Unsuited { path, why }
    }
}

impl fmt::Display for LayoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unread { sample, error } => write!(f, "samples[{sample}] is not read back: {error}; {HINT}"),
            Self::Unseen { paths } => {
                let places: Vec<_> = paths.iter().map(|path| place(path)).collect();
                let places = places.join(" and ");
                write!(f, "the samples never show what is in {places}: give one in which it is not empty")
            }
            Self::Unsuited { path, why } => write!(f, "{} does not suit postcard: {why}; {HINT}", place(path)),
        }
    }
}

fn place(path: &str) -> String {
    if path.is_empty() { "the state itself".to_owned() } else { format!("`{path}`") }
}

impl std::error::Error for LayoutError {}

const HINT: &str = "with serde's `flatten`, `skip_serializing_if`, `tag` and `untagged` it cannot work";

#[cfg(test)]
mod tests {
    use super::*;
    use serde::{Deserialize, Serialize};

    #[derive(Default, Serialize, Deserialize)]
    struct Shop {
        user: String,
        cart: Vec<Item>,
        coupon: Option<String>,
        role: Role,
    }

    #[derive(Serialize, Deserialize)]
    struct Item {
        sku: u32,
        tags: Vec<String>,
    }

    #[derive(Default, Serialize, Deserialize)]
    enum Role {
        #[default]
        Guest,
        Admin {
            level: u8,
        },
    }

    impl SessionState for Shop {
        const SCHEMA: u16 = 2;
    }

    const LINE: &str =
        "2: {user: str, cart: [{sku: u32, tags: [str]}], coupon: str?, role: 0=Guest|1=Admin{level: u8}}";

    fn samples() -> [Shop; 3] {
        let item = Item { sku: 1, tags: vec!["new".into()] };
        [
            Shop { role: Role::Admin { level: 1 }, ..Shop::default() },
            Shop { coupon: Some("x".into()), ..Shop::default() },
            Shop { cart: vec![item], ..Shop::default() },
        ]
    }

    #[test]
    fn the_samples_together_make_the_line() {
        assert_eq!(layout(&samples()).unwrap(), LINE);
        assert_layout(&samples(), LINE);
    }

    #[test]
    fn what_the_samples_do_not_show_is_named() {
        let message = |samples: &[Shop]| layout(samples).unwrap_err().to_string();
        assert_eq!(
            message(&samples()[..1]),
            "the samples never show what is in `cart` and `coupon`: give one in which it is not empty"
        );
        let cart = vec![Item { sku: 1, tags: vec![] }];
        assert_eq!(
            message(&[Shop { cart, coupon: Some("x".into()), ..Shop::default() }]),
            "the samples never show what is in `cart[].tags`: give one in which it is not empty"
        );
        assert_eq!(
            message(&[]),
            "the samples never show what is in the state itself: give one in which it is not empty"
        );
    }

    #[test]
    fn the_first_line_is_offered() {
        let expected = "no layout of `Shop` is frozen yet; freeze this line:\n2: {a: u8}";
        assert_eq!(advice("Shop", 2, "2: {a: u8}", ""), expected);
    }

    #[test]
    fn an_unversioned_change_says_to_raise_the_schema() {
        assert_eq!(
            advice("Shop", 2, "2: {a: u16}", "2: {a: u8}"),
            "the layout of `Shop` changed, but its SCHEMA is still 2:\n  frozen: 2: {a: u8}\n     now: 2: {a: u16}\n\
             Tokens of the old layout are still out there and would be misread. Raise SCHEMA to 3, keep the old type \
             as a step of the chain (see `SessionState::upgrade`), then freeze the new line:\n3: {a: u16}\n\
             The number may stay only if the type's bytes did not change: a field or variant got another name in the \
             same place, or a sample now shows a variant that was there before. Then freeze the line after `now:`."
        );
        assert!(advice("Shop", u16::MAX, "65535: u8", "65535: u16").contains("\n65536: u8\n"), "no overflow");
    }

    #[test]
    fn a_raised_schema_says_to_freeze() {
        assert_eq!(
            advice("Shop", 3, "3: {a: u16}", "2: {a: u8}"),
            "SCHEMA of `Shop` was raised from 2 to 3:\n  frozen: 2: {a: u8}\n     now: 3: {a: u16}\n\
             Keep the old type, with its own frozen line, as a step of the chain; then freeze this line:\n3: {a: u16}"
        );
    }

    #[test]
    fn a_schema_must_not_fall() {
        assert_eq!(
            advice("Shop", 2, "2: {a: u8}", "3: {a: u16}"),
            "SCHEMA of `Shop` fell from 3 to 2:\n  frozen: 3: {a: u16}\n     now: 2: {a: u8}\n\
             A number is never used again. Put it back, or raise it above 3 if the layout is to change.\n\
             Only if no server ever wrote schema 3, freeze this line:\n2: {a: u8}"
        );
    }

    #[test]
    fn a_line_without_its_schema_is_no_line() {
        for bad in ["{a: u8}", "two: {a: u8}", "65536: {a: u8}", " "] {
            assert_eq!(
                advice("Shop", 2, "2: {a: u8}", bad),
                format!(
                    "the frozen line of `Shop` does not begin with its schema:\n  frozen: {bad}\n     \
                     now: 2: {{a: u8}}\nFreeze this line:\n2: {{a: u8}}"
                )
            );
        }
    }

    #[test]
    fn a_type_without_one_layout_is_refused() {
        #[derive(Serialize, Deserialize)]
        struct Loose(Any);
        #[derive(Serialize, Deserialize)]
        #[serde(untagged)]
        enum Any {
            Number(u8),
        }
        impl SessionState for Loose {}
        assert_eq!(
            layout(&[Loose(Any::Number(1))]).unwrap_err().to_string(),
            format!("samples[0] is not read back: the bytes are not of this type; {HINT}")
        );

        #[derive(Serialize, Deserialize)]
        struct Skips {
            #[serde(skip_serializing_if = "Option::is_none")]
            coupon: Option<u8>,
        }
        impl SessionState for Skips {}
        assert_eq!(
            check(&[Skips { coupon: None }], "").unwrap_err().replace(module_path!(), ""),
            format!(
                "the layout of `::a_type_without_one_layout_is_refused::Skips` cannot be told: \
                 `coupon` does not suit postcard: it is left out of some values; {HINT}"
            )
        );
    }

    #[test]
    #[should_panic(expected = "Raise SCHEMA to 3")]
    fn the_assertion_panics() {
        assert_layout(&samples(), &LINE.replace("sku: u32", "sku: u16"));
    }
}
