//! The plan protocol: what makes rows appear exactly once, although neither Kafka nor ClickHouse knows of the other.
//!
//! Words:
//!
//! * **Range**: contiguous offsets `[first, next)` of one partition. Its rows go into ClickHouse under tokens that name it.
//! * **Plan**: the promise "the next insert is exactly this range". It is committed to Kafka as the metadata of the offset
//!   `first`, *before* anything of the range is inserted.
//! * **Delivery**: the inserts of a planned range, retried, read back and repaired (`store::delivery`).
//! * **Progress**: the range is complete in ClickHouse. It is carried to Kafka by the next plan, whose offset is `next`;
//!   when nothing follows, by a commit of `next` without a plan.
//! * **Replay**: who is assigned a partition and finds a plan reads exactly that range again and delivers it under the same
//!   tokens, before anything new. It does not know how far the previous owner came: so a replay is always read back.
//! * **Gap**: offsets that were lost outside of us (retention, a truncated log). They become a row, never a silence.
//!
//! Why it holds: an insert happens only under a committed plan, and a plan is only replaced by one that begins where it
//! ended. So at any moment at most one range of a partition can be half done, and whoever comes next knows which.
//!
//! Everything here is pure: no clock, no I/O. [`Machine`] is one partition during one assignment; [`Start`] decides where an
//! assignment begins; [`metadata`] is what a plan looks like in Kafka. Fencing by assignment is the caller's: a machine is
//! dropped when its partition is revoked, and answers that carry an older epoch never reach it.

mod machine;
pub mod metadata;
mod start;

pub use machine::{Command, Commit, Machine, Mode, OutOfTurn};
pub use start::{Gap, Position, Start, Watermarks};

/// A range of offsets of one partition: `first` up to, not including, `next`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Range {
    /// First offset.
    pub first: i64,
    /// Offset after the last.
    pub next: i64,
}

impl Range {
    /// The range, unless it is empty or reversed.
    #[must_use]
    pub fn new(first: i64, next: i64) -> Option<Self> {
        (first < next).then_some(Self { first, next })
    }
}
