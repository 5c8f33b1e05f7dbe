//! What AWS or somebody else decided is shown, and the configuration may follow it.

use std::time::Duration;

use acceptance_tests::Result;
use acceptance_tests::failure::ensure;
use serde_json::{Value, json};

use crate::stage::{NAME, Stage};

/// Calls EKS as somebody else would, and waits until the object is active again.
fn changed(
    stage: &Stage,
    operation: &str,
    parameters: Value,
    look: (&str, Value),
    is_changed: impl Fn(&Value) -> bool,
) -> Result<()> {
    stage.account.call("eks", operation, parameters)?;
    acceptance_tests::wait::until("the object settles", Duration::from_secs(60), || {
        let answer = stage.account.call("eks", look.0, look.1.clone())?;
        let object = answer.as_object().and_then(|members| members.values().next());
        Ok(object.filter(|object| object["status"] == "ACTIVE" && is_changed(object)).map(drop))
    })
}

#[test]
fn an_add_on_that_somebody_updated_shows_its_real_version() -> Result<()> {
    let stage = Stage::new()?;
    let created_at = stage.made(&stage.cluster())?;
    let addon = json!({"clusterName": NAME, "addonName": "coredns"});
    let (before, after) = ("v1.12.4-eksbuild.1", "v1.13.1-eksbuild.1");
    let version = || -> Result<Value> {
        let current = stage.current()?;
        let versions = current.attributes["addon_versions"].clone();
        Ok(versions["coredns"].clone())
    };
    let made_with = version()?;
    let other = if made_with == json!(after) { before } else { after };
    let mut update = addon.clone();
    update["addonVersion"] = json!(other);
    changed(&stage, "UpdateAddon", update, ("DescribeAddon", addon), |addon| addon["addonVersion"] == other)?;
    stage.workspace.plan(&["-refresh-only"])?.expect_exit(2)?.expect_text(other)?;
    stage.workspace.apply(&["-refresh-only"])?.expect_success()?;
    ensure(version()? == json!(other), || format!("{:?} instead of {other}", version()))?;
    stage.workspace.plan(&["-refresh-only"])?.expect_exit(0)?;
    stage.expect_resumed(&created_at)?;
    stage.expect_destroyed_completely()
}

#[test]
fn an_upgrade_by_aws_can_be_followed() -> Result<()> {
    let stage = Stage::new()?;
    let created_at = stage.made(&stage.cluster())?;
    let look = ("DescribeCluster", json!({"name": NAME}));
    let parameters = json!({"name": NAME, "version": "1.36"});
    changed(&stage, "UpdateClusterVersion", parameters, look, |cluster| cluster["version"] == "1.36")?;
    stage.workspace.plan(&[])?.expect_exit(1)?.expect_text("EKS0022")?.expect_text("1.36")?;
    stage.configure(&stage.cluster().with("kubernetes_version", json!("1.37")))?;
    stage.workspace.plan(&[])?.expect_exit(1)?.expect_text("EKS0012")?;
    stage.configure(&stage.cluster().with("kubernetes_version", json!("1.36")))?;
    stage.apply()?.expect_text("0 added, 1 changed, 0 destroyed")?;
    stage.expect_resumed(&created_at)?;
    stage.expect_destroyed_completely()
}

#[test]
fn an_import_reads_the_log_group_back() -> Result<()> {
    let stage = Stage::new()?;
    let logging = json!({"class": "INFREQUENT_ACCESS", "retention_days": 731});
    let cluster = stage.cluster().with("logging", logging);
    let created_at = stage.made(&cluster)?;
    stage.expect_import_to_fit()?;
    stage.expect_resumed(&created_at)?;
    stage.expect_destroyed_completely()
}
