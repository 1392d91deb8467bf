//! Where an assignment begins: from the committed offset, its metadata, the log's ends and the topic's id.
//!
//! Kafka's `auto.offset.reset` never decides: a group without an offset begins with the earliest record, and an offset that
//! lies outside of the log is a [`Gap`], with its reason.

use super::metadata::Found;
use super::{Machine, Range};
use crate::store::GapReason;

/// The ends of a partition's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watermarks {
    /// First offset that is still there.
    pub low: i64,
    /// Offset of the next record to be written.
    pub high: i64,
}

/// What the group has committed for a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// The offset.
    pub offset: i64,
    /// What stands beside it.
    pub found: Found,
}

/// Offsets that nobody can read any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// Which.
    pub range: Range,
    /// Why.
    pub reason: GapReason,
}

/// Where an assignment begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// The first offset to read.
    pub read_from: i64,
    /// The partition's machine.
    pub machine: Machine,
    /// What was lost in between.
    pub gaps: Vec<Gap>,
    /// Another topic of this name was read before.
    pub recreated: bool,
}

impl Start {
    /// Decides. `topic_id` is the topic's present id, `None` when the broker tells none.
    #[must_use]
    pub fn decide(committed: Option<&Position>, log: Watermarks, topic_id: Option<&str>) -> Self {
        let beginning = |recreated| Self {
            read_from: log.low,
            machine: Machine::open(log.low, false),
            gaps: Vec::new(),
            recreated,
        };
        let Some(Position { offset, found }) = committed else { return beginning(false) };
        if let Found::Ours { topic_id: Some(then), .. } = found
            && topic_id.is_some_and(|now| now != then)
        {
            return beginning(true);
        }
        match found {
            Found::Ours { plan: Some(plan), .. } => Self::with_plan(*plan, log),
            Found::Ours { plan: None, .. } | Found::Nothing | Found::Foreign => Self::without_plan(*offset, log),
        }
    }

    fn without_plan(offset: i64, log: Watermarks) -> Self {
        let gap = |range: Option<Range>, reason| range.map(|range| Gap { range, reason });
        let read_from = offset.clamp(log.low, log.high.max(log.low));
        let eaten = gap(Range::new(offset, log.low), GapReason::Retention);
        let truncated = gap(Range::new(log.high, offset), GapReason::LogTruncated).filter(|_| eaten.is_none());
        Self {
            read_from,
            machine: Machine::open(read_from, read_from == offset),
            gaps: eaten.into_iter().chain(truncated).collect(),
            recreated: false,
        }
    }

    fn with_plan(plan: Range, log: Watermarks) -> Self {
        // Nothing of it is left, or its end is gone: it cannot be completed. What a previous owner inserted stays.
        if log.low >= plan.next || log.high < plan.next {
            return Self::without_plan(plan.first, Watermarks { high: log.high.max(log.low), ..log })
                .missing_end_of(plan, log);
        }
        let position = plan.first.max(log.low);
        let eaten = Range::new(plan.first, log.low).map(|range| Gap { range, reason: GapReason::Retention });
        Self {
            read_from: position,
            machine: Machine::rereading(plan),
            gaps: eaten.into_iter().collect(),
            recreated: false,
        }
    }

    /// A truncated log ends within the plan: what it lost of it is a gap, and what is left of it is read as if it were new,
    /// except that some of it may be stored, so that it is read back first.
    fn missing_end_of(mut self, plan: Range, log: Watermarks) -> Self {
        if log.high < plan.next && log.low < plan.next {
            self.gaps.retain(|gap| gap.reason == GapReason::Retention);
            let lost = Range::new(log.high.max(plan.first), plan.next);
            self.gaps.extend(lost.map(|range| Gap { range, reason: GapReason::LogTruncated }));
            self.machine = self.machine.with_remainder_until(plan.next);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::{Gap, Position, Start, Watermarks};
    use crate::pipeline::plan::Range;
    use crate::pipeline::plan::metadata::Found;
    use crate::store::GapReason;

    const LOG: Watermarks = Watermarks { low: 100, high: 200 };
    const ID: &str = "zs3WIGjSRjyjZFyBGHKaZA";

    fn ours(offset: i64, next: Option<i64>) -> Position {
        let plan = next.and_then(|next| Range::new(offset, next));
        Position { offset, found: Found::Ours { plan, schema: 1, topic_id: Some(ID.to_owned()) } }
    }

    #[test]
    fn where_an_assignment_begins() {
        use GapReason::{LogTruncated, Retention};
        type Gaps<'g> = &'g [(i64, i64, GapReason)];
        type Case<'c> = (&'c str, Option<Position>, i64, Option<(i64, i64)>, Gaps<'c>);
        let cases: [Case<'_>; 11] = [
            ("a new group", None, 100, None, &[]),
            ("progress", Some(ours(150, None)), 150, None, &[]),
            ("progress to the end", Some(ours(200, None)), 200, None, &[]),
            ("an offset set by hand", Some(Position { offset: 120, found: Found::Nothing }), 120, None, &[]),
            ("foreign metadata", Some(Position { offset: 120, found: Found::Foreign }), 120, None, &[]),
            ("a plan", Some(ours(150, Some(160))), 150, Some((150, 160)), &[]),
            ("retention ate progress", Some(ours(50, None)), 100, None, &[(50, 100, Retention)]),
            ("retention ate half a plan", Some(ours(90, Some(110))), 100, Some((90, 110)), &[(90, 100, Retention)]),
            ("retention ate a plan", Some(ours(50, Some(60))), 100, None, &[(50, 100, Retention)]),
            ("the log was truncated", Some(ours(250, None)), 200, None, &[(200, 250, LogTruncated)]),
            ("truncated within a plan", Some(ours(190, Some(210))), 190, None, &[(200, 210, LogTruncated)]),
        ];
        for (name, committed, read_from, plan, gaps) in cases {
            let start = Start::decide(committed.as_ref(), LOG, Some(ID));
            assert_eq!(start.read_from, read_from, "{name}");
            assert_eq!(start.machine.to_reread(), plan.and_then(|(first, next)| Range::new(first, next)), "{name}");
            let expected: Vec<Gap> = gaps
                .iter()
                .filter_map(|(first, next, reason)| Some(Gap { range: Range::new(*first, *next)?, reason: *reason }))
                .collect();
            assert_eq!(start.gaps, expected, "{name}");
        }
    }

    #[test]
    fn a_topic_created_anew_begins_at_its_beginning_and_keeps_no_promise_of_the_old_one() {
        let start = Start::decide(Some(&ours(150, Some(160))), LOG, Some("another"));
        assert!(start.recreated && start.machine.to_reread().is_none());
        assert_eq!(start.read_from, 100);
        let unknown = Start::decide(Some(&ours(150, Some(160))), LOG, None);
        assert!(!unknown.recreated, "an id that is not known now contradicts nothing");
    }
}
