//! Which MCP client somebody uses, by how it calls itself, and how things are done in it. Data, read from `clients.toml`.
//!
//! It does not guess: a client that no entry fits is "your client", with steps that hold in most of them.

use std::sync::LazyLock;

use serde::Deserialize;

/// The steps that differ by client: the placeholders that name them, and which they are.
pub const ACTIONS: [(&str, Action); 4] = [
    ("client_sign_in_again", Action::SignInAgain),
    ("client_reconnect", Action::Reconnect),
    ("client_edit_server", Action::EditServer),
    ("client_start_over", Action::StartOver),
];

/// Something that a person does in a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Forget the stored sign-in and sign in.
    SignInAgain,
    /// Start a new session, keeping the sign-in.
    Reconnect,
    /// Change the server's address or the key that is sent.
    EditServer,
    /// Remove the server and add it again, so that the client registers anew.
    StartOver,
}

/// All clients.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clients {
    default: Steps,
    #[serde(rename = "client")]
    clients: Vec<Client>,
}

/// One client.
#[derive(Debug, Deserialize)]
pub struct Client {
    /// Stable id of the family.
    pub id: String,
    called: Vec<String>,
    #[serde(flatten)]
    steps: Steps,
}

/// How things are done in it; what is missing is as in most clients.
#[derive(Debug, Deserialize)]
struct Steps {
    title: String,
    sign_in_again: Option<String>,
    reconnect: Option<String>,
    edit_server: Option<String>,
    start_over: Option<String>,
}

#[expect(clippy::expect_used, reason = "part of the binary; the tests of this module read it")]
static EMBEDDED: LazyLock<Clients> =
    LazyLock::new(|| toml::from_str(include_str!("clients.toml")).expect("clients.toml is sound"));

impl Clients {
    /// The clients that come with the binary.
    #[must_use]
    pub fn embedded() -> &'static Self {
        &EMBEDDED
    }

    /// Every client that has steps of its own.
    #[must_use]
    pub fn all(&self) -> &[Client] {
        &self.clients
    }

    /// The client that calls itself so; `None` when no entry fits.
    #[must_use]
    pub fn named(&self, name: Option<&str>, user_agent: Option<&str>) -> Option<&Client> {
        let called = |text: &str| {
            let words = words_of(text);
            self.clients.iter().find(|client| client.called.iter().any(|called| has_words(&words, called)))
        };
        name.and_then(called).or_else(|| user_agent.and_then(called))
    }

    /// How something is done in a client, as a sentence; in any client when it is not known which.
    #[must_use]
    pub fn step(&self, client: Option<&Client>, action: Action, server: &str) -> String {
        let steps = client.map_or(&self.default, |client| &client.steps);
        let text = steps.of(action).or_else(|| self.default.of(action)).unwrap_or_default();
        format!("In {}: {}.", steps.title, text.replace("{server}", server))
    }
}

impl Client {
    /// What people call it.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.steps.title
    }
}

impl Steps {
    fn of(&self, action: Action) -> Option<&str> {
        match action {
            Action::SignInAgain => self.sign_in_again.as_deref(),
            Action::Reconnect => self.reconnect.as_deref(),
            Action::EditServer => self.edit_server.as_deref(),
            Action::StartOver => self.start_over.as_deref(),
        }
    }
}

/// The words of a name in lower case: letters and digits, everything else parts them.
fn words_of(text: &str) -> Vec<String> {
    let parts = text.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    parts.map(str::to_ascii_lowercase).collect()
}

fn has_words(words: &[String], called: &str) -> bool {
    let wanted: Vec<&str> = called.split(' ').collect();
    words.windows(wanted.len()).any(|window| window.iter().zip(&wanted).all(|(word, wanted)| word == wanted))
}

#[cfg(test)]
mod tests {
    use super::{ACTIONS, Clients};

    fn family(name: Option<&str>, user_agent: Option<&str>) -> Option<&'static str> {
        Clients::embedded().named(name, user_agent).map(|client| client.id.as_str())
    }

    #[test]
    fn a_client_is_known_by_the_names_it_gives_itself() {
        let cases = [
            (Some("claude-code"), None, Some("claude_code")),
            (Some("Claude Code"), Some("Cursor/2.8.1"), Some("claude_code")),
            (Some("claude-ai"), None, Some("claude")),
            (Some("claude-ai (via mcp-remote 0.1.37)"), None, Some("mcp_remote")),
            (Some("cursor-vscode"), None, Some("cursor")),
            (Some("Visual Studio Code - Insiders"), None, Some("vscode")),
            (None, Some("Visual Studio Code/1.119.1"), Some("vscode")),
            (None, Some("openai-mcp/1.0.0 (ChatGPT)"), Some("chatgpt")),
            (None, Some("Claude-User"), Some("claude")),
            (Some("codex-mcp-client"), None, Some("codex")),
            (Some("gemini-cli-mcp-client"), None, Some("gemini_cli")),
            (Some("@librechat/api-client"), None, Some("librechat")),
            (Some("windsurf-client"), None, Some("windsurf")),
            (Some("Zed"), None, Some("zed")),
            (Some("authorized-client"), None, None),
            (Some("mcp"), Some("python-httpx/0.28.1"), None),
            (Some("custom"), Some("goose/1.9"), Some("goose")),
            (None, None, None),
        ];
        for (name, user_agent, expected) in cases {
            assert_eq!(family(name, user_agent), expected, "{name:?} {user_agent:?}");
        }
    }

    #[test]
    fn every_step_is_a_whole_sentence_in_every_client() {
        let clients = Clients::embedded();
        let mut ids = std::collections::BTreeSet::new();
        for client in clients.all() {
            assert!(ids.insert(&client.id), "{} is listed twice", client.id);
            let lower = client.called.iter().all(|called| *called == called.to_ascii_lowercase());
            assert!(lower && !client.called.is_empty(), "{}", client.id);
        }
        let known = clients.all().iter().map(Some);
        for client in known.chain([None]) {
            for (placeholder, action) in ACTIONS {
                let step = clients.step(client, action, "wiki");
                assert!(step.len() > 20 && step.ends_with('.') && !step.ends_with(".."), "{placeholder}: {step}");
                assert!(!step.contains(['{', '}']), "{placeholder}: {step}");
            }
        }
    }
}
