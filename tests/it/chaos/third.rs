//! A third consumer that comes and goes, so that partitions move while everything is well.

use std::time::{Duration, Instant};

use super::deck::{Dice, GroupFault};
use super::report::Report;
use crate::support::{Running, Stage};

/// How long it may take until it is given partitions.
const ASSIGNED: Duration = Duration::from_secs(20);

enum Waits {
    /// Away; the next visit begins then at the earliest.
    Next(Instant),
    /// There, without partitions until it is given some. Goes after `stays`.
    Assignment { visitor: Running, until: Instant, stays: Duration, killed: bool },
    /// There with partitions.
    Leave { visitor: Running, at: Instant, killed: bool },
    /// Asked to leave.
    Gone { visitor: Running, until: Instant },
}

pub struct Third {
    waits: Waits,
}

impl Third {
    pub fn new() -> Self {
        Self { waits: Waits::Next(Instant::now()) }
    }

    pub fn is_calm(&self) -> bool {
        matches!(self.waits, Waits::Next(_))
    }

    pub fn log_text(&self) -> String {
        match &self.waits {
            Waits::Next(_) => String::new(),
            Waits::Assignment { visitor, .. } | Waits::Leave { visitor, .. } | Waits::Gone { visitor, .. } => {
                visitor.log_text()
            }
        }
    }

    /// `wanted`: somebody waits for partitions to be taken away, so a visit begins now.
    pub fn tick(
        &mut self,
        stage: &Stage,
        dice: &mut Dice,
        wanted: bool,
        next: &mut dyn FnMut() -> Option<GroupFault>,
        report: &mut Report,
    ) -> Option<GroupFault> {
        let now = Instant::now();
        let waits = std::mem::replace(&mut self.waits, Waits::Next(now));
        self.waits = match waits {
            Waits::Next(at) if wanted || now >= at => match if wanted { None } else { next() } {
                None if !wanted => Waits::Next(at),
                Some(GroupFault::Widen) => {
                    self.waits = Waits::Next(now + Duration::from_millis(dice.between(1_000, 5_000)));
                    return Some(GroupFault::Widen);
                }
                visit => {
                    let (stays, killed) = match visit {
                        Some(GroupFault::Visit { stays, killed }) => (stays, killed),
                        _ => (500, false),
                    };
                    let visitor = stage.start(&["consume"], &[]);
                    Waits::Assignment { visitor, until: now + ASSIGNED, stays: Duration::from_millis(stays), killed }
                }
            },
            Waits::Assignment { visitor, until, stays, killed } => {
                if visitor.has_partitions() {
                    report.done("a third consumer has joined".to_owned(), "group:join");
                    Waits::Leave { visitor, at: now + stays, killed }
                } else if now >= until {
                    report.missed("the third consumer was given no partitions".to_owned(), "group:join");
                    Waits::Leave { visitor, at: now, killed }
                } else {
                    Waits::Assignment { visitor, until, stays, killed }
                }
            }
            Waits::Leave { visitor, at, killed } if now >= at => {
                visitor.signal(if killed { "KILL" } else { "TERM" });
                if killed {
                    report.done("the third consumer is killed".to_owned(), "consumer:kill");
                } else {
                    report.done("the third consumer leaves".to_owned(), "group:leave");
                }
                Waits::Gone { visitor, until: now + Duration::from_secs(20) }
            }
            Waits::Gone { mut visitor, until } => match visitor.ended() {
                Some(_) => Waits::Next(now + Duration::from_millis(dice.between(1_000, 5_000))),
                None if now >= until => {
                    report.wrong(format!("the third consumer does not leave within 20 s:\n{}", visitor.log_text()));
                    visitor.signal("KILL");
                    Waits::Gone { visitor, until: now + Duration::from_secs(20) }
                }
                None => Waits::Gone { visitor, until },
            },
            unchanged => unchanged,
        };
        None
    }
}
