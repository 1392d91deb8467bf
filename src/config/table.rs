//! The one table of settings: name, default, help. Flags, environment, file, README and `check config` follow it.

use super::kafka_options;

/// One setting, `[section] key` in the file, `--section-key` as a flag, `GATETRAIL_SECTION_KEY` in the environment.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Section of the file.
    pub section: &'static str,
    /// Key in the section.
    pub key: &'static str,
    /// The default as text; `None` when there is none.
    pub default: Option<&'static str>,
    /// What a flag's help calls the value.
    pub value_name: &'static str,
    /// One line of help with unit and range.
    pub help: &'static str,
    /// Whether the value is never shown, and may also come from a file (`…_FILE`).
    pub secret: bool,
    /// Whether the file may hold a table of names and values (`[section.key]`) in its place.
    pub table: bool,
}

impl Setting {
    /// `section.key`.
    #[must_use]
    pub fn path(&self) -> String {
        format!("{}.{}", self.section, self.key)
    }

    /// `section-key`.
    #[must_use]
    pub fn flag(&self) -> String {
        format!("{}-{}", self.section, self.key.replace('_', "-"))
    }

    /// A value as it may be shown: secrets are masked.
    #[must_use]
    pub fn shown(&self, text: &str) -> String {
        match (self.secret, self.table) {
            (true, _) => "[secret]".to_owned(),
            (false, true) => kafka_options::masked(text),
            (false, false) => text.to_owned(),
        }
    }

    /// `GATETRAIL_SECTION_KEY`.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("GATETRAIL_{}_{}", self.section.to_uppercase(), self.key.to_uppercase())
    }
}

const fn setting(
    section: &'static str,
    key: &'static str,
    default: Option<&'static str>,
    value_name: &'static str,
    help: &'static str,
) -> Setting {
    Setting { section, key, default, value_name, help, secret: false, table: false }
}

const fn secret(section: &'static str, key: &'static str, help: &'static str) -> Setting {
    Setting { section, key, default: None, value_name: "SECRET", help, secret: true, table: false }
}

const fn table(section: &'static str, key: &'static str, help: &'static str) -> Setting {
    Setting { section, key, default: None, value_name: "NAME=VALUE,…", help, secret: false, table: true }
}

/// Every setting.
pub const SETTINGS: &[Setting] = &[
    setting("kafka", "brokers", Some("127.0.0.1:9092"), "HOST:PORT,…", "Kafka bootstrap servers"),
    setting(
        "kafka",
        "topic",
        Some("mcp.gateway.events"),
        "TOPIC,…",
        "Topics of gateway events, comma-separated: consume reads all of them, serve and simulate write to the first",
    ),
    setting(
        "kafka",
        "registry_topic",
        Some("mcp.gateway.registry"),
        "TOPIC",
        "Compacted topic of registered servers and keys",
    ),
    setting("kafka", "group", Some("gatetrail"), "GROUP", "Consumer group"),
    setting(
        "kafka",
        "group_instance_id",
        None,
        "NAME",
        "Name of this member (static membership): a restart within the session timeout moves no partition",
    ),
    setting(
        "kafka",
        "security_protocol",
        Some("plaintext"),
        "PROTOCOL",
        "plaintext, ssl (TLS), sasl_plaintext or sasl_ssl (SASL over TLS)",
    ),
    setting(
        "kafka",
        "sasl_mechanism",
        None,
        "NAME",
        "How to sign in to Kafka: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER",
    ),
    setting("kafka", "sasl_username", None, "NAME", "Kafka user, for PLAIN and SCRAM"),
    secret("kafka", "sasl_password", "Kafka password, for PLAIN and SCRAM"),
    setting(
        "kafka",
        "sasl_oauth_token_url",
        None,
        "URL",
        "Token endpoint that OAUTHBEARER gets its tokens from, by the client credentials grant",
    ),
    setting("kafka", "sasl_oauth_client_id", None, "ID", "OAuth client, for OAUTHBEARER"),
    secret("kafka", "sasl_oauth_client_secret", "Secret of the OAuth client, for OAUTHBEARER"),
    setting("kafka", "sasl_oauth_scope", None, "SCOPE", "Scopes asked for, separated by spaces, for OAUTHBEARER"),
    setting(
        "kafka",
        "sasl_oauth_ca_file",
        None,
        "FILE",
        "PEM file of the authorities trusted for the token endpoint (without it: the system's)",
    ),
    setting(
        "kafka",
        "tls_ca_file",
        None,
        "FILE",
        "PEM file of the authorities trusted for brokers (without it: the system's)",
    ),
    setting("kafka", "tls_certificate_file", None, "FILE", "PEM file of the certificate shown to brokers"),
    setting("kafka", "tls_key_file", None, "FILE", "PEM file of that certificate's private key"),
    secret("kafka", "tls_key_password", "Password of that private key, when it is encrypted"),
    table("kafka", "options", "More properties of librdkafka by name; in a file the table [kafka.options]"),
    setting("clickhouse", "url", Some("http://127.0.0.1:8123"), "URL", "ClickHouse HTTP or HTTPS address"),
    setting("clickhouse", "database", Some("gatetrail"), "NAME", "ClickHouse database"),
    setting("clickhouse", "user", Some("default"), "NAME", "ClickHouse user"),
    secret("clickhouse", "password", "ClickHouse password"),
    setting(
        "clickhouse",
        "tls_ca_file",
        None,
        "FILE",
        "PEM file of the authorities trusted for https (without it: the system's)",
    ),
    setting("clickhouse", "tls_certificate_file", None, "FILE", "PEM file of the certificate shown to ClickHouse"),
    setting("clickhouse", "tls_key_file", None, "FILE", "PEM file of that certificate's private key, not encrypted"),
    setting("serve", "listen", Some("127.0.0.1:8080"), "ADDR:PORT", "Where the API and the pages are served"),
    setting(
        "serve",
        "allow_open",
        Some("false"),
        "BOOL",
        "Allow listening beyond loopback although no tokens exist yet",
    ),
    setting("serve", "request_timeout_ms", Some("10000"), "MS", "Longest a request may take, 100 to 300000"),
    setting(
        "admin",
        "listen",
        None,
        "ADDR:PORT",
        "Where /livez, /readyz and /metrics are served (consume: 127.0.0.1:9464, serve: 127.0.0.1:9465)",
    ),
    setting("ingest", "flush_ms", Some("1000"), "MS", "A batch is sealed this long after its first row, 1 to 60000"),
    setting("ingest", "flush_rows", Some("50000"), "ROWS", "A batch is sealed at this many rows, 1 to 100000"),
    setting(
        "ingest",
        "flush_bytes",
        Some("33554432"),
        "BYTES",
        "A batch is sealed at this many record bytes, 1024 to 67108864",
    ),
    setting(
        "ingest",
        "max_record_bytes",
        Some("1048576"),
        "BYTES",
        "A larger record goes to the dead letters, 1024 to 67108864",
    ),
    setting(
        "ingest",
        "memory_bytes",
        Some("268435456"),
        "BYTES",
        "Most bytes of records in memory, a quarter of it fetched ahead; reading pauses there, 16777216 to 68719476736",
    ),
    setting(
        "ingest",
        "max_inserts_per_s",
        Some("10"),
        "INSERTS",
        "Most inserts a second: with P active partitions a batch waits for max(flush_ms, P / this), 1 to 1000",
    ),
    setting(
        "ingest",
        "dead_letter_percent",
        Some("5"),
        "PERCENT",
        "Reading stops when more of the last 1000 records than this are refused; 100 never stops it, 1 to 100",
    ),
    setting(
        "retention",
        "auth_days",
        Some("90"),
        "DAYS",
        "How long authentication events are kept; an older event is refused, 1 to 3650",
    ),
    setting("retention", "call_days", Some("30"), "DAYS", "How long call events are kept, 1 to 3650"),
    secret("scrub", "key", "Key of the HMAC fingerprints that stand for removed secrets"),
    setting(
        "classify",
        "rules",
        None,
        "FILE",
        "Rules file that adds to the built-in rules, replaces or disables some, or stands alone",
    ),
    setting(
        "log",
        "filter",
        None,
        "FILTER",
        "What is logged, as a level or a list of target=level (default: warn,gatetrail=info)",
    ),
    setting("log", "format", Some("text"), "FORMAT", "text or json"),
];
