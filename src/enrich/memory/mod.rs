//! What events have told lately about sign-ins, connections, traces and clients, for events that leave it out.
//!
//! [`Memory::note`] takes in every event; [`Memory::fill`] gives an event what others of the same sign-in (`flow_id`),
//! connection or trace have said, and [`Memory::guess`] what circumstances suggest. Only what is missing is filled, and only
//! with what nothing contradicts: events that differ about a member, or two requests under way at once, leave it unknown.
//! What was itself only inferred is not taken in, so that a guess never becomes a fact.
//!
//! Pure: times are those of the events, nothing is asked. An event about something never seen before is noted as a miss
//! ([`Memory::take_misses`]); whoever runs the steps may ask the store about it and [`Memory::learn`] the answer.
//!
//! One memory serves all partitions of a process: one sign-in's events may lie in several. It holds what events said,
//! whoever reads their partition next, so nothing of it has to go when a partition does. Bounded by [`BYTES`].

pub mod fact;
pub mod fill;
pub mod inline_text;
pub mod latest_request;
pub mod misses;
pub mod recent;
pub mod slots;

use std::hash::BuildHasher as _;

use self::fact::Fact;
use self::latest_request::{IN_PROGRESS, LatestRequest, Moment, SAME_CIRCUMSTANCES};
pub use self::misses::{Learned, Miss, MissKind, Misses};
use self::recent::Recent;
use self::slots::{HeapBytes, Slots};
use crate::event::{Event, FieldId, Origin, ServerAuth};

/// All of it, about. Room for 28,000 to 57,000 connections, 14,000 to 28,000 sign-ins and 16,000 traces and clients: more than are
/// under way at once at the highest rate that one process reaches.
pub const BYTES: usize = 32 << 20;

/// A name that events repeat: a workspace, a slug, a user.
type Name = Fact<22>;
/// An id.
type Id = Fact<46>;

/// What events have told lately.
#[derive(Debug)]
pub struct Memory {
    flows: Recent<Flow>,
    connections: Recent<Connection>,
    traces: Slots<Trace>,
    clients: Slots<Client>,
    misses: Misses,
    /// Keyed at random, so that nobody can choose ids that collide.
    hasher: std::hash::RandomState,
}

/// One sign-in.
#[derive(Debug, Default)]
struct Flow {
    workspace: Name,
    slug: Name,
    user: Name,
    request: Id,
    connection: Id,
}

/// One user's (or everybody's) link to a server.
#[derive(Debug, Default)]
struct Connection {
    workspace: Name,
    slug: Name,
    user: Name,
    issuer: Name,
    server_auth: Option<ServerAuth>,
    server_auth_differs: bool,
    latest: LatestRequest,
}

/// One trace.
#[derive(Debug, Default)]
struct Trace {
    workspace: Name,
    slug: Name,
    user: Name,
    latest: LatestRequest,
    /// Whether more than one request belongs to it: then what is known of it may be another one's.
    is_shared: bool,
}

/// One client at one server: slug, address and user agent.
#[derive(Debug, Default)]
struct Client {
    workspace: Name,
    user: LatestRequest,
    latest: LatestRequest,
}

/// How many of each kind are remembered, and their bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemorySize {
    /// Sign-ins.
    pub flows: usize,
    /// Connections.
    pub connections: usize,
    /// Traces.
    pub traces: usize,
    /// Clients at a server.
    pub clients: usize,
    /// All together, about.
    pub bytes: usize,
}

impl Default for Memory {
    fn default() -> Self {
        Self::new(BYTES)
    }
}

impl Memory {
    /// An empty memory of at most `bytes`, about.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        Self::keyed(bytes, std::hash::RandomState::new())
    }

    /// The same with a key of one's own: equal keys forget the same.
    #[must_use]
    pub fn keyed(bytes: usize, hasher: std::hash::RandomState) -> Self {
        Self {
            flows: Recent::new(bytes / 4),
            connections: Recent::new(bytes / 2),
            // Of use for seconds and minutes.
            traces: Slots::new(bytes / 8),
            clients: Slots::new(bytes / 8),
            misses: Misses::default(),
            hasher,
        }
    }

    /// Takes in what an event says, as it is after enrichment.
    pub fn note(&mut self, event: &Event<'_>) {
        let said = Said::of(event);
        if let Some(id) = event.flow_id.as_deref() {
            let key = self.hasher.hash_one(id);
            self.flows.update(key, |flow| flow.note(&said));
        }
        let moment = Moment::of(event);
        if let Some(id) = event.connection_id.as_deref() {
            let key = self.hasher.hash_one(id);
            self.connections.update(key, |connection| {
                connection.note(&said)
                    + said.request.map_or(0, |request| connection.latest.note(request, moment, IN_PROGRESS))
            });
        }
        if let (Some(id), Some(request)) = (event.trace_id.as_deref(), said.request) {
            let key = self.hasher.hash_one(id);
            self.traces.update(key, |trace| trace.note(&said, request, moment));
        }
        if let (Some(key), Some(request)) = (self.client_key(event), said.request) {
            self.clients.update(key, |client| client.note(&said, request, moment));
        }
    }

    /// Takes in what the store knows of something that was missed.
    pub fn learn(&mut self, learned: &Learned) {
        let said = Said {
            workspace: learned.workspace.as_deref(),
            slug: learned.slug.as_deref(),
            user: learned.user_id.as_deref(),
            request: learned.request_id.as_deref(),
            connection: learned.connection_id.as_deref(),
            issuer: learned.oauth_issuer.as_deref(),
            server_auth: learned.server_auth,
        };
        let key = self.hasher.hash_one(learned.id.as_str());
        match learned.kind {
            MissKind::Flow => self.flows.update(key, |flow| flow.note(&said)),
            MissKind::Connection => self.connections.update(key, |connection| connection.note(&said)),
        }
    }

    /// What was missed since the last time, to be asked of the store.
    pub fn take_misses(&mut self) -> Vec<Miss> {
        self.misses.take()
    }

    /// How much is remembered.
    #[must_use]
    pub fn size(&self) -> MemorySize {
        MemorySize {
            flows: self.flows.len(),
            connections: self.connections.len(),
            traces: self.traces.len(),
            clients: self.clients.len(),
            bytes: self.flows.bytes() + self.connections.bytes() + self.traces.bytes() + self.clients.bytes(),
        }
    }

    /// The key of a client at a server; all three have to be known.
    fn client_key(&self, event: &Event<'_>) -> Option<u64> {
        let (slug, address, agent) =
            (event.slug.as_deref()?, event.client_address.as_deref()?, event.user_agent.as_deref()?);
        Some(self.hasher.hash_one((slug, address, agent)))
    }
}

/// What an event says for certain: without what was only inferred.
#[derive(Debug, Clone, Copy)]
struct Said<'e> {
    workspace: Option<&'e str>,
    slug: Option<&'e str>,
    user: Option<&'e str>,
    request: Option<&'e str>,
    connection: Option<&'e str>,
    issuer: Option<&'e str>,
    server_auth: Option<ServerAuth>,
}

impl<'e> Said<'e> {
    fn of(event: &'e Event<'_>) -> Self {
        let has_guesses = event.origins.iter().any(|(_, origin)| *origin == Origin::Inferred);
        let is_guess = |field: FieldId| has_guesses && event.origins.contains(&(field, Origin::Inferred));
        let certain = |field: FieldId, value: &'e Option<std::borrow::Cow<'_, str>>| {
            value.as_deref().filter(|_| !is_guess(field))
        };
        Self {
            workspace: certain(FieldId::workspace, &event.workspace),
            slug: certain(FieldId::slug, &event.slug),
            user: certain(FieldId::user_id, &event.user_id),
            request: certain(FieldId::request_id, &event.request_id),
            connection: certain(FieldId::connection_id, &event.connection_id),
            issuer: certain(FieldId::oauth_issuer, &event.oauth_issuer),
            server_auth: event.server_auth,
        }
    }
}

impl Flow {
    fn note(&mut self, said: &Said<'_>) -> usize {
        self.workspace.note(said.workspace)
            + self.slug.note(said.slug)
            + self.user.note(said.user)
            + self.request.note(said.request)
            + self.connection.note(said.connection)
    }
}

impl Connection {
    fn note(&mut self, said: &Said<'_>) -> usize {
        match (self.server_auth, said.server_auth) {
            (None, said) => self.server_auth = said,
            (Some(known), Some(said)) => self.server_auth_differs |= known != said,
            (Some(_), None) => {}
        }
        self.workspace.note(said.workspace)
            + self.slug.note(said.slug)
            + self.user.note(said.user)
            + self.issuer.note(said.issuer)
    }
}

impl Trace {
    fn note(&mut self, said: &Said<'_>, request: &str, moment: Moment) -> usize {
        self.is_shared |= !self.latest.is_empty() && !self.latest.is(request);
        self.workspace.note(said.workspace)
            + self.slug.note(said.slug)
            + self.user.note(said.user)
            + self.latest.note(request, moment, IN_PROGRESS)
    }
}

impl Client {
    fn note(&mut self, said: &Said<'_>, request: &str, moment: Moment) -> usize {
        self.workspace.note(said.workspace)
            + said.user.map_or(0, |user| self.user.note(user, moment, SAME_CIRCUMSTANCES))
            + self.latest.note(request, moment, SAME_CIRCUMSTANCES)
    }
}

impl HeapBytes for Trace {
    fn heap_bytes(&self) -> usize {
        let names = [&self.workspace, &self.slug, &self.user];
        names.into_iter().map(Fact::heap_bytes).sum::<usize>() + self.latest.heap_bytes()
    }
}

impl HeapBytes for Client {
    fn heap_bytes(&self) -> usize {
        self.workspace.heap_bytes() + self.user.heap_bytes() + self.latest.heap_bytes()
    }
}

#[cfg(test)]
mod tests;
