use super::*;
use crate::path::Path;
use crate::value::{Type, Value};

fn text(rules: Rules) -> Attribute {
    named("value", rules)
}

fn named(name: &'static str, rules: Rules) -> Attribute {
    Attribute { name, description: "Text.".to_owned(), shape: Shape::Plain(Type::String), rules }
}

fn nested(nesting: Nesting, rules: Rules, members: Vec<Attribute>) -> Attribute {
    Attribute { shape: Shape::Nested(nesting, members), ..text(rules) }
}

fn problems(attributes: Vec<Attribute>) -> Vec<String> {
    check(&Schema { version: 0, description: String::new(), attributes })
}

#[test]
fn good_schemas_have_no_problems() {
    let good = vec![
        named("one", required().requires_replace().length(1, 9)),
        named("two", optional().computed().use_prior()),
        named("three", optional().default("x")),
        named("four", computed().sensitive()),
        named("five", optional().write_only()),
        nested(Nesting::Map, optional(), vec![text(optional().default("x"))]),
        Attribute { name: "six", ..nested(Nesting::Set, computed(), vec![text(computed())]) },
        Attribute { name: "seven", ..nested(Nesting::Single, block(), vec![text(optional())]) },
        Attribute { name: "eight", ..nested(Nesting::List, block(), vec![text(required())]) },
    ];
    assert_eq!(problems(good), Vec::<String>::new());
}

#[test]
fn bad_schemas_have_problems() {
    let cases = [
        (text(Rules { sensitive: true, ..Default::default() }), "must be required, optional or computed"),
        (text(required().optional()), "neither optional nor computed"),
        (text(required().computed()), "neither optional nor computed"),
        (text(required().default("x")), "neither optional nor computed"),
        (text(computed().default("x")), "a default needs an optional attribute"),
        (text(optional().default(5)), "the default is of another type"),
        (text(computed().write_only()), "write-only, and so not computed"),
        (text(optional().use_prior()), "only computed attributes keep"),
        (text(computed().requires_replace()), "only what users write"),
        (named("count", optional()), "the name is reserved"),
        (named("camelCase", optional()), "names are lower-case"),
        (named("9lives", optional()), "names are lower-case"),
        (text(block()), "a block needs a model"),
        (nested(Nesting::Map, block(), vec![]), "map blocks are not supported"),
        (nested(Nesting::Single, block().optional(), vec![]), "a block is neither"),
        (nested(Nesting::Single, computed(), vec![text(optional())]), "only the provider sets"),
        (nested(Nesting::Set, optional(), vec![text(optional().computed())]), "in a set that users write"),
        (
            nested(Nesting::Set, optional(), vec![text(optional().write_only())]),
            "the elements of a set cannot be",
        ),
        (
            nested(Nesting::Single, optional(), vec![nested(Nesting::Single, block(), vec![])]),
            "a nested attribute holds no blocks",
        ),
        (Attribute { description: String::new(), ..text(optional()) }, "has no description"),
    ];
    for (attribute, expected) in cases {
        let found = problems(vec![attribute]);
        assert!(found.iter().any(|problem| problem.contains(expected)), "{expected}: {found:?}");
    }
    let twice = problems(vec![text(optional()), text(optional())]);
    assert_eq!(twice, ["value: the name is used twice"]);
}

#[test]
fn attributes_have_a_type_or_nested_attributes_on_the_wire() {
    let attributes = vec![
        text(required()),
        Attribute { name: "objects", ..nested(Nesting::Map, optional(), vec![text(computed())]) },
        Attribute { name: "timeouts", ..nested(Nesting::Single, block(), vec![text(optional())]) },
    ];
    let schema = Schema { version: 3, description: "Everything.".to_owned(), attributes };
    let wire = schema.to_wire();
    let block = wire.block.unwrap();
    assert_eq!(wire.version, 3);
    assert_eq!(block.description, "Everything.");
    assert_eq!(block.attributes[0].r#type, b"\"string\"");
    assert!(block.attributes[0].nested_type.is_none() && block.attributes[0].required);
    let nested = block.attributes[1].nested_type.as_ref().unwrap();
    assert!(block.attributes[1].r#type.is_empty() && nested.nesting == 4 && nested.attributes[0].computed);
    assert_eq!(block.block_types[0].type_name, "timeouts");
    let object = Type::object([("value", Type::String)]);
    let whole =
        Type::object([("value", Type::String), ("objects", Type::map(object.clone())), ("timeouts", object)]);
    assert_eq!(schema.value_type(), whole);
}

fn errors(rules: Rules, value: Value) -> Vec<String> {
    let attributes = [text(rules)];
    let config = Value::object([("value", value)]);
    let mut diagnostics = crate::Diagnostics::new();
    tree::validate(&attributes, &config, &Path::root(), &mut diagnostics);
    diagnostics
        .iter()
        .map(|diagnostic| format!("{}: {}", diagnostic.path.clone().unwrap_or_default(), diagnostic.detail))
        .collect()
}

#[test]
fn validators_say_what_is_wrong_where() {
    let list = |texts: &[&str]| Value::List(texts.iter().map(|text| Value::from(*text)).collect());
    let one_of = || optional().one_of(&["a", "b"]);
    let lower = || optional().check(|text| text == text.to_lowercase(), "be in lower case");
    let keys = || optional().keys(|key| !key.contains(' '), "have no spaces");
    let map = Value::Map([("a b".to_owned(), Value::from(1))].into());
    let cases = [
        (one_of(), "a".into(), ""),
        (one_of(), "c".into(), "value: `value` must be one of `a`, `b`, but got \"c\"."),
        (one_of(), list(&["a", "c"]), "value[1]: `value[1]` must be one of `a`, `b`, but got \"c\"."),
        (one_of(), Value::set(["c".into()]), "value[*]: `value[*]` must be one of `a`, `b`, but got \"c\"."),
        (one_of().sensitive(), "c".into(), "value: `value` must be one of `a`, `b`."),
        (one_of(), Value::Unknown, ""),
        (one_of(), Value::Null, ""),
        (optional().length(1, 2), "äö".into(), ""),
        (
            optional().length(1, 2),
            "abc".into(),
            "value: `value` must have 1 to 2 characters, but got \"abc\".",
        ),
        (optional().at_least(1), 1.into(), ""),
        (optional().at_least(1), 0.into(), "value: `value` must be at least 1, but got 0."),
        (optional().between(1, 3), 3.5.into(), "value: `value` must be from 1 to 3, but got 3.5."),
        (optional().at_most(3), 4.into(), "value: `value` must be at most 3, but got 4."),
        (lower(), "A".into(), "value: `value` must be in lower case, but got \"A\"."),
        (optional().non_empty(), "".into(), "value: `value` must not be empty."),
        (optional().non_empty(), list(&[]), "value: `value` must not be empty."),
        (
            optional().size(2, 2),
            list(&["a"]),
            "value: `value` must have exactly 2 elements, but got 1 elements.",
        ),
        (optional().min_size(2), Value::set([Value::Unknown]), ""),
        (keys(), map, "value: `value` must have keys that have no spaces, but got \"a b\"."),
    ];
    for (rules, value, expected) in cases {
        assert_eq!(errors(rules, value.clone()).join("|"), expected, "{value:?}");
    }
}
