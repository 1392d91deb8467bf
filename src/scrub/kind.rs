//! The closed list of what the scrubber removes, with the stable names that appear as `[redacted:name]`.
//!
//! A name is part of the stored data and of the `redactions` counts, so a name never changes its meaning and is
//! never removed. This file decides nothing about texts.

/// What kind of secret stood where `[redacted:kind]` stands now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SecretKind {
    /// The token of a `Bearer` credential (RFC 6750 §2.1).
    Bearer,
    /// The user and password of a `Basic` credential (RFC 7617).
    Basic,
    /// A `DPoP` bound token or a DPoP proof (RFC 9449).
    Dpop,
    /// The parameters of a `Digest` credential (RFC 7616).
    Digest,
    /// The value of an `Authorization` header of any other scheme.
    Authorization,
    /// A JSON Web Token (RFC 7519) that stood in no named place.
    Jwt,
    /// An OAuth access token (RFC 6749 §1.4).
    AccessToken,
    /// An OAuth refresh token (RFC 6749 §1.5).
    RefreshToken,
    /// An OpenID Connect ID token.
    IdToken,
    /// A token whose use is not known from its name.
    Token,
    /// An OAuth authorization code (RFC 6749 §1.3.1).
    AuthorizationCode,
    /// A device or user code of the device grant (RFC 8628 §3.2), or a one-time password.
    DeviceCode,
    /// The `state` of an authorization request (RFC 6749 §4.1.1).
    State,
    /// The `nonce` of an authentication request or of a Digest challenge.
    Nonce,
    /// The PKCE `code_verifier` (RFC 7636 §4.1).
    CodeVerifier,
    /// An OAuth client secret (RFC 6749 §2.3.1).
    ClientSecret,
    /// A client or authorization assertion (RFC 7521), SAML included.
    Assertion,
    /// A key of a service, a gateway or a model provider.
    ApiKey,
    /// A secret whose use is not known from its name.
    Secret,
    /// Cookies, sent or set (RFC 6265).
    Cookie,
    /// A password, also the one inside a connection string.
    Password,
    /// The signature of a signed URL or request.
    Signature,
    /// A private key, or the private number of a JSON Web Key (RFC 7518 §6).
    PemPrivateKey,
    /// An e-mail address, where addresses are hidden.
    Email,
}

impl SecretKind {
    /// Every kind, in the order of declaration.
    pub const ALL: [Self; 24] = [
        Self::Bearer,
        Self::Basic,
        Self::Dpop,
        Self::Digest,
        Self::Authorization,
        Self::Jwt,
        Self::AccessToken,
        Self::RefreshToken,
        Self::IdToken,
        Self::Token,
        Self::AuthorizationCode,
        Self::DeviceCode,
        Self::State,
        Self::Nonce,
        Self::CodeVerifier,
        Self::ClientSecret,
        Self::Assertion,
        Self::ApiKey,
        Self::Secret,
        Self::Cookie,
        Self::Password,
        Self::Signature,
        Self::PemPrivateKey,
        Self::Email,
    ];

    /// The stable name: lower case letters and underscores.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bearer => "bearer",
            Self::Basic => "basic",
            Self::Dpop => "dpop",
            Self::Digest => "digest",
            Self::Authorization => "authorization",
            Self::Jwt => "jwt",
            Self::AccessToken => "access_token",
            Self::RefreshToken => "refresh_token",
            Self::IdToken => "id_token",
            Self::Token => "token",
            Self::AuthorizationCode => "authorization_code",
            Self::DeviceCode => "device_code",
            Self::State => "state",
            Self::Nonce => "nonce",
            Self::CodeVerifier => "code_verifier",
            Self::ClientSecret => "client_secret",
            Self::Assertion => "assertion",
            Self::ApiKey => "api_key",
            Self::Secret => "secret",
            Self::Cookie => "cookie",
            Self::Password => "password",
            Self::Signature => "signature",
            Self::PemPrivateKey => "pem_private_key",
            Self::Email => "email",
        }
    }

    /// Whether a removal of this kind carries the keyed hash of what was removed: `state` (it serves as `flow_id`)
    /// and everything that is a token (it serves as `token.fingerprint`).
    #[must_use]
    pub const fn has_fingerprint(self) -> bool {
        matches!(
            self,
            Self::State
                | Self::Bearer
                | Self::Dpop
                | Self::Jwt
                | Self::AccessToken
                | Self::RefreshToken
                | Self::IdToken
        )
    }
}

impl std::fmt::Display for SecretKind {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::SecretKind;
    use std::collections::HashSet;

    #[test]
    fn names_are_distinct_snake_case() {
        let names: HashSet<&str> = SecretKind::ALL.iter().map(|kind| kind.as_str()).collect();
        assert_eq!(names.len(), SecretKind::ALL.len());
        for name in names {
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{name}");
        }
    }
}
