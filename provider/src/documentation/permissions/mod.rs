//! The guide about permissions: its words stand in `guide.md`, what it lists is made from what the parts publish
//! about themselves.

mod actions;
mod policy;
mod scopes;

use policy::policies;

use super::page::code;
use crate::parts::{ALL_CALLS, owners};

/// Where the guide stands, below `docs/`.
pub(super) const PATH: &str = "guides/permissions.md";

/// The words, with a name in double braces for each list.
const WORDS: &str = include_str!("guide.md");

/// The guide.
pub(super) fn guide() -> String {
    // Who may only plan gets no credentials to read, which AWS asks for on behalf of a create.
    let reading = ALL_CALLS.iter().flat_map(actions::called).filter(|action| actions::reads(action));
    let reading: std::collections::BTreeSet<String> = reading.collect();
    let lists = [
        ("apply", documents(actions::all())),
        ("plan", documents(reading)),
        ("owners", documents_of(policy::policies_of_owners(actions::called(&owners::CALLS)))),
        ("everywhere", table("Action | Narrowed by", everywhere())),
        ("called", table("Part | Actions", called())),
        ("implied", table("Action | Part | Source", implied())),
    ];
    lists.into_iter().fold(WORDS.to_owned(), |text, (name, list)| {
        let place = format!("{{{{{name}}}}}");
        assert!(text.contains(&place), "guide.md has no {place}");
        text.replace(&place, &list)
    })
}

fn documents(actions: impl IntoIterator<Item = String>) -> String {
    documents_of(policies(actions))
}

fn documents_of(documents: Vec<policy::Policy>) -> String {
    let blocks: Vec<String> = documents.iter().map(|document| code("json", &document.text())).collect();
    blocks.join("\n\n")
}

fn table(head: &str, rows: Vec<String>) -> String {
    let columns = vec!["---"; head.split(" | ").count()].join("|");
    format!("| {head} |\n|{columns}|\n{}", rows.join("\n"))
}

fn quoted(words: impl IntoIterator<Item = String>) -> String {
    words.into_iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// Actions on all resources, and the condition that narrows them.
fn everywhere() -> Vec<String> {
    let mut rows = Vec::new();
    for action in actions::all() {
        for scope in scopes::scopes(&action).iter().filter(|scope| scope.resources == ["*"]) {
            let keys = quoted(scope.conditions.iter().map(|(_, key, _)| (*key).to_owned()));
            rows.push(format!("| `{action}` | {} |", if keys.is_empty() { "nothing" } else { &keys }));
        }
    }
    rows
}

fn called() -> Vec<String> {
    let row = |calls| -> String { quoted(actions::called(calls)) };
    let rows = ALL_CALLS.iter().map(|calls| format!("| `{}` | {} |", calls.kind, row(calls)));
    rows.chain([format!("| data source `eks_owned_objects` without a name | {} |", row(&owners::CALLS))])
        .collect()
}

fn implied() -> Vec<String> {
    let rows = ALL_CALLS.iter().flat_map(|calls| {
        calls.implied.iter().map(|(action, source)| format!("| `{action}` | `{}` | {source} |", calls.kind))
    });
    rows.collect()
}
