//! Answers questions from the store: one function per question, SQL in `sql/`, one file a statement.
//!
//! Nothing here writes. In the order in which an answer is made: [`filter`] and [`page`] check what was asked,
//! [`statement`] runs SQL with bound values, [`stored`] is a row as read; [`join`] gathers the events of one request:
//! [`sightings`] says where and when they were, by [`id_hash`] and [`id_time`], and [`related_events`] reads them; [`reclassified`]
//! lays what later rules say over them. [`late_facts`] gives each what others know of it, [`order`] puts them in order,
//! [`beyond`] asks what these lead to ([`absent_steps`], [`similar_slug`], [`later_success`]), [`verdict`] finds the first cause,
//! [`recovery`], [`hops`] and [`missing`] say what made up for it, what the other hop shows and
//! what should be there and is not, [`request_verdict`] words it with the values that [`nearest`] finds, and [`timeline`] is the
//! object that comes out. These are pure. [`enrichment_rates`] and [`remembered_facts`] are about what enrichment filled and can
//! fill. [`stored_ranges`], [`reconciliations`] and [`pending_dead_letters`] are about ingest and not about events: what offsets of
//! Kafka have become. [`event_pages`] and [`restored`] read every event of a time again, for rules that changed; [`unexplained`]
//! what no rule explains.

pub mod absent_steps;
pub mod beyond;
pub mod dead_letters;
pub mod enrichment_rates;
pub mod error;
pub mod event_pages;
pub mod filter;
pub mod hops;
pub mod id_hash;
pub mod id_time;
pub mod join;
pub mod late_facts;
pub mod later_success;
pub mod missing;
pub mod nearest;
pub mod not_found;
pub mod order;
pub mod page;
pub mod pending_dead_letters;
pub mod reclassified;
pub mod reconciliations;
pub mod recovery;
pub mod related_events;
pub mod remembered_facts;
pub mod request_timeline;
pub mod request_verdict;
pub mod restored;
pub mod search_requests;
pub mod sightings;
pub mod similar_slug;
pub mod statement;
pub mod stored;
pub mod stored_ranges;
pub mod texts;
pub mod timeline;
pub mod token_refresh;
pub mod token_refreshes;
pub mod unexplained;
pub mod verdict;

#[cfg(test)]
mod verdict_tests;

pub use dead_letters::{DeadLetterList, DeadLetterSummary, dead_letter_counts, dead_letter_list, dead_letters};
pub use error::QueryError;
pub use filter::{DeadLetterFilter, RefreshFilter, RequestFilter, TimeRange, parse_time};
pub use not_found::{NotFound, why_not_found};
pub use page::{List, Page, Paged};
pub use request_timeline::request_timeline;
pub use search_requests::{RequestSummary, search_requests};
pub use texts::{TextInput, VerdictTexts};
pub use timeline::RequestTimeline;
pub use token_refresh::TokenRefresh;
pub use token_refreshes::token_refreshes;
