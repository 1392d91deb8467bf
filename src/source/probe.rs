//! Does Kafka answer, and if not, why? For starting, for the one-shot commands and for `check connections`.
//!
//! librdkafka answers a question with "no broker answered in time" whatever the reason; the reason comes as an event of
//! its own. So a short-lived client asks, and listens for both. When a certificate is what is wrong, a look of our own
//! ([`crate::tls::look`]) tells what about it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::client::{ClientContext, OAuthToken};
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use super::client::{client, create, sign_in};
use super::fault::KafkaFault;
use super::kafka::SourceError;
use super::oauth::Tokens;
use crate::config::{self, KafkaSecurity, TlsFiles};
use crate::tls::client_config;
use crate::tls::fault::TlsFault;
use crate::tls::look::{Seen, look};

/// How long brokers may take altogether.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long one question waits before events are looked at.
const QUESTION: Duration = Duration::from_millis(200);
/// How long other brokers have after one has shown a fault.
const AFTER_FAULT: Duration = Duration::from_millis(600);
/// How long is waited at least when all brokers are down.
const AFTER_ALL_DOWN: Duration = Duration::from_secs(2);
/// How long the look at a certificate may take.
const LOOK: Duration = Duration::from_secs(2);

/// Asks the brokers once, within about five seconds. Blocks its thread.
///
/// # Errors
/// [`SourceError`]: a sentence that says which setting or which broker is at fault.
pub fn probe(settings: &config::Kafka) -> Result<(), SourceError> {
    let context = Listening { tokens: Tokens::of(settings), heard: Mutex::default() };
    let mut config = client(settings);
    // Short, for a client that lives for a moment; and no group, since it consumes nothing.
    config.set("reconnect.backoff.ms", "50").set("reconnect.backoff.max.ms", "500");
    config.set_log_level(RDKafkaLogLevel::Info);
    let asking: BaseConsumer<Listening> = create(&config, context)?;
    sign_in(asking.client(), &asking.context().tokens)?;
    let begun = Instant::now();
    loop {
        let Err(error) = asking.fetch_metadata(Some(settings.first_topic()), QUESTION) else { return Ok(()) };
        while asking.poll(Duration::ZERO).is_some() {}
        let heard = asking.context().heard.lock().unwrap_or_else(PoisonError::into_inner);
        let fault = heard.iter().find_map(|heard| Broken::of(heard, &settings.security));
        // One that has shown what is wrong, or the absence of all, leaves the others a moment more.
        let enough = match &fault {
            Some((_, since)) => since.elapsed() >= AFTER_FAULT,
            None => heard.iter().any(Heard::is_all_down) && begun.elapsed() >= AFTER_ALL_DOWN,
        };
        if !enough && begun.elapsed() < PATIENCE {
            continue;
        }
        let broken = fault.map(|(broken, _)| broken).or_else(|| hung_up(&heard, &settings.security));
        return Err(match broken.or_else(|| looked_at(settings)) {
            Some(broken) => broken.refined(&settings.security),
            None => silent(settings, &heard, error),
        });
    }
}

fn hung_up(heard: &[Heard], security: &KafkaSecurity) -> Option<Broken> {
    heard.iter().find_map(|heard| {
        let broker = broker_of(&heard.reason);
        let speaks_tls =
            || !matches!(look_at(broker, security), Some(Seen::Nothing | Seen::Fault(TlsFault::NotTls)) | None);
        let fault = KafkaFault::of_hanging_up(&heard.reason, security.protocol, speaks_tls)?;
        Some(Broken { broker: broker.to_owned(), fault })
    })
}

/// What a look at the certificates shows where librdkafka had no time to say anything: a busy machine takes seconds for a handshake.
fn looked_at(settings: &config::Kafka) -> Option<Broken> {
    if !settings.security.protocol.has_tls() || !settings.options.check_certificates_by_default() {
        return None;
    }
    settings.brokers.split(',').map(str::trim).find_map(|broker| match look_at(broker, &settings.security)? {
        Seen::Fault(fault) => Some(Broken { broker: broker.to_owned(), fault: KafkaFault::Tls(fault) }),
        Seen::Accepted | Seen::Nothing => None,
    })
}

fn silent(settings: &config::Kafka, heard: &[Heard], source: KafkaError) -> SourceError {
    let brokers = settings.brokers.clone();
    match heard.iter().find(|heard| !heard.is_all_down()) {
        Some(heard) => SourceError::Silent { brokers, reason: heard.reason.clone() },
        None => SourceError::Unreachable { brokers, source },
    }
}

/// A fault and who showed it.
struct Broken {
    broker: String,
    fault: KafkaFault,
}

impl Broken {
    /// The fault in what was heard, with the moment.
    fn of(heard: &Heard, security: &KafkaSecurity) -> Option<(Self, Instant)> {
        let fault = KafkaFault::of(heard.code, &heard.reason, security)?;
        Some((Self { broker: broker_of(&heard.reason).to_owned(), fault }, heard.at))
    }

    /// The error, with what a look at the certificate tells where librdkafka tells only that it was not accepted.
    fn refined(self, security: &KafkaSecurity) -> SourceError {
        let Self { broker, fault } = self;
        let seen = if fault == KafkaFault::Untrusted { look_at(&broker, security) } else { None };
        match seen {
            Some(Seen::Fault(seen)) => SourceError::Refused { broker, fault: KafkaFault::Tls(seen) },
            Some(Seen::Accepted | Seen::Nothing) | None => SourceError::Refused { broker, fault },
        }
    }
}

fn look_at(broker: &str, security: &KafkaSecurity) -> Option<Seen> {
    let (host, port) = broker.rsplit_once(':')?;
    let files = TlsFiles { ca: security.tls.ca.clone(), identity: None };
    let config = Arc::new(client_config(&files).ok()?);
    Some(look(host, port.parse().ok()?, config, LOOK))
}

/// `host:port` of `sasl_ssl://host:port/bootstrap: …`, as librdkafka begins what it says about a broker.
fn broker_of(reason: &str) -> &str {
    let name = reason.split("/bootstrap").next().unwrap_or_default();
    let name = name.split_once("://").map_or(name, |(_, name)| name);
    let name = name.split(['/', ' ']).next().unwrap_or_default();
    name.trim_end_matches(':')
}

/// Collects what librdkafka says on its own account.
struct Listening {
    tokens: Tokens,
    heard: Mutex<Vec<Heard>>,
}

struct Heard {
    at: Instant,
    code: RDKafkaErrorCode,
    reason: String,
}

impl Heard {
    fn is_all_down(&self) -> bool {
        self.code == RDKafkaErrorCode::AllBrokersDown
    }
}

impl Listening {
    fn note(&self, code: RDKafkaErrorCode, reason: &str) {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.push(Heard { at: Instant::now(), code, reason: reason.to_owned() });
    }
}

impl ClientContext for Listening {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn log(&self, _: RDKafkaLogLevel, facility: &str, message: &str) {
        tracing::debug!(facility, "{message}");
        // A broker that hangs up is told here only.
        if facility == "FAIL" {
            let reason = message.split_once("]: ").map_or(message, |(_, reason)| reason);
            self.note(RDKafkaErrorCode::BrokerTransportFailure, reason);
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "kafka");
        if let Some(code) = error.rdkafka_error_code() {
            self.note(code, reason);
        }
    }

    fn generate_oauth_token(&self, _: Option<&str>) -> Result<OAuthToken, Box<dyn std::error::Error>> {
        self.tokens.generate()
    }
}

impl ConsumerContext for Listening {}

#[cfg(test)]
mod tests {
    use super::broker_of;

    #[test]
    fn who_librdkafka_speaks_of() {
        for (reason, broker) in [
            ("sasl_ssl://kafka-1.example.com:9093/bootstrap: SSL handshake failed", "kafka-1.example.com:9093"),
            ("127.0.0.1:9092/bootstrap: Disconnected", "127.0.0.1:9092"),
            ("ssl://[::1]:9093/2: SSL handshake failed", "[::1]:9093"),
            ("1/1 brokers are down", "1"),
        ] {
            assert_eq!(broker_of(reason), broker);
        }
    }
}
