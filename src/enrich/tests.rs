//! What path, key, registry and the parts of a connection fill, and what they leave alone.

use std::borrow::Cow;

use chrono::DateTime;

use super::Enricher;
use super::memory::Memory;
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
    let mut event = Event::new(Cow::Borrowed("e"), Cow::Borrowed("s"), Cow::Borrowed(type_name), DateTime::UNIX_EPOCH);
    event.outcome = Some(Outcome::Failure);
    event
}

#[test]
fn slug_from_the_path_and_workspace_from_the_key() {
    let enricher = enricher();
    let mut event = event("mcp.auth.credential");
    event.url_path = Some(Cow::Borrowed("/mail/mcp"));
    event.credential_key_id = Some(Cow::Borrowed("k1"));
    enricher.enrich(&mut Memory::default(), &mut event);
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
        enricher.enrich(&mut Memory::default(), &mut event);
        assert_eq!((event.workspace.as_deref(), event.origin_of(FieldId::workspace)), (workspace, origin), "{path}");
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
    enricher.enrich(&mut Memory::default(), &mut event);
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
    enricher.enrich(&mut Memory::default(), &mut event);
    let expected = enricher.key.connection_id("acme", "wiki", Some("u1"), Some("https://idp.example"));
    assert_eq!(event.connection_id.as_deref(), Some(expected.as_str()));
    assert_eq!(event.origin_of(FieldId::connection_id), Some(Origin::Connection));
}

#[test]
fn without_a_registry_nothing_is_guessed() {
    let enricher = Enricher { registry: Registry::default(), key: FingerprintKey::new(b"test") };
    let mut event = event("mcp.auth.refresh");
    event.url_path = Some(Cow::Borrowed("/wiki/mcp"));
    enricher.enrich(&mut Memory::default(), &mut event);
    assert_eq!(
        (event.slug.as_deref(), event.workspace.as_deref(), event.connection_id.as_deref()),
        (Some("wiki"), None, None)
    );
}
