//! Who is let in by a bearer token, and what they may do: by the access entries of the local AWS.

use std::time::{Duration, SystemTime};

use acceptance_tests::failure::ensure;
use acceptance_tests::kubernetes::{ApiServer, BearerToken};
use acceptance_tests::{Result, wait};
use serde_json::{Value, json};

use super::{PATIENCE, Place};

fn settings(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"a": "b"}})
}

/// What the API server itself says when it is asked.
fn may(user: &ApiServer, namespace: &str, verb: &str, group: &str, resource: &str) -> Result<bool> {
    let attributes = json!({"namespace": namespace, "verb": verb, "group": group, "resource": resource});
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    });
    let answer =
        user.create("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", &review)?.expect_status(201)?;
    Ok(answer["status"]["allowed"] == json!(true))
}

#[test]
fn a_cluster_administrator_is_let_in_at_once_and_always() -> Result<()> {
    let place = Place::new()?;
    let role = place.cluster.role("admin", "ec2.amazonaws.com")?;
    place.cluster.let_in(&role, &[])?;
    place.cluster.associate(&role, "AmazonEKSClusterAdminPolicy", &[])?;
    let user = place.holder(&role)?;
    for number in 0..20 {
        user.create(&place.path("v1", "configmaps"), &settings(&format!("settings-{number}")))?
            .expect_status(201)?;
    }
    let review = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"});
    let seen =
        user.create("/apis/authentication.k8s.io/v1/selfsubjectreviews", &review)?.expect_status(201)?;
    let (name, account) = (&seen["status"]["userInfo"]["username"], place.cluster.account.id());
    let expected = format!("arn:aws:sts::{account}:assumed-role/admin/acceptance-tests");
    ensure(*name == json!(expected), || seen.to_string())?;
    ensure(may(&user, "", "create", "apiextensions.k8s.io", "customresourcedefinitions")?, || {
        "no custom resource definitions".to_owned()
    })?;
    // Roles may grant more than their author holds by roles alone: the access policy counts.
    let everything = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": "everything"},
        "rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}],
    });
    user.create(&place.path("rbac.authorization.k8s.io/v1", "roles"), &everything)?.expect_status(201)?;
    Ok(())
}

#[test]
fn a_viewer_may_look_and_no_more() -> Result<()> {
    let place = Place::new()?;
    let role = place.cluster.role("viewer", "ec2.amazonaws.com")?;
    place.cluster.let_in(&role, &[])?;
    place.cluster.associate(&role, "AmazonEKSViewPolicy", &[])?;
    let user = place.holder(&role)?;
    user.get(&place.path("v1", "configmaps"))?.expect_status(200)?;
    user.get("/api/v1/pods")?.expect_status(200)?;
    let refused = user.create(&place.path("v1", "configmaps"), &settings("mine"))?.expect_status(403)?;
    ensure(refused["reason"] == "Forbidden", || refused.to_string())?;
    user.get(&place.path("v1", "secrets"))?.expect_status(403)?;
    user.delete(&place.path("v1", "serviceaccounts/default"))?.expect_status(403)?;
    Ok(())
}

#[test]
fn an_editor_is_confined_to_the_namespaces_of_the_scope() -> Result<()> {
    let place = Place::new()?;
    let role = place.cluster.role("editor", "ec2.amazonaws.com")?;
    place.cluster.let_in(&role, &[])?;
    place.cluster.associate(&role, "AmazonEKSEditPolicy", &[&place.namespace])?;
    let user = place.holder(&role)?;
    user.create(&place.path("v1", "configmaps"), &settings("mine"))?.expect_status(201)?;
    user.create("/api/v1/namespaces/default/configmaps", &settings("mine"))?.expect_status(403)?;
    user.get("/api/v1/configmaps")?.expect_status(403)?;
    for (group, resource) in [
        ("rbac.authorization.k8s.io", "roles"),
        ("external-secrets.io", "secretstores"),
        ("", "resourcequotas"),
    ] {
        let allowed = may(&user, &place.namespace, "create", group, resource)?;
        ensure(!allowed, || format!("an editor may create {resource}"))?;
    }
    // One step up: roles, but still no custom resources.
    place.cluster.associate(&role, "AmazonEKSAdminPolicy", &[&place.namespace])?;
    ensure(may(&user, &place.namespace, "create", "rbac.authorization.k8s.io", "roles")?, || {
        "no roles".to_owned()
    })?;
    let custom = may(&user, &place.namespace, "create", "external-secrets.io", "secretstores")?;
    ensure(!custom, || "an administrator of a namespace may create custom resources".to_owned())
}

#[test]
fn groups_of_an_entry_have_what_roles_give_them() -> Result<()> {
    let place = Place::new()?;
    let role = place.cluster.role("auditor", "ec2.amazonaws.com")?;
    place.cluster.let_in(&role, &["auditors"])?;
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "auditors"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "auditors"}],
    });
    let path = place.path("rbac.authorization.k8s.io/v1", "rolebindings/auditors");
    place.administrator.apply(&path, &binding)?.expect_status(201)?;
    let user = place.holder(&role)?;
    // No policy is associated: nothing tells when the entry has spread, but that it lets its principal in.
    wait::until("an effective entry", PATIENCE, || {
        Ok((user.get(&place.path("v1", "configmaps"))?.status == 200).then_some(()))
    })?;
    user.create(&place.path("v1", "configmaps"), &settings("mine"))?.expect_status(403)?;
    user.get("/api/v1/configmaps")?.expect_status(403)?;
    Ok(())
}

#[test]
fn without_an_entry_nobody_is_let_in() -> Result<()> {
    let place = Place::new()?;
    let role = place.cluster.role("stranger", "ec2.amazonaws.com")?;
    let user = place.holder(&role)?;
    let refused = user.get(&place.path("v1", "configmaps"))?.expect_status(401)?;
    ensure(refused["reason"] == "Unauthorized", || refused.to_string())?;
    place.cluster.let_in(&role, &[])?;
    place.cluster.associate(&role, "AmazonEKSViewPolicy", &[])?;
    user.get(&place.path("v1", "configmaps"))?.expect_status(200)?;
    place.cluster.shut_out(&role)?;
    // The access policy is gone with the entry; the API server itself remembers an accepted token for ten seconds.
    let refused = user.get(&place.path("v1", "configmaps"))?;
    ensure(matches!(refused.status, 401 | 403), || format!("{refused:?}"))?;
    place.holder(&role)?.get(&place.path("v1", "configmaps"))?.expect_status(401)?;
    wait::until("the end of what was accepted", PATIENCE, || {
        Ok((user.get(&place.path("v1", "configmaps"))?.status == 401).then_some(()))
    })
}

#[test]
fn a_wrong_token_lets_nobody_in() -> Result<()> {
    let place = Place::new()?;
    let account = &place.cluster.account;
    let administrator = format!("arn:aws:iam::{}:user/admin", account.id());
    place.cluster.let_in(&administrator, &[])?;
    place.cluster.associate(&administrator, "AmazonEKSClusterAdminPolicy", &[])?;
    let status = |token: &str| Ok(place.bed.holder_of(token)?.get(&place.path("v1", "configmaps"))?.status);
    let good = BearerToken::new(account, &place.cluster.name);
    let encoded = good.encoded()?;
    ensure(status(&encoded)? == 200, || "the right token is refused".to_owned())?;
    let minutes_ago = |minutes: u64| BearerToken {
        time: SystemTime::now() - Duration::from_secs(minutes * 60),
        ..good.clone()
    };
    ensure(status(&minutes_ago(14).encoded()?)? == 200, || "a token of 14 minutes is refused".to_owned())?;
    // In the middle of the signature: every bit of such a letter counts.
    let (start, end) = encoded.split_at(encoded.len() - 9);
    let altered = format!("{start}{}{}", if end.starts_with('A') { 'B' } else { 'A' }, &end[1..]);
    let elsewhere = good.encoded()?.replacen("k8s-aws-v1.", "k8s-aws-v2.", 1);
    for (what, token) in [
        ("another cluster", BearerToken { cluster: "other".to_owned(), ..good.clone() }.encoded()?),
        (
            "another secret",
            BearerToken { secret_access_key: "guessed".to_owned(), ..good.clone() }.encoded()?,
        ),
        ("expired", minutes_ago(16).encoded()?),
        ("altered", altered),
        ("another kind", elsewhere),
        ("too long", BearerToken { session_token: Some("a".repeat(4096)), ..good.clone() }.encoded()?),
        ("no token", "nonsense".to_owned()),
    ] {
        let seen = status(&token)?;
        ensure(seen == 401, || format!("{what}: HTTP {seen}"))?;
    }
    Ok(())
}
