//! What events were about that nobody here had seen before, and what the store knows of it.

use chrono::{DateTime, Utc};

use crate::event::ServerAuth;

/// Most of them that wait to be asked about; what comes beyond that is not asked: the timeline joins it when it is read.
pub const MOST: usize = 500;

/// As what an id was missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MissKind {
    /// As a sign-in.
    Flow,
    /// As a connection.
    Connection,
}

/// An id that was never seen before, of an event that leaves something out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Miss {
    /// As what.
    pub kind: MissKind,
    /// The id.
    pub id: String,
    /// When the event was.
    pub at: DateTime<Utc>,
}

/// What the store knows of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Learned {
    /// As what it was missed.
    pub kind: MissKind,
    /// The id.
    pub id: String,
    /// What one stored event says of it.
    pub workspace: Option<String>,
    /// Slug.
    pub slug: Option<String>,
    /// User.
    pub user_id: Option<String>,
    /// Request.
    pub request_id: Option<String>,
    /// Connection.
    pub connection_id: Option<String>,
    /// Issuer.
    pub oauth_issuer: Option<String>,
    /// How the gateway authenticates to the server.
    pub server_auth: Option<ServerAuth>,
}

/// Misses that were not taken yet.
#[derive(Debug, Default)]
pub struct Misses {
    waiting: Vec<Miss>,
}

impl Misses {
    /// Notes one.
    pub fn note(&mut self, kind: MissKind, id: &str, at: DateTime<Utc>) {
        if self.waiting.len() < MOST {
            self.waiting.push(Miss { kind, id: id.to_owned(), at });
        }
    }

    /// Those that wait; none waits afterwards.
    pub fn take(&mut self) -> Vec<Miss> {
        std::mem::take(&mut self.waiting)
    }
}
