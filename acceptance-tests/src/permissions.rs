//! The policies that `docs/guides/permissions.md` publishes, as their readers copy them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::account::{Account, REGION};
use crate::{Explain, Failure, Result, cache};

/// The account the guide stands for.
const ACCOUNT: &str = "111122223333";

/// What the guide publishes.
#[derive(Debug, Clone)]
pub struct Published {
    /// The documents for apply.
    pub apply: Vec<Value>,
    /// The documents for plan.
    pub plan: Vec<Value>,
    /// The documents for a look at everybody's objects.
    pub owners: Vec<Value>,
    /// The actions that are called: `eks:CreateCluster`.
    pub called: BTreeSet<String>,
}

impl Published {
    /// Reads the guide.
    pub fn read() -> Result<Self> {
        let path = cache::repository().join("docs").join("guides").join("permissions.md");
        let guide = std::fs::read_to_string(&path).explain(path.display())?;
        let section = |heading: &str| {
            let found = guide.split("\n## ").find(|section| section.starts_with(heading));
            found.explain(format!("{} has no section {heading}", path.display()))
        };
        let called = quoted(section("What each part calls")?).filter(|word| word.contains(':'));
        let published = Self {
            apply: documents(section("Apply")?)?,
            plan: documents(section("Plan")?)?,
            owners: documents(section("Left-overs")?)?,
            called: called.map(str::to_owned).collect(),
        };
        if published.apply.is_empty() || published.plan.is_empty() || published.called.is_empty() {
            return Err(Failure::new(format!("{} publishes nothing", path.display())));
        }
        Ok(published)
    }

    /// Documents with the account of a test and its region.
    pub fn fitted(documents: &[Value], account: &Account) -> Result<Vec<Value>> {
        let text = Value::from(documents.to_vec()).to_string();
        let text = text.replace(ACCOUNT, account.id()).replace(REGION, account.region());
        serde_json::from_str(&text).explain("the published policies")
    }

    /// Every action of the policies, on everything: whatever else is called is missing in the guide.
    pub fn actions_on_everything(&self) -> Value {
        let actions: BTreeSet<&str> = self.apply.iter().chain(&self.owners).flat_map(actions).collect();
        let statement = json!({"Effect": "Allow", "Action": actions, "Resource": "*"});
        json!({"Version": "2012-10-17", "Statement": [statement]})
    }
}

fn actions(document: &Value) -> Vec<&str> {
    let statements = document["Statement"].as_array().into_iter().flatten();
    let actions = statements.flat_map(|statement| statement["Action"].as_array().into_iter().flatten());
    actions.filter_map(Value::as_str).collect()
}

fn documents(section: &str) -> Result<Vec<Value>> {
    let blocks = section.split("```json\n").skip(1).filter_map(|block| block.split("\n```").next());
    blocks.map(|block| serde_json::from_str(block).explain("a policy of the guide")).collect()
}

fn quoted(section: &str) -> impl Iterator<Item = &str> {
    section.split('`').skip(1).step_by(2)
}
