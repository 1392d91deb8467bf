//! The sink that produces to a real broker and waits for its confirmation.
//!
//! Idempotent producer, all in-sync replicas: a record is confirmed once, or reported as not confirmed. librdkafka keeps
//! a bounded queue; when it is full, producing waits until the deadline and then reports the rest as not confirmed.
//!
//! No topic is created: a producer's question about one topic may make a broker create it, so the topic is first looked
//! for in the list of all topics.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord, Producer};
use tokio::time::Instant;

use super::{EventSink, OutgoingRecord, SinkError};
use crate::config;
use crate::source::client::{PlainContext, client_with, create};
use crate::source::kafka::SourceError;

/// How long producing waits before it tries a full queue again.
const QUEUE_FULL_PAUSE: Duration = Duration::from_millis(10);

/// Produces events to one topic.
pub struct KafkaSink {
    producer: FutureProducer<PlainContext>,
    topic: String,
    delivery_timeout: Duration,
    topic_seen: AtomicBool,
}

impl KafkaSink {
    /// A producer for the first of the topics. Connects in the background: a broker that is down, or refuses the
    /// sign-in, shows when producing. Each record is confirmed or given up within `delivery_timeout`.
    ///
    /// # Errors
    /// When librdkafka refuses a setting.
    pub fn new(kafka: &config::Kafka, delivery_timeout: Duration) -> Result<Self, SourceError> {
        let usual = [
            ("client.id", "gatetrail-serve"),
            ("compression.type", "zstd"),
            ("linger.ms", "5"),
            ("queue.buffering.max.kbytes", "65536"),
            // The decoder's own limit decides first; this one leaves room for key and headers.
            ("message.max.bytes", "2000000"),
        ];
        let mut client = client_with(kafka, &usual);
        client
            .set("enable.idempotence", "true")
            .set("acks", "all")
            .set("delivery.timeout.ms", delivery_timeout.as_millis().to_string());
        let producer = create(&client, PlainContext::complaining(kafka))?;
        let topic = kafka.first_topic().to_owned();
        Ok(Self { producer, topic, delivery_timeout, topic_seen: AtomicBool::new(false) })
    }

    /// Asks the broker for its topics; for readiness, and before the first record.
    ///
    /// # Errors
    /// When no broker answers within `timeout`, or the topic does not exist.
    pub async fn probe(&self, timeout: Duration) -> Result<String, SinkError> {
        let producer = self.producer.clone();
        // librdkafka's metadata call blocks its thread.
        let asked = tokio::task::spawn_blocking(move || producer.client().fetch_metadata(None, timeout));
        let metadata = match asked.await {
            Ok(answer) => answer.map_err(|error| meaning_of(&error))?,
            Err(_) => return Err(SinkError::Unreachable),
        };
        let found = metadata.topics().iter().find(|found| found.name() == self.topic).ok_or(SinkError::NoTopic)?;
        self.topic_seen.store(true, Ordering::Relaxed);
        Ok(format!("topic {} has {} partitions", self.topic, found.partitions().len()))
    }

    async fn produce_all(&self, records: Vec<OutgoingRecord>) -> Vec<Result<(), SinkError>> {
        if !self.topic_seen.load(Ordering::Relaxed)
            && let Err(error) = self.probe(self.delivery_timeout).await
        {
            return vec![Err(error); records.len()];
        }
        let deadline = Instant::now() + self.delivery_timeout;
        // Handed over one by one, in order, before any is awaited: records of one key keep their order.
        let mut deliveries = Vec::with_capacity(records.len());
        for record in &records {
            deliveries.push(self.enqueue(record, deadline).await);
        }
        let mut confirmations = Vec::with_capacity(records.len());
        for delivery in deliveries {
            confirmations.push(match delivery {
                Ok(confirmation) => confirmation.await,
                Err(error) => Err(error),
            });
        }
        confirmations
    }

    async fn enqueue(
        &self,
        record: &OutgoingRecord,
        deadline: Instant,
    ) -> Result<BoxFuture<'static, Result<(), SinkError>>, SinkError> {
        let mut next = self.kafka_record(record);
        loop {
            match self.producer.send_result(next) {
                Ok(delivery) => {
                    let confirmed = delivery.map(|result| match result {
                        Ok(Ok(_)) => Ok(()),
                        Ok(Err((error, _))) => Err(meaning_of(&error)),
                        Err(_) => Err(SinkError::Unreachable),
                    });
                    return Ok(confirmed.boxed());
                }
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), unsent))
                    if Instant::now() < deadline =>
                {
                    next = unsent;
                    tokio::time::sleep(QUEUE_FULL_PAUSE).await;
                }
                Err((error, _)) => return Err(meaning_of(&error)),
            }
        }
    }

    fn kafka_record<'r>(&'r self, record: &'r OutgoingRecord) -> FutureRecord<'r, str, [u8]> {
        let mut next = FutureRecord::to(&self.topic).payload(&record.candidate.value[..]);
        next = next.timestamp(record.received.0.timestamp_millis());
        if let Some(key) = &record.key {
            next = next.key(key.as_str());
        }
        if record.candidate.headers.is_empty() {
            return next;
        }
        let named = record.candidate.headers.iter().map(|(key, value)| Header { key, value: Some(value) });
        next.headers(named.fold(OwnedHeaders::new(), OwnedHeaders::insert))
    }
}

impl EventSink for KafkaSink {
    fn produce(&self, records: Vec<OutgoingRecord>) -> BoxFuture<'_, Vec<Result<(), SinkError>>> {
        self.produce_all(records).boxed()
    }
}

/// What a fault of librdkafka means to the one who sent the event.
fn meaning_of(error: &KafkaError) -> SinkError {
    match error.rdkafka_error_code() {
        Some(
            RDKafkaErrorCode::UnknownTopic
            | RDKafkaErrorCode::UnknownTopicOrPartition
            | RDKafkaErrorCode::UnknownPartition,
        ) => SinkError::NoTopic,
        Some(RDKafkaErrorCode::MessageSizeTooLarge) => SinkError::TooLarge,
        Some(
            RDKafkaErrorCode::MessageTimedOut
            | RDKafkaErrorCode::OperationTimedOut
            | RDKafkaErrorCode::BrokerTransportFailure
            | RDKafkaErrorCode::AllBrokersDown
            | RDKafkaErrorCode::QueueFull,
        )
        | None => SinkError::Unreachable,
        Some(other) => SinkError::Refused { reason: format!("{other:?}") },
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::body::Bytes;
    use chrono::{DateTime, Utc};
    use rdkafka::ClientConfig;
    use rdkafka::consumer::{BaseConsumer, Consumer};
    use rdkafka::message::{Headers, Message};
    use rdkafka::mocking::MockCluster;

    use super::super::{Candidate, EventSink, OutgoingRecord, SinkError};
    use super::KafkaSink;
    use crate::config::{Config, Layers};
    use crate::event::RecordTime;

    fn record(key: Option<&str>, value: &'static str, headers: &[(&str, &str)]) -> OutgoingRecord {
        let received = "2026-11-22T10:00:00.123Z".parse::<DateTime<Utc>>().unwrap();
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let candidate = Candidate { value: Bytes::from_static(value.as_bytes()), headers };
        OutgoingRecord { key: key.map(str::to_owned), candidate, received: RecordTime(received) }
    }

    fn sink(brokers: &str, topic: &str, delivery_timeout: Duration) -> KafkaSink {
        let flags = [("kafka.brokers", brokers), ("kafka.topic", topic)];
        let flags = flags.map(|(path, text)| (path.to_owned(), text.to_owned())).into();
        let config = Config::load(&Layers { flags, ..Layers::default() }).unwrap();
        KafkaSink::new(&config.kafka, delivery_timeout).unwrap()
    }

    #[tokio::test]
    async fn records_reach_the_broker_with_key_time_and_headers() {
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic("events", 1, 1).unwrap();
        let sink = sink(&cluster.bootstrap_servers(), "events", Duration::from_secs(10));
        assert_eq!(sink.probe(Duration::from_secs(5)).await.unwrap(), "topic events has 1 partitions");
        let records = vec![record(Some("conn-1"), "{\"id\":\"1\"}", &[]), record(None, "{}", &[("ce_id", "2")])];
        assert_eq!(sink.produce(records).await, [Ok(()), Ok(())]);

        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", cluster.bootstrap_servers())
            .set("group.id", "test")
            .set("auto.offset.reset", "earliest")
            .create()
            .unwrap();
        let mut partitions = rdkafka::TopicPartitionList::new();
        partitions.add_partition_offset("events", 0, rdkafka::Offset::Beginning).unwrap();
        consumer.assign(&partitions).unwrap();
        let first = consumer.poll(Duration::from_secs(10)).unwrap().unwrap();
        assert_eq!(first.key(), Some("conn-1".as_bytes()));
        assert_eq!(first.payload(), Some("{\"id\":\"1\"}".as_bytes()));
        assert_eq!(first.timestamp().to_millis(), Some(1_795_341_600_123));
        let second = consumer.poll(Duration::from_secs(10)).unwrap().unwrap();
        assert_eq!(second.key(), None);
        let header = second.headers().unwrap().get(0);
        assert_eq!((header.key, header.value), ("ce_id", Some("2".as_bytes())));
    }

    #[tokio::test]
    async fn a_broker_that_is_not_there_is_unreachable_within_the_timeout() {
        let sink = sink("127.0.0.1:1", "events", Duration::from_secs(1));
        let started = std::time::Instant::now();
        assert_eq!(sink.produce(vec![record(None, "{}", &[])]).await, [Err(SinkError::Unreachable)]);
        assert!(started.elapsed() < Duration::from_secs(8), "took {:?}", started.elapsed());
        assert_eq!(sink.probe(Duration::from_millis(200)).await, Err(SinkError::Unreachable));
    }

    #[tokio::test]
    async fn a_topic_that_does_not_exist_is_named_and_not_created() {
        let cluster = MockCluster::new(1).unwrap();
        let sink = sink(&cluster.bootstrap_servers(), "nowhere", Duration::from_secs(10));
        for _ in 0..2 {
            assert_eq!(sink.produce(vec![record(None, "{}", &[])]).await, [Err(SinkError::NoTopic)]);
        }
    }
}
