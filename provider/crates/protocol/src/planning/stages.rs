//! The stages of a plan before the resource's own.

use crate::path::Path;
use crate::schema::Attribute;
use crate::schema::tree::each_planned_object;
use crate::value::Value;

/// Gives attributes that the configuration leaves out their defaults.
pub(super) fn apply_defaults(attributes: &[Attribute], config: &Value, planned: &mut Value) {
    for attribute in attributes {
        let config = config.member(attribute.name);
        let Some(planned) = member_mut(planned, attribute) else { continue };
        match &attribute.rules.default {
            Some(default) if config.is_null() => *planned = default.clone(),
            _ => each_planned_object(
                attribute,
                config,
                &Value::Null,
                planned,
                &Path::root(),
                &mut |config, _, planned, _| apply_defaults(attribute.nested(), config, planned),
            ),
        }
    }
}

/// Makes computed attributes that the configuration leaves out unknown: something changes, and until it has
/// been done nobody can say what they will be.
pub(super) fn mark_computed(attributes: &[Attribute], config: &Value, planned: &mut Value) {
    for attribute in attributes {
        let config = config.member(attribute.name);
        let Some(planned) = member_mut(planned, attribute) else { continue };
        if config.is_null() && attribute.rules.is_decided_by_provider() {
            *planned = Value::Unknown;
        } else {
            each_planned_object(
                attribute,
                config,
                &Value::Null,
                planned,
                &Path::root(),
                &mut |config, _, planned, _| mark_computed(attribute.nested(), config, planned),
            );
        }
    }
}

/// Applies the rules of attributes to updates: what keeps its prior value, and what replaces the object.
pub(super) fn modify(
    attributes: &[Attribute],
    config: &Value,
    prior: &Value,
    planned: &mut Value,
    path: &Path,
    requires_replace: &mut Vec<Path>,
) {
    if prior.is_null() {
        // A create, or a nested object that is new: there is nothing to keep and nothing to replace.
        return;
    }
    for attribute in attributes {
        let rules = &attribute.rules;
        let path = path.attribute(attribute.name);
        let (config, prior) = (config.member(attribute.name), prior.member(attribute.name));
        let Some(planned) = member_mut(planned, attribute) else { continue };
        if rules.use_prior && config.is_null() && planned.is_unknown() && !prior.is_null() {
            *planned = prior.clone();
        }
        each_planned_object(attribute, config, prior, planned, &path, &mut |config, prior, planned, path| {
            modify(attribute.nested(), config, prior, planned, path, requires_replace);
        });
        // Users who leave the value to the provider did not ask for another one.
        let configured = !(config.is_null() && rules.is_decided_by_provider());
        if rules.requires_replace && configured && planned != prior {
            requires_replace.push(path);
        }
    }
}

fn member_mut<'value>(object: &'value mut Value, attribute: &Attribute) -> Option<&'value mut Value> {
    match object {
        Value::Object(members) => members.get_mut(attribute.name),
        _ => None,
    }
}
