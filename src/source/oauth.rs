//! Tokens for `OAUTHBEARER`: asked for at a token endpoint by the client credentials grant (RFC 6749, section 4.4).
//!
//! librdkafka says when it wants one, on the thread that polls; it does so when a fifth of the last one's life is left, so
//! an endpoint that is away for a while is no harm. librdkafka's own way to fetch tokens needs libcurl, which this program
//! is built without.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

// The types of HTTP messages; axum gives out the ones that the client underneath takes.
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use base64::Engine;
use chrono::{DateTime, TimeDelta, Utc};
use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::rt::TokioExecutor;
use rdkafka::client::OAuthToken;
use serde::Deserialize;
use thiserror::Error;

use crate::config::{self, OAuthClient, Sasl, TlsFiles};
use crate::telemetry::clock::Clock;
use crate::tls::fault::{Peer, TlsFault};
use crate::tls::{TlsFileError, connector};

/// How long the endpoint may take; the thread that polls waits for as long.
const TIMEOUT: Duration = Duration::from_secs(5);
/// A longer answer is none.
const LONGEST_ANSWER: usize = 1 << 20;

/// Why there is no token. Never holds a token, a secret or more of the answer than its `error` code.
#[derive(Debug, Error)]
pub enum TokenError {
    /// Its certificates cannot be set up.
    #[error("the connection to the token endpoint cannot be set up: {0}")]
    Files(#[from] TlsFileError),
    /// It does not answer.
    #[error("the token endpoint (kafka.sasl_oauth_token_url) does not answer: {0}")]
    Unreachable(String),
    /// TLS with it fails.
    #[error("the token endpoint cannot be trusted: {}", .0.about(Peer::TokenEndpoint))]
    Tls(TlsFault),
    /// It says no.
    #[error(
        "the token endpoint refuses the client with {status}{}: check kafka.sasl_oauth_client_id, kafka.sasl_oauth_client_secret and kafka.sasl_oauth_scope",
        error.as_deref().map(|code| format!(" {code}")).unwrap_or_default()
    )]
    Refused {
        /// HTTP status.
        status: u16,
        /// The `error` of RFC 6749, section 5.2.
        error: Option<String>,
    },
    /// It says something else.
    #[error("the token endpoint's answer is no token: {0}; is kafka.sasl_oauth_token_url right?")]
    Answer(&'static str),
}

/// The tokens of one client; none where the mechanism needs none.
#[derive(Default)]
pub struct Tokens(Option<Endpoint>);

struct Endpoint {
    client: OAuthClient,
    last: Mutex<Option<Token>>,
}

#[derive(Clone)]
struct Token {
    text: String,
    asked: DateTime<Utc>,
    expires: DateTime<Utc>,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.0.is_some() { "Tokens" } else { "no tokens" })
    }
}

impl Tokens {
    /// Those of the configured client. Nothing is asked for yet.
    #[must_use]
    pub fn of(settings: &config::Kafka) -> Self {
        match &settings.security.sasl {
            Some(Sasl::OAuth(client)) => Self(Some(Endpoint { client: client.clone(), last: Mutex::default() })),
            Some(Sasl::Password { .. }) | None => Self(None),
        }
    }

    /// A token, or `None` where none is needed. The last one is given again during the first half of its life. Blocks its
    /// thread for at most five seconds.
    ///
    /// # Errors
    /// [`TokenError`].
    pub fn current(&self) -> Result<Option<OAuthToken>, TokenError> {
        let Some(endpoint) = &self.0 else { return Ok(None) };
        let mut last = endpoint.last.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Clock.now();
        let token = match last.as_ref().filter(|token| token.is_young(now)) {
            Some(token) => token.clone(),
            None => last.insert(fetch(&endpoint.client, now)?).clone(),
        };
        Ok(Some(OAuthToken {
            token: token.text,
            principal_name: endpoint.client.id.clone(),
            lifetime_ms: token.expires.timestamp_millis(),
        }))
    }

    /// What a client's context answers when librdkafka asks for a token.
    ///
    /// # Errors
    /// [`TokenError`].
    pub fn generate(&self) -> Result<OAuthToken, Box<dyn std::error::Error>> {
        self.current()?.ok_or_else(|| "no token endpoint is configured".into())
    }
}

impl Token {
    fn is_young(&self, now: DateTime<Utc>) -> bool {
        now < self.asked + (self.expires - self.asked) / 2
    }
}

/// The successful answer of RFC 6749, section 5.1, and the code of a refusal.
#[derive(Deserialize)]
struct Answer {
    access_token: Option<String>,
    /// Seconds; a few endpoints send it as text.
    expires_in: Option<serde_json::Value>,
    error: Option<String>,
}

/// The part of a JWT (RFC 7519) that says when it expires.
#[derive(Deserialize)]
struct Claims {
    exp: f64,
}

/// Asks on a thread of its own: the one that polls may or may not belong to an asynchronous runtime.
fn fetch(client: &OAuthClient, now: DateTime<Utc>) -> Result<Token, TokenError> {
    let asked = std::thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.map_err(|error| TokenError::Unreachable(error.to_string()))?;
            runtime.block_on(post(client))
        });
        asking.join().unwrap_or_else(|_| Err(TokenError::Unreachable("the thread that asks ended".to_owned())))
    });
    let (status, body) = asked?;
    read(status, &body, now)
}

async fn post(client: &OAuthClient) -> Result<(StatusCode, Vec<u8>), TokenError> {
    let files = TlsFiles { ca: client.ca.clone(), identity: None };
    let http: HttpClient<_, Body> = HttpClient::builder(TokioExecutor::new()).build(connector(&files)?);
    let exchange = async {
        let answer = http.request(request(client)?).await.map_err(|error| match TlsFault::of(&error) {
            Some(fault) => TokenError::Tls(fault),
            None => TokenError::Unreachable(crate::telemetry::with_causes(&error)),
        })?;
        let status = answer.status();
        let body = to_bytes(Body::new(answer.into_body()), LONGEST_ANSWER).await;
        let body = body.map_err(|error| TokenError::Unreachable(error.to_string()))?;
        Ok((status, body.to_vec()))
    };
    let late = |_| TokenError::Unreachable(format!("nothing came within {} s", TIMEOUT.as_secs()));
    tokio::time::timeout(TIMEOUT, exchange).await.map_err(late)?
}

/// The client identifies itself as RFC 6749, section 2.3.1, has every endpoint support.
fn request(client: &OAuthClient) -> Result<Request<Body>, TokenError> {
    let encoded = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let credentials = format!("{}:{}", encoded(&client.id), encoded(client.secret.reveal()));
    let credentials = base64::engine::general_purpose::STANDARD.encode(credentials);
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "client_credentials");
    if let Some(scope) = &client.scope {
        form.append_pair("scope", scope);
    }
    Request::post(client.token_url.as_str())
        .header(header::AUTHORIZATION, format!("Basic {credentials}"))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::ACCEPT, "application/json")
        .body(Body::from(form.finish()))
        .map_err(|error| TokenError::Unreachable(error.to_string()))
}

fn read(status: StatusCode, body: &[u8], asked: DateTime<Utc>) -> Result<Token, TokenError> {
    let answer: Option<Answer> = serde_json::from_slice(body).ok();
    if !status.is_success() {
        // RFC 6749, section 5.2: the code is one word; anything else is not repeated.
        let is_code = |code: &String| {
            code.len() <= 64 && code.bytes().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'-'))
        };
        let error = answer.and_then(|answer| answer.error).filter(is_code);
        return Err(TokenError::Refused { status: status.as_u16(), error });
    }
    let answer = answer.ok_or(TokenError::Answer("it is not a JSON object"))?;
    let text = answer.access_token.ok_or(TokenError::Answer("it has no access_token"))?;
    let seconds = answer.expires_in.and_then(|value| value.as_i64().or_else(|| value.as_str()?.parse().ok()));
    let expires = seconds
        .and_then(TimeDelta::try_seconds)
        .and_then(|life| asked.checked_add_signed(life))
        .or_else(|| expiry_of_jwt(&text))
        .filter(|expires| *expires > asked)
        .ok_or(TokenError::Answer("it has neither expires_in nor a JWT with exp that lies ahead"))?;
    Ok(Token { text, asked, expires })
}

fn expiry_of_jwt(token: &str) -> Option<DateTime<Utc>> {
    let claims = token.split('.').nth(1)?;
    let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(claims).ok()?;
    let claims: Claims = serde_json::from_slice(&claims).ok()?;
    #[expect(clippy::cast_possible_truncation, reason = "a time far out of range is refused by chrono")]
    DateTime::from_timestamp(claims.exp as i64, 0)
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use base64::Engine;
    use chrono::{DateTime, Utc};

    use super::{TokenError, read, request};
    use crate::config::{OAuthClient, Secret};

    fn noon() -> DateTime<Utc> {
        "2026-11-22T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn the_life_of_a_token_is_told_by_the_answer_or_by_the_token() {
        let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode("{\"exp\":1795349400}");
        let cases = [
            ("{\"access_token\":\"a.b.c\",\"expires_in\":300}".to_owned(), 300),
            ("{\"access_token\":\"opaque\",\"expires_in\":\"300\"}".to_owned(), 300),
            (format!("{{\"access_token\":\"h.{claims}.s\"}}"), 600),
        ];
        for (body, seconds) in cases {
            let token = read(StatusCode::OK, body.as_bytes(), noon()).unwrap_or_else(|error| panic!("{body}: {error}"));
            assert_eq!((token.expires - noon()).num_seconds(), seconds, "{body}");
            assert!(token.is_young(noon()) && !token.is_young(noon() + chrono::TimeDelta::seconds(seconds / 2)));
        }
    }

    #[test]
    fn what_is_no_token_is_said_without_repeating_it() {
        let cases = [
            (401, "{\"error\":\"invalid_client\",\"error_description\":\"hush\"}", "401 invalid_client: check"),
            (500, "<html>hush</html>", "with 500: check"),
            (400, "{\"error\":\"hush HUSH\"}", "with 400: check"),
            (200, "<html>hush</html>", "not a JSON object"),
            (200, "{\"token\":\"hush\"}", "no access_token"),
            (200, "{\"access_token\":\"hush\"}", "neither expires_in"),
            (200, "{\"access_token\":\"hush\",\"expires_in\":0}", "neither expires_in"),
        ];
        for (status, body, said) in cases {
            let error = read(StatusCode::from_u16(status).unwrap(), body.as_bytes(), noon()).err().unwrap();
            assert!(error.to_string().contains(said), "{body}: {error}");
            assert!(!error.to_string().contains("hush"), "{error}");
        }
    }

    #[test]
    fn the_client_identifies_itself_in_the_header() -> Result<(), TokenError> {
        let client = OAuthClient {
            token_url: "https://login.example.com/token".parse().unwrap(),
            id: "audit log".to_owned(),
            secret: Secret::new("p:s".to_owned()),
            scope: Some("kafka read".to_owned()),
            ca: None,
        };
        let request = request(&client)?;
        let expected = base64::engine::general_purpose::STANDARD.encode("audit+log:p%3As");
        assert_eq!(request.headers()["authorization"].to_str().unwrap(), format!("Basic {expected}"));
        Ok(())
    }
}
