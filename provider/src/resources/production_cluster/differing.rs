//! Which parts differ between two configurations: both are expanded for the same imaginary place, so that only
//! what the configuration decides is compared.

use std::sync::Arc;

use resource_graph::AnyPart;

use super::expand::{Place, expand};
use super::outline::Outline;
use super::settings::Settings;
use crate::aws::{Aws, Location};

/// Keys of the parts that are new, gone or other than before.
pub fn keys(old: (&Settings, &Outline), new: (&Settings, &Outline)) -> Vec<String> {
    let (old, new) = (expanded(old), expanded(new));
    let same = |part: &Arc<dyn AnyPart<Aws>>| {
        old.iter().any(|other| other.key() == part.key() && other.equals(part.as_ref()))
    };
    let gone = old.iter().filter(|part| new.iter().all(|other| other.key() != part.key()));
    new.iter().filter(|part| !same(part)).chain(gone).map(|part| part.key().as_str().to_owned()).collect()
}

fn expanded((settings, outline): (&Settings, &Outline)) -> Vec<Arc<dyn AnyPart<Aws>>> {
    let nowhere = Place {
        location: Location {
            partition: "aws".to_owned(),
            account_id: "000000000000".to_owned(),
            region: String::new(),
        },
        iam_role_path: "/".to_owned(),
        permissions_boundary: None,
        generation: String::new(),
    };
    expand(settings, outline, &nowhere).parts().cloned().collect()
}
