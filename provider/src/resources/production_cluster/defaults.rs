//! What an argument means that is not set.

/// Add-ons of every cluster.
pub const ADDONS: [&str; 4] = ["vpc-cni", "kube-proxy", "eks-pod-identity-agent", "coredns"];
/// Days logs are kept.
pub const RETENTION_DAYS: i64 = 365;
/// Class of the log group.
pub const LOG_CLASS: &str = "STANDARD";
/// Days before a key that was made is deleted.
pub const DELETION_WINDOW_DAYS: i64 = 30;
/// Root volume of a node, GiB.
pub const DISK_GIB: i32 = 50;
/// Instance types of a group that names none.
pub const INSTANCE_TYPES: [&str; 1] = ["m7i.large"];
/// Fewest and most nodes of a group that says nothing.
pub const SIZES: (i64, i64) = (3, 6);
/// Purpose of a group that names none.
pub const PURPOSE: &str = "general";

/// A configuration value of an add-on when the user gives none.
///
/// Source of `enableNetworkPolicy` (a string): the schema of the add-on vpc-cni.
pub fn addon_values(addon: &str) -> Option<&'static str> {
    (addon == "vpc-cni").then_some(r#"{"enableNetworkPolicy":"true"}"#)
}
