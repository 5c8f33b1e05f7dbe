//! Presets of access: names users write for EKS's own access policies.

/// Names of the presets.
pub const NAMES: [&str; 4] = ["admin", "operator", "developer", "viewer"];
/// Name of the entry for emergencies.
pub const BREAK_GLASS: &str = "break-glass";
/// What its user name in Kubernetes begins with; nobody else's does.
pub const BREAK_GLASS_PREFIX: &str = "break-glass:";
/// Its user name in Kubernetes; EKS fills in the session.
pub const BREAK_GLASS_USER: &str = "break-glass:{{SessionName}}";

/// EKS's own policy of a preset.
///
/// Source: EKS user guide, access-policy-permissions.
pub fn policy_of(preset: &str) -> &'static str {
    match preset {
        "admin" => "AmazonEKSClusterAdminPolicy",
        "operator" => "AmazonEKSAdminPolicy",
        "developer" => "AmazonEKSEditPolicy",
        _ => "AmazonEKSViewPolicy",
    }
}
