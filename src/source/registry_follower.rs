//! Follows the registry topic for as long as the process lives, on a thread of its own, since asking a broker blocks.
//!
//! What it reads waits in a bounded queue until the ingest loop takes it in. A topic that is missing or brokers that are
//! away are no reason not to begin: it tries again, and events are enriched without the registry meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};

use super::kafka::SourceError;
use super::registry::{READ_TIMEOUT, RegistryFact, RegistryReader};
use crate::config;
use crate::decode::Limits;
use crate::telemetry::with_causes;

/// Facts that wait for the loop.
const WAITING: usize = 4_096;
/// How long to wait before a registry that could not be read is tried again.
const AGAIN: Duration = Duration::from_secs(10);
/// How often partitions that were added are looked for.
const NEW_PARTITIONS_EVERY: Duration = Duration::from_secs(60);
/// How long one look waits for a record, and how often the end of the process is noticed.
const GLANCE: Duration = Duration::from_millis(200);

/// What the thread tells.
#[derive(Debug)]
pub enum RegistryNews {
    /// A record.
    Fact(RegistryFact),
    /// Everything that was there was told.
    CaughtUp,
    /// It cannot be read now.
    Away(String),
}

/// The loop's end of the thread.
#[derive(Debug)]
pub struct RegistryFollower {
    news: Receiver<RegistryNews>,
    stop: Arc<AtomicBool>,
}

impl RegistryFollower {
    /// Starts the thread.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start(settings: &config::Kafka, limits: Limits) -> std::io::Result<Self> {
        let (tell, news) = sync_channel(WAITING);
        let stop = Arc::new(AtomicBool::new(false));
        let thread = Thread { settings: settings.clone(), limits, tell, stop: Arc::clone(&stop) };
        std::thread::Builder::new().name("registry".to_owned()).spawn(move || thread.run())?;
        Ok(Self { news, stop })
    }

    /// The next news, if there is any.
    #[must_use]
    pub fn next(&self) -> Option<RegistryNews> {
        self.news.try_recv().ok()
    }

    /// Hands on news until everything that was there is told, or it is certain that it cannot be told now. `Err` says why.
    ///
    /// # Errors
    /// A sentence: why the registry could not be read.
    pub fn catch_up(&self, mut take: impl FnMut(RegistryFact)) -> Result<(), String> {
        let deadline = Instant::now() + READ_TIMEOUT;
        loop {
            match self.news.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(RegistryNews::Fact(fact)) => take(fact),
                Ok(RegistryNews::CaughtUp) => return Ok(()),
                Ok(RegistryNews::Away(reason)) => return Err(reason),
                Err(RecvTimeoutError::Timeout) => return Err("it was not read to its end in time".to_owned()),
                Err(RecvTimeoutError::Disconnected) => return Err("the thread that reads it has ended".to_owned()),
            }
        }
    }
}

impl Drop for RegistryFollower {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

struct Thread {
    settings: config::Kafka,
    limits: Limits,
    tell: SyncSender<RegistryNews>,
    stop: Arc<AtomicBool>,
}

impl Thread {
    fn run(self) {
        while !self.is_stopped() {
            match RegistryReader::connect(&self.settings, self.limits).and_then(|reader| self.follow(reader)) {
                Ok(()) => return,
                Err(error) => {
                    self.tell(RegistryNews::Away(with_causes(&error)));
                    self.pause(AGAIN);
                }
            }
        }
    }

    /// Tells everything that is there and then what comes, until the process ends.
    fn follow(&self, mut reader: RegistryReader) -> Result<(), SourceError> {
        let mut take = |fact| self.tell(RegistryNews::Fact(fact));
        if !reader.read_to_end(&mut take)? {
            tracing::warn!(
                topic = self.settings.registry_topic,
                "the registry was not read to its end in time; it is followed from where it stands"
            );
        }
        self.tell(RegistryNews::CaughtUp);
        let mut looked_at = Instant::now();
        while !self.is_stopped() {
            reader.next(GLANCE, &mut take);
            if looked_at.elapsed() >= NEW_PARTITIONS_EVERY {
                looked_at = Instant::now();
                if let Err(error) = reader.take_new_partitions() {
                    tracing::debug!(%error, "partitions of the registry topic");
                }
            }
        }
        Ok(())
    }

    /// Waits for room: a registry is read as fast as the loop takes it in, and no faster.
    fn tell(&self, news: RegistryNews) {
        let mut waiting = news;
        while !self.is_stopped() {
            match self.tell.try_send(waiting) {
                Ok(()) | Err(TrySendError::Disconnected(_)) => return,
                Err(TrySendError::Full(again)) => {
                    waiting = again;
                    std::thread::sleep(Duration::from_millis(5));
                }
            }
        }
    }

    fn pause(&self, time: Duration) {
        let until = Instant::now() + time;
        while !self.is_stopped() && Instant::now() < until {
            std::thread::sleep(GLANCE);
        }
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}
