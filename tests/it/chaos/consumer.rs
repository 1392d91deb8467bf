//! A consumer's place in the group: one process after the other, each dying of what its fault says.

use std::os::unix::process::ExitStatusExt;
use std::time::{Duration, Instant};

use gatetrail::pipeline::crash_point::CrashPoint;

use super::deck::ConsumerFault;
use super::report::Report;
use crate::support::{Running, Stage};

/// How long a consumer may take to be given partitions: a dead member is missed for a session first.
const ASSIGNED: Duration = Duration::from_secs(45);
/// How long it may take to reach the point where it crashes, once it has partitions.
const REACHED: Duration = Duration::from_secs(25);
/// Longer than the session of 6 s, so that others take over from the frozen one.
const FROZEN: Duration = Duration::from_secs(8);
/// How long a woken consumer is left alone, to do what harm it can.
const AWAKE: Duration = Duration::from_millis(2_500);
const SIGKILL: i32 = 9;

/// What the slot waits for.
#[derive(Debug)]
enum Waits {
    /// Its process has no partitions yet; then comes the fault, if there is one.
    Assignment { until: Instant },
    /// The process crashes or stops by itself.
    Point { until: Instant },
    /// The moment of a fault from outside.
    Moment(Instant),
    /// The end of a freeze.
    Thaw(Instant),
    /// A woken process has had its time.
    Awake(Instant),
    /// The end of a process that was asked to stop.
    Stopped,
    /// The next fault.
    Nothing,
}

pub struct Slot {
    name: &'static str,
    /// Whether its next processes are one static member of the group (KIP-345): partitions wait for it while it restarts.
    pub is_static: bool,
    process: Running,
    fault: Option<ConsumerFault>,
    /// What is to come after this fault, in this slot.
    chain: Vec<ConsumerFault>,
    waits: Waits,
}

impl Slot {
    /// Starts the first process, which nothing will happen to.
    pub fn new(name: &'static str, stage: &Stage) -> Self {
        let process = start(stage, name, None, false);
        Self {
            name,
            is_static: false,
            process,
            fault: None,
            chain: Vec::new(),
            waits: Waits::Assignment { until: Instant::now() + ASSIGNED },
        }
    }

    /// Whether its process runs with nothing to come and has partitions.
    pub fn is_calm(&self) -> bool {
        self.fault.is_none() && self.chain.is_empty() && matches!(self.waits, Waits::Nothing)
    }

    /// The point that it has to come to.
    pub fn awaited_point(&self) -> Option<CrashPoint> {
        match (&self.waits, self.fault) {
            (Waits::Point { .. }, Some(ConsumerFault::CrashAt(point, _) | ConsumerFault::FreezeAt(point, _))) => {
                Some(point)
            }
            _ => None,
        }
    }

    pub fn log_text(&self) -> String {
        self.process.log_text()
    }

    /// Asks the process to stop: its exit code.
    pub fn stop(self) -> i32 {
        self.process.stop()
    }

    /// Whether the group has given its process partitions.
    pub fn has_partitions(&self) -> bool {
        !matches!(self.waits, Waits::Assignment { .. })
    }

    /// Engines are away: what the slot waits for may take its full time again.
    pub fn postpone(&mut self) {
        let now = Instant::now();
        match &mut self.waits {
            Waits::Assignment { until } => *until = now + ASSIGNED,
            Waits::Point { until } => *until = now + REACHED,
            _ => {}
        }
    }

    /// Looks what has happened and does what is due. `next` gives the next chain of faults.
    pub fn tick(&mut self, stage: &Stage, next: &mut dyn FnMut() -> Option<Vec<ConsumerFault>>, report: &mut Report) {
        if let Some(status) = self.process.ended() {
            self.note_end(status, report);
            self.restart(stage, next);
            return;
        }
        let now = Instant::now();
        match self.waits {
            Waits::Assignment { until } => {
                if self.process.has_partitions() {
                    self.waits = self.after_assignment(now);
                } else if now >= until {
                    report.wrong(format!(
                        "consumer {} was given no partitions within {ASSIGNED:?}:\n{}",
                        self.name,
                        self.process.log_text()
                    ));
                    self.waits = Waits::Assignment { until: now + ASSIGNED };
                }
            }
            Waits::Point { until } => {
                if self.process.is_stopped() {
                    report.done(format!("consumer {} frozen {}", self.name, place(self.fault)), kind(self.fault));
                    self.waits = Waits::Thaw(now + FROZEN);
                } else if now >= until {
                    report
                        .missed(format!("consumer {} did not come {}", self.name, place(self.fault)), kind(self.fault));
                    self.chain.clear();
                    self.process.signal("KILL");
                    self.waits = Waits::Stopped;
                }
            }
            Waits::Moment(at) if now >= at => self.act(now, report),
            Waits::Thaw(at) if now >= at => {
                self.process.signal("CONT");
                self.waits = Waits::Awake(now + AWAKE);
            }
            Waits::Awake(at) if now >= at => {
                // A crash point is armed at the start of a process, so the woken one makes room.
                self.fault = None;
                self.process.signal("TERM");
                self.waits = Waits::Stopped;
            }
            Waits::Nothing => {
                if let Some(chain) = next() {
                    self.chain = chain;
                    self.take_up(now);
                }
            }
            Waits::Moment(_) | Waits::Thaw(_) | Waits::Awake(_) | Waits::Stopped => {}
        }
    }

    /// A running process that nothing has been done to takes up its next fault.
    fn take_up(&mut self, now: Instant) {
        if needs_arming(self.chain[0]) {
            self.process.signal("TERM");
            self.waits = Waits::Stopped;
        } else {
            self.fault = Some(self.chain.remove(0));
            self.waits = self.after_assignment(now);
        }
    }

    fn after_assignment(&self, now: Instant) -> Waits {
        use ConsumerFault::{CrashAt, FreezeAfter, FreezeAt, KillAfter, StopAfter};
        match self.fault {
            Some(CrashAt(..) | FreezeAt(..)) => Waits::Point { until: now + REACHED },
            Some(KillAfter(wait) | FreezeAfter(wait) | StopAfter(wait)) => {
                Waits::Moment(now + Duration::from_millis(wait))
            }
            None => Waits::Nothing,
        }
    }

    fn act(&mut self, now: Instant, report: &mut Report) {
        let (signal, waits) = match self.fault {
            Some(ConsumerFault::FreezeAfter(_)) => ("STOP", Waits::Thaw(now + FROZEN)),
            Some(ConsumerFault::StopAfter(_)) => ("TERM", Waits::Stopped),
            _ => ("KILL", Waits::Stopped),
        };
        self.process.signal(signal);
        self.waits = waits;
        report.done(format!("consumer {}: SIG{signal}", self.name), kind(self.fault));
    }

    /// Says whether the process ended as it was meant to.
    fn note_end(&self, status: std::process::ExitStatus, report: &mut Report) {
        let killed = status.signal() == Some(SIGKILL);
        match (&self.waits, self.fault) {
            // Also before the partitions came: a plan that is to be replayed is found while they come.
            (Waits::Point { .. } | Waits::Assignment { .. }, Some(ConsumerFault::CrashAt(..))) if killed => {
                report.done(format!("consumer {} killed itself {}", self.name, place(self.fault)), kind(self.fault));
            }
            // 1: what is under way could not be settled in time because an engine is away; that is said, and allowed.
            (Waits::Stopped, _) if killed || matches!(status.code(), Some(0 | 1)) => {}
            // A broker that died while a static member joined may remember the member's former self. That ends the process,
            // and its supervisor, which we are, starts it again.
            _ if self.process.log_text().contains("FencedInstanceId") => {
                report.done(format!("consumer {} was fenced as a static member", self.name), "consumer:fenced");
            }
            _ => {
                report.wrong(format!("consumer {} ended by itself ({status}):\n{}", self.name, self.process.log_text()))
            }
        }
    }

    fn restart(&mut self, stage: &Stage, next: &mut dyn FnMut() -> Option<Vec<ConsumerFault>>) {
        if self.chain.is_empty() {
            self.chain = next().unwrap_or_default();
        }
        self.fault = (!self.chain.is_empty()).then(|| self.chain.remove(0));
        self.process = start(stage, self.name, self.fault, self.is_static);
        self.waits = Waits::Assignment { until: Instant::now() + ASSIGNED };
    }
}

fn start(stage: &Stage, name: &str, fault: Option<ConsumerFault>, is_static: bool) -> Running {
    let crash_at = match fault {
        Some(ConsumerFault::CrashAt(point, nth)) => format!("{}:{nth}", point.name()),
        Some(ConsumerFault::FreezeAt(point, nth)) => format!("{}:{nth}:stop", point.name()),
        _ => String::new(),
    };
    let instance = if is_static { name } else { "" };
    stage.start(&["consume"], &[("GATETRAIL_CRASH_AT", &crash_at), ("GATETRAIL_KAFKA_GROUP_INSTANCE_ID", instance)])
}

fn needs_arming(fault: ConsumerFault) -> bool {
    matches!(fault, ConsumerFault::CrashAt(..) | ConsumerFault::FreezeAt(..))
}

fn place(fault: Option<ConsumerFault>) -> String {
    match fault {
        Some(ConsumerFault::CrashAt(point, nth) | ConsumerFault::FreezeAt(point, nth)) => {
            format!("at {} (time {nth})", point.name())
        }
        _ => String::new(),
    }
}

/// What the fault is counted as.
fn kind(fault: Option<ConsumerFault>) -> String {
    match fault {
        Some(ConsumerFault::CrashAt(point, _)) => format!("crash:{}", point.name()),
        Some(ConsumerFault::FreezeAt(point, _)) => format!("freeze:{}", point.name()),
        Some(ConsumerFault::FreezeAfter(_)) => "freeze:any".to_owned(),
        Some(ConsumerFault::StopAfter(_)) => "consumer:stop".to_owned(),
        Some(ConsumerFault::KillAfter(_)) | None => "consumer:kill".to_owned(),
    }
}
