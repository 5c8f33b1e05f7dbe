//! The control plane itself.

use acceptance_tests::failure::ensure;
use acceptance_tests::kubernetes::Bed;
use acceptance_tests::{Explain, Result, wait};
use base64::Engine;
use serde_json::{Value, json};

use super::{PATIENCE, Place};

fn is_ready(object: &Value) -> bool {
    let conditions = object["status"]["conditions"].as_array();
    conditions
        .into_iter()
        .flatten()
        .any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
}

#[test]
fn the_api_server_is_ready_and_of_the_pinned_version() -> Result<()> {
    let administrator = Bed::shared()?.administrator()?;
    let ready = administrator.get("/readyz")?;
    ensure(ready.status == 200 && ready.text == "ok", || format!("{ready:?}"))?;
    let version = administrator.get("/version")?.expect_success()?;
    let version = version["gitVersion"].as_str().explain("a version")?;
    let pins =
        acceptance_tests::cache::repository().join("acceptance-tests/kubernetes/programs/kubernetes/go.mod");
    let pins = std::fs::read_to_string(&pins).explain(pins.display())?;
    ensure(pins.contains(&format!("require k8s.io/kubernetes {version}\n")), || version.to_owned())
}

#[test]
fn nodes_and_pods_become_ready() -> Result<()> {
    let place = Place::new()?;
    wait::until("a ready node", PATIENCE, || {
        let node = place.administrator.get("/api/v1/nodes/node-1")?.expect_success()?;
        Ok(is_ready(&node).then_some(()))
    })?;
    let labels = json!({"app": "shop"});
    let deployment = json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "shop"},
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "shop", "image": "registry.invalid/shop"}]},
            },
        },
    });
    place.administrator.apply(&place.path("apps/v1", "deployments/shop"), &deployment)?.expect_status(201)?;
    wait::until("three ready pods", PATIENCE, || {
        let seen = place.administrator.get(&place.path("apps/v1", "deployments/shop"))?.expect_success()?;
        Ok((seen["status"]["readyReplicas"] == 3).then_some(()))
    })?;
    let pods = place.administrator.get(&place.path("v1", "pods"))?.expect_success()?;
    let pods = pods["items"].as_array().explain("a list of pods")?;
    ensure(pods.iter().all(|pod| is_ready(pod) && pod["spec"]["nodeName"] == "node-1"), || {
        format!("{pods:?}")
    })
}

#[test]
fn describe_cluster_carries_its_endpoint_and_certificate() -> Result<()> {
    let place = Place::new()?;
    let shown = place.cluster.describe()?;
    ensure(shown["endpoint"] == json!(place.administrator.url()), || shown["endpoint"].to_string())?;
    let data = shown["certificateAuthority"]["data"].as_str().explain("a certificate")?;
    let certificate = base64::engine::general_purpose::STANDARD.decode(data).explain("a certificate")?;
    let expected = place.bed.certificate_authority();
    ensure(certificate == expected.as_bytes(), || String::from_utf8_lossy(&certificate).into_owned())
}

#[test]
fn an_unknown_field_is_refused_by_server_side_apply() -> Result<()> {
    let place = Place::new()?;
    let mut object = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"a": "b"}, "colour": "red"
    });
    let answer = place.administrator.apply(&place.path("v1", "configmaps/settings"), &object)?;
    ensure(answer.status >= 400 && answer.text.contains("colour"), || format!("{answer:?}"))?;
    object.as_object_mut().and_then(|members| members.remove("colour"));
    let made =
        place.administrator.apply(&place.path("v1", "configmaps/settings"), &object)?.expect_status(201)?;
    let manager = made["metadata"]["managedFields"][0]["manager"].as_str();
    ensure(manager == Some("acceptance-tests"), || made.to_string())
}

/// The local addresses, in hexadecimal, on which a process listens.
fn listening(process: u32) -> Result<Vec<String>> {
    let folder = format!("/proc/{process}");
    let mut sockets = Vec::new();
    for entry in std::fs::read_dir(format!("{folder}/fd")).explain(&folder)? {
        let target = std::fs::read_link(entry.explain(&folder)?.path()).unwrap_or_default();
        let target = target.display().to_string();
        sockets.extend(target.strip_prefix("socket:[").map(|rest| rest.trim_end_matches(']').to_owned()));
    }
    let mut found = Vec::new();
    for table in ["tcp", "tcp6"] {
        let text = std::fs::read_to_string(format!("{folder}/net/{table}")).explain(table)?;
        for line in text.lines().skip(1) {
            let columns: Vec<&str> = line.split_whitespace().collect();
            // 0A: a socket that listens.
            if let [_, local, _, "0A", ..] = columns[..]
                && columns.get(9).is_some_and(|inode| sockets.iter().any(|socket| socket == inode))
            {
                found.push(local.to_owned());
            }
        }
    }
    Ok(found)
}

#[test]
fn it_listens_on_loopback_alone() -> Result<()> {
    let bed = Bed::shared()?;
    let mut places = 0;
    for (name, process) in bed.processes() {
        let addresses = listening(process)?;
        places += addresses.len();
        let beyond: Vec<&String> =
            addresses.iter().filter(|address| !address.starts_with("0100007F:")).collect();
        ensure(beyond.is_empty(), || format!("{name} listens on {beyond:?}"))?;
    }
    ensure(places >= 6, || format!("only {places} sockets were found"))
}
