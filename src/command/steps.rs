//! The steps as the configuration says: the same for whoever puts records through them.

use tracing::warn;

use super::{classifier, decode_limits};
use crate::config::Config;
use crate::decode::Limits;
use crate::enrich::{Enricher, memory::Memory, registry::Registry};
use crate::pipeline::Steps;
use crate::scrub::{FingerprintKey, Scrubber};
use crate::source::registry::{RegistryFact, RegistryReader};
use crate::telemetry::ReconnectTracker;

/// Connections whose grants are remembered for counting reconnects.
const RECONNECT_MEMORY: usize = 100_000;

/// The steps, enriching from this registry.
///
/// # Errors
/// When the rules file cannot be read or has faults.
pub fn steps(config: &Config, registry: Registry) -> anyhow::Result<Steps> {
    Ok(Steps {
        limits: decode_limits(config),
        scrubber: Scrubber::new(FingerprintKey::new(config.scrub_key().as_bytes())).with_emails(config.emails),
        memory: Memory::default(),
        enricher: Enricher { registry, key: FingerprintKey::new(config.scrub_key().as_bytes()) },
        classifier: classifier(config)?,
        reconnects: ReconnectTracker::new(RECONNECT_MEMORY),
    })
}

/// The registry as it is now; empty, with a warning, when it cannot be read. Blocks.
#[must_use]
pub fn registry_now(config: &Config, limits: Limits) -> Registry {
    let mut registry = Registry::default();
    let mut take = |fact| {
        if let RegistryFact::Known(record) = fact {
            registry.apply(record);
        }
    };
    let read = RegistryReader::connect(&config.kafka, limits).and_then(|mut reader| reader.read_to_end(&mut take));
    match read {
        Ok(true) => {}
        Ok(false) => warn!("the registry was not read to its end in time; events are enriched with what was read"),
        Err(error) => warn!("events are enriched without the registry: {error}"),
    }
    registry
}
