//! What ingest waits for, in words: for the readiness check, and so that each trouble is logged once and not per attempt.

use std::sync::{Mutex, PoisonError};

/// A part that ingest may wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    /// The database takes no inserts.
    ClickHouse,
    /// The brokers do not answer, or refuse commits.
    Kafka,
    /// Ingest itself: reading has stopped, for a reason that needs a person.
    Ingest,
    /// The registry topic, without which events are enriched all the same, from less.
    Registry,
}

/// The present trouble of each part; shared with the readiness check.
#[derive(Debug, Default)]
pub struct Health {
    troubles: Mutex<[Option<String>; 4]>,
}

impl Health {
    /// Notes a trouble; whether it is news. The sentence of a part that was in trouble already is renewed in silence.
    pub fn fail(&self, part: Part, sentence: String) -> bool {
        let mut troubles = self.troubles.lock().unwrap_or_else(PoisonError::into_inner);
        troubles[part as usize].replace(sentence).is_none()
    }

    /// Notes that a part works; whether it had not.
    pub fn recover(&self, part: Part) -> bool {
        let mut troubles = self.troubles.lock().unwrap_or_else(PoisonError::into_inner);
        troubles[part as usize].take().is_some()
    }

    /// What is wrong with a part; `None` when it works.
    #[must_use]
    pub fn trouble(&self, part: Part) -> Option<String> {
        self.troubles.lock().unwrap_or_else(PoisonError::into_inner)[part as usize].clone()
    }
}

#[cfg(test)]
mod tests {
    use super::{Health, Part};

    #[test]
    fn a_trouble_is_news_once_and_its_end_too() {
        let health = Health::default();
        assert!(!health.recover(Part::Kafka));
        assert!(health.fail(Part::Kafka, "no broker answers".to_owned()));
        assert!(!health.fail(Part::Kafka, "still none".to_owned()));
        assert_eq!(health.trouble(Part::Kafka).as_deref(), Some("still none"));
        assert_eq!(health.trouble(Part::ClickHouse), None);
        assert!(health.recover(Part::Kafka));
        assert!(!health.recover(Part::Kafka));
    }
}
