//! Gives an event what others have told: of the same sign-in, connection or trace, and what circumstances suggest.

use std::borrow::Cow;

use super::latest_request::Moment;
use super::{Connection, Flow, Memory, MissKind, Trace};
use crate::event::{
    CredentialKind, Event, EventKind, FieldId, Initiator, Origin, RequestIdTrust, ServerAuth, Text, TokenTrigger,
};

impl Memory {
    /// Fills what events of the same sign-in, connection and trace have told, in this order.
    pub fn fill(&mut self, event: &mut Event<'_>) {
        self.fill_from_flow(event);
        self.fill_from_connection(event);
        self.fill_from_trace(event);
    }

    fn fill_from_flow(&mut self, event: &mut Event<'_>) {
        let lacks = event.request_id.is_none() || event.connection_id.is_none() || lacks_place_or_user(event);
        let Some(id) = event.flow_id.as_deref().filter(|_| lacks) else { return };
        match self.flows.get(self.hasher_key(id)) {
            Some(flow) if flow.agrees(event) => flow.fill(event),
            Some(_) => {}
            None => self.misses.note(MissKind::Flow, id, event.time),
        }
    }

    fn fill_from_connection(&mut self, event: &mut Event<'_>) {
        let lacks = event.server_auth.is_none() || lacks_place_or_user(event);
        let Some(id) = event.connection_id.as_deref().filter(|_| lacks) else { return };
        match self.connections.get(self.hasher_key(id)) {
            Some(connection) if connection.agrees(event) => connection.fill(event),
            Some(_) => {}
            None => self.misses.note(MissKind::Connection, id, event.time),
        }
    }

    fn fill_from_trace(&self, event: &mut Event<'_>) {
        let lacks = event.request_id.is_none() || lacks_place_or_user(event);
        let Some(id) = event.trace_id.as_deref().filter(|_| lacks) else { return };
        if let Some(trace) = self.traces.get(self.hasher_key(id)).filter(|trace| trace.agrees(event)) {
            trace.fill(event);
        }
    }

    /// The request that needed the token: a refresh on demand was caused by one that was in progress on its connection.
    pub fn fill_request_of_refresh(&self, event: &mut Event<'_>) {
        let on_demand = matches!(event.token_trigger, Some(TokenTrigger::OnDemand | TokenTrigger::On401));
        if event.kind != EventKind::Refresh || !on_demand || !takes_request(event) {
            return;
        }
        let Some(id) = event.connection_id.as_deref() else { return };
        let connection = self.connections.get(self.hasher_key(id));
        let request = connection.and_then(|connection| connection.latest.in_progress(Moment::of(event).at));
        put_request(event, request, Origin::Inferred);
    }

    /// What the same client at the same server suggests, within two minutes.
    pub fn guess(&self, event: &mut Event<'_>) {
        if event.request_id.is_some() && event.user_id.is_some() && event.workspace.is_some() {
            return;
        }
        let Some(client) = self.client_key(event).and_then(|key| self.clients.get(key)) else { return };
        if !client.workspace.agrees(event.workspace.as_deref()) {
            return;
        }
        let at = Moment::of(event).at;
        let (user, request) = (client.user.lately(at), client.latest.lately(at));
        if user.zip(event.user_id.as_deref()).is_some_and(|(known, said)| known != said) {
            return;
        }
        if user.is_some() || request.is_some() {
            let workspace = client.workspace.known();
            put(&mut event.workspace, workspace, (FieldId::workspace, Origin::Inferred), &mut event.origins);
        }
        if takes_user(event) {
            put(&mut event.user_id, user, (FieldId::user_id, Origin::Inferred), &mut event.origins);
        }
        if takes_request(event) && !is_request_of_its_own(event) {
            put_request(event, request, Origin::Inferred);
        }
    }

    fn hasher_key(&self, id: &str) -> u64 {
        use std::hash::BuildHasher as _;
        self.hasher.hash_one(id)
    }
}

impl Flow {
    /// Each leg of a sign-in may be a request of its own, so other requests are no contradiction.
    fn agrees(&self, event: &Event<'_>) -> bool {
        self.workspace.agrees(event.workspace.as_deref())
            && self.slug.agrees(event.slug.as_deref())
            && self.user.agrees(event.user_id.as_deref())
            && self.connection.agrees(event.connection_id.as_deref())
    }

    fn fill(&self, event: &mut Event<'_>) {
        fill_place(event, (self.workspace.known(), self.slug.known()), Origin::Flow);
        if takes_user(event) {
            put(&mut event.user_id, self.user.known(), (FieldId::user_id, Origin::Flow), &mut event.origins);
        }
        // A connection is one user's: when users differ, it may be the other one's.
        let connection = self.connection.known().filter(|_| !self.user.is_contradicted());
        put(&mut event.connection_id, connection, (FieldId::connection_id, Origin::Flow), &mut event.origins);
        if takes_request(event) && !is_request_of_its_own(event) {
            put_request(event, self.request.known(), Origin::Flow);
        }
    }
}

impl Connection {
    fn agrees(&self, event: &Event<'_>) -> bool {
        self.workspace.agrees(event.workspace.as_deref())
            && self.slug.agrees(event.slug.as_deref())
            && self.issuer.agrees(event.oauth_issuer.as_deref())
    }

    fn fill(&self, event: &mut Event<'_>) {
        fill_place(event, (self.workspace.known(), self.slug.known()), Origin::Connection);
        if let (None, Some(server_auth), false) = (event.server_auth, self.server_auth, self.server_auth_differs) {
            event.server_auth = Some(server_auth);
            event.origins.push((FieldId::server_auth, Origin::Connection));
        }
        let issuer = (FieldId::oauth_issuer, Origin::Connection);
        put(&mut event.oauth_issuer, self.issuer.known(), issuer, &mut event.origins);
        // Of a connection that all share, the user of one event says nothing about another.
        let is_of_a_user =
            !matches!(event.server_auth, Some(ServerAuth::ClientCredentials | ServerAuth::Headers | ServerAuth::None));
        if is_of_a_user && takes_user(event) {
            put(&mut event.user_id, self.user.known(), (FieldId::user_id, Origin::Connection), &mut event.origins);
        }
    }
}

impl Trace {
    /// A trace can hold many requests, so it speaks only for the one that it holds, and while that is under way.
    fn agrees(&self, event: &Event<'_>) -> bool {
        let is_of_it = match event.request_id.as_deref() {
            Some(request) => self.latest.is(request),
            None => self.latest.in_progress(Moment::of(event).at).is_some(),
        };
        is_of_it
            && !self.is_shared
            && self.workspace.agrees(event.workspace.as_deref())
            && self.slug.agrees(event.slug.as_deref())
            && self.user.agrees(event.user_id.as_deref())
    }

    fn fill(&self, event: &mut Event<'_>) {
        fill_place(event, (self.workspace.known(), self.slug.known()), Origin::Trace);
        if takes_user(event) {
            put(&mut event.user_id, self.user.known(), (FieldId::user_id, Origin::Trace), &mut event.origins);
        }
        if takes_request(event) {
            put_request(event, self.latest.in_progress(Moment::of(event).at), Origin::Trace);
        }
    }
}

fn lacks_place_or_user(event: &Event<'_>) -> bool {
    event.workspace.is_none() || event.slug.is_none() || event.user_id.is_none()
}

fn fill_place(event: &mut Event<'_>, (workspace, slug): (Option<&str>, Option<&str>), origin: Origin) {
    put(&mut event.workspace, workspace, (FieldId::workspace, origin), &mut event.origins);
    put(&mut event.slug, slug, (FieldId::slug, origin), &mut event.origins);
}

/// Puts a value where there is none, and notes where it came from.
fn put(
    place: &mut Option<Text<'_>>,
    value: Option<&str>,
    origin: (FieldId, Origin),
    origins: &mut Vec<(FieldId, Origin)>,
) {
    if let (None, Some(value)) = (&*place, value) {
        *place = Some(Cow::Owned(value.to_owned()));
        origins.push(origin);
    }
}

fn put_request(event: &mut Event<'_>, request: Option<&str>, origin: Origin) {
    if request.is_none() || event.request_id.is_some() {
        return;
    }
    put(&mut event.request_id, request, (FieldId::request_id, origin), &mut event.origins);
    if event.request_id_trust.is_none() {
        event.request_id_trust = Some(RequestIdTrust::Inferred);
        event.origins.push((FieldId::request_id_trust, origin));
    }
}

/// Whether there can be a user: a service key has none, and neither has a request without a credential. That it has none
/// can be the very cause of a failure.
fn takes_user(event: &Event<'_>) -> bool {
    !matches!(event.credential_kind, Some(CredentialKind::ServiceKey | CredentialKind::None))
        && event.credential_sent != Some(false)
}

/// Whether it can belong to a request of a client: what nobody asked for does not, nor do the events of a gateway's life.
fn takes_request(event: &Event<'_>) -> bool {
    let asked_for = matches!(event.initiator, None | Some(Initiator::User | Initiator::Unknown));
    let of_a_life = matches!(
        event.kind,
        EventKind::SessionOpened | EventKind::SessionClosed | EventKind::ServerState | EventKind::ConfigChanged
    );
    event.request_id.is_none() && asked_for && !of_a_life
}

/// Whether it closes a request, which then is one of its own, whatever its id may be.
fn is_request_of_its_own(event: &Event<'_>) -> bool {
    matches!(event.kind, EventKind::RequestCompleted | EventKind::RequestRejected)
}
