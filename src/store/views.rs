//! Fills the materialised views on `events` again for a range of one partition, from the rows that are stored.
//!
//! Safe to do at any time, because a view's table holds nothing but aggregates to which the same row can be added again
//! (min, max, any, uniq). What a view selects is asked of ClickHouse, so it stands in the migrations alone.

use clickhouse::Client;
use uuid::Uuid;

use super::body::TimeBounds;
use super::error::StoreError;
use super::span::Span;
use super::writer::SETTINGS;

/// Inserts into every view's table what the view selects of the range.
///
/// # Errors
/// [`StoreError`] when ClickHouse does not answer or refuses.
pub async fn restore_views(client: &Client, span: &Span, event_times: TimeBounds) -> Result<(), StoreError> {
    if event_times == TimeBounds::NONE {
        return Ok(());
    }
    let database: String = client.query("SELECT currentDatabase()").fetch_one().await.map_err(StoreError::of)?;
    let views: Vec<(String, String, String, String)> = client
        .query_raw(include_str!("sql/views_of_events.sql"))
        .with_setting("log_comment", "views_of_events")
        .fetch_all()
        .await
        .map_err(StoreError::of)?;
    for (_, selects, target, target_columns) in views {
        let statement = format!("INSERT INTO {target} ({target_columns}) {selects}");
        let mut query = client.query_raw(&statement);
        for (name, value) in SETTINGS {
            query = query.with_setting(*name, *value);
        }
        query
            .with_setting("log_comment", "restore_views")
            .with_setting("additional_table_filters", only_range(&database, span, event_times))
            // Of its own, since without one the same content is dropped, which may be what is to be restored.
            .with_setting("insert_deduplication_token", Uuid::now_v7().simple().to_string())
            .execute()
            .await
            .map_err(StoreError::of)?;
    }
    Ok(())
}

/// Restricts the view's reading of `events`. Numbers only, so nothing has to be quoted; another topic's rows in the same
/// range of the same partition are added again as well, which changes nothing.
fn only_range(database: &str, span: &Span, event_times: TimeBounds) -> String {
    format!(
        "{{'{database}.events': 'kafka_partition = {} AND kafka_offset >= {} AND kafka_offset < {} \
         AND time >= fromUnixTimestamp64Micro({}) AND time <= fromUnixTimestamp64Micro({})'}}",
        span.partition, span.first, span.next, event_times.first, event_times.last
    )
}
