//! The two policies of a repository: which images ECR deletes by itself, and who else may pull.
//!
//! Formats: ECR user guide, `lifecycle_policy_parameters` and `repository-policy-examples`.

use std::collections::BTreeSet;

use resource_graph::Failure;
use serde_json::{Value, json};

use crate::aws::error::{Operation, failure, is_absent};
use crate::aws::{Aws, Location};
use crate::parts::gone;

/// Which images ECR deletes by itself; 0 sets no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// The newest images that stay.
    pub keep_images: i64,
    /// Days after which images without a tag go.
    pub expire_untagged_days: i64,
}

/// ECR numbers rules from 1, and a rule about any image comes last.
const UNTAGGED: i64 = 1;
const ANY: i64 = 2;

impl Limits {
    /// The lifecycle policy; none without a limit. ECR takes no text below 100 characters, which one rule exceeds.
    pub fn lifecycle(&self) -> Option<Value> {
        let mut rules = Vec::new();
        if self.expire_untagged_days > 0 {
            rules.push(json!({
                "rulePriority": UNTAGGED,
                "description": "Images without a tag",
                "selection": {
                    "tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days",
                    "countNumber": self.expire_untagged_days,
                },
                "action": { "type": "expire" },
            }));
        }
        if self.keep_images > 0 {
            rules.push(json!({
                "rulePriority": ANY,
                "description": "All but the newest images",
                "selection": {
                    "tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": self.keep_images,
                },
                "action": { "type": "expire" },
            }));
        }
        (!rules.is_empty()).then(|| json!({ "rules": rules }))
    }

    /// The limits of a policy that we wrote.
    pub fn read(lifecycle: Option<&Value>) -> Self {
        let number = |priority: i64| {
            let rules = lifecycle.and_then(|lifecycle| lifecycle["rules"].as_array());
            let mut rules = rules.into_iter().flatten();
            let rule = rules.find(|rule| rule["rulePriority"].as_i64() == Some(priority));
            rule.and_then(|rule| rule["selection"]["countNumber"].as_i64()).unwrap_or_default()
        };
        Self { keep_images: number(ANY), expire_untagged_days: number(UNTAGGED) }
    }
}

/// Names our statement among those of others.
const OUR_STATEMENT: &str = "TerraformProviderEksPull";
/// What a pull needs of the repository; the token for the registry is the puller's own affair.
const PULL: [&str; 3] =
    ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"];

/// The policy with our statement as it should be, and those of others as they are. The outer none: nothing is
/// to be changed; the inner: no statement is left.
pub fn with_pulls(
    there: Option<&Value>,
    accounts: &BTreeSet<String>,
    location: &Location,
) -> Option<Option<Value>> {
    if pulling_accounts(there) == *accounts && is_complete(there, accounts) {
        return None;
    }
    let mut statements: Vec<Value> =
        statements(there).into_iter().filter(|statement| !is_ours(statement)).collect();
    if !accounts.is_empty() {
        let principals: Vec<String> = accounts.iter().map(|account| location.root_arn_of(account)).collect();
        statements.push(json!({
            "Sid": OUR_STATEMENT, "Effect": "Allow", "Action": PULL, "Principal": { "AWS": principals },
        }));
    }
    Some((!statements.is_empty()).then(|| {
        let version = there.and_then(|policy| policy["Version"].as_str()).unwrap_or("2012-10-17");
        json!({ "Version": version, "Statement": statements })
    }))
}

/// The accounts our statement names.
pub fn pulling_accounts(policy: Option<&Value>) -> BTreeSet<String> {
    let statements = statements(policy);
    let principals = statements.iter().filter(|statement| is_ours(statement));
    let principals = principals.flat_map(|statement| texts(&statement["Principal"]["AWS"]));
    // ECR may answer the number alone, as IAM does.
    principals.map(|arn| arn.split(':').nth(4).unwrap_or(&arn).to_owned()).collect()
}

fn is_complete(policy: Option<&Value>, accounts: &BTreeSet<String>) -> bool {
    let statements = statements(policy);
    let mut ours = statements.iter().filter(|statement| is_ours(statement));
    let (first, second) = (ours.next(), ours.next());
    let pulls = |statement: &Value| {
        statement["Effect"] == "Allow"
            && statement.get("Condition").is_none()
            && texts(&statement["Action"]) == PULL.map(str::to_owned).into()
    };
    second.is_none() && first.map_or(accounts.is_empty(), pulls)
}

fn is_ours(statement: &Value) -> bool {
    statement["Sid"] == OUR_STATEMENT
}

fn statements(policy: Option<&Value>) -> Vec<Value> {
    match policy.map(|policy| policy["Statement"].clone()) {
        Some(Value::Array(statements)) => statements,
        Some(statement @ Value::Object(_)) => vec![statement],
        _ => Vec::new(),
    }
}

/// A text, or a list of texts.
fn texts(value: &Value) -> BTreeSet<String> {
    match value {
        Value::String(text) => [text.clone()].into(),
        Value::Array(items) => items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect(),
        _ => BTreeSet::new(),
    }
}

pub const GET_LIFECYCLE: Operation = Operation::new("ECR", "GetLifecyclePolicy");
pub const PUT_LIFECYCLE: Operation = Operation::new("ECR", "PutLifecyclePolicy");
pub const DELETE_LIFECYCLE: Operation = Operation::new("ECR", "DeleteLifecyclePolicy");
pub const GET_POLICY: Operation = Operation::new("ECR", "GetRepositoryPolicy");
pub const SET_POLICY: Operation = Operation::new("ECR", "SetRepositoryPolicy");
pub const DELETE_POLICY: Operation = Operation::new("ECR", "DeleteRepositoryPolicy");

/// The lifecycle policy that is there.
pub async fn lifecycle(aws: &Aws, name: &str) -> Result<Option<Value>, Failure> {
    match aws.ecr.get_lifecycle_policy().repository_name(name).send().await {
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(failure(GET_LIFECYCLE, &error)),
        Ok(answer) => Ok(answer.lifecycle_policy_text.as_deref().map(parsed)),
    }
}

/// The policy that is there.
pub async fn policy(aws: &Aws, name: &str) -> Result<Option<Value>, Failure> {
    match aws.ecr.get_repository_policy().repository_name(name).send().await {
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(failure(GET_POLICY, &error)),
        Ok(answer) => Ok(answer.policy_text.as_deref().map(parsed)),
    }
}

/// Sets or removes the lifecycle policy.
pub async fn set_lifecycle(aws: &Aws, name: &str, wanted: Option<&Value>) -> Result<(), Failure> {
    let Some(wanted) = wanted else {
        return gone(DELETE_LIFECYCLE, aws.ecr.delete_lifecycle_policy().repository_name(name).send().await);
    };
    let call = aws.ecr.put_lifecycle_policy().repository_name(name).lifecycle_policy_text(wanted.to_string());
    call.send().await.map(drop).map_err(|error| failure(PUT_LIFECYCLE, &error))
}

/// Sets or removes the policy.
pub async fn set_policy(aws: &Aws, name: &str, wanted: Option<&Value>) -> Result<(), Failure> {
    let Some(wanted) = wanted else {
        return gone(DELETE_POLICY, aws.ecr.delete_repository_policy().repository_name(name).send().await);
    };
    let call = aws.ecr.set_repository_policy().repository_name(name).policy_text(wanted.to_string());
    call.send().await.map(drop).map_err(|error| failure(SET_POLICY, &error))
}

/// A text that is no JSON differs from every policy.
fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORTEST_POLICY: usize = 100;

    fn location() -> Location {
        Location {
            partition: "aws".to_owned(),
            account_id: "111122223333".to_owned(),
            region: "eu-central-1".to_owned(),
        }
    }

    fn accounts(of: &[&str]) -> BTreeSet<String> {
        of.iter().map(|account| (*account).to_owned()).collect()
    }

    #[test]
    fn every_lifecycle_policy_is_long_enough_and_read_back() {
        for (keep_images, expire_untagged_days) in [(0, 1), (1, 0), (100, 14)] {
            let limits = Limits { keep_images, expire_untagged_days };
            let policy = limits.lifecycle();
            assert!(policy.as_ref().is_some_and(|policy| policy.to_string().len() >= SHORTEST_POLICY));
            assert_eq!(Limits::read(policy.as_ref()), limits);
        }
        assert_eq!(Limits::default().lifecycle(), None);
    }

    #[test]
    fn statements_of_others_stay() {
        let theirs = json!({"Sid": "Lambda", "Effect": "Allow", "Action": "ecr:BatchGetImage",
            "Principal": {"Service": "lambda.amazonaws.com"}});
        let there = json!({"Version": "2008-10-17", "Statement": [theirs]});
        let wanted = accounts(&["222233334444"]);
        let both = with_pulls(Some(&there), &wanted, &location()).flatten().expect("a change");
        assert_eq!(both["Statement"][0], theirs);
        assert_eq!(both["Statement"][1]["Principal"]["AWS"][0], "arn:aws:iam::222233334444:root");
        assert_eq!(with_pulls(Some(&both), &wanted, &location()), None);
        assert_eq!(with_pulls(Some(&both), &accounts(&[]), &location()), Some(Some(there)));
    }

    #[test]
    fn the_last_statement_takes_the_policy_with_it() {
        assert_eq!(with_pulls(None, &accounts(&[]), &location()), None);
        let ours = with_pulls(None, &accounts(&["222233334444"]), &location()).flatten();
        assert_eq!(with_pulls(ours.as_ref(), &accounts(&[]), &location()), Some(None));
    }

    #[test]
    fn a_statement_that_somebody_widened_is_written_again() {
        let wanted = accounts(&["222233334444"]);
        let mut ours = with_pulls(None, &wanted, &location()).flatten().expect("a policy");
        ours["Statement"][0]["Action"] = json!("ecr:*");
        assert!(with_pulls(Some(&ours), &wanted, &location()).is_some());
    }
}
