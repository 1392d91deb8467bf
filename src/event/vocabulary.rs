//! The closed enumerations of the contract.
//!
//! Each has an `Unknown` member: a value outside the list is not an error, it becomes `unknown` and the decoder keeps
//! what was sent in `attributes` under the field's path. The wire spelling is the stored spelling.

/// A closed enumeration whose members have one stable spelling on the wire, in the store and in the API.
pub trait ClosedEnum: Copy + Sized + 'static {
    /// Every known member, `Unknown` left out.
    const KNOWN: &'static [Self];
    /// The member that stands for a value outside the list.
    const UNKNOWN: Self;
    /// The stable spelling.
    fn as_str(self) -> &'static str;
    /// The member with this spelling, `unknown` included; `None` for any other text.
    fn find(text: &str) -> Option<Self>;
    /// Tells the members apart in one byte; not stable, so never stored.
    fn number(self) -> u8;
    /// The member with this spelling, or `Unknown`.
    #[must_use]
    fn parse(text: &str) -> Self {
        Self::find(text).unwrap_or(Self::UNKNOWN)
    }
}

macro_rules! closed_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$member_doc:meta])* $member:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name {
            $($(#[$member_doc])* $member,)+
            /// A value outside the list.
            Unknown,
        }

        impl $crate::event::vocabulary::ClosedEnum for $name {
            const KNOWN: &'static [Self] = &[$(Self::$member,)+];
            const UNKNOWN: Self = Self::Unknown;
            fn as_str(self) -> &'static str {
                match self {
                    $(Self::$member => $text,)+
                    Self::Unknown => "unknown",
                }
            }
            fn find(text: &str) -> Option<Self> {
                match text {
                    $($text => Some(Self::$member),)+
                    "unknown" => Some(Self::Unknown),
                    _ => None,
                }
            }
            fn number(self) -> u8 {
                self as u8
            }
        }
    };
}

pub(crate) use closed_enum;

closed_enum! {
    /// Which authentication boundary the event is about.
    Hop {
        /// Client → gateway.
        Downstream = "downstream",
        /// Gateway → MCP server, its authorization server included.
        Upstream = "upstream",
        /// Inside the gateway: policy, configuration, registry.
        Internal = "internal",
    }
}

closed_enum! {
    /// How the step ended, as the gateway saw it.
    Outcome {
        /// The step did what it was for.
        Success = "success",
        /// The step failed.
        Failure = "failure",
        /// A decision refused it.
        Denied = "denied",
        /// Authentication was fine, the tool or application reported an error.
        ApplicationError = "application_error",
        /// The user has to connect the MCP server first.
        ConnectRequired = "connect_required",
        /// The server asked for more input (elicitation).
        InputRequired = "input_required",
        /// The client gave up.
        Cancelled = "cancelled",
    }
}

closed_enum! {
    /// What kind of credential the client presented to the gateway.
    CredentialKind {
        /// A key of a service or workspace, without a user.
        ServiceKey = "service_key",
        /// A key that belongs to one user.
        UserKey = "user_key",
        /// A token of the gateway's own OAuth flow.
        OAuth = "oauth",
        /// A token of the company's identity provider.
        Idp = "idp",
        /// Nothing was presented.
        None = "none",
    }
}

closed_enum! {
    /// How the gateway authenticates to the MCP server.
    ServerAuth {
        /// The server wants no credential.
        None = "none",
        /// Static headers.
        Headers = "headers",
        /// OAuth 2.1 client credentials: the gateway's own identity (RFC 6749 §4.4).
        ClientCredentials = "client_credentials",
        /// OAuth 2.1 authorization code per user (RFC 6749 §4.1).
        OAuthUser = "oauth_user",
        /// The caller's token is exchanged (RFC 8693).
        TokenExchange = "token_exchange",
        /// The caller's token is handed on as it is.
        Passthrough = "passthrough",
    }
}

closed_enum! {
    /// Who started what the event reports.
    Initiator {
        /// A person's client.
        User = "user",
        /// A client's connectivity probe.
        ClientProbe = "client_probe",
        /// The gateway's or a load balancer's health check.
        HealthCheck = "health_check",
        /// The gateway's own background work, such as a proactive refresh.
        Background = "background",
        /// An administrator's action.
        Admin = "admin",
    }
}

closed_enum! {
    /// Where the gateway runs.
    Deployment {
        /// Run by its vendor.
        Saas = "saas",
        /// Run by its user.
        SelfHosted = "self_hosted",
    }
}

closed_enum! {
    /// How the OAuth client came to its `client_id`.
    Registration {
        /// Client id metadata document.
        Cimd = "cimd",
        /// Dynamic client registration (RFC 7591).
        Dcr = "dcr",
        /// Registered by hand at the provider.
        Preregistered = "preregistered",
    }
}

closed_enum! {
    /// Which token the event is about.
    TokenKind {
        /// An access token.
        Access = "access",
        /// A refresh token.
        Refresh = "refresh",
    }
}

closed_enum! {
    /// What made the gateway refresh.
    TokenTrigger {
        /// Before the access token expired.
        Proactive = "proactive",
        /// A request needed a token and the old one had expired.
        OnDemand = "on_demand",
        /// The MCP server had answered 401.
        On401 = "on_401",
    }
}

closed_enum! {
    /// How far `request_id` can be trusted to be the gateway's own.
    RequestIdTrust {
        /// Minted by the gateway.
        Gateway = "gateway",
        /// Taken over from the client.
        Client = "client",
        /// Filled by enrichment.
        Inferred = "inferred",
    }
}

closed_enum! {
    /// Where the value of an enriched field came from.
    Origin {
        /// The event itself carried it.
        Event = "event",
        /// The request path named it.
        Url = "url",
        /// The registry topic named it.
        Registry = "registry",
        /// Another event of the same sign-in attempt, or the removed `state`.
        Flow = "flow",
        /// Another event of the same connection, or computed from its parts.
        Connection = "connection",
        /// Another event of the same trace.
        Trace = "trace",
        /// The scrubber computed it from the secret it removed.
        Scrub = "scrub",
        /// A guess from circumstances.
        Inferred = "inferred",
    }
}

#[cfg(test)]
mod tests {
    use super::{ClosedEnum, Hop, Origin, ServerAuth};

    #[test]
    fn every_member_parses_back_to_itself() {
        for member in ServerAuth::KNOWN {
            assert_eq!(ServerAuth::parse(member.as_str()), *member);
        }
        for member in Origin::KNOWN {
            assert_eq!(Origin::parse(member.as_str()), *member);
        }
    }

    #[test]
    fn a_value_outside_the_list_is_unknown() {
        assert_eq!(Hop::parse("sideways"), Hop::Unknown);
        assert_eq!(Hop::parse("Upstream"), Hop::Unknown, "spelling is exact");
    }
}
