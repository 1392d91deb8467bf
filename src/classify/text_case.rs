//! A bare message as a case: what somebody pasted, or one line of a measured corpus, made into an event.
//!
//! The same rules decide for it as for an event; what a line does not say stays unknown.

use std::borrow::Cow;

use chrono::DateTime;

use super::classifier::Classifier;
use super::verdict::Verdict;
use crate::event::vocabulary::closed_enum;
use crate::event::{Event, Hop};

closed_enum! {
    /// Where in a request or sign-in a message was seen.
    Phase {
        /// The inbound request.
        McpRequest = "mcp_request",
        /// Metadata documents.
        Discovery = "discovery",
        /// Client registration.
        Registration = "registration",
        /// The browser part, the callback included.
        Authorization = "authorization",
        /// The token request.
        Token = "token",
        /// A refresh.
        Refresh = "refresh",
        /// A tool call.
        ToolCall = "tool_call",
    }
}

impl Phase {
    /// The event type that stands for the phase; one that is not in the contract when the phase is unknown.
    #[must_use]
    pub fn event_type(self) -> &'static str {
        match self {
            Self::McpRequest => "mcp.request.completed",
            Self::Discovery => "mcp.auth.discovery",
            Self::Registration => "mcp.auth.registration",
            Self::Authorization => "mcp.auth.authorize",
            Self::Token => "mcp.auth.token",
            Self::Refresh => "mcp.auth.refresh",
            Self::ToolCall => "mcp.call.completed",
            Self::Unknown => "unknown",
        }
    }
}

/// A message with what little is known about it.
#[derive(Debug, Clone, PartialEq)]
pub struct TextCase {
    /// The words.
    pub message: String,
    /// HTTP status seen with it.
    pub http_status: Option<u16>,
    /// OAuth error code seen with it.
    pub oauth_error: Option<String>,
    /// Where it was seen.
    pub phase: Phase,
    /// On which hop it was seen.
    pub hop: Hop,
}

impl TextCase {
    /// A message and nothing else.
    #[must_use]
    pub fn of(message: &str) -> Self {
        Self {
            message: message.to_owned(),
            http_status: None,
            oauth_error: None,
            phase: Phase::Unknown,
            hop: Hop::Unknown,
        }
    }

    /// The event that says the same; it has no time, and no outcome.
    #[must_use]
    pub fn as_event(&self) -> Event<'_> {
        let nowhere = Cow::Borrowed("text");
        let mut event =
            Event::new(nowhere.clone(), nowhere, Cow::Borrowed(self.phase.event_type()), DateTime::UNIX_EPOCH);
        event.message = Some(Cow::Borrowed(self.message.as_str())).filter(|text| !text.trim().is_empty());
        event.http_status = self.http_status;
        event.oauth_error = self.oauth_error.as_deref().map(Cow::Borrowed);
        event.hop = Some(self.hop);
        event
    }
}

impl Classifier {
    /// What a message says; the same rules decide as for an event.
    #[must_use]
    pub fn classify_text<'r>(&'r self, case: &TextCase) -> Verdict<'r, 'static> {
        self.classify(&case.as_event()).into_owned()
    }
}
