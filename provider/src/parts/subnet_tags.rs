//! Tags by which load balancer controllers find subnets, on subnets that are not ours.
//!
//! On each subnet a mark of the cluster says which of the tags it has added: only those are removed again, and
//! the one that clusters share only when no other cluster's mark is left.
//!
//! API: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateTags.html>; the tags:
//! aws-load-balancer-controller, `docs/deploy/subnet_discovery.md`

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use async_trait::async_trait;
use aws_sdk_ec2::types::Tag;
use resource_graph::{
    Comparison, Created, Failure, Identity, Input, Observation, Outputs, Owner, Part, PartKey, Probe, Record,
    Target, Until,
};

#[cfg(test)]
use super::Calls;
use crate::aws::Aws;
use crate::aws::error::{Operation, failure};
use crate::aws::ownership::{PREFIX, Tags};
#[cfg(test)]
use crate::aws::routes;
use crate::aws::subnets::{self, Subnet};

/// Kind of its key.
pub const KIND: &str = "subnet-tags";

/// Subnet of internal load balancers.
pub const INTERNAL: &str = "kubernetes.io/role/internal-elb";
/// Subnet of load balancers that the internet reaches.
pub const PUBLIC: &str = "kubernetes.io/role/elb";

/// The tags of a cluster's subnets.
#[derive(Debug, Clone, PartialEq)]
pub struct SubnetTags {
    /// What people read about it.
    pub spec: String,
    /// Name of the cluster.
    pub cluster: Input,
    /// Name of the cluster, as part of the identity.
    pub cluster_name: String,
    /// Subnets that get the tags.
    pub subnet_ids: BTreeSet<String>,
}

/// One update.
#[derive(Debug, Clone)]
pub enum Change {
    /// Subnets that lack tags, with those they lack.
    Tag(BTreeMap<String, Tags>),
    /// Subnets that are not the cluster's any more, with the tags that go.
    Untag(BTreeMap<String, BTreeSet<String>>),
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |ids: Vec<&String>| ids.into_iter().cloned().collect::<Vec<_>>().join(", ");
        match self {
            Self::Tag(subnets) => write!(formatter, "tags of {}", list(subnets.keys().collect())),
            Self::Untag(subnets) => write!(formatter, "tags too much of {}", list(subnets.keys().collect())),
        }
    }
}

impl SubnetTags {
    /// The part a record speaks of.
    pub fn recall(record: &Record) -> Self {
        let cluster_name = record.identity.get("cluster").to_owned();
        Self {
            spec: record.spec.clone(),
            cluster: Input::known(&cluster_name),
            cluster_name,
            subnet_ids: BTreeSet::new(),
        }
    }

    /// What subnets of the cluster lack.
    fn missing(&self, seen: &BTreeMap<String, Subnet>) -> BTreeMap<String, Tags> {
        let missing = |id: &String| {
            let subnet = seen.get(id)?;
            let role = if subnet.gives_public_addresses { PUBLIC } else { INTERNAL };
            let has_role = subnet.tags.get(role).is_some_and(|value| matches!(value.as_str(), "" | "1"));
            let mut tags = Tags::new();
            if !has_role {
                tags.insert(role.to_owned(), "1".to_owned());
            }
            if !subnet.tags.contains_key(&belongs(&self.cluster_name)) {
                tags.insert(belongs(&self.cluster_name), "shared".to_owned());
            }
            let mark = mark(&self.cluster_name);
            let value = added(&subnet.tags, &mark, role, &tags);
            if subnet.tags.get(&mark) != Some(&value) {
                tags.insert(mark, value);
            }
            (!tags.is_empty()).then(|| (id.clone(), tags))
        };
        self.subnet_ids.iter().filter_map(missing).collect()
    }

    /// Marked subnets among those seen that are not the cluster's.
    fn too_much(&self, seen: &BTreeMap<String, Subnet>) -> BTreeMap<String, BTreeSet<String>> {
        let marked = seen.iter().filter(|(id, _)| !self.subnet_ids.contains(*id));
        let remove = marked.map(|(id, subnet)| (id.clone(), removable(&subnet.tags, &self.cluster_name)));
        remove.filter(|(_, tags)| !tags.is_empty()).collect()
    }

    /// The cluster's subnets, and all that carry its mark.
    async fn look(&self, aws: &Aws, cluster: &str) -> Result<BTreeMap<String, Subnet>, Failure> {
        let (mut seen, marked) = futures::future::try_join(
            subnets::describe(aws, &self.subnet_ids),
            subnets::tagged(aws, &mark(cluster)),
        )
        .await?;
        seen.extend(marked);
        Ok(seen)
    }
}

#[async_trait]
impl Part<Aws> for SubnetTags {
    type Seen = BTreeMap<String, Subnet>;
    type Change = Change;

    fn key(&self) -> PartKey {
        PartKey::new(KIND, "")
    }

    fn identity(&self) -> Identity {
        Identity::new([("cluster", &self.cluster_name)])
    }

    fn spec(&self) -> String {
        self.spec.clone()
    }

    async fn observe(&self, aws: &Aws, target: &Target<'_>) -> Result<Observation<Self::Seen>, Failure> {
        let cluster = target.identity.get("cluster");
        let seen = self.look(aws, cluster).await?;
        if seen.values().all(|subnet| !subnet.tags.contains_key(&mark(cluster))) {
            return Ok(Observation::Absent);
        }
        Ok(Observation::Present { seen, owner: Owner::Ours, instance: None, outputs: Outputs::default() })
    }

    fn compare(&self, _target: &Target<'_>, seen: &Self::Seen) -> Comparison<Change> {
        let (missing, too_much) = (self.missing(seen), self.too_much(seen));
        let mut changes = Vec::new();
        if !missing.is_empty() {
            changes.push(Change::Tag(missing));
        }
        if !too_much.is_empty() {
            changes.push(Change::Untag(too_much));
        }
        if changes.is_empty() { Comparison::Same } else { Comparison::Change(changes) }
    }

    async fn create(&self, aws: &Aws, target: &Target<'_>) -> Result<Created<Self::Seen>, Failure> {
        let mut seen = self.look(aws, target.identity.get("cluster")).await?;
        for (id, tags) in self.missing(&seen) {
            tag(aws, &id, &tags).await?;
            if let Some(subnet) = seen.get_mut(&id) {
                subnet.tags.extend(tags);
            }
        }
        Ok(Created { seen, instance: None, outputs: Outputs::default() })
    }

    async fn update(&self, aws: &Aws, _target: &Target<'_>, change: &Change) -> Result<Outputs, Failure> {
        match change {
            Change::Tag(subnets) => {
                for (id, tags) in subnets {
                    tag(aws, id, tags).await?;
                }
            }
            Change::Untag(subnets) => {
                for (id, keys) in subnets {
                    untag(aws, id, keys).await?;
                }
            }
        }
        Ok(Outputs::default())
    }

    async fn delete(&self, aws: &Aws, target: &Target<'_>) -> Result<(), Failure> {
        let cluster = target.identity.get("cluster");
        for (id, subnet) in subnets::tagged(aws, &mark(cluster)).await? {
            untag(aws, &id, &removable(&subnet.tags, cluster)).await?;
        }
        Ok(())
    }

    async fn probe(&self, aws: &Aws, target: &Target<'_>, until: Until) -> Result<Probe, Failure> {
        let marked = match until {
            Until::Usable => return Ok(Probe::Done(Outputs::default())),
            Until::Gone => subnets::tagged(aws, &mark(target.identity.get("cluster"))).await?,
        };
        Ok(if marked.is_empty() {
            Probe::Done(Outputs::default())
        } else {
            let ids: Vec<String> = marked.into_keys().collect();
            Probe::Pending(format!("{} still tagged", ids.join(", ")))
        })
    }
}

const TAG: Operation = Operation::new("EC2", "CreateTags");
const UNTAG: Operation = Operation::new("EC2", "DeleteTags");

/// IAM actions this kind calls, and those AWS checks on its behalf.
#[cfg(test)]
pub const CALLS: Calls = Calls { kind: KIND, calls: &[subnets::DESCRIBE, TAG, UNTAG], implied: &[] };

/// What a plan looks up about the user's network. A plan does without what it may not look at.
#[cfg(test)]
pub const NETWORK_CALLS: Calls = Calls {
    kind: "network",
    calls: &[subnets::DESCRIBE, routes::DESCRIBE_TABLES, routes::DESCRIBE_ENDPOINTS],
    implied: &[],
};

/// True when some subnet carries the cluster's mark.
pub async fn is_there(aws: &Aws, cluster: &str) -> Result<bool, Failure> {
    Ok(!subnets::tagged(aws, &mark(cluster)).await?.is_empty())
}

/// `kubernetes.io/cluster/prod`
fn belongs(cluster: &str) -> String {
    format!("kubernetes.io/cluster/{cluster}")
}

/// Key of the mark. Its value names what the cluster has added.
fn mark(cluster: &str) -> String {
    format!("{PREFIX}subnet-of/{cluster}")
}

/// Value of the mark: what goes with the last cluster's mark. That is what the mark has named already, what is added
/// now, and a role that another cluster has added: the last one takes it away. Values of tags take no commas.
fn added(present: &Tags, mark: &str, role: &str, now: &Tags) -> String {
    let names = |key: &str| match key {
        INTERNAL => "internal-elb",
        PUBLIC => "elb",
        _ => "cluster",
    };
    let any_mark = self::mark("");
    let before = present.get(mark).into_iter().flat_map(|value| value.split(' ')).map(str::to_owned);
    let of_others = present.iter().filter(|(key, value)| {
        key.starts_with(&any_mark) && key.as_str() != mark && value.split(' ').any(|kind| kind == names(role))
    });
    let shared = of_others.map(|_| names(role).to_owned());
    let added = now.keys().map(|key| names(key).to_owned());
    let kinds: BTreeSet<String> = before.chain(shared).chain(added).filter(|kind| !kind.is_empty()).collect();
    kinds.into_iter().collect::<Vec<_>>().join(" ")
}

/// What goes with the cluster: its mark, and what the mark names. What clusters share stays for the others.
fn removable(tags: &Tags, cluster: &str) -> BTreeSet<String> {
    let own = mark(cluster);
    let Some(value) = tags.get(&own) else { return BTreeSet::new() };
    let any_mark = mark("");
    let is_shared = tags.keys().any(|key| key.starts_with(&any_mark) && *key != own);
    let mut keys = BTreeSet::from([own]);
    for kind in value.split(' ') {
        match kind {
            "cluster" => keys.insert(belongs(cluster)),
            "internal-elb" if !is_shared => keys.insert(INTERNAL.to_owned()),
            "elb" if !is_shared => keys.insert(PUBLIC.to_owned()),
            _ => false,
        };
    }
    keys
}

async fn tag(aws: &Aws, id: &str, tags: &Tags) -> Result<(), Failure> {
    let tags = tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect();
    let call = aws.ec2.create_tags().resources(id).set_tags(Some(tags));
    call.send().await.map(drop).map_err(|error| failure(TAG, &error))
}

/// A tag without a value is removed whatever its value.
async fn untag(aws: &Aws, id: &str, keys: &BTreeSet<String>) -> Result<(), Failure> {
    let tags = keys.iter().map(|key| Tag::builder().key(key).build()).collect();
    let call = aws.ec2.delete_tags().resources(id).set_tags(Some(tags));
    call.send().await.map(drop).map_err(|error| failure(UNTAG, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(keys: &[(&str, &str)]) -> Tags {
        keys.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn only_what_was_added_goes_and_what_is_shared_stays() {
        let own = (mark("a"), "cluster internal-elb");
        let alone = tags(&[(&own.0, own.1), (INTERNAL, "1"), ("kubernetes.io/cluster/a", "shared")]);
        let wanted = [INTERNAL, "kubernetes.io/cluster/a", own.0.as_str()].map(str::to_owned);
        assert_eq!(removable(&alone, "a"), wanted.into());
        let mut shared = alone.clone();
        shared.insert(mark("b"), "cluster".to_owned());
        let wanted = ["kubernetes.io/cluster/a", own.0.as_str()].map(str::to_owned);
        assert_eq!(removable(&shared, "a"), wanted.into());
        assert_eq!(removable(&alone, "other"), BTreeSet::new());
    }

    #[test]
    fn the_last_cluster_takes_away_what_another_one_added() {
        let present = tags(&[(&mark("a"), "cluster internal-elb"), (INTERNAL, "1")]);
        let now = tags(&[("kubernetes.io/cluster/b", "shared")]);
        assert_eq!(added(&present, &mark("b"), INTERNAL, &now), "cluster internal-elb");
        let own = tags(&[(&mark("b"), "cluster")]);
        assert_eq!(added(&own, &mark("b"), INTERNAL, &tags(&[(INTERNAL, "1")])), "cluster internal-elb");
    }

    #[test]
    fn a_tag_of_the_users_is_not_ours() {
        let part = SubnetTags {
            spec: String::new(),
            cluster: Input::known("a"),
            cluster_name: "a".to_owned(),
            subnet_ids: ["subnet-1".to_owned()].into(),
        };
        let subnet = Subnet { tags: tags(&[(INTERNAL, "")]), ..Subnet::default() };
        let missing = part.missing(&[("subnet-1".to_owned(), subnet)].into());
        assert_eq!(missing["subnet-1"].get(&mark("a")).map(String::as_str), Some("cluster"));
        assert!(!missing["subnet-1"].contains_key(INTERNAL));
    }
}
