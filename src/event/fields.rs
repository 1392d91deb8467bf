//! The one table of the event's `data` members, and the kinds of value they hold.
//!
//! [`with_event_fields!`] hands the table to a callback macro; the struct ([`super::model`]), the decoder, the scrub walk
//! and the store's columns are generated from it. A line reads: field name = column name, kind, member name inside its
//! group. The column of a grouped member is its path with `_` for `.`: `oauth.error` → `oauth_error`.

use std::borrow::Cow;

use super::vocabulary::ClosedEnum;

/// A kind of field value: what Rust type an event holds for it.
pub trait Kind {
    /// The value inside [`super::Event`]; `None` is unknown, never `""`.
    type Value<'a>: Default + std::fmt::Debug + Clone;
    /// Calls `visit` with each string that a secret could hide in.
    fn each_text<'a>(value: &mut Self::Value<'a>, visit: impl FnMut(&mut Cow<'a, str>));
    /// The value as text, where it is one value; for rules, search and evidence.
    fn as_text<'v>(value: &'v Self::Value<'_>) -> Option<Cow<'v, str>>;
}

/// An identifier, ≤ 200 bytes, mostly unique: stored as it is.
#[derive(Debug)]
pub struct Id;
/// Free text, mostly unique.
#[derive(Debug)]
pub struct Free;
/// Text from a small set (names, codes, URLs of servers): stored as a dictionary.
#[derive(Debug)]
pub struct Name;
/// A list of names; an empty list says "none were sent", which missing cannot.
#[derive(Debug)]
pub struct Names;
/// A space-separated set of scopes (RFC 6749 §3.3).
#[derive(Debug)]
pub struct Scope;
/// An HTTP status, 0–999.
#[derive(Debug)]
pub struct Status;
/// A signed whole number.
#[derive(Debug)]
pub struct Integer;
/// A whole number from 0, below 2³².
#[derive(Debug)]
pub struct Count;
/// A duration in milliseconds, ≥ 0, finite.
#[derive(Debug)]
pub struct Millis;
/// Yes or no.
#[derive(Debug)]
pub struct Flag;
/// A member of a closed enumeration.
#[derive(Debug)]
pub struct OneOf<E>(std::marker::PhantomData<E>);

macro_rules! text_kind {
    ($($name:ident)+) => {$(
        impl Kind for $name {
            type Value<'a> = Option<Cow<'a, str>>;
            fn each_text<'a>(value: &mut Self::Value<'a>, mut visit: impl FnMut(&mut Cow<'a, str>)) {
                if let Some(text) = value {
                    visit(text);
                }
            }
            fn as_text<'v>(value: &'v Self::Value<'_>) -> Option<Cow<'v, str>> {
                value.as_deref().map(Cow::Borrowed)
            }
        }
    )+};
}
text_kind!(Id Free Name Scope);

macro_rules! plain_kind {
    ($($name:ident = $rust:ty;)+) => {$(
        impl Kind for $name {
            type Value<'a> = Option<$rust>;
            fn each_text<'a>(_: &mut Self::Value<'a>, _: impl FnMut(&mut Cow<'a, str>)) {}
            fn as_text<'v>(value: &'v Self::Value<'_>) -> Option<Cow<'v, str>> {
                value.map(|number| Cow::Owned(number.to_string()))
            }
        }
    )+};
}
plain_kind!(Status = u16; Integer = i64; Count = u32; Millis = f64; Flag = bool;);

impl Kind for Names {
    type Value<'a> = Option<Vec<Cow<'a, str>>>;
    fn each_text<'a>(value: &mut Self::Value<'a>, visit: impl FnMut(&mut Cow<'a, str>)) {
        value.iter_mut().flatten().for_each(visit);
    }
    fn as_text<'v>(value: &'v Self::Value<'_>) -> Option<Cow<'v, str>> {
        value.as_ref().map(|names| Cow::Owned(names.join(" ")))
    }
}

impl<E: ClosedEnum + std::fmt::Debug> Kind for OneOf<E> {
    type Value<'a> = Option<E>;
    fn each_text<'a>(_: &mut Self::Value<'a>, _: impl FnMut(&mut Cow<'a, str>)) {}
    fn as_text<'v>(value: &'v Self::Value<'_>) -> Option<Cow<'v, str>> {
        value.map(|member| Cow::Borrowed(member.as_str()))
    }
}

/// Hands the table of `data` members to the macro `$callback`, group by group; the group `""` is `data` itself.
macro_rules! with_event_fields {
    ($callback:ident) => {
        $callback! {
            "" {
                /// Which authentication boundary the event is about.
                hop: OneOf<$crate::event::Hop> = "hop";
                /// How the step ended.
                outcome: OneOf<$crate::event::Outcome> = "outcome";
                /// Workspace (tenant) of the gateway.
                workspace: Name = "workspace";
                /// Organization above the workspace.
                organization: Name = "organization";
                /// Name under which the MCP server is registered.
                slug: Name = "slug";
                /// Registered address of the MCP server, without query.
                server_url: Name = "server_url";
                /// Path of the inbound request, never with a query.
                url_path: Name = "url_path";
                /// Configuration version that served the request.
                config_version: Name = "config_version";
                /// What the gateway or server said; untrusted, ≤ 2,000 characters.
                message: Free = "message";
                /// Milliseconds the step took at the reporter.
                duration_ms: Millis = "duration_ms";
                /// Milliseconds of it spent waiting for the other side.
                upstream_duration_ms: Millis = "upstream_duration_ms";
                /// Groups the events of one request.
                request_id: Id = "request_id";
                /// How far `request_id` is the gateway's own.
                request_id_trust: OneOf<$crate::event::RequestIdTrust> = "request_id_trust";
                /// The id the client gave.
                client_request_id: Id = "client_request_id";
                /// The request that this one retries or continues.
                caused_by: Id = "caused_by";
                /// One sign-in attempt: keyed hash of `state`.
                flow_id: Id = "flow_id";
                /// (workspace, slug, user or shared, issuer) as a keyed hash.
                connection_id: Id = "connection_id";
                /// Legacy `Mcp-Session-Id`.
                session_id: Id = "session_id";
                /// The user at the gateway.
                user_id: Name = "user_id";
                /// How the gateway authenticates to the MCP server.
                server_auth: OneOf<$crate::event::ServerAuth> = "server_auth";
                /// Who started it.
                initiator: OneOf<$crate::event::Initiator> = "initiator";
                /// The client's `User-Agent`.
                user_agent: Name = "user_agent";
            }
            "gateway" {
                /// Gateway product.
                gateway_product: Name = "product";
                /// Gateway version.
                gateway_version: Name = "version";
                /// Gateway instance or replica.
                gateway_instance: Name = "instance";
                /// Run by its vendor or by its user.
                gateway_deployment: OneOf<$crate::event::Deployment> = "deployment";
                /// Public base URL the gateway is configured with.
                gateway_base_url: Name = "base_url";
            }
            "http" {
                /// Request method.
                http_method: Name = "method";
                /// Status this reporter answered with or received on this hop.
                http_status: Status = "status";
                /// Status of the other side behind it.
                http_upstream_status: Status = "upstream_status";
                /// Who answered: `Server` header, a CDN.
                http_answered_by: Name = "answered_by";
                /// `Content-Type` of the answer.
                http_content_type: Name = "content_type";
                /// The other side's own request id (CF-RAY, a provider's trace id).
                http_upstream_request_id: Id = "upstream_request_id";
            }
            "mcp" {
                /// JSON-RPC method.
                mcp_method: Name = "method";
                /// Tool name.
                mcp_tool: Name = "tool";
                /// Prompt name.
                mcp_prompt: Name = "prompt";
                /// Resource URI.
                mcp_resource_uri: Free = "resource_uri";
                /// `MCP-Protocol-Version`.
                mcp_protocol_version: Name = "protocol_version";
                /// JSON-RPC id; rewritten between hops, never a key.
                mcp_jsonrpc_id: Id = "jsonrpc_id";
                /// JSON-RPC error code.
                mcp_error_code: Integer = "error_code";
                /// How many items a list call returned.
                mcp_result_count: Count = "result_count";
            }
            "credential" {
                /// What kind of credential the client presented.
                credential_kind: OneOf<$crate::event::CredentialKind> = "kind";
                /// Id of the key, never the key.
                credential_key_id: Name = "key_id";
                /// Permissions of the key or token.
                credential_permissions: Names = "permissions";
                /// Whether a credential was sent at all.
                credential_sent: Flag = "sent";
            }
            "client" {
                /// Client name.
                client_name: Name = "name";
                /// Client version.
                client_version: Name = "version";
                /// Client address.
                client_address: Id = "address";
            }
            "oauth" {
                /// OAuth error code (RFC 6749 §5.2 and others).
                oauth_error: Name = "error";
                /// `error_description`; untrusted.
                oauth_error_description: Free = "error_description";
                /// Grant type of the token request.
                oauth_grant_type: Name = "grant_type";
                /// Authorization server issuer.
                oauth_issuer: Name = "issuer";
                /// OAuth client id.
                oauth_client_id: Name = "client_id";
                /// How the client was registered.
                oauth_registration: OneOf<$crate::event::Registration> = "registration";
                /// Client authentication at the token endpoint (RFC 7591 §2).
                oauth_token_auth_method: Name = "token_auth_method";
                /// Which metadata document was fetched.
                oauth_metadata_url: Name = "metadata_url";
                /// Redirect URI, origin and path only.
                oauth_redirect_uri: Name = "redirect_uri";
                /// Names of the parameters sent.
                oauth_params_sent: Names = "params_sent";
                /// Names of the members received.
                oauth_params_received: Names = "params_received";
            }
            "scope" {
                /// Scopes in the configuration.
                scope_configured: Scope = "configured";
                /// Scopes asked for.
                scope_requested: Scope = "requested";
                /// Scopes granted.
                scope_granted: Scope = "granted";
                /// Scopes the server requires.
                scope_required: Scope = "required";
            }
            "resource" {
                /// URL registered at the gateway.
                resource_registered: Name = "registered";
                /// `resource` of the protected resource metadata (RFC 9728 §2).
                resource_advertised: Name = "advertised";
                /// `resource` sent to the authorization server (RFC 8707).
                resource_requested: Name = "requested";
                /// `aud` of the token.
                resource_audience: Name = "audience";
            }
            "www_authenticate" {
                /// `error` of the challenge (RFC 6750 §3).
                www_authenticate_error: Name = "error";
                /// `scope` of the challenge.
                www_authenticate_scope: Scope = "scope";
                /// `resource_metadata` of the challenge (RFC 9728 §5.1).
                www_authenticate_resource_metadata: Name = "resource_metadata";
            }
            "token" {
                /// Which token.
                token_kind: OneOf<$crate::event::TokenKind> = "kind";
                /// Keyed hash of the token presented.
                token_fingerprint: Id = "fingerprint";
                /// Keyed hash of the token received.
                token_new_fingerprint: Id = "new_fingerprint";
                /// Lifetime granted, in seconds.
                token_expires_in: Integer = "expires_in";
                /// Age of the access token, in seconds.
                token_age_s: Integer = "age_s";
                /// Age of the refresh token, in seconds.
                token_refresh_age_s: Integer = "refresh_age_s";
                /// Whether the refresh token was rotated (OAuth 2.1 §4.3.1).
                token_rotated: Flag = "rotated";
                /// What made the gateway refresh.
                token_trigger: OneOf<$crate::event::TokenTrigger> = "trigger";
                /// Number of the attempt, from 1.
                token_attempt: Count = "attempt";
            }
        }
    };
}
pub(crate) use with_event_fields;

macro_rules! define_field_ids {
    ($($group:literal { $($(#[$doc:meta])* $field:ident: $kind:ty = $key:literal;)+ })+) => {
        /// Names one `data` member; the variant is the column's name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[expect(non_camel_case_types, reason = "a variant is spelled like the column it names")]
        pub enum FieldId { $($($(#[$doc])* $field,)+)+ }

        impl FieldId {
            /// Every member, in the order of the contract.
            pub const ALL: &'static [Self] = &[$($(Self::$field,)+)+];

            /// The column name, also the name of the field in rules and in the API.
            #[must_use]
            pub fn column(self) -> &'static str {
                match self { $($(Self::$field => stringify!($field),)+)+ }
            }

            /// The path inside `data`, as the contract writes it: `oauth.error`.
            #[must_use]
            pub fn path(self) -> &'static str {
                match self {
                    $($(Self::$field => { const PATH: &str = joined_path($group, concat!($group, ".", $key)); PATH })+)+
                }
            }

            /// The member of this column name.
            #[must_use]
            pub fn from_column(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|field| field.column() == name)
            }

            /// The member at this path.
            #[must_use]
            pub fn from_path(path: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|field| field.path() == path)
            }
        }
    };
}
with_event_fields!(define_field_ids);

/// `path` without its leading dot when the group is `data` itself.
const fn joined_path(group: &str, path: &'static str) -> &'static str {
    if group.is_empty() { path.split_at(1).1 } else { path }
}

#[cfg(test)]
mod tests {
    use super::FieldId;

    #[test]
    fn a_column_is_its_path_with_underscores() {
        for field in FieldId::ALL {
            assert_eq!(field.column(), field.path().replace('.', "_"));
            assert_eq!(FieldId::from_path(field.path()), Some(*field));
            assert_eq!(FieldId::from_column(field.column()), Some(*field));
        }
    }
}
