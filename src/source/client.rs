//! What every Kafka client of ours has in common: where the brokers are, TLS, how it signs in, and the operator's own
//! properties. The consumer of events has callbacks of its own ([`super::kafka`]); the others share [`PlainContext`].

use std::path::Path;

use rdkafka::client::{Client, ClientContext, OAuthToken};
use rdkafka::config::{ClientConfig, FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaError;

use super::fault::Complaints;
use super::kafka::SourceError;
use super::oauth::Tokens;
use super::token_native::set_token;
use crate::config::kafka_security::OAUTHBEARER;
use crate::config::{self, Sasl};
use crate::tls::TlsFileError;

/// The settings of every client. `[kafka.options]` is in it: what a client sets afterwards beats the operator's choice.
#[must_use]
pub fn client(settings: &config::Kafka) -> ClientConfig {
    client_with(settings, &[])
}

/// The settings of a client with its usual properties, each of which `[kafka.options]` may override.
#[must_use]
pub fn client_with(settings: &config::Kafka, usual: &[(&str, &str)]) -> ClientConfig {
    let mut client = ClientConfig::new();
    client
        .set("bootstrap.servers", &settings.brokers)
        .set("client.id", "gatetrail")
        .set("allow.auto.create.topics", "false");
    for (name, value) in usual {
        client.set(*name, *value);
    }
    secure(&mut client, &settings.security);
    settings.options.apply(&mut client);
    client
}

fn secure(client: &mut ClientConfig, security: &config::KafkaSecurity) {
    client.set("security.protocol", security.protocol.as_str());
    let mut set_file = |name: &str, path: &Path| {
        client.set(name, path.to_string_lossy());
    };
    if let Some(ca) = &security.tls.ca {
        set_file("ssl.ca.location", ca);
    }
    if let Some(identity) = &security.tls.identity {
        set_file("ssl.certificate.location", &identity.certificate);
        set_file("ssl.key.location", &identity.key);
        if let Some(password) = &identity.key_password {
            client.set("ssl.key.password", password.reveal());
        }
    }
    match &security.sasl {
        Some(Sasl::Password { mechanism, username, password }) => {
            client
                .set("sasl.mechanism", *mechanism)
                .set("sasl.username", username)
                .set("sasl.password", password.reveal());
        }
        Some(Sasl::OAuth(_)) => {
            client.set("sasl.mechanism", OAUTHBEARER);
        }
        None => {}
    }
}

/// Gives a new client its first token, where it signs in with one, so that it can be asked before it is polled.
///
/// # Errors
/// [`SourceError::Token`].
pub fn sign_in<C: ClientContext>(client: &Client<C>, tokens: &Tokens) -> Result<(), SourceError> {
    match tokens.current()? {
        Some(token) => set_token(client, &token).map_err(SourceError::Setup),
        None => Ok(()),
    }
}

/// The context of clients that need no callbacks: with tokens, and quiet, since whoever asked is told by an error.
#[derive(Debug)]
pub struct PlainContext {
    tokens: Tokens,
    complaints: Option<Complaints>,
}

impl PlainContext {
    /// For a client of these settings.
    #[must_use]
    pub fn of(settings: &config::Kafka) -> Self {
        Self { tokens: Tokens::of(settings), complaints: None }
    }

    /// For a client that lives on and whose user is not there: it says what is wrong, once.
    #[must_use]
    pub fn complaining(settings: &config::Kafka) -> Self {
        Self { complaints: Some(Complaints::of(settings)), ..Self::of(settings) }
    }

    /// The tokens that it gives out.
    #[must_use]
    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }
}

impl ClientContext for PlainContext {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn log(&self, _: RDKafkaLogLevel, facility: &str, message: &str) {
        // librdkafka tells it for each broker and attempt.
        tracing::debug!(facility, "{message}");
    }

    fn error(&self, error: KafkaError, reason: &str) {
        if let Some(complaints) = &self.complaints {
            complaints.hear(&error, reason);
        }
        tracing::debug!(%error, reason, "kafka");
    }

    fn generate_oauth_token(&self, _: Option<&str>) -> Result<OAuthToken, Box<dyn std::error::Error>> {
        self.tokens.generate()
    }
}

impl ConsumerContext for PlainContext {}

/// A consumer outside of any group's protocol, signed in.
///
/// # Errors
/// [`SourceError::Setup`], [`SourceError::Token`].
pub fn plain_consumer(
    settings: &config::Kafka,
    client: &ClientConfig,
) -> Result<BaseConsumer<PlainContext>, SourceError> {
    let consumer: BaseConsumer<PlainContext> = create(client, PlainContext::of(settings))?;
    sign_in(consumer.client(), consumer.context().tokens())?;
    Ok(consumer)
}

/// Makes a client with a context.
///
/// # Errors
/// [`SourceError::Setup`], [`SourceError::Files`].
pub fn create<C: ClientContext, T: FromClientConfigAndContext<C>>(
    client: &ClientConfig,
    context: C,
) -> Result<T, SourceError> {
    client.create_with_context(context).map_err(|error| match unreadable_file(client) {
        Some(fault) => SourceError::Files(fault),
        None => SourceError::Setup(without_value(error)),
    })
}

/// OpenSSL does not tell why it could not read a file, nor which.
fn unreadable_file(client: &ClientConfig) -> Option<TlsFileError> {
    ["ssl.ca.location", "ssl.certificate.location", "ssl.key.location"].iter().find_map(|name| {
        let path = Path::new(client.get(name)?);
        let reason = std::fs::read(path).err()?.to_string();
        Some(TlsFileError::Unreadable { path: path.to_owned(), reason })
    })
}

/// The library's text repeats the value that is not taken, which may be a secret.
fn without_value(error: KafkaError) -> KafkaError {
    match error {
        KafkaError::ClientConfig(result, reason, name, _) => {
            KafkaError::ClientConfig(result, reason, name, "[value]".to_owned())
        }
        other => other,
    }
}
