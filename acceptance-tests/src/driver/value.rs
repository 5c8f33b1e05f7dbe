//! Terraform's values and types.

use std::collections::BTreeMap;

use serde_json::{Number, json};

use crate::{Explain, Failure, Result};

/// The member that stands for an unknown value in a configuration written as JSON.
pub const UNKNOWN: &str = "$unknown";

/// A value. Sets are lists in a canonical order, so that equality is equality.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Null,
    Unknown,
    Bool(bool),
    Number(f64),
    Text(String),
    /// A list, a set or a tuple.
    List(Vec<Value>),
    /// A map or an object.
    Map(BTreeMap<String, Value>),
}

/// A type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Type {
    Bool,
    Number,
    Text,
    List(Box<Type>),
    Set(Box<Type>),
    Map(Box<Type>),
    Object(BTreeMap<String, Type>),
    Tuple(Vec<Type>),
}

impl Type {
    /// Reads Terraform's JSON notation, `["map","string"]`.
    pub fn parse(notation: &serde_json::Value) -> Result<Self> {
        let unknown = || Failure::new(format!("the driver does not know the type {notation}"));
        if let Some(name) = notation.as_str() {
            return match name {
                "string" => Ok(Type::Text),
                "number" => Ok(Type::Number),
                "bool" => Ok(Type::Bool),
                _ => Err(unknown()),
            };
        }
        let inner = || Type::parse(&notation[1]).map(Box::new);
        match notation[0].as_str() {
            Some("list") => Ok(Type::List(inner()?)),
            Some("set") => Ok(Type::Set(inner()?)),
            Some("map") => Ok(Type::Map(inner()?)),
            Some("object") => {
                let members = notation[1].as_object().ok_or_else(unknown)?;
                let typed = members.iter().map(|(name, member)| Ok((name.clone(), Type::parse(member)?)));
                Ok(Type::Object(typed.collect::<Result<_>>()?))
            }
            Some("tuple") => {
                let members = notation[1].as_array().ok_or_else(unknown)?;
                Ok(Type::Tuple(members.iter().map(Type::parse).collect::<Result<_>>()?))
            }
            _ => Err(unknown()),
        }
    }
}

impl Value {
    /// Whether this is null.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// Whether this itself is unknown.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Value::Unknown)
    }

    /// Whether nothing in it is unknown.
    pub fn is_wholly_known(&self) -> bool {
        match self {
            Value::Unknown => false,
            Value::List(items) => items.iter().all(Value::is_wholly_known),
            Value::Map(members) => members.values().all(Value::is_wholly_known),
            _ => true,
        }
    }

    /// The same with null for everything unknown: what core saves of an unknown that should not be there.
    pub fn with_unknown_as_null(self) -> Self {
        match self {
            Value::Unknown => Value::Null,
            Value::List(items) => Value::List(items.into_iter().map(Value::with_unknown_as_null).collect()),
            Value::Map(members) => {
                let known = members.into_iter().map(|(name, member)| (name, member.with_unknown_as_null()));
                Value::Map(known.collect())
            }
            other => other,
        }
    }

    /// A member of a map or object; null when there is none.
    pub fn member(&self, name: &str) -> &Value {
        match self {
            Value::Map(members) => members.get(name).unwrap_or(&Value::Null),
            Value::Unknown => &Value::Unknown,
            _ => &Value::Null,
        }
    }

    /// The text; empty for everything else.
    pub fn text(&self) -> &str {
        match self {
            Value::Text(text) => text,
            _ => "",
        }
    }

    /// A set: the same items in a canonical order.
    pub fn set(mut items: Vec<Value>) -> Self {
        items.sort_by_cached_key(|item| format!("{item:?}"));
        items.dedup();
        Value::List(items)
    }

    /// From JSON, by type: what is missing in an object is null, what the object does not have is an error.
    pub fn from_json(json: &serde_json::Value, kind: &Type) -> Result<Self> {
        if json.is_null() {
            return Ok(Value::Null);
        }
        if json.get(UNKNOWN).is_some() {
            return Ok(Value::Unknown);
        }
        let wrong = || format!("{json} is no {kind:?}");
        let items = |inner: &Type| -> Result<Vec<Value>> {
            let items = json.as_array().explain(wrong())?;
            items.iter().map(|item| Value::from_json(item, inner)).collect()
        };
        match kind {
            Type::Bool => json.as_bool().map(Value::Bool).explain(wrong()),
            Type::Number => json.as_f64().map(Value::Number).explain(wrong()),
            Type::Text => json.as_str().map(|text| Value::Text(text.to_owned())).explain(wrong()),
            Type::List(inner) => items(inner).map(Value::List),
            Type::Set(inner) => items(inner).map(Value::set),
            Type::Tuple(kinds) => {
                let items = json.as_array().explain(wrong())?;
                let typed = items.iter().zip(kinds).map(|(item, kind)| Value::from_json(item, kind));
                Ok(Value::List(typed.collect::<Result<_>>()?))
            }
            Type::Map(inner) => {
                let members = json.as_object().explain(wrong())?;
                let typed =
                    members.iter().map(|(name, item)| Ok((name.clone(), Value::from_json(item, inner)?)));
                Ok(Value::Map(typed.collect::<Result<_>>()?))
            }
            Type::Object(kinds) => {
                let members = json.as_object().explain(wrong())?;
                if let Some(name) = members.keys().find(|name| !kinds.contains_key(*name)) {
                    return Err(Failure::new(format!("an argument named {name} is not expected here")));
                }
                let null = serde_json::Value::Null;
                let typed = kinds.iter().map(|(name, kind)| {
                    Ok((name.clone(), Value::from_json(members.get(name).unwrap_or(&null), kind)?))
                });
                Ok(Value::Map(typed.collect::<Result<_>>()?))
            }
        }
    }

    /// As the state file holds it. Unknown values have no place there.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Value::Null | Value::Unknown => serde_json::Value::Null,
            Value::Bool(value) => json!(value),
            Value::Number(value) => number(*value),
            Value::Text(text) => json!(text),
            Value::List(items) => items.iter().map(Value::to_json).collect(),
            Value::Map(members) => serde_json::Value::Object(
                members.iter().map(|(name, item)| (name.clone(), item.to_json())).collect(),
            ),
        }
    }

    /// Where two values differ, for messages.
    pub fn differences(&self, other: &Value) -> Vec<String> {
        let mut found = Vec::new();
        self.compare(other, "", &mut found);
        found
    }

    fn compare(&self, other: &Value, path: &str, found: &mut Vec<String>) {
        match (self, other) {
            (Value::Map(one), Value::Map(two)) => {
                let names: std::collections::BTreeSet<&String> = one.keys().chain(two.keys()).collect();
                for name in names {
                    self.member(name).compare(other.member(name), &format!("{path}.{name}"), found);
                }
            }
            (one, two) if one == two => {}
            (one, two) => found.push(format!("{}: {one:?} -> {two:?}", path.trim_start_matches('.'))),
        }
    }
}

/// Whole numbers stay whole.
#[expect(clippy::cast_possible_truncation, reason = "guarded by the range")]
fn number(value: f64) -> serde_json::Value {
    if value.fract() == 0.0 && value.abs() < 9e15 {
        return json!(value as i64);
    }
    Number::from_f64(value).map_or(serde_json::Value::Null, serde_json::Value::Number)
}
