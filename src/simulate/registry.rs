//! The facts that gateways publish on the registry topic before anything happens: servers and keys.

use super::cast::Credential;
use super::record::{Record, RecordKind};
use super::text::{TimeWriter, push_number};
use super::world::{SERVICE_KEYS, World};

/// What keys of users may do.
const USER_PERMISSIONS: &str = "\"mcp.invoke\",\"mcp.servers.read\"";
/// What keys of services may do.
const SERVICE_PERMISSIONS: &str = "\"mcp.invoke\"";

/// Writes the records one after the other.
pub struct Registry {
    time: u64,
    position: usize,
}

impl Registry {
    /// Facts as of `time`, microseconds since 1970.
    #[must_use]
    pub fn new(time: u64) -> Self {
        Self { time, position: 0 }
    }

    /// Writes the next fact; false when all are told.
    pub fn next_record(&mut self, world: &World, times: &mut TimeWriter, record: &mut Record) -> bool {
        let people = &world.people;
        let servers = people.integrations.len();
        let service_keys = world.facts.workspaces.len() * SERVICE_KEYS_PER_WORKSPACE;
        let position = self.position;
        let mut line = Line { times, time: self.time, position, record };
        if position < servers {
            line.server(world, position);
        } else if position < servers + service_keys {
            let number = position - servers;
            let workspace = &world.facts.workspaces[number / SERVICE_KEYS_PER_WORKSPACE].name;
            let key_id = format!("sk_{workspace}_{}", 1 + number % SERVICE_KEYS_PER_WORKSPACE);
            line.key(&key_id, Credential::ServiceKey, workspace, SERVICE_PERMISSIONS);
        } else if let Some(user) = people.users.get(position - servers - service_keys) {
            let workspace = &world.facts.workspaces[user.workspace].name;
            line.key(&format!("uk_{}", user.id), Credential::UserKey, workspace, USER_PERMISSIONS);
        } else {
            return false;
        }
        record.kind = RecordKind::Registry;
        record.time = self.time;
        self.position += 1;
        true
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a handful")]
const SERVICE_KEYS_PER_WORKSPACE: usize = SERVICE_KEYS as usize;

struct Line<'a> {
    times: &'a mut TimeWriter,
    time: u64,
    position: usize,
    record: &'a mut Record,
}

impl Line<'_> {
    fn text(&mut self, parts: &[&str]) {
        for part in parts {
            self.record.value.extend_from_slice(part.as_bytes());
        }
    }

    fn envelope(&mut self, event_type: &str) {
        self.text(&["{\"specversion\":\"1.0\",\"id\":\"fact-"]);
        push_number(&mut self.record.value, self.position as u64);
        self.text(&["\",\"source\":\"//registry/simulated\",\"type\":\"", event_type, "\",\"time\":\""]);
        self.times.push(&mut self.record.value, self.time);
        self.text(&["\",\"data\":{"]);
    }

    fn server(&mut self, world: &World, integration: usize) {
        let server = world.server(integration);
        let workspace = world.workspace(integration);
        self.envelope("mcp.registry.server");
        self.text(&["\"workspace\":\"", workspace, "\",\"slug\":\"", &server.slug]);
        self.text(&["\",\"url\":\"https://", &server.host, "/mcp\",\"server_auth\":\"", &server.auth, "\""]);
        if let Some(issuer) = world.issuer(integration) {
            self.text(&[",\"issuer\":\"", &issuer.url, "\""]);
        }
        self.text(&[",\"scopes\":["]);
        for (position, scope) in server.scopes.split_ascii_whitespace().enumerate() {
            self.text(&[if position == 0 { "\"" } else { ",\"" }, scope, "\""]);
        }
        self.text(&["],\"config_version\":"]);
        push_number(&mut self.record.value, world.people.integrations[integration].config_version);
        self.text(&["}}"]);
        self.record.key.extend_from_slice(format!("server/{workspace}/{}", server.slug).as_bytes());
    }

    fn key(&mut self, key_id: &str, kind: Credential, workspace: &str, permissions: &str) {
        self.envelope("mcp.registry.key");
        self.text(&["\"key_id\":\"", key_id, "\",\"kind\":\"", kind.name(), "\",\"workspace\":\"", workspace]);
        self.text(&["\",\"permissions\":[", permissions, "]}}"]);
        self.record.key.extend_from_slice(format!("key/{key_id}").as_bytes());
    }
}
