//! What protects `serve` from too much: how many calls at a time, how long one may take, whom it answers, and that a
//! panic of one call is an answer and not a closed connection.

use std::any::Any;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::header::HOST;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::Semaphore;

use super::code::Code;
use super::problem::Problem;

/// Limits of the listener.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// How long one call may take, its body included.
    pub call_timeout: Duration,
    /// How many calls are answered at a time; the next one is told to come again.
    pub concurrent_calls: usize,
    /// How many bodies of events are held at a time.
    pub concurrent_ingests: usize,
    /// Whether only a `Host` of this machine is answered. A page of the internet can give its own name the address
    /// 127.0.0.1 and would then read this service from a visitor's browser; its `Host` gives it away.
    pub own_host_only: bool,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            call_timeout: Duration::from_secs(30),
            concurrent_calls: 128,
            concurrent_ingests: 8,
            own_host_only: true,
        }
    }
}

/// The bounds of one router, with its places.
#[derive(Debug, Clone)]
pub struct Gate {
    bounds: Bounds,
    places: Arc<Semaphore>,
}

impl Gate {
    /// A gate that lets `places` calls through at a time.
    #[must_use]
    pub fn new(bounds: Bounds, places: usize) -> Self {
        Self { bounds, places: Arc::new(Semaphore::new(places)) }
    }
}

/// Lets a call through when there is a place, and gives it the time it may take.
pub async fn pass(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    let Ok(_place) = gate.places.try_acquire() else {
        let detail = "As many calls as allowed are being answered; try again in a second.";
        return Problem::new(Code::Overloaded, detail).retry_after(1).into_response();
    };
    let answer = tokio::time::timeout(gate.bounds.call_timeout, next.run(request)).await;
    answer.unwrap_or_else(|_| {
        let detail = format!(
            "The call took longer than {} s. Ask for a shorter time range or fewer rows.",
            gate.bounds.call_timeout.as_secs()
        );
        Problem::new(Code::Timeout, detail).retry_after(5).into_response()
    })
}

/// Refuses a `Host` that is not this machine, where only this machine is served.
pub async fn guard_host(State(bounds): State<Bounds>, request: Request, next: Next) -> Response {
    let host = request.headers().get(HOST).map(|host| host.to_str().unwrap_or("?"));
    if bounds.own_host_only && host.is_some_and(|host| !is_this_machine(host)) {
        let detail = "This service listens on loopback and answers only to localhost, 127.0.0.1 and [::1].";
        return Problem::new(Code::Misdirected, detail).into_response();
    }
    next.run(request).await
}

fn is_this_machine(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// What a panicking handler answers. The panic's own message may hold data, so it is not repeated here; the panic hook
/// has written it to stderr.
pub fn answer_panic(_: Box<dyn Any + Send + 'static>) -> Response {
    tracing::error!("a handler panicked; the panic itself is on stderr");
    Problem::new(Code::Internal, "The fault is logged under the X-Request-Id of this answer.").into_response()
}

#[cfg(test)]
mod tests {
    use super::is_this_machine;

    #[test]
    fn only_names_of_this_machine_pass() {
        for host in ["localhost", "LOCALHOST:8080", "127.0.0.1", "127.0.0.1:8080", "127.8.9.1:1", "[::1]:8080", "[::1]"]
        {
            assert!(is_this_machine(host), "{host}");
        }
        for host in
            ["", "gatetrail.example", "127.0.0.1.example:80", "10.0.0.1:8080", "localhost.example", "[::2]:80", "?"]
        {
            assert!(!is_this_machine(host), "{host}");
        }
    }
}
