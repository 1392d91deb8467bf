//! Waiting at the start until Kafka and ClickHouse are there: one line when it begins, one when it is over, and readiness
//! that names the part. What waiting cannot mend (tables or topics that nobody made) ends it with a sentence.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rdkafka::consumer::Consumer;
use tracing::{info, warn};

use crate::config::Config;
use crate::pipeline::health::{Health, Part};
use crate::source::client::sign_in;
use crate::source::group::EventConsumer;
use crate::source::kafka::SourceError;
use crate::source::probe::probe;
use crate::source::topic::required_partitions;
use crate::store::migrate::verify;
use crate::store::{self, StoreError};
use crate::telemetry::with_causes;

/// How long one look may take.
const LOOK: Duration = Duration::from_secs(5);
/// How long to wait between two looks.
const PAUSE: Duration = Duration::from_secs(1);
/// How often the stop signal is looked at meanwhile.
const GLANCE: Duration = Duration::from_millis(100);

/// Waits until the tables can be used. `false` when the process was asked to stop first.
///
/// # Errors
/// [`StoreError::Schema`]: the tables are not those of this binary.
pub async fn await_store(
    store: &clickhouse::Client,
    config: &Config,
    health: &Health,
    stop: &AtomicBool,
) -> Result<bool, StoreError> {
    let mut said = None;
    loop {
        // The probe knows best what is wrong with a connection.
        let looked = match store::client::probe(&config.clickhouse).await {
            Ok(_) => verify(store, &config.clickhouse.database).await,
            Err(error) => Err(error),
        };
        match looked {
            Ok(()) => break,
            Err(error @ StoreError::Schema(_)) => return Err(error),
            Err(error) => {
                let cause = with_causes(&error);
                health.fail(Part::ClickHouse, format!("waiting for it: {cause}"));
                // Said anew when something else is wrong.
                if said.replace(error.code()) != Some(error.code()) {
                    warn!(url = config.clickhouse.url, "waiting for clickhouse: {cause}");
                }
            }
        }
        if stopped_during_pause(stop).await {
            return Ok(false);
        }
    }
    if health.recover(Part::ClickHouse) {
        info!("clickhouse answers");
    }
    Ok(true)
}

/// Waits until every topic can be read. `false` when the process was asked to stop first.
///
/// # Errors
/// [`SourceError::MissingTopic`], [`SourceError::Setup`].
pub async fn await_topics(
    consumer: &Arc<EventConsumer>,
    config: &Config,
    health: &Health,
    stop: &AtomicBool,
) -> Result<bool, SourceError> {
    let mut said = None;
    for topic in &config.kafka.topics {
        loop {
            // The probe knows best what is wrong; the consumer itself has no token before it is polled.
            let look = || {
                probe(&config.kafka)?;
                sign_in(consumer.client(), consumer.context().tokens())?;
                required_partitions(consumer.client(), &config.kafka.brokers, topic, LOOK)
            };
            match tokio::task::block_in_place(look) {
                Ok(_) => break,
                Err(error @ (SourceError::MissingTopic { .. } | SourceError::Setup(_) | SourceError::Files(_))) => {
                    return Err(error);
                }
                Err(error) => {
                    let cause = with_causes(&error);
                    health.fail(Part::Kafka, format!("waiting for it: {cause}"));
                    if said.replace(error.code()) != Some(error.code()) {
                        warn!("waiting for kafka: {cause}");
                    }
                }
            }
            if stopped_during_pause(stop).await {
                return Ok(false);
            }
        }
    }
    if health.recover(Part::Kafka) {
        info!("kafka answers");
    }
    Ok(true)
}

async fn stopped_during_pause(stop: &AtomicBool) -> bool {
    let glances = PAUSE.as_millis() / GLANCE.as_millis();
    for _ in 0..glances {
        if stop.load(Ordering::Relaxed) {
            return true;
        }
        tokio::time::sleep(GLANCE).await;
    }
    stop.load(Ordering::Relaxed)
}
