//! Stand-in.
use super::error::StoreError;
pub use super::span::Span;
use super::writer::{self, Insert};

/// Mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryMode {
    /// .
    First,
    /// .
    Replay,
    /// .
    Remainder,
}
/// Delivered.
#[derive(Debug, Default)]
pub struct Delivered {
    /// .
    pub asked_to_slow_down: bool,
}
/// Events.
#[derive(Debug)]
pub enum DeliveryEvent<'e> {
    /// .
    Failed {
        /// .
        table: &'static str,
        /// .
        error: &'e StoreError,
        /// .
        attempt: u32,
    },
    /// .
    Confirmed {
        /// .
        table: &'static str,
        /// .
        repaired: bool,
    },
    /// .
    Repaired {
        /// .
        table: &'static str,
        /// .
        rows: usize,
    },
}
/// Deliver.
/// # Errors
/// None.
pub async fn deliver(
    client: &clickhouse::Client,
    _span: &Span,
    inserts: &[Insert],
    _mode: DeliveryMode,
    heard: &mut (dyn FnMut(&DeliveryEvent<'_>) + Send),
) -> Result<Delivered, StoreError> {
    for insert in inserts {
        let table = insert.table;
        writer::insert(client, insert, &mut |error, attempt| heard(&DeliveryEvent::Failed { table, error, attempt }))
            .await?;
        heard(&DeliveryEvent::Confirmed { table, repaired: false });
    }
    Ok(Delivered::default())
}
