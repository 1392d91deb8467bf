//! Settings: one table ([`table`]), four layers ([`layers`]), typed sections here.
//!
//! Flags beat the environment (`GATETRAIL_*`, `…_FILE` for secrets), which beats the TOML file, which beats the defaults.
//! Unknown keys and bad values are faults, and all of them are named at once.

pub mod clickhouse;
pub mod kafka;
pub mod kafka_options;
pub mod kafka_security;
pub mod layers;
pub mod secret;
pub mod table;
pub mod tls;

use std::collections::BTreeMap;
use std::fmt::Display;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use thiserror::Error;

use crate::scrub::Emails;

pub use clickhouse::ClickHouse;
pub use kafka::Kafka;
pub use kafka_options::KafkaOptions;
pub use kafka_security::{KafkaSecurity, OAuthClient, Sasl, SecurityProtocol};
pub use layers::{Found, Layers};
pub use secret::Secret;
pub use table::{SETTINGS, Setting};
pub use tls::{TlsFiles, TlsIdentity};

/// The key that is used when none is set: fingerprints under it are comparable but not confidential.
pub const DEVELOPMENT_SCRUB_KEY: &str = "gatetrail development key";

/// Every fault of the configuration, one a line.
#[derive(Debug, Error)]
#[error("the configuration has faults:\n{}", .0.iter().map(|fault| format!("  - {fault}")).collect::<Vec<_>>().join("\n"))]
pub struct ConfigError(pub Vec<String>);

/// `[serve]`
#[derive(Debug, Clone)]
pub struct Serve {
    /// Where the API listens.
    pub listen: SocketAddr,
    /// Whether it may listen beyond loopback without tokens.
    pub allow_open: bool,
    /// Longest a request may take.
    pub request_timeout: Duration,
}

/// `[ingest]`
#[derive(Debug, Clone)]
pub struct Ingest {
    /// A batch is sealed this long after its first row.
    pub flush_interval: Duration,
    /// A batch is sealed at this many rows.
    pub flush_rows: usize,
    /// A batch is sealed at this many record bytes.
    pub flush_bytes: usize,
    /// A larger record is refused.
    pub max_record_bytes: usize,
    /// What may be in memory between poll and progress, in bytes.
    pub memory_bytes: usize,
    /// Most inserts a second.
    pub max_inserts_per_s: u32,
    /// Reading stops when more of the last 1,000 records are refused, in percent.
    pub dead_letter_percent: u32,
}

/// `[retention]`
#[derive(Debug, Clone, Copy)]
pub struct Retention {
    /// Days that authentication events are kept.
    pub auth_days: u32,
    /// Days that call events are kept.
    pub call_days: u32,
}

/// `[log]`
#[derive(Debug, Clone)]
pub struct Log {
    /// Level or list of `target=level`; `None` leaves it to `GATETRAIL_LOG`, `RUST_LOG` and the usual.
    pub filter: Option<String>,
    /// JSON lines instead of text.
    pub json: bool,
}

/// Every section.
#[derive(Debug, Clone)]
pub struct Config {
    /// `[kafka]`
    pub kafka: Kafka,
    /// `[clickhouse]`
    pub clickhouse: ClickHouse,
    /// `[serve]`
    pub serve: Serve,
    /// `[admin] listen`; each role has its own default.
    pub admin_listen: Option<SocketAddr>,
    /// `[ingest]`
    pub ingest: Ingest,
    /// `[retention]`
    pub retention: Retention,
    /// `[scrub] key`; `None` when not set.
    pub scrub_key: Option<Secret>,
    /// `[scrub] emails`
    pub emails: Emails,
    /// `[classify] rules`
    pub rules: Option<PathBuf>,
    /// `[log]`
    pub log: Log,
    /// Every value with its origin, for `check config`.
    pub found: BTreeMap<String, Found>,
}

impl Config {
    /// Merges the layers and parses every value.
    ///
    /// # Errors
    /// [`ConfigError`] with every fault at once.
    pub fn load(layers: &Layers) -> Result<Self, ConfigError> {
        let (found, faults) = layers::merge(layers);
        let mut parser = Parser { found: &found, faults };
        let sections = parser.sections();
        match (sections, parser.faults.is_empty()) {
            (Some(config), true) => Ok(Self { found, ..config }),
            _ => Err(ConfigError(parser.faults)),
        }
    }

    /// The HMAC key: the configured one, or the development key.
    #[must_use]
    pub fn scrub_key(&self) -> &str {
        self.scrub_key.as_ref().map_or(DEVELOPMENT_SCRUB_KEY, Secret::reveal)
    }
}

struct Parser<'f> {
    found: &'f BTreeMap<String, Found>,
    faults: Vec<String>,
}

impl Parser<'_> {
    fn sections(&mut self) -> Option<Config> {
        let kafka = self.kafka();
        let clickhouse = self.clickhouse();
        let serve = self.serve();
        let ingest = self.ingest();
        let auth_days = self.number("retention.auth_days", 1..=3_650);
        let call_days = self.number("retention.call_days", 1..=3_650);
        let json = self.one_of("log.format", &["text", "json"]).map(|format| format == "json");
        let hides_emails = self.one_of("scrub.emails", &["keep", "hide"]).map(|emails| emails == "hide");
        let admin_listen = if self.found.contains_key("admin.listen") {
            Some(self.parse("admin.listen", "an address such as 127.0.0.1:9464")?)
        } else {
            None
        };
        Some(Config {
            kafka: kafka?,
            clickhouse: clickhouse?,
            serve: serve?,
            admin_listen,
            ingest: ingest?,
            retention: Retention { auth_days: auth_days?, call_days: call_days? },
            scrub_key: self.optional("scrub.key").map(Secret::new),
            emails: if hides_emails? { Emails::Hide } else { Emails::Keep },
            rules: self.optional("classify.rules").map(PathBuf::from),
            log: Log { filter: self.optional("log.filter"), json: json? },
            found: BTreeMap::new(),
        })
    }

    fn serve(&mut self) -> Option<Serve> {
        let listen = self.parse("serve.listen", "an address such as 127.0.0.1:8080");
        let allow_open = self.parse("serve.allow_open", "true or false");
        let timeout = self.number("serve.request_timeout_ms", 100..=300_000);
        Some(Serve { listen: listen?, allow_open: allow_open?, request_timeout: Duration::from_millis(timeout?) })
    }

    fn ingest(&mut self) -> Option<Ingest> {
        let interval = self.number("ingest.flush_ms", 1..=60_000);
        let rows = self.number("ingest.flush_rows", 1..=100_000);
        let bytes = self.number("ingest.flush_bytes", 1_024..=67_108_864);
        let record_bytes = self.number("ingest.max_record_bytes", 1_024..=67_108_864);
        let memory = self.number("ingest.memory_bytes", 16_777_216..=68_719_476_736);
        let inserts = self.number("ingest.max_inserts_per_s", 1..=1_000);
        let percent = self.number("ingest.dead_letter_percent", 1..=100);
        Some(Ingest {
            flush_interval: Duration::from_millis(interval?),
            flush_rows: rows?,
            flush_bytes: bytes?,
            max_record_bytes: record_bytes?,
            memory_bytes: memory?,
            max_inserts_per_s: inserts?,
            dead_letter_percent: percent?,
        })
    }

    fn optional(&self, path: &str) -> Option<String> {
        self.found.get(path).map(|found| found.text.clone()).filter(|text| !text.is_empty())
    }

    fn text(&mut self, path: &str) -> Option<String> {
        let text = self.optional(path);
        if text.is_none() {
            self.faults.push(format!("{path}: a value is required"));
        }
        text
    }

    fn fault(&mut self, path: &str, expected: impl Display) {
        if let Some(found) = self.found.get(path) {
            self.faults.push(format!("{path} = {:?} (from {}): {expected} is expected", found.text, found.origin));
        }
    }

    fn parse<T: FromStr>(&mut self, path: &str, expected: &str) -> Option<T> {
        let value = self.text(path)?.parse().ok();
        if value.is_none() {
            self.fault(path, expected);
        }
        value
    }

    fn number<T: FromStr + PartialOrd + Display>(&mut self, path: &str, range: RangeInclusive<T>) -> Option<T> {
        let value = self.text(path)?.parse().ok().filter(|number| range.contains(number));
        if value.is_none() {
            self.fault(path, format_args!("a whole number from {} to {}", range.start(), range.end()));
        }
        value
    }

    fn one_of(&mut self, path: &str, choices: &[&str]) -> Option<String> {
        let value = self.text(path).filter(|text| choices.contains(&text.as_str()));
        if value.is_none() {
            self.fault(path, format_args!("one of {}", choices.join(", ")));
        }
        value
    }

    /// A name that stands in statements as an identifier, where nothing can be bound.
    fn identifier(&mut self, path: &str) -> Option<String> {
        let is_identifier =
            |text: &String| text.len() <= 128 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let value = self.text(path).filter(is_identifier);
        if value.is_none() {
            self.fault(path, "a name of letters, digits and _");
        }
        value
    }
}

#[cfg(test)]
mod tests {
    use super::{Config, Layers};

    #[test]
    fn the_defaults_are_a_working_configuration() {
        let config = Config::load(&Layers::default()).unwrap();
        assert_eq!(config.ingest.flush_rows, 50_000);
        assert!(config.serve.listen.ip().is_loopback());
    }

    #[test]
    fn bad_values_are_named_with_their_origin() {
        let environment = [
            ("GATETRAIL_INGEST_FLUSH_MS", "soon"),
            ("GATETRAIL_SERVE_LISTEN", "everywhere"),
            ("GATETRAIL_CLICKHOUSE_DATABASE", "a; DROP"),
        ];
        let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let fault = Config::load(&Layers { environment, ..Layers::default() }).unwrap_err();
        assert_eq!(fault.0.len(), 3, "{fault}");
        assert!(fault.to_string().contains("GATETRAIL_INGEST_FLUSH_MS"), "{fault}");
    }

    #[test]
    fn a_secret_is_not_shown() {
        let environment = [("GATETRAIL_SCRUB_KEY".to_owned(), "hush".to_owned())].into();
        let config = Config::load(&Layers { environment, ..Layers::default() }).unwrap();
        assert!(!format!("{:?}", config.scrub_key).contains("hush"));
        assert_eq!(config.scrub_key(), "hush");
    }
}
