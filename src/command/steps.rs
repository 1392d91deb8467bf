//! The steps as the configuration says: the same for whoever puts records through them.

use tracing::warn;

use super::{classifier, decode_limits};
use crate::config::Config;
use crate::decode::Limits;
use crate::enrich::{Enricher, registry::Registry};
use crate::pipeline::Steps;
use crate::scrub::{FingerprintKey, Scrubber};
use crate::source::registry::RegistryFollower;
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
        enricher: Enricher { registry, key: FingerprintKey::new(config.scrub_key().as_bytes()) },
        classifier: classifier(config)?,
        reconnects: ReconnectTracker::new(RECONNECT_MEMORY),
    })
}

/// The registry as it is now; empty, with a warning, when it cannot be read. Blocks.
#[must_use]
pub fn registry_now(config: &Config, limits: Limits) -> Registry {
    let mut registry = Registry::default();
    if let Err(error) = RegistryFollower::start(&config.kafka, limits, &mut registry) {
        warn!("events are enriched without the registry: {error}");
    }
    registry
}
