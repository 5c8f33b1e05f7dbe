//! Terraform's values, independent of how they travel.

mod number;
mod types;

use std::cmp::Ordering;
use std::collections::BTreeMap;

pub use number::{Number, NumberError};
pub use types::{Type, TypeError};

/// A value of Terraform's type system.
///
/// Equality follows Terraform: sets are equal whatever their order, numbers when they are the same number.
#[derive(Clone, Debug, Default)]
pub enum Value {
    /// Nothing was given.
    #[default]
    Null,
    /// Not known before apply.
    Unknown,
    /// A boolean.
    Bool(bool),
    /// An exact number.
    Number(Number),
    /// Text.
    String(String),
    /// Elements in order; tuples are carried as lists too.
    List(Vec<Value>),
    /// Elements without order.
    Set(Vec<Value>),
    /// Elements by key.
    Map(BTreeMap<String, Value>),
    /// Attributes by name.
    Object(BTreeMap<String, Value>),
    /// A value that carries its own type, where the schema leaves the type open.
    Dynamic(Box<(Type, Value)>),
}

impl Value {
    /// A set in its canonical order, without repeated known elements.
    pub fn set(elements: impl IntoIterator<Item = Value>) -> Self {
        let mut elements: Vec<Value> = elements.into_iter().collect();
        elements.sort();
        // Two unknown elements may become different ones, so they both stay.
        elements.dedup_by(|one, other| one.is_wholly_known() && one == other);
        Self::Set(elements)
    }

    /// An object from its attributes.
    pub fn object<Name: Into<String>>(attributes: impl IntoIterator<Item = (Name, Value)>) -> Self {
        Self::Object(attributes.into_iter().map(|(name, value)| (name.into(), value)).collect())
    }

    /// Whether nothing was given.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Whether the value itself (not only something in it) is unknown.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }

    /// Whether neither the value nor anything in it is unknown.
    pub fn is_wholly_known(&self) -> bool {
        match self {
            Self::Unknown => false,
            Self::List(elements) | Self::Set(elements) => elements.iter().all(Self::is_wholly_known),
            Self::Map(members) | Self::Object(members) => members.values().all(Self::is_wholly_known),
            Self::Dynamic(inner) => inner.1.is_wholly_known(),
            _ => true,
        }
    }

    /// The text, if this is known text.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The truth value, if this is a known boolean.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(flag) => Some(*flag),
            _ => None,
        }
    }

    /// The number, if this is a known number.
    pub fn as_number(&self) -> Option<&Number> {
        match self {
            Self::Number(number) => Some(number),
            _ => None,
        }
    }

    /// The elements of a known list or set.
    pub fn elements(&self) -> Option<&[Value]> {
        match self {
            Self::List(elements) | Self::Set(elements) => Some(elements),
            _ => None,
        }
    }

    /// The members of a known map or object.
    pub fn members(&self) -> Option<&BTreeMap<String, Value>> {
        match self {
            Self::Map(members) | Self::Object(members) => Some(members),
            _ => None,
        }
    }

    /// A member of a known map or object; null when there is none.
    pub fn member(&self, name: &str) -> &Value {
        const NOTHING: &Value = &Value::Null;
        self.members().and_then(|members| members.get(name)).unwrap_or(NOTHING)
    }

    /// The same value with every unknown replaced by null.
    pub fn with_unknowns_as_null(self) -> Self {
        match self {
            Self::Unknown => Self::Null,
            Self::List(elements) => {
                Self::List(elements.into_iter().map(Self::with_unknowns_as_null).collect())
            }
            Self::Set(elements) => Self::set(
                elements.into_iter().filter(|element| !element.is_unknown()).map(Self::with_unknowns_as_null),
            ),
            Self::Map(members) => Self::Map(
                members.into_iter().map(|(key, value)| (key, value.with_unknowns_as_null())).collect(),
            ),
            Self::Object(members) => Self::Object(
                members.into_iter().map(|(key, value)| (key, value.with_unknowns_as_null())).collect(),
            ),
            Self::Dynamic(inner) => Self::Dynamic(Box::new((inner.0, inner.1.with_unknowns_as_null()))),
            known => known,
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Null => 0,
            Self::Unknown => 1,
            Self::Bool(_) => 2,
            Self::Number(_) => 3,
            Self::String(_) => 4,
            Self::List(_) => 5,
            Self::Set(_) => 6,
            Self::Map(_) => 7,
            Self::Object(_) => 8,
            Self::Dynamic(_) => 9,
        }
    }
}

impl Ord for Value {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Bool(one), Self::Bool(two)) => one.cmp(two),
            (Self::Number(one), Self::Number(two)) => one.cmp(two),
            (Self::String(one), Self::String(two)) => one.cmp(two),
            (Self::List(one), Self::List(two)) => one.cmp(two),
            (Self::Set(one), Self::Set(two)) => {
                let sorted = |elements: &[Value]| {
                    let mut references: Vec<Value> = elements.to_vec();
                    references.sort();
                    references
                };
                if one.is_sorted() && two.is_sorted() { one.cmp(two) } else { sorted(one).cmp(&sorted(two)) }
            }
            (Self::Map(one), Self::Map(two)) | (Self::Object(one), Self::Object(two)) => one.cmp(two),
            (Self::Dynamic(one), Self::Dynamic(two)) => one.cmp(two),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Value {}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Bool(flag)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl From<Number> for Value {
    fn from(number: Number) -> Self {
        Self::Number(number)
    }
}

macro_rules! from_number {
    ($($kind:ty),*) => {$(
        impl From<$kind> for Value {
            fn from(number: $kind) -> Self {
                Self::Number(Number::from(number))
            }
        }
    )*};
}
from_number!(i32, i64, u16, u32, u64, f64);

#[cfg(test)]
mod tests;
