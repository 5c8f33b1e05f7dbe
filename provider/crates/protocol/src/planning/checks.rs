//! The checks that Terraform makes of a plan, made here first so that the error names attribute and cause.

use std::collections::BTreeMap;

use crate::diagnostics::Diagnostics;
use crate::path::Path;
use crate::schema::{Attribute, Nesting, Shape};
use crate::value::Value;

/// Adds an error for each value that Terraform would not accept.
pub(super) fn check_plan(
    attributes: &[Attribute],
    prior: &Value,
    config: &Value,
    planned: &Value,
    diagnostics: &mut Diagnostics,
) {
    check_members(attributes, prior, config, planned, &Path::root(), diagnostics);
}

fn bug(path: &Path, reason: &str, diagnostics: &mut Diagnostics) {
    diagnostics.error_at(
        path,
        "The provider planned something that Terraform does not accept",
        format!("`{path}`: {reason}. This is a bug in the provider; please report it."),
    );
}

fn check_members(
    attributes: &[Attribute],
    prior: &Value,
    config: &Value,
    planned: &Value,
    path: &Path,
    diagnostics: &mut Diagnostics,
) {
    for attribute in attributes {
        let path = path.attribute(attribute.name);
        let prior = prior.member(attribute.name);
        let config = config.member(attribute.name);
        let planned = planned.member(attribute.name);
        check_value(attribute, prior, config, planned, &path, diagnostics);
    }
}

fn check_value(
    attribute: &Attribute,
    prior: &Value,
    config: &Value,
    planned: &Value,
    path: &Path,
    diagnostics: &mut Diagnostics,
) {
    let rules = &attribute.rules;
    if rules.write_only {
        if !planned.is_null() {
            bug(path, "a write-only attribute was planned", diagnostics);
        }
        return;
    }
    if planned == config {
        return;
    }
    if !rules.block {
        // The prior value may stand for a configuration that means the same.
        let is_kept = planned == prior && !prior.is_null() && !config.is_null();
        if is_kept || (rules.computed && config.is_null()) {
            return;
        }
    }
    match &attribute.shape {
        Shape::Nested(nesting, _) => {
            check_nested(attribute, *nesting, prior, config, planned, path, diagnostics);
        }
        Shape::Plain(_) => bug(path, "the plan is neither the configured nor the prior value", diagnostics),
    }
}

fn check_nested(
    attribute: &Attribute,
    nesting: Nesting,
    prior: &Value,
    config: &Value,
    planned: &Value,
    path: &Path,
    diagnostics: &mut Diagnostics,
) {
    if planned.is_null() {
        return bug(path, "the plan has no value, but the configuration has one", diagnostics);
    }
    if config.is_null() {
        return bug(path, "the plan has a value, but the configuration has none", diagnostics);
    }
    if planned.is_unknown() {
        return bug(path, "a configured object was planned as unknown", diagnostics);
    }
    if config.is_unknown() {
        return bug(path, "the plan is known, but the configuration is not", diagnostics);
    }
    let nested = attribute.nested();
    match (nesting, config, planned) {
        (Nesting::Single, _, _) => check_members(nested, prior, config, planned, path, diagnostics),
        (Nesting::List, Value::List(config), Value::List(planned)) => {
            if config.len() != planned.len() {
                return bug(
                    path,
                    "the plan has another number of elements than the configuration",
                    diagnostics,
                );
            }
            let prior = prior.elements().unwrap_or_default();
            for (index, (config, planned)) in config.iter().zip(planned).enumerate() {
                let prior = prior.get(index).unwrap_or(&Value::Null);
                check_element(nested, prior, config, planned, &path.index(index), diagnostics);
            }
        }
        (Nesting::Map, Value::Map(config), Value::Map(planned)) => {
            check_map(nested, prior, config, planned, path, diagnostics);
        }
        (Nesting::Set, Value::Set(config), Value::Set(planned)) => {
            check_set(nested, config, planned, path, diagnostics);
        }
        _ => bug(path, "the plan is of another type than the configuration", diagnostics),
    }
}

fn check_map(
    nested: &[Attribute],
    prior: &Value,
    config: &BTreeMap<String, Value>,
    planned: &BTreeMap<String, Value>,
    path: &Path,
    diagnostics: &mut Diagnostics,
) {
    for (key, planned) in planned {
        let path = path.key(key);
        match config.get(key) {
            Some(config) => check_element(nested, prior.member(key), config, planned, &path, diagnostics),
            None => bug(&path, "the plan has a key that the configuration does not have", diagnostics),
        }
    }
    for key in config.keys().filter(|key| !planned.contains_key(*key)) {
        bug(&path.key(key), "the plan lacks a key that the configuration has", diagnostics);
    }
}

/// Elements of sets have no place, so each planned one must fit some configured one.
fn check_set(
    nested: &[Attribute],
    config: &[Value],
    planned: &[Value],
    path: &Path,
    diagnostics: &mut Diagnostics,
) {
    if config.len() != planned.len() {
        return bug(path, "the plan has another number of elements than the configuration", diagnostics);
    }
    for planned in planned {
        let fits = config.iter().any(|config| {
            let mut attempt = Diagnostics::new();
            check_element(nested, &Value::Null, config, planned, path, &mut attempt);
            !attempt.has_errors()
        });
        if !fits {
            bug(path, "the plan has an element that fits none of the configuration", diagnostics);
        }
    }
}

fn check_element(
    nested: &[Attribute],
    prior: &Value,
    config: &Value,
    planned: &Value,
    path: &Path,
    diagnostics: &mut Diagnostics,
) {
    if planned == config {
        return;
    }
    match (config, planned) {
        (Value::Object(_), Value::Object(_)) => {
            check_members(nested, prior, config, planned, path, diagnostics);
        }
        (_, Value::Unknown) => bug(path, "a configured object was planned as unknown", diagnostics),
        _ => bug(path, "the plan and the configuration do not agree whether it exists", diagnostics),
    }
}
