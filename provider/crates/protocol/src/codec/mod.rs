//! Values on the wire: MessagePack and JSON, both guided by the schema's types.

pub mod json;
pub mod message_pack;

use crate::value::{Type, Value};
use crate::wire::tfplugin6::DynamicValue;

/// Why bytes are no value of the expected type.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// The bytes are not MessagePack.
    #[error("malformed MessagePack: {0}")]
    MessagePack(String),
    /// The bytes are not JSON.
    #[error("malformed JSON")]
    Json(#[from] serde_json::Error),
    /// The bytes are another type of value.
    #[error("expected {expected}{place}, found {found}")]
    Mismatch {
        /// The type of the schema.
        expected: String,
        /// What came instead.
        found: String,
        /// Where.
        place: String,
    },
    /// A number that cannot be one.
    #[error("malformed number")]
    Number(#[from] crate::value::NumberError),
    /// A type that cannot be one.
    #[error("malformed type")]
    Type(#[from] crate::value::TypeError),
}

/// Reads a value in whichever form it came. A missing value is null.
pub fn decode(value: Option<&DynamicValue>, kind: &Type) -> Result<Value, CodecError> {
    match value {
        Some(value) if !value.msgpack.is_empty() => message_pack::decode(&value.msgpack, kind),
        Some(value) if !value.json.is_empty() => {
            json::decode(&serde_json::from_slice(&value.json)?, kind, json::Unexpected::Refuse)
        }
        _ => Ok(Value::Null),
    }
}

/// Writes a value. Always MessagePack, since JSON cannot carry unknown values.
pub fn encode(value: &Value, kind: &Type) -> DynamicValue {
    DynamicValue { msgpack: message_pack::encode(value, kind), json: Vec::new() }
}

#[cfg(test)]
mod tests;
