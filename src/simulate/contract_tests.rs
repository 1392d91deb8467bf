//! The simulated gateways keep to the contract: what they write is what the decoder reads, whole and without a rest.

use std::collections::BTreeSet;
use std::time::Duration;

use super::dice::Dice;
use super::poison::{CODES, malformed};
use super::{Record, RecordKind, Simulation, SimulationOptions};
use crate::decode::registry::decode_registry;
use crate::decode::{Limits, Payload, decode};
use crate::event::RecordTime;

/// What stories say beyond the contract's members.
const ATTRIBUTES: [&str; 8] =
    ["cause", "changed", "is_error", "policy", "ratelimit_remaining", "retry_after", "setting", "state"];

const START: &str = "2026-11-20T08:00:00Z";

fn payload(value: &[u8]) -> Payload<'_> {
    let time = START.parse::<chrono::DateTime<chrono::Utc>>().unwrap() + chrono::TimeDelta::hours(1);
    Payload { headers: &[], value: Some(value), time: RecordTime(time) }
}

#[test]
fn every_record_decodes_without_a_rest() {
    let mut simulation = Simulation::new(SimulationOptions {
        seed: 11,
        start: START.parse().unwrap(),
        span: Duration::from_secs(3600),
        events: 30_000,
        poison_percent: 0.0,
        hash_key: b"a key for tests".to_vec(),
    })
    .unwrap();
    let limits = Limits::default();
    let mut attributes = BTreeSet::new();
    let mut record = Record::default();
    while simulation.next_record(&mut record) {
        let shown = String::from_utf8_lossy(&record.value);
        if record.kind == RecordKind::Registry {
            let fact = decode_registry(&payload(&record.value), Some(&record.key), &limits);
            assert!(fact.is_ok(), "{:?} {shown}", fact.err());
            continue;
        }
        let event = match decode(&payload(&record.value), &limits) {
            Ok(event) => event,
            Err(fault) => panic!("{fault} {shown}"),
        };
        attributes.extend(event.attributes.iter().map(|(name, _)| name.to_string()));
    }
    let known: BTreeSet<String> = ATTRIBUTES.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(attributes, known, "a member that the contract does not know, or an unknown value");
}

#[test]
fn every_malformed_record_is_refused_with_its_code() {
    let mut dice = Dice::new(1);
    for code in CODES {
        // Several times: some codes have several forms.
        for _ in 0..12 {
            let value = malformed(code, "2026-11-20T08:59:00Z", &mut dice);
            let refusal = decode(&payload(&value), &Limits::default()).err().map(|fault| fault.code());
            assert_eq!(refusal, Some(code), "{}", String::from_utf8_lossy(&value[..value.len().min(300)]));
        }
    }
}
