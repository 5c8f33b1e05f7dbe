//! The JSON schema of an add-on's configuration values, as EKS publishes it for each version.
//!
//! API: <https://docs.aws.amazon.com/eks/latest/APIReference/API_DescribeAddonConfiguration.html>

use boon::{Compiler, SchemaIndex, Schemas, ValidationError};
use resource_graph::Failure;
use serde_json::Value;

use crate::aws::Aws;
use crate::aws::error::{Operation, failure};

pub const DESCRIBE: Operation = Operation::new("EKS", "DescribeAddonConfiguration");

/// A schema. One that cannot be read refuses nothing: EKS judges in the end.
pub struct Schema(Option<(Schemas, SchemaIndex)>);

/// The schema of one version of an add-on.
pub async fn of(aws: &Aws, name: &str, version: &str) -> Result<Schema, Failure> {
    let call = aws.eks.describe_addon_configuration().addon_name(name).addon_version(version);
    let answer = call.send().await.map_err(|error| failure(DESCRIBE, &error))?;
    Ok(Schema::parse(answer.configuration_schema().unwrap_or_default()))
}

impl Schema {
    fn parse(text: &str) -> Self {
        const PLACE: &str = "urn:configuration-schema";
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        let schema = serde_json::from_str::<Value>(text).ok();
        let added = schema.and_then(|schema| compiler.add_resource(PLACE, schema).ok());
        Self(added.and_then(|()| compiler.compile(PLACE, &mut schemas).ok()).map(|index| (schemas, index)))
    }

    /// What does not fit, each with the place in the values.
    pub fn problems(&self, values: &str) -> Vec<String> {
        let Some((schemas, index)) = &self.0 else { return Vec::new() };
        let values = match serde_json::from_str::<Value>(values) {
            Ok(values) => values,
            Err(error) => return vec![error.to_string()],
        };
        let mut problems = Vec::new();
        if let Err(error) = schemas.validate(&values, *index) {
            collect(&error, &mut problems);
        }
        problems
    }
}

/// The innermost causes say what is wrong, the others only where it was noticed.
fn collect(error: &ValidationError<'_, '_>, problems: &mut Vec<String>) {
    if error.causes.is_empty() {
        let place = error.instance_location.to_string();
        let place = if place.is_empty() { String::new() } else { format!("{place}: ") };
        problems.push(format!("{place}{}", error.kind));
    }
    for cause in &error.causes {
        collect(cause, problems);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMA: &str = r#"{
        "$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "additionalProperties": false,
        "properties": { "replicaCount": { "type": "integer" }, "agent": { "type": "object" } }
    }"#;

    #[test]
    fn problems_name_their_place() {
        let schema = Schema::parse(SCHEMA);
        assert!(schema.problems(r#"{"replicaCount": 3, "agent": {}}"#).is_empty());
        let [problem] = schema.problems(r#"{"replicaCount": "3"}"#).try_into().unwrap();
        assert!(problem.starts_with("/replicaCount: "), "{problem}");
        let [problem] = schema.problems(r#"{"replicas": 3}"#).try_into().unwrap();
        assert!(problem.contains("replicas"), "{problem}");
    }

    #[test]
    fn an_unreadable_schema_refuses_nothing() {
        assert!(Schema::parse("").problems("{}").is_empty());
        assert!(Schema::parse(r#"{"type": 7}"#).problems("{}").is_empty());
    }
}
