//! The proposed new state: the configuration merged with the prior state, as core merges them.

use std::collections::BTreeMap;

use super::schema::{Attribute, Block, Nesting, Shape};
use super::value::Value;

type Attributes = BTreeMap<String, Attribute>;

/// What core proposes to the provider.
pub(super) fn new_state(block: &Block, prior: &Value, config: &Value) -> Value {
    if config.is_null() || config.is_unknown() {
        return prior.clone();
    }
    let mut members = attributes(&block.attributes, prior, config);
    for (name, nested) in &block.blocks {
        let (prior, config) = (prior.member(name), config.member(name));
        let proposed = match nested.nesting {
            Nesting::Single if config.is_null() => Value::Null,
            Nesting::Single => new_state(&nested.block, prior, config),
            nesting => each(nesting, prior, config, |prior, config| new_state(&nested.block, prior, config)),
        };
        members.insert(name.clone(), proposed);
    }
    Value::Map(members)
}

fn attributes(schema: &Attributes, prior: &Value, config: &Value) -> BTreeMap<String, Value> {
    let proposed = |name: &String, attribute: &Attribute| {
        let (prior, config) = (prior.member(name), config.member(name));
        if attribute.write_only {
            return Value::Null;
        }
        if attribute.computed && config.is_null() {
            // A value that only the configuration can have set was taken out of it.
            let must_come_from_configuration = attribute.optional
                && matches!(&attribute.shape, Shape::Nested(nesting, inner) if has_configured(*nesting, inner, prior));
            return if must_come_from_configuration { Value::Null } else { prior.clone() };
        }
        match &attribute.shape {
            Shape::Nested(nesting, inner) => nested(*nesting, inner, prior, config),
            Shape::Plain(_) => config.clone(),
        }
    };
    schema.iter().map(|(name, attribute)| (name.clone(), proposed(name, attribute))).collect()
}

fn nested(nesting: Nesting, schema: &Attributes, prior: &Value, config: &Value) -> Value {
    if config.is_null() || config.is_unknown() {
        return config.clone();
    }
    let object = |prior: &Value, config: &Value| match config {
        Value::Map(_) => Value::Map(attributes(schema, prior, config)),
        other => other.clone(),
    };
    match nesting {
        Nesting::Single => object(prior, config),
        _ => each(nesting, prior, config, object),
    }
}

/// Pairs every configured element with the prior one it continues.
fn each(nesting: Nesting, prior: &Value, config: &Value, merge: impl Fn(&Value, &Value) -> Value) -> Value {
    match (nesting, config) {
        (Nesting::Map, Value::Map(members)) => {
            let merged = members.iter().map(|(name, item)| (name.clone(), merge(prior.member(name), item)));
            Value::Map(merged.collect())
        }
        (Nesting::List, Value::List(items)) => {
            let before = |index: usize| match prior {
                Value::List(items) => items.get(index).unwrap_or(&Value::Null),
                _ => &Value::Null,
            };
            Value::List(items.iter().enumerate().map(|(index, item)| merge(before(index), item)).collect())
        }
        (Nesting::Set, Value::List(items)) => {
            let before = |config: &Value| match prior {
                Value::List(items) => {
                    items.iter().find(|item| continues(item, config)).unwrap_or(&Value::Null)
                }
                _ => &Value::Null,
            };
            Value::set(items.iter().map(|item| merge(before(item), item)).collect())
        }
        _ => config.clone(),
    }
}

/// Whether a prior element agrees with everything the configuration says about it.
fn continues(prior: &Value, config: &Value) -> bool {
    match (prior, config) {
        (_, Value::Null | Value::Unknown) => true,
        (Value::Map(_), Value::Map(members)) => {
            members.iter().all(|(name, member)| continues(prior.member(name), member))
        }
        (prior, config) => prior == config,
    }
}

/// Whether a prior value holds something that cannot have been computed.
fn has_configured(nesting: Nesting, schema: &Attributes, prior: &Value) -> bool {
    let object = |value: &Value| {
        schema.iter().any(|(name, attribute)| {
            let member = value.member(name);
            if member.is_null() {
                return false;
            }
            let deeper = matches!(&attribute.shape, Shape::Nested(nesting, inner)
                if has_configured(*nesting, inner, member));
            !attribute.computed || deeper
        })
    };
    match (nesting, prior) {
        (Nesting::Single, Value::Map(_)) => object(prior),
        (Nesting::Map, Value::Map(members)) => members.values().any(object),
        (Nesting::List | Nesting::Set, Value::List(items)) => items.iter().any(object),
        _ => false,
    }
}
