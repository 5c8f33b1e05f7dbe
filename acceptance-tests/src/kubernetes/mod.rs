//! A real Kubernetes control plane on this machine, for what cannot be modelled: server-side apply, admission,
//! bearer tokens, the injection of Pod Identity. `acceptance-tests/kubernetes/README.md` says what runs and why.
//!
//! | module | subject |
//! |---|---|
//! | [`programs`] | the programs, built once from Go modules |
//! | [`certificates`] | throw-away certificates |
//! | [`process`] | a program that never outlives the harness |
//! | [`control_plane`] | which programs run, with which flags, in which order |
//! | [`bed`] | a control plane that stands for clusters of the local AWS |
//! | [`cluster`] | a cluster that a bed stands for, made without the provider |
//! | [`api_server`] | requests to the API server |
//! | [`bearer_token`] | tokens as `aws eks get-token` makes them, and wrong ones |

pub mod api_server;
pub mod bearer_token;
pub mod bed;
pub mod certificates;
pub mod cluster;
pub mod control_plane;
pub mod process;
pub mod programs;

pub use api_server::{Answer, ApiServer};
pub use bearer_token::BearerToken;
pub use bed::Bed;
pub use cluster::Cluster;
