//! The `provider "eks"` block: its arguments, and the connection to AWS they lead to. Names, environment
//! variables and precedence are those of the AWS provider.

mod block;
mod connection;

pub use block::{Endpoints, ProviderBlock, is_arn, is_key_arn};
pub use connection::{Connection, Unavailable};
