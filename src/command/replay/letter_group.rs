//! The dead letters of one partition, put through again: reads exactly their records, stores what is good now, and says
//! what became of each.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use clickhouse::Client;
use rdkafka::message::{BorrowedMessage, Message};

use super::batches::{Part, Place, is_full, read_part, seal};
use crate::event::Run;
use crate::pipeline::Steps;
use crate::pipeline::dead_letter::REFUSED_BY_STORE;
use crate::query::pending_dead_letters::PendingDeadLetter;
use crate::source::kafka::record_time;
use crate::source::reread::RangeReader;
use crate::store::dead_letter_rows::refusals_of;
use crate::store::fill::{Filled, MissingFrom, fill_missing};
use crate::store::writer::insert_once;
use crate::store::{Identity, Insert, ReplayOutcome, Replayed, Span, replay_insert};

/// Up to so many offsets between two dead letters are read through rather than sought over.
const READ_THROUGH: i64 = 1_000;

/// What the groups have in common.
pub(super) struct Tools<'t> {
    pub store: &'t Client,
    pub reader: RangeReader,
    pub steps: Steps,
    pub dry_run: bool,
    pub now: DateTime<Utc>,
}

/// The outcomes of a group so far.
#[derive(Debug, Default)]
pub(super) struct GroupResult {
    pub filled: Filled,
    pub outcomes: Vec<ReplayOutcome>,
}

impl Tools<'_> {
    /// Puts the letters of one partition through again; they come in order of their offsets.
    pub(super) async fn replay_group(
        &mut self,
        place: &Place,
        letters: &[PendingDeadLetter],
    ) -> anyhow::Result<GroupResult> {
        let by_offset = letters_by_offset(letters);
        let (mut result, mut part, mut read) = (GroupResult::default(), Part::default(), BTreeSet::new());
        let mut unsettled = letters;
        for range in ranges_around(by_offset.keys().copied()) {
            self.reader.open(&place.topic, place.partition, range)?;
            part.is_last = false;
            while !part.is_last {
                let mut wanted = |message: &BorrowedMessage<'_>| {
                    let is_it = by_offset.get(&message.offset()).is_some_and(|letter| is_record_of(message, letter));
                    if is_it {
                        read.insert(message.offset());
                    }
                    is_it
                };
                part = read_part(&mut self.reader, &mut self.steps, place, part, &mut wanted)?;
                if is_full(&part) {
                    let passed = read
                        .last()
                        .map_or(0, |last| unsettled.iter().take_while(|letter| letter.offset <= *last).count());
                    let (settled, rest) = unsettled.split_at(passed);
                    self.settle(place, &mut part, settled, &read, &mut result).await?;
                    unsettled = rest;
                }
            }
        }
        self.settle(place, &mut part, unsettled, &read, &mut result).await?;
        Ok(result)
    }

    /// Stores what was read, and writes down what became of these letters.
    async fn settle(
        &self,
        place: &Place,
        part: &mut Part,
        letters: &[PendingDeadLetter],
        read: &BTreeSet<i64>,
        result: &mut GroupResult,
    ) -> anyhow::Result<()> {
        let sealed = seal(part, place)?;
        let mut refusals = match &sealed {
            Some((_, inserts)) => refusals(inserts)?,
            None => BTreeMap::new(),
        };
        let mut filled = Filled::default();
        if let Some((span, inserts)) = sealed {
            filled = self.store_events(&span, inserts).await?;
        }
        for offset in &filled.refused {
            refusals.insert(Identity { offset: *offset, index: 0 }, REFUSED_BY_STORE.to_owned());
        }
        result.filled.add(&filled);
        let outcomes: Vec<ReplayOutcome> = letters.iter().map(|letter| outcome_of(letter, read, &refusals)).collect();
        // Which of the rows vanished is not known, so none of these letters is marked as stored.
        let is_marked = |outcome: &ReplayOutcome| filled.vanished == 0 || *outcome != ReplayOutcome::Stored;
        let marks: Vec<Replayed> = letters
            .iter()
            .zip(&outcomes)
            .filter(|(_, outcome)| is_marked(outcome))
            .map(|(letter, outcome)| mark(letter, outcome.clone()))
            .collect();
        self.write_down(&marks).await?;
        result.outcomes.extend(outcomes);
        Ok(())
    }

    /// Writes down that the records of these letters are gone.
    pub(super) async fn give_up(&self, letters: &[PendingDeadLetter]) -> anyhow::Result<GroupResult> {
        let outcomes = vec![ReplayOutcome::GoneFromKafka; letters.len()];
        let marks: Vec<Replayed> = letters.iter().map(|letter| mark(letter, ReplayOutcome::GoneFromKafka)).collect();
        self.write_down(&marks).await?;
        Ok(GroupResult { outcomes, ..GroupResult::default() })
    }

    async fn write_down(&self, marks: &[Replayed]) -> anyhow::Result<()> {
        if let Some(insert) = replay_insert(marks, self.now)?.filter(|_| !self.dry_run) {
            insert_once(self.store, &insert).await?;
        }
        Ok(())
    }

    /// Only the events: a record that is still refused has its dead letter.
    async fn store_events(&self, span: &Span, mut inserts: Vec<Insert>) -> anyhow::Result<Filled> {
        inserts.retain(|insert| insert.table == "events");
        Ok(fill_missing(self.store, span, &inserts, MissingFrom::Events, self.dry_run).await?)
    }
}

/// Of several letters of one record the first: they agree in what tells the record.
fn letters_by_offset(letters: &[PendingDeadLetter]) -> BTreeMap<i64, &PendingDeadLetter> {
    letters.iter().rev().map(|letter| (letter.offset, letter)).collect()
}

/// Whether it is the record that was refused, and not another one that has its offset since the log was truncated. Of a
/// record whose row ClickHouse refused, neither time nor size is known exactly.
fn is_record_of(message: &BorrowedMessage<'_>, letter: &PendingDeadLetter) -> bool {
    let bytes = message.payload().map_or(0, <[u8]>::len);
    letter.code == REFUSED_BY_STORE
        || record_time(message).0 == letter.received_at
            && u64::try_from(bytes).is_ok_and(|bytes| bytes == letter.record_bytes)
}

fn refusals(inserts: &[Insert]) -> anyhow::Result<BTreeMap<Identity, String>> {
    let mut refusals = BTreeMap::new();
    for insert in inserts.iter().filter(|insert| insert.table == "dead_letters") {
        refusals.extend(refusals_of(insert)?);
    }
    Ok(refusals)
}

fn outcome_of(
    letter: &PendingDeadLetter,
    read: &BTreeSet<i64>,
    refusals: &BTreeMap<Identity, String>,
) -> ReplayOutcome {
    let identity = Identity { offset: letter.offset, index: letter.index };
    match refusals.get(&identity) {
        Some(code) => ReplayOutcome::StillRefused(code.clone()),
        None if read.contains(&letter.offset) => ReplayOutcome::Stored,
        None => ReplayOutcome::GoneFromKafka,
    }
}

fn mark(letter: &PendingDeadLetter, outcome: ReplayOutcome) -> Replayed {
    Replayed {
        topic: letter.topic.clone(),
        topic_id: letter.topic_id.clone(),
        partition: letter.partition,
        offset: letter.offset,
        index: letter.index,
        received_at: letter.received_at,
        outcome,
    }
}

/// Ranges that hold these offsets, which come in order: neighbours in one, those far apart in several.
fn ranges_around(offsets: impl IntoIterator<Item = i64>) -> Vec<Run> {
    let mut ranges: Vec<Run> = Vec::new();
    for offset in offsets {
        match ranges.last_mut() {
            Some(range) if offset - range.next <= READ_THROUGH => range.next = offset + 1,
            _ => ranges.push(Run { first: offset, next: offset + 1 }),
        }
    }
    ranges
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::{Identity, PendingDeadLetter, ReplayOutcome, Run, outcome_of, ranges_around};

    #[test]
    fn neighbours_are_read_together_and_a_long_way_is_sought_over() {
        let run = |first, next| Run { first, next };
        let cases: [(&[i64], Vec<Run>); 4] = [
            (&[], vec![]),
            (&[7], vec![run(7, 8)]),
            (&[7, 8, 1_009], vec![run(7, 1_010)]),
            (&[7, 1_009, 9_000], vec![run(7, 8), run(1_009, 1_010), run(9_000, 9_001)]),
        ];
        for (offsets, ranges) in cases {
            assert_eq!(ranges_around(offsets.iter().copied()), ranges, "{offsets:?}");
        }
    }

    #[test]
    fn a_letter_is_stored_refused_again_or_gone() {
        let letter = |offset, index| PendingDeadLetter {
            topic: "t".into(),
            topic_id: None,
            partition: 0,
            offset,
            index,
            code: "not_json".into(),
            received_at: chrono::DateTime::UNIX_EPOCH,
            record_bytes: 3,
        };
        let read = BTreeSet::from([1, 2]);
        let refusals = BTreeMap::from([(Identity { offset: 2, index: 1 }, "not_json".to_owned())]);
        let cases = [
            (letter(1, 0), ReplayOutcome::Stored),
            (letter(2, 0), ReplayOutcome::Stored),
            (letter(2, 1), ReplayOutcome::StillRefused("not_json".to_owned())),
            (letter(3, 0), ReplayOutcome::GoneFromKafka),
        ];
        for (letter, outcome) in cases {
            assert_eq!(outcome_of(&letter, &read, &refusals), outcome, "{letter:?}");
        }
    }
}
