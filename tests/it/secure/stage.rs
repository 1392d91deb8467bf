//! The servers of these tests, started once, and the binary with settings for them.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use super::certificates::{Authority, Identity};
use super::{clickhouse, kafka, process, tls};
use crate::support::free_port;

/// A setting's variable without its prefix, and its value.
pub type Setting = (&'static str, String);

/// Everything that listens.
pub struct Engines {
    _runtime: tokio::runtime::Runtime,
    pub broker: kafka::Broker,
    pub clickhouse: clickhouse::Server,
    /// ClickHouse behind TLS: as it should be, and wrong in three ways.
    pub https: String,
    pub https_expired: String,
    pub https_other_name: String,
    pub https_mutual: String,
    /// The token endpoint behind TLS.
    pub tokens: String,
    pub authority: Authority,
    pub stranger: Authority,
    pub client: Identity,
    pub unknown_client: Identity,
}

/// A consumer group, a database and topics of its own for each use.
static NAMES: AtomicU32 = AtomicU32::new(0);

/// Never dropped: its servers end with this process.
pub static ENGINES: LazyLock<Engines> = LazyLock::new(|| {
    let folder = process::folder("kafka");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (authority, stranger) = (Authority::new(&folder, "authority"), Authority::new(&folder, "stranger"));
    let certificates = kafka::Certificates {
        good: authority.sign("good", &["127.0.0.1", "localhost"]),
        expired: authority.sign_expired("expired", &["127.0.0.1"]),
        other_name: authority.sign("other", &["kafka.example.com"]),
    };
    let (broker, clickhouse) = std::thread::scope(|scope| {
        let clickhouse = scope.spawn(clickhouse::Server::start);
        (kafka::Broker::start(&folder, &authority, &certificates), clickhouse.join().unwrap())
    });
    let front = |target: &str, identity: &Identity, clients: Option<&Authority>| {
        tls::in_front_of(&runtime, target, identity, clients)
    };
    Engines {
        https: front(&clickhouse.address, &certificates.good, None),
        https_expired: front(&clickhouse.address, &certificates.expired, None),
        https_other_name: front(&clickhouse.address, &certificates.other_name, None),
        https_mutual: front(&clickhouse.address, &certificates.good, Some(&authority)),
        tokens: front(&tls::token_endpoint(&runtime), &certificates.good, None),
        client: authority.sign("client", &["audit"]),
        unknown_client: stranger.sign("unknown", &["audit"]),
        _runtime: runtime,
        broker,
        clickhouse,
        authority,
        stranger,
    }
});

/// A path as a setting's value.
pub fn text(path: &Path) -> String {
    path.display().to_string()
}

impl Engines {
    pub fn clickhouse(&self) -> Vec<Setting> {
        vec![
            ("CLICKHOUSE_URL", format!("https://{}", self.https)),
            ("CLICKHOUSE_USER", "audit".to_owned()),
            ("CLICKHOUSE_PASSWORD", clickhouse::PASSWORD.to_owned()),
            ("CLICKHOUSE_TLS_CA_FILE", text(&self.authority.file)),
        ]
    }

    pub fn password(&self, mechanism: &str) -> Vec<Setting> {
        vec![
            ("KAFKA_BROKERS", self.broker.listeners.sasl_ssl.clone()),
            ("KAFKA_SECURITY_PROTOCOL", "sasl_ssl".to_owned()),
            ("KAFKA_SASL_MECHANISM", mechanism.to_owned()),
            ("KAFKA_SASL_USERNAME", "audit".to_owned()),
            ("KAFKA_SASL_PASSWORD", kafka::PASSWORD.to_owned()),
            ("KAFKA_TLS_CA_FILE", text(&self.authority.file)),
        ]
    }

    pub fn token(&self) -> Vec<Setting> {
        vec![
            ("KAFKA_BROKERS", self.broker.listeners.sasl_ssl.clone()),
            ("KAFKA_SECURITY_PROTOCOL", "sasl_ssl".to_owned()),
            ("KAFKA_SASL_MECHANISM", "OAUTHBEARER".to_owned()),
            ("KAFKA_SASL_OAUTH_TOKEN_URL", format!("https://{}/token", self.tokens)),
            ("KAFKA_SASL_OAUTH_CLIENT_ID", tls::CLIENT.0.to_owned()),
            ("KAFKA_SASL_OAUTH_CLIENT_SECRET", tls::CLIENT.1.to_owned()),
            ("KAFKA_SASL_OAUTH_SCOPE", "kafka".to_owned()),
            ("KAFKA_SASL_OAUTH_CA_FILE", text(&self.authority.file)),
            ("KAFKA_TLS_CA_FILE", text(&self.authority.file)),
        ]
    }

    pub fn certificate(&self, identity: &Identity) -> Vec<Setting> {
        vec![
            ("KAFKA_BROKERS", self.broker.listeners.mutual.clone()),
            ("KAFKA_SECURITY_PROTOCOL", "ssl".to_owned()),
            ("KAFKA_TLS_CA_FILE", text(&self.authority.file)),
            ("KAFKA_TLS_CERTIFICATE_FILE", text(&identity.certificate)),
            ("KAFKA_TLS_KEY_FILE", text(&identity.key)),
        ]
    }

    /// Without TLS and SASL.
    pub fn plaintext(&self) -> Vec<Setting> {
        vec![("KAFKA_BROKERS", self.broker.listeners.plaintext.clone())]
    }

    pub fn ask(&self, sql: &str) -> String {
        let answer = ureq::post(format!("http://{}/", self.clickhouse.address))
            .header("X-ClickHouse-User", "audit")
            .header("X-ClickHouse-Key", clickhouse::PASSWORD)
            .send(sql);
        answer.unwrap_or_else(|error| panic!("{sql}: {error}")).body_mut().read_to_string().unwrap().trim().to_owned()
    }
}

/// Names of one use, and the binary with them.
#[derive(Clone)]
pub struct Use {
    pub name: String,
    settings: Vec<Setting>,
}

impl Use {
    pub fn of(settings: Vec<Setting>) -> Self {
        let name = format!("secure_{}", NAMES.fetch_add(1, Ordering::Relaxed));
        Self { name, settings }
    }

    /// With one setting changed, or left out where the value is empty.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.settings.retain(|(set, _)| *set != name);
        self.settings.push((name, value.into()));
        self
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gatetrail"));
        command.args(arguments).env_clear().stdin(Stdio::null());
        let own = [
            ("CLICKHOUSE_DATABASE", self.name.clone()),
            ("KAFKA_TOPIC", format!("{0}.events,{0}.more", self.name)),
            ("KAFKA_REGISTRY_TOPIC", format!("{}.registry", self.name)),
            ("KAFKA_GROUP", self.name.clone()),
            ("INGEST_FLUSH_MS", "200".to_owned()),
            ("ADMIN_LISTEN", format!("127.0.0.1:{}", free_port())),
        ];
        for (name, value) in own.iter().chain(&self.settings) {
            command.env(format!("GATETRAIL_{name}"), value);
        }
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    pub fn must_run(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}

/// Kills the process when the test ends.
pub struct Killed(pub std::process::Child);

impl Drop for Killed {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}
