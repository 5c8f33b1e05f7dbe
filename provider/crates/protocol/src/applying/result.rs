//! The checks that Terraform makes of a result, made here first: an error of ours names attribute and cause,
//! and the state is saved in any case.

use crate::diagnostics::Diagnostics;
use crate::framework::Applied;
use crate::path::Path;
use crate::schema::{Schema, tree};
use crate::value::Value;

const SUMMARY: &str = "The provider returned something that Terraform does not accept";

fn bug(path: &Path, reason: &str, diagnostics: &mut Diagnostics) {
    let place = if path.is_root() { String::new() } else { format!("`{path}`: ") };
    diagnostics.error_at(
        path,
        SUMMARY,
        format!("{place}{reason}. This is a bug in the provider; please report it."),
    );
}

/// Checks the outcome of a change, and makes its state one that can be saved.
pub(super) fn check(schema: &Schema, prior: &Value, planned: &Value, applied: Applied) -> Applied {
    let Applied { mut state, private, mut diagnostics } = applied;
    let failed = diagnostics.has_errors();
    if planned.is_null() {
        if !state.is_null() && !failed {
            bug(&Path::root(), "the object is still there after it was deleted", &mut diagnostics);
        }
    } else if state.is_null() {
        if !failed {
            bug(&Path::root(), "the object is not there after it was created or updated", &mut diagnostics);
        }
        // After a failed update Terraform would otherwise forget an object that exists.
        state = prior.clone();
    } else if !failed {
        compare(schema, planned, &state, &Path::root(), &mut diagnostics);
    }
    let state = check_known(schema, state, failed, &mut diagnostics);
    Applied { state, private, diagnostics }
}

/// Checks that a state is wholly known, and makes it so. After an error unknown values are no surprise.
pub(crate) fn check_known(
    schema: &Schema,
    mut state: Value,
    failed: bool,
    diagnostics: &mut Diagnostics,
) -> Value {
    tree::clear_write_only(&schema.attributes, &mut state);
    tree::fill_blocks(&schema.attributes, &mut state);
    if state.is_wholly_known() {
        return state;
    }
    if !failed {
        report_unknown(&state, &Path::root(), diagnostics);
    }
    let mut state = state.with_unknowns_as_null();
    tree::fill_blocks(&schema.attributes, &mut state);
    state
}

fn report_unknown(value: &Value, path: &Path, diagnostics: &mut Diagnostics) {
    match value {
        Value::Unknown => bug(path, "the value is still unknown", diagnostics),
        Value::Object(members) => {
            for (name, member) in members {
                report_unknown(member, &path.attribute(name), diagnostics);
            }
        }
        Value::Map(members) => {
            for (key, member) in members {
                report_unknown(member, &path.key(key), diagnostics);
            }
        }
        Value::List(elements) => {
            for (index, element) in elements.iter().enumerate() {
                report_unknown(element, &path.index(index), diagnostics);
            }
        }
        Value::Set(elements) => {
            for element in elements {
                report_unknown(element, &path.element(), diagnostics);
            }
        }
        _ => {}
    }
}

/// Adds an error for each known planned value that is another one now.
fn compare(schema: &Schema, planned: &Value, actual: &Value, path: &Path, diagnostics: &mut Diagnostics) {
    match (planned, actual) {
        (Value::Unknown, _) => {}
        (Value::Object(planned), Value::Object(actual)) => {
            for (name, planned) in planned {
                let actual = actual.get(name).unwrap_or(&Value::Null);
                compare(schema, planned, actual, &path.attribute(name), diagnostics);
            }
        }
        (Value::Map(planned), Value::Map(actual)) => {
            for (key, planned) in planned {
                match actual.get(key) {
                    Some(actual) => compare(schema, planned, actual, &path.key(key), diagnostics),
                    None => bug(&path.key(key), "the planned element has vanished", diagnostics),
                }
            }
            for key in actual.keys().filter(|key| !planned.contains_key(*key)) {
                bug(&path.key(key), "the element was not planned", diagnostics);
            }
        }
        (Value::List(planned), Value::List(actual)) if planned.len() == actual.len() => {
            for (index, (planned, actual)) in planned.iter().zip(actual).enumerate() {
                compare(schema, planned, actual, &path.index(index), diagnostics);
            }
        }
        (Value::Set(planned), Value::Set(actual)) => {
            if actual.len() > planned.len() {
                return bug(path, "the set has more elements than planned", diagnostics);
            }
            for planned in planned {
                let found = actual.iter().any(|actual| is_compatible(schema, planned, actual));
                if !found {
                    return bug(path, "a planned element has vanished", diagnostics);
                }
            }
        }
        _ if planned == actual => {}
        _ if tree::is_sensitive(&schema.attributes, path) => {
            bug(path, "the value is not the planned one", diagnostics);
        }
        _ => {
            let text = |value: &Value| crate::codec::json::encode(value).to_string();
            let reason = format!("planned was {}, but now it is {}", text(planned), text(actual));
            bug(path, &reason, diagnostics);
        }
    }
}

fn is_compatible(schema: &Schema, planned: &Value, actual: &Value) -> bool {
    let mut attempt = Diagnostics::new();
    compare(schema, planned, actual, &Path::root(), &mut attempt);
    !attempt.has_errors()
}
