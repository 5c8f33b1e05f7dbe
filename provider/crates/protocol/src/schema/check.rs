//! Terraform's own checks of schemas, so that a bad one fails a unit test and never reaches Terraform.

use crate::path::Path;
use crate::schema::{Attribute, Nesting, Schema, Shape};
use crate::value::Type;

/// Names that Terraform keeps for itself at the top level of a resource or data source.
const RESERVED: [&str; 7] =
    ["connection", "count", "depends_on", "for_each", "lifecycle", "provider", "provisioner"];

/// Everything that is wrong with a schema, as one sentence each.
pub fn check(schema: &Schema) -> Vec<String> {
    let mut problems = Vec::new();
    for attribute in &schema.attributes {
        if RESERVED.contains(&attribute.name) {
            problems.push(format!("{}: the name is reserved", attribute.name));
        }
    }
    check_members(&schema.attributes, &Path::root(), Surrounding::default(), &mut problems);
    problems
}

/// What the objects around an attribute say about it.
#[derive(Clone, Copy, Default)]
struct Surrounding {
    in_set: bool,
    in_attribute: bool,
    computed_only: bool,
}

fn check_members(members: &[Attribute], path: &Path, around: Surrounding, problems: &mut Vec<String>) {
    for (position, member) in members.iter().enumerate() {
        let path = path.attribute(member.name);
        if members[..position].iter().any(|earlier| earlier.name == member.name) {
            problems.push(format!("{path}: the name is used twice"));
        }
        if !is_valid_name(member.name) {
            problems.push(format!("{path}: names are lower-case letters, digits and underscores"));
        }
        if member.rules.block {
            check_block(member, &path, around, problems);
        } else {
            check_attribute(member, &path, around, problems);
        }
    }
}

fn check_block(member: &Attribute, path: &Path, around: Surrounding, problems: &mut Vec<String>) {
    let rules = &member.rules;
    if around.in_attribute {
        problems.push(format!("{path}: a nested attribute holds no blocks"));
    }
    if rules.required || rules.optional || rules.computed || rules.sensitive || rules.write_only {
        problems.push(format!("{path}: a block is neither required, optional, computed nor sensitive"));
    }
    if rules.default.is_some() || rules.use_prior || rules.requires_replace {
        problems.push(format!("{path}: the rules of a block belong to its attributes"));
    }
    match &member.shape {
        Shape::Nested(Nesting::Map, _) => problems.push(format!("{path}: map blocks are not supported")),
        Shape::Nested(nesting, members) => {
            let around = Surrounding { in_set: around.in_set || *nesting == Nesting::Set, ..around };
            check_members(members, path, around, problems);
        }
        Shape::Plain(_) => problems.push(format!("{path}: a block needs a model as its type")),
    }
}

fn check_attribute(member: &Attribute, path: &Path, around: Surrounding, problems: &mut Vec<String>) {
    let rules = &member.rules;
    let mut problem = |text: &str| problems.push(format!("{path}: {text}"));
    if !(rules.required || rules.optional || rules.computed) {
        problem("must be required, optional or computed");
    }
    if rules.required && (rules.optional || rules.computed) {
        problem("is required, and so neither optional nor computed");
    }
    if rules.default.is_some() && !rules.optional {
        problem("a default needs an optional attribute");
    }
    if rules.write_only && rules.computed {
        problem("is write-only, and so not computed");
    }
    if rules.write_only && around.in_set {
        problem("is write-only, which the elements of a set cannot be");
    }
    if rules.use_prior && !rules.computed {
        problem("only computed attributes keep their prior value");
    }
    if around.computed_only && (rules.required || rules.optional) {
        problem("is in an object that only the provider sets, and so only computed");
    }
    if around.in_set && !around.computed_only && rules.computed {
        problem(
            "is in a set that users write, where Terraform cannot tell elements with computed values apart",
        );
    }
    if !rules.requires_replace_is_possible() {
        problem("only what users write can require a replacement");
    }
    if let Some(default) = &rules.default
        && !fits(default, &member.value_type())
    {
        problem("the default is of another type");
    }
    if member.description.is_empty() {
        problem("has no description");
    }
    if let Shape::Nested(nesting, members) = &member.shape {
        let around = Surrounding {
            in_set: around.in_set || *nesting == Nesting::Set,
            in_attribute: true,
            computed_only: around.computed_only || (rules.computed && !rules.optional),
        };
        check_members(members, path, around, problems);
    }
}

impl crate::schema::Rules {
    fn requires_replace_is_possible(&self) -> bool {
        !self.requires_replace || self.required || self.optional
    }
}

fn is_valid_name(name: &str) -> bool {
    name.starts_with(|letter: char| letter.is_ascii_lowercase() || letter == '_')
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

fn fits(value: &crate::value::Value, kind: &Type) -> bool {
    use crate::value::Value;
    match (value, kind) {
        (Value::Bool(_), Type::Bool)
        | (Value::Number(_), Type::Number)
        | (Value::String(_), Type::String) => true,
        (Value::List(elements), Type::List(kind)) | (Value::Set(elements), Type::Set(kind)) => {
            elements.iter().all(|element| fits(element, kind))
        }
        (Value::Map(members), Type::Map(kind)) => members.values().all(|member| fits(member, kind)),
        (Value::Object(members), Type::Object(attributes)) => {
            members.len() == attributes.len()
                && members.iter().all(|(name, member)| {
                    attributes.get(name).is_some_and(|kind| member.is_null() || fits(member, kind))
                })
        }
        _ => false,
    }
}
