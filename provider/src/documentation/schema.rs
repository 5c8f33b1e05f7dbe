//! Attributes as Markdown: required, optional and read-only ones, then the nested ones.

use terraform_plugin::schema::{Attribute, Nesting, Shape, Validator};
use terraform_plugin::value::Type;

/// The section `Schema` of a page.
pub(super) fn section(attributes: &[Attribute]) -> String {
    let mut parts = vec!["## Schema".to_owned()];
    for (title, chosen) in groups(attributes) {
        parts.push(format!("### {title}"));
        parts.push(list(&chosen, ""));
    }
    nested(attributes, "", &mut parts);
    parts.join("\n\n")
}

type Group<'a> = (&'static str, Vec<&'a Attribute>);

/// Attributes by who sets them; groups without any are left out.
fn groups(attributes: &[Attribute]) -> Vec<Group<'_>> {
    let of = |wanted: &dyn Fn(&Attribute) -> bool| attributes.iter().filter(|a| wanted(a)).collect();
    let groups: [Group<'_>; 3] = [
        ("Required", of(&|a| a.rules.required)),
        ("Optional", of(&|a| a.rules.optional || a.rules.block)),
        ("Read-Only", of(&|a| !a.rules.required && !a.rules.optional && !a.rules.block)),
    ];
    groups.into_iter().filter(|(_, chosen)| !chosen.is_empty()).collect()
}

fn list(attributes: &[&Attribute], path: &str) -> String {
    attributes.iter().map(|attribute| line(attribute, path)).collect::<Vec<_>>().join("\n")
}

fn line(attribute: &Attribute, path: &str) -> String {
    let rules = &attribute.rules;
    let mut kind = kind(attribute);
    for (holds, word) in [(rules.sensitive, "Sensitive"), (rules.write_only, "Write-only")] {
        if holds {
            kind = format!("{kind}, {word}");
        }
    }
    let mut sentences = vec![attribute.description.replace('\n', "\n  ")];
    sentences.extend(rules.deprecated.iter().map(|message| format!("**Deprecated**: {message}")));
    sentences.extend(attribute.default_text().map(|text| format!("Default `{text}`.")));
    // That text must not be empty goes without saying.
    let worth_saying = rules.validators.iter().filter(|validator| !matches!(validator, Validator::NonEmpty));
    sentences.extend(worth_saying.map(|validator| must(attribute, validator)));
    if rules.requires_replace {
        sentences.push("A change makes a new object.".to_owned());
    }
    if !attribute.nested().is_empty() {
        let place = place(path, attribute.name);
        sentences.push(format!("See [below](#{}).", anchor(attribute, &place)));
    }
    sentences.retain(|sentence| !sentence.is_empty());
    format!("- `{}` ({kind}) {}", attribute.name, sentences.join(" "))
}

/// A validator as a sentence. On a collection, rules about text and numbers hold for each element.
fn must(attribute: &Attribute, validator: &Validator) -> String {
    let whole = matches!(validator, Validator::Size { .. } | Validator::Keys { .. });
    let collection = matches!(attribute.shape, Shape::Plain(Type::List(_) | Type::Set(_) | Type::Map(_)));
    format!("{} {validator}.", if collection && !whole { "Each must" } else { "Must" })
}

fn kind(attribute: &Attribute) -> String {
    match &attribute.shape {
        Shape::Plain(plain) => type_name(plain),
        Shape::Nested(nesting, _) => {
            let noun = if attribute.rules.block { "Block" } else { "Attributes" };
            match nesting {
                Nesting::Single => noun.to_owned(),
                Nesting::List => format!("{noun} List"),
                Nesting::Set => format!("{noun} Set"),
                Nesting::Map => format!("{noun} Map"),
            }
        }
    }
}

fn type_name(plain: &Type) -> String {
    match plain {
        Type::Bool => "Boolean".to_owned(),
        Type::Number => "Number".to_owned(),
        Type::String => "String".to_owned(),
        Type::Dynamic => "Dynamic".to_owned(),
        Type::List(element) => format!("List of {}", type_name(element)),
        Type::Set(element) => format!("Set of {}", type_name(element)),
        Type::Map(element) => format!("Map of {}", type_name(element)),
        Type::Object(_) => "Object".to_owned(),
        Type::Tuple(_) => "Tuple".to_owned(),
    }
}

/// One section for each nested attribute and block, depth first. `timeouts` has the heading readers know.
fn nested(attributes: &[Attribute], path: &str, parts: &mut Vec<String>) {
    for attribute in attributes.iter().filter(|attribute| !attribute.nested().is_empty()) {
        let place = place(path, attribute.name);
        let title = if place == "timeouts" {
            "## Timeouts".to_owned()
        } else {
            format!("### Nested Schema for `{place}`")
        };
        parts.push(format!("<a id=\"{}\"></a>\n{title}", anchor(attribute, &place)));
        for (title, chosen) in groups(attribute.nested()) {
            parts.push(format!("{title}:"));
            parts.push(list(&chosen, &place));
        }
        nested(attribute.nested(), &place, parts);
    }
}

fn place(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn anchor(attribute: &Attribute, place: &str) -> String {
    let kind = if attribute.rules.block { "nestedblock" } else { "nestedatt" };
    format!("{kind}--{}", place.replace('.', "--"))
}
