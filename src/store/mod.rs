//! ClickHouse: what is written, how, and under which schema. The only place that inserts.
//!
//! [`event_rows`] and [`dead_letter_rows`] build bodies, [`writer`] sends them, [`migrate`] creates the tables,
//! [`error`] says for each failure whether waiting helps, [`connection`] what keeps us from working with a server at all.

pub mod client;
pub mod column;
pub mod connection;
pub mod dead_letter_rows;
pub mod engine;
pub mod error;
pub mod event_rows;
pub mod migrate;
pub mod writer;

pub use dead_letter_rows::{DeadLetter, Refusal};
pub use error::{Remedy, StoreError};
pub use event_rows::EventRows;
pub use writer::Insert;
