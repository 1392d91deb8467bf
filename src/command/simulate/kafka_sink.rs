//! Records to Kafka: acknowledged by all replicas, each once; a record that is not delivered is an error.
//!
//! The record's timestamp is the broker's or the producer's present: the event's own time is in its value.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::Context;
use rdkafka::client::{ClientContext, OAuthToken};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};

use crate::config;
use crate::simulate::{Record, RecordKind};
use crate::source::client::{client_with, create, sign_in};
use crate::source::kafka::REQUEST_TIMEOUT;
use crate::source::oauth::Tokens;
use crate::source::probe::probe;
use crate::source::topic::required_partitions;

/// How long the last records may take: longer than any single one.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(330);
/// How long to wait for room in the queue before looking again.
const FULL_QUEUE_WAIT: Duration = Duration::from_millis(20);
/// Delivery reports are taken each so many records.
const POLL_EVERY: u32 = 512;

/// Sends records.
pub struct KafkaSink {
    producer: BaseProducer<Deliveries>,
    topic: String,
    registry_topic: String,
    since_poll: u32,
}

/// Remembers the first delivery that failed, and how many did.
struct Deliveries {
    failed: Mutex<Option<(KafkaError, u64)>>,
    tokens: Tokens,
}

impl ClientContext for Deliveries {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn generate_oauth_token(&self, _: Option<&str>) -> Result<OAuthToken, Box<dyn std::error::Error>> {
        self.tokens.generate()
    }
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, _opaque: ()) {
        let Err((error, _)) = result else {
            return;
        };
        let mut failed = self.failed.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match failed.as_mut() {
            Some((_, count)) => *count += 1,
            None => *failed = Some((error.clone(), 1)),
        }
    }
}

impl Deliveries {
    fn check(&self) -> anyhow::Result<()> {
        let failed = self.failed.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match failed.as_ref() {
            None => Ok(()),
            Some((error, count)) => {
                let message = format!("{count} records were not delivered; the first of them");
                Err(anyhow::Error::new(error.clone()).context(message))
            }
        }
    }
}

impl KafkaSink {
    /// Connects and makes sure that both topics exist.
    ///
    /// # Errors
    /// No broker answers or lets us in, or a topic is missing.
    pub fn connect(kafka: &config::Kafka) -> anyhow::Result<Self> {
        probe(kafka)?;
        let usual = [
            ("client.id", "gatetrail-simulate"),
            ("compression.type", "lz4"),
            ("linger.ms", "50"),
            ("queue.buffering.max.messages", "200000"),
            // Oversized malformed records must reach the consumer; compressed they are small.
            ("message.max.bytes", "8000000"),
            ("reconnect.backoff.max.ms", "2000"),
        ];
        let mut client = client_with(kafka, &usual);
        // A broker that is restarted, even twice in a row, costs time and no record.
        client.set("acks", "all").set("enable.idempotence", "true").set("delivery.timeout.ms", "300000");
        let deliveries = Deliveries { failed: Mutex::default(), tokens: Tokens::of(kafka) };
        let producer: BaseProducer<Deliveries> = create(&client, deliveries)?;
        sign_in(producer.client(), &producer.context().tokens)?;
        let (topic, registry_topic) = (kafka.first_topic().to_owned(), kafka.registry_topic.clone());
        for name in [&topic, &registry_topic] {
            required_partitions(producer.client(), &kafka.brokers, name, REQUEST_TIMEOUT)?;
        }
        Ok(Self { producer, topic, registry_topic, since_poll: 0 })
    }

    /// Queues a record; waits while the queue is full.
    ///
    /// # Errors
    /// The record cannot be queued, or an earlier one was not delivered.
    pub fn send(&mut self, record: &Record) -> anyhow::Result<()> {
        let topic = match record.kind {
            RecordKind::Registry => &self.registry_topic,
            RecordKind::Event | RecordKind::Poison => &self.topic,
        };
        let mut message = BaseRecord::<[u8], [u8]>::to(topic).payload(&record.value);
        if !record.key.is_empty() {
            message = message.key(&record.key);
        }
        loop {
            match self.producer.send(message) {
                Ok(()) => break,
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), unsent)) => {
                    self.producer.poll(FULL_QUEUE_WAIT);
                    self.producer.context().check()?;
                    message = unsent;
                }
                Err((error, _)) => {
                    return Err(error).with_context(|| format!("a record cannot be sent to {topic}"));
                }
            }
        }
        self.since_poll += 1;
        if self.since_poll == POLL_EVERY {
            self.since_poll = 0;
            self.producer.poll(Duration::ZERO);
            self.producer.context().check()?;
        }
        Ok(())
    }

    /// Lets time pass while deliveries go on.
    pub fn wait(&mut self, wait: Duration) {
        let until = Instant::now() + wait;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            self.producer.poll(left);
        }
    }

    /// Waits until everything is delivered.
    ///
    /// # Errors
    /// Something was not.
    pub fn finish(self) -> anyhow::Result<()> {
        let flushed = self.producer.flush(FLUSH_TIMEOUT);
        self.producer.context().check()?;
        let left = self.producer.in_flight_count();
        flushed.with_context(|| format!("{left} records were not delivered within {} s", FLUSH_TIMEOUT.as_secs()))
    }
}
