//! A rule by which the registry fetches images of another registry and keeps them. The repositories it makes for
//! them belong to nobody here.
//!
//! Rules carry no tags. One that is exactly as configured, and was there before, is shared: it is used, and never
//! changed or deleted. Only what was made here is changed and deleted: a tag on the cluster's role says so.
//!
//! API: <https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreatePullThroughCacheRule.html>

use std::fmt;

use async_trait::async_trait;
use aws_sdk_ecr::config::retry::RetryConfig;
use aws_sdk_ecr::types::PullThroughCacheRule as Rule;
use resource_graph::{
    Comparison, Created, Failure, FailureKind, Identity, Observation, Outputs, Owner, Part, PartKey, Probe,
    Record, Replacement, Target, Until,
};

#[cfg(test)]
use super::Calls;
use super::made_here::{self, Mark};
use super::{found, gone};
use crate::aws::Aws;
use crate::aws::error::{Operation, failure, is_absent};

/// Kind of its keys.
pub const KIND: &str = "pull-through-cache-rule";

/// A rule.
#[derive(Debug, Clone, PartialEq)]
pub struct PullThroughCacheRule {
    /// What people read about it.
    pub spec: String,
    /// Beginning of the names of its repositories, 2-30 characters.
    pub prefix: String,
    /// Host of the other registry, such as `public.ecr.aws`; fixed at creation.
    pub upstream: String,
    /// Secret with the credentials for it.
    pub credential_arn: Option<String>,
    /// The role of the cluster, which carries the mark.
    pub role: String,
}

/// What was seen of a rule.
#[derive(Debug, Clone)]
pub struct Seen {
    upstream: String,
    credential_arn: Option<String>,
    /// When it was made, seconds since 1970: the same in the answer of the create and later.
    created: String,
    mark: Option<Mark>,
}

/// One update of a rule.
#[derive(Debug, Clone)]
pub enum Change {
    /// Other credentials.
    Credentials(String),
    /// The mark on the cluster's role does not say yet, or any more, that this one was made here.
    Mark(Mark),
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Credentials(_) => write!(formatter, "credentials"),
            Self::Mark(_) => write!(formatter, "mark of its owner"),
        }
    }
}

impl PullThroughCacheRule {
    /// The part a record speaks of.
    pub fn recall(record: &Record) -> Self {
        Self {
            spec: record.spec.clone(),
            prefix: record.identity.get("prefix").to_owned(),
            upstream: String::new(),
            credential_arn: None,
            role: record.identity.get("role").to_owned(),
        }
    }

    fn is_wanted(&self, seen: &Seen) -> bool {
        seen.upstream == self.upstream && seen.credential_arn == self.credential_arn
    }
}

#[async_trait]
impl Part<Aws> for PullThroughCacheRule {
    type Seen = Seen;
    type Change = Change;

    fn key(&self) -> PartKey {
        PartKey::new(KIND, &self.prefix)
    }

    fn identity(&self) -> Identity {
        identity(&self.prefix, &self.role)
    }

    fn spec(&self) -> String {
        self.spec.clone()
    }

    async fn observe(&self, aws: &Aws, target: &Target<'_>) -> Result<Observation<Seen>, Failure> {
        let prefix = target.identity.get("prefix");
        let key = self.key();
        let mark = made_here::read(aws, target.identity.get("role"), &key);
        let (rule, mark) = tokio::try_join!(describe(aws, prefix), mark)?;
        let Some(rule) = rule else { return Ok(Observation::Absent) };
        let seen = seen(&rule, mark);
        let is_ours = seen.mark.as_ref().is_some_and(|mark| mark.covers(&seen.upstream, &seen.created));
        let mut outputs = outputs(&rule);
        if is_ours {
            outputs.set(MADE_HERE, seen.created.clone());
        }
        let owner = if is_ours || self.is_wanted(&seen) { Owner::Ours } else { Owner::Nobody };
        Ok(Observation::Present { owner, instance: Some(seen.created.clone()), outputs, seen })
    }

    fn compare(&self, target: &Target<'_>, seen: &Seen) -> Comparison<Change> {
        let is_made_here = is_made_here(target.outputs);
        let made = Mark::Made(seen.created.clone());
        let mark =
            Some(made).filter(|made| is_made_here && seen.mark.as_ref() != Some(made)).map(Change::Mark);
        if self.is_wanted(seen) {
            return mark.map_or(Comparison::Same, |mark| Comparison::Change(vec![mark]));
        }
        if !is_made_here {
            return Comparison::Impossible(format!(
                "the rule {} is shared with others, who made it for {}{}; configure it like that, or choose another \
                 prefix",
                self.prefix,
                seen.upstream,
                seen.credential_arn.as_ref().map(|arn| format!(" with {arn}")).unwrap_or_default(),
            ));
        }
        match &self.credential_arn {
            Some(arn) if seen.upstream == self.upstream => {
                Comparison::Change(mark.into_iter().chain([Change::Credentials(arn.clone())]).collect())
            }
            _ => Comparison::Replace(Replacement {
                reason: "ECR fixes the other registry, and that it needs no credentials, at creation"
                    .to_owned(),
                identity: self.identity(),
            }),
        }
    }

    async fn create(&self, aws: &Aws, target: &Target<'_>) -> Result<Created<Seen>, Failure> {
        let prefix = target.identity.get("prefix");
        let role = target.identity.get("role");
        let key = self.key();
        // A mark that is there already is of an earlier try, whose end nobody heard of.
        let begun = Mark::Begun(self.upstream.clone());
        let before = made_here::read(aws, role, &key).await?;
        if before.as_ref() != Some(&begun) {
            made_here::set(aws, role, &key, &begun).await?;
        }
        let answer = aws
            .ecr
            .create_pull_through_cache_rule()
            .ecr_repository_prefix(prefix)
            .upstream_registry_url(&self.upstream)
            .set_credential_arn(self.credential_arn.clone())
            .customize()
            // The SDK would repeat a call whose answer was lost, and hear that there is one already: as it hears
            // when somebody else made it.
            .config_override(aws_sdk_ecr::config::Config::builder().retry_config(RetryConfig::disabled()))
            .send()
            .await
            .map_err(|error| failure(CREATE, &error));
        let answer = match answer {
            Ok(answer) => answer,
            Err(mut refused) => {
                if refused.kind != FailureKind::Unknown && before.as_ref() != Some(&begun) {
                    let removed = made_here::remove(aws, role, &key).await;
                    refused.message.extend(removed.err().map(|failure| format!("; and then: {failure}")));
                }
                return Err(refused);
            }
        };
        let created = answer.created_at().map(|time| time.secs().to_string()).unwrap_or_default();
        let outputs = Outputs::new([(CREATED, &created), (MADE_HERE, &created)]);
        let seen = Seen {
            upstream: self.upstream.clone(),
            credential_arn: self.credential_arn.clone(),
            created: created.clone(),
            mark: Some(begun),
        };
        Ok(Created { seen, instance: Some(created), outputs })
    }

    async fn update(&self, aws: &Aws, target: &Target<'_>, change: &Change) -> Result<Outputs, Failure> {
        match change {
            Change::Credentials(arn) => {
                let call = aws.ecr.update_pull_through_cache_rule();
                let call = call.ecr_repository_prefix(target.identity.get("prefix")).credential_arn(arn);
                call.send().await.map_err(|error| failure(UPDATE, &error))?;
            }
            Change::Mark(mark) => {
                made_here::set(aws, target.identity.get("role"), &self.key(), mark).await?;
            }
        }
        Ok(Outputs::default())
    }

    async fn delete(&self, aws: &Aws, target: &Target<'_>) -> Result<(), Failure> {
        if !is_made_here(target.outputs) {
            return Ok(());
        }
        let prefix = target.identity.get("prefix");
        gone(DELETE, aws.ecr.delete_pull_through_cache_rule().ecr_repository_prefix(prefix).send().await)?;
        made_here::remove(aws, target.identity.get("role"), &self.key()).await
    }

    async fn probe(&self, aws: &Aws, target: &Target<'_>, until: Until) -> Result<Probe, Failure> {
        if until == Until::Gone && !is_made_here(target.outputs) {
            return Ok(Probe::Done(Outputs::default()));
        }
        Ok(match (until, describe(aws, target.identity.get("prefix")).await?) {
            (Until::Usable, None) => return Err(super::not_visible_yet()),
            (Until::Usable, Some(rule)) => Probe::Done(outputs(&rule)),
            (Until::Gone, None) => Probe::Done(Outputs::default()),
            (Until::Gone, Some(_)) => Probe::Pending("still there".to_owned()),
        })
    }
}

/// Output: when it was made.
const CREATED: &str = "created";
/// Output: when one was made here. While that is the one that is there, it goes with the cluster.
const MADE_HERE: &str = "made_here";

const CREATE: Operation = Operation::new("ECR", "CreatePullThroughCacheRule");
const DESCRIBE: Operation = Operation::new("ECR", "DescribePullThroughCacheRules");
const UPDATE: Operation = Operation::new("ECR", "UpdatePullThroughCacheRule");
const DELETE: Operation = Operation::new("ECR", "DeletePullThroughCacheRule");

/// IAM actions this kind calls, and those AWS checks on its behalf.
#[cfg(test)]
pub const CALLS: Calls = Calls {
    kind: KIND,
    calls: &[CREATE, DESCRIBE, UPDATE, DELETE, made_here::READ, made_here::SET, made_here::REMOVE],
    implied: &[
        (
            "iam:CreateServiceLinkedRole",
            "ECR user guide, slr-pullthroughcache: AWSServiceRoleForECRPullThroughCache",
        ),
        ("secretsmanager:GetSecretValue", "ECR user guide, pull-through-cache-creating-secret"),
    ],
};

/// The record of the rule a mark on a role speaks of, and what an import reads of it; none when it is not there, or
/// somebody else's by now.
pub async fn find(aws: &Aws, part: &PartKey, mark: &Mark, role: &str) -> Result<Option<Existing>, Failure> {
    let Some(rule) = describe(aws, part.name()).await? else { return Ok(None) };
    let Seen { upstream, credential_arn, created, .. } = seen(&rule, None);
    if !mark.covers(&upstream, &created) {
        return Ok(None);
    }
    let mut outputs = outputs(&rule);
    outputs.set(MADE_HERE, created.clone());
    let record = found(part.clone(), identity(part.name(), role), Some(created), outputs);
    Ok(Some(Existing { record, upstream, credential_arn }))
}

/// A rule that was made here.
#[derive(Debug, Clone)]
pub struct Existing {
    /// Its record.
    pub record: Record,
    /// Host of the other registry.
    pub upstream: String,
    /// Secret with the credentials for it.
    pub credential_arn: Option<String>,
}

fn identity(prefix: &str, role: &str) -> Identity {
    Identity::new([("prefix", prefix), ("role", role)])
}

fn is_made_here(outputs: &Outputs) -> bool {
    outputs.get(MADE_HERE).is_some() && outputs.get(MADE_HERE) == outputs.get(CREATED)
}

fn seen(rule: &Rule, mark: Option<Mark>) -> Seen {
    Seen {
        upstream: rule.upstream_registry_url().unwrap_or_default().to_owned(),
        credential_arn: rule.credential_arn().map(str::to_owned),
        created: created(rule),
        mark,
    }
}

fn outputs(rule: &Rule) -> Outputs {
    Outputs::new([("upstream", rule.upstream_registry_url().unwrap_or_default()), (CREATED, &created(rule))])
}

fn created(rule: &Rule) -> String {
    rule.created_at().map(|time| time.secs().to_string()).unwrap_or_default()
}

async fn describe(aws: &Aws, prefix: &str) -> Result<Option<Rule>, Failure> {
    match aws.ecr.describe_pull_through_cache_rules().ecr_repository_prefixes(prefix).send().await {
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(failure(DESCRIBE, &error)),
        Ok(answer) => Ok(answer.pull_through_cache_rules.unwrap_or_default().into_iter().next()),
    }
}
