//! What carries the owner mark of a cluster, found with and without the cluster.

use acceptance_tests::failure::ensure;
use acceptance_tests::permissions::Published;
use acceptance_tests::{Explain, Result};
use serde_json::Value;

use crate::stage::{NAME, Stage, refuse};

/// The data source alone, in a folder of its own.
fn looked_up(stage: &Stage, arguments: &str) -> Result<Vec<Value>> {
    let beside = stage.beside()?;
    let blocks = format!(
        "data \"eks_owned_objects\" \"all\" {{\n{arguments}\n}}\n\noutput \"objects\" {{\n  \
         value = data.eks_owned_objects.all.objects\n}}\n"
    );
    beside.workspace.configure(&[beside.provider.block(), blocks])?;
    beside.workspace.apply(&[])?.expect_success()?;
    let shown = beside.workspace.run(&["output", "-json", "objects"])?.expect_success()?;
    let objects: Value = serde_json::from_str(&shown.stdout).explain("the output")?;
    Ok(objects.as_array().cloned().unwrap_or_default())
}

fn parts(objects: &[Value]) -> Vec<String> {
    objects.iter().map(|object| object["part"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn everything_of_a_cluster_is_found_and_nothing_after_its_destruction() -> Result<()> {
    let stage = Stage::new()?;
    stage.made(&stage.cluster())?;
    let named = looked_up(&stage, &format!("  name = \"{NAME}\""))?;
    let found = parts(&named);
    for part in [
        "addon/coredns",
        "cluster",
        "iam-role/node",
        "kms-key/cluster",
        "launch-template/general",
        "node-group/general",
    ] {
        ensure(found.contains(&part.to_owned()), || format!("{part} is missing in {found:?}"))?;
    }
    let is_right = |object: &&Value| {
        let owner = format!("eks_production_cluster/{}/{NAME}", stage.account.region());
        object["owner"] == owner && object["id"] != "" && object["status"] != ""
    };
    ensure(named.iter().all(|object| is_right(&object)), || format!("{named:#?}"))?;
    ensure(looked_up(&stage, "")? == named, || "all clusters have more than the only one".to_owned())?;
    stage.expect_destroyed_completely()?;
    let left = looked_up(&stage, "")?;
    ensure(left.is_empty(), || format!("{left:#?}"))
}

#[test]
fn left_overs_are_found_without_the_cluster() -> Result<()> {
    let stage = Stage::new()?;
    stage.configure(&stage.cluster())?;
    let fault = stage.account.inject(&refuse("eks:CreateCluster"))?;
    stage.workspace.apply(&[])?.expect_exit(1)?;
    fault.clear()?;
    let found = parts(&looked_up(&stage, "")?);
    ensure(found.contains(&"iam-role/cluster".to_owned()), || format!("{found:?}"))?;
    ensure(!found.contains(&"cluster".to_owned()), || format!("{found:?}"))?;
    stage.expect_destroyed_completely()
}

#[test]
fn looking_changes_nothing_and_needs_no_more_than_is_published() -> Result<()> {
    let stage = Stage::new()?;
    stage.made(&stage.cluster())?;
    let published = Published::read()?;
    stage.account.allow_only(&Published::fitted(&published.plan, &stage.account)?)?;
    ensure(!looked_up(&stage, &format!("  name = \"{NAME}\""))?.is_empty(), || "nothing found".to_owned())?;
    let both: Vec<Value> = [published.plan, published.owners].concat();
    stage.account.allow_only(&Published::fitted(&both, &stage.account)?)?;
    let mark = stage.account.mark()?;
    ensure(!looked_up(&stage, "")?.is_empty(), || "nothing found".to_owned())?;
    let journal = stage.account.journal_since(mark)?;
    ensure(journal.mutating().is_empty(), || journal.text())
}
