//! What a story needs in order to happen: which server, issuer, gateway and caller.

use serde::Deserialize;

use crate::simulate::world::World;

/// Conditions on the scene; an empty list allows everything.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Need {
    /// `server_auth` of the server.
    pub auth: Vec<String>,
    /// Kind of the issuer.
    pub issuer: Vec<String>,
    /// How the gateway became a client of the issuer.
    pub registration: Vec<String>,
    /// Product of the gateway.
    pub product: Vec<String>,
    /// Deployment of the gateway.
    pub deployment: Vec<String>,
    /// Slug of the server.
    pub server: Vec<String>,
    /// Kinds of credential of the caller.
    pub credential: Vec<String>,
    /// Whether the issuer rotates refresh tokens.
    pub rotates: Option<bool>,
    /// Who calls.
    pub actor: Actor,
    /// Which slug is in the URL.
    pub slug: SlugStyle,
}

/// Who calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// A user; on servers that need none, sometimes a service key.
    #[default]
    Any,
    /// A user.
    User,
    /// A service key.
    Service,
    /// Nobody that the gateway knows.
    Anonymous,
}

/// Which slug is in the URL.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SlugStyle {
    /// The registered one.
    #[default]
    Registered,
    /// A misspelt one.
    Typo,
    /// A UUID instead.
    Uuid,
    /// One that is no longer registered.
    Retired,
}

impl Need {
    /// Whether the story can happen at an integration.
    #[must_use]
    pub fn allows(&self, world: &World, integration: usize) -> bool {
        let server = world.server(integration);
        let gateway = world.gateway(integration);
        let issuer = world.issuer(integration);
        let inhabited = !world.people.integrations[integration].connections.is_empty();
        inhabited
            && listed(&self.auth, &server.auth)
            && listed(&self.registration, &server.registration)
            && listed(&self.product, &gateway.product)
            && listed(&self.deployment, &gateway.deployment)
            && listed(&self.server, &server.slug)
            && listed(&self.issuer, issuer.map_or("", |issuer| issuer.kind.as_str()))
            && self.rotates.is_none_or(|rotates| issuer.is_some_and(|issuer| issuer.rotates == rotates))
    }

    /// Whether a product can tell the story.
    #[must_use]
    pub fn allows_product(&self, product: &str) -> bool {
        listed(&self.product, product)
    }
}

fn listed(allowed: &[String], value: &str) -> bool {
    allowed.is_empty() || allowed.iter().any(|entry| entry == value)
}
