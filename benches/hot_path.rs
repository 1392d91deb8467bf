//! The hot path step by step, on simulated traffic: time and bytes for each event. Run with `make bench`.

#![allow(missing_docs, reason = "criterion's macros make undocumented functions")]
#![expect(clippy::unwrap_used, reason = "a benchmark whose own traffic is refused has nothing to measure")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use gatetrail::classify::Classifier;
use gatetrail::decode::{self, Limits, Payload, registry::decode_registry};
use gatetrail::enrich::{Enricher, registry::Registry};
use gatetrail::event::{Event, KafkaPosition, RecordTime};
use gatetrail::pipeline::{Steps, batch::Batch};
use gatetrail::scrub::{FingerprintKey, Scrubber, scrub_event};
use gatetrail::simulate::{Record, RecordKind, Simulation, SimulationOptions};
use gatetrail::source;
use gatetrail::telemetry::ReconnectTracker;

const EVENTS: u64 = 10_000;
const KEY: &[u8] = b"benchmark";

struct Traffic {
    records: Vec<Vec<u8>>,
    registry: Registry,
    time: RecordTime,
    bytes: u64,
}

fn traffic() -> Traffic {
    let start: DateTime<Utc> = "2026-11-22T10:00:00Z".parse().unwrap();
    let span = Duration::from_secs(3_600);
    let options =
        SimulationOptions { seed: 7, start, span, events: EVENTS, poison_percent: 0.0, hash_key: KEY.to_vec() };
    let mut simulation = Simulation::new(options).unwrap();
    let time = RecordTime(start + span);
    let (mut records, mut registry, mut record) = (Vec::new(), Registry::default(), Record::default());
    while simulation.next_record(&mut record) {
        if record.kind == RecordKind::Registry {
            let payload = Payload { headers: &[], value: Some(&record.value), time };
            registry.apply(decode_registry(&payload, Some(&record.key), &Limits::default()).unwrap());
        } else {
            records.push(record.value.clone());
        }
    }
    let bytes = records.iter().map(|record| record.len() as u64).sum();
    Traffic { records, registry, time, bytes }
}

fn payload(record: &[u8], time: RecordTime) -> Payload<'_> {
    Payload { headers: &[], value: Some(record), time }
}

fn steps(registry: Registry) -> Steps {
    Steps {
        limits: Limits::default(),
        scrubber: Scrubber::new(FingerprintKey::new(KEY)),
        enricher: Enricher { registry, key: FingerprintKey::new(KEY) },
        classifier: Classifier::embedded().unwrap(),
        reconnects: ReconnectTracker::new(100_000),
    }
}

fn ingest_all(steps: &mut Steps, records: &[Vec<u8>], time: RecordTime) -> Batch {
    let topic: Arc<str> = Arc::from("bench");
    let mut batch = Batch::default();
    for (offset, record) in (0_i64..).zip(records) {
        let position = KafkaPosition { topic: Arc::clone(&topic), topic_id: None, partition: 0, offset, index: 0 };
        let record = source::Record { topic: &topic, partition: 0, offset, payload: payload(record, time) };
        steps.ingest(&record, &position, &mut batch).unwrap();
    }
    batch
}

fn hot_path(criterion: &mut Criterion) {
    let Traffic { records, registry, time, bytes } = traffic();
    let mut steps = steps(registry);
    let limits = Limits::default();
    let decoded: Vec<Event<'_>> =
        records.iter().map(|record| decode::decode(&payload(record, time), &limits).unwrap()).collect();

    let mut group = criterion.benchmark_group("10,000 events");
    group.sample_size(20);
    group.throughput(Throughput::Elements(EVENTS));
    group.bench_function("decode", |bencher| {
        bencher
            .iter(|| records.iter().filter(|record| decode::decode(&payload(record, time), &limits).is_ok()).count());
    });
    group.bench_function("scrub", |bencher| {
        let scrub =
            |mut events: Vec<Event<'_>>| events.iter_mut().for_each(|event| scrub_event(&steps.scrubber, event));
        bencher.iter_batched(|| decoded.clone(), scrub, BatchSize::LargeInput);
    });
    group.bench_function("enrich", |bencher| {
        let enrich = |mut events: Vec<Event<'_>>| events.iter_mut().for_each(|event| steps.enricher.enrich(event));
        bencher.iter_batched(|| decoded.clone(), enrich, BatchSize::LargeInput);
    });
    group.bench_function("classify", |bencher| {
        bencher.iter(|| decoded.iter().for_each(|event| drop(black_box(steps.classifier.classify(event)))));
    });
    group.throughput(Throughput::Bytes(bytes));
    group.bench_function("all steps into columns", |bencher| {
        bencher.iter(|| ingest_all(&mut steps, &records, time).rows());
    });
    group.bench_function("encode columns to ArrowStream", |bencher| {
        let topic: Arc<str> = Arc::from("bench");
        bencher.iter_batched(
            || ingest_all(&mut self::steps(Registry::default()), &records, time),
            |mut batch| batch.seal(&topic, 0, "epoch").unwrap(),
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

criterion_group!(benches, hot_path);
criterion_main!(benches);
