//! What core checks in the provider's answers. Each function names what is wrong, in core's words.

use std::collections::BTreeMap;

use super::schema::{Attribute, Block, Nesting, Shape};
use super::value::Value;

type Attributes = BTreeMap<String, Attribute>;

/// "Provider produced invalid plan": every planned value is the configured one, an equivalent prior one, or
/// belongs to a computed attribute that the configuration leaves out.
pub(super) fn plan_valid(block: &Block, prior: &Value, config: &Value, planned: &Value) -> Vec<String> {
    let mut found = Vec::new();
    block_valid(block, prior, config, planned, "", &mut found);
    named("Provider produced invalid plan", found)
}

fn named(summary: &str, details: Vec<String>) -> Vec<String> {
    details.into_iter().map(|detail| format!("{summary}: {detail}")).collect()
}

fn block_valid(
    block: &Block,
    prior: &Value,
    config: &Value,
    planned: &Value,
    path: &str,
    found: &mut Vec<String>,
) {
    attributes_valid(&block.attributes, prior, config, planned, path, found);
    for (name, nested) in &block.blocks {
        let path = format!("{path}.{name}");
        let (prior, config, planned) = (prior.member(name), config.member(name), planned.member(name));
        match (nested.nesting, config, planned) {
            (_, Value::Null, Value::Null) => {}
            (Nesting::Single, Value::Map(_), Value::Map(_)) => {
                block_valid(&nested.block, prior, config, planned, &path, found);
            }
            (Nesting::Single, ..) => {
                found.push(format!("{path}: block is {planned:?}, configured is {config:?}"))
            }
            (_, Value::List(one), Value::List(two)) if one.len() == two.len() => {}
            (_, Value::Map(one), Value::Map(two)) if one.keys().eq(two.keys()) => {}
            _ => found.push(format!("{path}: planned blocks differ from the configured ones")),
        }
    }
}

fn attributes_valid(
    schema: &Attributes,
    prior: &Value,
    config: &Value,
    planned: &Value,
    path: &str,
    found: &mut Vec<String>,
) {
    for (name, attribute) in schema {
        let path = format!("{path}.{name}");
        attribute_valid(
            attribute,
            prior.member(name),
            config.member(name),
            planned.member(name),
            &path,
            found,
        );
    }
}

fn attribute_valid(
    attribute: &Attribute,
    prior: &Value,
    config: &Value,
    planned: &Value,
    path: &str,
    found: &mut Vec<String>,
) {
    if attribute.write_only {
        if !planned.is_null() {
            found.push(format!("{path}: a write-only value is planned"));
        }
        return;
    }
    if planned == config || (!config.is_null() && !prior.is_null() && planned == prior) {
        return;
    }
    if attribute.computed && config.is_null() {
        return;
    }
    if let (Shape::Nested(nesting, inner), false) =
        (&attribute.shape, config.is_null() || config.is_unknown())
    {
        nested_valid(*nesting, inner, prior, config, planned, path, found);
        return;
    }
    let allowed = if config.is_null() { "null" } else { "the configured or the prior value" };
    found.push(format!(
        "{path}: planned {planned:?}, allowed is {allowed}; configured {config:?}, prior {prior:?}"
    ));
}

fn nested_valid(
    nesting: Nesting,
    schema: &Attributes,
    prior: &Value,
    config: &Value,
    planned: &Value,
    path: &str,
    found: &mut Vec<String>,
) {
    match (nesting, config, planned) {
        (_, _, Value::Unknown) => {
            found.push(format!("{path}: a configured nested object is planned unknown"))
        }
        (Nesting::Single, Value::Map(_), Value::Map(_)) => {
            attributes_valid(schema, prior, config, planned, path, found);
        }
        (Nesting::Map, Value::Map(configured), Value::Map(members)) => {
            if !configured.keys().eq(members.keys()) {
                found.push(format!("{path}: the planned keys are not the configured ones"));
                return;
            }
            for (name, member) in members {
                let (prior, config, path) =
                    (prior.member(name), config.member(name), format!("{path}[{name}]"));
                attributes_valid(schema, prior, config, member, &path, found);
            }
        }
        (Nesting::List, Value::List(configured), Value::List(items)) => {
            if configured.len() != items.len() {
                found.push(format!(
                    "{path}: {} elements planned, {} configured",
                    items.len(),
                    configured.len()
                ));
                return;
            }
            for (index, (config, item)) in configured.iter().zip(items).enumerate() {
                let before = match prior {
                    Value::List(items) => items.get(index).unwrap_or(&Value::Null),
                    _ => &Value::Null,
                };
                attributes_valid(schema, before, config, item, &format!("{path}[{index}]"), found);
            }
        }
        (Nesting::Set, Value::List(configured), Value::List(items)) if configured.len() == items.len() => {}
        _ => found.push(format!("{path}: planned {planned:?}, configured {config:?}")),
    }
}

/// "Provider produced inconsistent final plan": what the first plan knew is the same in the second.
pub(super) fn final_plan(first: &Value, second: &Value) -> Vec<String> {
    named("Provider produced inconsistent final plan", incompatible(first, second))
}

/// "Provider produced inconsistent result after apply": what was planned known is what came out.
pub(super) fn result(planned: &Value, actual: &Value) -> Vec<String> {
    named("Provider produced inconsistent result after apply", incompatible(planned, actual))
}

fn incompatible(planned: &Value, actual: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compatible(planned, actual, "", &mut found);
    found
}

fn compatible(planned: &Value, actual: &Value, path: &str, found: &mut Vec<String>) {
    match (planned, actual) {
        (Value::Unknown, _) => {}
        (Value::Map(one), Value::Map(two)) => {
            for (name, member) in one {
                match two.get(name) {
                    Some(other) => compatible(member, other, &format!("{path}.{name}"), found),
                    None => found.push(format!("{path}: element {name} has vanished")),
                }
            }
            for name in two.keys().filter(|name| !one.contains_key(*name)) {
                found.push(format!("{path}: element {name} has appeared"));
            }
        }
        (Value::List(one), Value::List(two)) if one.len() == two.len() => {
            if planned.is_wholly_known() && planned != actual {
                found.push(format!("{path}: was {planned:?}, but now {actual:?}"));
            } else if !planned.is_wholly_known() {
                for (index, (item, other)) in one.iter().zip(two).enumerate() {
                    compatible(item, other, &format!("{path}[{index}]"), found);
                }
            }
        }
        (one, two) if one == two => {}
        (one, two) => found.push(format!("{path}: was {one:?}, but now {two:?}")),
    }
}

/// "Provider produced invalid object": read, import and upgrade answer wholly known values.
pub(super) fn known(value: &Value) -> Vec<String> {
    if value.is_wholly_known() {
        return Vec::new();
    }
    vec!["Provider produced invalid object: it has unknown values".to_owned()]
}

#[cfg(test)]
mod tests {
    use super::{final_plan, plan_valid};
    use crate::Result;
    use crate::driver::schema::{Attribute, Block, Nesting, Shape};
    use crate::driver::value::{Type, Value};
    use serde_json::json;
    use std::collections::BTreeMap;

    fn attribute(optional: bool, computed: bool, shape: Shape) -> Attribute {
        Attribute {
            required: !optional && !computed,
            optional,
            computed,
            sensitive: false,
            write_only: false,
            shape,
        }
    }

    fn block() -> Block {
        let text = || Shape::Plain(Type::Text);
        let inner = BTreeMap::from([("size".to_owned(), attribute(true, false, text()))]);
        let attributes = BTreeMap::from([
            ("name".to_owned(), attribute(false, false, text())),
            ("arn".to_owned(), attribute(false, true, text())),
            ("groups".to_owned(), attribute(true, false, Shape::Nested(Nesting::Map, inner))),
        ]);
        Block { attributes, blocks: BTreeMap::new() }
    }

    fn value(json: serde_json::Value) -> Result<Value> {
        Value::from_json(&json, &block().value_type())
    }

    #[test]
    fn a_plan_may_only_decide_what_the_configuration_leaves_to_it() -> Result<()> {
        let config = value(json!({"name": "prod", "groups": {"a": {}}}))?;
        let good = value(json!({"name": "prod", "arn": {"$unknown": true}, "groups": {"a": {}}}))?;
        assert_eq!(plan_valid(&block(), &Value::Null, &config, &good), Vec::<String>::new());
        for bad in [
            json!({"name": "other", "groups": {"a": {}}}),
            json!({"name": "prod", "groups": {"a": {"size": "m"}}}),
            json!({"name": "prod", "groups": {"a": {}, "b": {}}}),
            json!({"name": "prod", "groups": {"$unknown": true}}),
        ] {
            assert_eq!(plan_valid(&block(), &Value::Null, &config, &value(bad.clone())?).len(), 1, "{bad}");
        }
        Ok(())
    }

    #[test]
    fn the_second_plan_may_learn_but_not_change_its_mind() -> Result<()> {
        let first = value(json!({"name": "prod", "arn": {"$unknown": true}}))?;
        let second = value(json!({"name": "prod", "arn": "arn:1"}))?;
        assert_eq!(final_plan(&first, &second), Vec::<String>::new());
        assert_eq!(final_plan(&second, &first).len(), 1);
        Ok(())
    }
}
