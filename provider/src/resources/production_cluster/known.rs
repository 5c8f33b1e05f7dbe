//! What is known of an argument: nothing, that there is none, or its value.

use std::collections::{BTreeMap, BTreeSet};

use terraform_plugin::{Field, Map, Set};

/// None when it is unknown, else the value or none.
pub fn value<T: Clone>(field: &Field<T>) -> Option<Option<T>> {
    match field {
        Field::Unknown => None,
        Field::Null => Some(None),
        Field::Known(value) => Some(Some(value.clone())),
    }
}

/// None when the set or an element is unknown.
pub fn set(field: &Field<Set<String>>) -> Option<Option<BTreeSet<String>>> {
    match value(field)? {
        None => Some(None),
        Some(elements) if elements.has_unknown() => None,
        Some(elements) => Some(Some(elements.to_known_vec().into_iter().collect())),
    }
}

/// None when the map or an element is unknown.
pub fn texts(field: &Field<Map<String>>) -> Option<Option<BTreeMap<String, String>>> {
    match value(field)? {
        None => Some(None),
        Some(elements) if elements.has_unknown() => None,
        Some(elements) => Some(Some(elements.to_known_map())),
    }
}
