//! Who plays in one telling of a story: the integration, the caller, the connection, and the ids of its requests.

use super::dice::Dice;
use super::story::{Actor, MOST_REQUESTS, Need, SlugStyle, Story};
use super::text::{ShortText, push_hex, push_padded, push_uuid_v4, push_uuid_v7};
use super::world::{Gateway, IdStyle, SERVICE_KEYS, World};

/// Per cent of the calls to servers that need no user that come from a service.
const SERVICE_PERCENT: u64 = 25;

/// How the caller authenticates to the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credential {
    /// Nothing was sent.
    None,
    /// A key of a workspace.
    ServiceKey,
    /// A key of a user.
    UserKey,
    /// A token of the gateway's own authorization server.
    OAuth,
    /// A token of the organization's identity provider.
    IdentityProvider,
}

impl Credential {
    /// As in `credential.kind`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ServiceKey => "service_key",
            Self::UserKey => "user_key",
            Self::OAuth => "oauth",
            Self::IdentityProvider => "idp",
        }
    }
}

/// The players of one telling.
pub struct Cast {
    /// Position of the integration.
    pub integration: usize,
    /// Position of the gateway's instance.
    pub instance: usize,
    /// Position of the user, where the caller is one.
    pub user: Option<usize>,
    /// Position of the connection, where one can be known.
    pub connection: Option<usize>,
    /// How the caller authenticates.
    pub credential: Credential,
    /// Id of the key; empty for tokens.
    pub key_id: ShortText,
    /// Position of the client family, and of its version.
    pub client: (usize, usize),
    /// The slug as the client wrote it.
    pub slug: ShortText,
    /// The ids of the requests.
    pub requests: [ShortText; MOST_REQUESTS],
    /// When each request began, microseconds since 1970; 0: not yet.
    pub request_started: [u64; MOST_REQUESTS],
    /// The trace, where the gateway has one.
    pub trace: Option<(u64, u64)>,
    /// The raw `state` of a sign-in.
    pub state: ShortText,
    /// The flow id that belongs to it.
    pub flow: ShortText,
    /// Position of the tool on use.
    pub tool: usize,
    /// What is constant for this telling and has no meaning: session, client id, JSON-RPC id.
    pub mark: u64,
}

impl Cast {
    /// Draws the players of a story that begins at `start` (microseconds since 1970).
    pub fn draw(world: &World, story: &Story, start: u64, dice: &mut Dice) -> Self {
        let candidate = dice.weighted(&story.candidate_totals);
        let integration = story.candidates[candidate];
        let connections = &world.people.integrations[integration].connections;
        let connection = connections[dice.skewed_index(connections.len())];
        Self::with_connection(world, story, connection, start, dice)
    }

    /// Draws the players around a given connection.
    pub fn with_connection(world: &World, story: &Story, connection: usize, start: u64, dice: &mut Dice) -> Self {
        let standing = &world.people.connections[connection];
        let integration = standing.integration;
        let gateway = world.gateway(integration);
        let (user, known_connection) = draw_caller(world, &story.need, connection, dice);
        let credential = draw_credential(&story.need, user, dice);
        let mut cast = Self {
            integration,
            instance: dice.index(gateway.instances.len()),
            user,
            connection: known_connection,
            credential,
            key_id: draw_key(world, credential, integration, user, dice),
            client: draw_client(world, user, dice),
            slug: draw_slug(world, story.need.slug, integration, dice),
            requests: [ShortText::EMPTY; MOST_REQUESTS],
            request_started: [0; MOST_REQUESTS],
            trace: dice.percent(gateway.traced_percent).then(|| (dice.bits(), dice.bits())),
            state: ShortText::EMPTY,
            flow: ShortText::EMPTY,
            tool: dice.index(world.server(integration).tools.len()),
            mark: dice.bits(),
        };
        for request in cast.requests.iter_mut().take(story.answers.len()) {
            *request = draw_request_id(gateway, start, dice);
        }
        if story.has_flow {
            let mut state = Vec::with_capacity(32);
            push_hex(&mut state, dice.bits());
            push_hex(&mut state, dice.bits());
            cast.state = ShortText::new(&state);
            cast.flow = ShortText::new(&world.keyed_hash.of(&[&state]));
        }
        cast
    }
}

/// The user and the connection that the gateway can know of.
fn draw_caller(world: &World, need: &Need, connection: usize, dice: &mut Dice) -> (Option<usize>, Option<usize>) {
    let standing = &world.people.connections[connection];
    let shared = standing.user.is_none();
    let service = match need.actor {
        Actor::Anonymous => return (None, None),
        Actor::Service => true,
        Actor::User => false,
        Actor::Any => shared && dice.percent(SERVICE_PERCENT),
    };
    if service {
        return (None, shared.then_some(connection));
    }
    let colleagues = &world.people.integrations[standing.integration].users;
    let user = standing.user.unwrap_or_else(|| colleagues.start + dice.skewed_index(colleagues.len()));
    (Some(user), Some(connection))
}

fn draw_credential(need: &Need, user: Option<usize>, dice: &mut Dice) -> Credential {
    const OF_USERS: [Credential; 3] = [Credential::UserKey, Credential::OAuth, Credential::IdentityProvider];
    if need.actor == Actor::Anonymous {
        return Credential::None;
    }
    if user.is_none() {
        return Credential::ServiceKey;
    }
    let allowed = |credential: &Credential| {
        need.credential.is_empty() || need.credential.iter().any(|kind| kind == credential.name())
    };
    let choices: Vec<Credential> = OF_USERS.into_iter().filter(allowed).collect();
    choices.get(dice.index(choices.len())).copied().unwrap_or(Credential::UserKey)
}

fn draw_key(
    world: &World,
    credential: Credential,
    integration: usize,
    user: Option<usize>,
    dice: &mut Dice,
) -> ShortText {
    match (credential, user) {
        (Credential::ServiceKey, _) => {
            let number = 1 + dice.below(SERVICE_KEYS);
            ShortText::new(format!("sk_{}_{number}", world.workspace(integration)).as_bytes())
        }
        (Credential::UserKey, Some(user)) => ShortText::new(format!("uk_{}", world.people.users[user].id).as_bytes()),
        _ => ShortText::EMPTY,
    }
}

fn draw_client(world: &World, user: Option<usize>, dice: &mut Dice) -> (usize, usize) {
    if let Some(user) = user {
        let user = &world.people.users[user];
        return (user.client, user.client_version);
    }
    let client = dice.index(world.facts.clients.len());
    (client, dice.index(world.facts.clients[client].versions.len()))
}

fn draw_slug(world: &World, style: SlugStyle, integration: usize, dice: &mut Dice) -> ShortText {
    let registered = &world.server(integration).slug;
    match style {
        SlugStyle::Registered => ShortText::new(registered.as_bytes()),
        SlugStyle::Typo => {
            let mut slug = registered.as_bytes().to_vec();
            let position = 1 + dice.index(slug.len() - 2);
            match dice.below(3) {
                0 => slug.swap(position, position - 1),
                1 => slug.insert(position, slug[position]),
                _ => slug.extend_from_slice(b"-mcp"),
            }
            if slug == registered.as_bytes() {
                slug.push(b's');
            }
            ShortText::new(&slug)
        }
        SlugStyle::Uuid => {
            let mut uuid = Vec::with_capacity(36);
            push_uuid_v4(&mut uuid, dice);
            ShortText::new(&uuid)
        }
        SlugStyle::Retired => ShortText::new(format!("{registered}-legacy").as_bytes()),
    }
}

fn draw_request_id(gateway: &Gateway, start: u64, dice: &mut Dice) -> ShortText {
    let mut id = Vec::with_capacity(36);
    match gateway.request_ids {
        IdStyle::Uuid7 => push_uuid_v7(&mut id, start / 1000, dice),
        IdStyle::Hex => {
            push_hex(&mut id, dice.bits());
            push_hex(&mut id, dice.bits());
        }
        IdStyle::Prefixed | IdStyle::Counter => {
            id.extend_from_slice(b"req_");
            push_padded(&mut id, dice.bits(), 18);
        }
    }
    ShortText::new(&id)
}
