//! The program as users run it: the binary, a real Kafka, a real ClickHouse.
//!
//! `scripts/test` starts both engines and tells their addresses in `GATETRAIL_KAFKA_BROKERS` and
//! `GATETRAIL_CLICKHOUSE_URL`; without them these tests fail with a sentence, they never skip. Each test has a database,
//! topics and a consumer group of its own.

#![cfg(test)]

mod absent;
#[cfg(target_os = "linux")]
mod chaos;
mod clickhouse_facts;
mod columns;
mod enrichment;
mod fault_proxy;
mod faults;
#[path = "../support/grafana_sql.rs"]
mod grafana_sql;
mod ingest;
mod leaks;
mod matrix;
mod membership;
mod plan;
mod reclassify;
mod reconcile;
mod replay;
mod secure;
mod serving;
mod stories;
mod support;
mod wording;
