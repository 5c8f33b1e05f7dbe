//! The commands a timeline is made of, carried out against a local AWS with a clock that is not too quick for
//! the pauses of the engine.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::{Reads, Timeline};
use crate::Result;
use crate::account::Account;
use crate::configuration::{Cluster, Provider, SERVICES};
use crate::driver::Terraform;
use crate::failure::ensure;
use crate::fault::{Action, Fault};
use crate::local_aws::LocalAws;

/// Virtual seconds per real second: create and destroy take half an hour. A quicker clock would count the work of
/// this machine, and the pauses at the beginning of each wait, many times.
const SCALE: u32 = 1;
/// The provider's own longest pause.
const LONGEST_PAUSE: &str = "2s";
/// How late a stalled answer comes, a little less than the local AWS takes.
const STALLED: f64 = 1.9;

/// Create, one plan and destroy of one cluster.
#[derive(Debug, Clone)]
pub struct Measured {
    pub create: Timeline,
    pub destroy: Timeline,
    pub plan: Reads,
}

/// Three node groups, four access entries, and everything by default: eight add-ons among it.
pub fn full_cluster(account: &Account) -> Result<Cluster> {
    let network = account.network()?;
    let groups = json!({
        "general": {},
        "spot": {"purpose": "spot", "min_size": 1, "max_size": 2},
        "stateful": {"purpose": "stateful"},
    });
    let mut entries = Map::new();
    for name in ["one", "two", "three", "four"] {
        let principal = account.role_of_nobody(name)?;
        entries.insert(name.to_owned(), json!({"principal_arn": principal, "preset": "viewer"}));
    }
    let cluster = Cluster::unprotected("prod", &network.subnet_ids);
    Ok(cluster.with("node_groups", groups).with("access_entries", Value::Object(entries)))
}

/// Carries the three commands out; takes some minutes.
pub async fn measured(binary: &Path) -> Result<Measured> {
    let local_aws = LocalAws::start(SCALE)?;
    let account = local_aws.account();
    let endpoints: Map<String, Value> =
        SERVICES.iter().map(|name| ((*name).to_owned(), json!(account.url()))).collect();
    let provider = Provider::of(&account).with("endpoints", Value::Object(endpoints));
    let provider = provider.with("poll_interval", json!(LONGEST_PAUSE));
    let environment = vec![("AWS_EC2_METADATA_DISABLED".to_owned(), "true".to_owned())];
    let mut terraform = Terraform::new(binary.to_path_buf(), environment, provider.object());
    terraform.configure(Some(full_cluster(&account)?.object()));
    let durations = account.durations()?;

    let mark = account.mark()?;
    terraform.apply().await?.expect_success("apply")?;
    let create = Timeline::of(&account.journal_since(mark)?, &durations);
    let stall = account.inject(&Fault::new(Action::Stall).until_cleared())?;
    let mark = account.mark()?;
    let planned = terraform.plan().await?.expect_success("plan")?;
    ensure(planned.is_empty_plan(), || planned.text())?;
    let plan = Reads::of(&account.journal_since(mark)?, STALLED);
    stall.clear()?;
    let mark = account.mark()?;
    terraform.destroy().await?.expect_success("destroy")?;
    let destroy = Timeline::of(&account.journal_since(mark)?, &durations);
    Ok(Measured { create, destroy, plan })
}
