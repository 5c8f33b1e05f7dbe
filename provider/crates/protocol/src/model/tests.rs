use std::time::Duration;

use super::*;
use crate::diagnostics::Diagnostics;
use crate::path::Path;
use crate::schema::{Nesting, Shape};
use crate::value::{Type, Value};

crate::model! {
    /// Something nested.
    struct Inner paths InnerPaths {
        /// A keyword as a name.
        r#type: String = required(),
        /// A number.
        size: i64 = optional(),
    }

    /// Everything a model can hold.
    struct Outer paths OuterPaths {
        /// Text.
        text: String = optional(),
        /// Flag.
        flag: bool = optional(),
        /// Fraction.
        fraction: f64 = optional(),
        /// Texts.
        texts: List<String> = optional(),
        /// Numbers.
        numbers: Set<i64> = optional(),
        /// Nested lists.
        lists: Map<List<String>> = optional(),
        /// One.
        one: Inner = optional(),
        /// Many.
        many: Map<Inner> = optional(),
        /// In order.
        ordered: List<Inner> = optional(),
        timeouts: Timeouts = block(),
    }

    /// Nothing at all.
    struct Empty {}
}

fn inner(kind: &str) -> Inner {
    Inner { r#type: kind.into(), size: Field::Unknown }
}

fn outer() -> Outer {
    Outer {
        text: "x".into(),
        flag: true.into(),
        fraction: 0.1.into(),
        texts: Field::Known(
            [Field::Known("a".to_owned()), Field::Unknown, Field::Null].into_iter().collect(),
        ),
        numbers: Field::Known([2, 1].into_iter().collect()),
        lists: Field::Unknown,
        one: inner("one").into(),
        many: Field::Known([("k", inner("many"))].into_iter().collect()),
        ordered: Field::Known([Field::Known(inner("first")), Field::Unknown].into_iter().collect()),
        timeouts: Field::Known(Timeouts { create: "1h30m".into(), ..Timeouts::default() }),
    }
}

#[test]
fn models_come_back_as_they_went() {
    for model in [outer(), Outer::default()] {
        let value = model.to_value();
        assert_eq!(Outer::from_value(&value, &Path::root()).unwrap(), model);
        let kind = crate::schema_of::<Outer>(0, "").value_type();
        let bytes = crate::codec::message_pack::encode(&value, &kind);
        assert_eq!(crate::codec::message_pack::decode(&bytes, &kind).unwrap(), value);
    }
    assert_eq!(Empty::from_value(&Empty {}.to_value(), &Path::root()).unwrap(), Empty {});
}

#[test]
fn shapes_follow_the_types() {
    let attributes = Outer::attributes();
    let of = |name: &str| &attributes.iter().find(|attribute| attribute.name == name).unwrap().shape;
    assert!(matches!(of("lists"), Shape::Plain(kind) if *kind == Type::map(Type::list(Type::String))));
    assert!(matches!(of("one"), Shape::Nested(Nesting::Single, members) if members[0].name == "type"));
    assert!(matches!(of("many"), Shape::Nested(Nesting::Map, _)));
    assert!(matches!(of("ordered"), Shape::Nested(Nesting::List, _)));
    assert_eq!(Outer::description(), "Everything a model can hold.");
}

#[test]
fn paths_follow_the_names() {
    let at = Outer::at(&Path::root());
    assert_eq!(Inner::at(&at.many.key("k")).r#type.to_string(), "many[\"k\"].type");
    assert_eq!(Inner::at(&at.ordered.index(2)).size.to_string(), "ordered[2].size");
}

#[test]
fn what_does_not_fit_is_an_error_with_its_path() {
    let mut value = outer().to_value();
    if let Value::Object(members) = &mut value {
        members.insert("flag".to_owned(), "x".into());
        members.insert("numbers".to_owned(), Value::set([1.5.into()]));
        members.insert("many".to_owned(), Value::Map([("k".to_owned(), Value::Bool(true))].into()));
    }
    let errors = Outer::from_value(&value, &Path::root()).unwrap_err();
    let paths: Vec<String> = errors.iter().map(|error| error.path.clone().unwrap().to_string()).collect();
    assert_eq!(paths, ["flag", "numbers[*]", "many[\"k\"]"]);
}

#[test]
fn sets_compare_without_order() {
    let one: Set<i64> = [1, 2, 2].into_iter().collect();
    let two: Set<i64> = [2, 1, 2].into_iter().collect();
    let three: Set<i64> = [1, 1, 2].into_iter().collect();
    assert_eq!(one, two);
    assert_ne!(one, three);
}

#[test]
fn comments_become_markdown() {
    let lines = [" One", " line.", "", " - item", "   goes on", " - item", "", " End."];
    assert_eq!(description(&lines), "One line.\n\n- item goes on\n- item\n\nEnd.");
    assert_eq!(description(&["", " Text.", "", "", " More.", ""]), "Text.\n\nMore.");
}

#[test]
fn durations_are_written_as_in_go() {
    let cases = [
        ("60m", 3_600_000),
        ("1h30m", 5_400_000),
        ("90s", 90_000),
        ("1.5h", 5_400_000),
        ("250ms", 250),
        ("1s500ms", 1_500),
        ("0", 0),
        ("+1s", 1_000),
    ];
    for (text, milliseconds) in cases {
        assert_eq!(parse_duration(text), Ok(Duration::from_millis(milliseconds)), "{text}");
    }
    for text in ["", "60", "m", "-5m", "5 m", "1d", "1h 30m", ".", "1..5s", "99999999999999999999h"] {
        assert!(parse_duration(text).is_err(), "{text}");
    }
    let timeouts = Timeouts { create: "5m".into(), ..Timeouts::default() };
    assert_eq!(timeouts.create_or(Duration::ZERO), Duration::from_secs(300));
    assert_eq!(timeouts.delete_or(Duration::from_secs(7)), Duration::from_secs(7));
}

#[test]
fn fields_tell_null_from_unknown() {
    let known: Field<i64> = 5.into();
    assert_eq!(known.known(), Some(&5));
    assert_eq!(Field::<i64>::Unknown.or(5), Field::Unknown);
    assert_eq!(Field::<i64>::Null.or(5), known);
    assert_eq!(Field::<i64>::from(None), Field::Null);
    assert_eq!(known.map(|number| number + 1), Field::Known(6));
    assert_eq!(Field::<i64>::Unknown.unwrap_or(3), 3);
    assert_eq!(known.known_or(&9), &5);
    let mut diagnostics = Diagnostics::new();
    let read = Field::<i64>::from_value(&Value::from(u64::MAX), &Path::root(), &mut diagnostics);
    assert!(read.is_null() && diagnostics.has_errors());
}
