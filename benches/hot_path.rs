//! The hot path step by step, on the simulator's stream: CPU time and bytes for each event. Run with `make bench`.
//!
//! One iteration is one event, so criterion's time reads as the cost of an event and its throughput as MB/s of records.
//! Time is what the kernel counted for this thread, so that busy neighbours do not count. A step is given events that
//! the steps before it have left, in portions; making and dropping these is not measured, except that `decode` drops what it
//! made. Whatever a step remembers stays warm from portion to portion, as it does in a consumer.

#![allow(missing_docs, reason = "criterion's macros make undocumented functions")]
#![expect(clippy::unwrap_used, reason = "a benchmark whose own traffic is refused has nothing to measure")]

use std::borrow::Cow;
use std::cell::RefCell;
use std::hint::black_box;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use gatetrail::classify::Classifier;
use gatetrail::decode::{self, Limits, Payload, registry::decode_registry};
use gatetrail::enrich::{Enricher, memory::Memory, registry::Registry};
use gatetrail::event::{Event, KafkaPosition, Outcome, RecordTime};
use gatetrail::pipeline::{Steps, batch::Batch};
use gatetrail::scrub::{FingerprintKey, Scrubber, scrub_event};
use gatetrail::simulate::{Record, RecordKind, Simulation, SimulationOptions};
use gatetrail::source;
use gatetrail::telemetry::{BatchCounts, ReconnectTracker};

/// Enough that ids are new most of the time and the processor's caches do not hold the stream.
const EVENTS: u64 = 50_000;
/// Events that are made ready at a time, and rows of a batch.
const PORTION: usize = 5_000;
const KEY: &[u8] = b"benchmark";

struct Traffic {
    records: Vec<Vec<u8>>,
    registry: Registry,
    time: RecordTime,
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
    Traffic { records, registry, time }
}

fn payload(record: &[u8], time: RecordTime) -> Payload<'_> {
    Payload { headers: &[], value: Some(record), time }
}

fn decoded_one(record: &[u8], time: RecordTime) -> Event<'_> {
    decode::decode(&payload(record, time), &Limits::default()).unwrap()
}

fn steps(registry: Registry) -> Steps {
    Steps {
        limits: Limits::default(),
        scrubber: Scrubber::new(FingerprintKey::new(KEY)),
        memory: Memory::default(),
        enricher: Enricher { registry, key: FingerprintKey::new(KEY) },
        classifier: Classifier::embedded().unwrap(),
        reconnects: ReconnectTracker::new(100_000),
    }
}

/// Nanoseconds that this thread has run so far, by the kernel's count, which yielding brings up to date; `None` where
/// there is no such count.
fn thread_nanoseconds() -> Option<u64> {
    std::thread::yield_now();
    let line = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

/// What `work` costs: CPU time of this thread, wall time where that is not known.
fn cost_of(work: impl FnOnce()) -> Duration {
    let (clock, before) = (Instant::now(), thread_nanoseconds());
    work();
    match (before, thread_nanoseconds()) {
        (Some(before), Some(after)) => Duration::from_nanos(after - before),
        _ => clock.elapsed(),
    }
}

fn fails_with_words(event: &Event<'_>) -> bool {
    event.outcome == Some(Outcome::Failure) && event.message.is_some()
}

fn succeeds(event: &Event<'_>) -> bool {
    event.outcome == Some(Outcome::Success)
}

type Group<'c> = BenchmarkGroup<'c, WallTime>;

/// Measures `work` on portions of events that `ready` makes of the records in a range.
fn measure<P>(group: &mut Group<'_>, name: &str, ready: impl Fn(Range<usize>) -> P, mut work: impl FnMut(&mut P)) {
    let records = usize::try_from(EVENTS).unwrap();
    group.bench_function(name, |bencher| {
        bencher.iter_custom(|events| {
            let (mut spent, mut left, mut from) = (Duration::ZERO, usize::try_from(events).unwrap(), 0);
            while left > 0 {
                let count = left.min(PORTION);
                let mut portion = ready(from..from + count);
                spent += cost_of(|| work(&mut portion));
                left -= count;
                from = (from + PORTION) % records;
            }
            spent
        });
    });
}

fn ingest(steps: &mut Steps, batch: &mut Batch, records: &[Vec<u8>], time: RecordTime) {
    let topic: Arc<str> = Arc::from("bench");
    for (offset, record) in (0_i64..).zip(records) {
        let position = KafkaPosition { topic: Arc::clone(&topic), topic_id: None, partition: 0, offset, index: 0 };
        let record = source::Record { topic: &topic, partition: 0, offset, payload: payload(record, time) };
        steps.ingest(&record, &position, batch).unwrap();
    }
}

fn hot_path(criterion: &mut Criterion) {
    let Traffic { records, registry, time } = traffic();
    let Steps { limits, scrubber, enricher, memory, classifier, mut reconnects } = steps(registry);
    let memory = RefCell::new(memory);
    let received = |range: Range<usize>| &records[range];
    let decoded =
        |range: Range<usize>| records[range].iter().map(|record| decoded_one(record, time)).collect::<Vec<Event<'_>>>();
    let scrubbed = |range: Range<usize>| {
        let mut events = decoded(range);
        events.iter_mut().for_each(|event| scrub_event(&scrubber, event));
        events
    };
    let enriched = |range: Range<usize>| {
        let mut events = scrubbed(range);
        events.iter_mut().for_each(|event| enricher.enrich(&mut memory.borrow_mut(), event));
        events
    };
    let mut group = criterion.benchmark_group("an event");
    group.sample_size(20);
    group.throughput(Throughput::BytesDecimal(records.iter().map(|record| record.len() as u64).sum::<u64>() / EVENTS));
    measure(&mut group, "decode", received, |records| {
        records.iter().for_each(|record| drop(black_box(decoded_one(record, time))));
    });
    measure(&mut group, "scrub", decoded, |events| {
        events.iter_mut().for_each(|event| scrub_event(&scrubber, event));
    });
    measure(&mut group, "enrich", scrubbed, |events| {
        events.iter_mut().for_each(|event| enricher.enrich(&mut memory.borrow_mut(), event));
    });
    measure(&mut group, "classify", enriched, |events| {
        events.iter().for_each(|event| drop(black_box(classifier.classify(event))));
    });
    // What a text costs, apart from everything else an event brings: the same failures with their words and without.
    let failures: Vec<&Vec<u8>> =
        records.iter().filter(|record| fails_with_words(&decoded_one(record, time))).collect();
    let failed = |range: Range<usize>, said: fn(usize, &str) -> Option<String>| {
        let of_range = range.map(|number| (number, failures[number % failures.len()]));
        let events = of_range.map(|(number, record)| {
            let mut event = decoded_one(record, time);
            let said = said(number, event.message.as_deref().unwrap_or_default());
            event.message = said.map(Cow::Owned);
            event
        });
        events.collect::<Vec<Event<'_>>>()
    };
    let classified = |events: &mut Vec<Event<'_>>| {
        events.iter().for_each(|event| drop(black_box(classifier.classify(event))));
    };
    measure(&mut group, "classify a failure without words", |range| failed(range, |_, _| None), classified);
    let words_again = |range| failed(range, |_, words| Some(words.to_owned()));
    measure(&mut group, "classify a failure with words said before", words_again, classified);
    let new_words = |range| failed(range, |number, words| Some(format!("{words} ({number})")));
    measure(&mut group, "classify a failure with new words", new_words, classified);
    let successes: Vec<&Vec<u8>> = records.iter().filter(|record| succeeds(&decoded_one(record, time))).collect();
    let succeeded = |range: Range<usize>| {
        range.map(|number| decoded_one(successes[number % successes.len()], time)).collect::<Vec<Event<'_>>>()
    };
    measure(&mut group, "classify a success", succeeded, classified);
    measure(&mut group, "these four, and counting", received, |records| {
        let mut counts = BatchCounts::default();
        for record in *records {
            let mut event = decoded_one(record, time);
            scrub_event(&scrubber, &mut event);
            enricher.enrich(&mut memory.borrow_mut(), &mut event);
            counts.event(&event, &classifier.classify(&event), &mut reconnects);
        }
    });
    let steps = RefCell::new(Steps { limits, scrubber, enricher, memory: memory.into_inner(), classifier, reconnects });
    let columns = |range: Range<usize>| {
        let mut batch = Batch::default();
        ingest(&mut steps.borrow_mut(), &mut batch, &records[range], time);
        batch
    };
    let encode = |batch: &mut Batch| drop(black_box(batch.events.finish().unwrap()));
    measure(&mut group, "all steps into columns", |range| range, |range| drop(black_box(columns(range.clone()))));
    measure(&mut group, "encode", columns, encode);
    measure(&mut group, "the whole hot path", |range| range, |range| encode(&mut columns(range.clone())));
    group.finish();
}

criterion_group!(benches, hot_path);
criterion_main!(benches);
