//! The seed matrix: a story for every class and reason, and for every kind of credential against every kind of
//! authentication to the server, from Kafka to the API. Asserted are class, reason, hop, who acts, and the filled-in fix.
//!
//! The stories are data (`matrix/*.toml`): events as gateways send them, none of which names its class. A story:
//!
//! - `id`: its request id; `is`: `class[/reason] hop who_acts`, or `none`;
//! - `events`: `ok` or `fail` names the type without `mcp.`; `hop` (`up`, `down`, `internal`) where it is not the type's
//!   usual one; everything else is `data`;
//! - `server` (default `wiki`), `credential` (default `user_key`), `client` (default `claude-code`), `gateway` (default
//!   `portkey`): one of those below;
//! - `fix.<audience>`: words that the fix for this audience holds; `differs`: what the two URLs are and how they differ.
//!
//! In `combinations.toml` an `[[each]]` is a story for each pair of `credential` and `auth`.

use std::collections::{BTreeMap, BTreeSet};

use gatetrail::classify::Class;
use gatetrail::classify::classifier::EMBEDDED;
use gatetrail::classify::rules::Rules;
use gatetrail::event::vocabulary::ClosedEnum;
use gatetrail::event::{CredentialKind, ServerAuth};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::support::{Stage, get, now_minus};

const STORIES: [&str; 4] = [
    include_str!("matrix/access.toml"),
    include_str!("matrix/set_up.toml"),
    include_str!("matrix/sign_in.toml"),
    include_str!("matrix/calls.toml"),
];
const COMBINATIONS: &str = include_str!("matrix/combinations.toml");

/// Reasons without a story, each with why.
const NOT_TOLD: [(&str, &str); 1] = [("server_not_found", "uuid_for_slug")];

/// The servers that are registered: slug, authentication. Each is `https://<slug>.example/mcp`.
const SERVERS: [(&str, &str); 7] = [
    ("wiki", "oauth_user"),
    ("github", "oauth_user"),
    ("files", "headers"),
    ("reports", "client_credentials"),
    ("public", "none"),
    ("crm", "token_exchange"),
    ("mail", "passthrough"),
];

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Story {
    id: String,
    is: String,
    #[serde(default = "wiki")]
    server: String,
    #[serde(default = "user_key")]
    credential: String,
    #[serde(default = "claude_code")]
    client: String,
    #[serde(default = "portkey")]
    gateway: String,
    events: Vec<Map<String, Value>>,
    #[serde(default)]
    fix: BTreeMap<String, String>,
    #[serde(default)]
    differs: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Each {
    credential: Vec<String>,
    auth: Vec<String>,
    #[serde(default)]
    case: String,
    is: String,
    events: Vec<Map<String, Value>>,
    #[serde(default)]
    fix: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    story: Vec<Story>,
    #[serde(default)]
    each: Vec<Each>,
}

fn wiki() -> String {
    "wiki".to_owned()
}

fn user_key() -> String {
    "user_key".to_owned()
}

fn claude_code() -> String {
    "claude-code".to_owned()
}

fn portkey() -> String {
    "portkey".to_owned()
}

fn stories() -> Vec<Story> {
    STORIES.iter().flat_map(|file| toml::from_str::<File>(file).unwrap().story).collect()
}

fn combinations() -> Vec<Story> {
    let mut stories = Vec::new();
    for each in toml::from_str::<File>(COMBINATIONS).unwrap().each {
        for credential in &each.credential {
            for auth in &each.auth {
                let (slug, _) = SERVERS.iter().find(|(_, of_server)| of_server == auth).unwrap();
                stories.push(Story {
                    id: ["combined", credential, auth, &each.case].join("-"),
                    is: each.is.clone(),
                    server: (*slug).to_owned(),
                    credential: credential.clone(),
                    client: claude_code(),
                    gateway: portkey(),
                    events: each.events.clone(),
                    fix: each.fix.clone(),
                    differs: Vec::new(),
                });
            }
        }
    }
    stories
}

fn gateway(name: &str) -> Value {
    match name {
        "portkey" => json!({"product": "portkey", "version": "2.9.0", "deployment": "self_hosted", "base_url": "https://gw.example"}),
        "managed" => json!({"product": "portkey", "version": "2.9.0", "deployment": "saas", "base_url": "https://cloud.example"}),
        "other" => json!({"product": "homemade", "deployment": "self_hosted", "base_url": "https://gw.example"}),
        unknown => panic!("no gateway `{unknown}`"),
    }
}

/// The hop that a type is usually about.
fn usual_hop(type_name: &str) -> &'static str {
    match type_name {
        "request.completed" | "request.rejected" | "auth.credential" | "auth.decision" => "downstream",
        _ => "upstream",
    }
}

/// The event as its gateway sends it; `number` is its place in the story, `second` when the story began, so long ago.
fn event(story: &Story, number: usize, second: i64, mut data: Map<String, Value>) -> Value {
    let (type_name, outcome) = match (data.remove("ok"), data.remove("fail")) {
        (Some(type_name), None) => (type_name, "success"),
        (None, Some(type_name)) => (type_name, "failure"),
        _ => panic!("{}: an event is `ok` or `fail`", story.id),
    };
    let type_name = type_name.as_str().unwrap().to_owned();
    let hop = match data.remove("hop").as_ref().and_then(Value::as_str) {
        Some("up") => "upstream",
        Some("down") => "downstream",
        Some("internal") => "internal",
        Some(other) => panic!("{}: no hop `{other}`", story.id),
        None => usual_hop(&type_name),
    };
    let is_service = story.credential == "service_key";
    let mut all = json!({
        "hop": hop, "outcome": outcome, "request_id": story.id, "workspace": "acme", "gateway": gateway(&story.gateway),
    });
    let mut add = |name: &str, value: Value| all[name] = value;
    if !story.server.is_empty() {
        add("slug", json!(story.server));
    }
    if !is_service && story.credential != "none" {
        add("user_id", json!(format!("u-{}", story.id)));
    }
    if hop == "downstream" {
        add("client", json!({"name": story.client, "version": "3.1.2"}));
        add("credential", match story.credential.as_str() {
            "none" => json!({"kind": "none", "sent": false}),
            kind => json!({"kind": kind, "sent": true}),
        });
    }
    for (name, value) in data {
        match (name.as_str(), value) {
            ("gateway_instance", value) => all["gateway"]["instance"] = value,
            (name, value) => all[name] = value,
        }
    }
    let time = chrono::DateTime::parse_from_rfc3339(&now_minus(second)).unwrap()
        + chrono::Duration::milliseconds(50 * i64::try_from(number).unwrap());
    json!({
        "specversion": "1.0", "id": format!("{}-{number}", story.id), "source": "//gateway/matrix",
        "type": format!("mcp.{type_name}"), "time": time.to_rfc3339(), "data": all,
    })
}

fn registry(stage: &Stage) {
    let facts: Vec<(String, String)> = SERVERS
        .iter()
        .map(|(slug, auth)| {
            let mut data = json!({"workspace": "acme", "slug": slug, "url": format!("https://{slug}.example/mcp"), "server_auth": auth, "config_version": 8});
            if !["none", "headers"].contains(auth) {
                data["issuer"] = json!("https://idp.example");
            }
            let fact = json!({"specversion": "1.0", "id": format!("fact-{slug}"), "source": "//registry/matrix",
                "type": "mcp.registry.server", "time": now_minus(3000), "data": data});
            (format!("server/acme/{slug}"), fact.to_string())
        })
        .collect();
    let records: Vec<_> = facts.iter().map(|(key, fact)| (key.as_str(), Some(fact.as_bytes()), None)).collect();
    stage.produce_with_headers(&stage.registry_topic(), &records);
}

/// What the API says of a story that is not as the table says.
fn faults(story: &Story, answer: &Value) -> Vec<String> {
    let verdict = &answer["verdict"];
    let text = |name: &str| verdict[name].as_str().unwrap_or("-").to_owned();
    let reason = verdict["reason"].as_str().map(|reason| format!("/{reason}")).unwrap_or_default();
    let is = match text("class").as_str() {
        "none" => "none".to_owned(),
        class => format!("{class}{reason} {} {}", text("hop"), text("who_acts")),
    };
    let mut faults = Vec::new();
    // A story may leave the reason open.
    let without_reason = is.replacen(&reason, "", 1);
    if story.is != is && story.is != without_reason {
        faults.push(format!("{}: expected `{}`, is `{is}` by rule {}", story.id, story.is, text("rule")));
    }
    let fixes: BTreeMap<&str, &str> = verdict["fixes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fix| (fix["audience"].as_str().unwrap(), fix["text"].as_str().unwrap()))
        .collect();
    for (audience, words) in &story.fix {
        let told = fixes.get(audience.as_str()).copied().unwrap_or("nothing");
        if !told.contains(words) {
            faults.push(format!("{}: the {audience} should be told `{words}`, is told `{told}`", story.id));
        }
    }
    let failed = text("class") != "none";
    // Nobody knows who acts on what nobody understands; then the class's usual actor is told first.
    let is_first = [Some("unknown"), verdict["fixes"][0]["audience"].as_str()].contains(&verdict["who_acts"].as_str());
    if failed && (!is_first || verdict["fix"] != verdict["fixes"][0]["text"]) {
        faults.push(format!("{}: who acts is not told first: {verdict}", story.id));
    }
    if failed && verdict["evidence"].as_array().unwrap().is_empty() && text("class") != "unclassified" {
        faults.push(format!("{}: no evidence", story.id));
    }
    if story.gateway == "other" && verdict["fixes"].to_string().contains("MCP_GATEWAY_BASE_URL") {
        faults.push(format!("{}: words of another product: {}", story.id, verdict["fixes"]));
    }
    let part = |side: &str| -> Vec<String> {
        let url = &verdict["difference"][side];
        let number = |name: &str| usize::try_from(url[name].as_u64().unwrap_or_default()).unwrap();
        let part = url["url"].as_str().unwrap_or_default().chars().skip(number("differs_at")).take(number("differs_length"));
        vec![url["what"].as_str().unwrap_or_default().to_owned(), part.collect()]
    };
    let differs = [part("left"), part("right")].concat();
    if !story.differs.is_empty() && story.differs != differs {
        faults.push(format!("{}: expected the difference {:?}, is {differs:?}", story.id, story.differs));
    }
    faults
}

#[test]
fn every_story_has_its_verdict_and_its_fix() {
    let stories: Vec<Story> = stories().into_iter().chain(combinations()).collect();
    let stage = Stage::new("matrix");
    registry(&stage);
    let consume = stage.start(&["consume"], &[]);
    let mut events: Vec<(String, String)> = Vec::new();
    for (place, story) in stories.iter().enumerate() {
        let second = 1500 - i64::try_from(place).unwrap();
        for (number, data) in story.events.iter().enumerate() {
            events.push((story.id.clone(), event(story, number, second, data.clone()).to_string()));
        }
    }
    // Calls that reached it make a server of the workspace known; `githbu` must be told of `github`.
    let known = Story { id: "reached".to_owned(), server: "github".to_owned(), ..stories[0].clone() };
    let call = Map::from_iter([("ok".to_owned(), json!("call.completed"))]);
    events.push((known.id.clone(), event(&known, 0, 1600, call).to_string()));
    let records: Vec<(&str, &[u8])> = events.iter().map(|(key, event)| (key.as_str(), event.as_bytes())).collect();
    stage.produce(&records);
    stage.wait_for_rows(u64::try_from(events.len()).unwrap(), 0, &consume);
    let (_serve, base) = stage.serve();
    let mut wrong = Vec::new();
    for story in &stories {
        let (status, answer) = get(&format!("{base}/v1/requests/{}", story.id));
        assert_eq!(status, 200, "{}: {answer}", story.id);
        wrong.extend(faults(story, &answer));
    }
    assert!(wrong.is_empty(), "{} faults in {} stories:\n{}", wrong.len(), stories.len(), wrong.join("\n"));
}

#[test]
fn there_is_a_story_for_every_class_reason_and_combination() {
    let stories: Vec<Story> = stories().into_iter().chain(combinations()).collect();
    let told: BTreeSet<&str> = stories.iter().map(|story| story.is.split(' ').next().unwrap()).collect();
    for class in Class::KNOWN.iter().map(|class| class.as_str()).filter(|class| *class != "none") {
        let is_told = told.iter().any(|is| is.split('/').next() == Some(class));
        assert!(is_told, "no story of {class}");
    }
    let rules = Rules::load(EMBEDDED).unwrap().rules;
    let reasons = rules.iter().filter_map(|rule| Some((rule.class.as_str(), rule.reason.as_deref()?)));
    for (class, reason) in reasons.filter(|pair| !NOT_TOLD.contains(pair)) {
        assert!(told.contains(format!("{class}/{reason}").as_str()), "no story of {class}/{reason}");
    }
    let combined: BTreeSet<String> = combinations().into_iter().map(|story| story.id).collect();
    for credential in CredentialKind::KNOWN {
        for auth in ServerAuth::KNOWN {
            let id = ["combined", credential.as_str(), auth.as_str(), ""].join("-");
            assert!(combined.contains(&id), "no story of {id}");
        }
    }
}
