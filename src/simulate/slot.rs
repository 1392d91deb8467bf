//! The blanks that a story may leave open, as `{name}` in its strings: what each is called and how it is written.
//!
//! What goes into a blank is decided by [`super::fill`]. A blank that stays empty drops the member that consists of it
//! alone: missing is unknown, never `""`.

/// How the value of a blank is written when a member consists of it alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As a string, between quotes.
    Text,
    /// As it is: a number, a boolean, an object.
    Bare,
}

macro_rules! slots {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $form:ident;)+) => {
        /// A blank.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Slot { $($(#[$doc])* $variant,)+ }

        impl Slot {
            /// Every blank.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// Its name in the story files.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// How it is written.
            #[must_use]
            pub fn form(self) -> Form {
                match self { $(Self::$variant => Form::$form,)+ }
            }
        }
    };
}

slots! {
    /// The request of this event; empty for background work.
    Request = "request", Text;
    /// The story's first request, whatever this event belongs to.
    FirstRequest = "first_request", Text;
    /// Connection id, where a user or a shared connection is known.
    Connection = "connection", Text;
    /// Flow id: hash of the state.
    Flow = "flow", Text;
    /// The raw `state`: a leak.
    State = "state", Text;
    /// Legacy session id.
    Session = "session", Text;
    /// User id.
    User = "user", Text;
    /// E-mail address of the user.
    Email = "email", Text;
    /// E-mail address of another user of the same workspace.
    OtherUser = "other_user", Text;
    /// Workspace.
    Workspace = "workspace", Text;
    /// Some other workspace.
    OtherWorkspace = "other_workspace", Text;
    /// The slug as the client wrote it.
    Slug = "slug", Text;
    /// The slug as it is registered.
    RegisteredSlug = "registered_slug", Text;
    /// URL of the MCP server.
    ServerUrl = "server_url", Text;
    /// Host of the MCP server.
    ServerHost = "server_host", Text;
    /// The gateway: product, version, instance, deployment, base URL.
    Gateway = "gateway", Bare;
    /// Its instance.
    Instance = "instance", Text;
    /// Its base URL.
    BaseUrl = "base_url", Text;
    /// Host of its base URL.
    BaseHost = "base_host", Text;
    /// The inbound path.
    UrlPath = "url_path", Text;
    /// The configuration version in force.
    ConfigVersion = "config_version", Bare;
    /// The one before it.
    OldConfigVersion = "old_config_version", Bare;
    /// `server_auth`.
    ServerAuth = "server_auth", Text;
    /// Kind of the caller's credential.
    CredentialKind = "credential_kind", Text;
    /// Id of the caller's key; empty for tokens.
    KeyId = "key_id", Text;
    /// The caller's credential as an object.
    Credential = "credential", Bare;
    /// The client: name, version, address.
    Client = "client", Bare;
    /// Name of the client family.
    ClientName = "client_name", Text;
    /// User agent.
    UserAgent = "user_agent", Text;
    /// MCP revision of the client.
    Protocol = "protocol", Text;
    /// JSON-RPC id of the call.
    RpcId = "rpc_id", Bare;
    /// A tool of the server.
    Tool = "tool", Text;
    /// Issuer URL.
    Issuer = "issuer", Text;
    /// Host of the issuer.
    IssuerHost = "issuer_host", Text;
    /// OAuth client id of the gateway at the issuer.
    ClientId = "client_id", Text;
    /// How the gateway became a client.
    Registration = "registration", Text;
    /// All scopes that are configured.
    Scopes = "scopes", Text;
    /// The first of them.
    FirstScope = "first_scope", Text;
    /// The last of them.
    LastScope = "last_scope", Text;
    /// Fingerprint of the present access token.
    Access = "access_fingerprint", Text;
    /// Fingerprint of the present refresh token.
    Refresh = "refresh_fingerprint", Text;
    /// Fingerprint of the refresh token before it.
    PreviousRefresh = "previous_refresh_fingerprint", Text;
    /// Fingerprint of the access token that is being issued.
    NextAccess = "next_access_fingerprint", Text;
    /// Fingerprint of the refresh token that is being issued.
    NextRefresh = "next_refresh_fingerprint", Text;
    /// Fingerprint of the token that the client presented; empty for keys.
    Caller = "caller_fingerprint", Text;
    /// Whether the refresh gives a new refresh token.
    Rotated = "rotated", Bare;
    /// Lifetime of an access token, seconds.
    ExpiresIn = "expires_in", Bare;
    /// Age of the access token, seconds.
    AccessAge = "access_age", Bare;
    /// Age of the refresh token, seconds.
    RefreshAge = "refresh_age", Bare;
    /// Milliseconds since the event before it.
    Elapsed = "elapsed", Bare;
    /// Milliseconds since the request began.
    RequestElapsed = "request_elapsed", Bare;
    /// A small count.
    Count = "count", Bare;
    /// A fresh random UUID.
    Uuid = "uuid", Text;
    /// 16 fresh random hexadecimal digits.
    Hex = "hex", Text;
    /// A fresh number of up to four digits.
    Number = "number", Text;
    /// The event's time.
    Stamp = "stamp", Text;
    /// A made-up JSON Web Token: a leak.
    Jwt = "fake_jwt", Text;
    /// A made-up opaque token: a leak.
    Opaque = "fake_token", Text;
}

impl Slot {
    /// The blank of that name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|slot| slot.name() == name)
    }
}
