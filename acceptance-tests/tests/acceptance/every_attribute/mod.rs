//! Every attribute of the schema is changed once, and the change is seen in AWS; or it is refused with its
//! message; or there is a reason why AWS never hears of it.

mod rows;

use std::collections::BTreeSet;

use acceptance_tests::configuration::{CLUSTER_TYPE, Cluster, REASON};
use acceptance_tests::failure::ensure;
use acceptance_tests::{Explain, Failure, Result};
use serde_json::{Value, json};

use self::rows::{IMMUTABLE, Row, SILENT};
use crate::stage::Stage;

/// What the rows need in the account besides the cluster.
struct Ground {
    roles: Vec<String>,
    secrets: Vec<String>,
    keys: Vec<String>,
    /// In the zones of the stage's own, which come first.
    subnets: Vec<String>,
    security_group: String,
}

impl Ground {
    fn of(stage: &Stage) -> Result<Self> {
        let call = |service: &str, operation: &str, parameters: Value| {
            stage.account.call(service, operation, parameters)
        };
        let mut ground = Self {
            roles: Vec::new(),
            secrets: Vec::new(),
            keys: Vec::new(),
            subnets: stage.network.subnet_ids.clone(),
            security_group: stage.network.security_group_id.clone(),
        };
        for name in ["a", "b", "c", "d"] {
            ground.roles.push(stage.account.role_of_nobody(name)?);
        }
        let trust = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Action": ["sts:AssumeRole", "sts:TagSession"],
            "Principal": {"Service": "pods.eks.amazonaws.com"},
        }]});
        let parameters = json!({"RoleName": "of-pods", "AssumeRolePolicyDocument": trust.to_string()});
        let role = call("iam", "CreateRole", parameters)?;
        ground.roles.push(role["Role"]["Arn"].as_str().explain("the role's ARN")?.to_owned());
        for name in ["one", "two"] {
            let parameters = json!({"Name": format!("ecr-pullthroughcache/{name}"), "SecretString": "{}"});
            let secret = call("secretsmanager", "CreateSecret", parameters)?;
            ground.secrets.push(secret["ARN"].as_str().explain("the secret's ARN")?.to_owned());
            let logs = json!({"Service": format!("logs.{}.amazonaws.com", stage.account.region())});
            let root = json!({"AWS": format!("arn:aws:iam::{}:root", stage.account.id())});
            let allow = |principal: Value| json!({"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Principal": principal});
            let policy = json!({"Version": "2012-10-17", "Statement": [allow(root), allow(logs)]});
            let key = call("kms", "CreateKey", json!({"Policy": policy.to_string()}))?;
            ground.keys.push(key["KeyMetadata"]["Arn"].as_str().explain("the key's ARN")?.to_owned());
        }
        let first = call("ec2", "DescribeSubnets", json!({"SubnetIds": [ground.subnets[0]]}))?;
        let zone = first["Subnets"][0]["AvailabilityZone"].clone();
        let parameters =
            json!({"VpcId": stage.network.vpc_id, "CidrBlock": "10.0.160.0/20", "AvailabilityZone": zone});
        let more = call("ec2", "CreateSubnet", parameters)?;
        ground.subnets.push(more["Subnet"]["SubnetId"].as_str().explain("the subnet's id")?.to_owned());
        stage.account.set_baseline()?;
        Ok(ground)
    }

    /// A cluster that has something of everything.
    fn cluster(&self, stage: &Stage) -> Cluster {
        let rules = ["deletion-protection-off", "extended-support", "log-retention-short", "logs-incomplete"];
        let waivers: serde_json::Map<String, Value> =
            rules.map(|rule| (rule.to_owned(), json!(REASON))).into_iter().collect();
        stage
            .cluster()
            .with("waivers", Value::Object(waivers))
            .with("access_entries", json!({
                "ops": {"principal_arn": self.roles[0], "preset": "operator"},
                "nodes": {"principal_arn": self.roles[3], "type": "EC2_LINUX"},
            }))
            .with("break_glass", json!({"principal_arn": self.roles[1]}))
            .with("load_balancer_controller", json!({"enabled": true}))
            .with("external_secrets", json!({"enabled": true}))
            .with("image_repositories", json!({"shop/api": {}}))
            .with("image_registry", json!({
                "replication": [{"region": "eu-west-1"}],
                "pull_through": {"hub": {"upstream": "registry-1.docker.io", "credential_arn": self.secrets[0]}},
            }))
    }
}

/// RFC 7396: what is null in the patch goes, the rest is merged.
fn merged(target: &Value, patch: &Value) -> Value {
    let Value::Object(changes) = patch else { return patch.clone() };
    let mut members = target.as_object().cloned().unwrap_or_default();
    for (name, change) in changes {
        if change.is_null() {
            members.remove(name);
        } else {
            let changed = merged(members.get(name).unwrap_or(&Value::Null), change);
            members.insert(name.clone(), changed);
        }
    }
    Value::Object(members)
}

/// The configuration after a patch, which may take whole arguments away.
fn patched(cluster: &Cluster, patch: &Value) -> Cluster {
    let before = cluster.object();
    let arguments = patch.as_object().into_iter().flatten();
    arguments.fold(cluster.clone(), |cluster, (name, change)| {
        let value = if change.is_null() { Value::Null } else { merged(&before[name.as_str()], change) };
        cluster.with(name, value)
    })
}

/// Applies one change after the other and looks for each in the journal.
fn play(rows: &[Row]) -> Result<()> {
    let stage = Stage::new()?;
    let ground = Ground::of(&stage)?;
    let mut cluster = ground.cluster(&stage);
    let created_at = stage.made(&cluster)?;
    for row in rows {
        let about = |failure: Failure| Failure::new(format!("{}: {failure}", row.paths.join(", ")));
        cluster = patched(&cluster, &(row.change)(&ground));
        stage.configure(&cluster)?;
        let mark = stage.account.mark()?;
        stage.apply().map_err(about)?;
        let journal = stage.account.journal_since(mark)?;
        let succeeded = journal.mutating().into_iter().filter(|call| call.succeeded());
        let actions: BTreeSet<String> =
            succeeded.map(|call| call.action().replace("monitoring:", "cloudwatch:")).collect();
        ensure(actions.contains(row.action), || format!("{} instead of {actions:?}", row.action))
            .map_err(about)?;
        stage.expect_empty_plan().map_err(about)?;
    }
    ensure(stage.account.created_at(crate::stage::NAME)? == created_at, || "another cluster".to_owned())?;
    stage.expect_destroyed_completely()
}

#[test]
fn of_the_cluster() -> Result<()> {
    play(rows::CLUSTER)
}

#[test]
fn of_node_groups() -> Result<()> {
    play(rows::NODE_GROUPS)
}

#[test]
fn of_access_and_addons() -> Result<()> {
    play(rows::ACCESS_AND_ADDONS)
}

#[test]
fn of_images() -> Result<()> {
    play(rows::IMAGES)
}

#[test]
fn of_observability() -> Result<()> {
    play(rows::OBSERVABILITY)
}

#[test]
fn what_cannot_be_changed_is_refused_with_its_message() -> Result<()> {
    let stage = Stage::new()?;
    let ground = Ground::of(&stage)?;
    let cluster = ground.cluster(&stage);
    stage.made(&cluster)?;
    for row in IMMUTABLE {
        let about = |failure: Failure| Failure::new(format!("{}: {failure}", row.path));
        stage.configure(&patched(&cluster, &(row.change)(&ground)))?;
        let run = stage.workspace.plan(&[])?.expect_exit(1).map_err(about)?;
        run.expect_text(row.message).map_err(about)?;
    }
    stage.configure(&cluster)?;
    stage.expect_empty_plan()?;
    stage.expect_destroyed_completely()
}

/// Paths of all arguments that have a value of their own.
pub(crate) fn leaves(block: &Value, prefix: &str, found: &mut BTreeSet<String>) {
    for (name, attribute) in block["attributes"].as_object().into_iter().flatten() {
        let path = format!("{prefix}{name}");
        if !attribute["nested_type"].is_null() {
            leaves(&attribute["nested_type"], &format!("{path}."), found);
        } else if attribute["optional"] == true || attribute["required"] == true {
            found.insert(path);
        }
    }
    for (name, nested) in block["block_types"].as_object().into_iter().flatten() {
        leaves(&nested["block"], &format!("{prefix}{name}."), found);
    }
}

#[test]
fn every_attribute_of_the_schema_has_its_row() -> Result<()> {
    let stage = Stage::new()?;
    stage.configure(&stage.cluster())?;
    let run = stage.workspace.run(&["providers", "schema", "-json"])?.expect_success()?;
    let schemas: Value = serde_json::from_str(run.stdout.trim()).explain("the schema")?;
    let providers = schemas["provider_schemas"].as_object().explain("the provider")?;
    let provider = providers.values().next().explain("the provider")?;
    let mut attributes = BTreeSet::new();
    leaves(&provider["resource_schemas"][CLUSTER_TYPE]["block"], "", &mut attributes);
    let tables =
        [rows::CLUSTER, rows::NODE_GROUPS, rows::ACCESS_AND_ADDONS, rows::IMAGES, rows::OBSERVABILITY];
    let changed = tables.into_iter().flatten().flat_map(|row| row.paths).copied();
    let refused = IMMUTABLE.iter().map(|row| row.path);
    let silent = SILENT.iter().map(|(path, _)| *path);
    let rows: BTreeSet<String> = changed.chain(refused).chain(silent).map(str::to_owned).collect();
    let missing: Vec<&String> = attributes.difference(&rows).collect();
    let unknown: Vec<&String> = rows.difference(&attributes).collect();
    ensure(missing.is_empty() && unknown.is_empty(), || {
        format!("without a row: {missing:?}; not in the schema: {unknown:?}")
    })
}
