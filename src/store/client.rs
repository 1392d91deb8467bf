//! The ClickHouse client every role uses, from the configuration; and whether ClickHouse answers it.

use std::sync::Arc;
use std::time::Duration;

use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::rt::TokioExecutor;

use super::connection::ConnectionFault;
use super::error::StoreError;
use crate::config;
use crate::tls::fault::TlsFault;
use crate::tls::look::{Seen, look};
use crate::tls::{client_config, connector};

/// How long an idle connection is kept for another request: what the `clickhouse` crate sets for its own connections,
/// less than the three seconds after which a server closes them.
const IDLE: Duration = Duration::from_secs(2);
/// How long [`probe`] waits for an answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often a question is asked that gets no answer and no reason.
const ASKS: u32 = 4;
/// How long a look at the port may take.
const LOOK: Duration = Duration::from_secs(2);

/// A client of the configured server, without a database. Nothing is sent yet.
///
/// # Errors
/// [`StoreError::Files`] when certificates cannot be used.
pub fn connect(settings: &config::ClickHouse) -> Result<clickhouse::Client, StoreError> {
    // Plain HTTP keeps the crate's own connections.
    let client = if is_https(settings) {
        let http = HttpClient::builder(TokioExecutor::new()).pool_idle_timeout(IDLE).build(connector(&settings.tls)?);
        clickhouse::Client::with_http_client(http)
    } else {
        clickhouse::Client::default()
    };
    let client = client
        .with_url(settings.url.trim_end_matches('/'))
        .with_user(&settings.user)
        .with_product_info("gatetrail", env!("CARGO_PKG_VERSION"))
        .with_compression(super::compression::compression_to(&settings.url))
        // Types are checked where rows are read as JSON lines; the crate's own check reads the schema once a query more.
        .with_validation(false);
    Ok(match &settings.password {
        Some(password) => client.with_password(password.reveal()),
        None => client,
    })
}

/// A client of the configured server with the database set, for everything but migrations.
///
/// # Errors
/// [`StoreError::Files`] when certificates cannot be used.
pub fn connect_database(settings: &config::ClickHouse) -> Result<clickhouse::Client, StoreError> {
    Ok(connect(settings)?.with_database(&settings.database))
}

/// Asks ClickHouse for its version, within about five seconds.
///
/// # Errors
/// [`StoreError`]: a sentence that says whether it is away, or which setting is at fault.
pub async fn probe(settings: &config::ClickHouse) -> Result<String, StoreError> {
    let client = connect(settings)?;
    let deadline = tokio::time::Instant::now() + PATIENCE;
    let mut asks_left = ASKS;
    let error = loop {
        let asked = tokio::time::timeout_at(deadline, client.query("SELECT version()").fetch_one::<String>()).await;
        asks_left -= 1;
        match asked {
            Ok(Ok(version)) => return Ok(version),
            Ok(Err(error)) if asks_left > 0 && is_refused_without_a_reason(settings, &error) => {}
            Ok(Err(error)) => break error,
            Err(_) => break clickhouse::error::Error::TimedOut,
        }
    };
    let fault = match ConnectionFault::of(&error) {
        Some(fault) => Some(fault),
        None if is_https(settings) => None,
        None => look_at(settings, &error).await,
    };
    Err(match fault {
        Some(fault) => StoreError::Connection { url: settings.url.clone(), fault, source: error },
        None => StoreError::of(error),
    })
}

/// With TLS 1.3 a refused certificate is told after the handshake (RFC 8446 §4.4.2.4, §6.2); when that comes before the
/// question could be sent, the HTTP client says only that the connection was not ready. Asked again, it mostly says why.
fn is_refused_without_a_reason(settings: &config::ClickHouse, error: &clickhouse::error::Error) -> bool {
    let is_network = matches!(error, clickhouse::error::Error::Network(_));
    is_https(settings) && is_network && ConnectionFault::of(error).is_none()
}

/// A port that hung up on plain HTTP, or said nothing, may be one for TLS.
async fn look_at(settings: &config::ClickHouse, error: &clickhouse::error::Error) -> Option<ConnectionFault> {
    use clickhouse::error::Error;
    if !matches!(error, Error::Network(_) | Error::TimedOut) {
        return None;
    }
    let url: url::Url = settings.url.parse().ok()?;
    let (host, port) = (url.host_str()?.to_owned(), url.port_or_known_default()?);
    let config = Arc::new(client_config(&settings.tls).ok()?);
    match tokio::task::spawn_blocking(move || look(&host, port, config, LOOK)).await.ok()? {
        Seen::Accepted => Some(ConnectionFault::SpeaksTls),
        Seen::Fault(TlsFault::NotTls) | Seen::Nothing => None,
        Seen::Fault(_) => Some(ConnectionFault::SpeaksTls),
    }
}

fn is_https(settings: &config::ClickHouse) -> bool {
    settings.url.starts_with("https:")
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::{connect, probe};
    use crate::config::{ClickHouse, TlsFiles};
    use crate::store::StoreError;

    fn at(url: String) -> ClickHouse {
        ClickHouse {
            url,
            database: "audit".to_owned(),
            user: "audit".to_owned(),
            password: None,
            tls: TlsFiles::default(),
        }
    }

    /// Answers every connection with these bytes and hangs up.
    async fn answering(bytes: &'static [u8]) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut asked = [0; 512];
                drop(stream.read(&mut asked).await);
                drop(stream.write_all(bytes).await);
            }
        });
        address.to_string()
    }

    #[tokio::test]
    async fn a_tls_alert_in_place_of_http_names_the_scheme() {
        let address = answering(b"\x15\x03\x03\x00\x02\x02\x46").await;
        let fault = probe(&at(format!("http://{address}"))).await.unwrap_err();
        assert!(matches!(fault, StoreError::Connection { .. }), "{fault:?}");
        assert!(fault.to_string().contains("must begin with https://"), "{fault}");
    }

    #[tokio::test]
    async fn http_in_place_of_tls_names_the_port() {
        let address = answering(b"HTTP/1.0 400 Bad Request\r\n\r\n").await;
        let fault = probe(&at(format!("https://{address}"))).await.unwrap_err();
        assert!(fault.to_string().contains("does not speak TLS"), "{fault}");
    }

    #[tokio::test]
    async fn nobody_there_is_no_fault_of_a_setting() {
        for scheme in ["http", "https"] {
            let fault = probe(&at(format!("{scheme}://127.0.0.1:1"))).await.unwrap_err();
            assert!(matches!(fault, StoreError::Unreachable(_)), "{scheme}: {fault:?}");
        }
    }

    #[test]
    fn a_missing_file_of_authorities_is_named() {
        let mut settings = at("https://127.0.0.1:1".to_owned());
        settings.tls.ca = Some("/absent/ca.pem".into());
        assert!(connect(&settings).unwrap_err().to_string().contains("/absent/ca.pem"));
    }
}
