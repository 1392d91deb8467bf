//! ClickHouse and what happens to it: kills, freezes, and faults at the rename that puts a part into its place.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use super::deck::{Dice, StoreFault};
use super::engine::Engine;
use super::report::Report;
use crate::support::Stage;

/// How long an insert into the table may take to come.
const REACHED: Duration = Duration::from_secs(20);
const SIGABRT: i32 = 6;

#[derive(Debug)]
enum Waits {
    /// Up; the next fault comes then.
    Next(Instant),
    /// For a part of a table to be renamed.
    Rename(StoreFault, Instant),
    /// Frozen until then.
    Thaw(Instant),
    /// Dead until then.
    Restart(Instant),
    /// Started, not answering yet.
    Ready(Instant),
}

/// The server.
pub struct Clickhouse {
    engine: Engine,
    trigger: PathBuf,
    waits: Waits,
    /// Whether this process was frozen: ClickHouse may end itself when time has jumped.
    was_frozen: bool,
    /// Where the tables lie.
    paths: BTreeMap<&'static str, String>,
}

impl Clickhouse {
    /// Builds the library that holds the faults and starts the server with it.
    pub fn start(folder: &Path) -> Self {
        let (library, trigger) = (folder.join("rename_fault.so"), folder.join("rename_fault"));
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/chaos/rename_fault.c");
        let built =
            Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source).arg("-ldl").output();
        let built = built.expect("cc compiles the library with the faults");
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        let environment =
            vec![("LD_PRELOAD", library.display().to_string()), ("RENAME_FAULT", trigger.display().to_string())];
        let mut engine = Engine::new("clickhouse", folder, environment);
        engine.start();
        Self { engine, trigger, waits: Waits::Ready(Instant::now()), was_frozen: false, paths: BTreeMap::new() }
    }

    pub fn wait_until_ready(&mut self) -> String {
        self.engine.wait_until_ready();
        self.engine.address()
    }

    /// Whether it is up with nothing under way.
    pub fn is_calm(&self) -> bool {
        matches!(self.waits, Waits::Next(_))
    }

    /// Nobody inserts now: what waits for an insert may take its full time again.
    pub fn postpone(&mut self) {
        if let Waits::Rename(_, until) = &mut self.waits {
            *until = Instant::now() + REACHED;
        }
    }

    pub fn tick(
        &mut self,
        stage: &Stage,
        dice: &mut Dice,
        next: &mut dyn FnMut() -> Option<StoreFault>,
        report: &mut Report,
    ) {
        let now = Instant::now();
        if let Some(status) = self.engine.ended() {
            match self.waits {
                Waits::Restart(at) if now < at => return,
                Waits::Restart(_) => {
                    self.engine.start();
                    self.was_frozen = false;
                    self.waits = Waits::Ready(now);
                    return;
                }
                Waits::Rename(fault @ StoreFault::KillAtRename(table, nth), _) => {
                    report.done(format!("clickhouse killed at the rename of part {nth} of {table}"), kind(fault));
                }
                // The store's own death is one more that nothing may be lost by.
                _ if self.was_frozen && status.signal() == Some(SIGABRT) => {
                    report.done(
                        "clickhouse aborted by itself after a freeze".to_owned(),
                        "clickhouse:aborted after a freeze",
                    );
                }
                _ => report.wrong(format!("clickhouse ended by itself ({status}):\n{}", self.engine.log_text())),
            }
            self.disarm();
            self.waits = Waits::Restart(now + Duration::from_millis(dice.between(0, 800)));
            return;
        }
        match self.waits {
            Waits::Ready(since) => {
                if self.engine.is_ready() {
                    self.rest(dice);
                } else if now > since + Duration::from_secs(60) {
                    report.wrong(format!("clickhouse does not start:\n{}", self.engine.log_text()));
                    self.waits = Waits::Ready(now);
                }
            }
            Waits::Thaw(at) if now >= at => {
                self.engine.thaw();
                self.rest(dice);
            }
            Waits::Rename(fault, until) => {
                if let StoreFault::ErrorAtRename(table, nth) = fault
                    && !self.trigger.exists()
                {
                    report.done(format!("EIO at the rename of part {nth} of {table}"), kind(fault));
                    self.rest(dice);
                } else if now >= until {
                    self.disarm();
                    report.missed(format!("no part came for {}", kind(fault)), kind(fault));
                    self.rest(dice);
                }
            }
            Waits::Next(at) if now >= at => {
                if let Some(fault) = next() {
                    self.begin(fault, stage, dice, report);
                }
            }
            Waits::Next(_) | Waits::Thaw(_) | Waits::Restart(_) => {}
        }
    }

    /// An EIO at the next part of `events`, when nothing else is under way.
    pub fn provoke(&mut self, stage: &Stage) {
        if matches!(self.waits, Waits::Next(at) if Instant::now() >= at) {
            self.arm("eio", "events", 1, stage);
            self.waits = Waits::Rename(StoreFault::ErrorAtRename("events", 1), Instant::now() + REACHED);
        }
    }

    fn begin(&mut self, fault: StoreFault, stage: &Stage, dice: &mut Dice, report: &mut Report) {
        let now = Instant::now();
        self.waits = match fault {
            StoreFault::Kill => {
                self.engine.kill();
                report.done("clickhouse killed".to_owned(), kind(fault));
                self.engine_died(dice)
            }
            StoreFault::Freeze(millis) => {
                self.engine.freeze();
                self.was_frozen = true;
                report.done(format!("clickhouse frozen for {millis} ms"), kind(fault));
                Waits::Thaw(now + Duration::from_millis(millis))
            }
            StoreFault::KillAtRename(table, nth) => {
                self.arm("kill", table, nth, stage);
                Waits::Rename(fault, now + REACHED)
            }
            StoreFault::ErrorAtRename(table, nth) => {
                self.arm("eio", table, nth, stage);
                Waits::Rename(fault, now + REACHED)
            }
        };
    }

    fn engine_died(&mut self, dice: &mut Dice) -> Waits {
        Waits::Restart(Instant::now() + Duration::from_millis(dice.between(0, 800)))
    }

    fn rest(&mut self, dice: &mut Dice) {
        self.waits = Waits::Next(Instant::now() + Duration::from_millis(dice.between(200, 3_000)));
    }

    fn arm(&mut self, action: &str, table: &'static str, nth: u64, stage: &Stage) {
        // Asked once: when the next fault comes, it may be dead, and nobody starts it while this waits.
        let path = self.paths.entry(table).or_insert_with(|| {
            let row = &stage.query_patiently(&format!(
                "SELECT data_paths[1] AS path FROM system.tables WHERE database = '{{db}}' AND name = '{table}'"
            ))[0];
            row["path"].as_str().unwrap().to_owned()
        });
        // In place at once: a half-written file would be another fault.
        let draft = self.trigger.with_extension("draft");
        std::fs::write(&draft, format!("{action} {nth} {path}\n")).unwrap();
        std::fs::rename(&draft, &self.trigger).unwrap();
    }

    fn disarm(&self) {
        drop(std::fs::remove_file(&self.trigger));
    }
}

fn kind(fault: StoreFault) -> String {
    match fault {
        StoreFault::Kill => "clickhouse:kill".to_owned(),
        StoreFault::Freeze(_) => "clickhouse:freeze".to_owned(),
        StoreFault::KillAtRename(table, _) => format!("clickhouse:kill_at_rename:{table}"),
        StoreFault::ErrorAtRename(table, _) => format!("clickhouse:eio_at_rename:{table}"),
    }
}
