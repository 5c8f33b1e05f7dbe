//! The state of one resource, as core keeps it.

use base64::Engine;
use serde_json::json;

use super::value::Value;

/// One object.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    pub value: Value,
    /// What the provider keeps for itself.
    pub private: Vec<u8>,
    /// The next plan replaces it.
    pub tainted: bool,
}

/// What is saved between commands.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    pub current: Option<Object>,
    /// Objects whose replacement exists already, by key.
    pub deposed: Vec<(String, Object)>,
    /// How many deposed objects there ever were; makes their keys.
    pub(super) deposed_ever: u32,
}

impl State {
    /// Whether nothing is saved.
    pub fn is_empty(&self) -> bool {
        self.current.is_none() && self.deposed.is_empty()
    }

    /// Makes the current object a deposed one.
    pub(super) fn depose(&mut self) -> Option<String> {
        let object = self.current.take()?;
        self.deposed_ever += 1;
        let key = format!("{:08x}", self.deposed_ever);
        self.deposed.push((key.clone(), object));
        Some(key)
    }

    /// Makes a deposed object the current one again, when there is no other.
    pub(super) fn restore(&mut self, key: &str) {
        if self.current.is_some() {
            return;
        }
        if let Some(index) = self.deposed.iter().position(|(known, _)| known == key) {
            self.current = Some(self.deposed.remove(index).1);
        }
    }

    /// A deposed object.
    pub(super) fn deposed(&self, key: &str) -> Option<&Object> {
        self.deposed.iter().find(|(known, _)| known == key).map(|(_, object)| object)
    }

    /// Saves what became of a deposed object.
    pub(super) fn set_deposed(&mut self, key: &str, object: Option<Object>) {
        match object {
            Some(object) => {
                self.deposed.iter_mut().filter(|(known, _)| known == key).for_each(|(_, slot)| {
                    *slot = object.clone();
                })
            }
            None => self.deposed.retain(|(known, _)| known != key),
        }
    }

    /// As JSON, for logs.
    pub fn to_json(&self) -> serde_json::Value {
        let private = |object: &Object| match serde_json::from_slice::<serde_json::Value>(&object.private) {
            Ok(json) => json,
            Err(_) => json!(base64::engine::general_purpose::STANDARD.encode(&object.private)),
        };
        let object = |object: &Object| json!({"attributes": object.value.to_json(), "tainted": object.tainted, "private": private(object)});
        let deposed: serde_json::Map<String, serde_json::Value> =
            self.deposed.iter().map(|(key, value)| (key.clone(), object(value))).collect();
        json!({"current": self.current.as_ref().map(object), "deposed": deposed})
    }
}
