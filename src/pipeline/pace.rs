//! How long a batch may wait for more rows: the setting, stretched when there are many partitions or ClickHouse is busy.
//!
//! Each insert makes a part that ClickHouse has to merge. So a consumer makes at most `ingest.max_inserts_per_s` of them:
//! with P active partitions a batch waits for `max(ingest.flush_ms, P / max_inserts_per_s)`. When ClickHouse says that parts
//! are too many, batches wait longer still, doubling up to [`LONGEST`], and shorten again as inserts succeed.
//!
//! Batches that came of age together go one after the other, so that their inserts do not wait for each other inside
//! ClickHouse: between two of them lies `1 / max_inserts_per_s`. A batch that is full never waits for that.

use std::time::{Duration, Instant};

/// Longest that a batch waits for more rows.
pub const LONGEST: Duration = Duration::from_secs(30);

/// The present interval.
#[derive(Debug)]
pub struct Pace {
    setting: Duration,
    inserts_per_second: u32,
    /// Doublings because ClickHouse asked for it.
    stretched: u32,
    /// When the last batch that was sealed because of its age had its turn.
    last_turn: Option<Instant>,
}

impl Pace {
    /// Nothing is stretched yet.
    #[must_use]
    pub fn new(setting: Duration, inserts_per_second: u32) -> Self {
        Self { setting, inserts_per_second: inserts_per_second.max(1), stretched: 0, last_turn: None }
    }

    /// ClickHouse asks for fewer, larger inserts.
    pub fn slow_down(&mut self) {
        self.stretched = (self.stretched + 1).min(10);
    }

    /// An insert went through at once.
    pub fn ease(&mut self) {
        self.stretched = self.stretched.saturating_sub(1);
    }

    /// Whether it is the turn of another batch that came of age.
    #[must_use]
    pub fn has_turn(&self, now: Instant) -> bool {
        self.last_turn.is_none_or(|last| now.saturating_duration_since(last) >= self.between_turns())
    }

    /// A batch was sealed because of its age. A turn that was taken late does not put off the ones behind it.
    pub fn took_turn(&mut self, now: Instant) {
        let between = self.between_turns();
        let in_time = self.last_turn.map(|last| last + between).filter(|turn| *turn + between > now);
        self.last_turn = Some(in_time.unwrap_or(now));
    }

    fn between_turns(&self) -> Duration {
        Duration::from_secs(1) / self.inserts_per_second
    }

    /// The interval with this many partitions that have rows under way.
    #[must_use]
    pub fn interval(&self, active_partitions: usize) -> Duration {
        let partitions = u32::try_from(active_partitions).unwrap_or(u32::MAX);
        let for_all = Duration::from_secs(1).saturating_mul(partitions) / self.inserts_per_second;
        let wanted = self.setting.max(for_all);
        if self.stretched == 0 { wanted } else { wanted.saturating_mul(1 << self.stretched).min(LONGEST.max(wanted)) }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{LONGEST, Pace};

    /// At which of these milliseconds a batch that came of age is sealed, when one always waits.
    fn turns(moments: impl IntoIterator<Item = u64>) -> Vec<u64> {
        let mut pace = Pace::new(Duration::from_millis(200), 10);
        let start = Instant::now();
        let has_turn = |millis: &u64| {
            let now = start + Duration::from_millis(*millis);
            let turn = pace.has_turn(now);
            if turn {
                pace.took_turn(now);
            }
            turn
        };
        moments.into_iter().filter(has_turn).collect()
    }

    #[test]
    fn batches_that_came_of_age_together_go_one_after_the_other() {
        assert_eq!(turns((0..500).step_by(10)), [0, 100, 200, 300, 400]);
    }

    #[test]
    fn a_turn_taken_late_does_not_put_off_the_next_but_many_missed_ones_are_not_made_up_for() {
        assert_eq!(turns([0, 107, 199, 201, 310, 390, 400]), [0, 107, 201, 310, 400]);
        assert_eq!(turns([0, 5_000, 5_010, 5_099, 5_100]), [0, 5_000, 5_100]);
    }

    #[test]
    fn many_partitions_make_longer_batches() {
        let pace = Pace::new(Duration::from_secs(1), 10);
        for (partitions, seconds) in [(0, 1), (4, 1), (10, 1), (20, 2), (300, 30), (1_000, 100)] {
            assert_eq!(pace.interval(partitions), Duration::from_secs(seconds), "{partitions}");
        }
    }

    #[test]
    fn too_many_parts_stretch_it_and_success_eases_it() {
        let mut pace = Pace::new(Duration::from_secs(1), 10);
        pace.slow_down();
        assert_eq!(pace.interval(1), Duration::from_secs(2));
        for _ in 0..50 {
            pace.slow_down();
        }
        assert_eq!(pace.interval(1), LONGEST);
        for _ in 0..10 {
            pace.ease();
        }
        assert_eq!(pace.interval(1), Duration::from_secs(1));
    }
}
