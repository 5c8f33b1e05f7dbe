use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use super::*;
use crate::value::Number;

fn types() -> impl Strategy<Value = Type> {
    let leaf = prop_oneof![Just(Type::Bool), Just(Type::Number), Just(Type::String), Just(Type::Dynamic)];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(Type::list),
            inner.clone().prop_map(Type::set),
            inner.clone().prop_map(Type::map),
            btree_map("[a-z]{1,4}", inner.clone(), 0..4).prop_map(Type::Object),
            vec(inner, 0..3).prop_map(Type::Tuple),
        ]
    })
}

fn numbers() -> impl Strategy<Value = Number> {
    prop_oneof![
        any::<i64>().prop_map(Number::from),
        any::<u64>().prop_map(Number::from),
        (-1_000_000i64..1_000_000, 0u32..9)
            .prop_map(|(digits, exponent)| Number::parse(&format!("{digits}e-{exponent}")).unwrap()),
        "[1-9][0-9]{20,40}".prop_map(|text| Number::parse(&text).unwrap()),
    ]
}

/// Values of a type: null or unknown at any place, otherwise what the type says.
fn values(kind: &Type, unknown: bool) -> BoxedStrategy<Value> {
    let known: BoxedStrategy<Value> = match kind {
        Type::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        Type::Number => numbers().prop_map(Value::Number).boxed(),
        Type::String => any::<String>().prop_map(Value::String).boxed(),
        Type::List(element) => vec(values(element, unknown), 0..4).prop_map(Value::List).boxed(),
        Type::Set(element) => vec(values(element, unknown), 0..4).prop_map(Value::set).boxed(),
        Type::Map(element) => {
            btree_map(any::<String>(), values(element, unknown), 0..4).prop_map(Value::Map).boxed()
        }
        Type::Object(attributes) => {
            let members: Vec<BoxedStrategy<(String, Value)>> = attributes
                .iter()
                .map(|(name, kind)| (Just(name.clone()), values(kind, unknown)).boxed())
                .collect();
            members.prop_map(|members| Value::Object(members.into_iter().collect())).boxed()
        }
        Type::Tuple(kinds) => {
            let elements: Vec<_> = kinds.iter().map(|kind| values(kind, unknown)).collect();
            elements.prop_map(Value::List).boxed()
        }
        Type::Dynamic => {
            any::<i64>().prop_map(|number| Value::Dynamic(Box::new((Type::Number, number.into())))).boxed()
        }
    };
    if unknown {
        prop_oneof![8 => known, 1 => Just(Value::Null), 1 => Just(Value::Unknown)].boxed()
    } else {
        prop_oneof![8 => known, 1 => Just(Value::Null)].boxed()
    }
}

fn typed_values(unknown: bool) -> impl Strategy<Value = (Type, Value)> {
    types().prop_flat_map(move |kind| {
        let values = values(&kind, unknown);
        (Just(kind), values)
    })
}

proptest! {
    #[test]
    fn message_pack_round_trip((kind, value) in typed_values(true)) {
        let bytes = message_pack::encode(&value, &kind);
        prop_assert_eq!(message_pack::decode(&bytes, &kind).unwrap(), value);
    }

    #[test]
    fn json_round_trip((kind, value) in typed_values(false)) {
        let text = json::encode(&value).to_string();
        let read = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(json::decode(&read, &kind, json::Unexpected::Refuse).unwrap(), value);
    }

    #[test]
    fn arbitrary_bytes_are_no_panic(kind in types(), bytes in vec(any::<u8>(), 0..64)) {
        let _ = message_pack::decode(&bytes, &kind);
    }
}

#[test]
fn numbers_come_in_many_forms() {
    let cases: [(&[u8], &str); 8] = [
        (&[7], "7"),
        (&[0xff], "-1"),
        (&[0xd1, 0xff, 0x00], "-256"),
        (&[0xcd, 0x01, 0x00], "256"),
        (&[0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], "18446744073709551615"),
        (&[0xca, 0x3f, 0x00, 0x00, 0x00], "0.5"),
        (&[0xcb, 0x40, 0x59, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00], "100"),
        (&[0xa3, b'0', b'.', b'1'], "0.1"),
    ];
    for (bytes, text) in cases {
        let value = message_pack::decode(bytes, &Type::Number).unwrap();
        assert_eq!(value, Value::Number(Number::parse(text).unwrap()), "{text}");
    }
    assert!(message_pack::decode(&[0xcb, 0x7f, 0xf0, 0, 0, 0, 0, 0, 0], &Type::Number).is_err());
}

#[test]
fn every_extension_is_unknown() {
    // A fixed one, as for plain unknown values, and code 12 with refinements.
    for bytes in [vec![0xd4, 0x00, 0x00], vec![0xc7, 0x03, 0x0c, 0x81, 0x01, 0xc2]] {
        for kind in [Type::String, Type::list(Type::Bool), Type::Dynamic] {
            assert_eq!(message_pack::decode(&bytes, &kind).unwrap(), Value::Unknown);
        }
    }
    assert_eq!(message_pack::encode(&Value::Unknown, &Type::String), [0xd4, 0x00, 0x00]);
}

#[test]
fn dynamic_values_carry_their_type() {
    let value = Value::Dynamic(Box::new((Type::String, "x".into())));
    let bytes = message_pack::encode(&value, &Type::Dynamic);
    assert_eq!(bytes, b"\x92\xc4\x08\"string\"\xa1x");
}

#[test]
fn a_mismatch_names_the_place() {
    let kind = Type::object([("outer", Type::object([("inner", Type::Bool)]))]);
    let bytes = b"\x81\xa5outer\x81\xa5inner\xa1x";
    let error = message_pack::decode(bytes, &kind).unwrap_err().to_string();
    assert_eq!(error, "expected bool at outer.inner, found FixStr(1)");
}

#[test]
fn announced_lengths_are_not_trusted() {
    assert!(message_pack::decode(&[0xdd, 0xff, 0xff, 0xff, 0xff], &Type::list(Type::Bool)).is_err());
    assert!(message_pack::decode(&[0xdb, 0xff, 0xff, 0xff, 0xff, b'x'], &Type::String).is_err());
    assert!(message_pack::decode(&[0xc0, 0xc0], &Type::String).is_err());
}

#[test]
fn states_of_other_builds_lose_what_is_gone_and_gain_null() {
    let kind = Type::object([("kept", Type::String), ("new", Type::Bool)]);
    let state = serde_json::json!({ "kept": "x", "gone": [1, 2] });
    let value = json::decode(&state, &kind, json::Unexpected::Drop).unwrap();
    assert_eq!(value, Value::object([("kept", "x".into()), ("new", Value::Null)]));
    assert!(json::decode(&state, &kind, json::Unexpected::Refuse).is_err());
}

#[test]
fn either_form_is_accepted() {
    let kind = Type::list(Type::Number);
    let expected = Value::List(vec![1.into(), 2.into()]);
    let json = DynamicValue { msgpack: Vec::new(), json: b"[1,2]".to_vec() };
    assert_eq!(decode(Some(&json), &kind).unwrap(), expected);
    let packed = encode(&expected, &kind);
    assert!(packed.json.is_empty());
    assert_eq!(decode(Some(&packed), &kind).unwrap(), expected);
    assert_eq!(decode(None, &kind).unwrap(), Value::Null);
}
