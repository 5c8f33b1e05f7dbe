//! The configurations the tests use: one description for the CLIs (as text) and for the driver (as a value).

use serde_json::{Map, Value, json};

use crate::account::Account;
use crate::provider_binary;

/// The services the provider is told to find at the local AWS.
pub const SERVICES: [&str; 8] = ["cloudwatch", "ec2", "ecr", "eks", "iam", "kms", "logs", "sts"];

/// What is a block in the provider block.
const BLOCKS: [&str; 2] = ["endpoints", "default_tags"];

/// The resource type under test.
pub const CLUSTER_TYPE: &str = "eks_production_cluster";
/// The address the tests give it.
pub const CLUSTER: &str = "eks_production_cluster.main";
/// The reason the tests give when they switch deletion protection off.
pub const REASON: &str = "acceptance tests destroy what they make";

/// The arguments of the provider block.
#[derive(Debug, Clone)]
pub struct Provider {
    arguments: Map<String, Value>,
}

impl Provider {
    /// Points at the account in the local AWS, with short pauses and few retries.
    pub fn of(account: &Account) -> Self {
        let endpoints: Map<String, Value> =
            SERVICES.iter().map(|service| ((*service).to_owned(), json!(account.url()))).collect();
        let arguments = json!({
            "region": account.region(),
            "access_key": account.access_key(),
            "secret_key": "not-a-secret",
            "poll_interval": "50ms",
            "max_retries": 3,
            "endpoints": endpoints,
        });
        Self { arguments: arguments.as_object().cloned().unwrap_or_default() }
    }

    /// With credentials that may only read.
    pub fn that_only_reads(account: &Account) -> Self {
        Self::of(account).with("access_key", json!(account.access_key_that_only_reads()))
    }

    /// With another value for one argument.
    pub fn with(mut self, argument: &str, value: Value) -> Self {
        self.arguments.insert(argument.to_owned(), value);
        self
    }

    /// As the driver sends it.
    pub fn object(&self) -> Value {
        Value::Object(self.arguments.clone())
    }

    /// As a block.
    pub fn block(&self) -> String {
        self.block_called(None)
    }

    /// As a block with an alias.
    pub fn block_called(&self, alias: Option<&str>) -> String {
        let mut body = String::new();
        for (name, value) in &self.arguments {
            match value.as_object().filter(|_| BLOCKS.contains(&name.as_str())) {
                Some(members) => body.push_str(&format!("  {name} {{\n{}  }}\n", lines(members, "    "))),
                None => body.push_str(&format!("  {name} = {value}\n")),
            }
        }
        if let Some(alias) = alias {
            body.push_str(&format!("  alias = \"{alias}\"\n"));
        }
        format!("provider \"eks\" {{\n{body}}}\n")
    }
}

fn lines(arguments: &Map<String, Value>, indentation: &str) -> String {
    arguments.iter().map(|(name, value)| format!("{indentation}{name} = {value}\n")).collect()
}

/// The `terraform` block every configuration begins with.
pub fn requirements() -> String {
    let source = provider_binary::SOURCE;
    format!("terraform {{\n  required_providers {{\n    eks = {{ source = \"{source}\" }}\n  }}\n}}\n")
}

/// An `eks_production_cluster` block.
#[derive(Debug, Clone)]
pub struct Cluster {
    label: String,
    arguments: Map<String, Value>,
    expressions: Vec<(String, String)>,
    lifecycle: Vec<String>,
}

impl Cluster {
    /// The smallest complete cluster; protected against deletion as users get it.
    pub fn minimal(name: &str, subnet_ids: &[String]) -> Self {
        let arguments = json!({
            "name": name,
            "kubernetes_version": "1.35",
            "subnet_ids": subnet_ids,
            "node_groups": {"general": {}},
        });
        Self {
            label: "main".to_owned(),
            arguments: arguments.as_object().cloned().unwrap_or_default(),
            expressions: Vec::new(),
            lifecycle: Vec::new(),
        }
    }

    /// One that `destroy` deletes.
    pub fn unprotected(name: &str, subnet_ids: &[String]) -> Self {
        Self::minimal(name, subnet_ids).without_protection()
    }

    /// With deletion protection off, on record.
    pub fn without_protection(self) -> Self {
        self.with("deletion_protection", json!(false))
            .with("waivers", json!({"deletion-protection-off": REASON}))
    }

    /// Under another label than `main`.
    pub fn labelled(mut self, label: &str) -> Self {
        self.label = label.to_owned();
        self
    }

    /// With a value for an argument; null leaves it out.
    pub fn with(mut self, argument: &str, value: Value) -> Self {
        self.expressions.retain(|(name, _)| name != argument);
        if value.is_null() {
            self.arguments.remove(argument);
        } else {
            self.arguments.insert(argument.to_owned(), value);
        }
        self
    }

    /// With an expression for an argument, for the CLIs only.
    pub fn with_expression(mut self, argument: &str, expression: &str) -> Self {
        self.arguments.remove(argument);
        self.expressions.push((argument.to_owned(), expression.to_owned()));
        self
    }

    /// With a line in the `lifecycle` block, for the CLIs only.
    pub fn with_lifecycle(mut self, line: &str) -> Self {
        self.lifecycle.push(line.to_owned());
        self
    }

    /// With `create_before_destroy`, for the CLIs only.
    pub fn created_before_destroyed(self) -> Self {
        self.with_lifecycle("create_before_destroy = true")
    }

    /// As the driver sends it.
    pub fn object(&self) -> Value {
        Value::Object(self.arguments.clone())
    }

    /// As a block.
    pub fn block(&self) -> String {
        let mut body = lines(&self.arguments, "  ");
        for (name, expression) in &self.expressions {
            body.push_str(&format!("  {name} = {expression}\n"));
        }
        if !self.lifecycle.is_empty() {
            body.push_str(&format!("  lifecycle {{\n    {}\n  }}\n", self.lifecycle.join("\n    ")));
        }
        format!("resource \"{CLUSTER_TYPE}\" \"{}\" {{\n{body}}}\n", self.label)
    }
}

#[cfg(test)]
mod tests {
    use super::Cluster;
    use serde_json::json;

    #[test]
    fn a_block_carries_values_expressions_and_lifecycle() {
        let cluster = Cluster::minimal("prod", &["subnet-1".to_owned()])
            .with_expression("subnet_ids", "var.subnet_ids")
            .with("tags", json!({"team": "a"}))
            .created_before_destroyed();
        let block = cluster.block();
        assert!(block.contains("subnet_ids = var.subnet_ids"), "{block}");
        assert!(block.contains(r#"tags = {"team":"a"}"#), "{block}");
        assert!(block.contains("lifecycle {\n    create_before_destroy = true"), "{block}");
        assert!(cluster.object().get("subnet_ids").is_none());
    }
}
