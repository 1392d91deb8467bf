//! Which failure an event is, on which hop, and who has to act: rules as data over structured fields first, text last.
//!
//! Pure: no I/O, no clock. What needs the history of many events is a finding, not a class.

pub mod class;
pub mod verdict;

pub use class::{Class, Confidence, WhoActs};
pub use verdict::Verdict;
