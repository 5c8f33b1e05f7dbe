//! One account of the local AWS: what a test may ask and change behind the provider's back.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::fault::Fault;
use crate::journal::{Call, Journal};
use crate::{Explain, Failure, Result, http};

/// The region the tests use unless they say otherwise.
pub const REGION: &str = "eu-central-1";

/// An account. Tests run side by side, each in its own.
#[derive(Debug, Clone)]
pub struct Account {
    address: String,
    id: String,
    region: String,
}

/// The network clusters live in: three private subnets in three zones.
#[derive(Debug, Clone, Deserialize)]
pub struct Network {
    pub vpc_id: String,
    pub subnet_ids: Vec<String>,
    pub security_group_id: String,
}

/// A fault that was set.
#[derive(Debug, Clone)]
pub struct SetFault {
    account: Account,
    id: String,
}

impl Account {
    pub(crate) fn new(address: &str, id: String) -> Self {
        Self { address: address.to_owned(), id, region: REGION.to_owned() }
    }

    /// The twelve digits.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The region control requests are about.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Where SDKs send their calls.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The same account seen from another region.
    pub fn in_region(&self, region: &str) -> Self {
        Self { region: region.to_owned(), ..self.clone() }
    }

    /// An access key that may do everything.
    pub fn access_key(&self) -> String {
        format!("AKIA0000{}", self.id)
    }

    /// An access key that may only read.
    pub fn access_key_that_only_reads(&self) -> String {
        format!("ASIAREADONLY{}", self.id)
    }

    fn get(&self, path: &str, query: &str) -> Result<Value> {
        let target = format!("/_local/{path}?account={}&region={}{query}", self.id, self.region);
        http::request(&self.address, "GET", &target, None)
    }

    pub(crate) fn post(&self, path: &str, mut body: Value) -> Result<Value> {
        if let Some(members) = body.as_object_mut() {
            members.insert("account".to_owned(), json!(self.id));
        }
        http::request(&self.address, "POST", &format!("/_local/{path}"), Some(&body))
    }

    fn delete(&self, path: &str, query: &str) -> Result<Value> {
        http::request(&self.address, "DELETE", &format!("/_local/{path}?account={}{query}", self.id), None)
    }

    /// A network, the same one every time.
    pub fn network(&self) -> Result<Network> {
        let answer = self.post("vpc", json!({"region": self.region}))?;
        serde_json::from_value(answer).explain("the answer to /_local/vpc")
    }

    /// The provider's calls since a journal number.
    pub fn journal_since(&self, number: u64) -> Result<Journal> {
        let answer = self.get("journal", &format!("&since={number}"))?;
        let calls: Vec<Call> =
            serde_json::from_value(answer["calls"].clone()).explain("the answer to /_local/journal")?;
        Ok(Journal {
            calls: calls.into_iter().filter(|call| call.caller.as_deref() != Some("test")).collect(),
        })
    }

    /// All of the provider's calls.
    pub fn journal(&self) -> Result<Journal> {
        self.journal_since(0)
    }

    /// Sets the counters of all faults to zero; answers the last number of the journal.
    pub fn mark(&self) -> Result<u64> {
        self.post("mark", json!({}))?["n"].as_u64().explain("the answer to /_local/mark has no n")
    }

    /// Sets a fault.
    pub fn inject(&self, fault: &Fault) -> Result<SetFault> {
        let answer = self.post("faults", fault.body(&self.id))?;
        let id = answer["id"].as_str().explain("the answer to /_local/faults has no id")?.to_owned();
        Ok(SetFault { account: self.clone(), id })
    }

    /// Takes all faults back and lets held calls go on.
    pub fn clear_faults(&self) -> Result<()> {
        self.delete("faults", "").map(drop)
    }

    /// Decides the fate of a resource: `fail`, `stuck`, `degrade`, `delete_fail`, `upgrade_blocked`.
    pub fn script(&self, resource: &str, script: &str, issues: Value) -> Result<()> {
        self.post(
            "scripts",
            json!({"region": self.region, "resource": resource, "script": script, "issues": issues}),
        )
        .map(drop)
    }

    /// Takes all scripts back.
    pub fn clear_scripts(&self) -> Result<()> {
        self.delete("scripts", "").map(drop)
    }

    /// From now on the provider may do only what these IAM policies allow. Without any: nothing.
    pub fn allow_only(&self, documents: &[Value]) -> Result<()> {
        self.post("policies", json!({"documents": documents})).map(drop)
    }

    /// Virtual seconds per real second.
    pub fn set_scale(&self, scale: u32) -> Result<()> {
        self.post("config", json!({"scale": scale})).map(drop)
    }

    /// How many virtual seconds AWS takes for what: `cluster_create`.
    pub fn durations(&self) -> Result<BTreeMap<String, f64>> {
        let answer = self.get("config", "")?;
        serde_json::from_value(answer["durations"].clone()).explain("the answer to /_local/config")
    }

    /// Calls an operation as somebody else would, behind the provider's back.
    pub fn call(&self, service: &str, operation: &str, parameters: Value) -> Result<Value> {
        let body = json!({
            "region": self.region, "service": service, "operation": operation, "parameters": parameters
        });
        let answer = self.post("call", body)?;
        match answer.get("error") {
            Some(error) => Err(Failure::new(format!(
                "{service}:{operation}: {}: {}",
                error["code"].as_str().unwrap_or(""),
                error["message"].as_str().unwrap_or("")
            ))),
            None => Ok(answer["result"].clone()),
        }
    }

    /// The ARN of a new role that is no part of any cluster.
    pub fn role_of_nobody(&self, name: &str) -> Result<String> {
        let trust = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}
        }]});
        let parameters = json!({"RoleName": name, "AssumeRolePolicyDocument": trust.to_string()});
        let made = self.call("iam", "CreateRole", parameters)?;
        made["Role"]["Arn"].as_str().map(str::to_owned).explain("the role's ARN")
    }

    /// Remembers what exists now as not ours.
    pub fn set_baseline(&self) -> Result<()> {
        self.post("baseline", json!({})).map(drop)
    }

    /// What exists and was not there at the baseline: one line per object.
    pub fn leaks(&self) -> Result<Vec<String>> {
        let answer = self.get("leaks", "")?;
        let services = answer["leaks"].as_object().explain("the answer to /_local/leaks has no leaks")?;
        let mut lines = Vec::new();
        for (service, objects) in services {
            for object in objects.as_array().into_iter().flatten() {
                let text = |member: &str| object[member].as_str().unwrap_or("").to_owned();
                lines.push(format!("{service} {} {} ({})", text("kind"), text("id"), text("region")));
            }
        }
        Ok(lines)
    }

    /// What exists, as a text for people.
    pub fn summary(&self) -> Result<String> {
        Ok(self.get("objects", "")?["text"].as_str().unwrap_or_default().to_owned())
    }

    /// The names of the clusters in this region.
    pub fn clusters(&self) -> Result<Vec<String>> {
        let answer = self.call("eks", "ListClusters", json!({}))?;
        let names = answer["clusters"].as_array().cloned().unwrap_or_default();
        Ok(names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect())
    }

    /// When the cluster was made: tells whether it is still the same one.
    pub fn created_at(&self, cluster: &str) -> Result<String> {
        let answer = self.call("eks", "DescribeCluster", json!({"name": cluster}))?;
        Ok(answer["cluster"]["createdAt"].to_string())
    }

    /// Forgets everything the account holds.
    pub fn reset(&self) -> Result<()> {
        self.post("reset", json!({})).map(drop)
    }
}

impl SetFault {
    /// Waits until it has hit a call (a held call: until it is being held).
    /// `false` when it has not within the limit.
    pub fn fired_within(&self, limit: Duration) -> Result<bool> {
        let query = format!("&id={}&fired=1&timeout={}", http::escaped(&self.id), limit.as_secs_f64());
        let answer = self.account.get("faults/wait", &query)?;
        Ok(answer["timed_out"] != json!(true))
    }

    /// How many calls it has hit.
    pub fn fired(&self) -> Result<u64> {
        let answer = self.account.get("faults", "")?;
        let faults = answer["faults"].as_array().explain("the answer to /_local/faults has no faults")?;
        let own = faults.iter().find(|fault| fault["id"] == json!(self.id));
        own.and_then(|fault| fault["fired"].as_u64()).explain("the fault is gone")
    }

    /// Lets the calls it holds go on.
    pub fn release(&self) -> Result<()> {
        self.account.post("faults/release", json!({"id": self.id})).map(drop)
    }

    /// Takes it back.
    pub fn clear(&self) -> Result<()> {
        self.account.delete("faults", &format!("&id={}", http::escaped(&self.id))).map(drop)
    }
}
