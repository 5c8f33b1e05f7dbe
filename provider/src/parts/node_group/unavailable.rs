//! How many nodes of a group an update may take away at a time.

use aws_sdk_eks::types as eks;

/// How many nodes may be missing during an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unavailable {
    /// So many.
    Nodes(i32),
    /// So many of a hundred.
    Percentage(i32),
}

impl Unavailable {
    /// As EKS takes it.
    pub(super) fn requested(self) -> eks::NodegroupUpdateConfig {
        let config = eks::NodegroupUpdateConfig::builder();
        match self {
            Self::Nodes(nodes) => config.max_unavailable(nodes),
            Self::Percentage(percentage) => config.max_unavailable_percentage(percentage),
        }
        .build()
    }

    /// That of a group that exists.
    pub(super) fn of(group: &eks::Nodegroup) -> Option<Self> {
        let config = group.update_config()?;
        let percentage = config.max_unavailable_percentage().map(Self::Percentage);
        percentage.or(config.max_unavailable().map(Self::Nodes))
    }
}
