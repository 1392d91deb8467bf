//! One run: the engines, two consumers, a third that visits, the traffic, and the loop that deals the faults.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use gatetrail::pipeline::crash_point::CrashPoint;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions};
use rdkafka::client::DefaultClientContext;

use super::broker::Broker;
use super::check::{check, wait_until_committed};
use super::clickhouse::Clickhouse;
use super::consumer::Slot;
use super::deck::{Deck, Dice, GroupFault};
use super::report::Report;
use super::third::Third;
use super::traffic::Traffic;
use crate::support::Stage;

/// How often the loop looks.
const GLANCE: Duration = Duration::from_millis(20);
/// Faults between two checks that everything is stored exactly once.
const CHECK_EVERY: u64 = 25;
/// Partitions at the start.
const PARTITIONS: u64 = 4;
/// Most partitions that the topic is widened to.
const MOST_PARTITIONS: u64 = 12;
/// So many things that must never happen end the run: a process that cannot start would else be started for ever.
const MOST_WRONGS: usize = 10;
/// While a fault waits for progress that is committed by itself, the traffic rests so long …
const REST_SECONDS: u64 = 3;
/// … in each stretch of so long.
const REST_EVERY_SECONDS: u64 = 6;
/// How long nothing may happen before the run counts as stuck.
const STUCK: Duration = Duration::from_secs(120);

/// Everything that plays. Fields are dropped in this order: who writes first, what is written to last.
pub struct Run {
    /// Whether this is the short form of `make test`.
    is_short: bool,
    traffic: Traffic,
    slots: Vec<Slot>,
    third: Third,
    stage: Stage,
    clickhouse: Clickhouse,
    broker: Broker,
    deck: Deck,
    dice: Dice,
    report: Report,
    partitions: u64,
    begun: Instant,
    folder: Option<tempfile::TempDir>,
}

impl Run {
    /// Starts the engines, the traffic and two consumers. `faults` = 0 plays the short script.
    pub fn new(seed: u64, faults: u64) -> Self {
        let mut report = Report::new(seed);
        let folder = tempfile::Builder::new().prefix("gatetrail-chaos-").tempdir().unwrap();
        let mut broker = Broker::start(folder.path());
        let mut clickhouse = Clickhouse::start(folder.path());
        let stage = Stage::on("chaos", broker.wait_until_ready(), clickhouse.wait_until_ready());
        let migrated = stage.run(&["migrate", "--topics", "--partitions", &PARTITIONS.to_string()]);
        assert!(migrated.status.success(), "{}", String::from_utf8_lossy(&migrated.stderr));
        let rate = super::number("RATE").unwrap_or(600);
        let traffic = Traffic::start(&stage.brokers, &stage.topic(), PARTITIONS, rate);
        let slots = ["a", "b"].map(|name| Slot::new(name, &stage)).into();
        report.say(&format!("SEED={seed}: engines, traffic and two consumers are started"));
        let deck = if faults == 0 { Deck::short() } else { Deck::drawn(seed, faults) };
        let dice = Dice(ChaCha8Rng::seed_from_u64(!seed));
        let (third, folder) = (Third::new(), Some(folder));
        let is_short = faults == 0;
        let begun = Instant::now();
        Self {
            is_short,
            traffic,
            slots,
            third,
            stage,
            clickhouse,
            broker,
            deck,
            dice,
            report,
            partitions: PARTITIONS,
            begun,
            folder,
        }
    }

    /// Deals every fault, checks on the way and in the end.
    pub fn play(mut self) {
        let mut next_check = CHECK_EVERY;
        while !self.deck.is_empty() {
            self.deal_until(next_check);
            self.check();
            // In every other stretch the two consumers are static members.
            self.slots.iter_mut().for_each(|slot| slot.is_static = !slot.is_static);
            next_check = self.report.faults() + CHECK_EVERY;
        }
        self.leave();
        assert!(
            self.report.wrongs().is_empty(),
            "{}",
            self.report.failure("what must never happen has happened (WRONG)")
        );
        let never = format!("never reached: {:?}", self.report.never());
        // On a busy machine a moment can pass by within the time of the short form; the long one has to reach them all.
        if self.is_short {
            self.report.say(&never);
        } else {
            assert!(self.report.never().is_empty(), "{}", self.report.failure(&never));
        }
    }

    /// Deals faults until `count` have happened or none is left, and until everything is calm again.
    fn deal_until(&mut self, count: u64) {
        let (mut moved, mut faults) = (Instant::now(), self.report.faults());
        loop {
            let dealing = self.report.faults() < count;
            self.tick(dealing);
            let calm = self.slots.iter().all(Slot::is_calm)
                && self.third.is_calm()
                && self.clickhouse.is_calm()
                && self.broker.is_calm();
            if calm && (!dealing || self.deck.is_empty()) {
                return;
            }
            if self.report.faults() != faults {
                (moved, faults) = (Instant::now(), self.report.faults());
            }
            if self.report.wrongs().len() > MOST_WRONGS {
                self.fail("too much goes wrong to go on");
            }
            if moved.elapsed() > STUCK {
                self.fail("nothing has happened for two minutes");
            }
            std::thread::sleep(GLANCE);
        }
    }

    fn tick(&mut self, dealing: bool) {
        let Self { slots, third, stage, clickhouse, broker, deck, dice, report, traffic, begun, .. } = self;
        for slot in slots.iter_mut() {
            if !broker.is_calm() {
                slot.postpone();
            }
            slot.tick(stage, &mut || if dealing { deck.consumers.pop_front() } else { None }, report);
        }
        let awaits =
            |points: &[CrashPoint]| slots.iter().filter_map(Slot::awaited_point).any(|point| points.contains(&point));
        let wanted = awaits(&[CrashPoint::RevokeBegun, CrashPoint::RevokeDone]);
        // Others may wait for records meanwhile, so it rests for a part of the time.
        let is_time_to_rest = begun.elapsed().as_secs() % REST_EVERY_SECONDS < REST_SECONDS;
        traffic.rest(is_time_to_rest && awaits(&[CrashPoint::ProgressSent, CrashPoint::ProgressCommitted]));
        if awaits(&[CrashPoint::RepairBegun, CrashPoint::RepairInserted]) {
            clickhouse.provoke(stage);
        }
        if !broker.is_calm() || slots.iter().any(|slot| !slot.has_partitions()) {
            clickhouse.postpone();
        }
        clickhouse.tick(stage, dice, &mut || if dealing { deck.store.pop_front() } else { None }, report);
        broker.tick(dice, &mut || if dealing { deck.broker.pop_front() } else { None }, report);
        let widened =
            third.tick(stage, dice, wanted, &mut || if dealing { deck.group.pop_front() } else { None }, report);
        if widened == Some(GroupFault::Widen) {
            self.widen();
        }
    }

    /// One more partition, and records for it.
    fn widen(&mut self) {
        if self.partitions >= MOST_PARTITIONS {
            return;
        }
        let admin: AdminClient<DefaultClientContext> =
            ClientConfig::new().set("bootstrap.servers", &self.stage.brokers).create().unwrap();
        let topic = self.stage.topic();
        let wider = NewPartitions::new(&topic, usize::try_from(self.partitions + 1).unwrap());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let options = AdminOptions::new().request_timeout(Some(Duration::from_secs(5)));
        match runtime.block_on(admin.create_partitions([&wider], &options)).map(|results| results[0].is_ok()) {
            Ok(true) => {
                self.partitions += 1;
                self.traffic.widen(self.partitions);
                self.report.done(format!("the topic has {} partitions now", self.partitions), "group:widen");
            }
            failed => self.report.missed(format!("the topic was not widened: {failed:?}"), "group:widen"),
        }
    }

    /// Lets everything that was produced be stored, and compares.
    fn check(&mut self) {
        let produced = self.traffic.pause();
        let start = Instant::now();
        let outcome = wait_until_committed(&self.stage, &produced).and_then(|()| check(&self.stage, &produced));
        if let Err(reason) = outcome {
            self.fail(&reason);
        }
        let records: u64 = produced.iter().sum();
        self.report
            .say(&format!("exact: {records} records, each stored once ({:.1} s)", start.elapsed().as_secs_f64()));
        self.traffic.resume();
    }

    /// Ends the consumers as a release would, and compares once more: nothing comes late.
    fn leave(&mut self) {
        let produced = self.traffic.pause();
        for slot in self.slots.drain(..) {
            let log = slot.log_text();
            let code = slot.stop();
            if code != 0 {
                self.report.wrong(format!("a consumer with nothing to wait for ended with {code}:\n{log}"));
            }
        }
        let outcome = wait_until_committed(&self.stage, &produced).and_then(|()| check(&self.stage, &produced));
        if let Err(reason) = outcome {
            self.fail(&reason);
        }
        let records = produced.iter().sum();
        println!("{}", self.report.summary(records));
    }

    fn fail(&mut self, reason: &str) -> ! {
        let kept = self.keep();
        let tail =
            |log: &str| log.lines().rev().take(15).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("\n");
        let logs: Vec<String> =
            self.slots.iter().map(Slot::log_text).chain([self.third.log_text()]).map(|log| tail(&log)).collect();
        panic!(
            "{}\n\nthe ends of the consumers' logs:\n{}\n\nall logs and data: {}",
            self.report.failure(reason),
            logs.join("\n--\n"),
            kept.display()
        );
    }

    /// Keeps data and logs for whoever looks into it.
    fn keep(&mut self) -> PathBuf {
        let kept = self.folder.take().map(tempfile::TempDir::keep).unwrap_or_default();
        let logs = kept.join("consumers");
        std::fs::create_dir_all(&logs).unwrap();
        for entry in std::fs::read_dir(self.stage.file(".")).unwrap() {
            let entry = entry.unwrap();
            std::fs::copy(entry.path(), logs.join(entry.file_name())).unwrap();
        }
        kept
    }
}
