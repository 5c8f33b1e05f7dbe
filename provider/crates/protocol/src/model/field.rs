//! A value that may be absent, or not known yet.

use crate::diagnostics::Diagnostics;
use crate::model::Element;
use crate::path::Path;
use crate::value::Value;

/// An attribute's value: absent, not known before apply, or known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Field<T> {
    /// Not set.
    #[default]
    Null,
    /// Known at apply.
    Unknown,
    /// Set.
    Known(T),
}

impl<T> Field<T> {
    /// The value, if it is known and not null.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            _ => None,
        }
    }

    /// The value for changing, if it is known and not null.
    pub fn known_mut(&mut self) -> Option<&mut T> {
        match self {
            Self::Known(value) => Some(value),
            _ => None,
        }
    }

    /// The value itself, if it is known and not null.
    pub fn into_known(self) -> Option<T> {
        match self {
            Self::Known(value) => Some(value),
            _ => None,
        }
    }

    /// Whether it is not set.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Whether it is not known before apply.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }

    /// Whether it is known and not null.
    pub fn is_known(&self) -> bool {
        matches!(self, Self::Known(_))
    }

    /// The same state around a reference.
    pub fn as_ref(&self) -> Field<&T> {
        match self {
            Self::Null => Field::Null,
            Self::Unknown => Field::Unknown,
            Self::Known(value) => Field::Known(value),
        }
    }

    /// The same state around another value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Field<U> {
        match self {
            Self::Null => Field::Null,
            Self::Unknown => Field::Unknown,
            Self::Known(value) => Field::Known(change(value)),
        }
    }

    /// The known value or another one, for null and unknown alike.
    pub fn unwrap_or(self, other: T) -> T {
        self.into_known().unwrap_or(other)
    }

    /// The known value or the type's default, for null and unknown alike.
    pub fn unwrap_or_default(self) -> T
    where
        T: Default,
    {
        self.into_known().unwrap_or_default()
    }

    /// The known value or another one, both by reference.
    pub fn known_or<'field>(&'field self, other: &'field T) -> &'field T {
        self.known().unwrap_or(other)
    }

    /// This field, or `other` where this one is null.
    pub fn or(self, other: impl Into<Field<T>>) -> Self {
        match self {
            Self::Null => other.into(),
            set => set,
        }
    }
}

impl Field<String> {
    /// The text, if it is known and not null.
    pub fn text(&self) -> Option<&str> {
        self.known().map(String::as_str)
    }
}

impl<T> From<Option<T>> for Field<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Self::Known)
    }
}

impl<T> From<T> for Field<T> {
    fn from(value: T) -> Self {
        Self::Known(value)
    }
}

impl From<&str> for Field<String> {
    fn from(text: &str) -> Self {
        Self::Known(text.to_owned())
    }
}

impl<T: Element> Field<T> {
    /// Reads one value; what does not fit is an error about `path` and reads as null.
    pub fn from_value(value: &Value, path: &Path, diagnostics: &mut Diagnostics) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Unknown => Self::Unknown,
            known => T::from_known(known, path, diagnostics).into(),
        }
    }

    /// The value in Terraform's type system.
    pub fn to_value(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Unknown => Value::Unknown,
            Self::Known(value) => value.to_known(),
        }
    }
}
