//! Event types: one per step of a request or a sign-in, with the rank that orders events of equal time.

/// The type of an event (`type` of the CloudEvent), by step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// `mcp.request.completed`: one per inbound HTTP request that was answered by its handler.
    RequestCompleted,
    /// `mcp.request.rejected`: an inbound HTTP request that the gateway refused.
    RequestRejected,
    /// `mcp.session.opened`: a legacy `Mcp-Session-Id` session began.
    SessionOpened,
    /// `mcp.session.closed`: a legacy session ended.
    SessionClosed,
    /// `mcp.auth.credential`: the downstream token or key was checked.
    Credential,
    /// `mcp.auth.decision`: permission or tool policy was decided.
    Decision,
    /// `mcp.auth.challenge`: a `WWW-Authenticate` was issued or received (RFC 9110 §11.6.1, RFC 9728 §5.1).
    Challenge,
    /// `mcp.auth.discovery`: one metadata document was fetched (RFC 8414, RFC 9728).
    Discovery,
    /// `mcp.auth.registration`: the OAuth client was registered (RFC 7591) or its metadata document used.
    Registration,
    /// `mcp.auth.authorize`: the browser was sent to the authorization endpoint (RFC 6749 §4.1.1).
    Authorize,
    /// `mcp.auth.consent`: the person or a policy answered.
    Consent,
    /// `mcp.auth.callback`: the redirect came back (RFC 6749 §4.1.2).
    Callback,
    /// `mcp.auth.token`: a token request other than a refresh (RFC 6749 §4.1.3, §4.4).
    Token,
    /// `mcp.auth.refresh`: a refresh (RFC 6749 §6).
    Refresh,
    /// `mcp.auth.stepup`: more scope was asked for (`insufficient_scope`).
    StepUp,
    /// `mcp.auth.connection`: a connection was established, required, invalidated or revoked.
    Connection,
    /// `mcp.call.completed`: one JSON-RPC call on one hop.
    CallCompleted,
    /// `mcp.server.state`: the gateway took a server on- or offline.
    ServerState,
    /// `mcp.config.changed`: a new configuration version is in force.
    ConfigChanged,
    /// A type this version does not know; kept under its own name.
    Other,
}

/// Name, kind and rank of every known type.
const TABLE: &[(&str, EventKind, u8)] = &[
    ("mcp.call.completed", EventKind::CallCompleted, 80),
    ("mcp.request.completed", EventKind::RequestCompleted, 90),
    ("mcp.request.rejected", EventKind::RequestRejected, 90),
    ("mcp.auth.credential", EventKind::Credential, 10),
    ("mcp.auth.decision", EventKind::Decision, 12),
    ("mcp.auth.challenge", EventKind::Challenge, 15),
    ("mcp.auth.discovery", EventKind::Discovery, 20),
    ("mcp.auth.registration", EventKind::Registration, 30),
    ("mcp.auth.authorize", EventKind::Authorize, 40),
    ("mcp.auth.consent", EventKind::Consent, 45),
    ("mcp.auth.callback", EventKind::Callback, 50),
    ("mcp.auth.token", EventKind::Token, 55),
    ("mcp.auth.refresh", EventKind::Refresh, 60),
    ("mcp.auth.stepup", EventKind::StepUp, 65),
    ("mcp.auth.connection", EventKind::Connection, 70),
    ("mcp.session.opened", EventKind::SessionOpened, 5),
    ("mcp.session.closed", EventKind::SessionClosed, 95),
    ("mcp.server.state", EventKind::ServerState, 98),
    ("mcp.config.changed", EventKind::ConfigChanged, 99),
];

/// The rank of a type that this version does not know: after the steps of a request, before what closes it.
const RANK_OF_UNKNOWN: u8 = 85;

impl EventKind {
    /// The kind of a type name; [`EventKind::Other`] when it is not in the contract.
    #[must_use]
    pub fn of(type_name: &str) -> Self {
        TABLE.iter().find(|(name, _, _)| *name == type_name).map_or(Self::Other, |(_, kind, _)| *kind)
    }

    /// Orders events of equal time, 0 first. A rejected request and a completed one share the last place before the
    /// session ends.
    #[must_use]
    pub fn rank(self) -> u8 {
        TABLE.iter().find(|(_, kind, _)| *kind == self).map_or(RANK_OF_UNKNOWN, |(_, _, rank)| *rank)
    }

    /// Every known type name, in the order of the table.
    pub fn names() -> impl Iterator<Item = &'static str> {
        TABLE.iter().map(|(name, _, _)| *name)
    }
}

#[cfg(test)]
mod tests {
    use super::EventKind;

    #[test]
    fn steps_of_a_sign_in_are_ranked_in_their_order() {
        let steps = ["mcp.auth.challenge", "mcp.auth.discovery", "mcp.auth.registration", "mcp.auth.authorize"];
        let ranks: Vec<u8> = steps.iter().map(|name| EventKind::of(name).rank()).collect();
        assert!(ranks.is_sorted(), "{ranks:?}");
    }

    #[test]
    fn an_unknown_type_has_a_kind_and_a_rank() {
        assert_eq!(EventKind::of("mcp.auth.telepathy"), EventKind::Other);
        assert_eq!(EventKind::Other.rank(), 85);
    }
}
