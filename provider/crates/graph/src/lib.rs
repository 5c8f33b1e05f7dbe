//! The engine: graphs of parts, their comparison with the world, and the execution of the difference.
//!
//! The plan is data, and effects are one function deep: [`Part::observe`] and the three mutating
//! calls of the [`Part`] contract are the only places that touch the world `W`. Everything between
//! them (building a [`Graph`], [`diff`](crate::diff()), [`Plan::explain`]) is pure.
//!
//! | noun | type |
//! |---|---|
//! | part | [`Part`] |
//! | graph | [`Graph`], stages of them in [`Stages`] |
//! | observation | [`Observation`] |
//! | plan | [`Plan`] |
//! | ledger | [`Ledger`] |
//! | report | [`Report`] |
#![deny(missing_docs)]

mod decide;
mod diff;
mod erased;
mod execute;
mod failure;
mod graph;
mod ledger;
mod observe;
mod part;
mod plan;
mod report;
mod settings;
mod state_text;

pub use diff::{Unclaimed, diff};
pub use erased::{AnyChange, AnyPart, AnySeen, erase};
pub use execute::Executor;
pub use failure::{Failure, FailureKind};
pub use graph::{Graph, Handle, Input, Needs, Output, Stages};
pub use ledger::{Identity, Ledger, Outputs, Record, RecordState};
pub use observe::{Observations, observe};
pub use part::{
    Catalogue, Comparison, Created, Guard, Observation, Owner, Part, PartKey, Probe, Replacement, Target,
    Until,
};
pub use plan::{PartView, Plan, Step};
pub use report::{Action, Ended, PartFailure, Report};
pub use settings::Settings;
pub use state_text::may_be_made_anew;
