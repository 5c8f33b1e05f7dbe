//! Production rules: settings a production cluster should not have are refused at plan, unless a waiver
//! accepts one on record. One file a rule, pure.

use std::collections::BTreeMap;

pub mod deletion_protection_off;
pub mod extended_support;
pub mod log_retention_short;
pub mod logs_incomplete;
pub mod public_endpoint_open;
pub mod public_nodes;
pub mod single_zone;

/// What people have to know about a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// What a waiver names.
    pub id: &'static str,
    /// One sentence: what is refused.
    pub refuses: &'static str,
    /// Why a production cluster should not have it.
    pub why: &'static str,
    /// How to do without.
    pub instead: &'static str,
}

/// Every rule, in the order of the guide.
pub const ALL: &[Rule] = &[
    public_endpoint_open::RULE,
    public_nodes::RULE,
    single_zone::RULE,
    deletion_protection_off::RULE,
    logs_incomplete::RULE,
    log_retention_short::RULE,
    extended_support::RULE,
];

/// Waivers that name a rule nobody knows, and those without a reason.
pub fn wrong_waivers(waivers: &BTreeMap<String, String>) -> Vec<(String, String)> {
    let wrong = |(id, reason): (&String, &String)| {
        if ALL.iter().all(|rule| rule.id != id) {
            let known: Vec<&str> = ALL.iter().map(|rule| rule.id).collect();
            return Some((
                id.clone(),
                format!("There is no rule {id:?}. The rules are {}.", known.join(", ")),
            ));
        }
        reason.trim().is_empty().then(|| (id.clone(), format!("The waiver of {id} needs a reason.")))
    };
    waivers.iter().filter_map(wrong).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_waiver_needs_a_known_rule_and_a_reason() {
        let waivers = BTreeMap::from([
            ("deletion-protection-off".to_owned(), "test cluster".to_owned()),
            ("public-endpoint-open".to_owned(), " ".to_owned()),
            ("no-such-rule".to_owned(), "because".to_owned()),
        ]);
        let wrong: Vec<String> = wrong_waivers(&waivers).into_iter().map(|(id, _)| id).collect();
        assert_eq!(wrong, ["no-such-rule", "public-endpoint-open"]);
    }
}
