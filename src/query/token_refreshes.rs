//! The ledger of refreshes: every attempt, newest first.

use chrono::{DateTime, Utc};
use clickhouse::Client;
use futures_util::try_join;

use super::error::QueryError;
use super::filter::RefreshFilter;
use super::page::{List, Page, Paged, Position};
use super::reclassified::Reclassified;
use super::statement::Statement;
use super::stored::StoredEvent;
use super::token_refresh::TokenRefresh;

/// The attempts that a filter finds.
///
/// # Errors
/// `bad_id`, `bad_filter` or `bad_time` when the filter is not in order; otherwise what keeps the store from answering.
pub async fn token_refreshes(
    client: &Client,
    filter: &RefreshFilter,
    page: &Page,
    now: DateTime<Utc>,
) -> Result<Paged<TokenRefresh>, QueryError> {
    let range = filter.checked_range(now)?;
    let attempts = Statement::new(client, "token_refreshes", include_str!("sql/token_refreshes.sql"))
        .bind_time("from", range.from)
        .bind_time("to", range.to)
        .bind("workspace", &filter.workspace)
        .bind("slug", &filter.slug)
        .bind("user_id", &filter.user_id)
        .bind("connection_id", &filter.connection_id)
        .bind("outcome", &filter.outcome)
        .bind_after(page)
        .bind("row_limit", page.limit() + 1)
        .rows::<StoredEvent>();
    let (mut events, reclassified) = try_join!(attempts, Reclassified::ask(client))?;
    reclassified.lay_over(client, &mut events).await?;
    let refreshes = events.iter().map(TokenRefresh::of).collect();
    Ok(Paged::from_one_more(List::TokenRefreshes, page, refreshes, |refresh: &TokenRefresh| Position {
        time: refresh.time,
        // As the statement sorts attempts of the same time.
        id: format!("{} {}", refresh.source, refresh.event_id),
    }))
}
