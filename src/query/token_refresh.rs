//! One line of the ledger of refreshes: one attempt to get a new access token with a refresh token (RFC 6749 §6).

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::stored::{StoredEvent, micros};
use crate::event::vocabulary::ClosedEnum;

/// One attempt, as its gateway reported it. What is unknown is `null`.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct TokenRefresh {
    /// When it was attempted.
    #[serde(serialize_with = "micros")]
    #[schema(value_type = String, format = DateTime)]
    pub time: DateTime<Utc>,
    /// Workspace of the gateway.
    pub workspace: Option<String>,
    /// Slug of the MCP server.
    pub slug: Option<String>,
    /// The user at the gateway.
    pub user_id: Option<String>,
    /// The connection: user (or shared) and server.
    pub connection_id: Option<String>,
    /// How it ended.
    pub outcome: String,
    /// Class of the failure; `none` when it succeeded.
    pub class: String,
    /// Finer than the class.
    pub reason: Option<String>,
    /// What made the gateway refresh: `proactive`, `on_demand`, `on_401`.
    pub trigger: Option<String>,
    /// Number of the attempt, from 1.
    pub attempt: Option<i64>,
    /// OAuth error code of the answer.
    pub oauth_error: Option<String>,
    /// Keyed hash of the refresh token presented.
    pub fingerprint: Option<String>,
    /// Keyed hash of the refresh token received.
    pub new_fingerprint: Option<String>,
    /// Whether the refresh token was rotated.
    pub rotated: Option<bool>,
    /// Lifetime granted to the access token, in seconds.
    pub expires_in: Option<i64>,
    /// Age of the access token, in seconds.
    pub age_s: Option<i64>,
    /// Age of the refresh token, in seconds.
    pub refresh_age_s: Option<i64>,
    /// Milliseconds it took.
    pub duration_ms: Option<f64>,
    /// The request that needed the token.
    pub request_id: Option<String>,
    /// With `source` it identifies the event.
    pub event_id: String,
    /// The reporter.
    pub source: String,
}

impl TokenRefresh {
    /// The line of a refresh event.
    #[must_use]
    pub fn of(event: &StoredEvent) -> Self {
        Self {
            time: event.time,
            workspace: event.text("workspace"),
            slug: event.text("slug"),
            user_id: event.text("user_id"),
            connection_id: event.text("connection_id"),
            outcome: event.outcome.as_str().to_owned(),
            class: event.class.as_str().to_owned(),
            reason: event.text("reason"),
            trigger: event.text("token_trigger"),
            attempt: event.integer("token_attempt"),
            oauth_error: event.text("oauth_error"),
            fingerprint: event.text("token_fingerprint"),
            new_fingerprint: event.text("token_new_fingerprint"),
            rotated: event.flag("token_rotated"),
            expires_in: event.integer("token_expires_in"),
            age_s: event.integer("token_age_s"),
            refresh_age_s: event.integer("token_refresh_age_s"),
            duration_ms: event.number("duration_ms"),
            request_id: event.text("request_id"),
            event_id: event.event_id.clone(),
            source: event.source.clone(),
        }
    }
}
