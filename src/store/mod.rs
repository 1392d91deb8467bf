//! ClickHouse: what is written, how, and under which schema. The only place that inserts.
//!
//! [`event_rows`] (laid out by [`place`]) and [`dead_letter_rows`] build bodies, [`gap_rows`], [`replay_rows`] and
//! [`reconciliation_rows`] those about ingest itself, [`reclassification_rows`] those about verdicts. [`writer`] sends one once, [`delivery`] sends a plan's until every row is
//! stored exactly once, with [`identities`] to read back and [`missing`] to send the rest; [`fill`] does so for a replay.
//! [`remedy`] says for each error what to do about it. [`migrate`] creates the tables, [`connection`] says what keeps us from
//! working with a server at all.

pub mod body;
pub mod body_buffer;
pub mod client;
pub mod column;
pub mod compression;
pub mod connection;
pub mod dead_letter_rows;
pub mod delivery;
pub mod dictionary;
pub mod engine;
pub mod error;
pub mod event_rows;
pub mod fill;
pub mod gap_rows;
pub mod identities;
pub mod interner;
pub mod json_object;
pub mod migrate;
pub mod missing;
pub mod packed_id;
pub mod place;
pub mod reclassification_rows;
pub mod reconciliation_rows;
pub mod remedy;
pub mod replay_rows;
pub mod span;
pub mod token;
pub mod views;
pub mod writer;

pub use dead_letter_rows::{DeadLetter, Refusal};
pub use error::{Remedy, StoreError};
pub use event_rows::EventRows;
pub use gap_rows::{Gap, GapReason, gap_insert};
pub use identities::{StoredIdentities, stored_identities};
pub use missing::{missing_rows, rows_between};
pub use reclassification_rows::{Reclassification, reclassification_insert};
pub use reconciliation_rows::{Reconciliation, reconciliation_insert};
pub use replay_rows::{ReplayOutcome, Replayed, replay_insert};
pub use span::{Identity, Span};
pub use writer::Insert;
