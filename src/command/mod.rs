//! One file a subcommand: a composition root that puts configuration, store, Kafka and steps together.

pub mod lookup;
pub mod refreshes;
pub mod terminal;

/// How a command ended, when it ended without an error of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done: 0.
    Ok,
    /// Done, and the answer is a fault: 1.
    Failed,
    /// The words given do not fit: 2.
    Usage,
    /// The thing asked for is not there: 3.
    NotFound,
}
