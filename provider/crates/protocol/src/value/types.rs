//! Types and their JSON form, which is how schemas carry them.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

/// A type of Terraform's type system.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Type {
    /// `true` or `false`.
    Bool,
    /// An exact number.
    Number,
    /// Text.
    String,
    /// Any type: the value carries it.
    Dynamic,
    /// Elements in order.
    List(Box<Type>),
    /// Elements without order.
    Set(Box<Type>),
    /// Elements by key.
    Map(Box<Type>),
    /// Attributes by name.
    Object(BTreeMap<String, Type>),
    /// Elements of different types in order.
    Tuple(Vec<Type>),
}

/// Why JSON is no type.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0} is not a type")]
pub struct TypeError(String);

impl Type {
    /// The type of lists of `element`.
    pub fn list(element: Type) -> Self {
        Self::List(Box::new(element))
    }

    /// The type of sets of `element`.
    pub fn set(element: Type) -> Self {
        Self::Set(Box::new(element))
    }

    /// The type of maps to `element`.
    pub fn map(element: Type) -> Self {
        Self::Map(Box::new(element))
    }

    /// The type of objects with these attributes.
    pub fn object<Name: Into<String>>(attributes: impl IntoIterator<Item = (Name, Type)>) -> Self {
        Self::Object(attributes.into_iter().map(|(name, kind)| (name.into(), kind)).collect())
    }

    /// The JSON form, such as `"string"` or `["list","string"]`.
    pub fn to_json(&self) -> Json {
        match self {
            Self::Bool => json!("bool"),
            Self::Number => json!("number"),
            Self::String => json!("string"),
            Self::Dynamic => json!("dynamic"),
            Self::List(element) => json!(["list", element.to_json()]),
            Self::Set(element) => json!(["set", element.to_json()]),
            Self::Map(element) => json!(["map", element.to_json()]),
            Self::Object(attributes) => {
                let attributes: serde_json::Map<String, Json> =
                    attributes.iter().map(|(name, kind)| (name.clone(), kind.to_json())).collect();
                json!(["object", attributes])
            }
            Self::Tuple(elements) => {
                json!(["tuple", elements.iter().map(Self::to_json).collect::<Vec<_>>()])
            }
        }
    }

    /// The JSON form as the bytes that schemas carry.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.to_json().to_string().into_bytes()
    }

    /// Reads the JSON form.
    pub fn from_json(json: &Json) -> Result<Self, TypeError> {
        let wrong = || TypeError(json.to_string());
        match json {
            Json::String(name) => match name.as_str() {
                "bool" => Ok(Self::Bool),
                "number" => Ok(Self::Number),
                "string" => Ok(Self::String),
                "dynamic" => Ok(Self::Dynamic),
                _ => Err(wrong()),
            },
            Json::Array(parts) => {
                let (Some(Json::String(kind)), Some(rest)) = (parts.first(), parts.get(1)) else {
                    return Err(wrong());
                };
                match (kind.as_str(), rest) {
                    ("list", element) => Ok(Self::list(Self::from_json(element)?)),
                    ("set", element) => Ok(Self::set(Self::from_json(element)?)),
                    ("map", element) => Ok(Self::map(Self::from_json(element)?)),
                    ("object", Json::Object(attributes)) => attributes
                        .iter()
                        .map(|(name, kind)| Ok((name.clone(), Self::from_json(kind)?)))
                        .collect::<Result<_, _>>()
                        .map(Self::Object),
                    ("tuple", Json::Array(elements)) => {
                        elements.iter().map(Self::from_json).collect::<Result<_, _>>().map(Self::Tuple)
                    }
                    _ => Err(wrong()),
                }
            }
            _ => Err(wrong()),
        }
    }

    /// Reads the bytes that schemas and dynamic values carry.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TypeError> {
        let json = serde_json::from_slice(bytes)
            .map_err(|_| TypeError(String::from_utf8_lossy(bytes).into_owned()))?;
        Self::from_json(&json)
    }

    /// What users call the type, such as `list of string`.
    pub fn describe(&self) -> String {
        match self {
            Self::Bool => "bool".to_owned(),
            Self::Number => "number".to_owned(),
            Self::String => "string".to_owned(),
            Self::Dynamic => "any type".to_owned(),
            Self::List(element) => format!("list of {}", element.describe()),
            Self::Set(element) => format!("set of {}", element.describe()),
            Self::Map(element) => format!("map of {}", element.describe()),
            Self::Object(_) => "object".to_owned(),
            Self::Tuple(_) => "tuple".to_owned(),
        }
    }
}
