//! Fills what can be known about an event and records where each value came from.
//!
//! In this order: the path names the slug; the key names the workspace; the registry knows the server; the parts of a
//! connection name the connection. Only missing members are filled, never overwritten. Pure: the registry is a value.
//! What it does not do: join with other events (that happens when a timeline is read), or drop an event.

pub mod path;
pub mod registry;

use std::borrow::Cow;

use crate::event::{Event, EventKind, FieldId, Hop, Origin, Outcome, ServerAuth, Text};
use crate::scrub::FingerprintKey;
use registry::Registry;

/// What enrichment looks things up in.
#[derive(Debug)]
pub struct Enricher {
    /// Registered servers and keys.
    pub registry: Registry,
    /// Key of connection ids.
    pub key: FingerprintKey,
}

impl Enricher {
    /// Fills the missing members of one event; what comes from the registry is borrowed from it.
    pub fn enrich<'a>(&'a self, event: &mut Event<'a>) {
        let before = fill_from_path(event);
        self.fill_from_key(event);
        self.fill_workspace(event, before);
        self.fill_from_server(event);
        self.fill_connection(event);
    }

    fn fill_from_key<'a>(&'a self, event: &mut Event<'a>) {
        let Some(key) = event.credential_key_id.as_deref().and_then(|id| self.registry.key(id)) else { return };
        if let (None, Some(kind)) = (event.credential_kind, key.kind) {
            event.credential_kind = Some(kind);
            event.origins.push((FieldId::credential_kind, Origin::Registry));
        }
        if let (None, Some(workspace)) = (&event.workspace, &key.workspace) {
            event.workspace = Some(Cow::Borrowed(workspace));
            event.origins.push((FieldId::workspace, Origin::Registry));
        }
        // Permissions explain a refusal; on a success they would only be repeated.
        if let (None, Some(permissions), true) = (&event.credential_permissions, &key.permissions, is_failure(event)) {
            event.credential_permissions = Some(permissions.iter().map(|name| Cow::Borrowed(name.as_str())).collect());
            event.origins.push((FieldId::credential_permissions, Origin::Registry));
        }
    }

    /// The segment before the slug is a workspace when the registry has that pair; a slug that only one workspace has is
    /// a guess, and marked as one.
    fn fill_workspace<'a>(&'a self, event: &mut Event<'a>, before: Option<Text<'a>>) {
        if event.workspace.is_some() {
            return;
        }
        let Some(slug) = event.slug.as_deref() else { return };
        let named = before.filter(|workspace| self.registry.server(workspace, slug).is_some());
        let (workspace, origin) = match (named, self.registry.only_workspace_of(slug)) {
            (Some(workspace), _) => (workspace, Origin::Url),
            (None, Some(only)) => (Cow::Borrowed(only), Origin::Inferred),
            (None, None) => return,
        };
        event.workspace = Some(workspace);
        event.origins.push((FieldId::workspace, origin));
    }

    fn fill_from_server<'a>(&'a self, event: &mut Event<'a>) {
        let (Some(workspace), Some(slug)) = (event.workspace.as_deref(), event.slug.as_deref()) else { return };
        let Some(server) = self.registry.server(workspace, slug) else { return };
        let failed = is_failure(event);
        if let (None, Some(server_auth)) = (event.server_auth, server.server_auth) {
            event.server_auth = Some(server_auth);
            event.origins.push((FieldId::server_auth, Origin::Registry));
        }
        let mut fill = |field: FieldId, value: &mut Option<Text<'a>>, known: &'a Option<String>| {
            if let (None, Some(known)) = (&*value, known) {
                *value = Some(Cow::Borrowed(known));
                event.origins.push((field, Origin::Registry));
            }
        };
        fill(FieldId::server_url, &mut event.server_url, &server.url);
        fill(FieldId::oauth_issuer, &mut event.oauth_issuer, &server.issuer);
        if event.resource_advertised.is_some() {
            fill(FieldId::resource_registered, &mut event.resource_registered, &server.url);
        }
        if failed {
            fill(FieldId::scope_configured, &mut event.scope_configured, &server.scopes);
        }
        // The version in force is told beside the version that served, never in its place.
        if let (Some(served), Some(newest)) = (&event.config_version, &server.config_version)
            && served != newest
        {
            event.attributes.push((Cow::Borrowed("registry.config_version"), Cow::Borrowed(newest)));
        }
    }

    /// A connection is (workspace, slug, user or shared, issuer); without a known issuer the id would differ from the
    /// one a gateway computes, so it is left unknown.
    fn fill_connection(&self, event: &mut Event<'_>) {
        if event.connection_id.is_some() || !concerns_connection(event) {
            return;
        }
        let shared = matches!(event.server_auth, Some(ServerAuth::ClientCredentials));
        let user = event.user_id.as_deref().filter(|_| !shared);
        let (Some(workspace), Some(slug), Some(issuer)) =
            (event.workspace.as_deref(), event.slug.as_deref(), event.oauth_issuer.as_deref())
        else {
            return;
        };
        if user.is_none() && !shared {
            return;
        }
        event.connection_id = Some(Cow::Owned(self.key.connection_id(workspace, slug, user, Some(issuer))));
        event.origins.push((FieldId::connection_id, Origin::Connection));
    }
}

/// The slug from the path; returns the segment before it. Neither is looked for when both names are known.
fn fill_from_path<'a>(event: &mut Event<'a>) -> Option<Text<'a>> {
    if event.slug.is_some() && event.workspace.is_some() {
        return None;
    }
    let (slug, before) = match event.url_path.as_ref()? {
        Cow::Borrowed(path) => {
            let names = path::names_in(path)?;
            (Cow::Borrowed(names.slug), names.before.map(Cow::Borrowed))
        }
        Cow::Owned(path) => {
            let names = path::names_in(path)?;
            (Cow::Owned(names.slug.to_owned()), names.before.map(|before| Cow::Owned(before.to_owned())))
        }
    };
    if event.slug.is_none() {
        event.slug = Some(slug);
        event.origins.push((FieldId::slug, Origin::Url));
    }
    before
}

fn is_failure(event: &Event<'_>) -> bool {
    event.outcome != Some(Outcome::Success)
}

fn concerns_connection(event: &Event<'_>) -> bool {
    match event.kind {
        EventKind::Token | EventKind::Refresh | EventKind::Connection | EventKind::StepUp => true,
        EventKind::CallCompleted => {
            event.hop == Some(Hop::Upstream)
                && matches!(
                    event.server_auth,
                    Some(ServerAuth::OAuthUser | ServerAuth::ClientCredentials | ServerAuth::TokenExchange)
                )
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use chrono::DateTime;

    use super::Enricher;
    use super::registry::Registry;
    use crate::decode::registry::{Key, RegistryRecord, Server};
    use crate::event::{CredentialKind, Event, FieldId, Origin, Outcome, ServerAuth};
    use crate::scrub::FingerprintKey;

    fn enricher() -> Enricher {
        let mut registry = Registry::default();
        for (workspace, slug) in [("acme", "wiki"), ("acme", "mail"), ("globex", "mail")] {
            registry.apply(RegistryRecord::Server(Server {
                workspace: workspace.to_owned(),
                slug: slug.to_owned(),
                url: Some("https://mcp.example/mcp".to_owned()),
                server_auth: Some(ServerAuth::OAuthUser),
                issuer: Some("https://idp.example".to_owned()),
                scopes: Some("read".to_owned()),
                config_version: Some("8".to_owned()),
            }));
        }
        registry.apply(RegistryRecord::Key(Key {
            key_id: "k1".to_owned(),
            kind: Some(CredentialKind::ServiceKey),
            workspace: Some("globex".to_owned()),
            permissions: Some(vec!["mcp.invoke".to_owned()]),
        }));
        Enricher { registry, key: FingerprintKey::new(b"test") }
    }

    fn event<'a>(type_name: &'static str) -> Event<'a> {
        let mut event =
            Event::new(Cow::Borrowed("e"), Cow::Borrowed("s"), Cow::Borrowed(type_name), DateTime::UNIX_EPOCH);
        event.outcome = Some(Outcome::Failure);
        event
    }

    #[test]
    fn slug_from_the_path_and_workspace_from_the_key() {
        let enricher = enricher();
        let mut event = event("mcp.auth.credential");
        event.url_path = Some(Cow::Borrowed("/mail/mcp"));
        event.credential_key_id = Some(Cow::Borrowed("k1"));
        enricher.enrich(&mut event);
        assert_eq!((event.slug.as_deref(), event.workspace.as_deref()), (Some("mail"), Some("globex")));
        assert_eq!(event.credential_kind, Some(CredentialKind::ServiceKey));
        assert_eq!(event.server_auth, Some(ServerAuth::OAuthUser));
        assert_eq!(event.origin_of(FieldId::slug), Some(Origin::Url));
        assert_eq!(event.origin_of(FieldId::workspace), Some(Origin::Registry));
        assert_eq!(event.origin_of(FieldId::outcome), Some(Origin::Event));
    }

    #[test]
    fn a_workspace_before_the_slug_counts_only_when_registered() {
        let enricher = enricher();
        for (path, workspace, origin) in [
            ("/globex/mail/mcp", Some("globex"), Some(Origin::Url)),
            ("/nowhere/mail/mcp", None, None),
            ("/nowhere/wiki/mcp", Some("acme"), Some(Origin::Inferred)),
        ] {
            let mut event = event("mcp.auth.credential");
            event.url_path = Some(Cow::Borrowed(path));
            enricher.enrich(&mut event);
            assert_eq!(
                (event.workspace.as_deref(), event.origin_of(FieldId::workspace)),
                (workspace, origin),
                "{path}"
            );
        }
    }

    #[test]
    fn what_the_event_says_is_never_overwritten() {
        let enricher = enricher();
        let mut event = event("mcp.auth.credential");
        event.url_path = Some(Cow::Borrowed("/mail/mcp"));
        event.slug = Some(Cow::Borrowed("wiki"));
        event.workspace = Some(Cow::Borrowed("acme"));
        event.server_auth = Some(ServerAuth::Headers);
        event.config_version = Some(Cow::Borrowed("7"));
        enricher.enrich(&mut event);
        assert_eq!((event.slug.as_deref(), event.server_auth), (Some("wiki"), Some(ServerAuth::Headers)));
        assert_eq!(event.config_version.as_deref(), Some("7"));
        assert_eq!(event.attribute("registry.config_version"), Some("8"));
    }

    #[test]
    fn a_refresh_without_a_connection_gets_the_one_its_parts_name() {
        let enricher = enricher();
        let mut event = event("mcp.auth.refresh");
        (event.workspace, event.slug, event.user_id) =
            (Some(Cow::Borrowed("acme")), Some(Cow::Borrowed("wiki")), Some(Cow::Borrowed("u1")));
        enricher.enrich(&mut event);
        let expected = enricher.key.connection_id("acme", "wiki", Some("u1"), Some("https://idp.example"));
        assert_eq!(event.connection_id.as_deref(), Some(expected.as_str()));
        assert_eq!(event.origin_of(FieldId::connection_id), Some(Origin::Connection));
    }

    #[test]
    fn without_a_registry_nothing_is_guessed() {
        let enricher = Enricher { registry: Registry::default(), key: FingerprintKey::new(b"test") };
        let mut event = event("mcp.auth.refresh");
        event.url_path = Some(Cow::Borrowed("/wiki/mcp"));
        enricher.enrich(&mut event);
        assert_eq!(
            (event.slug.as_deref(), event.workspace.as_deref(), event.connection_id.as_deref()),
            (Some("wiki"), None, None)
        );
    }
}
