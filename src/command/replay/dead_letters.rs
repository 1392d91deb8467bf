//! `gatetrail replay --dead-letters`: what was refused and is still pending, page by page and partition by partition.

use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use indicatif::ProgressBar;
use serde::Serialize;
use tracing::warn;

use super::batches::Place;
use super::letter_group::{GroupResult, Tools};
use super::{ReplayArgs, counted, group_position, progress_bar};
use crate::command::steps::{registry_now, steps};
use crate::command::{Exit, decode_limits};
use crate::config::{self, Config};
use crate::query::pending_dead_letters::{PendingDeadLetter, PendingFilter, pending_dead_letters};
use crate::query::stored_ranges::ALL_TIME;
use crate::query::{QueryError, TimeRange, parse_time};
use crate::source::kafka::SourceError;
use crate::source::reread::RangeReader;
use crate::store::ReplayOutcome;
use crate::store::client::connect_database;
use crate::store::migrate::verify;

/// Dead letters looked at together.
const PAGE: u32 = 10_000;

/// What came of it; the object of `--json`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
struct Summary {
    dry_run: bool,
    /// Dead letters that were pending.
    letters: u64,
    /// Those that are good now.
    stored: u64,
    /// Rows inserted for them: fewer when some were in `events` already.
    inserted_events: u64,
    /// Those that are refused again, by code.
    still_refused: BTreeMap<String, u64>,
    /// Those whose record Kafka no longer has.
    gone_from_kafka: u64,
    /// Those that the group has not committed past yet; left alone.
    ahead_of_group: u64,
    /// Those of topics that do not exist; left alone.
    topic_missing: u64,
    /// Rows that ClickHouse confirmed and does not show.
    vanished: u64,
}

/// Runs it.
pub(super) async fn run(
    args: &ReplayArgs,
    config: &Config,
    now: DateTime<Utc>,
    output: &mut impl Write,
) -> anyhow::Result<Exit> {
    let filter = filter(args, now)?;
    let store = connect_database(&config.clickhouse)?;
    verify(&store, &config.clickhouse.database).await?;
    let reader = RangeReader::new(&config.kafka)?;
    let steps = steps(config, registry_now(config, decode_limits(config)))?;
    let mut tools = Tools { store: &store, reader, steps, dry_run: args.dry_run, now };
    let progress = progress_bar(0, "dead letters")?;
    let summary = replay_all(&mut tools, &filter, config, &progress).await?;
    progress.finish_and_clear();
    if args.json {
        writeln!(output, "{}", serde_json::to_string(&summary)?)?;
    } else {
        write_summary(&summary, output)?;
    }
    Ok(if summary.is_complete() { Exit::Ok } else { Exit::Failed })
}

fn filter(args: &ReplayArgs, now: DateTime<Utc>) -> Result<PendingFilter, QueryError> {
    let time =
        |name: &'static str, text: &Option<String>| text.as_deref().map(|text| parse_time(name, text, now)).transpose();
    let from = time("since", &args.since)?.unwrap_or(ALL_TIME.from);
    let times = TimeRange::of(Some(from), time("until", &args.until)?, now, TimeDelta::zero())?;
    Ok(PendingFilter { code: args.code.clone(), topic: args.topic.clone(), times })
}

async fn replay_all(
    tools: &mut Tools<'_>,
    filter: &PendingFilter,
    config: &Config,
    progress: &ProgressBar,
) -> anyhow::Result<Summary> {
    let mut summary = Summary { dry_run: tools.dry_run, ..Summary::default() };
    let mut topics = Topics { settings: &config.kafka, known: HashMap::new() };
    let mut after: Option<PendingDeadLetter> = None;
    loop {
        let letters = pending_dead_letters(tools.store, filter, after.as_ref(), PAGE).await?;
        progress.inc_length(u64::try_from(letters.len())?);
        for group in letters.chunk_by(|one, next| place_of(one) == place_of(next)) {
            summary.letters += u64::try_from(group.len())?;
            replay_group(tools, &mut topics, group, &mut summary).await?;
            progress.inc(u64::try_from(group.len())?);
        }
        after = letters.into_iter().next_back();
        if after.is_none() {
            return Ok(summary);
        }
    }
}

fn place_of(letter: &PendingDeadLetter) -> (&str, Option<&str>, i32) {
    (&letter.topic, letter.topic_id.as_deref(), letter.partition)
}

async fn replay_group(
    tools: &mut Tools<'_>,
    topics: &mut Topics<'_>,
    group: &[PendingDeadLetter],
    summary: &mut Summary,
) -> anyhow::Result<()> {
    let Some(first) = group.first() else { return Ok(()) };
    let Some(topic) = topics.look(&tools.reader, &first.topic)? else {
        summary.topic_missing += u64::try_from(group.len())?;
        return Ok(());
    };
    let committed = topic.committed.get(&first.partition).copied().unwrap_or(0);
    // Where an id is not known, size and time of each record still tell whether it is the one that was refused.
    let is_same_topic = first.topic_id.is_none() || topic.topic_id.is_none() || first.topic_id == topic.topic_id;
    let place = Place {
        topic: Arc::from(first.topic.as_str()),
        topic_id: first.topic_id.as_deref().map(Arc::from),
        partition: first.partition,
    };
    if !is_same_topic {
        // The records of the topic that had this name before are gone with it.
        let result = tools.give_up(group).await?;
        summary.add(&result);
        return Ok(());
    }
    let (settled, ahead) = group.split_at(group.partition_point(|letter| letter.offset < committed));
    summary.ahead_of_group += u64::try_from(ahead.len())?;
    let result = tools.replay_group(&place, settled).await?;
    summary.add(&result);
    Ok(())
}

/// A topic as it is now.
#[derive(Debug)]
struct TopicNow {
    topic_id: Option<String>,
    committed: BTreeMap<i32, i64>,
}

/// What is known about the topics of dead letters; each is asked about once.
struct Topics<'c> {
    settings: &'c config::Kafka,
    known: HashMap<String, Option<TopicNow>>,
}

impl Topics<'_> {
    /// The topic, `None` when it does not exist (or may not be seen).
    fn look(&mut self, reader: &RangeReader, topic: &str) -> Result<Option<&TopicNow>, SourceError> {
        if !self.known.contains_key(topic) {
            let found = match reader.partitions(topic) {
                Ok(partitions) => {
                    let topic_id = reader.topic_id(topic)?;
                    let committed = group_position(self.settings, topic, topic_id.as_deref(), &partitions)?;
                    Some(TopicNow { topic_id, committed })
                }
                Err(SourceError::MissingTopic { .. }) => {
                    warn!(topic, "the topic does not exist; its dead letters are left alone");
                    None
                }
                Err(error) => return Err(error),
            };
            self.known.insert(topic.to_owned(), found);
        }
        Ok(self.known.get(topic).and_then(Option::as_ref))
    }
}

impl Summary {
    fn add(&mut self, result: &GroupResult) {
        self.inserted_events += result.filled.events;
        self.vanished += result.filled.vanished;
        for outcome in &result.outcomes {
            match outcome {
                ReplayOutcome::Stored => self.stored += 1,
                ReplayOutcome::GoneFromKafka => self.gone_from_kafka += 1,
                ReplayOutcome::StillRefused(code) => *self.still_refused.entry(code.clone()).or_default() += 1,
            }
        }
    }

    /// Whether everything that was to be replayed is stored.
    fn is_complete(&self) -> bool {
        self.still_refused.is_empty() && self.gone_from_kafka + self.topic_missing + self.vanished == 0
    }
}

fn write_summary(summary: &Summary, output: &mut impl Write) -> std::io::Result<()> {
    if summary.letters == 0 {
        return writeln!(output, "no dead letter is pending: nothing to replay");
    }
    writeln!(output, "{} pending", counted(summary.letters, "dead letter"))?;
    let (stored, inserted) = if summary.dry_run { ("would be stored", "to insert") } else { ("stored", "inserted") };
    writeln!(output, "{:>8}  {stored}: {} {inserted}", summary.stored, counted(summary.inserted_events, "row"))?;
    for (code, letters) in &summary.still_refused {
        writeln!(output, "{letters:>8}  still refused: {code}")?;
    }
    for (letters, what) in [
        (summary.gone_from_kafka, "gone: Kafka no longer has the record"),
        (summary.ahead_of_group, "left alone: the group has not committed past them yet"),
        (summary.topic_missing, "left alone: their topic does not exist"),
        (summary.vanished, "confirmed by ClickHouse and not there: older than the retention?"),
    ] {
        if letters > 0 {
            writeln!(output, "{letters:>8}  {what}")?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Summary, write_summary};

    fn said(summary: &Summary) -> String {
        let mut output = Vec::new();
        write_summary(summary, &mut output).unwrap();
        String::from_utf8(output).unwrap()
    }

    #[test]
    fn a_summary_names_what_became_of_the_letters() {
        assert_eq!(said(&Summary::default()), "no dead letter is pending: nothing to replay\n");
        let summary = Summary {
            letters: 7,
            stored: 3,
            inserted_events: 2,
            still_refused: [("not_json".to_owned(), 1)].into(),
            gone_from_kafka: 1,
            ahead_of_group: 2,
            ..Summary::default()
        };
        insta::assert_snapshot!(said(&summary));
        assert!(!summary.is_complete());
        let left = Summary { letters: 2, ahead_of_group: 2, ..Summary::default() };
        assert!(left.is_complete(), "what the consumer is still at work on is no failure");
    }
}
