//! Which parts differ between two configurations, and which may: both are expanded for the same imaginary
//! place, so that only what the configuration decides is compared.

use std::sync::Arc;

use resource_graph::{AnyPart, Graph, PartKey};

use super::expand::expand;
use super::expansion::Place;
use super::keys::Outline;
use super::settings::Settings;
use crate::aws::{Aws, Location};

/// Keys of the parts that are new, gone or other than before.
pub fn keys<'g>(old: &'g Graph<Aws>, new: &'g Graph<Aws>) -> impl Iterator<Item = &'g PartKey> {
    let same = |part: &&Arc<dyn AnyPart<Aws>>| {
        old.parts().any(|other| other.key() == part.key() && other.equals(part.as_ref()))
    };
    let gone = old.parts().filter(|part| new.parts().all(|other| other.key() != part.key()));
    new.parts().filter(move |part| !same(part)).chain(gone).map(|part| part.key())
}

/// The graph of a configuration, in the imaginary place.
pub fn graph(settings: &Settings, outline: &Outline) -> Graph<Aws> {
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
    expand(settings, outline, &nowhere)
}
