//! The state machine: what to do next, given what was heard. The words are those of the module above.

use super::pause::Pause;
use crate::store::error::Remedy;

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Insert the body of this number, from 0, as it was made, under its own token.
    Insert(usize),
    /// Wait.
    Wait(Pause),
    /// Ask which rows of the range are stored.
    ReadBack,
    /// Insert the rows that the last read-back found missing, under the token of this repair; 0 stands for their own token.
    InsertMissing(u32),
    /// Fill the views again for the whole range.
    RestoreViews,
    /// Everything is stored, once.
    Done,
    /// A row of the range cannot be taken. Other rows may be stored already, so parts of the range are planned anew and
    /// delivered as replays.
    Poison,
}

/// What came of the last command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// [`Command::Insert`], [`Command::InsertMissing`] (all tables) or [`Command::RestoreViews`] was confirmed.
    Confirmed,
    /// The read-back found every row.
    Complete,
    /// The read-back found some rows missing.
    Missing,
    /// The command failed.
    Failed(Remedy),
    /// The wait is over.
    Waited,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Insert(usize),
    ReadBack,
    InsertMissing,
    RestoreViews,
    Done,
    Poison,
}

/// The state of one plan's delivery.
#[derive(Debug, Clone)]
pub struct Delivery {
    bodies: usize,
    step: Step,
    pause: Option<Pause>,
    /// Number of the token under which missing rows go; raised only once it was confirmed, hence taken.
    repair: u32,
    failures: u32,
    /// Whether the last answer to an insert was that a row is at fault.
    row_at_fault: bool,
    attempts: u32,
}

impl Delivery {
    /// Begins to deliver a plan of this many bodies. A replayed one is in doubt from the start.
    #[must_use]
    pub fn new(bodies: usize, replayed: bool) -> Self {
        let step = match bodies {
            0 => Step::Done,
            _ if replayed => Step::ReadBack,
            _ => Step::Insert(0),
        };
        Self { bodies, step, pause: None, repair: 0, failures: 0, row_at_fault: false, attempts: 0 }
    }

    /// What to do next. Asking changes nothing.
    #[must_use]
    pub fn command(&self) -> Command {
        if let Some(pause) = self.pause {
            return Command::Wait(pause);
        }
        match self.step {
            Step::Insert(body) => Command::Insert(body),
            Step::ReadBack => Command::ReadBack,
            Step::InsertMissing => Command::InsertMissing(self.repair),
            Step::RestoreViews => Command::RestoreViews,
            Step::Done => Command::Done,
            Step::Poison => Command::Poison,
        }
    }

    /// Number of the token under which rows that are missing now have to go.
    #[must_use]
    pub fn repair(&self) -> u32 {
        self.repair
    }

    /// Failures in a row.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// Commands to insert that were carried out.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Takes in what came of the command. What does not answer the command of now changes nothing.
    pub fn hear(&mut self, heard: Heard) {
        let inserted = matches!(self.command(), Command::Insert(_) | Command::InsertMissing(_));
        if inserted && matches!(heard, Heard::Confirmed | Heard::Failed(_)) {
            self.attempts = self.attempts.saturating_add(1);
        }
        match (self.command(), heard) {
            (Command::Wait(_), Heard::Waited) => self.pause = None,
            (Command::Insert(body), Heard::Confirmed) => {
                let next = body + 1;
                self.succeed(if next < self.bodies { Step::Insert(next) } else { Step::Done });
            }
            (Command::ReadBack, Heard::Complete) => self.succeed(Step::RestoreViews),
            (Command::ReadBack, Heard::Missing) => self.step = Step::InsertMissing,
            (Command::InsertMissing(_), Heard::Confirmed) => {
                self.repair = self.repair.saturating_add(1);
                self.row_at_fault = false;
                self.succeed(Step::ReadBack);
            }
            (Command::RestoreViews, Heard::Confirmed) => self.succeed(Step::Done),
            (Command::Insert(_) | Command::InsertMissing(_), Heard::Failed(remedy)) => self.fail_insert(remedy),
            (Command::ReadBack | Command::RestoreViews, Heard::Failed(remedy)) => self.fail(remedy),
            _ => {}
        }
    }

    fn succeed(&mut self, step: Step) {
        self.step = step;
        self.failures = 0;
    }

    /// An insert failed: from here on in doubt. A body that was damaged on its way looks like a row at fault, so a row
    /// is believed to be at fault only when two attempts in a row say it.
    fn fail_insert(&mut self, remedy: Remedy) {
        if remedy == Remedy::Bisect && self.row_at_fault {
            self.step = Step::Poison;
            return;
        }
        self.row_at_fault = remedy == Remedy::Bisect;
        self.step = Step::ReadBack;
        self.fail(remedy);
    }

    fn fail(&mut self, remedy: Remedy) {
        self.failures = self.failures.saturating_add(1);
        self.pause = Some(Pause { remedy, failures: self.failures });
    }
}
