//! Placeholders of the texts that are no column: computed from several columns, from attributes, or by the client used.
//!
//! Each returns nothing where something it needs is unknown, so that the text with it is not used. What `values` can be
//! asked for beyond columns: `attributes.<key>`, and `known_slug`, a registered server whose name is like the slug.

use std::sync::LazyLock;

use regex::Regex;

use super::clients::{ACTIONS, Clients};
use super::difference::resource_pair;
use super::fix::Failure;
use super::urls;
use crate::event::{Hop, vocabulary::ClosedEnum};

/// The placeholders whose value may be unknown.
pub const DERIVED: [&str; 14] = [
    "url_difference",
    "register_url",
    "resource_wanted",
    "scope_missing",
    "scope_required",
    "permission_missing",
    "callback",
    "retry_after",
    "credential",
    "upstream_auth",
    "config_newest",
    "policy",
    "known_slug",
    "slug",
];

/// The placeholders that always have a value.
pub const ALWAYS_KNOWN: [&str; 5] =
    ["server", "client_sign_in_again", "client_reconnect", "client_edit_server", "client_start_over"];

/// Callback of a self-hosted gateway, below its base URL; the last one for products that are not listed.
const CALLBACK_PATHS: [(&str, &str); 3] =
    [("litellm", "/callback"), ("contextforge", "/oauth/callback"), ("", "/oauth/upstream-callback")];

/// Under which keys gateways report the header `Retry-After` in seconds (RFC 9110 §10.2.3).
const RETRY_AFTER: [&str; 4] =
    ["attributes.retry_after", "attributes.retry_after_s", "attributes.retry-after", "attributes.http.retry_after"];

/// The value of a placeholder that is no plain column.
#[must_use]
pub fn derived(name: &str, failure: &Failure<'_>) -> Option<String> {
    let known = |column: &str| failure.known(column);
    if let Some((_, action)) = ACTIONS.iter().find(|(placeholder, _)| *placeholder == name) {
        let clients = Clients::embedded();
        let client = clients.named(known("client_name").as_deref(), known("user_agent").as_deref());
        return Some(clients.step(client, *action, &server(failure)));
    }
    match name {
        "server" => Some(server(failure)),
        "url_difference" => resource_pair(failure)?.sentence(),
        "register_url" => resource_pair(failure).map(|pair| pair.right.1).or_else(|| known("resource_advertised")),
        "resource_wanted" => known("resource_advertised").or_else(|| known("server_url")),
        "scope_missing" => missing(&scope_required(failure)?, &known("scope_granted")?),
        "scope_required" => scope_required(failure),
        "permission_missing" => permission_missing(failure),
        "callback" => callback(failure),
        "retry_after" => RETRY_AFTER.iter().find_map(|key| known(key)?.trim().parse().ok()).map(seconds_in_words),
        "credential" => credential(&known("credential_kind")?).map(str::to_owned),
        "upstream_auth" => upstream_auth(&known("server_auth")?).map(str::to_owned),
        "config_newest" => known("attributes.registry.config_version")
            .filter(|newest| known("config_version").as_ref() != Some(newest)),
        "policy" => known("attributes.policy"),
        _ => None,
    }
}

fn server(failure: &Failure<'_>) -> String {
    failure.known("slug").unwrap_or_else(|| "the server".to_owned())
}

/// The scopes that the use needs: as reported, else as the challenge names them (RFC 6750 §3).
fn scope_required(failure: &Failure<'_>) -> Option<String> {
    failure.known("scope_required").or_else(|| failure.known("www_authenticate_scope"))
}

/// Names of `needed` that are not in `had`, both separated by spaces; `None` when none is missing.
fn missing(needed: &str, had: &str) -> Option<String> {
    let is_missing = |name: &&str| !had.split_ascii_whitespace().any(|have| have == *name);
    let missing: Vec<&str> = needed.split_ascii_whitespace().filter(is_missing).collect();
    (!missing.is_empty()).then(|| missing.join(" "))
}

#[expect(clippy::expect_used, reason = "a constant; the tests of this module use it")]
static NAMED_PERMISSION: LazyLock<Regex> = LazyLock::new(|| {
    const NAME: &str = r#"["'`]?([A-Za-z][\w-]*(?:[.:][A-Za-z][\w-]*)+)["'`]?"#;
    let before = r"(?:permissions?|scopes?|privileges?|lacks?|requires?|needs?|missing)";
    let after = r"(?:permission|scope|privilege|is (?:required|missing|not granted))";
    Regex::new(&format!(r"(?i)\b{before}\b[:=\s]+(?:the\s+)?{NAME}|{NAME}\s+{after}\b")).expect("a sound pattern")
});

/// The permission that a key or token lacks: as reported, else what the use needs and the key has not, else as named in words.
fn permission_missing(failure: &Failure<'_>) -> Option<String> {
    let known = |column: &str| failure.known(column);
    let reported = known("attributes.missing_permission").or_else(|| known("attributes.permission"));
    let lacking = || missing(&scope_required(failure)?, &known("credential_permissions")?);
    let named = || {
        let message = known("message")?;
        let found = NAMED_PERMISSION.captures(&message)?;
        found.get(1).or_else(|| found.get(2)).map(|name| name.as_str().to_owned())
    };
    reported.or_else(lacking).or_else(named)
}

/// The redirect URI to register: the one that was sent, else what a self-hosted gateway is known to send.
fn callback(failure: &Failure<'_>) -> Option<String> {
    let base_url = failure.known("gateway_base_url");
    let is_inside = |url: &str| urls::has_internal_host(url);
    // A client's own loopback address is none of the gateway's.
    let is_the_clients =
        |sent: &String| failure.hop == Hop::Upstream && is_inside(sent) && !base_url.as_deref().is_some_and(is_inside);
    let sent = failure.known("oauth_redirect_uri").filter(|sent| !is_the_clients(sent));
    sent.or_else(|| expected_callback(failure))
}

/// What a self-hosted gateway sends as redirect URI: its base URL followed by a fixed path.
pub(super) fn expected_callback(failure: &Failure<'_>) -> Option<String> {
    if failure.known("gateway_deployment").as_deref() != Some("self_hosted") {
        return None;
    }
    let base = failure.known("gateway_base_url")?;
    let product = failure.product.unwrap_or_default();
    let listed = CALLBACK_PATHS.iter().find(|(name, _)| name.is_empty() || name.eq_ignore_ascii_case(product));
    listed.map(|(_, path)| format!("{}{path}", base.trim_end_matches('/')))
}

/// A number of seconds as people say it.
fn seconds_in_words(seconds: u64) -> String {
    match seconds {
        1 => "1 second".to_owned(),
        0..120 => format!("{seconds} seconds"),
        120..7200 => format!("{} minutes", seconds.div_ceil(60)),
        _ => format!("{} hours", seconds.div_ceil(3600)),
    }
}

fn credential(kind: &str) -> Option<&'static str> {
    use crate::event::CredentialKind;
    Some(match CredentialKind::parse(kind) {
        CredentialKind::ServiceKey => "service key",
        CredentialKind::UserKey => "user key",
        CredentialKind::OAuth => "sign-in at the gateway",
        CredentialKind::Idp => "token of the identity provider",
        CredentialKind::None => "request without a credential",
        CredentialKind::Unknown => return None,
    })
}

fn upstream_auth(kind: &str) -> Option<&'static str> {
    use crate::event::ServerAuth;
    Some(match ServerAuth::parse(kind) {
        ServerAuth::None => "no authentication",
        ServerAuth::Headers => "stored headers",
        ServerAuth::ClientCredentials => "client credentials",
        ServerAuth::OAuthUser => "OAuth of each user",
        ServerAuth::TokenExchange => "token exchange",
        ServerAuth::Passthrough => "the caller's own token",
        ServerAuth::Unknown => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::{ALWAYS_KNOWN, DERIVED, derived};
    use crate::classify::Class;
    use crate::classify::fix::Failure;
    use crate::event::Hop;

    fn value(name: &str, product: Option<&str>, known: &[(&str, &str)]) -> Option<String> {
        let values = |column: &str| known.iter().find(|(key, _)| *key == column).map(|(_, value)| (*value).to_owned());
        let failure =
            Failure { class: Class::MissingPermission, reason: None, hop: Hop::Upstream, product, values: &values };
        derived(name, &failure)
    }

    #[test]
    fn each_is_computed_from_what_is_known() {
        let base = ("gateway_base_url", "https://gw.example/");
        let self_hosted = ("gateway_deployment", "self_hosted");
        type Case<'c> = (&'c str, &'c [(&'c str, &'c str)], Option<&'c str>);
        let cases: [Case<'_>; 20] = [
            (
                "scope_missing",
                &[("scope_granted", "read"), ("scope_required", "read write admin")],
                Some("write admin"),
            ),
            ("scope_missing", &[("scope_granted", "read"), ("www_authenticate_scope", "write")], Some("write")),
            ("scope_missing", &[("scope_granted", "a b"), ("scope_required", "b")], None),
            ("scope_missing", &[("scope_required", "b")], None),
            ("permission_missing", &[("attributes.permission", "mcp.invoke")], Some("mcp.invoke")),
            ("permission_missing", &[("credential_permissions", "a.b"), ("scope_required", "a.b c.d")], Some("c.d")),
            ("permission_missing", &[("message", "key lacks permission 'mcp.invoke' here")], Some("mcp.invoke")),
            ("permission_missing", &[("message", "mcp:servers:read permission is needed")], Some("mcp:servers:read")),
            ("permission_missing", &[("message", "see docs.example.com for help")], None),
            ("callback", &[base, self_hosted], Some("https://gw.example/oauth/upstream-callback")),
            ("callback", &[base, ("gateway_deployment", "saas")], None),
            (
                "callback",
                &[base, self_hosted, ("oauth_redirect_uri", "https://gw.example/cb")],
                Some("https://gw.example/cb"),
            ),
            (
                "callback",
                &[base, self_hosted, ("oauth_redirect_uri", "http://127.0.0.1/callback")],
                Some("https://gw.example/oauth/upstream-callback"),
            ),
            ("retry_after", &[("attributes.retry_after", "90")], Some("90 seconds")),
            ("retry_after", &[("attributes.retry-after", "600")], Some("10 minutes")),
            ("retry_after", &[("attributes.retry_after", "Fri, 27 Nov 2026 10:00:00 GMT")], None),
            ("credential", &[("credential_kind", "service_key")], Some("service key")),
            ("config_newest", &[("config_version", "7"), ("attributes.registry.config_version", "8")], Some("8")),
            ("config_newest", &[("config_version", "8"), ("attributes.registry.config_version", "8")], None),
            (
                "client_reconnect",
                &[("user_agent", "claude-code/3.1"), ("slug", "wiki")],
                Some("In Claude Code: run /mcp, choose wiki, then Reconnect."),
            ),
        ];
        for (name, known, expected) in cases {
            assert_eq!(value(name, None, known).as_deref(), expected, "{name} {known:?}");
        }
    }

    #[test]
    fn a_product_has_its_own_callback() {
        let known = [("gateway_base_url", "https://gw.example"), ("gateway_deployment", "self_hosted")];
        for (product, path) in [("litellm", "/callback"), ("Portkey", "/oauth/upstream-callback")] {
            assert_eq!(value("callback", Some(product), &known), Some(format!("https://gw.example{path}")));
        }
    }

    #[test]
    fn what_is_always_known_is_known_with_nothing() {
        for name in ALWAYS_KNOWN {
            assert!(value(name, None, &[]).is_some_and(|text| !text.is_empty()), "{name}");
        }
        for name in DERIVED {
            assert_eq!(value(name, None, &[]), None, "{name}");
        }
    }
}
