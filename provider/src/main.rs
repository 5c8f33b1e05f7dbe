//! The provider's binary: flags, then serving Terraform until it is done.
#![allow(unreachable_pub, reason = "a binary offers nothing to others: `pub` is for its own modules")]

use std::process::ExitCode;

mod aws;
mod config;
mod data_sources;
#[cfg(test)]
mod documentation;
mod errors;
#[cfg(test)]
mod imports_test;
mod parts;
mod provider;
mod resources;
mod rules;

fn main() -> ExitCode {
    terraform_plugin::run(provider::EksProvider::new)
}
