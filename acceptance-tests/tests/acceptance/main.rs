//! Black-box tests: the real provider, real CLIs, the local AWS. Every test has an account of its own.

mod access;
mod addons;
mod drift;
mod driver;
mod every_attribute;
mod examples;
mod faults;
mod following;
mod images;
mod kubernetes;
mod lifecycle;
mod local_aws;
mod node_groups;
mod observability;
mod owned_objects;
mod ownership;
mod permissions;
mod purposes;
mod reads;
mod remade;
mod resume;
mod scoreboard;
mod secrets;
mod stage;
mod subnets;
