//! Records that never stop coming, and whose place in Kafka is known before they are sent.
//!
//! One idempotent producer writes to every partition, so the k-th record of a partition has offset k; its id says so
//! (`partition-offset`). Every 61st is no event. So ClickHouse alone can tell whether a row is the right one.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Message};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};
use serde_json::json;

use crate::support::now_minus;

/// A record whose offset leaves [`POISON_REST`] when divided by this is no event.
pub const POISON_EVERY: u64 = 61;
pub const POISON_REST: u64 = 17;
/// How often records are sent.
const TICK: Duration = Duration::from_millis(10);
/// How long Kafka may take to confirm what was sent before a pause.
const FLUSH: Duration = Duration::from_secs(90);

/// What producer thread and test share.
#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    /// Whether nothing new is sent for a while.
    resting: AtomicBool,
    /// Odd while paused.
    phase: AtomicU64,
    /// The last phase in which nothing was sent or on its way.
    quiet: AtomicU64,
    partitions: AtomicU64,
    /// By partition: how many records Kafka has confirmed.
    confirmed: Mutex<Vec<u64>>,
    faults: Mutex<Vec<String>>,
}

pub struct Traffic {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Confirmations(Arc<Shared>);

impl ClientContext for Confirmations {}

impl ProducerContext for Confirmations {
    type DeliveryOpaque = Box<u64>;

    fn delivery(&self, result: &DeliveryResult<'_>, expected: Box<u64>) {
        let fault = match result {
            Ok(message) => {
                let partition = usize::try_from(message.partition()).unwrap();
                self.0.confirmed.lock().unwrap()[partition] += 1;
                (message.offset() != i64::try_from(*expected).unwrap())
                    .then(|| format!("kafka put record {partition}-{expected} at offset {}", message.offset()))
            }
            Err((error, message)) => Some(format!("kafka lost record {}-{expected}: {error}", message.partition())),
        };
        self.0.faults.lock().unwrap().extend(fault);
    }
}

impl Traffic {
    /// Starts with `partitions` partitions of `topic` and `rate` records a second.
    pub fn start(brokers: &str, topic: &str, partitions: u64, rate: u64) -> Self {
        let shared = Arc::new(Shared { partitions: AtomicU64::new(partitions), ..Shared::default() });
        shared.confirmed.lock().unwrap().resize(1_000, 0);
        let producer: BaseProducer<Confirmations> = ClientConfig::new()
            .set("bootstrap.servers", brokers)
            .set("enable.idempotence", "true")
            .set("linger.ms", "5")
            .set("reconnect.backoff.max.ms", "500")
            .set("topic.metadata.refresh.interval.ms", "1000")
            .create_with_context(Confirmations(Arc::clone(&shared)))
            .unwrap();
        let (sharing, topic) = (Arc::clone(&shared), topic.to_owned());
        let thread = std::thread::spawn(move || produce(&sharing, &producer, &topic, rate));
        Self { shared, thread: Some(thread) }
    }

    /// Sends to this many partitions from now on.
    pub fn widen(&self, partitions: u64) {
        self.shared.partitions.store(partitions, Ordering::Relaxed);
    }

    /// Sends nothing new while `resting`: progress is committed by itself only where nothing follows for a second.
    pub fn rest(&self, resting: bool) {
        self.shared.resting.store(resting, Ordering::Relaxed);
    }

    /// Stops sending and waits until Kafka has confirmed everything: how many records each partition has.
    pub fn pause(&self) -> Vec<u64> {
        let phase = self.shared.phase.fetch_add(1, Ordering::Relaxed) + 1;
        let start = Instant::now();
        while self.shared.quiet.load(Ordering::Relaxed) != phase {
            assert!(start.elapsed() < FLUSH, "kafka does not confirm what was sent");
            std::thread::sleep(TICK);
        }
        let faults = self.shared.faults.lock().unwrap();
        assert!(faults.is_empty(), "the broker's own faults, not ours: {faults:#?}");
        let partitions = usize::try_from(self.shared.partitions.load(Ordering::Relaxed)).unwrap();
        self.shared.confirmed.lock().unwrap()[..partitions].to_vec()
    }

    pub fn resume(&self) {
        self.shared.phase.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for Traffic {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn produce(shared: &Shared, producer: &BaseProducer<Confirmations>, topic: &str, rate: u64) {
    let mut next = vec![0_u64; 1_000];
    let started = Instant::now();
    let (mut due, mut sent) = (0, 0_u64);
    let mut paused_for = Duration::ZERO;
    while !shared.stop.load(Ordering::Relaxed) {
        producer.poll(TICK);
        let phase = shared.phase.load(Ordering::Relaxed);
        if phase % 2 == 1 {
            let pausing = Instant::now();
            if producer.in_flight_count() == 0 {
                shared.quiet.store(phase, Ordering::Relaxed);
            }
            std::thread::sleep(TICK);
            paused_for += pausing.elapsed();
            continue;
        }
        let elapsed = (started.elapsed().saturating_sub(paused_for)).as_millis();
        due = due.max(u64::try_from(elapsed).unwrap() * rate / 1_000);
        // After a pause of the broker nothing is made up for at once: it would only be a burst of one large batch.
        sent = sent.max(due.saturating_sub(rate));
        while sent < due && !shared.resting.load(Ordering::Relaxed) {
            sent += 1;
            let partition = sent % shared.partitions.load(Ordering::Relaxed);
            let offset = &mut next[usize::try_from(partition).unwrap()];
            let payload = record(partition, *offset);
            let record = BaseRecord::<str, str, Box<u64>>::with_opaque_to(topic, Box::new(*offset))
                .partition(i32::try_from(partition).unwrap())
                .payload(&payload);
            match producer.send(record) {
                Ok(()) => *offset += 1,
                // The queue is full, or the partition too new to be known: the record is sent later.
                Err((
                    KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull | RDKafkaErrorCode::UnknownPartition),
                    _,
                )) => break,
                Err((error, _)) => {
                    shared.faults.lock().unwrap().push(format!("kafka takes no records: {error}"));
                    return;
                }
            }
        }
    }
    // What is on its way is given up: the topic goes away with the engines.
    producer.purge(rdkafka::producer::PurgeConfig::default().queue().inflight());
}

/// The record that belongs at this place.
fn record(partition: u64, offset: u64) -> String {
    if offset % POISON_EVERY == POISON_REST {
        return format!("{{not json {partition}-{offset}");
    }
    // Calls and other steps lie in different parts of the table, so that one insert makes two parts.
    let kind = if offset.is_multiple_of(3) { "mcp.auth.refresh" } else { "mcp.call.completed" };
    json!({
        "specversion": "1.0", "id": format!("{partition}-{offset}"), "source": "//gateway/chaos", "type": kind,
        "time": now_minus(0),
        "data": {
            "hop": "upstream", "outcome": "success", "workspace": "acme", "slug": "wiki",
            "request_id": format!("r-{partition}-{}", offset / 3), "connection_id": format!("c-{}", offset % 97),
            "http": {"status": 200}
        }
    })
    .to_string()
}
