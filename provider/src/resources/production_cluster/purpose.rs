//! What node groups are for, and what follows from it where the user says nothing.

/// A purpose and its defaults.
#[derive(Debug, PartialEq, Eq)]
pub struct Purpose {
    /// What users write.
    pub name: &'static str,
    /// `ON_DEMAND` or `SPOT`
    pub capacity_type: &'static str,
    /// Instance types in order of preference.
    pub instance_types: &'static [&'static str],
    /// Fewest and most nodes.
    pub sizes: (i64, i64),
    /// Key, value and effect of the taint its nodes have.
    pub taint: Option<(&'static str, &'static str, &'static str)>,
    /// The nodes have GPUs of NVIDIA.
    pub has_gpus: bool,
    /// What runs there keeps its data on the node's volumes: nodes are replaced one at a time, and only when
    /// somebody asks for it.
    pub keeps_data: bool,
}

const GENERAL_TYPES: &[&str] = &["m7i.large"];
/// Spot needs a choice: a single type is taken away all at once.
const SPOT_TYPES: &[&str] = &["m7i.large", "m6i.large", "r7i.large"];

/// On-demand nodes for everything.
const GENERAL: Purpose = Purpose {
    name: "general",
    capacity_type: ON_DEMAND,
    instance_types: GENERAL_TYPES,
    sizes: (3, 6),
    taint: None,
    has_gpus: false,
    keeps_data: false,
};

const PURPOSES: [Purpose; 6] = [
    GENERAL,
    Purpose {
        name: "system",
        sizes: (2, 4),
        taint: Some(("CriticalAddonsOnly", "true", "PREFER_NO_SCHEDULE")),
        ..GENERAL
    },
    Purpose { name: "spot", capacity_type: SPOT, instance_types: SPOT_TYPES, sizes: (0, 10), ..GENERAL },
    Purpose {
        name: "batch",
        capacity_type: SPOT,
        instance_types: SPOT_TYPES,
        sizes: (0, 10),
        taint: Some(("workload", "batch", "NO_SCHEDULE")),
        ..GENERAL
    },
    Purpose {
        name: "gpu",
        instance_types: &["g6.xlarge"],
        sizes: (0, 4),
        taint: Some(("hardware", "gpu", "NO_SCHEDULE")),
        has_gpus: true,
        ..GENERAL
    },
    Purpose {
        name: "stateful",
        taint: Some(("workload", "stateful", "NO_SCHEDULE")),
        keeps_data: true,
        ..GENERAL
    },
];

/// Names of all purposes, the default first.
pub const NAMES: [&str; 6] = ["general", "system", "spot", "batch", "gpu", "stateful"];
/// The Kubernetes label that names the purpose.
pub const LABEL: &str = "terraform-provider-eks/purpose";
/// Capacity that stays until it is given back.
pub const ON_DEMAND: &str = "ON_DEMAND";
/// Capacity AWS may take away.
pub const SPOT: &str = "SPOT";

impl Purpose {
    /// The purpose of that name; without one, `general`.
    pub fn of(name: Option<&str>) -> &'static Self {
        static GENERAL_PURPOSE: Purpose = GENERAL;
        static ALL: [Purpose; 6] = PURPOSES;
        ALL.iter().find(|purpose| Some(purpose.name) == name).unwrap_or(&GENERAL_PURPOSE)
    }

    /// Default sizes, moved so that the one that is set stays within them.
    pub fn sizes(&self, min: Option<i64>, max: Option<i64>) -> (i64, i64) {
        let (default_min, default_max) = self.sizes;
        let (min_or, max_or) = (min.unwrap_or(default_min), max.unwrap_or(default_max));
        (min.unwrap_or(default_min.min(max_or)), max.unwrap_or(default_max.max(min_or)))
    }

    /// AMI type that fits the instance types.
    pub fn ami_type(&self, instance_types: &[String]) -> &'static str {
        match (self.has_gpus, instance_types.first().is_some_and(|name| is_graviton(name))) {
            (false, false) => "AL2023_x86_64_STANDARD",
            (false, true) => "AL2023_ARM_64_STANDARD",
            (true, false) => "AL2023_x86_64_NVIDIA",
            (true, true) => "AL2023_ARM_64_NVIDIA",
        }
    }
}

/// Graviton types have a `g` right after the generation: `m7g`, `c8gn`, `g5g`, but not `g6`.
fn is_graviton(instance_type: &str) -> bool {
    let family = instance_type.split('.').next().unwrap_or_default();
    let after = family.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    after.trim_start_matches(|c: char| c.is_ascii_digit()).starts_with('g')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_a_purpose_and_the_first_is_the_default() {
        let names: Vec<&str> = NAMES.iter().map(|name| Purpose::of(Some(name)).name).collect();
        assert_eq!(names, NAMES);
        assert_eq!(Purpose::of(None).name, NAMES[0]);
    }

    #[test]
    fn a_size_that_is_set_moves_the_other_default() {
        let general = Purpose::of(None);
        assert_eq!(general.sizes(None, None), (3, 6));
        assert_eq!(general.sizes(None, Some(2)), (2, 2));
        assert_eq!(general.sizes(Some(9), None), (9, 9));
        assert_eq!(general.sizes(Some(5), Some(4)), (5, 4));
    }

    #[test]
    fn the_ami_follows_processor_and_purpose() {
        let of = |purpose: &str, name: &str| Purpose::of(Some(purpose)).ami_type(&[name.to_owned()]);
        assert_eq!(of("general", "m7i.large"), "AL2023_x86_64_STANDARD");
        assert_eq!(of("spot", "c8gn.large"), "AL2023_ARM_64_STANDARD");
        assert_eq!(of("gpu", "g6.xlarge"), "AL2023_x86_64_NVIDIA");
        assert_eq!(of("gpu", "g5g.xlarge"), "AL2023_ARM_64_NVIDIA");
    }
}
