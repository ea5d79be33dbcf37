//! A serializer that writes down the shape of a value instead of the value.
//!
//! Values are recorded one after the other into the same [`Shape`], which grows where they show something new. It
//! follows postcard: where postcard writes nothing, as for the name of a struct, nothing is written down.

use std::fmt;

use serde::{Serialize, Serializer, ser};

use super::shape::{Kind, Part, Shape, UNIT};

/// Adds what `value` shows to `shape`.
///
/// # Errors
/// - `value` contradicts `shape`
/// - `value` uses what postcard does not support
/// - its `Serialize` refuses
pub(super) fn record<T: Serialize>(value: &T, shape: &mut Shape) -> Result<(), Unsuited> {
    value.serialize(Recorder { shape, path: String::new() })
}

/// One place in the value, and the shape it has so far.
struct Recorder<'a> {
    shape: &'a mut Shape,
    path: String,
}

impl<'a> Recorder<'a> {
    fn plain(self, name: &'static str) -> Result<(), Unsuited> {
        match self.shape {
            Shape::Unseen => *self.shape = Shape::Plain(name),
            Shape::Plain(seen) if *seen == name => {}
            seen => return Err(Unsuited::contradiction(self.path, seen.summary(), name)),
        }
        Ok(())
    }

    fn group(self, kind: Kind) -> Result<Group<'a>, Unsuited> {
        let Self { shape, path } = self;
        let fresh = *shape == Shape::Unseen;
        if fresh {
            *shape = Shape::Group(kind, Vec::new());
        }
        let before = shape.summary();
        match shape {
            Shape::Group(seen, parts) if *seen == kind => {
                let fixed = matches!(kind, Kind::Struct | Kind::Tuple) && !fresh;
                Ok(Group { kind, parts, fixed, next: 0, path })
            }
            _ => Err(Unsuited::contradiction(path, before, kind.summary())),
        }
    }

    /// A list or map, whose length postcard must know before it begins.
    fn counted(self, kind: Kind, len: Option<usize>) -> Result<Group<'a>, Unsuited> {
        match len {
            Some(_) => self.group(kind),
            None => Err(Unsuited::new(self.path, "its length is not known beforehand")),
        }
    }

    /// The contents of an enum's variant.
    fn variant(self, index: u32, name: &'static str) -> Result<Self, Unsuited> {
        self.group(Kind::Enum)?.into_part(index, name)
    }
}

/// The parts of one place in the value.
struct Group<'a> {
    kind: Kind,
    parts: &'a mut Vec<Part>,
    /// An earlier value has shown all the parts there are.
    fixed: bool,
    next: u32,
    path: String,
}

impl<'a> Group<'a> {
    /// Goes into a part, which is new or was seen with the same label.
    fn into_part(self, index: u32, label: &'static str) -> Result<Recorder<'a>, Unsuited> {
        let at = match self.parts.binary_search_by_key(&index, |part| part.index) {
            Ok(at) if self.parts[at].label == label => at,
            Err(at) if !self.fixed => {
                self.parts.insert(at, Part { index, label, shape: Shape::Unseen });
                at
            }
            _ => return Err(Unsuited::new(self.path, UNLIKE)),
        };
        let path = self.kind.path(&self.path, index, label);
        Ok(Recorder { shape: &mut self.parts[at].shape, path })
    }

    fn part<T: Serialize + ?Sized>(&mut self, index: u32, label: &'static str, value: &T) -> Result<(), Unsuited> {
        let again = Group { parts: &mut *self.parts, path: self.path.clone(), ..*self };
        value.serialize(again.into_part(index, label)?)
    }

    /// The next field or element.
    fn next<T: Serialize + ?Sized>(&mut self, label: &'static str, value: &T) -> Result<(), Unsuited> {
        self.next += 1;
        self.part(self.next - 1, label, value)
    }

    /// After the last field or element.
    fn finish(self) -> Result<(), Unsuited> {
        let complete = self.next as usize == self.parts.len();
        if complete { Ok(()) } else { Err(Unsuited::new(self.path, UNLIKE)) }
    }
}

macro_rules! plain {
    ($($method:ident($type:ty) = $name:literal;)*) => {
        $(fn $method(self, _: $type) -> Result<(), Unsuited> {
            self.plain($name)
        })*
    };
}

impl<'a> Serializer for Recorder<'a> {
    type Ok = ();
    type Error = Unsuited;
    type SerializeSeq = Group<'a>;
    type SerializeTuple = Group<'a>;
    type SerializeTupleStruct = Group<'a>;
    type SerializeTupleVariant = Group<'a>;
    type SerializeMap = Group<'a>;
    type SerializeStruct = Group<'a>;
    type SerializeStructVariant = Group<'a>;

    /// As postcard says; an IP address, for one, is text to a serializer that says otherwise.
    fn is_human_readable(&self) -> bool {
        false
    }

    plain! {
        serialize_bool(bool) = "bool";
        serialize_i8(i8) = "i8";
        serialize_i16(i16) = "i16";
        serialize_i32(i32) = "i32";
        serialize_i64(i64) = "i64";
        serialize_i128(i128) = "i128";
        serialize_u8(u8) = "u8";
        serialize_u16(u16) = "u16";
        serialize_u32(u32) = "u32";
        serialize_u64(u64) = "u64";
        serialize_u128(u128) = "u128";
        serialize_f32(f32) = "f32";
        serialize_f64(f64) = "f64";
        serialize_char(char) = "char";
        serialize_str(&str) = "str";
        serialize_bytes(&[u8]) = "bytes";
    }

    fn serialize_unit(self) -> Result<(), Unsuited> {
        self.plain(UNIT)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Unsuited> {
        self.plain(UNIT)
    }

    fn serialize_unit_variant(self, _: &'static str, index: u32, name: &'static str) -> Result<(), Unsuited> {
        self.variant(index, name)?.plain(UNIT)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Unsuited> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        index: u32,
        name: &'static str,
        value: &T,
    ) -> Result<(), Unsuited> {
        value.serialize(self.variant(index, name)?)
    }

    fn serialize_none(self) -> Result<(), Unsuited> {
        self.group(Kind::Option).map(drop)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Unsuited> {
        self.group(Kind::Option)?.part(0, "", value)
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Group<'a>, Unsuited> {
        self.counted(Kind::Seq, len)
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Group<'a>, Unsuited> {
        self.counted(Kind::Map, len)
    }

    fn serialize_tuple(self, _: usize) -> Result<Group<'a>, Unsuited> {
        self.group(Kind::Tuple)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Group<'a>, Unsuited> {
        self.group(Kind::Tuple)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        index: u32,
        name: &'static str,
        _: usize,
    ) -> Result<Group<'a>, Unsuited> {
        self.variant(index, name)?.group(Kind::Tuple)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Group<'a>, Unsuited> {
        self.group(Kind::Struct)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        index: u32,
        name: &'static str,
        _: usize,
    ) -> Result<Group<'a>, Unsuited> {
        self.variant(index, name)?.group(Kind::Struct)
    }
}

impl ser::SerializeSeq for Group<'_> {
    type Ok = ();
    type Error = Unsuited;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unsuited> {
        self.part(0, "", value)
    }

    fn end(self) -> Result<(), Unsuited> {
        Ok(())
    }
}

impl ser::SerializeMap for Group<'_> {
    type Ok = ();
    type Error = Unsuited;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Unsuited> {
        self.part(0, "key", key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unsuited> {
        self.part(1, "value", value)
    }

    fn end(self) -> Result<(), Unsuited> {
        Ok(())
    }
}

/// Three traits that differ in the name of their method.
macro_rules! elements {
    ($($trait:ident::$method:ident;)*) => {
        $(impl ser::$trait for Group<'_> {
            type Ok = ();
            type Error = Unsuited;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unsuited> {
                self.next("", value)
            }

            fn end(self) -> Result<(), Unsuited> {
                self.finish()
            }
        })*
    };
}

/// Two traits that differ in nothing.
macro_rules! fields {
    ($($trait:ident;)*) => {
        $(impl ser::$trait for Group<'_> {
            type Ok = ();
            type Error = Unsuited;

            fn serialize_field<T>(&mut self, name: &'static str, value: &T) -> Result<(), Unsuited>
            where
                T: Serialize + ?Sized,
            {
                self.next(name, value)
            }

            /// Called in the place of a field that `skip_serializing_if` leaves out.
            fn skip_field(&mut self, name: &'static str) -> Result<(), Unsuited> {
                Err(Unsuited::new(self.kind.path(&self.path, self.next, name), "it is left out of some values"))
            }

            fn end(self) -> Result<(), Unsuited> {
                self.finish()
            }
        })*
    };
}

elements! {
    SerializeTuple::serialize_element;
    SerializeTupleStruct::serialize_field;
    SerializeTupleVariant::serialize_field;
}

fields! { SerializeStruct; SerializeStructVariant; }

/// Why a value has no layout that postcard could keep to.
#[derive(Debug, PartialEq)]
pub(super) struct Unsuited {
    pub(super) path: String,
    pub(super) why: String,
}

impl Unsuited {
    fn new(path: String, why: &str) -> Self {
        Self { path, why: why.to_owned() }
    }

    fn contradiction(path: String, seen: &str, now: &str) -> Self {
        Self { path, why: format!("it is {seen} in one value and {now} in another") }
    }
}

impl ser::Error for Unsuited {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { path: String::new(), why: message.to_string() }
    }
}

impl fmt::Display for Unsuited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl std::error::Error for Unsuited {}

const UNLIKE: &str = "its parts are not the same in every value";

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::net::IpAddr;

    fn line<T: Serialize>(values: &[T]) -> Result<String, Unsuited> {
        let mut shape = Shape::Unseen;
        values.iter().try_for_each(|value| record(value, &mut shape))?;
        Ok(shape.to_string())
    }

    fn unsuited<T: Serialize>(values: &[T]) -> (String, String) {
        let Unsuited { path, why } = line(values).unwrap_err();
        (path, why)
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

    #[test]
    fn every_primitive_has_its_name() {
        let value = ((1_u8, 1_u16, 1_u32, 1_u64, 1_u128, 1_usize), (1_i8, 1_i16, 1_i32, 1_i64, 1_i128));
        assert_eq!(line(&[value]).unwrap(), "((u8, u16, u32, u64, u128, u64), (i8, i16, i32, i64, i128))");
        assert_eq!(line(&[(true, 'c', 1.0_f32, 1.0_f64, "s", ())]).unwrap(), "(bool, char, f32, f64, str, ())");
    }

    #[test]
    fn values_add_up() {
        let roles = [Role::Id(Id(1)), Role::Guest, Role::Both(1, String::new()), Role::Admin { level: 1 }];
        assert_eq!(line(&roles).unwrap(), "0=Guest|1=Admin{level: u8}|2=Both(u8, str)|3=Id(u64)");
        assert_eq!(line(&[vec![], vec![None], vec![Some(1_u8)]]).unwrap(), "[u8?]");
        assert_eq!(line(&[BTreeMap::from([("a", [1_u16; 3])]), BTreeMap::new()]).unwrap(), "{str => [u16; 3]}");
    }

    #[test]
    fn it_sees_the_form_that_is_not_for_humans() {
        let v4: IpAddr = [127, 0, 0, 1].into();
        assert_eq!(line(&[v4]).unwrap(), "0=V4([u8; 4])");
    }

    #[test]
    fn a_contradiction_is_found() {
        #[derive(Serialize)]
        #[serde(untagged)]
        enum Loose {
            Number(u8),
            Text(String),
            Pair { a: u8, b: u8 },
            Other { b: u8, a: u8 },
            One { a: u8 },
        }
        use Loose::*;
        let text = || Text("x".into());
        let why = |what: &str| (String::new(), what.to_owned());
        assert_eq!(unsuited(&[Number(1), text()]), why("it is u8 in one value and str in another"));
        assert_eq!(unsuited(&[text(), One { a: 1 }]), why("it is str in one value and a struct in another"));
        assert_eq!(unsuited(&[One { a: 1 }, text()]), why("it is a struct in one value and str in another"));
        assert_eq!(unsuited(&[Pair { a: 1, b: 1 }, Other { b: 1, a: 1 }]), why(UNLIKE));
        assert_eq!(unsuited(&[Pair { a: 1, b: 1 }, One { a: 1 }]), why(UNLIKE));
        assert_eq!(unsuited(&[One { a: 1 }, Pair { a: 1, b: 1 }]), why(UNLIKE));
        assert_eq!(unsuited(&[(0, vec![Number(1), text()])]).0, "1[]");
    }

    #[test]
    fn what_postcard_lacks_is_found() {
        #[derive(Serialize)]
        struct Skips {
            #[serde(skip_serializing_if = "Option::is_none")]
            coupon: Option<u8>,
        }
        #[derive(Serialize)]
        struct Flat {
            #[serde(flatten)]
            inner: BTreeMap<String, u8>,
        }
        assert_eq!(unsuited(&[Skips { coupon: None }]), ("coupon".into(), "it is left out of some values".into()));
        assert_eq!(line(&[Skips { coupon: Some(1) }]).unwrap(), "{coupon: u8?}");
        let (path, why) = unsuited(&[(0, Flat { inner: BTreeMap::new() })]);
        assert_eq!((&path[..], &why[..]), ("1", "its length is not known beforehand"));
    }
}
