//! The part of the world that is the same in every run, read from the embedded `world.toml` and `servers.toml`.
//!
//! All names must be plain ASCII without quotes and backslashes: they are written into JSON as they are.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::simulate::error::SimulateError;

/// What exists in every run.
pub struct Facts {
    /// Gateway products, with what they leave out of their events.
    pub products: Vec<Product>,
    /// Deployed gateways.
    pub gateways: Vec<Gateway>,
    /// Workspaces, each served by one gateway.
    pub workspaces: Vec<Workspace>,
    /// Authorization servers.
    pub issuers: Vec<Issuer>,
    /// MCP servers.
    pub servers: Vec<Server>,
    /// Client families.
    pub clients: Vec<Client>,
}

/// A gateway product.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Product {
    /// Its name, as in `gateway.product`.
    pub name: String,
    /// Members it does not send: `step.path` or `*.path`.
    pub omit: Vec<String>,
}

/// How a gateway writes its ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdStyle {
    /// `UUIDv7` of the event's time (RFC 9562).
    Uuid7,
    /// 32 hexadecimal digits.
    Hex,
    /// `req_` and digits.
    Prefixed,
    /// The instance's name and a running number.
    Counter,
}

/// A deployed gateway.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gateway {
    /// Name of its product.
    pub product: String,
    /// Version of the product.
    pub version: String,
    /// `saas` or `self_hosted`.
    pub deployment: String,
    /// The start of its `CloudEvents` source.
    pub source: String,
    /// Its replicas.
    pub instances: Vec<String>,
    /// The address it should advertise.
    pub base_url: String,
    /// How it writes request ids.
    pub request_ids: IdStyle,
    /// How it writes event ids.
    pub event_ids: IdStyle,
    /// Per cent of its requests that carry a trace.
    pub traced_percent: u64,
    /// The workspaces it serves.
    pub workspaces: Vec<String>,
    /// Position of the product in [`Facts::products`].
    #[serde(skip)]
    pub product_index: usize,
}

/// A workspace.
pub struct Workspace {
    /// Its name.
    pub name: String,
    /// Position of its gateway in [`Facts::gateways`].
    pub gateway: usize,
}

/// An authorization server.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Issuer {
    /// Its name in the data files.
    pub name: String,
    /// Whose manners it has: `entra`, `okta`, …
    pub kind: String,
    /// The issuer URL.
    pub url: String,
    /// Whether a refresh gives a new refresh token.
    pub rotates: bool,
    /// Lifetime of its access tokens, seconds.
    pub access_seconds: u64,
}

/// An MCP server.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Its name in the URL of the gateway.
    pub slug: String,
    /// Its host.
    pub host: String,
    /// How gateways authenticate to it (`server_auth`).
    pub auth: String,
    /// Name of its authorization server; empty when it has none.
    pub issuer: String,
    /// How gateways became clients of that server; empty when it has none.
    pub registration: String,
    /// Scopes on use, space-separated (RFC 6749 §3.3).
    pub scopes: String,
    /// Its tools.
    pub tools: Vec<String>,
    /// How much it is used, relative to the others.
    pub weight: u64,
    /// Position of the authorization server in [`Facts::issuers`].
    #[serde(skip)]
    pub issuer_index: Option<usize>,
}

/// A client family.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// Its name.
    pub name: String,
    /// Versions in use.
    pub versions: Vec<String>,
    /// Its user agent, with `{version}`.
    pub user_agent: String,
    /// The MCP revision it speaks.
    pub protocol: String,
    /// How many use it, relative to the others.
    pub weight: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WorldFile {
    product: Vec<Product>,
    gateway: Vec<Gateway>,
    issuer: Vec<Issuer>,
    client: Vec<Client>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ServersFile {
    server: Vec<Server>,
}

/// Parses an embedded data file.
///
/// # Errors
/// It does not parse.
pub fn parse<T: DeserializeOwned>(file: &'static str, text: &str) -> Result<T, SimulateError> {
    toml::from_str(text).map_err(|source| SimulateError::Data { file, source: Box::new(source) })
}

impl Facts {
    /// Reads the embedded files and resolves the names in them.
    ///
    /// # Errors
    /// A file does not parse, a name is unknown, or a name cannot stand in JSON as it is.
    pub fn load() -> Result<Self, SimulateError> {
        let world_text = include_str!("world.toml");
        let servers_text = include_str!("servers.toml");
        let world: WorldFile = parse("world.toml", world_text)?;
        let servers: ServersFile = parse("servers.toml", servers_text)?;
        let mut facts = Self {
            products: world.product,
            gateways: world.gateway,
            workspaces: Vec::new(),
            issuers: world.issuer,
            servers: servers.server,
            clients: world.client,
        };
        facts.resolve_gateways()?;
        facts.resolve_servers()?;
        Ok(facts)
    }

    fn resolve_gateways(&mut self) -> Result<(), SimulateError> {
        for (index, gateway) in self.gateways.iter_mut().enumerate() {
            let product = self.products.iter().position(|product| product.name == gateway.product);
            gateway.product_index = product.ok_or_else(|| unknown("product", &gateway.product))?;
            require_plain(&gateway.base_url)?;
            for name in &gateway.workspaces {
                require_plain(name)?;
                self.workspaces.push(Workspace { name: name.clone(), gateway: index });
            }
        }
        Ok(())
    }

    fn resolve_servers(&mut self) -> Result<(), SimulateError> {
        for server in &mut self.servers {
            for text in [&server.slug, &server.host, &server.scopes].into_iter().chain(&server.tools) {
                require_plain(text)?;
            }
            if server.issuer.is_empty() {
                continue;
            }
            let issuer = self.issuers.iter().position(|issuer| issuer.name == server.issuer);
            server.issuer_index = Some(issuer.ok_or_else(|| unknown("issuer", &server.issuer))?);
        }
        Ok(())
    }
}

fn unknown(what: &str, name: &str) -> SimulateError {
    SimulateError::World(format!("no {what} is called `{name}`"))
}

/// Names are written between quotes without escaping; this makes sure that they may.
fn require_plain(text: &str) -> Result<(), SimulateError> {
    let plain = text.bytes().all(|byte| matches!(byte, 0x20..=0x7e) && byte != b'"' && byte != b'\\');
    if plain { Ok(()) } else { Err(SimulateError::World(format!("`{text}` needs escaping in JSON"))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_files_are_sound() {
        let facts = Facts::load().unwrap();
        assert_eq!(facts.workspaces.len(), 12);
        assert_eq!(facts.servers.len(), 40);
        let hosts = facts.servers.iter().map(|server| server.host.as_str());
        assert!(hosts.into_iter().all(|host| host.ends_with(".example")));
    }

    #[test]
    fn names_that_need_escaping_are_refused() {
        for (text, accepted) in [("plain name", true), ("a\"b", false), ("a\\b", false), ("é", false), ("\n", false)] {
            assert_eq!(require_plain(text).is_ok(), accepted, "{text:?}");
        }
    }
}
