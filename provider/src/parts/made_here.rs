//! Marks of what takes no tags: they stand as tags on the cluster's role, one for each part, and go with it.
//!
//! A mark is set before the object is made, and gets the object's instance when its making is known to have
//! succeeded. So neither a lost answer nor a lost ledger leaves an object without an owner, and what others make
//! later under the same name is not taken for ours.
//!
//! API: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_TagRole.html>

use aws_sdk_iam::types::Tag;
use resource_graph::{Failure, PartKey};

use super::gone;
use crate::aws::Aws;
use crate::aws::error::{Operation, failure, is_absent};
use crate::aws::ownership::{MADE_HERE, Tags};

/// A mark on a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mark {
    /// Begun, and nothing is known of its end.
    Begun,
    /// This one was made.
    Made(String),
}

impl Mark {
    /// True when it speaks of the object that is there now.
    pub fn covers(&self, instance: &str) -> bool {
        match self {
            Self::Begun => true,
            Self::Made(made) => made == instance,
        }
    }
}

/// The mark of a part; none without one, or without the role, whose name may be empty.
pub async fn read(aws: &Aws, role: &str, part: &PartKey) -> Result<Option<Mark>, Failure> {
    if role.is_empty() {
        return Ok(None);
    }
    let key = tag_key(part);
    let mut pages = aws.iam.list_role_tags().role_name(role).into_paginator().items().send();
    while let Some(tag) = pages.next().await {
        match tag {
            Err(error) if is_absent(&error) => return Ok(None),
            Err(error) => return Err(failure(READ, &error)),
            Ok(tag) if tag.key == key => return Ok(Some(mark(&tag.value))),
            Ok(_) => {}
        }
    }
    Ok(None)
}

/// Sets the mark of a part.
pub async fn set(aws: &Aws, role: &str, part: &PartKey, mark: &Mark) -> Result<(), Failure> {
    let value = match mark {
        Mark::Begun => BEGUN,
        Mark::Made(instance) => instance,
    };
    let tag = Tag::builder().key(tag_key(part)).value(value).build();
    let tag = tag.map_err(|error| Failure::refused(format!("the mark of {part}: {error}")))?;
    aws.iam.tag_role().role_name(role).tags(tag).send().await.map(drop).map_err(|error| failure(SET, &error))
}

/// Takes the mark of a part away.
pub async fn remove(aws: &Aws, role: &str, part: &PartKey) -> Result<(), Failure> {
    gone(REMOVE, aws.iam.untag_role().role_name(role).tag_keys(tag_key(part)).send().await)
}

/// The parts that the tags of a role speak of.
pub fn parts(tags: &Tags) -> impl Iterator<Item = (PartKey, Mark)> {
    tags.iter().filter_map(|(key, value)| Some((PartKey::parse(key.strip_prefix(MADE_HERE)?), mark(value))))
}

const BEGUN: &str = "begun";

pub const READ: Operation = Operation::new("IAM", "ListRoleTags");
pub const SET: Operation = Operation::new("IAM", "TagRole");
pub const REMOVE: Operation = Operation::new("IAM", "UntagRole");

fn tag_key(part: &PartKey) -> String {
    format!("{MADE_HERE}{part}")
}

fn mark(value: &str) -> Mark {
    if value == BEGUN { Mark::Begun } else { Mark::Made(value.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_covers_what_was_made_and_nothing_later() {
        let part = PartKey::new("pull-through-cache-rule", "public");
        let tags: Tags = [(tag_key(&part), "17".to_owned()), ("other".to_owned(), String::new())].into();
        let found: Vec<_> = parts(&tags).collect();
        assert_eq!(found, [(part, Mark::Made("17".to_owned()))]);
        assert!(found[0].1.covers("17") && !found[0].1.covers("18") && mark(BEGUN).covers("18"));
    }
}
