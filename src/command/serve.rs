//! `gatetrail serve`: the API and the pages on one listener, health and metrics on another, until SIGTERM or Ctrl-C.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clickhouse::Client;
use futures_util::FutureExt;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tracing::{info, warn};

use super::{Exit, decode_limits, stop_asked};
use crate::api::bounds::Bounds;
use crate::api::health::Part;
use crate::api::ingest::check::event_check;
use crate::api::ingest::kafka::KafkaSink;
use crate::api::listen::{bind, serve_until};
use crate::api::questions::StoreQuestions;
use crate::api::state::{AdminState, ApiState};
use crate::api::{admin_router, router};
use crate::config::Config;
use crate::query::VerdictTexts;
use crate::store::StoreError;
use crate::store::client::connect_database;
use crate::store::migrate::verify;
use crate::telemetry::clock::Clock;
use crate::telemetry::{Metrics, Role};

/// Where health and metrics are served by default.
const ADMIN_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9465);
/// How long Kafka may take to confirm an event at most; half the request's time when that is less.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long readiness waits for Kafka.
const PROBE_TIMEOUT: Duration = Duration::from_millis(1_500);

/// Serves until it is asked to stop; calls being answered may finish within [`crate::api::listen::GRACE`].
///
/// # Errors
/// When ClickHouse cannot be reached at the start, the schema is not the one this binary knows, or an address cannot be
/// listened on. Kafka may be away: reading works without it.
pub async fn run(config: &Config, texts: VerdictTexts) -> anyhow::Result<Exit> {
    let store = connect_database(&config.clickhouse)?;
    verify(&store, &config.clickhouse.database).await?;
    let state = state_of(config, store, texts)?;
    let main = bind(config.serve.listen, config.serve.allow_open).await?;
    let admin = bind(config.admin_listen.unwrap_or(ADMIN_LISTEN), config.serve.allow_open).await?;
    info!(url = format!("http://{}", main.local_addr()?), admin = format!("http://{}", admin.local_addr()?), "serving");
    if config.serve.allow_open {
        warn!(
            "listening beyond loopback is allowed and no tokens exist yet: whoever reaches the port reads every timeline and may write events"
        );
    }
    serve(main, admin, state, stop_asked()?).await
}

/// Serves both listeners until `stop` completes.
///
/// # Errors
/// When a listener fails.
pub async fn serve(
    main: TcpListener,
    admin: TcpListener,
    state: ApiState,
    stop: impl Future<Output = ()> + Send + 'static,
) -> anyhow::Result<Exit> {
    let (asked, stopped) = watch::channel(());
    let until_asked = |mut stopped: watch::Receiver<()>| async move {
        // An error means that the sender is gone: it was asked.
        stopped.changed().await.ok();
    };
    let main_served = serve_until(main, router(state.clone()), until_asked(stopped.clone()));
    let admin_served = serve_until(admin, admin_router(state.admin), until_asked(stopped));
    let stopping = async move {
        stop.await;
        info!("stopping: calls being answered may finish");
        drop(asked);
    };
    let main_served = main_served.map(|served| served.context("the listener failed"));
    let admin_served = admin_served.map(|served| served.context("the admin listener failed"));
    let (main_finished, admin_finished, ()) = tokio::try_join!(main_served, admin_served, stopping.map(Ok))?;
    if main_finished && admin_finished {
        info!("stopped; every call was answered");
    } else {
        warn!("stopped; calls that took too long were cut off");
    }
    Ok(Exit::Ok)
}

fn state_of(config: &Config, store: Client, texts: VerdictTexts) -> anyhow::Result<ApiState> {
    let delivery_timeout = DELIVERY_TIMEOUT.min(config.serve.request_timeout / 2);
    let sink = KafkaSink::new(&config.kafka, delivery_timeout).context("the kafka producer cannot be set up")?;
    let sink = Arc::new(sink);
    let questions =
        StoreQuestions { client: store.clone(), texts, auth_retention_days: config.retention.auth_days, clock: Clock };
    let parts = [clickhouse_part(store.clone(), config), schema_part(store, config), kafka_part(Arc::clone(&sink))];
    Ok(ApiState {
        questions: Arc::new(questions),
        sink,
        event_check: event_check(decode_limits(config)),
        admin: AdminState { parts: Arc::from(parts), metrics: Metrics::new(Role::Serve, Clock) },
        clock: Clock,
        bounds: Bounds {
            call_timeout: config.serve.request_timeout,
            own_host_only: !config.serve.allow_open,
            ..Bounds::default()
        },
    })
}

fn clickhouse_part(store: Client, config: &Config) -> Part {
    let database = config.clickhouse.database.clone();
    let probe = move || {
        let (store, database) = (store.clone(), database.clone());
        let ask = async move {
            match verify(&store, &database).await {
                Err(fault @ StoreError::Unreachable(_)) => Err(fault.to_string()),
                _ => Ok("answers".to_owned()),
            }
        };
        ask.boxed()
    };
    Part { name: "clickhouse", needed: true, probe: Box::new(probe) }
}

fn schema_part(store: Client, config: &Config) -> Part {
    let database = config.clickhouse.database.clone();
    let probe = move || {
        let (store, database) = (store.clone(), database.clone());
        let ask = async move {
            let known = verify(&store, &database).await;
            known.map(|()| "is the one this binary knows".to_owned()).map_err(|fault| fault.to_string())
        };
        ask.boxed()
    };
    Part { name: "schema", needed: true, probe: Box::new(probe) }
}

/// Not needed: without Kafka events are refused, and everything stored can still be read.
fn kafka_part(sink: Arc<KafkaSink>) -> Part {
    let probe = move || {
        let sink = Arc::clone(&sink);
        async move { sink.probe(PROBE_TIMEOUT).await.map_err(|fault| fault.to_string()) }.boxed()
    };
    Part { name: "kafka", needed: false, probe: Box::new(probe) }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;
    use tokio::sync::oneshot;

    use super::{bind, serve};
    use crate::api::testing::{MemorySink, NEVER, state};

    #[tokio::test]
    async fn a_stop_lets_the_call_under_way_finish_and_takes_no_new_one() {
        let (main, admin) = (
            bind("127.0.0.1:0".parse().unwrap(), false).await.unwrap(),
            bind("127.0.0.1:0".parse().unwrap(), false).await.unwrap(),
        );
        let address = main.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let stopped = async move { stopped.await.unwrap() };
        let mut slow = state(Arc::new(MemorySink::default()));
        slow.bounds.call_timeout = Duration::from_millis(500);
        let served = tokio::spawn(serve(main, admin, slow.clone(), stopped));

        let mut call = TcpStream::connect(address).await.unwrap();
        let request = format!("GET /v1/requests/{NEVER} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        call.write_all(request.as_bytes()).await.unwrap();
        // A later connection is answered: so the first one has been taken as well.
        let mut alive = TcpStream::connect(address).await.unwrap();
        alive.write_all(b"GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        alive.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");

        stop.send(()).unwrap();
        let mut answer = String::new();
        call.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 504"), "{answer}");
        assert_eq!(served.await.unwrap().unwrap(), super::Exit::Ok);
        assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
    }
}
