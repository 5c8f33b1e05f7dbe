//! The engine against a world in memory, with a paused clock.
#![allow(clippy::unwrap_used)]

mod bench;
mod changes;
mod endings;
mod faults;
mod order;
mod random;
mod table;
mod world;
