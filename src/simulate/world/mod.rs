//! Who and what exists in a simulation: gateways, workspaces, authorization servers, MCP servers, clients, people.
//!
//! `world.toml` and `servers.toml` hold what is the same in every run; [`people`] adds what the seed decides: which
//! workspace uses which server (an *integration*), its users, their keys and connections.

mod facts;
mod people;

pub use facts::{Facts, Gateway, IdStyle, Issuer, Server, parse};
pub use people::{Connection, People, SERVICE_KEYS, User, running_totals};

use super::dice::Dice;
use super::error::SimulateError;
use super::keyed_hash::KeyedHash;

/// Everything that exists.
pub struct World {
    /// What is the same in every run.
    pub facts: Facts,
    /// What the seed decides.
    pub people: People,
    /// The hashes of the gateways.
    pub keyed_hash: KeyedHash,
}

impl World {
    /// Builds the world of a seed as it is at `start` (microseconds since 1970).
    ///
    /// # Errors
    /// The data files contradict themselves.
    pub fn new(dice: &mut Dice, keyed_hash: KeyedHash, start: u64) -> Result<Self, SimulateError> {
        let facts = Facts::load()?;
        let people = People::gather(&facts, dice, &keyed_hash, start);
        Ok(Self { facts, people, keyed_hash })
    }

    /// The MCP server behind an integration.
    #[must_use]
    pub fn server(&self, integration: usize) -> &Server {
        &self.facts.servers[self.people.integrations[integration].server]
    }

    /// The gateway that serves an integration.
    #[must_use]
    pub fn gateway(&self, integration: usize) -> &Gateway {
        let workspace = self.people.integrations[integration].workspace;
        &self.facts.gateways[self.facts.workspaces[workspace].gateway]
    }

    /// The name of an integration's workspace.
    #[must_use]
    pub fn workspace(&self, integration: usize) -> &str {
        &self.facts.workspaces[self.people.integrations[integration].workspace].name
    }

    /// The authorization server of an integration, where it has one.
    #[must_use]
    pub fn issuer(&self, integration: usize) -> Option<&Issuer> {
        self.server(integration).issuer_index.map(|index| &self.facts.issuers[index])
    }
}
