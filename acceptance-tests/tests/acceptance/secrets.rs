//! Credentials never leave the provider but towards AWS.

use acceptance_tests::Result;
use acceptance_tests::failure::ensure;
use serde_json::json;

use crate::stage::Stage;

#[test]
fn credentials_are_in_no_log_state_or_plan() -> Result<()> {
    let mut stage = Stage::new()?;
    let secret = "canary-secret-9c1f4e7a";
    let token = "canary-token-5b2d8e60";
    stage.provider = stage.provider.clone().with("secret_key", json!(secret)).with("token", json!(token));
    stage.workspace.set_variable("TF_LOG", "trace");
    stage
        .workspace
        .set_variable("TF_LOG_PATH", &stage.workspace.path().join("trace.log").display().to_string());
    stage.configure(&stage.cluster())?;
    let fault = stage.account.inject(&crate::stage::refuse("eks:CreateNodegroup"))?;
    let mut texts = vec![("output of the failed apply", stage.workspace.apply(&[])?.expect_exit(1)?.text())];
    fault.clear()?;
    // The search proves nothing unless these credentials were really used.
    let key = stage.account.access_key();
    let journal = stage.account.journal()?;
    let used = journal.calls.iter().filter(|call| call.access_key.as_deref() == Some(key.as_str())).count();
    ensure(used > 0, || "the credentials did not reach AWS".to_owned())?;
    let (plan, run) = stage.workspace.plan_file(&[])?;
    texts.push(("output of plan", run.text()));
    texts.push(("plan without its configuration", plan.without_configuration().to_string()));
    texts.push(("output of apply", stage.apply()?.text()));
    let read = |name: &str| std::fs::read_to_string(stage.workspace.path().join(name)).unwrap_or_default();
    let trace = read("trace.log");
    ensure(trace.contains("eks_production_cluster"), || "the trace is empty".to_owned())?;
    texts.push(("trace", trace));
    texts.push(("state", read("terraform.tfstate")));
    texts.push(("state before", read("terraform.tfstate.backup")));
    for (what, text) in &texts {
        ensure(!text.is_empty(), || format!("there is no {what}"))?;
        for canary in [secret, token] {
            let line = text.lines().find(|line| line.contains(canary));
            ensure(line.is_none(), || format!("{canary} is in the {what}: {}", line.unwrap_or_default()))?;
        }
    }
    stage.expect_destroyed_completely()
}
