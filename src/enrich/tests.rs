//! What path, key, registry and the parts of a connection fill, and what they leave alone.

use std::borrow::Cow;

use chrono::DateTime;

use super::Enricher;
use super::memory::Memory;
use super::registry::Registry;
use crate::decode::registry::{Key, RegistryRecord, Server};
use crate::event::{CredentialKind, Event, FieldId, Hop, Origin, Outcome, ServerAuth};
use crate::scrub::FingerprintKey;

/// Lives as long as the process, since what it fills is borrowed from it.
fn enricher() -> &'static Enricher {
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
    of(registry)
}

fn of(registry: Registry) -> &'static Enricher {
    Box::leak(Box::new(Enricher { registry, key: FingerprintKey::new(b"test") }))
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
fn what_the_gateway_names_as_its_own_tells_the_slug_on_the_hop_to_the_client() {
    let enricher = enricher();
    let document = "https://gw.example/.well-known/oauth-protected-resource/wiki/mcp";
    type Change = fn(&mut Event<'static>, &'static str);
    let cases: [(Hop, Change, &str, Option<&str>); 6] = [
        (
            Hop::Downstream,
            |event, url| event.www_authenticate_resource_metadata = Some(url.into()),
            document,
            Some("wiki"),
        ),
        (Hop::Downstream, |event, url| event.oauth_metadata_url = Some(url.into()), document, Some("wiki")),
        (
            Hop::Downstream,
            |event, url| event.resource_requested = Some(url.into()),
            "https://gw.example/wiki/mcp",
            Some("wiki"),
        ),
        (
            Hop::Downstream,
            |event, url| event.resource_requested = Some(url.to_owned().into()),
            "https://gw.example",
            None,
        ),
        (Hop::Downstream, |event, url| event.resource_requested = Some(url.into()), "/wiki/mcp", None),
        // There it is the other side's.
        (Hop::Upstream, |event, url| event.oauth_metadata_url = Some(url.into()), document, None),
    ];
    for (hop, change, url, expected) in cases {
        let mut event = event("mcp.auth.challenge");
        event.hop = Some(hop);
        change(&mut event, url);
        enricher.enrich(&mut Memory::default(), &mut event);
        assert_eq!(event.slug.as_deref(), expected, "{hop:?} {url}");
    }
}

#[test]
fn a_path_that_may_name_something_else_needs_the_registry() {
    let enricher = enricher();
    for (path, expected) in [
        ("/oauth/callback/wiki", Some("wiki")),
        ("/oauth/callback/google", None),
        ("/v1/mcp-integrations/mail", Some("mail")),
        ("/wiki/authorize", Some("wiki")),
        ("/w%69ki/mcp", Some("wiki")),
        ("/wi%2Fki/mcp", None),
        ("/wi%00ki/mcp", None),
    ] {
        for path in [Cow::Borrowed(path), Cow::Owned(path.to_owned())] {
            let mut event = event("mcp.auth.callback");
            event.url_path = Some(path.clone());
            enricher.enrich(&mut Memory::default(), &mut event);
            assert_eq!(event.slug.as_deref(), expected, "{path:?}");
        }
    }
}

#[test]
fn a_uuid_in_place_of_a_slug_is_said_of_a_failure_that_no_id_explains() {
    let uuid = "566bba15-4042-4098-a740-48793eecba8f";
    let by_path = |path: &str| -> Event<'static> {
        let mut event = event("mcp.request.rejected");
        event.url_path = Some(Cow::Owned(path.replace("ID", uuid)));
        event
    };
    let mut by_slug = event("mcp.request.rejected");
    by_slug.slug = Some(Cow::Borrowed(uuid));
    let mut succeeded = by_path("/ID/mcp");
    succeeded.outcome = Some(Outcome::Success);
    for (name, mut event, expected) in [
        ("in the path", by_path("/ID/mcp"), Some("uuid")),
        ("as the slug", by_slug, Some("uuid")),
        ("where the gateway routes by id", by_path("/servers/ID/mcp"), None),
        ("it was found", succeeded, None),
        ("a slug", by_path("/wiki/mcp"), None),
    ] {
        let enricher = of(Registry::default());
        enricher.enrich(&mut Memory::default(), &mut event);
        assert_eq!(event.attribute("path_form"), expected, "{name}");
    }
    let mut known = Registry::default();
    known.apply(RegistryRecord::Server(Server {
        workspace: "acme".to_owned(),
        slug: uuid.to_owned(),
        url: None,
        server_auth: None,
        issuer: None,
        scopes: None,
        config_version: None,
    }));
    let mut registered = by_path("/ID/mcp");
    of(known).enrich(&mut Memory::default(), &mut registered);
    assert_eq!((registered.attribute("path_form"), registered.workspace.as_deref()), (None, Some("acme")));
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
    let enricher = of(Registry::default());
    let mut event = event("mcp.auth.refresh");
    event.url_path = Some(Cow::Borrowed("/wiki/mcp"));
    enricher.enrich(&mut Memory::default(), &mut event);
    assert_eq!(
        (event.slug.as_deref(), event.workspace.as_deref(), event.connection_id.as_deref()),
        (Some("wiki"), None, None)
    );
}
