//! What goes into the blanks of an event: the facts of the world as the gateway would know them at that moment.

use super::cast::{Cast, Credential};
use super::dice::Dice;
use super::slot::Slot;
use super::template::Fill;
use super::text::{TimeWriter, push_hex, push_milliseconds, push_number, push_uuid_v4};
use super::world::{Connection, User, World};

const SECOND: u64 = 1_000_000;

/// Fills the blanks of one event.
pub struct Teller<'a> {
    /// Everything that exists.
    pub world: &'a World,
    /// The players.
    pub cast: &'a Cast,
    /// The one source of chance.
    pub dice: &'a mut Dice,
    /// Writes times.
    pub times: &'a mut TimeWriter,
    /// The request that the event belongs to, from 1; 0: none.
    pub request: usize,
    /// The event's time, microseconds since 1970.
    pub now: u64,
    /// When the event before it happened.
    pub previous: u64,
}

impl Teller<'_> {
    fn user(&self) -> Option<&User> {
        self.cast.user.map(|index| &self.world.people.users[index])
    }

    fn connection(&self) -> Option<&Connection> {
        self.cast.connection.map(|index| &self.world.people.connections[index])
    }

    fn issuer_url(&self) -> &str {
        self.world.issuer(self.cast.integration).map_or("", |issuer| issuer.url.as_str())
    }

    fn issuer_rotates(&self) -> bool {
        self.world.issuer(self.cast.integration).is_some_and(|issuer| issuer.rotates)
    }

    fn request_id(&self, number: usize) -> &[u8] {
        match number.checked_sub(1) {
            Some(index) => self.cast.requests[index].as_bytes(),
            None => &[],
        }
    }

    fn request_began(&self) -> u64 {
        match self.request.checked_sub(1) {
            Some(index) => self.cast.request_started[index],
            None => self.previous,
        }
    }

    fn push_gateway(&self, out: &mut Vec<u8>) {
        let gateway = self.world.gateway(self.cast.integration);
        push_all(
            out,
            &[
                "{\"product\":\"",
                &gateway.product,
                "\",\"version\":\"",
                &gateway.version,
                "\",\"instance\":\"",
                &gateway.instances[self.cast.instance],
                "\",\"deployment\":\"",
                &gateway.deployment,
                "\",\"base_url\":\"",
                &gateway.base_url,
                "\"}",
            ],
        );
    }

    fn push_client(&self, out: &mut Vec<u8>) {
        let (family, version) = self.cast.client;
        let client = &self.world.facts.clients[family];
        push_all(
            out,
            &["{\"name\":\"", &client.name, "\",\"version\":\"", &client.versions[version], "\",\"address\":\"10.20."],
        );
        // A user keeps an address; the addresses of others follow the telling.
        let host = self.cast.user.map_or(self.cast.mark, |user| user as u64);
        push_number(out, host / 250 % 250);
        out.push(b'.');
        push_number(out, 1 + host % 250);
        out.extend_from_slice(b"\"}");
    }

    fn push_user_agent(&self, out: &mut Vec<u8>) {
        let (family, version) = self.cast.client;
        let client = &self.world.facts.clients[family];
        match client.user_agent.split_once("{version}") {
            Some((before, after)) => push_all(out, &[before, &client.versions[version], after]),
            None => out.extend_from_slice(client.user_agent.as_bytes()),
        }
    }

    fn push_credential(&self, out: &mut Vec<u8>) {
        let kind = self.cast.credential;
        push_all(out, &["{\"kind\":\"", kind.name(), "\",\"sent\":"]);
        out.extend_from_slice(if kind == Credential::None { b"false" } else { b"true" });
        if !self.cast.key_id.is_empty() {
            out.extend_from_slice(b",\"key_id\":\"");
            out.extend_from_slice(self.cast.key_id.as_bytes());
            out.push(b'"');
        }
        out.push(b'}');
    }

    fn push_scope(&self, out: &mut Vec<u8>, choose: fn(&str) -> &str) {
        let scopes = &self.world.server(self.cast.integration).scopes;
        out.extend_from_slice(choose(scopes).as_bytes());
    }

    fn push_age(&self, out: &mut Vec<u8>, since: fn(&Connection) -> u64) {
        if let Some(connection) = self.connection() {
            push_number(out, self.now.saturating_sub(since(connection)) / SECOND);
        }
    }

    fn push_fingerprint(&self, out: &mut Vec<u8>, slot: Slot) {
        let Some(connection) = self.connection() else {
            return;
        };
        match slot {
            Slot::Access => out.extend_from_slice(&connection.access),
            Slot::Refresh => out.extend_from_slice(&connection.refresh),
            Slot::PreviousRefresh => out.extend_from_slice(&connection.previous_refresh),
            Slot::NextAccess => out.extend_from_slice(&connection.next_tokens(&self.world.keyed_hash).0),
            Slot::NextRefresh => out.extend_from_slice(&connection.next_tokens(&self.world.keyed_hash).1),
            _ => {}
        }
    }

    fn push_other_workspace(&mut self, out: &mut Vec<u8>) {
        let workspaces = &self.world.facts.workspaces;
        let own = self.world.people.integrations[self.cast.integration].workspace;
        let other = (own + 1 + self.dice.index(workspaces.len() - 1)) % workspaces.len();
        out.extend_from_slice(workspaces[other].name.as_bytes());
    }

    fn push_other_user(&mut self, out: &mut Vec<u8>) {
        let users = &self.world.people.integrations[self.cast.integration].users;
        let other = users.start + self.dice.index(users.len());
        out.extend_from_slice(self.world.people.users[other].email.as_bytes());
    }

    fn push_fake_jwt(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"eyJhbGciOiJSUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiJzaW11bGF0ZWQiLCJqdGkiOi");
        for _ in 0..3 {
            push_hex(out, self.dice.bits());
        }
        out.push(b'.');
        for _ in 0..4 {
            push_hex(out, self.dice.bits());
        }
    }
}

fn push_all(out: &mut Vec<u8>, parts: &[&str]) {
    for part in parts {
        out.extend_from_slice(part.as_bytes());
    }
}

/// `https://host:port/path` → `host:port`.
fn host_of(url: &str) -> &str {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    after_scheme.split('/').next().unwrap_or(after_scheme)
}

fn first_word(text: &str) -> &str {
    text.split(' ').next().unwrap_or(text)
}

fn last_word(text: &str) -> &str {
    text.rsplit(' ').next().unwrap_or(text)
}

impl Fill for Teller<'_> {
    fn pick(&mut self, count: usize) -> usize {
        self.dice.index(count)
    }

    fn slot(&mut self, slot: Slot, out: &mut Vec<u8>) {
        let integration = self.cast.integration;
        let server = self.world.server(integration);
        let gateway = self.world.gateway(integration);
        let client = &self.world.facts.clients[self.cast.client.0];
        let text: &str = match slot {
            Slot::User => self.user().map_or("", |user| &user.id),
            Slot::Email => self.user().map_or("", |user| &user.email),
            Slot::Workspace => self.world.workspace(integration),
            Slot::RegisteredSlug => &server.slug,
            Slot::ServerHost => &server.host,
            Slot::Instance => &gateway.instances[self.cast.instance],
            Slot::BaseUrl => &gateway.base_url,
            Slot::BaseHost => host_of(&gateway.base_url),
            Slot::ServerAuth => &server.auth,
            Slot::CredentialKind => self.cast.credential.name(),
            Slot::ClientName => &client.name,
            Slot::Protocol => &client.protocol,
            Slot::Tool => &server.tools[self.cast.tool],
            Slot::Issuer => self.issuer_url(),
            Slot::IssuerHost => host_of(self.issuer_url()),
            Slot::Registration => &server.registration,
            _ => "",
        };
        out.extend_from_slice(text.as_bytes());
        match slot {
            Slot::Request => out.extend_from_slice(self.request_id(self.request)),
            Slot::FirstRequest => out.extend_from_slice(self.request_id(1)),
            Slot::Connection => out.extend_from_slice(self.connection().map_or(&[], |connection| &connection.id)),
            Slot::Flow => out.extend_from_slice(self.cast.flow.as_bytes()),
            Slot::State => out.extend_from_slice(self.cast.state.as_bytes()),
            Slot::Session => push_hex(out, self.cast.mark.rotate_left(17)),
            Slot::OtherUser => self.push_other_user(out),
            Slot::OtherWorkspace => self.push_other_workspace(out),
            Slot::Slug => out.extend_from_slice(self.cast.slug.as_bytes()),
            Slot::ServerUrl => push_all(out, &["https://", &server.host, "/mcp"]),
            Slot::Gateway => self.push_gateway(out),
            Slot::UrlPath => {
                let lead: &[u8] = if gateway.product == "contextforge" { b"/servers/" } else { b"/" };
                out.extend_from_slice(lead);
                out.extend_from_slice(self.cast.slug.as_bytes());
                out.extend_from_slice(b"/mcp");
            }
            Slot::ConfigVersion => push_number(out, self.world.people.integrations[integration].config_version),
            Slot::OldConfigVersion => push_number(out, self.world.people.integrations[integration].config_version - 1),
            Slot::KeyId => out.extend_from_slice(self.cast.key_id.as_bytes()),
            Slot::Credential => self.push_credential(out),
            Slot::Client => self.push_client(out),
            Slot::UserAgent => self.push_user_agent(out),
            Slot::RpcId => push_number(out, 1 + self.cast.mark % 400),
            Slot::ClientId => {
                out.extend_from_slice(b"gw-");
                push_number(out, 40_000 + integration as u64 * 7);
            }
            Slot::Scopes => self.push_scope(out, |scopes| scopes),
            Slot::FirstScope => self.push_scope(out, first_word),
            Slot::LastScope => self.push_scope(out, last_word),
            Slot::Access | Slot::Refresh | Slot::PreviousRefresh | Slot::NextAccess => self.push_fingerprint(out, slot),
            Slot::NextRefresh if self.issuer_rotates() => self.push_fingerprint(out, slot),
            Slot::Caller => {
                let token = matches!(self.cast.credential, Credential::OAuth | Credential::IdentityProvider);
                if let Some(user) = self.user().filter(|_| token) {
                    out.extend_from_slice(&user.session);
                }
            }
            Slot::Rotated => {
                if let Some(issuer) = self.world.issuer(integration) {
                    out.extend_from_slice(if issuer.rotates { b"true" } else { b"false" });
                }
            }
            Slot::ExpiresIn => {
                if let Some(issuer) = self.world.issuer(integration) {
                    push_number(out, issuer.access_seconds);
                }
            }
            Slot::AccessAge => self.push_age(out, |connection| connection.issued),
            Slot::RefreshAge => self.push_age(out, |connection| connection.granted),
            Slot::Elapsed => push_milliseconds(out, self.now.saturating_sub(self.previous)),
            Slot::RequestElapsed => push_milliseconds(out, self.now.saturating_sub(self.request_began())),
            Slot::Count => push_number(out, 1 + self.cast.mark % 37),
            Slot::Uuid => push_uuid_v4(out, self.dice),
            Slot::Hex => push_hex(out, self.dice.bits()),
            Slot::Number => push_number(out, 2 + self.dice.below(9_000)),
            Slot::Stamp => self.times.push(out, self.now),
            Slot::Jwt => self.push_fake_jwt(out),
            Slot::Opaque => {
                push_hex(out, self.dice.bits());
                push_hex(out, self.dice.bits());
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{first_word, host_of, last_word};

    #[test]
    fn parts_of_texts() {
        assert_eq!(host_of("https://id.example:8443/realms/a"), "id.example:8443");
        assert_eq!(host_of("https://id.example"), "id.example");
        assert_eq!((first_word("a b c"), last_word("a b c")), ("a", "c"));
        assert_eq!((first_word(""), last_word("")), ("", ""));
    }
}
