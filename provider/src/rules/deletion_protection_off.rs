//! A production cluster is protected against deletion.

use super::Rule;

/// What people have to know about it.
pub const RULE: Rule = Rule {
    id: "deletion-protection-off",
    refuses: "`deletion_protection = false`.",
    why: "A cluster that is deleted takes every workload with it and cannot be restored.",
    instead: "Leave it on; to destroy the cluster, switch it off with a waiver and apply that first.",
};

/// What is wrong, if anything.
pub fn broken(deletion_protection: bool) -> Option<String> {
    (!deletion_protection).then(|| "Deletion protection is off.".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protection_has_to_be_on() {
        assert_eq!(broken(true), None);
        assert!(broken(false).is_some());
    }
}
