//! The model test of the plan protocol: simulated Kafka, ClickHouse and consumers, a scheduler that does the worst at random,
//! and the claim that every record is stored exactly once.
//!
//! The real [`Machine`](super::plan::Machine), [`Start`](super::plan::Start), [`metadata`](super::plan::metadata) and
//! [`Delivery`](crate::store::delivery::Delivery) run in it; only their surroundings are made up ([`world`]), as harsh as the
//! real ones were found to be: an insert may be carried out after its sender gave up or died, its answer may be lost, and
//! ClickHouse may take down a token without placing the rows. Consumers ([`member`]) crash, are paused past their session
//! and wake up with work in hand, lose partitions in the middle of a commit, and seal at random.
//!
//! Weakened protocols are kept as mutants: each has to fail, or the test would prove nothing.
//! `PROOF_SEEDS` sets how many seeds are tried (`make proof`: 100,000).

mod member;
mod world;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use member::Member;
use world::World;

/// What is left out of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protocol {
    /// Nothing.
    Whole,
    /// Plans are not read: whoever is assigned begins at the committed offset and seals as it likes.
    NoReplay,
    /// A repeated insert that is confirmed counts as stored.
    NoReadBack,
    /// Rows are inserted before Kafka has confirmed the plan.
    NoWaitForPlan,
}

/// Chances of one in a hundred.
fn chance(random: &mut ChaCha8Rng, percent: u32) -> bool {
    random.next_u32() % 100 < percent
}

/// One simulated life; what is wrong at its end.
fn live(seed: u64, protocol: Protocol) -> Result<(), String> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut world = World::new(&mut random);
    let mut members = [Member::new(0, protocol), Member::new(1, protocol), Member::new(2, protocol)];
    let steps = 150 + random.next_u32() % 250;
    for _ in 0..steps {
        world.step(&mut random, &mut members);
        let chosen = (random.next_u32() % 3) as usize;
        members[chosen].step(&mut world, &mut random);
    }
    world.calm(&mut members);
    for _ in 0..20_000 {
        world.step(&mut random, &mut members);
        for member in &mut members {
            member.step(&mut world, &mut random);
        }
        if world.is_settled() {
            world.carry_out_late_requests(&mut random);
            return world.judge();
        }
    }
    Err(format!("not settled: {world:?}\n{members:#?}"))
}

fn seeds() -> u64 {
    std::env::var("PROOF_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000)
}

#[test]
fn every_record_is_stored_exactly_once_whatever_happens() {
    for seed in 0..seeds() {
        if let Err(wrong) = live(seed, Protocol::Whole) {
            panic!("seed {seed}: {wrong}");
        }
    }
}

/// How many of the seeds a weakened protocol fails.
fn failures(protocol: Protocol) -> u64 {
    (0..1_000).filter(|seed| live(*seed, protocol).is_err()).count() as u64
}

#[test]
fn without_replays_of_plans_it_fails() {
    assert!(failures(Protocol::NoReplay) > 0);
}

#[test]
fn without_read_back_it_fails() {
    assert!(failures(Protocol::NoReadBack) > 0);
}

#[test]
fn without_waiting_for_the_plan_it_fails() {
    assert!(failures(Protocol::NoWaitForPlan) > 0);
}
