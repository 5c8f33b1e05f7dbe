use super::*;

fn number(text: &str) -> Number {
    Number::parse(text).unwrap()
}

#[test]
fn numbers_have_one_form() {
    let cases = [
        ("0", "0"),
        ("-0", "0"),
        ("0.000", "0"),
        ("0e99999999", "0"),
        ("007", "7"),
        ("+5", "5"),
        ("1.50", "1.5"),
        (".5", "0.5"),
        ("5.", "5"),
        ("-0.10", "-0.1"),
        ("1e3", "1000"),
        ("12.34e1", "123.4"),
        ("1234e-2", "12.34"),
        ("1e-3", "0.001"),
        ("9223372036854775807", "9223372036854775807"),
        ("18446744073709551615", "18446744073709551615"),
        ("18446744073709551616", "18446744073709551616"),
        ("-9223372036854775809", "-9223372036854775809"),
    ];
    for (text, form) in cases {
        assert_eq!(number(text).to_string(), form, "{text}");
    }
    assert_eq!(number("1.0"), Number::from(1));
    assert_eq!(number("18446744073709551615").as_u64(), Some(u64::MAX));
}

#[test]
fn what_is_no_number_is_refused() {
    for text in ["", "-", ".", "e3", "1e", "0x10", "1_000", "one", "1.2.3", "inf", "NaN", "--1", "1e5.0"] {
        assert!(Number::parse(text).is_err(), "{text}");
    }
    assert_eq!(Number::parse("1e999999999"), Err(NumberError::TooLong));
    assert_eq!(Number::from_exact_float(f64::INFINITY), Err(NumberError::NotFinite));
}

#[test]
fn numbers_are_ordered_by_value() {
    let ordered = ["-1e30", "-2.5", "-2", "0", "0.05", "0.1", "9", "10", "18446744073709551615", "1e30"];
    for pair in ordered.windows(2) {
        assert!(number(pair[0]) < number(pair[1]), "{pair:?}");
    }
}

#[test]
fn written_floats_and_carried_floats_differ() {
    assert_eq!(Number::from(0.1), number("0.1"));
    assert!(Number::from_exact_float(0.1).unwrap().to_string().starts_with("0.1000000000000000055"));
    assert_eq!(Number::from_exact_float(0.5).unwrap(), number("0.5"));
}

#[test]
fn sets_have_no_order_and_no_repetition() {
    let one = Value::set(["b".into(), "a".into(), "b".into()]);
    assert_eq!(one, Value::Set(vec!["a".into(), "b".into()]));
    assert_eq!(Value::Set(vec!["b".into(), "a".into()]), one);
    let unknown = Value::set([Value::Unknown, Value::Unknown]);
    assert_eq!(unknown.elements().map(<[_]>::len), Some(2));
}

#[test]
fn unknowns_become_null() {
    let value = Value::object([
        ("known", Value::from(1)),
        ("unknown", Value::Unknown),
        ("list", Value::List(vec![Value::Unknown])),
        ("set", Value::set([Value::Unknown, "a".into()])),
    ]);
    assert!(!value.is_wholly_known());
    let expected = Value::object([
        ("known", Value::from(1)),
        ("unknown", Value::Null),
        ("list", Value::List(vec![Value::Null])),
        ("set", Value::set(["a".into()])),
    ]);
    assert_eq!(value.with_unknowns_as_null(), expected);
}

#[test]
fn types_travel_as_json() {
    let kind = Type::map(Type::object([
        ("a", Type::list(Type::String)),
        ("b", Type::set(Type::Number)),
        ("c", Type::Tuple(vec![Type::Bool, Type::Dynamic])),
    ]));
    let text =
        r#"["map",["object",{"a":["list","string"],"b":["set","number"],"c":["tuple",["bool","dynamic"]]}]]"#;
    assert_eq!(String::from_utf8(kind.to_bytes()).unwrap(), text);
    assert_eq!(Type::from_bytes(text.as_bytes()), Ok(kind));
    for wrong in ["\"text\"", "[\"list\"]", "[\"object\",[]]", "{}", "no json"] {
        assert!(Type::from_bytes(wrong.as_bytes()).is_err(), "{wrong}");
    }
}
