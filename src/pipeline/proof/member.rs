//! One consumer process, as the runner behaves: it drives the real machines, one small step at a time.

use rand_chacha::ChaCha8Rng;

use super::world::{Heard, Insert, World};
use super::{Protocol, chance};
use crate::pipeline::plan::{Command, Commit, Machine, Mode, Range, Start};
use crate::store::Remedy;
use crate::store::delivery::{Command as Order, Delivery, Heard as Told};

/// What it has of the partition.
#[derive(Debug)]
struct Assigned {
    machine: Machine,
    read_to: i64,
    batch: Vec<i64>,
    planned: Option<[Vec<i64>; 2]>,
    delivery: Option<Running>,
    /// Sent to Kafka, not answered.
    commit: Option<Commit>,
    releasing: bool,
}

#[derive(Debug)]
struct Running {
    range: Range,
    bodies: Vec<Insert>,
    missing: Vec<Insert>,
    delivery: Delivery,
    /// The mutant's own count of attempts.
    confirmed: usize,
}

/// A process.
#[derive(Debug)]
pub struct Member {
    number: usize,
    protocol: Protocol,
    paused: bool,
    crashed: bool,
    assigned: Option<Assigned>,
}

impl Member {
    pub fn new(number: usize, protocol: Protocol) -> Self {
        Self { number, protocol, paused: false, crashed: false, assigned: None }
    }

    pub fn can_join(&self) -> bool {
        !self.paused && !self.crashed && self.assigned.is_none()
    }

    /// Whether the group hears nothing of the member that it gave the partition to; a process that was started again is
    /// another member.
    pub fn is_silent(&self) -> bool {
        self.paused || self.crashed || self.assigned.is_none()
    }

    pub fn pause(&mut self) {
        self.paused = true;
    }

    pub fn wake(&mut self) {
        self.paused = false;
        self.crashed = false;
    }

    /// Everything it knew is gone; what it had sent is not.
    pub fn crash(&mut self) {
        self.crashed = true;
        self.assigned = None;
    }

    pub fn revoke(&mut self) {
        if let Some(assigned) = &mut self.assigned {
            assigned.releasing = true;
            assigned.batch.clear();
        }
    }

    pub fn assign(&mut self, world: &World) {
        let committed = world.committed();
        let mut start = Start::decide(committed.as_ref(), world.watermarks(), Some("id"));
        if self.protocol == Protocol::NoReplay && start.machine.to_reread().is_some() {
            start.machine = Machine::open(start.read_from, true);
        }
        self.assigned = Some(Assigned {
            machine: start.machine,
            read_to: start.read_from,
            batch: Vec::new(),
            planned: None,
            delivery: None,
            commit: None,
            releasing: false,
        });
    }

    /// One thing.
    pub fn step(&mut self, world: &mut World, random: &mut ChaCha8Rng) {
        if self.paused || self.crashed {
            return;
        }
        // A process that was thought dead finds out at some poll; until then it goes on.
        if self.assigned.is_some() && !world.is_owner(self.number) && (world.is_calm() || chance(random, 25)) {
            if let Some(Running { bodies, missing, .. }) = self.assigned.take().and_then(|assigned| assigned.delivery)
                && chance(random, 50)
            {
                bodies.into_iter().chain(missing).take(1).for_each(|insert| world.leave_behind(insert));
            }
            return;
        }
        let Some(assigned) = &mut self.assigned else { return };
        if let Some(commit) = assigned.commit.take() {
            assigned.answer(self.number, commit, self.protocol, world, random);
            return;
        }
        if let Some(running) = assigned.delivery.take() {
            // A release does not wait for ever: the insert may be on its way when the partition goes.
            let given_up = assigned.releasing && chance(random, 30);
            if given_up {
                running.bodies.into_iter().take(1).for_each(|insert| world.leave_behind(insert));
                self.release(world);
                return;
            }
            assigned.deliver(running, self.protocol, world, random);
            return;
        }
        if assigned.releasing {
            match assigned.machine.save() {
                Some(commit) => assigned.commit = Some(commit),
                None => self.release(world),
            }
            return;
        }
        assigned.read_or_seal(self.protocol, world, random);
    }

    fn release(&mut self, world: &mut World) {
        self.assigned = None;
        world.released(self.number);
    }
}

impl Assigned {
    fn read_or_seal(&mut self, protocol: Protocol, world: &World, random: &mut ChaCha8Rng) {
        let plan = self.machine.to_reread();
        let wanted = plan.is_none_or(|plan| self.read_to < plan.next);
        let next = (self.read_to..).find(|offset| world.has_record(*offset) != Some(false)).unwrap_or(self.read_to);
        if wanted
            && world.has_record(next) == Some(true)
            && plan.is_none_or(|plan| next < plan.next)
            && !chance(random, 15)
        {
            self.batch.push(next);
            self.read_to = next + 1;
            return;
        }
        if !self.machine.takes_range() {
            return;
        }
        let end = match plan {
            Some(plan) => (next >= plan.next || self.read_to >= plan.next).then_some(plan.next),
            None => (!self.batch.is_empty()).then_some(self.read_to),
        };
        let Some(end) = end else {
            if plan.is_none() && self.batch.is_empty() {
                self.commit = self.machine.save();
            }
            return;
        };
        self.read_to = self.read_to.max(end);
        let (letters, events) = std::mem::take(&mut self.batch).into_iter().partition(|offset| offset % 5 == 0);
        self.planned = Some([events, letters]);
        if let Ok(command) = self.machine.sealed(end) {
            self.follow(command, protocol);
        }
    }

    fn follow(&mut self, command: Command, protocol: Protocol) {
        match command {
            Command::Commit(commit) => {
                self.commit = Some(commit);
                if protocol == Protocol::NoWaitForPlan
                    && let Some(range) = commit.plan
                {
                    self.start(range, false);
                }
            }
            Command::Deliver(range, mode) => self.start(range, mode != Mode::First),
        }
    }

    fn start(&mut self, range: Range, replayed: bool) {
        let Some(bodies) = self.planned.take() else { return };
        let named = |(table, offsets): (usize, Vec<i64>)| Insert {
            table,
            offsets,
            token: format!("{}:{}:{table}", range.first, range.next),
        };
        let bodies: Vec<Insert> =
            bodies.into_iter().enumerate().map(named).filter(|insert| !insert.offsets.is_empty()).collect();
        let delivery = Delivery::new(bodies.len(), replayed);
        self.delivery = Some(Running { range, bodies, missing: Vec::new(), delivery, confirmed: 0 });
    }

    fn answer(
        &mut self,
        member: usize,
        commit: Commit,
        protocol: Protocol,
        world: &mut World,
        random: &mut ChaCha8Rng,
    ) {
        if !world.is_calm() && chance(random, 10) {
            // Refused or lost: it may have been taken all the same. It is sent again.
            if chance(random, 50) {
                world.commit(member, commit);
            }
            self.commit = Some(commit);
            return;
        }
        if !world.commit(member, commit) {
            self.commit = Some(commit);
            return;
        }
        match self.machine.committed(commit) {
            Ok(Some(_)) if self.releasing => self.planned = None,
            Ok(Some(Command::Deliver(..))) if protocol == Protocol::NoWaitForPlan => {}
            Ok(Some(command)) => self.follow(command, protocol),
            Ok(None) | Err(_) => {}
        }
    }

    fn deliver(&mut self, mut running: Running, protocol: Protocol, world: &mut World, random: &mut ChaCha8Rng) {
        if protocol == Protocol::NoReadBack {
            match running.bodies.get(running.confirmed) {
                Some(body) if world.insert(body, random) == Heard::Confirmed => running.confirmed += 1,
                Some(_) => {}
                None => return self.delivered(running.range),
            }
            self.delivery = Some(running);
            return;
        }
        let told = match running.delivery.command() {
            Order::Insert(body) => told(world.insert(&running.bodies[body], random)),
            Order::Wait(_) => Told::Waited,
            Order::ReadBack => {
                running.missing = running
                    .bodies
                    .iter()
                    .map(|body| Insert {
                        offsets: body.offsets.iter().copied().filter(|offset| !world.holds(*offset)).collect(),
                        ..body.clone()
                    })
                    .filter(|insert| !insert.offsets.is_empty())
                    .collect();
                if running.missing.is_empty() { Told::Complete } else { Told::Missing }
            }
            Order::InsertMissing(repair) => {
                let suffix = if repair == 0 { String::new() } else { format!(":r{repair}") };
                let all = running.missing.iter().all(|insert| {
                    let insert = Insert { token: format!("{}{suffix}", insert.token), ..insert.clone() };
                    world.insert(&insert, random) == Heard::Confirmed
                });
                told(if all { Heard::Confirmed } else { Heard::Failed })
            }
            Order::RestoreViews => Told::Confirmed,
            Order::Done | Order::Poison => return self.delivered(running.range),
        };
        running.delivery.hear(told);
        self.delivery = Some(running);
    }

    fn delivered(&mut self, range: Range) {
        if self.machine.delivered(range).is_err() {
            // Only the mutant that does not wait for its plan gets here.
            self.planned = None;
        }
    }
}

fn told(heard: Heard) -> Told {
    match heard {
        Heard::Confirmed => Told::Confirmed,
        Heard::Failed => Told::Failed(Remedy::Retry),
    }
}
