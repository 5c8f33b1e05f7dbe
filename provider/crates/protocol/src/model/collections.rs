//! Lists, sets and maps whose elements may themselves be unknown.

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};

use crate::diagnostics::Diagnostics;
use crate::model::element::mismatch;
use crate::model::{Element, Field};
use crate::path::Path;
use crate::schema::{Nesting, Shape};
use crate::value::Value;

/// Elements in order.
#[derive(Clone, Debug, PartialEq)]
pub struct List<T>(pub Vec<Field<T>>);

/// Elements without order; equal to another set whatever the order of both.
#[derive(Clone, Debug)]
pub struct Set<T>(pub Vec<Field<T>>);

/// Elements by key, in the order of the keys.
#[derive(Clone, Debug, PartialEq)]
pub struct Map<T>(pub BTreeMap<String, Field<T>>);

macro_rules! sequence {
    ($name:ident) => {
        impl<T> Default for $name<T> {
            fn default() -> Self {
                Self(Vec::new())
            }
        }

        impl<T> Deref for $name<T> {
            type Target = Vec<Field<T>>;

            fn deref(&self) -> &Self::Target {
                &self.0
            }
        }

        impl<T> DerefMut for $name<T> {
            fn deref_mut(&mut self) -> &mut Self::Target {
                &mut self.0
            }
        }

        impl<T, Item: Into<Field<T>>> FromIterator<Item> for $name<T> {
            fn from_iter<I: IntoIterator<Item = Item>>(elements: I) -> Self {
                Self(elements.into_iter().map(Into::into).collect())
            }
        }

        impl<T> IntoIterator for $name<T> {
            type Item = Field<T>;
            type IntoIter = std::vec::IntoIter<Field<T>>;

            fn into_iter(self) -> Self::IntoIter {
                self.0.into_iter()
            }
        }

        impl<'list, T> IntoIterator for &'list $name<T> {
            type Item = &'list Field<T>;
            type IntoIter = std::slice::Iter<'list, Field<T>>;

            fn into_iter(self) -> Self::IntoIter {
                self.0.iter()
            }
        }

        impl<T> $name<T> {
            /// The known elements.
            pub fn known(&self) -> impl Iterator<Item = &T> {
                self.0.iter().filter_map(Field::known)
            }

            /// Whether any element is unknown (not merely something in it).
            pub fn has_unknown(&self) -> bool {
                self.0.iter().any(Field::is_unknown)
            }
        }

        impl<T: Clone> $name<T> {
            /// Copies of the known elements.
            pub fn to_known_vec(&self) -> Vec<T> {
                self.known().cloned().collect()
            }
        }
    };
}
sequence!(List);
sequence!(Set);

impl<T: PartialEq> PartialEq for Set<T> {
    fn eq(&self, other: &Self) -> bool {
        if self.0.len() != other.0.len() {
            return false;
        }
        let mut rest: Vec<&Field<T>> = other.0.iter().collect();
        self.0.iter().all(|element| {
            let position = rest.iter().position(|candidate| *candidate == element);
            position.map(|position| rest.swap_remove(position)).is_some()
        })
    }
}

impl<T> Default for Map<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T> Deref for Map<T> {
    type Target = BTreeMap<String, Field<T>>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<T> DerefMut for Map<T> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl<T, Key: Into<String>, Item: Into<Field<T>>> FromIterator<(Key, Item)> for Map<T> {
    fn from_iter<I: IntoIterator<Item = (Key, Item)>>(members: I) -> Self {
        Self(members.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
    }
}

impl<T> IntoIterator for Map<T> {
    type Item = (String, Field<T>);
    type IntoIter = std::collections::btree_map::IntoIter<String, Field<T>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'map, T> IntoIterator for &'map Map<T> {
    type Item = (&'map String, &'map Field<T>);
    type IntoIter = std::collections::btree_map::Iter<'map, String, Field<T>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<T> Map<T> {
    /// The known elements with their keys.
    pub fn known(&self) -> impl Iterator<Item = (&str, &T)> {
        self.0.iter().filter_map(|(key, value)| Some((key.as_str(), value.known()?)))
    }

    /// The element with this key, if there is one and it is known.
    pub fn known_at(&self, key: &str) -> Option<&T> {
        self.0.get(key).and_then(Field::known)
    }

    /// Whether any element is unknown (not merely something in it).
    pub fn has_unknown(&self) -> bool {
        self.0.values().any(Field::is_unknown)
    }
}

impl<T: Clone> Map<T> {
    /// Copies of the known elements by key.
    pub fn to_known_map(&self) -> BTreeMap<String, T> {
        self.known().map(|(key, value)| (key.to_owned(), value.clone())).collect()
    }
}

impl<T: Element> Element for List<T> {
    fn shape() -> Shape {
        T::shape().collected(Nesting::List)
    }

    fn from_known(value: &Value, path: &Path, diagnostics: &mut Diagnostics) -> Option<Self> {
        let Value::List(elements) = value else {
            mismatch("a list", value, path, diagnostics);
            return None;
        };
        let read = |(index, element)| Field::from_value(element, &path.index(index), diagnostics);
        Some(Self(elements.iter().enumerate().map(read).collect()))
    }

    fn to_known(&self) -> Value {
        Value::List(self.0.iter().map(Field::to_value).collect())
    }
}

impl<T: Element> Element for Set<T> {
    fn shape() -> Shape {
        T::shape().collected(Nesting::Set)
    }

    fn from_known(value: &Value, path: &Path, diagnostics: &mut Diagnostics) -> Option<Self> {
        let Value::Set(elements) = value else {
            mismatch("a set", value, path, diagnostics);
            return None;
        };
        let read = |element| Field::from_value(element, &path.element(), diagnostics);
        Some(Self(elements.iter().map(read).collect()))
    }

    fn to_known(&self) -> Value {
        Value::set(self.0.iter().map(Field::to_value))
    }
}

impl<T: Element> Element for Map<T> {
    fn shape() -> Shape {
        T::shape().collected(Nesting::Map)
    }

    fn from_known(value: &Value, path: &Path, diagnostics: &mut Diagnostics) -> Option<Self> {
        let Value::Map(members) = value else {
            mismatch("a map", value, path, diagnostics);
            return None;
        };
        let read = |(key, element): (&String, &Value)| {
            (key.clone(), Field::from_value(element, &path.key(key), diagnostics))
        };
        Some(Self(members.iter().map(read).collect()))
    }

    fn to_known(&self) -> Value {
        Value::Map(self.0.iter().map(|(key, element)| (key.clone(), element.to_value())).collect())
    }
}
