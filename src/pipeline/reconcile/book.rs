//! The bookkeeping of reconciliation: which ranges are still to be checked, which were found not to be in order. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

use crate::event::{KafkaPosition, Run};
use crate::query::TimeRange;

/// A range is checked this long after it was finished at the earliest, so that whatever came with it is over.
const SETTLED_AFTER: Duration = Duration::from_secs(5);
/// Ranges that may wait to be checked before neighbours are put together: far more than finish in a minute.
const MOST_WAITING: usize = 20_000;
/// Ranges not in order that are looked at again; the table has the others.
pub(super) const MOST_UNRESOLVED: usize = 100;

/// A partition of a topic as it is now.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Topic name.
    pub topic: Arc<str>,
    /// The topic's id, when it is known.
    pub topic_id: Option<Arc<str>>,
    /// Partition, from 0.
    pub partition: i32,
}

impl From<&KafkaPosition> for Place {
    fn from(position: &KafkaPosition) -> Self {
        let KafkaPosition { topic, topic_id, partition, .. } = position;
        Self { topic: Arc::clone(topic), topic_id: topic_id.clone(), partition: *partition }
    }
}

/// A finished batch: everything of the range is stored, as far as ingest knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// Where.
    pub place: Place,
    /// Which offsets.
    pub range: Run,
    /// Distinct offsets that Kafka delivered in the range: fewer than its length where the log has holes.
    pub records: u64,
    /// Records that were left out on purpose.
    pub dropped: u64,
    /// Between which moments its events were; `None` when that is not known, which makes the check dearer.
    pub times: Option<TimeRange>,
}

/// A range that is to be checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Due {
    pub range: Run,
    pub records: u64,
    pub dropped: u64,
    pub times: Option<TimeRange>,
    /// Offsets in it that Kafka no longer has.
    pub unchecked: u64,
}

impl Due {
    /// Both ranges as one, when the second begins where the first ends. What was found wanting before comes without
    /// times, and stays apart from what is new, so that its next check is known to be about the same range.
    fn joined(self, next: Self) -> Option<Self> {
        let times = match (self.times, next.times) {
            (Some(one), Some(other)) => Some(TimeRange { from: one.from.min(other.from), to: one.to.max(other.to) }),
            (None, None) => None,
            _ => return None,
        };
        (self.range.next == next.range.first).then_some(Self {
            range: Run { first: self.range.first, next: next.range.next },
            records: self.records + next.records,
            dropped: self.dropped + next.dropped,
            times,
            unchecked: self.unchecked + next.unchecked,
        })
    }
}

/// A partition that was taken over, whose last range by the owner before may not have been checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TakenOver {
    pub place: Place,
    pub committed: i64,
    pub since: Instant,
}

/// A range that was found not to be in order.
#[derive(Debug, Clone, Copy)]
struct Unresolved {
    due: Due,
    lost: u64,
    duplicates: u64,
}

/// What is to be checked.
#[derive(Debug, Default)]
pub(super) struct Book {
    waiting: Vec<(Instant, Place, Due)>,
    unresolved: BTreeMap<Place, Vec<Unresolved>>,
    taken_over: Vec<TakenOver>,
}

impl Book {
    /// Notes a finished batch.
    pub(super) fn finished(&mut self, delivered: Delivered, now: Instant) {
        let Delivered { place, range, records, dropped, times } = delivered;
        if self.waiting.len() >= MOST_WAITING {
            self.waiting = joined(std::mem::take(&mut self.waiting));
        }
        self.waiting.push((now, place, Due { range, records, dropped, times, unchecked: 0 }));
    }

    /// Notes a range that has settled long ago.
    pub(super) fn add(&mut self, place: Place, due: Due, settled: Instant) {
        self.waiting.push((settled, place, due));
    }

    /// Notes a partition that was taken over; an earlier note of the same partition is replaced.
    pub(super) fn assigned(&mut self, taken: TakenOver) {
        self.taken_over.retain(|earlier| earlier.place != taken.place);
        self.taken_over.push(taken);
    }

    /// Notes a partition again that could not be looked at, unless it was taken over once more meanwhile.
    pub(super) fn put_back(&mut self, taken: TakenOver) {
        if !self.taken_over.iter().any(|later| later.place == taken.place) {
            self.taken_over.push(taken);
        }
    }

    /// Forgets what concerns only the owner of a partition: its next owner looks after it.
    pub(super) fn revoked(&mut self, topic: &str, partition: i32) {
        let is_it = |place: &Place| *place.topic == *topic && place.partition == partition;
        self.taken_over.retain(|taken| !is_it(&taken.place));
        self.unresolved.retain(|place, _| !is_it(place));
    }

    /// Takes out the partitions that were taken over this long ago.
    pub(super) fn take_taken_over(&mut self, now: Instant, ago: Duration) -> Vec<TakenOver> {
        let is_due = |taken: &mut TakenOver| now.saturating_duration_since(taken.since) >= ago;
        self.taken_over.extract_if(.., is_due).collect()
    }

    /// Takes out everything that is to be checked now; neighbours as one.
    pub(super) fn take_due(&mut self, now: Instant) -> Vec<(Place, Due)> {
        let is_due = |(at, _, _): &mut (Instant, Place, Due)| now.saturating_duration_since(*at) >= SETTLED_AFTER;
        let due = joined(self.waiting.extract_if(.., is_due).collect());
        due.into_iter().map(|(_, place, due)| (place, due)).collect()
    }

    /// What was not in order when it was looked at last.
    pub(super) fn unresolved(&self) -> Vec<(Place, Due)> {
        let all = self.unresolved.iter();
        all.flat_map(|(place, all)| all.iter().map(|unresolved| (place.clone(), unresolved.due))).collect()
    }

    /// Notes what a check found. `true` when a range is not in order that was in order, or not known, before.
    pub(super) fn note(&mut self, place: &Place, due: Due, lost: u64, duplicates: u64) -> bool {
        let kept = self.unresolved.entry(place.clone()).or_default();
        let known = kept.iter().position(|known| known.due.range == due.range);
        let is_in_order = lost + duplicates == 0;
        match known {
            Some(at) if is_in_order => {
                kept.swap_remove(at);
            }
            Some(at) => kept[at] = Unresolved { due, lost, duplicates },
            None if !is_in_order && kept.len() < MOST_UNRESOLVED => kept.push(Unresolved { due, lost, duplicates }),
            None => {}
        }
        !is_in_order && known.is_none()
    }

    /// Offsets lost and rows doubled in a partition, as far as they are not mended.
    pub(super) fn sums(&self, place: &Place) -> (u64, u64) {
        let all = self.unresolved.get(place).into_iter().flatten();
        all.fold((0, 0), |(lost, duplicates), range| (lost + range.lost, duplicates + range.duplicates))
    }
}

/// Puts neighbours together; the later time of both stands.
fn joined(mut all: Vec<(Instant, Place, Due)>) -> Vec<(Instant, Place, Due)> {
    all.sort_by(|one, other| one.1.cmp(&other.1).then(one.2.range.cmp(&other.2.range)));
    let mut left: Vec<(Instant, Place, Due)> = Vec::new();
    for (at, place, due) in all {
        if let Some((last_at, last_place, last)) = left.last_mut()
            && *last_place == place
            && let Some(both) = last.joined(due)
        {
            (*last, *last_at) = (both, at.max(*last_at));
        } else {
            left.push((at, place, due));
        }
    }
    left
}

/// What a check found in one range.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Judgement {
    pub lost: u64,
    pub unchecked: u64,
}

/// What is lost of a range in which `stored` distinct offsets outside of gaps have a row. Rows that retention may have
/// taken already, since their events were older than `kept_from`, cannot be called lost.
pub(super) fn judge(due: &Due, stored: u64, kept_from: DateTime<Utc>) -> Judgement {
    let missing = due.records.saturating_sub(due.dropped).saturating_sub(stored);
    let may_be_expired = due.times.is_some_and(|times| times.from < kept_from);
    if may_be_expired {
        Judgement { lost: 0, unchecked: due.unchecked + missing }
    } else {
        Judgement { lost: missing, unchecked: due.unchecked }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{Book, Delivered, Due, Judgement, Place, TakenOver, judge};
    use crate::event::Run;
    use crate::query::TimeRange;

    fn place(partition: i32) -> Place {
        Place { topic: "t".into(), topic_id: Some("id".into()), partition }
    }

    fn at(second: i64) -> chrono::DateTime<chrono::Utc> {
        chrono::DateTime::from_timestamp(second, 0).unwrap()
    }

    fn delivered(partition: i32, first: i64, next: i64, records: u64) -> Delivered {
        let times = Some(TimeRange { from: at(first), to: at(next) });
        Delivered { place: place(partition), range: Run { first, next }, records, dropped: 1, times }
    }

    #[test]
    fn neighbours_are_checked_as_one_and_not_before_they_settled() {
        let mut book = Book::default();
        let start = Instant::now();
        let second = |seconds| start + Duration::from_secs(seconds);
        book.finished(delivered(0, 10, 20, 9), second(1));
        book.finished(delivered(1, 0, 5, 5), second(1));
        book.finished(delivered(0, 0, 10, 10), second(0));
        book.finished(delivered(0, 30, 40, 10), second(2));
        book.finished(delivered(0, 40, 50, 10), second(30));
        assert!(book.take_due(second(4)).is_empty());
        let due = book.take_due(second(10));
        let ranges: Vec<(i32, Run, u64, u64)> =
            due.iter().map(|(place, due)| (place.partition, due.range, due.records, due.dropped)).collect();
        let run = |first, next| Run { first, next };
        assert_eq!(ranges, [(0, run(0, 20), 19, 2), (0, run(30, 40), 10, 1), (1, run(0, 5), 5, 1)]);
        assert_eq!(due[0].1.times, Some(TimeRange { from: at(0), to: at(20) }));
        assert!(book.take_due(second(10)).is_empty(), "each once");
        assert_eq!(book.take_due(second(35)).len(), 1);
    }

    #[test]
    fn what_is_not_in_order_is_told_once_and_summed_until_it_is_mended() {
        let mut book = Book::default();
        let due = |first, next| Due { range: Run { first, next }, records: 6, dropped: 0, times: None, unchecked: 0 };
        assert!(!book.note(&place(0), due(0, 3), 0, 0));
        assert!(book.note(&place(0), due(3, 9), 2, 0));
        assert!(!book.note(&place(0), due(3, 9), 2, 1), "known");
        assert!(book.note(&place(0), due(9, 12), 1, 1));
        assert!(book.note(&place(1), due(0, 3), 5, 0));
        assert_eq!((book.sums(&place(0)), book.sums(&place(1)), book.sums(&place(2))), ((3, 2), (5, 0), (0, 0)));
        assert_eq!(book.unresolved(), [(place(0), due(3, 9)), (place(0), due(9, 12)), (place(1), due(0, 3))]);
        assert!(!book.note(&place(0), due(3, 9), 0, 0), "mended");
        assert_eq!(book.sums(&place(0)), (1, 1));
        book.revoked("t", 1);
        assert_eq!(book.unresolved(), [(place(0), due(9, 12))], "the next owner looks after the other");
    }

    #[test]
    fn a_partition_that_was_taken_over_is_looked_at_after_a_while() {
        let mut book = Book::default();
        let start = Instant::now();
        let later = start + Duration::from_secs(10);
        let taken = |partition, committed, since| TakenOver { place: place(partition), committed, since };
        book.assigned(taken(0, 5, start));
        book.assigned(taken(1, 6, start));
        book.assigned(taken(2, 7, start));
        book.assigned(taken(1, 8, later));
        book.revoked("t", 2);
        let ago = Duration::from_secs(10);
        let first = book.take_taken_over(later, ago);
        assert_eq!(first, [taken(0, 5, start)]);
        first.into_iter().for_each(|taken| book.put_back(taken));
        book.put_back(taken(1, 6, start));
        assert_eq!(book.take_taken_over(later, ago), [taken(0, 5, start)], "put back, but not over a later one");
        assert_eq!(book.take_taken_over(later + ago, ago), [taken(1, 8, later)]);
    }

    #[test]
    fn lost_is_what_was_delivered_and_is_neither_stored_nor_dropped() {
        let due = |records, dropped, from| Due {
            range: Run { first: 0, next: 100 },
            records,
            dropped,
            times: Some(TimeRange { from: at(from), to: at(1_000) }),
            unchecked: 3,
        };
        let kept_from = at(500);
        for (due, stored, lost, unchecked) in [
            (due(100, 0, 900), 100, 0, 3),
            (due(90, 0, 900), 90, 0, 3),
            (due(100, 4, 900), 96, 0, 3),
            (due(100, 4, 900), 90, 6, 3),
            (due(100, 0, 900), 101, 0, 3),
            (due(100, 0, 400), 90, 0, 13),
        ] {
            assert_eq!(judge(&due, stored, kept_from), Judgement { lost, unchecked }, "{due:?}");
        }
    }
}
