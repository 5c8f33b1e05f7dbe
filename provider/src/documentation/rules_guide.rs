//! The guide of production rules: one section a rule, in the rule's own words.

use super::Page;
use crate::rules;

const INTRODUCTION: &str = include_str!("rules_guide.md");

/// The guide.
pub(super) fn page() -> Page {
    let section = |rule: &rules::Rule| {
        format!(
            "\n## `{}`\n\n**Refuses**: {}\n\n**Why**: {}\n\n**Instead**: {}\n",
            rule.id, rule.refuses, rule.why, rule.instead
        )
    };
    let sections: String = rules::ALL.iter().map(section).collect();
    Page { path: "guides/production-rules.md".to_owned(), content: format!("{INTRODUCTION}{sections}") }
}
