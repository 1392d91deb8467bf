//! What a plan covers, and what names a row in it.

use std::sync::Arc;

/// A contiguous range of offsets of one Kafka partition: what one plan delivers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// Topic name.
    pub topic: Arc<str>,
    /// The topic's id; `None` when it is unknown, and then the rows carry none either.
    pub topic_id: Option<Arc<str>>,
    /// Partition, from 0.
    pub partition: i32,
    /// First offset of the range.
    pub first: i64,
    /// Offset after the last one.
    pub next: i64,
}

impl Span {
    /// The two halves of the range, for closing in on a row that ClickHouse cannot take; `None` for a single offset.
    #[must_use]
    pub fn halves(&self) -> Option<(Self, Self)> {
        let offsets = self.next.checked_sub(self.first).filter(|offsets| *offsets >= 2)?;
        let middle = self.first + offsets / 2;
        Some((Self { next: middle, ..self.clone() }, Self { first: middle, ..self.clone() }))
    }
}

/// What names a row among those of its topic and partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identity {
    /// Offset of its record.
    pub offset: i64,
    /// Place within the record, from 0.
    pub index: u32,
}

#[cfg(test)]
mod tests {
    use super::Span;

    #[test]
    fn halves_cover_the_range_and_end_at_one_offset() {
        let span = |first, next| Span { topic: "events".into(), topic_id: None, partition: 0, first, next };
        assert_eq!(span(10, 13).halves(), Some((span(10, 11), span(11, 13))));
        assert_eq!(span(10, 12).halves(), Some((span(10, 11), span(11, 12))));
        assert_eq!(span(10, 11).halves(), None);
        assert_eq!(span(10, 10).halves(), None);
    }
}
