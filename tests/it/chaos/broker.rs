//! The broker and its deaths.

use std::path::Path;
use std::time::{Duration, Instant};

use super::deck::{BrokerFault, Dice};
use super::engine::Engine;
use super::report::Report;

#[derive(Debug)]
enum Waits {
    /// Up; the next fault comes then.
    Next(Instant),
    /// Frozen until then.
    Thaw(Instant),
    /// Dead until then.
    Restart(Instant),
    /// Started, not serving yet.
    Ready(Instant),
}

/// One broker, which is the whole cluster.
pub struct Broker {
    engine: Engine,
    waits: Waits,
}

impl Broker {
    pub fn start(folder: &Path) -> Self {
        let mut engine = Engine::new("kafka", folder, Vec::new());
        engine.start();
        Self { engine, waits: Waits::Ready(Instant::now()) }
    }

    pub fn wait_until_ready(&mut self) -> String {
        self.engine.wait_until_ready();
        self.engine.address()
    }

    /// Whether it is up with nothing under way.
    pub fn is_calm(&self) -> bool {
        matches!(self.waits, Waits::Next(_))
    }

    pub fn tick(&mut self, dice: &mut Dice, next: &mut dyn FnMut() -> Option<BrokerFault>, report: &mut Report) {
        let now = Instant::now();
        match self.waits {
            Waits::Restart(at) if now >= at => {
                self.engine.start();
                self.waits = Waits::Ready(now);
            }
            Waits::Ready(since) => {
                if self.engine.is_ready() {
                    // The group finds together again in the meantime, so that other faults meet work.
                    self.waits = Waits::Next(now + Duration::from_millis(dice.between(12_000, 25_000)));
                } else if self.engine.ended().is_some() || now > since + Duration::from_secs(60) {
                    report.wrong(format!("kafka does not start:\n{}", self.engine.log_text()));
                    self.engine.kill();
                    self.waits = Waits::Restart(now + Duration::from_secs(1));
                }
            }
            Waits::Next(_) if self.engine.ended().is_some() => {
                report.wrong(format!("kafka ended by itself:\n{}", self.engine.log_text()));
                self.waits = Waits::Restart(now);
            }
            Waits::Next(at) if now >= at => {
                if let Some(fault) = next() {
                    self.waits = self.begin(fault, report);
                }
            }
            Waits::Thaw(at) if now >= at => {
                self.engine.thaw();
                self.waits = Waits::Ready(now);
            }
            Waits::Next(_) | Waits::Thaw(_) | Waits::Restart(_) => {}
        }
    }

    fn begin(&mut self, fault: BrokerFault, report: &mut Report) -> Waits {
        let after = |millis| Instant::now() + Duration::from_millis(millis);
        match fault {
            BrokerFault::Kill(down) => {
                self.engine.kill();
                report.done(format!("broker killed, down for {down} ms"), "broker:kill");
                Waits::Restart(after(down))
            }
            BrokerFault::Freeze(millis) => {
                self.engine.freeze();
                report.done(format!("broker frozen for {millis} ms"), "broker:freeze");
                Waits::Thaw(after(millis))
            }
        }
    }
}
