//! The part of the world that the seed decides: which workspace uses which server, its users, keys and connections.
//!
//! A *connection* is a user's (or everybody's) standing sign-in to one integration. Its tokens have a history: each
//! refresh gives a new generation, and the fingerprints of the generations form one chain, as in real life.

use super::facts::Facts;
use crate::simulate::dice::Dice;
use crate::simulate::keyed_hash::{HashText, KeyedHash};

/// Users over all workspaces.
const USERS: u64 = 2_000;
/// Per cent of the servers that a workspace has registered.
const REGISTERED_PERCENT: u64 = 52;
/// Service keys of a workspace.
pub const SERVICE_KEYS: u64 = 3;
const DAY_SECONDS: u64 = 86_400;
const SECOND: u64 = 1_000_000;

/// What the seed decided.
pub struct People {
    /// Servers registered in workspaces.
    pub integrations: Vec<Integration>,
    /// All users.
    pub users: Vec<User>,
    /// All connections.
    pub connections: Vec<Connection>,
}

/// A server registered in a workspace.
pub struct Integration {
    /// Position of the workspace.
    pub workspace: usize,
    /// Position of the server.
    pub server: usize,
    /// The version of its configuration; grows when it is edited.
    pub config_version: u64,
    /// Connections of its users, or the one that all share.
    pub connections: Vec<usize>,
    /// Users of its workspace.
    pub users: std::ops::Range<usize>,
}

/// A person with access to one workspace.
pub struct User {
    /// `user_id`.
    pub id: String,
    /// Position of the workspace.
    pub workspace: usize,
    /// E-mail address.
    pub email: String,
    /// Position of the client family that this person uses.
    pub client: usize,
    /// Which version of it.
    pub client_version: usize,
    /// Fingerprint of the token that the client presents to the gateway.
    pub session: HashText,
}

/// A standing sign-in to an integration.
pub struct Connection {
    /// `connection_id`.
    pub id: HashText,
    /// Position of the integration.
    pub integration: usize,
    /// Position of the user; `None`: shared.
    pub user: Option<usize>,
    /// Counts the grants and refreshes.
    pub generation: u64,
    /// Fingerprint of the present access token.
    pub access: HashText,
    /// Fingerprint of the present refresh token.
    pub refresh: HashText,
    /// Fingerprint of the refresh token before it.
    pub previous_refresh: HashText,
    /// When the access token was issued, microseconds since 1970.
    pub issued: u64,
    /// When the refresh token's chain began, microseconds since 1970.
    pub granted: u64,
}

impl People {
    /// Draws the people of a seed as they are at `start` (microseconds since 1970).
    #[must_use]
    pub fn gather(facts: &Facts, dice: &mut Dice, keyed_hash: &KeyedHash, start: u64) -> Self {
        let mut people = Self { integrations: Vec::new(), users: Vec::new(), connections: Vec::new() };
        let client_totals: Vec<u64> = running_totals(facts.clients.iter().map(|client| client.weight));
        for workspace in 0..facts.workspaces.len() {
            let users = people.hire(facts, dice, keyed_hash, &client_totals, workspace);
            for server in 0..facts.servers.len() {
                if dice.percent(REGISTERED_PERCENT) {
                    let config_version = dice.between(4, 90);
                    people.integrations.push(Integration {
                        workspace,
                        server,
                        config_version,
                        connections: Vec::new(),
                        users: users.clone(),
                    });
                    people.connect(facts, dice, keyed_hash, start);
                }
            }
        }
        people
    }

    /// The users of one workspace: between half and one and a half times the mean.
    fn hire(
        &mut self,
        facts: &Facts,
        dice: &mut Dice,
        keyed_hash: &KeyedHash,
        client_totals: &[u64],
        workspace: usize,
    ) -> std::ops::Range<usize> {
        let mean = USERS / facts.workspaces.len() as u64;
        let first = self.users.len();
        for _ in 0..dice.between(mean / 2, mean + mean / 2) {
            let id = format!("u_{}", 10_000 + self.users.len());
            let client = dice.weighted(client_totals);
            self.users.push(User {
                workspace,
                email: format!("{}@{}.example", person_name(dice), facts.workspaces[workspace].name),
                client,
                client_version: dice.index(facts.clients[client].versions.len()),
                session: keyed_hash.of(&[b"session of ", id.as_bytes()]),
                id,
            });
        }
        first..self.users.len()
    }

    /// The connections of the integration that was added last.
    fn connect(&mut self, facts: &Facts, dice: &mut Dice, keyed_hash: &KeyedHash, start: u64) {
        let integration = self.integrations.len() - 1;
        let server = &facts.servers[self.integrations[integration].server];
        let per_user = matches!(server.auth.as_str(), "oauth_user" | "token_exchange" | "passthrough");
        let members: Vec<Option<usize>> = if per_user {
            let everybody = self.integrations[integration].users.clone();
            everybody.filter(|_| dice.percent(20 + server.weight)).map(Some).collect()
        } else {
            vec![None]
        };
        let workspace = &facts.workspaces[self.integrations[integration].workspace].name;
        let issuer = server.issuer_index.map(|index| facts.issuers[index].url.as_str());
        for user in members {
            let user_id = user.map(|index| self.users[index].id.as_str());
            let id = keyed_hash.connection_id(workspace, &server.slug, user_id, issuer);
            let access_age = dice.below(3_000);
            let refresh_age = access_age + dice.below(25 * DAY_SECONDS);
            let mut connection = Connection {
                id,
                integration,
                user,
                generation: 0,
                access: id,
                refresh: id,
                previous_refresh: id,
                issued: start.saturating_sub(access_age * SECOND),
                granted: start.saturating_sub(refresh_age * SECOND),
            };
            connection.renew(keyed_hash);
            self.integrations[integration].connections.push(self.connections.len());
            self.connections.push(connection);
        }
    }
}

impl Connection {
    /// Fingerprints of the access and the refresh token of the next generation.
    #[must_use]
    pub fn next_tokens(&self, keyed_hash: &KeyedHash) -> (HashText, HashText) {
        let generation = (self.generation + 1).to_be_bytes();
        let access = keyed_hash.of(&[b"access token ", &self.id, &generation]);
        let refresh = keyed_hash.of(&[b"refresh token ", &self.id, &generation]);
        (access, refresh)
    }

    /// Goes on to the next generation of both tokens.
    pub fn renew(&mut self, keyed_hash: &KeyedHash) {
        let (access, refresh) = self.next_tokens(keyed_hash);
        self.previous_refresh = self.refresh;
        self.access = access;
        self.refresh = refresh;
        self.generation += 1;
    }
}

/// `[1, 2, 4]` becomes `[1, 3, 7]`.
#[must_use]
pub fn running_totals(weights: impl Iterator<Item = u64>) -> Vec<u64> {
    weights
        .scan(0, |sum, weight| {
            *sum += weight;
            Some(*sum)
        })
        .collect()
}

fn person_name(dice: &mut Dice) -> String {
    const SYLLABLES: [&str; 16] =
        ["ba", "do", "fe", "gi", "ha", "jo", "ka", "lu", "mi", "no", "pe", "ri", "sa", "te", "vo", "zu"];
    let mut name = String::new();
    for position in 0..5 {
        if position == 2 {
            name.push('.');
        }
        name.push_str(SYLLABLES[dice.index(SYLLABLES.len())]);
    }
    name
}
