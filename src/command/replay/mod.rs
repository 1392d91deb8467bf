//! `gatetrail replay`: what came in is put through steps once more, beside a consumer that runs.
//!
//! Three forms. [`range`] stores whatever of a range of offsets is missing. [`dead_letters`] tries again what was refused.
//! Both read Kafka, and store a row only when its identity is not there, so running twice inserts nothing the second time. Neither
//! touches offsets at or beyond what the group has committed: those are the consumer's. [`reclassify`] reads what is stored, and
//! writes which verdicts the rules in force change.

mod batches;
mod dead_letters;
mod letter_group;
mod range;
mod reclassify;
mod verdict_changes;

use std::collections::BTreeMap;
use std::io::Write;

use chrono::{DateTime, Utc};
use clap::{ArgGroup, Args};
use indicatif::{ProgressBar, ProgressStyle};
use thiserror::Error;

use super::Exit;
use super::terminal::OutputStyle;
use crate::config::{self, Config};
use crate::pipeline::plan::metadata::{self, Found};
use crate::source::committed::{Committed, committed_offsets};
use crate::source::kafka::SourceError;

/// What `replay` takes.
#[derive(Debug, Clone, Default, Args)]
#[command(group(ArgGroup::new("what").args(["dead_letters", "reclassify", "partition"]).required(true)))]
#[command(group(ArgGroup::new("over_time").args(["dead_letters", "reclassify"])))]
pub struct ReplayArgs {
    /// Try the refused records again; what is good now is stored and marked replayed
    #[arg(long, conflicts_with_all = ["partition", "from", "to"])]
    dead_letters: bool,
    /// Classify stored events again by the rules in force; what differs is written beside them
    #[arg(long, conflicts_with_all = ["partition", "from", "to", "topic"])]
    reclassify: bool,
    /// Only dead letters with this code
    // `requires` alone is waived when the required flag is excluded by another one.
    #[arg(long, requires = "dead_letters", conflicts_with_all = ["reclassify", "partition"])]
    code: Option<String>,
    /// Only dead letters or events from this time on: RFC 3339, or back from now (-30m, -2h, -7d) [default: all]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, requires = "over_time", conflicts_with = "partition")]
    since: Option<String>,
    /// Only dead letters or events before this time [default: now]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, requires = "over_time", conflicts_with = "partition")]
    until: Option<String>,
    /// Topic of the range [default: the first of kafka.topic], or only dead letters of it
    #[arg(long)]
    topic: Option<String>,
    /// Partition of the range
    #[arg(long, requires = "from", requires = "to")]
    partition: Option<i32>,
    /// First offset of the range
    #[arg(long, value_name = "OFFSET", value_parser = clap::value_parser!(i64).range(0..), requires = "partition")]
    from: Option<i64>,
    /// Offset after the last one of the range
    #[arg(long, value_name = "OFFSET", value_parser = clap::value_parser!(i64).range(0..), requires = "partition")]
    to: Option<i64>,
    /// Say what would be stored or changed, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

/// Why a replay does not begin.
#[derive(Debug, Error)]
pub enum ReplayError {
    /// `--from` is not before `--to`.
    #[error("the range is empty: --from must be less than --to")]
    EmptyRange,
    /// The topic has no such partition.
    #[error("the topic `{topic}` has no partition {partition}")]
    NoPartition {
        /// Topic.
        topic: String,
        /// Partition.
        partition: i32,
    },
    /// The group has not come so far.
    #[error(
        "offsets from {committed} on belong to the consumer: the group `{group}` has committed up to {committed} in partition {partition} of `{topic}`, so --to may be at most {committed}"
    )]
    AheadOfGroup {
        /// Consumer group.
        group: String,
        /// Topic.
        topic: String,
        /// Partition.
        partition: i32,
        /// What is committed.
        committed: i64,
    },
    /// The group has not begun.
    #[error(
        "the group `{group}` has committed nothing in partition {partition} of `{topic}`: `gatetrail consume` reads it from its beginning"
    )]
    NothingCommitted {
        /// Consumer group.
        group: String,
        /// Topic.
        topic: String,
        /// Partition.
        partition: i32,
    },
}

/// Runs it.
///
/// # Errors
/// [`ReplayError`]; what keeps Kafka or ClickHouse from answering; a schema that this binary does not know.
pub async fn run(
    args: &ReplayArgs,
    config: &Config,
    now: DateTime<Utc>,
    output: &mut impl Write,
    style: OutputStyle,
) -> anyhow::Result<Exit> {
    if args.reclassify {
        return reclassify::run(args, config, now, output, style).await;
    }
    match (args.partition, args.from, args.to) {
        (Some(partition), Some(from), Some(to)) => {
            let topic = args.topic.as_deref().unwrap_or(config.kafka.first_topic());
            let asked = range::Asked { topic, partition, from, to, dry_run: args.dry_run };
            range::run(&asked, args.json, config, output).await
        }
        _ => dead_letters::run(args, config, now, output).await,
    }
}

/// How far the group has come in each partition of the topic as it is now. What it committed for an earlier topic of this
/// name does not count. Blocks.
pub(super) fn group_position(
    settings: &config::Kafka,
    topic: &str,
    topic_id: Option<&str>,
    partitions: &[i32],
) -> Result<BTreeMap<i32, i64>, SourceError> {
    let committed = committed_offsets(settings, topic, partitions)?;
    let is_of_this_topic = |committed: &Committed| match metadata::decode(committed.offset, &committed.metadata) {
        Found::Ours { topic_id: Some(then), .. } => topic_id.is_none_or(|now| now == then),
        _ => true,
    };
    let known = committed.into_iter().filter(|(_, committed)| is_of_this_topic(committed));
    Ok(known.map(|(partition, committed)| (partition, committed.offset)).collect())
}

/// On a terminal only; elsewhere it draws nothing.
fn progress_bar(length: u64, of_what: &str) -> anyhow::Result<ProgressBar> {
    let template = format!("{{bar:40}} {{human_pos}}/{{human_len}} {of_what}  {{per_sec}}  {{eta}} left");
    Ok(ProgressBar::new(length).with_style(ProgressStyle::with_template(&template)?))
}

/// `1 event`, `2 events`.
fn counted(count: u64, singular: &str) -> String {
    if count == 1 { format!("1 {singular}") } else { format!("{count} {singular}s") }
}
