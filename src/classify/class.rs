//! The stable codes of a verdict: class, who acts, confidence. Never renamed; each class has a page.

use crate::event::vocabulary::closed_enum;

closed_enum! {
    /// What went wrong.
    Class {
        /// Nothing failed.
        None = "none",
        /// A failure that no rule explains and that resembles nothing known; its rate is watched.
        Unclassified = "unclassified",
        /// No, expired or invalid token; or the server needs this user to sign in.
        SignInRequired = "sign_in_required",
        /// Authenticated, but not allowed.
        Forbidden = "forbidden",
        /// The key or token lacks a permission or scope on use.
        MissingPermission = "missing_permission",
        /// The slug is wrong or not registered here.
        ServerNotFound = "server_not_found",
        /// The gateway could not decide.
        AccessUnverifiable = "access_unverifiable",
        /// A credential without a user on a per-user OAuth server.
        UserIdentityRequired = "user_identity_required",
        /// The authorization server refuses automatic client registration.
        DcrUnsupported = "dcr_unsupported",
        /// Client id or secret wrong, or the registration is gone.
        InvalidClient = "invalid_client",
        /// A scope that does not exist or is not allowed.
        InvalidScope = "invalid_scope",
        /// The callback is not registered exactly.
        RedirectUriMismatch = "redirect_uri_mismatch",
        /// Registered URL ≠ advertised resource, or the audience.
        ResourceMismatch = "resource_mismatch",
        /// Well-known metadata missing, not JSON, or inconsistent.
        DiscoveryFailure = "discovery_failure",
        /// The gateway advertises an internal or wrong address.
        BaseUrlMisconfigured = "base_url_misconfigured",
        /// The person or a policy refused consent.
        ConsentDenied = "consent_denied",
        /// State, code or verifier does not match.
        PkceOrStateMismatch = "pkce_or_state_mismatch",
        /// Signed in to another tenant, site or workspace.
        WrongOrganization = "wrong_organization",
        /// The refresh token was refused, or there was none.
        RefreshFailure = "refresh_failure",
        /// An old configuration or dead session is still used.
        StaleConfiguration = "stale_configuration",
        /// `external_auth_config` on managed SaaS.
        ExternalAuthBlocked = "external_auth_blocked",
        /// Network, DNS, TLS, timeout or 5xx of the other side.
        UpstreamUnavailable = "upstream_unavailable",
        /// Quota or rate.
        RateLimited = "rate_limited",
        /// The call itself failed; authentication was fine.
        ToolError = "tool_error",
        /// Header mismatch, unsupported protocol version, missing capability.
        ProtocolError = "protocol_error",
    }
}

closed_enum! {
    /// Who has to act.
    WhoActs {
        /// The person at the client.
        EndUser = "end_user",
        /// Whoever registered the server in the workspace.
        WorkspaceAdmin = "workspace_admin",
        /// Whoever runs the identity provider.
        IdentityProviderAdmin = "identity_provider_admin",
        /// Whoever runs the gateway.
        GatewayOperator = "gateway_operator",
        /// Whoever runs the MCP server.
        ServerOwner = "server_owner",
        /// Whoever makes the client.
        ClientVendor = "client_vendor",
        /// Nobody.
        Nobody = "nobody",
    }
}

closed_enum! {
    /// How sure the rule is.
    Confidence {
        /// The structure leaves no other reading.
        Certain = "certain",
        /// The usual reading of what was said.
        Likely = "likely",
        /// A reading among several.
        Weak = "weak",
    }
}
