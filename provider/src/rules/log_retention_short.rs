//! Logs of the control plane are kept for a year.

use super::Rule;

/// What people have to know about it.
pub const RULE: Rule = Rule {
    id: "log-retention-short",
    refuses: "Logs of the control plane that are kept for less than 365 days (`logging.retention_days`).",
    why: "Who did what is often asked months later, and then the audit log is all there is.",
    instead: "Leave out `logging.retention_days`, or set it to 365 or more.",
};

/// The fewest days.
const DAYS: i64 = 365;

/// What is wrong, if anything.
pub fn broken(retention_days: i64) -> Option<String> {
    (retention_days < DAYS).then(|| format!("Logs of the control plane are kept for {retention_days} days."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_year_is_enough() {
        assert_eq!(broken(365), None);
        assert!(broken(180).is_some());
    }
}
