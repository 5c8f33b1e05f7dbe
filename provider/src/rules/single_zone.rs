//! Nodes stand in more than one zone.

use std::collections::BTreeSet;

use super::Rule;

/// What people have to know about it.
pub const RULE: Rule = Rule {
    id: "single-zone",
    refuses: "A node group of several nodes whose subnets all lie in one zone.",
    why: "When that zone fails, all its nodes fail at once.",
    instead: "Give the group subnets in at least two zones, or one group for each zone.",
};

/// What is wrong with a group, if anything: `zones` are those of its subnets, `groups` those of all groups
/// with the same purpose. One group for each zone is what volumes need, and is accepted.
pub fn broken(max_size: i32, zones: &BTreeSet<&str>, groups: &BTreeSet<&str>) -> Option<String> {
    let [zone] = zones.iter().collect::<Vec<_>>()[..] else { return None };
    (max_size > 1 && groups.len() < 2).then(|| format!("All its nodes are in {zone}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_nodes_need_several_zones() {
        let (one, two) = (BTreeSet::from(["a"]), BTreeSet::from(["a", "b"]));
        assert!(broken(3, &one, &one).is_some());
        assert_eq!(broken(3, &two, &two), None);
        assert_eq!(broken(1, &one, &one), None);
        assert_eq!(broken(3, &one, &two), None, "one group for each zone");
    }
}
