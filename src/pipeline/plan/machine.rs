//! One partition during one assignment: which step of the protocol it stands at, and what is to be done next.

use thiserror::Error;

use super::Range;

/// How a range is to be delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Planned just now: nobody can have inserted any of it.
    First,
    /// A previous owner planned it, and may have inserted any part of it: the token is taken, then everything is read back.
    Replay,
    /// Part of a range whose insert was refused for one of its rows; some of it may be there under another token, so that
    /// what is there is read before anything is inserted.
    Remainder,
}

/// An offset to be committed, with the plan that begins there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Commit {
    /// Everything before it is stored.
    pub offset: i64,
    /// What is inserted next; `None` for progress alone.
    pub plan: Option<Range>,
}

/// What the caller has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Commit to Kafka, and tell [`Machine::committed`] when the broker took it. Refused commits are sent again for as long
    /// as the partition is assigned: the same commit twice is the same as once.
    Commit(Commit),
    /// Deliver the range's rows, and tell [`Machine::delivered`].
    Deliver(Range, Mode),
}

/// The caller told something that cannot be so; the partition has to begin anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the plan of this partition is {state}, which {told} does not follow")]
pub struct OutOfTurn {
    /// Where the machine stood.
    pub state: &'static str,
    /// What it was told.
    pub told: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// A previous owner's plan has to be read again, to its end.
    Rereading(Range),
    /// Nothing is under way. `saved`: Kafka knows the position.
    Open { saved: bool },
    /// A plan was sent to Kafka.
    Planning(Range),
    /// Rows are on their way.
    Delivering(Range, Mode),
    /// Progress was sent to Kafka.
    Saving,
}

/// One partition during one assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    state: State,
    /// Everything before it is stored; the next range begins here.
    position: i64,
    /// Ranges before this offset are the rest of a refused one.
    remainder_until: i64,
}

impl Machine {
    /// A partition that begins at `position`. `saved`: Kafka has it as committed offset already.
    #[must_use]
    pub fn open(position: i64, saved: bool) -> Self {
        Self { state: State::Open { saved }, position, remainder_until: position }
    }

    /// A partition whose previous owner left a plan.
    #[must_use]
    pub fn rereading(plan: Range) -> Self {
        Self { state: State::Rereading(plan), position: plan.first, remainder_until: plan.first }
    }

    /// The same, but offsets before `until` may be stored already, by an insert that named another range.
    #[must_use]
    pub fn with_remainder_until(mut self, until: i64) -> Self {
        self.remainder_until = self.remainder_until.max(until);
        self
    }

    /// Everything before this offset is stored.
    #[must_use]
    pub fn position(&self) -> i64 {
        self.position
    }

    /// The range that has to be read again before anything new.
    #[must_use]
    pub fn to_reread(&self) -> Option<Range> {
        if let State::Rereading(plan) = self.state { Some(plan) } else { None }
    }

    /// Whether a range can be sealed now; otherwise the one before it is still under way.
    #[must_use]
    pub fn takes_range(&self) -> bool {
        matches!(self.state, State::Open { .. } | State::Rereading(_))
    }

    /// Whether rows of a range are on their way, which a revocation waits for.
    #[must_use]
    pub fn is_delivering(&self) -> bool {
        matches!(self.state, State::Delivering(..))
    }

    /// Whether a commit was sent and not answered yet.
    #[must_use]
    pub fn is_committing(&self) -> bool {
        matches!(self.state, State::Planning(_) | State::Saving)
    }

    /// Whether nothing is under way and Kafka knows of all progress.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        matches!(self.state, State::Open { saved: true } | State::Rereading(_))
    }

    /// The rows up to `next` are ready. Of a plan that is read again, `next` has to be its end.
    ///
    /// # Errors
    /// [`OutOfTurn`] when another range is under way, when the range is empty, or when it is not the planned one.
    pub fn sealed(&mut self, next: i64) -> Result<Command, OutOfTurn> {
        let range = Range::new(self.position, next).ok_or_else(|| self.out_of_turn("an empty range"))?;
        match self.state {
            State::Open { .. } => {
                self.state = State::Planning(range);
                Ok(Command::Commit(Commit { offset: range.first, plan: Some(range) }))
            }
            State::Rereading(plan) if plan == range => {
                self.state = State::Delivering(plan, Mode::Replay);
                Ok(Command::Deliver(plan, Mode::Replay))
            }
            _ => Err(self.out_of_turn("a sealed range")),
        }
    }

    /// Kafka took the commit.
    ///
    /// # Errors
    /// [`OutOfTurn`] when it is not the commit that is waited for.
    pub fn committed(&mut self, commit: Commit) -> Result<Option<Command>, OutOfTurn> {
        match (self.state, commit.plan) {
            (State::Planning(range), Some(plan)) if plan == range => {
                let mode = if range.first < self.remainder_until { Mode::Remainder } else { Mode::First };
                self.state = State::Delivering(range, mode);
                Ok(Some(Command::Deliver(range, mode)))
            }
            (State::Saving, None) if commit.offset == self.position => {
                self.state = State::Open { saved: true };
                Ok(None)
            }
            _ => Err(self.out_of_turn("a commit")),
        }
    }

    /// ClickHouse holds every row of the range.
    ///
    /// # Errors
    /// [`OutOfTurn`] when that range is not on its way.
    pub fn delivered(&mut self, range: Range) -> Result<(), OutOfTurn> {
        match self.state {
            State::Delivering(underway, _) if underway == range => {
                self.position = range.next;
                self.state = State::Open { saved: false };
                Ok(())
            }
            _ => Err(self.out_of_turn("a delivery")),
        }
    }

    /// ClickHouse refuses the range for one of its rows. It is delivered in parts instead, each with a plan of its own, the
    /// next of which is expected by [`Machine::sealed`].
    ///
    /// # Errors
    /// [`OutOfTurn`] when that range is not on its way.
    pub fn refused(&mut self, range: Range) -> Result<(), OutOfTurn> {
        match self.state {
            State::Delivering(underway, _) if underway == range => {
                self.remainder_until = self.remainder_until.max(range.next);
                self.state = State::Open { saved: true };
                Ok(())
            }
            _ => Err(self.out_of_turn("a refusal")),
        }
    }

    /// Carries progress to Kafka when no plan does: the partition is idle, revoked, or the process ends.
    pub fn save(&mut self) -> Option<Commit> {
        if self.state != (State::Open { saved: false }) {
            return None;
        }
        self.state = State::Saving;
        Some(Commit { offset: self.position, plan: None })
    }

    fn out_of_turn(&self, told: &'static str) -> OutOfTurn {
        let state = match self.state {
            State::Rereading(_) => "read again",
            State::Open { .. } => "open",
            State::Planning(_) => "being committed",
            State::Delivering(..) => "being delivered",
            State::Saving => "saving progress",
        };
        OutOfTurn { state, told }
    }
}
