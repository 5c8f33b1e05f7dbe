//! Deterministic names: a readable stem and 8 hexadecimal digits that tell region, resource type, name and
//! part apart, always. IAM is global: the same cluster name in two regions must not share a role, and
//! `prod` with `a-b` must not meet `prod-a` with `b`.

use resource_graph::PartKey;
use sha2::{Digest, Sha256};

/// What all names of one resource have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Naming {
    /// `eu-central-1`
    pub region: String,
    /// `eks_production_cluster`
    pub resource_type: String,
    /// The name the user chose.
    pub name: String,
}

impl Naming {
    /// `<stem>-<8 hex>`, the stem shortened until the whole has at most `limit` characters.
    pub fn of(&self, part: &PartKey, stem: &str, limit: usize) -> String {
        let digest = hash(&[&self.region, &self.resource_type, &self.name, part.as_str()]);
        let stem: String = stem.chars().take(limit - digest.len() - 1).collect();
        format!("{}-{digest}", stem.trim_end_matches('-'))
    }
}

/// 8 hexadecimal digits over the fields; a length in front of each keeps `a`+`bc` and `ab`+`c` apart.
pub fn hash(fields: &[&str]) -> String {
    let mut digest = Sha256::new();
    for field in fields {
        digest.update((field.len() as u64).to_be_bytes());
        digest.update(field.as_bytes());
    }
    digest.finalize()[..4].iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn naming(region: &str, name: &str) -> Naming {
        Naming { region: region.into(), resource_type: "eks_production_cluster".into(), name: name.into() }
    }

    #[test]
    fn names_differ_by_region_and_by_the_border_between_name_and_part() {
        let role = PartKey::new("iam-role", "cluster");
        let here = naming("eu-central-1", "prod").of(&role, "prod-cluster", 64);
        assert_ne!(here, naming("us-east-1", "prod").of(&role, "prod-cluster", 64));
        assert_ne!(
            naming("eu-central-1", "prod").of(&PartKey::new("iam-role", "a-b"), "prod-a-b", 64),
            naming("eu-central-1", "prod-a").of(&PartKey::new("iam-role", "b"), "prod-a-b", 64),
        );
    }

    #[test]
    fn names_never_exceed_the_limit() {
        let long = "x".repeat(100);
        assert_eq!(
            naming("eu-central-1", &long).of(&PartKey::new("iam-role", "cluster"), &long, 64).len(),
            64
        );
    }
}
