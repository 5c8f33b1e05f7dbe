//! Whose an object is, in tags. Every taggable object carries the owner and the part; the main object of a
//! resource also carries the generation and, until its creation has finished, that it is incomplete.

use std::collections::{BTreeMap, HashMap};

use resource_graph::{Owner, PartKey};

use super::naming::hash;

/// Prefix of all our tag keys.
pub const PREFIX: &str = "terraform-provider-eks/";
/// Tag: the resource that owns the object.
pub const OWNER: &str = "terraform-provider-eks/owner";
/// Tag: the key of the part within its resource.
pub const PART: &str = "terraform-provider-eks/part";
/// Tag on the main object: which run made or adopted it last.
pub const GENERATION: &str = "terraform-provider-eks/generation";
/// Tag on the main object: `incomplete` until its creation has finished.
pub const STATUS: &str = "terraform-provider-eks/status";
/// Tag on what a destroyed cluster kept: its former owner. Whoever names it next takes it over.
pub const RETAINED: &str = "terraform-provider-eks/retained-by";
/// Beginning of the tags on the cluster's role that name parts made here which take no tags themselves.
pub const MADE_HERE: &str = "terraform-provider-eks/made/";
/// Value of [`STATUS`].
pub const INCOMPLETE: &str = "incomplete";

/// Longest owner that is written as it is; tag values end at 256 characters.
const LONGEST_OWNER: usize = 200;

/// Tags of an object, as the configuration gives them or as AWS returns them.
pub type Tags = BTreeMap<String, String>;

/// The owner mark of one resource: `eks_production_cluster/eu-central-1/prod`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ownership {
    owner: String,
}

impl Ownership {
    /// The mark of a resource.
    pub fn new(resource_type: &str, region: &str, name: &str) -> Self {
        let owner = format!("{resource_type}/{region}/{name}");
        let owner = if owner.len() > LONGEST_OWNER {
            format!("{resource_type}/{region}/{}", hash(&[&owner]))
        } else {
            owner
        };
        Self { owner }
    }

    /// The value of the owner tag.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// The user's tags and ours, for one part.
    pub fn mark(&self, part: &PartKey, tags: &Tags) -> Tags {
        let mut marked = tags.clone();
        marked.insert(OWNER.to_owned(), self.owner.clone());
        marked.insert(PART.to_owned(), part.as_str().to_owned());
        marked
    }

    /// Whose an object with these tags is.
    pub fn of(&self, tags: &Tags) -> Owner {
        match tags.get(OWNER) {
            None => Owner::Nobody,
            Some(owner) if *owner == self.owner => Owner::Ours,
            Some(owner) => Owner::Other(owner.clone()),
        }
    }
}

/// What every part carries: its key, whose it is, and the user's tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marks {
    /// The key of the part.
    pub key: PartKey,
    /// Whose it is.
    pub ownership: Ownership,
    /// The user's tags, default tags included.
    pub tags: Tags,
}

impl Marks {
    /// All tags the object shall have.
    pub fn tags(&self) -> Tags {
        self.ownership.mark(&self.key, &self.tags)
    }
}

/// The tags of an answer that has them as an optional map.
pub fn from_map(tags: Option<&HashMap<String, String>>) -> Tags {
    tags.map(|tags| tags.iter().map(|(key, value)| (key.clone(), value.clone())).collect())
        .unwrap_or_default()
}

/// How tags have to change; tags of AWS itself (`aws:`) and the marks only some objects have are left alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TagChange {
    /// To be set.
    pub set: Tags,
    /// To be removed.
    pub remove: Vec<String>,
}

impl TagChange {
    /// The change from what is there to what is wanted; none when they agree.
    pub fn between(seen: &Tags, wanted: &Tags) -> Option<Self> {
        let set: Tags = wanted
            .iter()
            .filter(|(key, value)| seen.get(*key) != Some(*value))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        let remove: Vec<String> = seen
            .keys()
            .filter(|key| !wanted.contains_key(*key))
            .filter(|key| !key.starts_with("aws:") && !key.starts_with(MADE_HERE))
            .filter(|key| *key != GENERATION && *key != STATUS)
            .cloned()
            .collect();
        (!set.is_empty() || !remove.is_empty()).then_some(Self { set, remove })
    }
}

impl std::fmt::Display for TagChange {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut keys: Vec<&str> = self.set.keys().map(String::as_str).collect();
        keys.extend(self.remove.iter().map(String::as_str));
        write!(formatter, "tags {}", keys.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(pairs: &[(&str, &str)]) -> Tags {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_long_owner_still_fits_a_tag_value() {
        let ownership = Ownership::new("eks_production_cluster", "eu-central-1", &"n".repeat(250));
        assert!(ownership.owner().len() <= 256);
    }

    #[test]
    fn marks_of_some_objects_and_of_aws_are_left_alone() {
        let marked = [
            ("aws:x", "1"),
            (GENERATION, "g"),
            (STATUS, INCOMPLETE),
            (concat!("terraform-provider-eks/made/", "x"), "1"),
        ];
        let seen = tags(&[&marked[..], &[("old", "1"), ("kept", "1")]].concat());
        let change = TagChange::between(&seen, &tags(&[("kept", "1"), ("new", "1")])).expect("differs");
        assert_eq!(change.set, tags(&[("new", "1")]));
        assert_eq!(change.remove, ["old"]);
        assert_eq!(TagChange::between(&seen, &tags(&[("kept", "1"), ("old", "1")])), None);
    }
}
