//! Guides are written by hand; what they list comes from the code.

use super::read;
use crate::errors;

/// The sections of a guide: heading and text below it.
fn sections(guide: &str) -> Vec<(&str, &str)> {
    guide.split("\n## ").skip(1).map(|section| section.split_once('\n').unwrap_or((section, ""))).collect()
}

#[test]
fn every_error_has_its_section_and_no_other_one_is_there() {
    let guide = read("docs/guides/errors.md");
    let found: Vec<&str> = sections(&guide).into_iter().map(|(heading, _)| heading).collect();
    let wanted: Vec<String> =
        errors::ALL.iter().map(|error| format!("{}: {}", error.code, error.title)).collect();
    assert_eq!(found, wanted);
}

#[test]
fn every_error_says_what_why_and_what_to_do() {
    let guide = read("docs/guides/errors.md");
    for (heading, text) in sections(&guide) {
        for word in ["**What**", "**Why**", "**Do this**"] {
            assert!(text.contains(word), "{heading} lacks {word}");
        }
    }
}
