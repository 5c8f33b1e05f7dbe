//! Imports point one way. The compiler sees to it between crates; this test sees to it between the folders
//! of the provider, with the table of ARCHITECTURE.md.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A folder or file of `src/`, and what it may name: folders of ours, then crates that matter.
struct Layer {
    name: &'static str,
    ours: &'static [&'static str],
    crates: &'static [&'static str],
}

const ENGINE: &str = "resource_graph";
const FRAMEWORK: &str = "terraform_plugin";
/// Clients and types of single services.
const SERVICES: &str = "aws_sdk_*";
/// What all services share: configuration, credentials, results and errors.
const RUNTIME: &str = "aws_*";

const LAYERS: &[Layer] = &[
    Layer { name: "main", ours: &["provider"], crates: &[FRAMEWORK] },
    Layer { name: "provider", ours: &["config", "data_sources", "resources"], crates: &[FRAMEWORK] },
    Layer {
        name: "data_sources",
        ours: &["aws", "config", "errors", "parts", "resources"],
        crates: &[ENGINE, FRAMEWORK],
    },
    Layer {
        name: "resources",
        ours: &["aws", "config", "errors", "parts", "rules"],
        crates: &[ENGINE, FRAMEWORK],
    },
    Layer { name: "parts", ours: &["aws", "errors"], crates: &[ENGINE, SERVICES, RUNTIME] },
    Layer { name: "config", ours: &["aws", "errors"], crates: &[ENGINE, FRAMEWORK, RUNTIME] },
    Layer { name: "aws", ours: &["config", "errors"], crates: &[ENGINE, SERVICES, RUNTIME] },
    Layer { name: "rules", ours: &[], crates: &[] },
    Layer { name: "errors", ours: &[], crates: &[] },
];

/// Tests about the whole provider.
const ABOUT_EVERYTHING: [&str; 2] = ["documentation", "imports_test"];

#[test]
fn imports_within_the_provider_point_one_way() {
    let source = here().join("src");
    let mut wrong = Vec::new();
    for file in files(&source) {
        let place = Place::of(file.strip_prefix(&source).unwrap());
        if ABOUT_EVERYTHING.contains(&place.top.as_str()) {
            continue;
        }
        let Some(layer) = LAYERS.iter().find(|layer| layer.name == place.top) else {
            wrong.push(format!("{} is in no layer: add one", file.display()));
            continue;
        };
        let code = code_of(&std::fs::read_to_string(&file).unwrap());
        for name in named_of_ours(&code, place.depth) {
            if name != layer.name && !layer.ours.contains(&name.as_str()) {
                wrong.push(format!("{} names {name}", file.display()));
            }
        }
        for name in named_crates(&code) {
            if !layer.crates.contains(&name) {
                wrong.push(format!("{} names {name}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "imports that point the wrong way:\n  {}", wrong.join("\n  "));
}

#[test]
fn the_crates_below_know_nothing_of_ours() {
    for (folder, forbidden) in
        [("graph", [FRAMEWORK, SERVICES, RUNTIME]), ("protocol", [ENGINE, SERVICES, RUNTIME])]
    {
        for file in files(&here().join("crates").join(folder).join("src")) {
            let code = code_of(&std::fs::read_to_string(&file).unwrap());
            let named = named_crates(&code);
            let wrong: Vec<&&str> = named.iter().filter(|name| forbidden.contains(name)).collect();
            assert!(wrong.is_empty(), "{} names {wrong:?}", file.display());
        }
    }
}

fn here() -> PathBuf {
    // Not what the compiler saw: clones may share a target folder.
    PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs the tests"))
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Where a file stands in the tree of modules.
struct Place {
    /// The module directly below the root.
    top: String,
    /// How many `super` lead to the root.
    depth: usize,
}

impl Place {
    fn of(path: &Path) -> Self {
        let mut names: Vec<String> =
            path.with_extension("").iter().map(|name| name.to_string_lossy().into_owned()).collect();
        if names.last().is_some_and(|name| name == "mod") {
            names.pop();
        }
        Self { depth: names.len(), top: names.swap_remove(0) }
    }
}

/// The code without comments and the content of texts.
fn code_of(source: &str) -> String {
    let mut code = String::new();
    for line in source.lines() {
        let mut in_text = false;
        let mut before = ' ';
        for (at, letter) in line.char_indices() {
            if !in_text && line[at..].starts_with("//") {
                break;
            }
            if letter == '"' && before != '\\' && !(before == '\'' && line[at + 1..].starts_with('\'')) {
                in_text = !in_text;
            }
            if !in_text {
                code.push(letter);
            }
            before = letter;
        }
        code.push('\n');
    }
    code
}

/// Words of the code, and what follows each.
fn words(code: &str) -> impl Iterator<Item = (&str, &str)> {
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + code[at..].find(is_word)?;
        let end = code[start..].find(|letter| !is_word(letter)).map_or(code.len(), |length| start + length);
        at = end;
        Some((&code[start..end], &code[end..]))
    })
}

/// Layers that the code names: by `crate::` or by enough `super::`.
fn named_of_ours(code: &str, depth: usize) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    let mut supers = 0;
    for (word, rest) in words(code) {
        supers = if word == "super" { supers + 1 } else { 0 };
        let at_root = word == "crate" || (word == "super" && supers == depth);
        if let Some(path) = rest.strip_prefix("::").filter(|_| at_root) {
            named.extend(first_names(path));
        }
    }
    named.retain(|name| LAYERS.iter().any(|layer| layer.name == name));
    named
}

/// The first name of a path, or those of each path in braces.
fn first_names(path: &str) -> Vec<String> {
    let first = |path: &str| words(path).next().map(|(word, _)| word.to_owned());
    let Some(group) = path.strip_prefix('{') else { return first(path).into_iter().collect() };
    let (mut level, mut start, mut names) = (0, 0, Vec::new());
    for (at, letter) in group.char_indices() {
        match letter {
            '{' => level += 1,
            ',' | '}' if level == 0 => {
                names.extend(first(&group[start..at]));
                start = at + 1;
                if letter == '}' {
                    break;
                }
            }
            '}' => level -= 1,
            _ => {}
        }
    }
    names
}

/// Crates that layers are told apart by.
fn named_crates(code: &str) -> BTreeSet<&'static str> {
    let kind = |word: &str| match word {
        ENGINE => Some(ENGINE),
        FRAMEWORK => Some(FRAMEWORK),
        _ if word.starts_with("aws_sdk_") => Some(SERVICES),
        "aws_config" | "aws_types" | "aws_credential_types" => Some(RUNTIME),
        _ if word.starts_with("aws_smithy_") => Some(RUNTIME),
        _ => None,
    };
    words(code).filter_map(|(word, _)| kind(word)).collect()
}

#[test]
fn names_are_found_however_they_are_written() {
    let code = code_of(
        "use crate::{aws::{Aws, arn}, parts}; // crate::rules\nuse super::super::config::Block;\nlet text = \"crate::errors\";\n\
         use super::sibling;",
    );
    let named: Vec<String> = named_of_ours(&code, 2).into_iter().collect();
    assert_eq!(named, ["aws", "config", "parts"]);
    assert_eq!(named_crates("let client: aws_sdk_eks::Client;"), BTreeSet::from([SERVICES]));
}
