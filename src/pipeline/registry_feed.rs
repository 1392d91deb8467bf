//! Brings what the registry topic tells into the registry that enrichment asks, between two turns of the loop.
//!
//! A record that cannot be read is counted by its code and logged with its place; what it says is kept nowhere.

use std::sync::Arc;

use super::health::{Health, Part};
use crate::enrich::registry::Registry;
use crate::source::registry::{RefusedRecord, RegistryFact};
use crate::source::registry_follower::{RegistryFollower, RegistryNews};
use crate::telemetry::Metrics;

/// Most facts that are taken in at a time, so that a registry that changes as a whole does not hold up the records.
const AT_A_TIME: usize = 2_000;
/// The code of a record for which there was no room.
const NO_ROOM: &str = "registry_full";

/// The registry's way into the loop.
#[derive(Debug)]
pub struct RegistryFeed {
    follower: RegistryFollower,
    metrics: Metrics,
    health: Arc<Health>,
    /// Records for which there was no room, as last seen.
    left_out: u64,
}

impl RegistryFeed {
    /// Takes in everything that is there now; blocks for as long as that takes, within bounds. A registry that cannot be
    /// read is followed later.
    #[must_use]
    pub fn begin(follower: RegistryFollower, metrics: Metrics, health: Arc<Health>, registry: &mut Registry) -> Self {
        let mut feed = Self { follower, metrics, health, left_out: 0 };
        let (metrics, left_out) = (&feed.metrics, &mut feed.left_out);
        let caught_up = feed.follower.catch_up(|fact| take(fact, registry, metrics, left_out));
        match caught_up {
            Ok(()) => {
                let (servers, keys, _) = registry.counts();
                tracing::info!(servers, keys, "registry read");
            }
            Err(reason) => feed.away(&reason),
        }
        feed.report(registry);
        feed
    }

    /// Takes in what has come since, without waiting.
    pub fn follow(&mut self, registry: &mut Registry) {
        for taken in 0..AT_A_TIME {
            match self.follower.next() {
                Some(RegistryNews::Fact(fact)) => take(fact, registry, &self.metrics, &mut self.left_out),
                Some(RegistryNews::CaughtUp) => {
                    if self.health.recover(Part::Registry) {
                        let (servers, keys, _) = registry.counts();
                        tracing::info!(servers, keys, "the registry can be read again");
                    }
                }
                Some(RegistryNews::Away(reason)) => self.away(&reason),
                None if taken == 0 => return,
                None => break,
            }
        }
        self.report(registry);
    }

    fn report(&self, registry: &Registry) {
        let (servers, keys, _) = registry.counts();
        self.metrics.set_registry(servers, keys);
    }

    fn away(&self, reason: &str) {
        if self.health.fail(Part::Registry, format!("is not read: {reason}")) {
            tracing::warn!("events are enriched without the registry until it can be read: {reason}");
        }
    }
}

fn take(fact: RegistryFact, registry: &mut Registry, metrics: &Metrics, left_out: &mut u64) {
    match fact {
        RegistryFact::Known(record) => {
            registry.apply(record);
            let (_, _, now_left_out) = registry.counts();
            if now_left_out > *left_out {
                if *left_out == 0 {
                    tracing::error!("the registry holds more than fits; what comes beyond that is left out");
                }
                *left_out = now_left_out;
                metrics.count_refused_registry_record(NO_ROOM);
            }
        }
        RegistryFact::Refused(RefusedRecord { partition, offset, code, detail }) => {
            metrics.count_refused_registry_record(code);
            tracing::warn!(code, partition, offset, "registry record left out: {detail}");
        }
    }
}
