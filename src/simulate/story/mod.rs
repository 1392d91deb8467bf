//! The stories that can be told: read from the embedded files of `stories/`, prepared for every gateway product.
//!
//! A story is a list of events of one or more requests, with what it needs (which kind of server, issuer, gateway,
//! caller) and the class that a verdict on each of its requests should have. `steps.toml` says what the events of each
//! step always hold; a story only adds what is special about it.

mod book;
mod event;
mod need;

pub use book::Book;
pub use event::{Effect, PreparedEvent};
pub use need::{Actor, Need, SlugStyle};

/// The most requests that one story may have.
pub const MOST_REQUESTS: usize = 4;

/// A story, ready to be told.
pub struct Story {
    /// Its name, unique.
    pub name: String,
    /// What it needs.
    pub need: Need,
    /// The expected verdict of each of its requests.
    pub answers: Vec<Answer>,
    /// Its events, for each product; empty where that product cannot tell it.
    pub events: Vec<Vec<PreparedEvent>>,
    /// Whether it is part of a sign-in and needs a `state`.
    pub has_flow: bool,
    /// Integrations at which it can happen.
    pub candidates: Vec<usize>,
    /// Running totals of how often it happens at each of them.
    pub candidate_totals: Vec<u64>,
}

/// The expected verdict of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The class; `none` when nothing failed in the end.
    pub class: String,
    /// The hop that refused; `None` for `none`.
    pub hop: Option<String>,
}

impl Answer {
    /// Reads `none` or `class@hop`.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match text.split_once('@') {
            Some((class, hop)) => Self { class: class.to_owned(), hop: Some(hop.to_owned()) },
            None => Self { class: text.to_owned(), hop: None },
        }
    }
}
