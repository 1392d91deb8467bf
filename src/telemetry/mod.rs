//! What the program says about itself: the clock, logs, its own traces, and every metric.
//!
//! [`metrics`] declares every metric once; [`batch_counts`] is what the pipeline fills while it works on a batch and
//! hands over when the batch is stored; [`reconnects`] decides which grants are reconnects. [`logs`] and [`otel`] set
//! up `tracing`, [`scrubbed`] takes secrets out of what is logged.

pub mod batch_counts;
pub mod causes;
pub mod clock;
pub mod labels;
pub mod logs;
pub mod metrics;
pub mod otel;
pub mod reconnects;
pub mod scrubbed;

pub use batch_counts::BatchCounts;
pub use causes::with_causes;
pub use labels::{AskedOutcome, HttpEventOutcome, MemoryKind, Queue, RecordOutcome, Stage, Table};
pub use logs::{LogFormat, Telemetry};
pub use metrics::{Metrics, Role};
pub use reconnects::ReconnectTracker;
