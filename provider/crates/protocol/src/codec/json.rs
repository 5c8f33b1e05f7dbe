//! JSON, as states are saved.

use serde_json::Value as Json;

use crate::codec::CodecError;
use crate::value::{Number, Type, Value};

/// What to do with attributes that the type does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unexpected {
    /// They are an error.
    Refuse,
    /// They are dropped, as those of a state that another version of the provider wrote.
    Drop,
}

/// Reads a value of the given type. Missing attributes are null.
pub fn decode(json: &Json, kind: &Type, unexpected: Unexpected) -> Result<Value, CodecError> {
    let mismatch = || CodecError::Mismatch {
        expected: kind.describe(),
        found: describe(json).to_owned(),
        place: String::new(),
    };
    match (kind, json) {
        (_, Json::Null) => Ok(Value::Null),
        (Type::Bool, Json::Bool(flag)) => Ok(Value::Bool(*flag)),
        // Terraform converts between texts and the other simple types, and old states hold the results.
        (Type::Bool, Json::String(text)) if text == "true" => Ok(Value::Bool(true)),
        (Type::Bool, Json::String(text)) if text == "false" => Ok(Value::Bool(false)),
        (Type::Number, Json::Number(number)) => Ok(Value::Number(Number::parse(&number.to_string())?)),
        (Type::Number, Json::String(text)) => Ok(Value::Number(Number::parse(text)?)),
        (Type::String, Json::String(text)) => Ok(Value::String(text.clone())),
        (Type::String, Json::Bool(flag)) => Ok(Value::String(flag.to_string())),
        (Type::String, Json::Number(number)) => {
            Ok(Value::String(Number::parse(&number.to_string())?.to_string()))
        }
        (Type::List(element), Json::Array(elements)) => {
            Ok(Value::List(decode_all(elements, element, unexpected)?))
        }
        (Type::Set(element), Json::Array(elements)) => {
            Ok(Value::set(decode_all(elements, element, unexpected)?))
        }
        (Type::Tuple(kinds), Json::Array(elements)) if kinds.len() == elements.len() => kinds
            .iter()
            .zip(elements)
            .map(|(kind, element)| decode(element, kind, unexpected))
            .collect::<Result<_, _>>()
            .map(Value::List),
        (Type::Map(element), Json::Object(members)) => members
            .iter()
            .map(|(key, member)| Ok((key.clone(), decode(member, element, unexpected)?)))
            .collect::<Result<_, _>>()
            .map(Value::Map),
        (Type::Object(attributes), Json::Object(members)) => {
            if unexpected == Unexpected::Refuse
                && let Some(name) = members.keys().find(|name| !attributes.contains_key(*name))
            {
                return Err(CodecError::Mismatch {
                    expected: kind.describe(),
                    found: format!("the unexpected attribute {name:?}"),
                    place: String::new(),
                });
            }
            attributes
                .iter()
                .map(|(name, kind)| {
                    let member = members.get(name).unwrap_or(&Json::Null);
                    Ok((name.clone(), decode(member, kind, unexpected).map_err(|error| below(name, error))?))
                })
                .collect::<Result<_, _>>()
                .map(Value::Object)
        }
        (Type::Dynamic, Json::Object(members)) => {
            let (Some(kind), Some(value)) = (members.get("type"), members.get("value")) else {
                return Err(mismatch());
            };
            let kind = Type::from_json(kind)?;
            let value = decode(value, &kind, unexpected)?;
            Ok(Value::Dynamic(Box::new((kind, value))))
        }
        _ => Err(mismatch()),
    }
}

fn decode_all(elements: &[Json], kind: &Type, unexpected: Unexpected) -> Result<Vec<Value>, CodecError> {
    elements.iter().map(|element| decode(element, kind, unexpected)).collect()
}

/// Adds to an error the attribute it is in.
fn below(name: &str, error: CodecError) -> CodecError {
    match error {
        CodecError::Mismatch { expected, found, place } => {
            let place = match place.strip_prefix(" at ") {
                Some(rest) => format!(" at {name}.{rest}"),
                None => format!(" at {name}"),
            };
            CodecError::Mismatch { expected, found, place }
        }
        other => other,
    }
}

/// Writes a value. Unknown values become null, since JSON has no way to say them.
pub fn encode(value: &Value) -> Json {
    match value {
        Value::Null | Value::Unknown => Json::Null,
        Value::Bool(flag) => Json::Bool(*flag),
        Value::Number(number) => number_to_json(number),
        Value::String(text) => Json::String(text.clone()),
        Value::List(elements) | Value::Set(elements) => Json::Array(elements.iter().map(encode).collect()),
        Value::Map(members) | Value::Object(members) => {
            Json::Object(members.iter().map(|(key, member)| (key.clone(), encode(member))).collect())
        }
        Value::Dynamic(inner) => {
            serde_json::json!({ "type": inner.0.to_json(), "value": encode(&inner.1) })
        }
    }
}

/// Numbers that JSON readers would round travel as text, which Terraform reads as numbers too.
fn number_to_json(number: &Number) -> Json {
    if let Some(whole) = number.as_i64() {
        return whole.into();
    }
    if let Some(whole) = number.as_u64() {
        return whole.into();
    }
    let float = number.to_f64();
    match serde_json::Number::from_f64(float) {
        Some(json) if Number::from(float) == *number => Json::Number(json),
        _ => Json::String(number.to_string()),
    }
}

fn describe(json: &Json) -> &'static str {
    match json {
        Json::Null => "null",
        Json::Bool(_) => "a bool",
        Json::Number(_) => "a number",
        Json::String(_) => "a string",
        Json::Array(_) => "an array",
        Json::Object(_) => "an object",
    }
}
