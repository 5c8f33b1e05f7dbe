//! Marks of what takes no tags: they stand as tags on the cluster's role, one for each part, and go with it.
//!
//! A mark is set before the object is made, with what it will be, and gets its instance once that is known. So
//! neither a lost answer nor a lost ledger leaves an object without an owner, and what others make later under the
//! same name is not taken for ours.
//!
//! API: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_TagRole.html>

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_iam::types::Tag;
use resource_graph::{Failure, PartKey};

use super::gone;
use crate::aws::Aws;
use crate::aws::error::{Operation, failure, is_absent};
use crate::aws::ownership::{MADE_HERE, Tags};

/// A mark on a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mark {
    /// One like this was begun, and nothing is known of its end.
    Begun(String),
    /// This instance was made.
    Made(String),
}

impl Mark {
    /// True when it speaks of the object that is there now.
    pub fn covers(&self, like: &str, instance: &str) -> bool {
        match self {
            Self::Begun(begun) => begun == like,
            Self::Made(made) => made == instance,
        }
    }

    /// Only what tags on roles may have: letters, digits, spaces and `_.:/=+-@`.
    fn text(&self) -> String {
        match self {
            Self::Begun(like) => format!("{BEGUN}{like}"),
            Self::Made(instance) => format!("{MADE}{instance}"),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let begun = text.strip_prefix(BEGUN).map(|like| Self::Begun(like.to_owned()));
        begun.or_else(|| text.strip_prefix(MADE).map(|instance| Self::Made(instance.to_owned())))
    }
}

/// The mark of a part; none without one, or without the role, whose name may be empty.
pub async fn read(aws: &Aws, role: &str, part: &PartKey) -> Result<Option<Mark>, Failure> {
    if role.is_empty() {
        return Ok(None);
    }
    let client = aws.iam.clone();
    let ask = |roles: BTreeSet<String>| async move {
        let looks = roles.into_iter().map(|role| tags(client.clone(), role));
        let found = futures::future::try_join_all(looks).await?;
        Ok(found.into_iter().collect::<BTreeMap<String, Tags>>())
    };
    let tags = aws.role_tags.look(role, ask).await?.unwrap_or_default();
    Ok(tags.get(&tag_key(part)).and_then(|value| Mark::parse(value)))
}

/// Sets the mark of a part.
pub async fn set(aws: &Aws, role: &str, part: &PartKey, mark: &Mark) -> Result<(), Failure> {
    let tag = Tag::builder().key(tag_key(part)).value(mark.text()).build();
    let tag = tag.map_err(|error| Failure::refused(format!("the mark of {part}: {error}")))?;
    aws.iam.tag_role().role_name(role).tags(tag).send().await.map(drop).map_err(|error| failure(SET, &error))
}

/// Takes the mark of a part away.
pub async fn remove(aws: &Aws, role: &str, part: &PartKey) -> Result<(), Failure> {
    gone(REMOVE, aws.iam.untag_role().role_name(role).tag_keys(tag_key(part)).send().await)
}

/// The parts that the tags of a role speak of.
pub fn parts(tags: &Tags) -> impl Iterator<Item = (PartKey, Mark)> {
    tags.iter().filter_map(|(key, value)| {
        let part = key.strip_prefix(MADE_HERE)?.replace(ROOT_IN_KEY, ROOT);
        Some((PartKey::parse(&part), Mark::parse(value)?))
    })
}

const BEGUN: &str = "begun ";
const MADE: &str = "made ";
/// The one name with capital letters, in which keys of tags on roles do not differ.
const ROOT: &str = "/ROOT";
const ROOT_IN_KEY: &str = "/.root";

pub const READ: Operation = Operation::new("IAM", "ListRoleTags");
pub const SET: Operation = Operation::new("IAM", "TagRole");
pub const REMOVE: Operation = Operation::new("IAM", "UntagRole");

fn tag_key(part: &PartKey) -> String {
    format!("{MADE_HERE}{part}").replace(ROOT, ROOT_IN_KEY)
}

async fn tags(client: aws_sdk_iam::Client, role: String) -> Result<(String, Tags), Failure> {
    let mut found = Tags::new();
    let mut pages = client.list_role_tags().role_name(&role).into_paginator().items().send();
    while let Some(tag) = pages.next().await {
        match tag {
            Err(error) if is_absent(&error) => break,
            Err(error) => return Err(failure(READ, &error)),
            Ok(tag) => found.insert(tag.key, tag.value),
        };
    }
    Ok((role, found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_covers_what_was_begun_or_made_and_nothing_else() {
        let begun = Mark::Begun("public.ecr.aws".to_owned());
        assert!(begun.covers("public.ecr.aws", "17") && !begun.covers("quay.io", "17"));
        let made = Mark::Made("17".to_owned());
        assert!(made.covers("quay.io", "17") && !made.covers("public.ecr.aws", "18"));
    }

    #[test]
    fn marks_are_found_again_among_the_tags_of_a_role() {
        let (public, root) = ("pull-through-cache-rule/public", "pull-through-cache-rule/ROOT");
        let marks = [
            (PartKey::parse(root), Mark::Begun("quay.io".to_owned())),
            (PartKey::parse(public), Mark::Made("17".to_owned())),
        ];
        let mut tags: Tags = marks.iter().map(|(part, mark)| (tag_key(part), mark.text())).collect();
        tags.insert("team".to_owned(), "platform".to_owned());
        assert!(tags.keys().all(|key| !key.contains("ROOT")));
        assert_eq!(parts(&tags).collect::<Vec<_>>(), marks);
    }
}
