//! Simulated gateways that tell whole stories, deterministic by seed: test data, benchmarks and the demo.
//!
//! A *story* is what happens to one or a few requests: a sign-in, a call over both hops, a refresh, a failure. Stories
//! are data (`stories/*.toml`): a new failure is a new table there, not code. Several gateways of different products
//! tell them at once, as events of the contract (`CloudEvents` 1.0 in JSON), in the order of time. Beside the events
//! comes the *answer* to each request: the class and hop that a verdict should name. No event holds the answer itself;
//! it must follow from what a gateway of that kind could really know.
//!
//! In order: [`dice`] (chance) → [`world`] (who exists) → [`story`] (what can happen, prepared as [`template`]s with
//! [`slot`]s) → [`cast`] (who plays) → [`simulation`] (when, and in which order) → [`record`]s.
//!
//! Nothing here reads a clock, a file or the network. Every name is invented, every host ends in `.example`, every
//! secret in a message is made up.

mod answers;
mod cast;
#[cfg(test)]
mod contract_tests;
mod dice;
mod error;
mod fill;
mod keyed_hash;
mod poison;
mod record;
mod registry;
mod simulation;
mod slot;
mod spike;
mod story;
mod template;
#[cfg(test)]
mod tests;
mod text;
mod world;

pub use error::SimulateError;
pub use record::{Record, RecordKind};
pub use simulation::{Simulation, SimulationOptions};
