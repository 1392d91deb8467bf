//! `gatetrail migrate`: creates the tables, and with `--topics` the topics. Says what it did; a second run does nothing.

use std::io::Write;

use anyhow::bail;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::types::RDKafkaErrorCode;

use super::Exit;
use crate::config::Config;
use crate::source::client::{PlainContext, client, create, sign_in};
use crate::source::kafka::{REQUEST_TIMEOUT, SourceError};
use crate::source::probe::probe;
use crate::source::topic::partitions_of;
use crate::store::client::connect;
use crate::store::migrate::{Done, migrate};

/// What `migrate` takes.
#[derive(Debug, Clone, clap::Args)]
pub struct MigrateArgs {
    /// Also create the event topics and the compacted registry topic
    #[arg(long)]
    pub topics: bool,
    /// Partitions of each event topic, when it is created
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(i32).range(1..=10_000))]
    pub partitions: i32,
    /// Copies of each partition, when a topic is created
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(i32).range(1..=10))]
    pub replication: i32,
    /// Only say what would be done, with the statements
    #[arg(long)]
    pub dry_run: bool,
}

/// Runs it.
///
/// # Errors
/// When ClickHouse or Kafka cannot be reached or refuse.
pub async fn run(args: &MigrateArgs, config: &Config, output: &mut impl Write) -> anyhow::Result<Exit> {
    let store = connect(&config.clickhouse)?;
    let mut lines = Vec::new();
    let migrated =
        migrate(&store, &config.clickhouse, config.retention, args.dry_run, &mut |step, done, statement| match done {
            Done::Applied => lines.push(format!("applied  {}", step.name)),
            Done::Already => lines.push(format!("already  {}", step.name)),
            Done::Pending => lines.push(format!("pending  {}\n{}", step.name, statement.trim_end())),
        })
        .await;
    for line in lines {
        writeln!(output, "{line}")?;
    }
    migrated?;
    if args.topics {
        probe(&config.kafka)?;
        let events = config.kafka.topics.iter().map(|topic| (topic, args.partitions, false));
        for (name, partitions, compacted) in events.chain([(&config.kafka.registry_topic, 1, true)]) {
            let line = create_topic(config, args, name, partitions, compacted).await?;
            writeln!(output, "{line}")?;
        }
    }
    Ok(Exit::Ok)
}

async fn create_topic(
    config: &Config,
    args: &MigrateArgs,
    name: &str,
    partitions: i32,
    compacted: bool,
) -> anyhow::Result<String> {
    let admin: AdminClient<PlainContext> = create(&client(&config.kafka), PlainContext::of(&config.kafka))?;
    sign_in(admin.inner(), admin.inner().context().tokens())?;
    let existing = partitions_of(admin.inner(), &config.kafka.brokers, name, REQUEST_TIMEOUT)?.len();
    if existing > 0 {
        return Ok(format!("already  topic {name} ({existing} partitions)"));
    }
    if args.dry_run {
        return Ok(format!("pending  topic {name} ({partitions} partitions)"));
    }
    let mut topic = NewTopic::new(name, partitions, TopicReplication::Fixed(args.replication));
    if compacted {
        topic = topic.set("cleanup.policy", "compact");
    }
    let options = AdminOptions::new().operation_timeout(Some(REQUEST_TIMEOUT));
    let unreachable = |source| SourceError::Unreachable { brokers: config.kafka.brokers.clone(), source };
    let results = admin.create_topics([&topic], &options).await.map_err(unreachable)?;
    match results.into_iter().next() {
        Some(Ok(_)) => Ok(format!("created  topic {name} ({partitions} partitions)")),
        Some(Err((_, RDKafkaErrorCode::TopicAlreadyExists))) => Ok(format!("already  topic {name}")),
        Some(Err((_, code))) => bail!("kafka refused to create the topic `{name}`: {code}"),
        None => bail!("kafka did not say whether it created the topic `{name}`"),
    }
}
