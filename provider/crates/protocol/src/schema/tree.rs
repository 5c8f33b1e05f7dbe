//! Walks over values with their schema: configuration, state and plan side by side.

use crate::diagnostics::Diagnostics;
use crate::path::Path;
use crate::schema::{Attribute, Nesting, Shape};
use crate::value::Value;

/// Runs every validator on a configuration.
pub(crate) fn validate(attributes: &[Attribute], config: &Value, path: &Path, diagnostics: &mut Diagnostics) {
    for attribute in attributes {
        let value = config.member(attribute.name);
        if value.is_null() || value.is_unknown() {
            continue;
        }
        let path = path.attribute(attribute.name);
        for validator in &attribute.rules.validators {
            validator.validate(value, &path, attribute.rules.sensitive, diagnostics);
        }
        each_object(attribute, value, &path, &mut |object, path| {
            validate(attribute.nested(), object, path, diagnostics);
        });
    }
}

/// Adds an error for each write-only attribute that is set although Terraform is too old for them.
pub(crate) fn refuse_write_only(
    attributes: &[Attribute],
    config: &Value,
    path: &Path,
    diagnostics: &mut Diagnostics,
) {
    for attribute in attributes {
        let value = config.member(attribute.name);
        if value.is_null() {
            continue;
        }
        let path = path.attribute(attribute.name);
        if attribute.rules.write_only {
            diagnostics.error_at(
                &path,
                "Write-only attribute not allowed",
                format!("`{path}` is write-only, which needs Terraform 1.11 or later."),
            );
        }
        each_object(attribute, value, &path, &mut |object, path| {
            refuse_write_only(attribute.nested(), object, path, diagnostics);
        });
    }
}

/// Sets write-only attributes to null: they are never planned and never saved.
pub(crate) fn clear_write_only(attributes: &[Attribute], value: &mut Value) {
    let Value::Object(members) = value else { return };
    for attribute in attributes {
        let Some(member) = members.get_mut(attribute.name) else { continue };
        if attribute.rules.write_only {
            *member = Value::Null;
        } else {
            each_object_mut(attribute, member, &mut |object| clear_write_only(attribute.nested(), object));
        }
    }
}

/// Gives list and set blocks that are null no elements instead: Terraform knows no null blocks of those kinds.
pub(crate) fn fill_blocks(attributes: &[Attribute], value: &mut Value) {
    let Value::Object(members) = value else { return };
    for attribute in attributes.iter().filter(|attribute| attribute.rules.block) {
        let member = members.entry(attribute.name.to_owned()).or_default();
        match (&attribute.shape, member.is_null()) {
            (Shape::Nested(Nesting::List, _), true) => *member = Value::List(Vec::new()),
            (Shape::Nested(Nesting::Set, _), true) => *member = Value::Set(Vec::new()),
            _ => each_object_mut(attribute, member, &mut |object| fill_blocks(attribute.nested(), object)),
        }
    }
}

/// Whether the attribute at this path, or one around it, is hidden.
pub(crate) fn is_sensitive(attributes: &[Attribute], path: &Path) -> bool {
    use crate::path::PathStep;
    let mut attributes = attributes;
    for step in path.steps() {
        let PathStep::Attribute(name) = step else { continue };
        match attributes.iter().find(|attribute| attribute.name == name) {
            Some(attribute) if attribute.rules.sensitive => return true,
            Some(attribute) => attributes = attribute.nested(),
            None => return false,
        }
    }
    false
}

/// Visits the nested objects of an attribute's value.
fn each_object(attribute: &Attribute, value: &Value, path: &Path, visit: &mut dyn FnMut(&Value, &Path)) {
    let Shape::Nested(nesting, _) = &attribute.shape else { return };
    match (nesting, value) {
        (Nesting::Single, object @ Value::Object(_)) => visit(object, path),
        (Nesting::List, Value::List(elements)) => {
            for (index, element) in elements.iter().enumerate() {
                visit(element, &path.index(index));
            }
        }
        (Nesting::Set, Value::Set(elements)) => {
            for element in elements {
                visit(element, &path.element());
            }
        }
        (Nesting::Map, Value::Map(members)) => {
            for (key, member) in members {
                visit(member, &path.key(key));
            }
        }
        _ => {}
    }
}

fn each_object_mut(attribute: &Attribute, value: &mut Value, visit: &mut dyn FnMut(&mut Value)) {
    let Shape::Nested(..) = &attribute.shape else { return };
    match value {
        object @ Value::Object(_) => visit(object),
        Value::List(elements) => elements.iter_mut().for_each(visit),
        Value::Set(elements) => {
            elements.iter_mut().for_each(visit);
            *value = Value::set(std::mem::take(elements));
        }
        Value::Map(members) => members.values_mut().for_each(visit),
        _ => {}
    }
}

/// Visits the nested objects of a plan together with the objects of the configuration and of the prior state
/// at the same place. Sets are left out: their elements have no place, and hold nothing that is computed.
pub(crate) fn each_planned_object(
    attribute: &Attribute,
    config: &Value,
    prior: &Value,
    planned: &mut Value,
    path: &Path,
    visit: &mut dyn FnMut(&Value, &Value, &mut Value, &Path),
) {
    let Shape::Nested(nesting, _) = &attribute.shape else { return };
    match (nesting, config, planned) {
        (Nesting::Single, Value::Object(_), planned @ Value::Object(_)) => {
            visit(config, prior, planned, path)
        }
        (Nesting::List, Value::List(config), Value::List(planned)) => {
            let prior = prior.elements().unwrap_or_default();
            for (index, (config, planned)) in config.iter().zip(planned).enumerate() {
                visit(config, prior.get(index).unwrap_or(&Value::Null), planned, &path.index(index));
            }
        }
        (Nesting::Map, Value::Map(config), Value::Map(planned)) => {
            for (key, planned) in planned {
                if let Some(config) = config.get(key) {
                    visit(config, prior.member(key), planned, &path.key(key));
                }
            }
        }
        _ => {}
    }
}
