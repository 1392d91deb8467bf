//! The consumer of event topics as a member of its group: settings, callbacks, and rebalances that the pipeline answers.
//!
//! librdkafka would assign and unassign by itself inside of its callback. Here the callback only notes what the group
//! decided; the pipeline acts on it between two polls ([`EventConsumer`]'s `incremental_assign` with explicit offsets, and
//! `incremental_unassign` once a revoked partition's work has stopped). Until then the group waits, for at most
//! `max.poll.interval.ms`. Offsets are committed by `pipeline` only.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use rdkafka::TopicPartitionList;
use rdkafka::client::{ClientContext, OAuthToken};
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, RebalanceProtocol};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::statistics::Statistics;
use rdkafka::types::{RDKafkaErrorCode, RDKafkaRespErr};

use super::client::{client_with, create};
use super::fault::Complaints;
use super::kafka::SourceError;
use super::oauth::Tokens;
use crate::config;
use crate::telemetry::Metrics;

/// The consumer of event topics.
pub type EventConsumer = BaseConsumer<Callbacks>;

/// What the group decided about this member.
#[derive(Debug, Clone)]
pub enum GroupEvent {
    /// These partitions are to be assigned, at offsets of our choice.
    Assigned(TopicPartitionList),
    /// These partitions are to be given back.
    Revoked {
        /// Which.
        partitions: TopicPartitionList,
        /// The group has given them to others already (our session timed out): nothing may be committed for them.
        lost: bool,
    },
}

/// What the client's callbacks saw, for the loop that polls.
#[derive(Debug)]
pub struct Callbacks {
    metrics: Metrics,
    events: Mutex<Vec<GroupEvent>>,
    unreachable: AtomicBool,
    closing: AtomicBool,
    tokens: Tokens,
    complaints: Complaints,
}

impl Callbacks {
    /// The tokens that the consumer signs in with, where it does so with tokens.
    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// What the group decided since the last call, in order.
    pub fn take_events(&self) -> Vec<GroupEvent> {
        self.events.lock().map(|mut events| std::mem::take(&mut *events)).unwrap_or_default()
    }

    /// Whether every broker is away.
    pub fn is_unreachable(&self) -> bool {
        self.unreachable.load(Ordering::Relaxed)
    }

    /// Notes that a broker delivered something.
    pub fn note_reachable(&self) {
        if self.unreachable.swap(false, Ordering::Relaxed) {
            self.complaints.forget();
            tracing::info!("kafka answers again");
        }
    }

    /// From now on partitions are given back at once: nobody polls any more, and the consumer is about to be closed.
    pub fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
    }

    fn note(&self, event: GroupEvent) {
        if let Ok(mut events) = self.events.lock() {
            events.push(event);
        }
    }
}

impl ClientContext for Callbacks {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn generate_oauth_token(&self, _: Option<&str>) -> Result<OAuthToken, Box<dyn std::error::Error>> {
        self.tokens.generate()
    }

    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        // librdkafka repeats itself for as long as a broker is away; `error` below says it once.
        match level {
            RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical => {
                tracing::error!(facility, "{message}")
            }
            _ => tracing::debug!(facility, "{message}"),
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        if self.complaints.hear(&error, reason) {
            return;
        }
        let away = matches!(error.rdkafka_error_code(), Some(RDKafkaErrorCode::AllBrokersDown));
        if away && !self.unreachable.swap(true, Ordering::Relaxed) {
            tracing::warn!("kafka does not answer, waiting for it: {reason}");
        } else {
            tracing::debug!(%error, reason, "kafka");
        }
    }

    fn stats(&self, statistics: Statistics) {
        // A topic in which nothing happens delivers nothing that would tell.
        if statistics.brokers.values().any(|broker| broker.state == "UP") {
            self.note_reachable();
        }
        for (name, topic) in &statistics.topics {
            for (partition, of_partition) in topic.partitions.iter().filter(|(partition, _)| **partition >= 0) {
                if of_partition.consumer_lag >= 0 {
                    self.metrics.set_lag(name, *partition, of_partition.consumer_lag);
                }
            }
        }
    }
}

impl ConsumerContext for Callbacks {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, decision: RDKafkaRespErr, partitions: &mut TopicPartitionList) {
        if self.closing.load(Ordering::Relaxed) {
            if let Err(error) = give_back(consumer, partitions) {
                tracing::debug!(%error, "giving partitions back at the end");
            }
            return;
        }
        let partitions = partitions.clone();
        self.note(match decision {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => GroupEvent::Assigned(partitions),
            _ => GroupEvent::Revoked { partitions, lost: consumer.assignment_lost() },
        });
    }
}

/// Takes over the partitions at the offsets that stand in the list, by the protocol of the group.
///
/// # Errors
/// When the assignment is not the one that the group waits for.
pub fn take_over(consumer: &EventConsumer, partitions: &TopicPartitionList) -> KafkaResult<()> {
    match consumer.rebalance_protocol() {
        RebalanceProtocol::Eager => consumer.assign(partitions),
        RebalanceProtocol::Cooperative | RebalanceProtocol::None => consumer.incremental_assign(partitions),
    }
}

/// Gives the partitions back, by the protocol of the group.
///
/// # Errors
/// When the group does not wait for it.
pub fn give_back(consumer: &EventConsumer, partitions: &TopicPartitionList) -> KafkaResult<()> {
    match consumer.rebalance_protocol() {
        RebalanceProtocol::Eager => consumer.unassign(),
        RebalanceProtocol::Cooperative | RebalanceProtocol::None => consumer.incremental_unassign(partitions),
    }
}

/// Makes the consumer and subscribes to every topic; it connects while it is polled. `budget_bytes` is what all of ingest
/// may hold, a quarter of which is for records that librdkafka has fetched ahead.
///
/// # Errors
/// [`SourceError::Setup`].
pub fn subscribe(
    settings: &config::Kafka,
    budget_bytes: usize,
    metrics: Metrics,
) -> Result<EventConsumer, SourceError> {
    let callbacks = Callbacks {
        metrics,
        events: Mutex::default(),
        unreachable: AtomicBool::new(false),
        closing: AtomicBool::new(false),
        tokens: Tokens::of(settings),
        complaints: Complaints::of(settings),
    };
    let usual = [
        ("session.timeout.ms", "6000"),
        ("heartbeat.interval.ms", "1500"),
        ("socket.timeout.ms", "10000"),
        // librdkafka's 10 s and 5 min are long waits for a broker that is back and for partitions that were added.
        ("reconnect.backoff.max.ms", "2000"),
        ("topic.metadata.refresh.interval.ms", "30000"),
        // The default, a second, is longer than it takes to use up the queue.
        ("fetch.queue.backoff.ms", "20"),
        ("fetch.wait.max.ms", "100"),
    ];
    let mut client = client_with(settings, &usual);
    client
        .set("group.id", &settings.group)
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        // Every start is given explicitly. Should a position fall out of the log while it is read, the jump is noticed by
        // the first record's offset and becomes a gap.
        .set("auto.offset.reset", "earliest")
        .set("partition.assignment.strategy", "cooperative-sticky")
        .set("statistics.interval.ms", "5000")
        .set("queued.max.messages.kbytes", (budget_bytes / 4 / 1_024).max(1_024).to_string());
    if let Some(instance) = &settings.group_instance_id {
        client.set("group.instance.id", instance);
    }
    let consumer: EventConsumer = create(&client, callbacks)?;
    let topics: Vec<&str> = settings.topics.iter().map(String::as_str).collect();
    consumer.subscribe(&topics).map_err(SourceError::Setup)?;
    Ok(consumer)
}
