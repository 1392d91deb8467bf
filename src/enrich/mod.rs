//! Fills what can be known about an event and records where each value came from.
//!
//! In this order: the path names the slug; the key names the workspace; events of the same sign-in, connection and trace
//! tell what they have told; the registry knows the server; the parts of a connection name the connection; and what only
//! circumstances suggest comes last, marked as `inferred`. Only missing members are filled, never overwritten, and what is
//! contradicted stays unknown. Pure: registry and memory are values, times are those of the events.
//! What it does not do: ask the store (late facts are joined when a timeline is read), or drop an event.

pub mod memory;
pub mod path;
pub mod registry;

use std::borrow::Cow;

use crate::event::{Event, EventKind, FieldId, Hop, Origin, Outcome, ServerAuth, Text};
use crate::scrub::FingerprintKey;
use memory::Memory;
use path::{Form, is_uuid, names_in};
use registry::Registry;

/// Attribute of a failed event that names a UUID where a slug belongs; the rule `server.uuid` reads it.
const PATH_FORM: &str = "path_form";

/// What enrichment looks things up in.
#[derive(Debug)]
pub struct Enricher {
    /// Registered servers and keys.
    pub registry: Registry,
    /// Key of connection ids.
    pub key: FingerprintKey,
}

impl Enricher {
    /// Fills the missing members of one event, and remembers what it says; what comes from the registry is borrowed from it.
    pub fn enrich<'a>(&'a self, memory: &mut Memory, event: &mut Event<'a>) {
        let before = self.fill_from_path(event);
        self.fill_from_key(event);
        self.fill_named_workspace(event, before);
        memory.fill(event);
        self.fill_from_server(event);
        self.fill_connection(event);
        memory.fill_request_of_refresh(event);
        memory.guess(event);
        self.guess_workspace(event);
        self.mark_uuid(event);
        memory.note(event);
    }

    /// The slug from the path; returns the segment before it. Neither is looked for when both names are known.
    fn fill_from_path<'a>(&self, event: &mut Event<'a>) -> Option<Text<'a>> {
        if event.slug.is_some() && event.workspace.is_some() {
            return None;
        }
        let (slug, before, form) = paths_of(event).into_iter().flatten().find_map(|(path, kind)| match path {
            Cow::Borrowed(path) => {
                let names = names_in(kind.path_in(path))?;
                Some((decoded(names.slug)?, names.before.and_then(decoded), names.form))
            }
            Cow::Owned(path) => {
                let names = names_in(kind.path_in(path))?;
                let owned = |name| Some(Cow::Owned(decoded(name)?.into_owned()));
                Some((owned(names.slug)?, names.before.and_then(owned), names.form))
            }
        })?;
        if form == Form::Perhaps && !self.registry.knows_slug(&slug) {
            return None;
        }
        if event.slug.is_none() {
            event.slug = Some(slug);
            event.origins.push((FieldId::slug, Origin::Url));
        }
        before
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

    /// The segment before the slug is a workspace when the registry has that pair.
    fn fill_named_workspace<'a>(&self, event: &mut Event<'a>, before: Option<Text<'a>>) {
        let (None, Some(slug), Some(workspace)) = (&event.workspace, event.slug.as_deref(), before) else { return };
        if self.registry.server(&workspace, slug).is_some() {
            event.workspace = Some(workspace);
            event.origins.push((FieldId::workspace, Origin::Url));
        }
    }

    /// A slug that only one workspace has is a guess, and marked as one.
    fn guess_workspace<'a>(&'a self, event: &mut Event<'a>) {
        let (None, Some(slug)) = (&event.workspace, event.slug.as_deref()) else { return };
        if let Some(only) = self.registry.only_workspace_of(slug) {
            event.workspace = Some(Cow::Borrowed(only));
            event.origins.push((FieldId::workspace, Origin::Inferred));
            self.fill_from_server(event);
            self.fill_connection(event);
        }
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
        let is_guess = |field: FieldId| event.origins.contains(&(field, Origin::Inferred));
        let origin = match is_guess(FieldId::workspace) || is_guess(FieldId::user_id) {
            true => Origin::Inferred,
            false => Origin::Connection,
        };
        event.connection_id = Some(Cow::Owned(self.key.connection_id(workspace, slug, user, Some(issuer))));
        event.origins.push((FieldId::connection_id, origin));
    }

    /// A UUID where a slug belongs explains why no server was found. It stays as it is, and a failed event says so; not
    /// where the gateway routes by id, and not when a server is registered under it.
    fn mark_uuid(&self, event: &mut Event<'_>) {
        let Some(slug) = event.slug.as_deref().filter(|slug| is_uuid(slug)) else { return };
        let by_id = event.url_path.as_deref().and_then(names_in).is_some_and(|names| names.form == Form::Id);
        if by_id || !is_failure(event) || self.registry.knows_slug(slug) || event.attribute(PATH_FORM).is_some() {
            return;
        }
        event.attributes.push((Cow::Borrowed(PATH_FORM), Cow::Borrowed("uuid")));
    }
}

/// What a text that holds a path is.
#[derive(Debug, Clone, Copy)]
enum PathText {
    Path,
    Url,
}

impl PathText {
    /// The path in it.
    fn path_in(self, text: &str) -> &str {
        let Self::Url = self else { return text };
        let behind_scheme = text.split_once("://").map_or("", |(_, rest)| rest);
        behind_scheme.find('/').map_or("", |start| &behind_scheme[start..])
    }
}

/// The texts of an event that hold a path of the gateway: the one that was asked for, and on the hop to the client the
/// documents and the resource that the gateway names as its own.
fn paths_of<'e, 'a>(event: &'e Event<'a>) -> [Option<(&'e Text<'a>, PathText)>; 4] {
    let path = event.url_path.as_ref().map(|path| (path, PathText::Path));
    if path.is_some() || event.hop != Some(Hop::Downstream) {
        return [path, None, None, None];
    }
    let url = |text: &'e Option<Text<'a>>| text.as_ref().map(|text| (text, PathText::Url));
    [
        None,
        url(&event.www_authenticate_resource_metadata),
        url(&event.oauth_metadata_url),
        url(&event.resource_requested),
    ]
}

/// A segment of a path without its percent-encoding (RFC 3986 §2.1); `None` when what it stands for is no name.
fn decoded(segment: &str) -> Option<Cow<'_, str>> {
    let name = percent_encoding::percent_decode_str(segment).decode_utf8().ok()?;
    let is_name = !name.contains(|letter: char| letter == '/' || letter.is_control());
    is_name.then_some(name)
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
mod properties;
#[cfg(test)]
mod tests;
