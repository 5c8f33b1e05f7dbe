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
    texts.push(("output of plan", stage.workspace.plan(&["-out=plan.bin"])?.text()));
    let shown = stage.workspace.run(&["show", "-json", "plan.bin"])?.expect_success()?;
    texts.push(("plan without its configuration", without_configuration(&shown.stdout)?));
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

/// Terraform itself repeats the provider block in a plan, as the user wrote it.
fn without_configuration(json: &str) -> Result<String> {
    let line = json.lines().find(|line| line.starts_with('{')).unwrap_or_default();
    let mut plan: serde_json::Value =
        acceptance_tests::Explain::explain(serde_json::from_str(line), "the plan")?;
    if let Some(members) = plan.as_object_mut() {
        members.remove("configuration");
    }
    Ok(plan.to_string())
}
