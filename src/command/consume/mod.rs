//! `gatetrail consume`: Kafka → ClickHouse, until SIGTERM or Ctrl-C.

mod patience;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Context;
use futures_util::FutureExt;
use rdkafka::consumer::Consumer;
use tracing::{info, warn};

use self::patience::{await_store, await_topics};
use super::{Exit, classifier, decode_limits, stop_signal};
use crate::api::admin_router;
use crate::api::health::Part;
use crate::api::listen::{bind, serve_until};
use crate::api::state::AdminState;
use crate::config::Config;
use crate::enrich::{Enricher, memory::Memory, registry::Registry};
use crate::pipeline::Steps;
use crate::pipeline::batch::SealAt;
use crate::pipeline::budget::Budget;
use crate::pipeline::circuit::Circuit;
use crate::pipeline::group_watch::GroupWatch;
use crate::pipeline::health::{self, Health};
use crate::pipeline::pace::Pace;
use crate::pipeline::reconcile::Reconciler;
use crate::pipeline::registry_feed::RegistryFeed;
use crate::pipeline::runner::{Runner, Setup};
use crate::scrub::{FingerprintKey, Scrubber};
use crate::source::group::{EventConsumer, subscribe};
use crate::source::registry_follower::RegistryFollower;
use crate::store::client::connect_database;
use crate::telemetry::clock::Clock;
use crate::telemetry::{Metrics, ReconnectTracker, Role};

/// Where `/livez`, `/readyz` and `/metrics` are served by default.
const ADMIN_LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 9464);
/// Connections whose grants are remembered for counting reconnects.
const RECONNECT_MEMORY: usize = 100_000;

/// Runs until it is asked to stop; then what is under way is stored and committed.
///
/// Kafka or ClickHouse that is away is waited for, at the start as later.
///
/// # Errors
/// When a topic is missing, or the schema is not the one this binary knows; what ends the loop.
pub async fn run(config: &Config) -> anyhow::Result<Exit> {
    let stop = stop_signal()?;
    let health = Arc::new(Health::default());
    let metrics = Metrics::new(Role::Consume, Clock);
    let consumer = Arc::new(subscribe(&config.kafka, config.ingest.memory_bytes, metrics.clone())?);
    let admin = bind(config.admin_listen.unwrap_or(ADMIN_LISTEN), config.serve.allow_open).await?;
    let address = admin.local_addr()?;
    let state = AdminState { parts: Arc::from(parts(&health, &consumer)), metrics: metrics.clone() };
    let (running, ended) = tokio::sync::oneshot::channel::<()>();
    let served = tokio::spawn(serve_until(admin, admin_router(state), async move { drop(ended.await) }));
    info!(topics = config.kafka.topics.join(","), group = config.kafka.group, database = config.clickhouse.database, admin = %address, "consuming");
    let outcome = consume(config, &consumer, metrics, &health, &stop).await;
    drop(running);
    served.await??;
    if outcome? {
        info!("stopped; everything read is stored and committed");
    } else {
        warn!("stopped; what was under way is completed by whoever is given the partitions next");
    }
    Ok(Exit::Ok)
}

async fn consume(
    config: &Config,
    consumer: &Arc<EventConsumer>,
    metrics: Metrics,
    health: &Arc<Health>,
    stop: &Arc<AtomicBool>,
) -> anyhow::Result<bool> {
    let store = connect_database(&config.clickhouse)?;
    let ready =
        await_store(&store, config, health, stop).await? && await_topics(consumer, config, health, stop).await?;
    if !ready {
        return Ok(true);
    }
    let limits = decode_limits(config);
    let mut registry = Registry::default();
    let follower = RegistryFollower::start(&config.kafka, limits)
        .context("the thread that reads the registry cannot be started")?;
    let feed = tokio::task::block_in_place(|| {
        RegistryFeed::begin(follower, metrics.clone(), Arc::clone(health), &mut registry)
    });
    if config.scrub_key.is_none() {
        warn!(
            "no scrub key is set (GATETRAIL_SCRUB_KEY): fingerprints are made under the published development key, so anyone can compute them"
        );
    }
    let reconciler = Reconciler::new(store.clone(), metrics.clone(), &config.kafka, config.retention);
    let ingest = &config.ingest;
    let setup = Setup {
        steps: Steps {
            limits,
            scrubber: Scrubber::new(FingerprintKey::new(config.scrub_key().as_bytes())).with_emails(config.emails),
            memory: Memory::default(),
            enricher: Enricher { registry, key: FingerprintKey::new(config.scrub_key().as_bytes()) },
            classifier: classifier(config)?,
            reconnects: ReconnectTracker::new(RECONNECT_MEMORY),
        },
        seal_at: SealAt { rows: ingest.flush_rows, bytes: ingest.flush_bytes },
        pace: Pace::new(ingest.flush_interval, ingest.max_inserts_per_s),
        // The other quarter is librdkafka's, for records fetched ahead.
        budget: Budget::new(ingest.memory_bytes / 4 * 3),
        circuit: Circuit::new(ingest.dead_letter_percent),
        store,
        metrics,
        health: Arc::clone(health),
        reconciler: reconciler.clone(),
        registry: feed,
        group_watch: GroupWatch::start(consumer, &config.kafka)
            .context("the thread that watches the group cannot be started")?,
        runtime: tokio::runtime::Handle::current(),
    };
    let runner = Runner::new(Arc::clone(consumer), setup)?;
    let stop = Arc::clone(stop);
    let reconciling = tokio::spawn(reconciler.run());
    let outcome = tokio::task::spawn_blocking(move || runner.run(&stop)).await.context("the consumer thread ended");
    reconciling.abort();
    Ok(outcome??)
}

/// What readiness asks: whether anything is waited for.
fn parts(health: &Arc<Health>, consumer: &Arc<EventConsumer>) -> Vec<Part> {
    let of = |name: &'static str, part: health::Part, works: &'static str| {
        let health = Arc::clone(health);
        let probe = move || std::future::ready(health.trouble(part).map_or_else(|| Ok(works.to_owned()), Err)).boxed();
        Part { name, needed: true, probe: Box::new(probe) }
    };
    let consumer = Arc::clone(consumer);
    let brokers = move || {
        let away = consumer.context().is_unreachable();
        std::future::ready(if away { Err("no broker answers".to_owned()) } else { Ok("answer".to_owned()) }).boxed()
    };
    vec![
        of("clickhouse", health::Part::ClickHouse, "takes inserts"),
        of("kafka", health::Part::Kafka, "takes commits"),
        Part { name: "brokers", needed: true, probe: Box::new(brokers) },
        of("ingest", health::Part::Ingest, "reads"),
        Part { needed: false, ..of("registry", health::Part::Registry, "is followed") },
    ]
}
