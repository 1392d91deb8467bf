//! Which faults a run holds, in which order: the short script, or hands of every kind, shuffled by the seed.

use std::collections::VecDeque;

use gatetrail::pipeline::crash_point::CrashPoint;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// What happens to a consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConsumerFault {
    /// It kills itself when it reaches the point for the n-th time.
    CrashAt(CrashPoint, u64),
    /// It stops there (SIGSTOP) for longer than its session lasts, and wakes up with the work in its hands.
    FreezeAt(CrashPoint, u64),
    /// SIGKILL this many milliseconds after it has partitions.
    KillAfter(u64),
    /// SIGSTOP then, for longer than its session lasts.
    FreezeAfter(u64),
    /// SIGTERM then: it leaves as it should.
    StopAfter(u64),
}

/// What happens to ClickHouse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreFault {
    Kill,
    /// SIGSTOP for this many milliseconds: inserts hang, and finish long after their sender gave up.
    Freeze(u64),
    /// SIGKILL at the n-th rename of a new part of the table: its token is noted, its rows are not there.
    KillAtRename(&'static str, u64),
    /// EIO there.
    ErrorAtRename(&'static str, u64),
}

/// What happens to the broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BrokerFault {
    /// SIGKILL, down for this many milliseconds.
    Kill(u64),
    /// SIGSTOP for this many milliseconds: afterwards it may believe that every member was silent.
    Freeze(u64),
}

/// What happens to the group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupFault {
    /// A third consumer joins and, this many milliseconds after it has partitions, leaves or is killed.
    Visit { stays: u64, killed: bool },
    /// The topic gets one more partition.
    Widen,
}

/// All that is to happen. Each actor takes from its own list, so faults of different actors overlap.
#[derive(Debug, Default)]
pub struct Deck {
    /// A chain is for one slot: what the first leaves unfinished is what the second needs.
    pub consumers: VecDeque<Vec<ConsumerFault>>,
    pub store: VecDeque<StoreFault>,
    pub broker: VecDeque<BrokerFault>,
    pub group: VecDeque<GroupFault>,
}

impl Deck {
    /// Every kind of fault once, in about half a minute.
    pub fn short() -> Self {
        use ConsumerFault::{CrashAt, FreezeAt, KillAfter, StopAfter};
        let consumers = [
            vec![CrashAt(CrashPoint::PlanCommitted, 2), CrashAt(CrashPoint::AssignedBeforeReplay, 1), StopAfter(500)],
            vec![FreezeAt(CrashPoint::PlanCommitted, 3), KillAfter(300)],
        ];
        Self {
            consumers: consumers.into(),
            store: [
                StoreFault::ErrorAtRename("events", 2),
                StoreFault::KillAtRename("events", 1),
                StoreFault::Kill,
                StoreFault::ErrorAtRename("dead_letters", 1),
                StoreFault::ErrorAtRename("lookup", 1),
            ]
            .into(),
            broker: [BrokerFault::Kill(200)].into(),
            group: [GroupFault::Visit { stays: 1_000, killed: false }].into(),
        }
    }

    /// Hands of every kind until there are `faults`, in an order that `seed` decides.
    pub fn drawn(seed: u64, faults: u64) -> Self {
        let mut dice = Dice(ChaCha8Rng::seed_from_u64(seed));
        let mut deck = Self::default();
        while deck.len() < faults {
            deck.add_hand(&mut dice);
            deck.keep_wanted();
        }
        deck
    }

    /// `ACTORS=consumers,clickhouse,broker,group` leaves the others in peace, for whoever looks for the cause of a failure.
    fn keep_wanted(&mut self) {
        let Ok(wanted) = std::env::var("ACTORS") else { return };
        let wants = |actor: &str| wanted.is_empty() || wanted.split(',').any(|name| name == actor);
        if !wants("consumers") {
            self.consumers.clear();
        }
        if !wants("clickhouse") {
            self.store.clear();
        }
        if !wants("broker") {
            self.broker.clear();
        }
        if !wants("group") {
            self.group.clear();
        }
        assert!(!self.is_empty(), "ACTORS={wanted}: there are consumers, clickhouse, broker, group");
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn len(&self) -> u64 {
        let consumers: usize = self.consumers.iter().map(Vec::len).sum();
        u64::try_from(consumers + self.store.len() + self.broker.len() + self.group.len()).unwrap()
    }

    fn add_hand(&mut self, dice: &mut Dice) {
        use ConsumerFault::{CrashAt, FreezeAfter, FreezeAt, KillAfter, StopAfter};
        let mut consumers: Vec<Vec<ConsumerFault>> = CrashPoint::ALL
            .iter()
            // No consumer comes by there.
            .filter(|point| **point != CrashPoint::ReclassificationsInserted)
            .map(|point| match point {
                // A partition with an unfinished plan is needed first.
                CrashPoint::AssignedBeforeReplay => {
                    vec![CrashAt(CrashPoint::PlanCommitted, dice.between(1, 4)), CrashAt(*point, 1)]
                }
                CrashPoint::ReplayInserted => {
                    vec![CrashAt(CrashPoint::InsertConfirmed, dice.between(1, 4)), CrashAt(*point, 1)]
                }
                CrashPoint::RevokeBegun
                | CrashPoint::RevokeDone
                | CrashPoint::RepairBegun
                | CrashPoint::RepairInserted => {
                    vec![CrashAt(*point, 1)]
                }
                point => vec![CrashAt(*point, dice.between(1, 6))],
            })
            .collect();
        const HANDS_FULL: [CrashPoint; 7] = [
            CrashPoint::BatchSealed,
            CrashPoint::PlanSent,
            CrashPoint::PlanCommitted,
            CrashPoint::InsertBegun,
            CrashPoint::InsertSent,
            CrashPoint::InsertConfirmed,
            CrashPoint::ProgressSent,
        ];
        for _ in 0..2 {
            consumers.push(vec![FreezeAt(HANDS_FULL[dice.index(HANDS_FULL.len())], dice.between(1, 6))]);
            consumers.push(vec![KillAfter(dice.between(0, 2_000))]);
        }
        // With a repair in its hands, which others have made meanwhile.
        consumers.push(vec![FreezeAt(CrashPoint::RepairBegun, 1)]);
        consumers.push(vec![FreezeAfter(dice.between(0, 2_000))]);
        consumers.push(vec![StopAfter(dice.between(0, 2_000))]);
        let mut store = vec![StoreFault::Kill, StoreFault::Kill, StoreFault::Freeze(dice.between(1_000, 12_000))];
        // An insert into `events` makes two parts there and one or two in `lookup`: each of them may be the one.
        for (table, parts) in [("events", 2), ("events", 2), ("dead_letters", 1), ("lookup", 2)] {
            store.push(StoreFault::KillAtRename(table, dice.between(1, parts)));
            store.push(StoreFault::ErrorAtRename(table, dice.between(1, parts)));
        }
        let mut group = vec![GroupFault::Widen];
        group.extend([false, true].map(|killed| GroupFault::Visit { stays: dice.between(200, 4_000), killed }));
        dice.shuffle(&mut consumers);
        dice.shuffle(&mut store);
        dice.shuffle(&mut group);
        self.consumers.extend(consumers);
        self.store.extend(store);
        self.broker.push_back(BrokerFault::Kill(dice.between(0, 1_500)));
        self.broker.push_back(BrokerFault::Freeze(dice.between(1_000, 12_000)));
        self.broker.push_back(BrokerFault::Kill(dice.between(0, 1_500)));
        self.group.extend(group);
    }
}

/// The one source of chance. What processes do is not decided by it: a seed repeats the faults, not the moments.
pub struct Dice(pub ChaCha8Rng);

impl Dice {
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.0.next_u64() % (high - low + 1)
    }

    fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.between(0, u64::try_from(length).unwrap() - 1)).unwrap()
    }

    fn shuffle<T>(&mut self, list: &mut [T]) {
        for last in (1..list.len()).rev() {
            list.swap(last, self.index(last + 1));
        }
    }
}
