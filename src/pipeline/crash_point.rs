//! Named moments at which a test build kills its own process, so that `make chaos` can crash ingest exactly there.
//!
//! Compiled in with the cargo feature `crash-points` only; without it [`reach`] does nothing and costs nothing, and the
//! variable `GATETRAIL_CRASH_AT` is refused like any other setting that does not exist. With it, `GATETRAIL_CRASH_AT=NAME`
//! kills the process by SIGKILL when it gets to NAME for the first time, `NAME:3` at the third time. `NAME:3:stop` stops it
//! there by SIGSTOP instead, so that a test can wake it up (SIGCONT) when others believe it dead. Names never change their
//! meaning: recorded runs are repeated by them.

macro_rules! crash_points {
    ($($(#[$doc:meta])* $point:ident = $name:literal,)+) => {
        /// A moment at which a crash is interesting, in the order in which a batch passes them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum CrashPoint {
            $($(#[$doc])* $point,)+
        }

        impl CrashPoint {
            /// All of them, in that order.
            pub const ALL: &[Self] = &[$(Self::$point,)+];

            /// The stable name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$point => $name,)+
                }
            }
        }
    };
}

crash_points! {
    /// A batch's bodies and token are made; Kafka knows nothing of it yet.
    BatchSealed = "batch-sealed",
    /// The commit that carries the plan is about to be answered.
    PlanSent = "plan-sent",
    /// Kafka confirmed the plan; nothing was inserted yet.
    PlanCommitted = "plan-committed",
    /// An insert is about to be sent.
    InsertBegun = "insert-begun",
    /// The insert's bytes are on their way to ClickHouse, its answer was not read.
    InsertSent = "insert-sent",
    /// ClickHouse confirmed the rows of `events`.
    InsertConfirmed = "insert-confirmed",
    /// ClickHouse confirmed the rows of `dead_letters`.
    DeadLettersConfirmed = "dead-letters-confirmed",
    /// Rows that a read-back missed are about to be sent.
    RepairBegun = "repair-begun",
    /// Rows that a read-back missed were inserted.
    RepairInserted = "repair-inserted",
    /// The commit that carries the progress is about to be answered.
    ProgressSent = "progress-sent",
    /// Kafka confirmed the progress.
    ProgressCommitted = "progress-committed",
    /// Partitions are being taken away; what is under way was not settled yet.
    RevokeBegun = "revoke-begun",
    /// What was under way is settled; the partitions were not given back yet.
    RevokeDone = "revoke-done",
    /// A partition with an unfinished plan was assigned; nothing of it was read again yet.
    AssignedBeforeReplay = "assigned-before-replay",
    /// The rows of an unfinished plan were inserted again; the progress was not committed.
    ReplayInserted = "replay-inserted",
    /// `gatetrail replay --reclassify` has written a page of changed verdicts; no batch of `consume` comes by here.
    ReclassificationsInserted = "reclassifications-inserted",
}

/// Says that this moment has come.
#[cfg(not(feature = "crash-points"))]
#[inline(always)]
pub const fn reach(_: CrashPoint) {}

/// Says that this moment has come; kills or stops the process when `GATETRAIL_CRASH_AT` names it.
#[cfg(feature = "crash-points")]
pub fn reach(point: CrashPoint) {
    armed::reach(point);
}

#[cfg(feature = "crash-points")]
mod armed {
    use std::process::{Command, exit, id};
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    use super::CrashPoint;

    /// Where to crash, and at which time of getting there, from 1.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(super) struct CrashAt {
        pub(super) point: CrashPoint,
        pub(super) nth: u32,
        /// Only stopped, to be woken up again.
        pub(super) stop: bool,
    }

    static CRASH_AT: OnceLock<Option<CrashAt>> = OnceLock::new();
    static REACHED: AtomicU32 = AtomicU32::new(0);

    pub(super) fn reach(point: CrashPoint) {
        let Some(crash_at) = CRASH_AT.get_or_init(from_environment) else { return };
        if crash_at.point == point && REACHED.fetch_add(1, Ordering::Relaxed) + 1 == crash_at.nth {
            if crash_at.stop { stop(point) } else { die(point) }
        }
    }

    fn from_environment() -> Option<CrashAt> {
        let text = std::env::var("GATETRAIL_CRASH_AT").ok().filter(|text| !text.is_empty())?;
        let parsed = parse(&text);
        if parsed.is_none() {
            // A crash that never comes would be a test that cannot fail.
            tracing::error!("GATETRAIL_CRASH_AT={text}: no such crash point");
            exit(2);
        }
        parsed
    }

    pub(super) fn parse(text: &str) -> Option<CrashAt> {
        let (rest, stop) = text.strip_suffix(":stop").map_or((text, false), |rest| (rest, true));
        let (name, nth) = rest.split_once(':').unwrap_or((rest, "1"));
        let point = *CrashPoint::ALL.iter().find(|point| point.name() == name)?;
        let nth = nth.parse().ok().filter(|nth| *nth > 0)?;
        Some(CrashAt { point, nth, stop })
    }

    /// SIGSTOP to ourselves: every thread stands still until somebody sends SIGCONT.
    fn stop(point: CrashPoint) {
        tracing::warn!("stopped at crash point {}", point.name());
        let stopped = Command::new("kill").args(["-STOP", &id().to_string()]).status();
        tracing::warn!(?stopped, "woken up");
    }

    /// SIGKILL to ourselves by kill(1), since the call itself needs `unsafe`. This thread stands still meanwhile.
    fn die(point: CrashPoint) -> ! {
        tracing::warn!("crash point {} reached", point.name());
        let killed = Command::new("kill").args(["-KILL", &id().to_string()]).status();
        tracing::error!(?killed, "the process should be dead");
        // Only when kill(1) is missing or failed: the test sees another exit than by SIGKILL.
        std::thread::sleep(Duration::from_secs(1));
        exit(70);
    }
}

#[cfg(test)]
mod tests {
    use super::CrashPoint;

    #[test]
    fn names_are_distinct_and_fit_on_a_command_line() {
        let mut names: Vec<_> = CrashPoint::ALL.iter().map(|point| point.name()).collect();
        assert!(names.iter().all(|name| name.chars().all(|letter| letter.is_ascii_lowercase() || letter == '-')));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), 16);
    }

    #[cfg(feature = "crash-points")]
    #[test]
    fn a_point_and_how_often_it_is_reached() {
        use super::armed::{CrashAt, parse};
        let plan_committed = |nth, stop| Some(CrashAt { point: CrashPoint::PlanCommitted, nth, stop });
        let cases = [
            ("plan-committed", plan_committed(1, false)),
            ("plan-committed:3", plan_committed(3, false)),
            ("plan-committed:3:stop", plan_committed(3, true)),
            ("plan-committed:stop", plan_committed(1, true)),
            ("plan-committed:stop:3", None),
            ("plan-committed:0", None),
            ("plan-committed:", None),
            ("plan-committed-later", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text), expected, "{text}");
        }
    }
}
