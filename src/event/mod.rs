//! The vocabulary every step shares: the event, its closed enumerations, and where a record came from.
//!
//! Pure data, no I/O. [`fields`] is the one table of the event's `data` members; the struct [`Event`], the decoder, the
//! scrubber's walk and the store's columns are all generated from it, so that a new field is one line there (plus the
//! schema, an example and a migration, which a test names when they are missing).

pub mod fields;
pub mod kind;
pub mod model;
pub mod offset_runs;
pub mod position;
pub mod vocabulary;

pub use fields::FieldId;
pub use kind::EventKind;
pub use model::{Event, Text};
pub use offset_runs::{OffsetRuns, Run};
pub use position::{KafkaPosition, RecordTime};
pub use vocabulary::{
    CredentialKind, Deployment, Hop, Initiator, Origin, Outcome, Registration, RequestIdTrust, ServerAuth, TokenKind,
    TokenTrigger,
};
