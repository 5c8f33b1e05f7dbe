//! The example provider as a process of its own, started as Terraform starts it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![cfg(unix)]

use std::path::PathBuf;
use std::process::Output;

use terraform_plugin::client::{ClientError, Exit, Plugin};
use terraform_plugin::wire::tfplugin6::get_metadata;

/// The binary lies beside the directory of the test's own; `cargo test` builds examples.
fn program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let program = test.parent().unwrap().parent().unwrap().join("examples/miniature");
    assert!(program.exists(), "{} is missing: cargo build --example miniature", program.display());
    program
}

#[allow(clippy::disallowed_types, reason = "the subject is a process")]
fn run(program: impl Into<PathBuf>, arguments: &[&str]) -> Output {
    std::process::Command::new(program.into()).args(arguments).output().unwrap()
}

async fn launch(environment: &[(&str, &str)]) -> Result<Plugin, ClientError> {
    Plugin::launch(&program(), environment.iter().copied()).await
}

#[test]
fn people_are_told_what_it_is() {
    let output = run(program(), &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    let text = String::from_utf8(output.stderr).unwrap();
    for part in ["terraform-provider-mini", "required_providers", "dev_overrides", "--debug"] {
        assert!(text.contains(part), "{text}");
    }
    let output = run(program(), &["--version"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8(output.stdout).unwrap().starts_with("terraform-provider-mini "));
    assert_eq!(run(program(), &["--wrong"]).status.code(), Some(1));
}

#[tokio::test]
async fn it_serves_and_ends_when_asked() {
    let plugin = launch(&[]).await.unwrap();
    assert!(plugin.handshake().starts_with("1|6|unix|/"));
    let metadata = plugin.client().get_metadata(get_metadata::Request {}).await.unwrap().into_inner();
    assert_eq!(metadata.resources[0].type_name, "mini_cluster");
    assert!(plugin.stderr().is_empty(), "nothing is logged unasked");
    let socket = plugin.handshake().split('|').nth(3).map(PathBuf::from).unwrap();
    assert_eq!(plugin.shutdown().await.unwrap(), Exit::Ended(Some(0)));
    assert!(!socket.exists() && !socket.parent().unwrap().exists());
}

#[tokio::test]
async fn it_ignores_interrupts_and_ends_with_its_connection() {
    let plugin = launch(&[("TF_LOG_PROVIDER", "INFO")]).await.unwrap();
    let process = plugin.pid().unwrap().to_string();
    for signal in ["-INT", "-TERM"] {
        assert!(run("kill", &[signal, &process]).status.success());
    }
    let metadata = plugin.client().get_metadata(get_metadata::Request {}).await;
    assert!(metadata.is_ok());
    assert_eq!(plugin.disconnect().await.unwrap(), Exit::Ended(Some(0)));
}

#[tokio::test]
async fn it_works_without_tls() {
    let plugin = launch(&[("TF_DISABLE_PLUGIN_TLS", "1")]).await.unwrap();
    assert!(plugin.handshake().ends_with("|grpc|"));
    assert!(plugin.client().get_metadata(get_metadata::Request {}).await.is_ok());
    plugin.kill().await.unwrap();
}
