//! ClickHouse: what is written, how, and under which schema. The only place that inserts.
//!
//! [`event_rows`] (laid out by [`place`]), [`dead_letter_rows`] and [`gap_rows`] build bodies, [`writer`] sends them, [`migrate`] creates the tables,
//! [`error`] says for each failure whether waiting helps.

pub mod body;
pub mod client;
pub mod column;
pub mod compression;
pub mod dead_letter_rows;
pub mod delivery;
pub mod dictionary;
pub mod engine;
pub mod error;
pub mod event_rows;
pub mod gap_rows;
pub mod identities;
pub mod interner;
pub mod json_object;
pub mod migrate;
pub mod missing;
pub mod packed_id;
pub mod place;
pub mod span;
pub mod token;
pub mod writer;

pub use dead_letter_rows::{DeadLetter, Refusal};
pub use error::{Remedy, StoreError};
pub use event_rows::EventRows;
pub use gap_rows::{Gap, GapReason, gap_insert};
pub use identities::{StoredIdentities, stored_identities};
pub use missing::{missing_rows, rows_between};
pub use span::{Identity, Span};
pub use writer::Insert;
