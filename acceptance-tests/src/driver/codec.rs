//! Values as MessagePack, as Terraform writes and reads them.

use std::collections::BTreeMap;

use rmp::Marker;
use rmp::{decode, encode};

use super::value::{Type, Value};
use crate::{Explain, Failure, Result};

/// The bytes of a value.
pub(super) fn encode(value: &Value, kind: &Type) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    write(&mut bytes, value, kind)?;
    Ok(bytes)
}

fn write(to: &mut Vec<u8>, value: &Value, kind: &Type) -> Result<()> {
    let what = "writing MessagePack";
    let length = |count: usize| u32::try_from(count).explain(what);
    match (value, kind) {
        (Value::Null, _) => encode::write_nil(to).explain(what),
        (Value::Unknown, _) => {
            encode::write_ext_meta(to, 1, 0).explain(what)?;
            to.push(0);
            Ok(())
        }
        (Value::Bool(value), _) => encode::write_bool(to, *value).explain(what),
        (Value::Text(text), _) => encode::write_str(to, text).explain(what),
        (Value::Number(value), _) => write_number(to, *value),
        (Value::List(items), Type::List(inner) | Type::Set(inner)) => {
            encode::write_array_len(to, length(items.len())?).explain(what)?;
            items.iter().try_for_each(|item| write(to, item, inner))
        }
        (Value::List(items), Type::Tuple(kinds)) => {
            encode::write_array_len(to, length(items.len())?).explain(what)?;
            items.iter().zip(kinds).try_for_each(|(item, kind)| write(to, item, kind))
        }
        (Value::Map(members), Type::Map(inner)) => {
            encode::write_map_len(to, length(members.len())?).explain(what)?;
            members.iter().try_for_each(|(name, item)| {
                encode::write_str(to, name).explain(what)?;
                write(to, item, inner)
            })
        }
        (Value::Map(members), Type::Object(kinds)) => {
            encode::write_map_len(to, length(kinds.len())?).explain(what)?;
            kinds.iter().try_for_each(|(name, kind)| {
                encode::write_str(to, name).explain(what)?;
                write(to, members.get(name).unwrap_or(&Value::Null), kind)
            })
        }
        _ => Err(Failure::new(format!("{value:?} is no {kind:?}"))),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "guarded by the range")]
fn write_number(to: &mut Vec<u8>, value: f64) -> Result<()> {
    if value.fract() == 0.0 && value.abs() < 9e15 {
        return encode::write_sint(to, value as i64).map(drop).explain("writing MessagePack");
    }
    encode::write_f64(to, value).explain("writing MessagePack")
}

/// The value in some bytes, which must be of the type and nothing more.
pub(super) fn decode(bytes: &[u8], kind: &Type) -> Result<Value> {
    let mut from = bytes;
    let value = read(&mut from, kind)?;
    if from.is_empty() {
        return Ok(value);
    }
    Err(Failure::new("bytes are left after a MessagePack value"))
}

fn read(from: &mut &[u8], kind: &Type) -> Result<Value> {
    let what = "reading MessagePack";
    let marker = peek(from)?;
    if marker == Marker::Null {
        decode::read_nil(from).explain(what)?;
        return Ok(Value::Null);
    }
    if is_extension(marker) {
        let meta = decode::read_ext_meta(from).explain(what)?;
        skip(from, meta.size as usize)?;
        return Ok(Value::Unknown);
    }
    match kind {
        Type::Bool => decode::read_bool(from).map(Value::Bool).explain(what),
        Type::Text => read_text(from).map(Value::Text),
        Type::Number => read_number(from, marker),
        Type::List(inner) => read_items(from, inner).map(Value::List),
        Type::Set(inner) => read_items(from, inner).map(Value::set),
        Type::Tuple(kinds) => {
            decode::read_array_len(from).explain(what)?;
            Ok(Value::List(kinds.iter().map(|kind| read(from, kind)).collect::<Result<_>>()?))
        }
        Type::Map(inner) => {
            let count = decode::read_map_len(from).explain(what)?;
            let mut members = BTreeMap::new();
            for _ in 0..count {
                members.insert(read_text(from)?, read(from, inner)?);
            }
            Ok(Value::Map(members))
        }
        Type::Object(kinds) => {
            let count = decode::read_map_len(from).explain(what)?;
            let mut members = BTreeMap::new();
            for _ in 0..count {
                let name = read_text(from)?;
                let kind = kinds.get(&name).explain(format_args!("an unexpected attribute {name}"))?;
                members.insert(name, read(from, kind)?);
            }
            match kinds.keys().find(|name| !members.contains_key(*name)) {
                Some(missing) => Err(Failure::new(format!("attribute {missing} is missing"))),
                None => Ok(Value::Map(members)),
            }
        }
    }
}

fn read_items(from: &mut &[u8], inner: &Type) -> Result<Vec<Value>> {
    let count = decode::read_array_len(from).explain("reading MessagePack")?;
    (0..count).map(|_| read(from, inner)).collect()
}

fn read_text(from: &mut &[u8]) -> Result<String> {
    let length = decode::read_str_len(from).explain("reading a MessagePack text")? as usize;
    let slice = from.get(..length).explain("a MessagePack text is cut off")?;
    let text = String::from_utf8(slice.to_vec()).explain("a MessagePack text")?;
    skip(from, length)?;
    Ok(text)
}

/// Numbers come as integer, float or decimal text.
fn read_number(from: &mut &[u8], marker: Marker) -> Result<Value> {
    let what = "reading a MessagePack number";
    match marker {
        Marker::F32 => decode::read_f32(from).map(|value| Value::Number(f64::from(value))).explain(what),
        Marker::F64 => decode::read_f64(from).map(Value::Number).explain(what),
        Marker::FixStr(_) | Marker::Str8 | Marker::Str16 | Marker::Str32 => {
            read_text(from)?.parse().map(Value::Number).explain(what)
        }
        #[expect(clippy::cast_precision_loss, reason = "no attribute holds numbers that large")]
        _ => decode::read_int::<i64, _>(from).map(|value| Value::Number(value as f64)).explain(what),
    }
}

fn peek(from: &[u8]) -> Result<Marker> {
    from.first().map(|byte| Marker::from_u8(*byte)).explain("a MessagePack value is cut off")
}

fn is_extension(marker: Marker) -> bool {
    use Marker::{Ext8, Ext16, Ext32, FixExt1, FixExt2, FixExt4, FixExt8, FixExt16};
    matches!(marker, FixExt1 | FixExt2 | FixExt4 | FixExt8 | FixExt16 | Ext8 | Ext16 | Ext32)
}

fn skip(from: &mut &[u8], count: usize) -> Result<()> {
    *from = from.get(count..).explain("a MessagePack value is cut off")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};
    use crate::Result;
    use crate::driver::value::{Type, Value};
    use serde_json::json;

    #[test]
    fn values_come_back_as_they_went() -> Result<()> {
        let kind = Type::parse(&json!(["object", {
            "name": "string", "count": "number", "on": "bool", "zones": ["set", "string"],
            "tags": ["map", "string"], "later": ["list", "number"], "nothing": "string"
        }]))?;
        let config = json!({
            "name": "prod", "count": 3, "on": true, "zones": ["b", "a"], "tags": {"k": "v"},
            "later": {"$unknown": true}
        });
        let value = Value::from_json(&config, &kind)?;
        let back = decode(&encode(&value, &kind)?, &kind)?;
        assert_eq!(back, value);
        assert_eq!(back.to_json()["zones"], json!(["a", "b"]));
        assert!(back.member("later").is_unknown() && back.member("nothing").is_null());
        Ok(())
    }

    #[test]
    fn refined_unknown_values_and_textual_numbers_are_read() -> Result<()> {
        let refined = [0xc7, 0x03, 0x0c, 0x81, 0x01, 0xc2];
        assert_eq!(decode(&refined, &Type::Text)?, Value::Unknown);
        assert_eq!(decode(b"\xa41.50", &Type::Number)?, Value::Number(1.5));
        Ok(())
    }
}
