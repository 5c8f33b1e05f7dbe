//! The control plane writes all its logs.

use super::Rule;

/// What people have to know about it.
pub const RULE: Rule = Rule {
    id: "logs-incomplete",
    refuses: "Fewer than all five types of logs of the control plane (`logging.types`).",
    why: "What was not written cannot be read after an incident, and nobody knows before which log it will be.",
    instead: "Leave out `logging.types`.",
};

/// What is wrong, if anything. `missing` are the types that are off.
pub fn broken(missing: &[&str]) -> Option<String> {
    (!missing.is_empty()).then(|| format!("These logs of the control plane are off: {}.", missing.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_missing_type_is_named() {
        assert_eq!(broken(&[]), None);
        assert!(broken(&["api", "audit"]).is_some_and(|text| text.contains("api, audit")));
    }
}
