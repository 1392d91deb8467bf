//! `gatetrail consume`: Kafka → ClickHouse, until SIGTERM or Ctrl-C.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use futures_util::FutureExt;
use rdkafka::consumer::Consumer;
use tracing::{info, warn};

use super::{Exit, classifier, decode_limits, stop_signal};
use crate::api::admin_router;
use crate::api::health::Part;
use crate::api::listen::{bind, serve_until};
use crate::api::state::AdminState;
use crate::config::Config;
use crate::decode::Limits;
use crate::enrich::{Enricher, registry::Registry};
use crate::pipeline::Steps;
use crate::pipeline::batch::SealAt;
use crate::pipeline::runner::{Runner, StoreHealth};
use crate::scrub::{FingerprintKey, Scrubber};
use crate::source::kafka::{EventConsumer, REQUEST_TIMEOUT, subscribe};
use crate::source::registry::RegistryFollower;
use crate::source::topic::required_partitions;
use crate::source::topic_id::topic_id;
use crate::store::client::connect_database;
use crate::store::migrate::verify;
use crate::telemetry::clock::Clock;
use crate::telemetry::{Metrics, ReconnectTracker, Role};

/// Where `/livez`, `/readyz` and `/metrics` are served by default.
const ADMIN_LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 9464);
/// Connections whose grants are remembered for counting reconnects.
const RECONNECT_MEMORY: usize = 100_000;

/// Runs until it is asked to stop; then what is under way is stored and committed.
///
/// # Errors
/// When Kafka or ClickHouse cannot be reached at the start, or the schema is not the one this binary knows.
pub async fn run(config: &Config) -> anyhow::Result<Exit> {
    let store = connect_database(&config.clickhouse);
    verify(&store, &config.clickhouse.database).await?;
    let metrics = Metrics::new(Role::Consume, Clock);
    let consumer = Arc::new(subscribe(&config.kafka, metrics.clone())?);
    // Fails early, with a sentence, when Kafka is away or a topic is missing.
    for topic in &config.kafka.topics {
        required_partitions(consumer.client(), &config.kafka.brokers, topic, REQUEST_TIMEOUT)?;
    }
    let limits = decode_limits(config);
    let mut registry = Registry::default();
    let follower = follow_registry(config, limits, &mut registry);
    if config.scrub_key.is_none() {
        warn!(
            "no scrub key is set (GATETRAIL_SCRUB_KEY): fingerprints are made under the published development key, so anyone can compute them"
        );
    }
    let health = Arc::new(StoreHealth::default());
    let runner = Runner {
        steps: Steps {
            limits,
            scrubber: Scrubber::new(FingerprintKey::new(config.scrub_key().as_bytes())),
            enricher: Enricher { registry, key: FingerprintKey::new(config.scrub_key().as_bytes()) },
            classifier: classifier(config)?,
            reconnects: ReconnectTracker::new(RECONNECT_MEMORY),
        },
        topic: Arc::from(config.kafka.first_topic()),
        topic_id: read_topic_id(&consumer, config.kafka.first_topic()),
        seal_at: SealAt {
            rows: config.ingest.flush_rows,
            bytes: config.ingest.flush_bytes,
            age: config.ingest.flush_interval,
        },
        store,
        metrics: metrics.clone(),
        health: Arc::clone(&health),
        registry: follower,
        runtime: tokio::runtime::Handle::current(),
    };
    let stop = stop_signal()?;
    let admin = bind(config.admin_listen.unwrap_or(ADMIN_LISTEN), config.serve.allow_open).await?;
    let address = admin.local_addr()?;
    let state = AdminState { parts: Arc::from([store_part(health), kafka_part(Arc::clone(&consumer))]), metrics };
    let (running, ended) = tokio::sync::oneshot::channel::<()>();
    let served = tokio::spawn(serve_until(admin, admin_router(state), async move { drop(ended.await) }));
    info!(topics = config.kafka.topics.join(","), group = config.kafka.group, database = config.clickhouse.database, admin = %address, "consuming");
    let polling = Arc::clone(&consumer);
    let outcome =
        tokio::task::spawn_blocking(move || runner.run(&polling, &stop)).await.context("the consumer thread ended")?;
    drop(running);
    served.await??;
    outcome?;
    info!("stopped; everything read is stored and committed");
    Ok(Exit::Ok)
}

/// Whether ClickHouse takes inserts: what the writer saw last.
fn store_part(health: Arc<StoreHealth>) -> Part {
    let probe = move || {
        let failing = health.is_failing();
        let answer = if failing {
            Err("does not take inserts; ingest waits and goes on by itself".to_owned())
        } else {
            Ok("takes inserts".to_owned())
        };
        std::future::ready(answer).boxed()
    };
    Part { name: "clickhouse", needed: true, probe: Box::new(probe) }
}

/// Whether a broker answers: what the client saw last.
fn kafka_part(consumer: Arc<EventConsumer>) -> Part {
    let probe = move || {
        let away = consumer.context().is_unreachable();
        let answer = if away { Err("no broker answers".to_owned()) } else { Ok("answers".to_owned()) };
        std::future::ready(answer).boxed()
    };
    Part { name: "kafka", needed: true, probe: Box::new(probe) }
}

/// The topic's id; brokers before Kafka 2.8 have none, and then rows carry none.
fn read_topic_id(consumer: &EventConsumer, topic: &str) -> Option<Arc<str>> {
    match topic_id(consumer.client(), topic, REQUEST_TIMEOUT) {
        Ok(id) => Some(Arc::from(id)),
        Err(error) => {
            warn!(topic, %error, "the topic's id is not known, so rows cannot be told from those of an earlier topic of this name");
            None
        }
    }
}

fn follow_registry(config: &Config, limits: Limits, registry: &mut Registry) -> Option<RegistryFollower> {
    match RegistryFollower::start(&config.kafka, limits, registry) {
        Ok(follower) => {
            let (servers, keys, refused) = registry.counts();
            info!(topic = config.kafka.registry_topic, servers, keys, refused, "registry read");
            Some(follower)
        }
        Err(error) => {
            warn!("events are enriched without the registry: {error}");
            None
        }
    }
}
