//! Nodes have no address in the internet.

use super::Rule;

/// What people have to know about it.
pub const RULE: Rule = Rule {
    id: "public-nodes",
    refuses: "Nodes in subnets that give them public addresses.",
    why: "Every port that a node or a pod with host networking opens can then be reached from the internet.",
    instead: "Use private subnets, or switch off the automatic public addresses of these.",
};

/// What is wrong with the subnets of nodes, if anything: id, and whether it gives public addresses.
pub fn broken<'a>(subnets: impl IntoIterator<Item = (&'a str, bool)>) -> Option<String> {
    let public: Vec<&str> = subnets.into_iter().filter(|(_, public)| *public).map(|(id, _)| id).collect();
    (!public.is_empty()).then(|| format!("Nodes get public addresses in {}.", public.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_subnets_are_named() {
        assert_eq!(broken([("subnet-1", false)]), None);
        let said = broken([("subnet-1", false), ("subnet-2", true)]);
        assert_eq!(said.as_deref(), Some("Nodes get public addresses in subnet-2."));
    }
}
