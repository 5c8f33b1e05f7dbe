//! Serves the miniature provider, to try the framework with a real Terraform:
//! `cargo build --example miniature`, then name the directory of the binary in `dev_overrides`.

mod provider;

use std::process::ExitCode;

fn main() -> ExitCode {
    terraform_plugin::run(|| provider::MiniProvider)
}
