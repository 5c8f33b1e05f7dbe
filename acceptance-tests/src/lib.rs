//! What the acceptance tests, the demo, the fault sweep and the measurements stand on.
//!
//! | module | subject |
//! |---|---|
//! | [`prerequisites`] | the tools that must be installed |
//! | [`cache`] | the folder that outlives a run |
//! | [`python`], [`zig`], [`provider_binary`], [`command_line`] | what is prepared once: the Python environment, the release's linker, the provider, the CLIs |
//! | [`local_aws`], [`account`], [`fault`], [`journal`] | the local AWS, one account in it, its faults, the calls it saw |
//! | [`kubernetes`] | a real Kubernetes control plane that stands for clusters of the local AWS |
//! | [`configuration`], [`workspace`], [`run`], [`state_file`], [`plan_file`] | a folder with a configuration, a CLI that runs in it, what came out |
//! | [`permissions`] | the IAM policies that are published, as the local AWS enforces them |
//! | [`processes`] | provider processes: found, signalled, none left |
//! | [`driver`] | does what Terraform's core does, without Terraform |
//! | [`sweep`] | every call times every fault |
//! | [`timeline`] | when each part was made and deleted, and where time was lost |
//! | [`recording`] | answers recorded once and played back |

pub mod account;
pub mod cache;
pub mod command_line;
pub mod configuration;
pub mod driver;
pub mod failure;
pub mod fault;
pub mod http;
pub mod journal;
pub mod kubernetes;
pub mod local_aws;
pub mod permissions;
pub mod plan_file;
pub mod prerequisites;
pub mod processes;
pub mod provider_binary;
pub mod python;
pub mod recording;
pub mod run;
pub mod state_file;
pub mod sweep;
pub mod timeline;
pub mod wait;
pub mod workspace;
pub mod zig;

pub use failure::{Explain, Failure, Result};
