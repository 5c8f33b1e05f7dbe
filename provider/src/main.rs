//! The provider's binary: flags, then serving Terraform until it is done.

use std::process::ExitCode;

mod aws;
mod config;
mod errors;
mod parts;
mod provider;
mod resources;
mod rules;

fn main() -> ExitCode {
    terraform_plugin::run(provider::EksProvider::new)
}
