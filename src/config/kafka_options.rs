//! `[kafka.options]`: any property of librdkafka that is not this program's own.
//!
//! As text it is `name=value,…`, in which a backslash makes a comma or a backslash part of a value; in the file it is a
//! table. librdkafka itself is asked whether it knows a name and takes its value. Names that this program sets are
//! refused: a different value would break what is promised about offsets, or is what another setting is for.

use std::collections::BTreeMap;
use std::fmt;

use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaConfRes;

use super::Parser;

/// Properties by name, handed to every Kafka client. `Debug` hides the values that are secrets.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct KafkaOptions(BTreeMap<String, String>);

/// Names that librdkafka knows under a second one, so that setting one of the two always beats our own choice of the
/// other (the aliases of librdkafka's CONFIGURATION.md that are not refused below).
const ALIASES: [(&str, &str); 5] = [
    ("compression.codec", "compression.type"),
    ("queue.buffering.max.ms", "linger.ms"),
    ("message.send.max.retries", "retries"),
    ("fetch.message.max.bytes", "max.partition.fetch.bytes"),
    ("max.in.flight.requests.per.connection", "max.in.flight"),
];

/// Why an option is refused.
enum Owner {
    /// There is a setting for it.
    Setting(&'static str),
    /// The program depends on its value.
    Program(&'static str),
}

const COMMITS: Owner = Owner::Program("offsets are committed only after ClickHouse confirmed the rows");
const PRODUCER: Owner = Owner::Program("a record is confirmed once, by all in-sync replicas, or reported as not sent");
const MEMBERSHIP: Owner = Owner::Program("the ingest depends on how partitions are handed over");

const OWNED: &[(&str, Owner)] = &[
    ("bootstrap.servers", Owner::Setting("kafka.brokers")),
    ("metadata.broker.list", Owner::Setting("kafka.brokers")),
    ("group.id", Owner::Setting("kafka.group")),
    ("group.instance.id", Owner::Setting("kafka.group_instance_id")),
    ("security.protocol", Owner::Setting("kafka.security_protocol")),
    ("sasl.mechanism", Owner::Setting("kafka.sasl_mechanism")),
    ("sasl.mechanisms", Owner::Setting("kafka.sasl_mechanism")),
    ("sasl.username", Owner::Setting("kafka.sasl_username")),
    ("sasl.password", Owner::Setting("kafka.sasl_password")),
    ("ssl.ca.location", Owner::Setting("kafka.tls_ca_file")),
    ("ssl.certificate.location", Owner::Setting("kafka.tls_certificate_file")),
    ("ssl.key.location", Owner::Setting("kafka.tls_key_file")),
    ("ssl.key.password", Owner::Setting("kafka.tls_key_password")),
    ("sasl.oauthbearer.method", Owner::Setting("kafka.sasl_mechanism = OAUTHBEARER")),
    ("sasl.oauthbearer.token.endpoint.url", Owner::Setting("kafka.sasl_oauth_token_url")),
    ("sasl.oauthbearer.client.id", Owner::Setting("kafka.sasl_oauth_client_id")),
    ("sasl.oauthbearer.client.credentials.client.id", Owner::Setting("kafka.sasl_oauth_client_id")),
    ("sasl.oauthbearer.client.secret", Owner::Setting("kafka.sasl_oauth_client_secret")),
    ("sasl.oauthbearer.client.credentials.client.secret", Owner::Setting("kafka.sasl_oauth_client_secret")),
    ("sasl.oauthbearer.scope", Owner::Setting("kafka.sasl_oauth_scope")),
    ("queued.max.messages.kbytes", Owner::Setting("ingest.memory_bytes")),
    ("enable.auto.commit", COMMITS),
    ("auto.commit.enable", COMMITS),
    ("auto.commit.interval.ms", COMMITS),
    ("enable.auto.offset.store", COMMITS),
    ("auto.offset.reset", Owner::Program("a new group starts at the oldest record, and no record is skipped")),
    ("isolation.level", Owner::Program("records of aborted transactions are never read")),
    ("enable.partition.eof", Owner::Program("the loop that polls does not expect such events")),
    ("partition.assignment.strategy", MEMBERSHIP),
    ("group.protocol", MEMBERSHIP),
    ("group.remote.assignor", MEMBERSHIP),
    ("allow.auto.create.topics", Owner::Program("only `gatetrail migrate --topics` creates topics")),
    ("statistics.interval.ms", Owner::Program("the lag that is reported comes from it")),
    ("enable.idempotence", PRODUCER),
    ("enable.gapless.guarantee", PRODUCER),
    ("acks", PRODUCER),
    ("request.required.acks", PRODUCER),
    ("transactional.id", PRODUCER),
    ("delivery.timeout.ms", Owner::Setting("serve.request_timeout_ms")),
    ("message.timeout.ms", Owner::Setting("serve.request_timeout_ms")),
];

impl KafkaOptions {
    /// Sets each of them, over what is set already.
    pub fn apply(&self, client: &mut ClientConfig) {
        for (name, value) in &self.0 {
            client.set(name, value);
        }
    }

    /// Whether certificates are checked as by default, so that what our own look at one says holds for librdkafka too.
    #[must_use]
    pub fn check_certificates_by_default(&self) -> bool {
        !self.0.keys().any(|name| {
            name == "enable.ssl.certificate.verification" || name == "ssl.endpoint.identification.algorithm"
        })
    }
}

impl fmt::Debug for KafkaOptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.0.iter().map(|(name, value)| (name, if is_secret(name) { "[secret]" } else { value }));
        formatter.debug_map().entries(shown).finish()
    }
}

impl Parser<'_> {
    pub(super) fn kafka_options(&mut self) -> Option<KafkaOptions> {
        let Some(text) = self.optional("kafka.options") else { return Some(KafkaOptions::default()) };
        let origin = self.found.get("kafka.options").map_or("", |found| found.origin.as_str());
        let mut options = BTreeMap::new();
        let faults_before = self.faults.len();
        for option in split(&text) {
            // A value may be a secret, so a fault names nothing but the name.
            let taken = match option {
                Ok((name, value)) => take(name, value, &mut options),
                Err(NotAnOption) => Err("name=value,… is expected (`\\,` is a comma inside a value)".to_owned()),
            };
            if let Err(fault) = taken {
                self.faults.push(format!("kafka.options (from {origin}): {fault}"));
            }
        }
        (self.faults.len() == faults_before).then_some(KafkaOptions(options))
    }
}

fn take(name: String, value: String, options: &mut BTreeMap<String, String>) -> Result<(), String> {
    match OWNED.iter().find(|(owned, _)| *owned == name) {
        Some((_, Owner::Setting(setting))) => return Err(format!("`{name}` is what {setting} is for")),
        Some((_, Owner::Program(reason))) => return Err(format!("`{name}` cannot be changed: {reason}")),
        None => ask_librdkafka(&name, &value)?,
    }
    let name = ALIASES.iter().find(|(other, _)| *other == name).map_or(name, |(_, usual)| (*usual).to_owned());
    match options.insert(name.clone(), value) {
        Some(_) => Err(format!("`{name}` is set twice")),
        None => Ok(()),
    }
}

fn ask_librdkafka(name: &str, value: &str) -> Result<(), String> {
    match ClientConfig::new().set(name, value).create_native_config() {
        Ok(_) => Ok(()),
        Err(KafkaError::ClientConfig(RDKafkaConfRes::RD_KAFKA_CONF_UNKNOWN, ..)) => {
            Err(format!("librdkafka has no property `{name}`"))
        }
        Err(KafkaError::ClientConfig(_, reason, ..)) if !is_secret(name) => {
            Err(format!("librdkafka does not take `{name}`: {reason}"))
        }
        Err(_) => Err(format!("librdkafka does not take the value of `{name}`")),
    }
}

/// Whether a property's value must never be shown (librdkafka marks them `_RK_SENSITIVE`).
fn is_secret(name: &str) -> bool {
    ["password", "secret", ".pem", "private.key", "sasl.oauthbearer.config", "sasl.oauthbearer.assertion"]
        .iter()
        .any(|part| name.contains(part))
}

struct NotAnOption;

/// The pairs of `name=value,…`.
fn split(text: &str) -> Vec<Result<(String, String), NotAnOption>> {
    let mut pieces = vec![String::new()];
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            ',' => pieces.push(String::new()),
            letter => {
                let plain = if letter == '\\' { letters.next().unwrap_or('\\') } else { letter };
                if let Some(last) = pieces.last_mut() {
                    last.push(plain);
                }
            }
        }
    }
    let pair = |piece: &String| match piece.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.trim().to_owned())),
        _ => Err(NotAnOption),
    };
    pieces.iter().map(pair).collect()
}

/// The text form of a table in the file. Names may be quoted (`"fetch.max.bytes"`) or not, which TOML reads as tables in
/// tables.
pub(super) fn text_of(table: &toml::Table) -> Result<String, String> {
    let mut pairs = Vec::new();
    collect("", table, &mut pairs)?;
    Ok(pairs.join(","))
}

fn collect(above: &str, table: &toml::Table, pairs: &mut Vec<String>) -> Result<(), String> {
    for (key, value) in table {
        let name = if above.is_empty() { key.clone() } else { format!("{above}.{key}") };
        let value = match value {
            toml::Value::Table(below) => {
                collect(&name, below, pairs)?;
                continue;
            }
            toml::Value::String(text) => text.replace('\\', "\\\\").replace(',', "\\,"),
            toml::Value::Integer(number) => number.to_string(),
            toml::Value::Float(number) => number.to_string(),
            toml::Value::Boolean(flag) => flag.to_string(),
            _ => return Err(format!("{name}: a string, a number or a boolean is expected")),
        };
        pairs.push(format!("{name}={value}"));
    }
    Ok(())
}

/// The text with its secrets masked, for `check config`.
#[must_use]
pub fn masked(text: &str) -> String {
    let shown = |option: Result<(String, String), NotAnOption>| match option {
        Ok((name, _)) if is_secret(&name) => format!("{name}=[secret]"),
        Ok((name, value)) => format!("{name}={value}"),
        Err(NotAnOption) => "?".to_owned(),
    };
    split(text).into_iter().map(shown).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::{ALIASES, OWNED, ask_librdkafka, masked, text_of};
    use crate::config::{Config, ConfigError, Layers};

    fn load(text: &str) -> Result<Config, ConfigError> {
        Config::load(&Layers { flags: [("kafka.options".to_owned(), text.to_owned())].into(), ..Layers::default() })
    }

    #[test]
    fn properties_are_taken_and_win_over_our_choice() {
        let options = load("fetch.max.bytes=1000000, client.id = audit,debug=broker\\,security").unwrap().kafka.options;
        let mut client = rdkafka::ClientConfig::new();
        client.set("client.id", "gatetrail");
        options.apply(&mut client);
        assert_eq!(client.get("fetch.max.bytes"), Some("1000000"));
        assert_eq!((client.get("client.id"), client.get("debug")), (Some("audit"), Some("broker,security")));
    }

    #[test]
    fn a_bad_option_is_a_fault_that_shows_no_secret() {
        for (text, said) in [
            ("enable.auto.commit=true", "cannot be changed"),
            ("acks=0", "cannot be changed"),
            ("sasl.password=hush", "what kafka.sasl_password is for"),
            ("fetch.max.byte=1", "librdkafka has no property `fetch.max.byte`"),
            ("fetch.max.bytes=hush-hush", "`fetch.max.bytes`"),
            ("linger.ms=1,queue.buffering.max.ms=2", "set twice"),
            ("fetch.max.bytes", "name=value"),
            ("=1", "name=value"),
            ("client.id=a,", "name=value"),
        ] {
            let fault = load(text).unwrap_err().to_string();
            assert!(fault.contains(said), "{text}: {fault}");
            assert!(!fault.contains("password=hush"), "{fault}");
        }
        let fault = load("ssl.keystore.password=hush,nonsense.password=hush").unwrap_err().to_string();
        assert!(!fault.contains("hush"), "{fault}");
    }

    #[test]
    fn librdkafka_knows_every_name_that_stands_here() {
        let unknown: Vec<&str> = OWNED
            .iter()
            .map(|(name, _)| *name)
            .chain(ALIASES.iter().flat_map(|(name, usual)| [*name, *usual]))
            .filter(|name| ask_librdkafka(name, "1").is_err_and(|fault| fault.contains("no property")))
            .collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }

    #[test]
    fn a_table_of_the_file_becomes_the_text_and_secrets_are_masked() {
        let table = "\"fetch.max.bytes\" = 1000\nsocket.keepalive.enable = true\ndebug = \"a,b\"\n\"ssl.keystore.password\" = \"hush\\\\\"";
        let text = text_of(&table.parse().unwrap()).unwrap();
        assert_eq!(
            text,
            "debug=a\\,b,fetch.max.bytes=1000,socket.keepalive.enable=true,ssl.keystore.password=hush\\\\"
        );
        assert_eq!(
            masked(&text),
            "debug=a,b,fetch.max.bytes=1000,socket.keepalive.enable=true,ssl.keystore.password=[secret]"
        );
        assert!(text_of(&"a = [1]".parse().unwrap()).is_err());
    }
}
