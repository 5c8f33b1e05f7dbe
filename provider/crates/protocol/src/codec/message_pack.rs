//! MessagePack, as Terraform and its plugins exchange values.

use std::collections::BTreeMap;

use rmp::Marker;
use rmp::decode;
use rmp::encode::{self, ByteBuf};

use crate::codec::CodecError;
use crate::value::{Number, Type, Value};

/// Types nest as deep as schemas do; a dynamic value brings its own type, which must not exhaust the stack.
const DEEPEST: usize = 200;

/// Writes a value of the given type. What does not fit the type is written as null, since a value that was
/// read or made by a model always fits.
pub fn encode(value: &Value, kind: &Type) -> Vec<u8> {
    let mut buffer = ByteBuf::new();
    write(&mut buffer, value, kind);
    buffer.into_vec()
}

fn write(buffer: &mut ByteBuf, value: &Value, kind: &Type) {
    // Writing to memory cannot fail, which is why results are dropped here.
    match (kind, value) {
        (_, Value::Unknown) => {
            let _ = encode::write_ext_meta(buffer, 1, 0);
            buffer.as_mut_vec().push(0);
        }
        (Type::Dynamic, Value::Dynamic(inner)) => {
            let _ = encode::write_array_len(buffer, 2);
            let bytes = inner.0.to_bytes();
            let _ = encode::write_bin(buffer, &bytes);
            write(buffer, &inner.1, &inner.0);
        }
        (Type::Bool, Value::Bool(flag)) => {
            let _ = encode::write_bool(buffer, *flag);
        }
        (Type::Number, Value::Number(number)) => write_number(buffer, number),
        (Type::String, Value::String(text)) => {
            let _ = encode::write_str(buffer, text);
        }
        (Type::List(element), Value::List(elements)) | (Type::Set(element), Value::Set(elements)) => {
            let _ = encode::write_array_len(buffer, length(elements.len()));
            for value in elements {
                write(buffer, value, element);
            }
        }
        (Type::Tuple(kinds), Value::List(elements)) => {
            let _ = encode::write_array_len(buffer, length(kinds.len()));
            for (position, kind) in kinds.iter().enumerate() {
                write(buffer, elements.get(position).unwrap_or(&Value::Null), kind);
            }
        }
        (Type::Map(element), Value::Map(members)) => {
            let _ = encode::write_map_len(buffer, length(members.len()));
            for (key, value) in members {
                let _ = encode::write_str(buffer, key);
                write(buffer, value, element);
            }
        }
        (Type::Object(attributes), Value::Object(members)) => {
            let _ = encode::write_map_len(buffer, length(attributes.len()));
            for (name, kind) in attributes {
                let _ = encode::write_str(buffer, name);
                write(buffer, members.get(name).unwrap_or(&Value::Null), kind);
            }
        }
        _ => {
            let _ = encode::write_nil(buffer);
        }
    }
}

fn length(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// Numbers travel as decimal text. A binary one arrives with another precision than the same number read from a
/// state file, and a refresh would count as a change.
fn write_number(buffer: &mut ByteBuf, number: &Number) {
    let _ = encode::write_str(buffer, &number.to_string());
}

/// Reads a value of the given type.
pub fn decode(bytes: &[u8], kind: &Type) -> Result<Value, CodecError> {
    let mut rest = bytes;
    let value = read(&mut rest, kind, 0)?;
    if rest.is_empty() { Ok(value) } else { Err(malformed("bytes follow the value")) }
}

fn malformed(reason: impl ToString) -> CodecError {
    CodecError::MessagePack(reason.to_string())
}

fn read(rest: &mut &[u8], kind: &Type, depth: usize) -> Result<Value, CodecError> {
    if depth > DEEPEST {
        return Err(malformed("the value is nested too deeply"));
    }
    let marker = Marker::from_u8(*rest.first().ok_or_else(|| malformed("the value ends early"))?);
    match (kind, marker) {
        (_, Marker::Null) => {
            decode::read_nil(rest).map_err(malformed)?;
            Ok(Value::Null)
        }
        (_, extension) if is_extension(extension) => {
            let header = decode::read_ext_meta(rest).map_err(malformed)?;
            // Whatever the extension says about an unknown value, its value is unknown.
            take(rest, header.size)?;
            Ok(Value::Unknown)
        }
        (Type::Bool, Marker::True | Marker::False) => {
            Ok(Value::Bool(decode::read_bool(rest).map_err(malformed)?))
        }
        (Type::Number, _) => read_number(rest, marker).map(Value::Number),
        (Type::String, text) if is_text(text) => read_text(rest).map(Value::String),
        (Type::List(element), array) if is_array(array) => {
            Ok(Value::List(read_elements(rest, element, depth)?))
        }
        (Type::Set(element), array) if is_array(array) => {
            Ok(Value::set(read_elements(rest, element, depth)?))
        }
        (Type::Tuple(kinds), array) if is_array(array) => {
            let count = decode::read_array_len(rest).map_err(malformed)?;
            if usize::try_from(count).is_ok_and(|count| count == kinds.len()) {
                kinds
                    .iter()
                    .map(|kind| read(rest, kind, depth + 1))
                    .collect::<Result<_, _>>()
                    .map(Value::List)
            } else {
                Err(malformed("a tuple of another length"))
            }
        }
        (Type::Map(element), map) if is_map(map) => {
            let count = decode::read_map_len(rest).map_err(malformed)?;
            let mut members = BTreeMap::new();
            for _ in 0..count {
                let key = read_text(rest)?;
                members.insert(key, read(rest, element, depth + 1)?);
            }
            Ok(Value::Map(members))
        }
        (Type::Object(attributes), map) if is_map(map) => read_object(rest, attributes, depth),
        (Type::Dynamic, array) if is_array(array) => {
            if decode::read_array_len(rest).map_err(malformed)? != 2 {
                return Err(malformed("a dynamic value has a type and a value"));
            }
            let kind = Type::from_bytes(read_bytes(rest)?)?;
            let value = read(rest, &kind, depth + 1)?;
            Ok(Value::Dynamic(Box::new((kind, value))))
        }
        _ => Err(mismatch(kind, marker)),
    }
}

fn read_object(
    rest: &mut &[u8],
    attributes: &BTreeMap<String, Type>,
    depth: usize,
) -> Result<Value, CodecError> {
    let count = decode::read_map_len(rest).map_err(malformed)?;
    let mut members: BTreeMap<String, Value> =
        attributes.keys().map(|name| (name.clone(), Value::Null)).collect();
    for _ in 0..count {
        let name = read_text(rest)?;
        let Some(kind) = attributes.get(&name) else {
            return Err(malformed(format!("unexpected attribute {name:?}")));
        };
        let value = read(rest, kind, depth + 1).map_err(|error| below(&name, error))?;
        members.insert(name, value);
    }
    Ok(Value::Object(members))
}

fn read_elements(rest: &mut &[u8], kind: &Type, depth: usize) -> Result<Vec<Value>, CodecError> {
    let count = decode::read_array_len(rest).map_err(malformed)?;
    // No capacity from the announced length: it is checked only by reading that many elements.
    let mut elements = Vec::new();
    for _ in 0..count {
        elements.push(read(rest, kind, depth + 1)?);
    }
    Ok(elements)
}

fn read_number(rest: &mut &[u8], marker: Marker) -> Result<Number, CodecError> {
    match marker {
        Marker::F32 => {
            let number = decode::read_f32(rest).map_err(malformed)?;
            Ok(Number::from_exact_float(f64::from(number))?)
        }
        Marker::F64 => Ok(Number::from_exact_float(decode::read_f64(rest).map_err(malformed)?)?),
        Marker::U64 => Ok(Number::from(decode::read_u64(rest).map_err(malformed)?)),
        text if is_text(text) => Ok(Number::parse(&read_text(rest)?)?),
        other => {
            let whole: i64 = decode::read_int(rest).map_err(|_| mismatch(&Type::Number, other))?;
            Ok(Number::from(whole))
        }
    }
}

fn read_text(rest: &mut &[u8]) -> Result<String, CodecError> {
    let size = decode::read_str_len(rest).map_err(malformed)?;
    let bytes = take(rest, size)?;
    String::from_utf8(bytes.to_vec()).map_err(malformed)
}

/// Types of dynamic values come as binary data, or as text from older writers.
fn read_bytes<'bytes>(rest: &mut &'bytes [u8]) -> Result<&'bytes [u8], CodecError> {
    let marker = Marker::from_u8(*rest.first().ok_or_else(|| malformed("the value ends early"))?);
    let size = if is_text(marker) {
        decode::read_str_len(rest).map_err(malformed)?
    } else {
        decode::read_bin_len(rest).map_err(malformed)?
    };
    take(rest, size)
}

fn take<'bytes>(rest: &mut &'bytes [u8], size: u32) -> Result<&'bytes [u8], CodecError> {
    let size = usize::try_from(size).map_err(malformed)?;
    let (taken, tail) = rest.split_at_checked(size).ok_or_else(|| malformed("the value ends early"))?;
    *rest = tail;
    Ok(taken)
}

fn is_text(marker: Marker) -> bool {
    matches!(marker, Marker::FixStr(_) | Marker::Str8 | Marker::Str16 | Marker::Str32)
}

fn is_array(marker: Marker) -> bool {
    matches!(marker, Marker::FixArray(_) | Marker::Array16 | Marker::Array32)
}

fn is_map(marker: Marker) -> bool {
    matches!(marker, Marker::FixMap(_) | Marker::Map16 | Marker::Map32)
}

fn is_extension(marker: Marker) -> bool {
    use Marker::{Ext8, Ext16, Ext32, FixExt1, FixExt2, FixExt4, FixExt8, FixExt16};
    matches!(marker, FixExt1 | FixExt2 | FixExt4 | FixExt8 | FixExt16 | Ext8 | Ext16 | Ext32)
}

fn mismatch(kind: &Type, marker: Marker) -> CodecError {
    CodecError::Mismatch { expected: kind.describe(), found: format!("{marker:?}"), place: String::new() }
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
