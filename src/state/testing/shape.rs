//! The layout of values as a tree, and that tree as one line of text.

use std::fmt;

/// What is known of the layout of one place in a value.
#[derive(Debug, Default, PartialEq)]
pub(super) enum Shape {
    /// Nothing yet.
    #[default]
    Unseen,
    /// One of serde's primitive types.
    Plain(&'static str),
    /// Something that holds other things.
    Group(Kind, Vec<Part>),
}

/// What holds the parts of a group.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    /// One part per variant that was seen.
    Enum,
    /// A key and a value, or no part if it was always empty.
    Map,
    /// One part, or none if it was always empty.
    Option,
    /// One part, or none if it was always empty.
    Seq,
    /// One part per field.
    Struct,
    /// One part per element.
    Tuple,
}

/// One part of a group, in the order of `index`.
#[derive(Debug, PartialEq)]
pub(super) struct Part {
    pub(super) index: u32,
    pub(super) label: &'static str,
    pub(super) shape: Shape,
}

impl Shape {
    /// The places whose contents no value has shown.
    pub(super) fn unseen(&self) -> Vec<String> {
        let mut paths = Vec::new();
        self.find_unseen("", &mut paths);
        paths
    }

    fn find_unseen(&self, path: &str, paths: &mut Vec<String>) {
        match self {
            Self::Unseen => paths.push(path.to_owned()),
            Self::Plain(_) => {}
            Self::Group(Kind::Map | Kind::Option | Kind::Seq, parts) if parts.is_empty() => paths.push(path.to_owned()),
            Self::Group(kind, parts) => {
                for part in parts {
                    part.shape.find_unseen(&kind.path(path, part.index, part.label), paths);
                }
            }
        }
    }

    /// In a few words, what this is, without its parts.
    pub(super) fn summary(&self) -> &'static str {
        match self {
            Self::Unseen => "unknown",
            Self::Plain(name) => name,
            Self::Group(kind, _) => kind.summary(),
        }
    }

    fn is(&self, wanted: Kind) -> bool {
        matches!(self, Self::Group(kind, _) if *kind == wanted)
    }
}

impl Kind {
    /// In a few words, what this is.
    pub(super) fn summary(self) -> &'static str {
        match self {
            Self::Enum => "an enum",
            Self::Map => "a map",
            Self::Option => "an option",
            Self::Seq => "a list",
            Self::Struct => "a struct",
            Self::Tuple => "a tuple",
        }
    }

    /// The path of a part, below the path of its group.
    pub(super) fn path(self, path: &str, index: u32, label: &str) -> String {
        match self {
            Self::Enum | Self::Struct if path.is_empty() => label.to_owned(),
            Self::Enum | Self::Struct => format!("{path}.{label}"),
            Self::Map => format!("{path}[{label}]"),
            Self::Option => path.to_owned(),
            Self::Seq => format!("{path}[]"),
            Self::Tuple if path.is_empty() => index.to_string(),
            Self::Tuple => format!("{path}.{index}"),
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Group(kind, parts) = self else { return f.write_str(self.summary()) };
        match (kind, &parts[..]) {
            (Kind::Enum, parts) => f.write_str(&join("|", parts, variant)),
            (Kind::Map, parts) => write!(f, "{{{}}}", join(" => ", parts, shape)),
            // Without the brackets the option would seem to be in the last variant.
            (Kind::Option, [part]) if part.shape.is(Kind::Enum) => write!(f, "({})?", part.shape),
            (Kind::Option, parts) => write!(f, "{}?", join("", parts, shape)),
            (Kind::Seq, parts) => write!(f, "[{}]", join("", parts, shape)),
            (Kind::Struct, parts) => write!(f, "{{{}}}", join(", ", parts, field)),
            (Kind::Tuple, parts) => match repeated(parts) {
                Some(shape) => write!(f, "[{shape}; {}]", parts.len()),
                None => write!(f, "({})", join(", ", parts, shape)),
            },
        }
    }
}

fn join(separator: &str, parts: &[Part], write: fn(&Part) -> String) -> String {
    parts.iter().map(write).collect::<Vec<_>>().join(separator)
}

fn shape(part: &Part) -> String {
    part.shape.to_string()
}

fn field(part: &Part) -> String {
    format!("{}: {}", name(part.label), part.shape)
}

/// A variant; its contents read the same however its bytes were declared, as a type of its own or in place.
fn variant(part: &Part) -> String {
    let Part { index, label, shape } = part;
    let name = name(label);
    match shape {
        Shape::Plain(UNIT) => format!("{index}={name}"),
        Shape::Group(Kind::Struct, _) => format!("{index}={name}{shape}"),
        Shape::Group(Kind::Tuple, parts) if repeated(parts).is_none() => format!("{index}={name}{shape}"),
        _ => format!("{index}={name}({shape})"),
    }
}

/// The shape of every element, if there are several and all are alike.
fn repeated(parts: &[Part]) -> Option<&Shape> {
    let (first, rest) = parts.split_first()?;
    (!rest.is_empty() && rest.iter().all(|part| part.shape == first.shape)).then_some(&first.shape)
}

/// A name, in quotes if `#[serde(rename)]` has put something into it that could be taken for the line's own signs.
fn name(label: &str) -> String {
    let ordinary = !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || "_-".contains(c));
    if ordinary { label.to_owned() } else { format!("{label:?}") }
}

/// What has no bytes.
pub(super) const UNIT: &str = "()";

#[cfg(test)]
mod tests {
    use super::*;

    fn group<const N: usize>(kind: Kind, parts: [(&'static str, Shape); N]) -> Shape {
        let part = |(index, (label, shape))| Part { index, label, shape };
        Shape::Group(kind, (0..).zip(parts).map(part).collect())
    }

    fn option(shape: Shape) -> Shape {
        group(Kind::Option, [("", shape)])
    }

    fn roles() -> Shape {
        group(Kind::Enum, [("Guest", Shape::Plain(UNIT)), ("Admin", Shape::Plain("u8"))])
    }

    const U8: Shape = Shape::Plain("u8");
    const STR: Shape = Shape::Plain("str");

    #[test]
    fn every_kind_has_its_signs() {
        assert_eq!(option(option(U8)).to_string(), "u8??");
        assert_eq!(option(roles()).to_string(), "(0=Guest|1=Admin(u8))?");
        assert_eq!(group(Kind::Seq, [("", U8)]).to_string(), "[u8]");
        assert_eq!(group(Kind::Map, [("key", STR), ("value", U8)]).to_string(), "{str => u8}");
        assert_eq!(group(Kind::Struct, [("a", STR), ("b-c", U8)]).to_string(), "{a: str, b-c: u8}");
        assert_eq!(group(Kind::Struct, []).to_string(), "{}");
        assert_eq!(group(Kind::Tuple, [("", STR), ("", U8)]).to_string(), "(str, u8)");
        assert_eq!(group(Kind::Tuple, [("", U8), ("", U8)]).to_string(), "[u8; 2]");
        assert_eq!(group(Kind::Tuple, [("", U8)]).to_string(), "(u8)");
        assert_eq!(group(Kind::Tuple, []).to_string(), "()");
    }

    #[test]
    fn a_variant_shows_its_contents_in_one_way() {
        let only = |shape| group(Kind::Enum, [("V", shape)]).to_string();
        assert_eq!(only(group(Kind::Struct, [("a", U8)])), "0=V{a: u8}");
        assert_eq!(only(group(Kind::Tuple, [("", STR), ("", U8)])), "0=V(str, u8)");
        assert_eq!(only(group(Kind::Tuple, [("", U8), ("", U8)])), "0=V([u8; 2])");
        assert_eq!(only(option(roles())), "0=V((0=Guest|1=Admin(u8))?)");
    }

    #[test]
    fn a_name_cannot_pass_for_a_layout() {
        assert_eq!(group(Kind::Struct, [("a: u8, b", U8)]).to_string(), r#"{"a: u8, b": u8}"#);
        assert_eq!(group(Kind::Struct, [("", U8), ("ключ", U8)]).to_string(), r#"{"": u8, ключ: u8}"#);
        assert_eq!(group(Kind::Enum, [("A|1=B", Shape::Plain(UNIT))]).to_string(), r#"0="A|1=B""#);
    }

    #[test]
    fn the_unseen_is_found_by_its_path() {
        let empty = |kind| Shape::Group(kind, vec![]);
        let shape = group(
            Kind::Struct,
            [
                ("coupon", empty(Kind::Option)),
                ("cart", group(Kind::Seq, [("", group(Kind::Struct, [("tags", empty(Kind::Seq))]))])),
                ("prices", group(Kind::Map, [("key", STR), ("value", empty(Kind::Option))])),
                ("role", group(Kind::Enum, [("Admin", group(Kind::Tuple, [("", U8), ("", empty(Kind::Map))]))])),
                ("seen", option(group(Kind::Struct, []))),
            ],
        );
        assert_eq!(shape.unseen(), ["coupon", "cart[].tags", "prices[value]", "role.Admin.1"]);
        assert_eq!(group(Kind::Tuple, [("", empty(Kind::Option))]).unseen(), ["0"]);
        assert_eq!(Shape::Unseen.unseen(), [""]);
    }
}
