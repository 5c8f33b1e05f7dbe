//! What the Pod Identity webhook injects, seen by a dry run.

use acceptance_tests::failure::ensure;
use acceptance_tests::{Result, wait};
use serde_json::{Value, json};

use super::{PATIENCE, Place};

/// The pod as it would be made.
fn probe(place: &Place, service_account: &str) -> Result<Value> {
    let pod = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"generateName": "probe-"},
        "spec": {
            "serviceAccountName": service_account,
            "containers": [{"name": "probe", "image": "registry.invalid/probe"}],
        },
    });
    place.administrator.create(&(place.path("v1", "pods") + "?dryRun=All"), &pod)?.expect_status(201)
}

fn variable(pod: &Value, name: &str) -> Option<String> {
    let variables = pod["spec"]["containers"][0]["env"].as_array()?;
    let found = variables.iter().find(|variable| variable["name"] == name)?;
    found["value"].as_str().map(str::to_owned)
}

fn token_volume(pod: &Value) -> Option<&Value> {
    pod["spec"]["volumes"].as_array()?.iter().find(|volume| volume["name"] == "eks-pod-identity-token")
}

fn is_identified(pod: &Value) -> bool {
    variable(pod, "AWS_CONTAINER_CREDENTIALS_FULL_URI").is_some() || token_volume(pod).is_some()
}

#[test]
fn pods_of_an_associated_service_account_get_an_identity() -> Result<()> {
    let place = Place::new()?;
    for name in ["api", "other"] {
        let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}});
        place.administrator.create(&place.path("v1", "serviceaccounts"), &account)?.expect_status(201)?;
    }
    let before = probe(&place, "api")?;
    ensure(!is_identified(&before), || before.to_string())?;
    let role = place.cluster.role("api", "pods.eks.amazonaws.com")?;
    let association = place.cluster.identify(&place.namespace, "api", &role)?;
    let pod = wait::until("an injected identity", PATIENCE, || {
        let pod = probe(&place, "api")?;
        Ok(is_identified(&pod).then_some(pod))
    })?;
    let endpoint = variable(&pod, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
    ensure(endpoint.as_deref() == Some("http://169.254.170.23/v1/credentials"), || pod.to_string())?;
    let file = variable(&pod, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE").unwrap_or_default();
    ensure(file.starts_with("/var/run/secrets/pods.eks.amazonaws.com/"), || pod.to_string())?;
    let source = token_volume(&pod)
        .map(|volume| &volume["projected"]["sources"][0]["serviceAccountToken"]["audience"]);
    ensure(source == Some(&json!("pods.eks.amazonaws.com")), || pod.to_string())?;
    let region = variable(&pod, "AWS_REGION");
    ensure(region.as_deref() == Some(place.cluster.account.region()), || pod.to_string())?;
    // Nobody else, and nothing was stored.
    let other = probe(&place, "other")?;
    ensure(!is_identified(&other), || other.to_string())?;
    let stored = place.administrator.get(&place.path("v1", "pods"))?.expect_success()?;
    ensure(stored["items"] == json!([]), || stored.to_string())?;
    place.cluster.forget(&association)?;
    wait::until("no identity any more", PATIENCE, || {
        Ok((!is_identified(&probe(&place, "api")?)).then_some(()))
    })
}
