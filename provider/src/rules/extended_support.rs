//! Kubernetes stays in standard support.

use super::Rule;

/// What people have to know about it.
pub const RULE: Rule = Rule {
    id: "extended-support",
    refuses: "`upgrade_policy = { support_type = \"EXTENDED\" }`.",
    why: "After the end of standard support the same cluster costs several times as much, and nobody is told.",
    instead: "Leave `STANDARD`, and raise `kubernetes_version` before the end of its standard support.",
};

/// What is wrong, if anything.
pub fn broken(support_type: &str) -> Option<String> {
    (support_type == "EXTENDED").then(|| "The cluster would stay in extended support.".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standard_support_is_right() {
        assert_eq!(broken("STANDARD"), None);
        assert!(broken("EXTENDED").is_some());
    }
}
