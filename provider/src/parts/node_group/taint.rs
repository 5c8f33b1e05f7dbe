//! Kubernetes taints of a node group.

use std::collections::BTreeSet;

use aws_sdk_eks::types as eks;

/// A Kubernetes taint.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Taint {
    /// Key of the taint.
    pub key: String,
    /// Value; may be empty.
    pub value: String,
    /// `NO_SCHEDULE`, `NO_EXECUTE` or `PREFER_NO_SCHEDULE`
    pub effect: String,
}

/// As EKS takes them.
pub(super) fn requested(taints: impl IntoIterator<Item = Taint>) -> Vec<eks::Taint> {
    let taint = |taint: Taint| {
        eks::Taint::builder()
            .key(taint.key)
            .value(taint.value)
            .effect(eks::TaintEffect::from(taint.effect.as_str()))
            .build()
    };
    taints.into_iter().map(taint).collect()
}

/// Those of a group that exists.
pub(in crate::parts) fn seen(group: &eks::Nodegroup) -> BTreeSet<Taint> {
    let taint = |taint: &eks::Taint| Taint {
        key: taint.key().unwrap_or_default().to_owned(),
        value: taint.value().unwrap_or_default().to_owned(),
        effect: taint.effect().map(|effect| effect.as_str().to_owned()).unwrap_or_default(),
    };
    group.taints().iter().map(taint).collect()
}
