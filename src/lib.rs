//! gatetrail: tells, from one `request_id`, why a request through an MCP gateway failed to authenticate.
//!
//! The modules in the order in which data passes through them:
//!
//! 1. [`source`]: bytes with their topic, partition, offset and headers.
//! 2. [`decode`]: bytes → [`event::Event`], or a refusal with a stable code.
//! 3. [`scrub`]: secrets out of every string of the event.
//! 4. [`enrich`]: fills what can be known (slug, workspace, ids) and records where each value came from.
//! 5. [`classify`]: which failure it is, on which hop, who has to act, by which rule.
//! 6. [`store`]: one columnar batch per Kafka range into ClickHouse; migrations.
//! 7. [`query`]: one function per question; the verdict over a joined timeline.
//! 8. [`api`]: HTTP routes and pages over [`query`]; HTTP ingest.
//!
//! [`pipeline`] wires steps 1 to 6 and is the file to read first. [`command`] holds one composition root per
//! subcommand, [`config`] the settings, [`telemetry`] logs and metrics, [`tls`] certificates, [`simulate`] gateways that tell whole stories.
//! Dependencies point one way: `event` ← `decode, scrub, enrich, classify` ← `pipeline` → `source, store`;
//! `query` → `event, store`; `api`, `command` → `query`.

pub mod api;
pub mod classify;
pub mod command;
pub mod config;
pub mod decode;
pub mod enrich;
pub mod event;
pub mod pipeline;
pub mod query;
pub mod scrub;
pub mod simulate;
pub mod source;
pub mod store;
pub mod telemetry;
pub mod tls;
