//! The state machine against scripts, and against a model of what ClickHouse and the network can do to it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::{Command, Delivery, Heard, Pause};
use crate::store::error::Remedy;

const FAILED: Heard = Heard::Failed(Remedy::Retry);

/// Hears one answer after the other; the commands in between, ended by the one that is open.
fn commands(mut delivery: Delivery, answers: &[Heard]) -> Vec<Command> {
    let mut seen = vec![delivery.command()];
    for answer in answers {
        delivery.hear(*answer);
        seen.push(delivery.command());
    }
    seen
}

fn wait(remedy: Remedy, failures: u32) -> Command {
    Command::Wait(Pause { remedy, failures })
}

#[test]
fn two_bodies_confirmed_at_once_are_two_inserts_and_nothing_else() {
    let seen = commands(Delivery::new(2, false), &[Heard::Confirmed, Heard::Confirmed]);
    assert_eq!(seen, [Command::Insert(0), Command::Insert(1), Command::Done]);
    assert_eq!(commands(Delivery::new(0, true), &[]), [Command::Done]);
}

#[test]
fn after_a_failure_nothing_is_believed_but_a_read_back() {
    let answers = [FAILED, Heard::Waited, Heard::Missing, Heard::Confirmed, Heard::Complete, Heard::Confirmed];
    assert_eq!(
        commands(Delivery::new(1, false), &answers),
        [
            Command::Insert(0),
            wait(Remedy::Retry, 1),
            Command::ReadBack,
            Command::InsertMissing(0),
            Command::ReadBack,
            Command::RestoreViews,
            Command::Done
        ]
    );
}

#[test]
fn a_replay_reads_back_before_it_inserts_and_inserts_nothing_when_all_is_there() {
    let seen = commands(Delivery::new(2, true), &[Heard::Complete, Heard::Confirmed]);
    assert_eq!(seen, [Command::ReadBack, Command::RestoreViews, Command::Done]);
}

#[test]
fn the_next_repair_begins_only_when_the_one_before_was_confirmed() {
    let answers = [
        Heard::Missing,
        Heard::Confirmed,
        Heard::Missing,
        FAILED,
        Heard::Waited,
        Heard::Missing,
        Heard::Confirmed,
        Heard::Missing,
    ];
    let inserts: Vec<Command> = commands(Delivery::new(1, true), &answers)
        .into_iter()
        .filter(|command| matches!(command, Command::InsertMissing(_)))
        .collect();
    let repairs = [0, 1, 1, 2].map(Command::InsertMissing);
    assert_eq!(inserts, repairs);
}

#[test]
fn a_row_is_at_fault_only_when_two_attempts_in_a_row_say_so() {
    let bisect = Heard::Failed(Remedy::Bisect);
    let twice = [bisect, Heard::Waited, Heard::Missing, bisect];
    assert_eq!(commands(Delivery::new(1, false), &twice).last(), Some(&Command::Poison));
    let in_between = [bisect, Heard::Waited, Heard::Missing, FAILED, Heard::Waited, Heard::Missing, bisect];
    assert_eq!(commands(Delivery::new(1, false), &in_between).last(), Some(&wait(Remedy::Bisect, 3)));
    let of_the_read_back = [bisect, Heard::Waited, bisect, Heard::Waited];
    assert_eq!(commands(Delivery::new(1, false), &of_the_read_back).last(), Some(&Command::ReadBack));
}

#[test]
fn waits_grow_until_something_succeeds_and_each_remedy_has_its_own() {
    let answers = [
        Heard::Failed(Remedy::SlowDown),
        Heard::Waited,
        Heard::Failed(Remedy::Halt),
        Heard::Waited,
        Heard::Missing,
        Heard::Failed(Remedy::AlreadyRunning),
        Heard::Waited,
        Heard::Complete,
        FAILED,
    ];
    let waits: Vec<Command> = commands(Delivery::new(1, false), &answers)
        .into_iter()
        .filter(|command| matches!(command, Command::Wait(_)))
        .collect();
    assert_eq!(
        waits,
        [wait(Remedy::SlowDown, 1), wait(Remedy::Halt, 2), wait(Remedy::AlreadyRunning, 3), wait(Remedy::Retry, 1)]
    );
}

#[test]
fn an_answer_to_another_command_changes_nothing() {
    let mut delivery = Delivery::new(1, false);
    for stray in [Heard::Waited, Heard::Complete, Heard::Missing] {
        delivery.hear(stray);
        assert_eq!((delivery.command(), delivery.attempts()), (Command::Insert(0), 0), "{stray:?}");
    }
}

/// Table, partition of the table, and a number: a row of the model.
type Row = (usize, u32, u32);
/// What arrives at the server: rows of one table and the token they come under.
#[derive(Clone)]
struct Request {
    rows: Vec<Row>,
    token: String,
}

/// A ClickHouse as it may behave: a token counts for each table and partition, and may be taken without its rows.
#[derive(Default)]
struct Server {
    stored: BTreeMap<Row, u32>,
    tokens: BTreeSet<(usize, u32, String)>,
    /// Requests whose sender has given up, and which are still to come.
    late: VecDeque<Request>,
}

impl Server {
    /// The partitions of the request, one after the other, up to where it breaks off; there, perhaps only the token.
    fn insert(&mut self, request: &Request, parts: usize, token_without_rows: bool) {
        let partitions: BTreeSet<(usize, u32)> = request.rows.iter().map(|(table, part, _)| (*table, *part)).collect();
        for (place, (table, part)) in partitions.into_iter().enumerate() {
            if place > parts || (place == parts && !token_without_rows) {
                return;
            }
            let is_new = self.tokens.insert((table, part, request.token.clone()));
            if is_new && place < parts {
                for row in request.rows.iter().filter(|row| (row.0, row.1) == (table, part)) {
                    *self.stored.entry(*row).or_default() += 1;
                }
            }
        }
    }
}

/// Somebody who delivers the plan, at his own pace.
struct Owner {
    delivery: Delivery,
    missing: Vec<Request>,
}

fn is_done(owner: &Owner) -> bool {
    owner.delivery.command() == Command::Done
}

struct Model {
    dice: ChaCha8Rng,
    server: Server,
    bodies: Vec<Request>,
    /// Sends the same body again until it is confirmed, and believes that: the protocol without its read-backs.
    naive: bool,
}

impl Model {
    fn new(seed: u64, naive: bool) -> Self {
        let mut dice = ChaCha8Rng::seed_from_u64(seed);
        let bodies = (0..=dice.next_u32() as usize % 2)
            .map(|table| Request {
                rows: (0..1 + dice.next_u32() % 6).map(|row| (table, row % 3, row)).collect(),
                token: format!("table {table}"),
            })
            .collect();
        Self { dice, server: Server::default(), bodies, naive }
    }

    fn one_in(&mut self, chances: u32) -> bool {
        self.dice.next_u32().is_multiple_of(chances)
    }

    /// One insert under faults: whether it was confirmed.
    fn send(&mut self, request: &Request) -> bool {
        let parts = self.dice.next_u32() as usize % 4;
        match self.dice.next_u32() % 8 {
            0 => false,
            1 => {
                self.server.insert(request, usize::MAX, false);
                false
            }
            2 => {
                let token_without_rows = self.one_in(2);
                self.server.insert(request, parts, token_without_rows);
                false
            }
            3 => {
                self.server.late.push_back(request.clone());
                false
            }
            _ => {
                self.server.insert(request, usize::MAX, false);
                true
            }
        }
    }

    /// One step of an owner.
    fn step(&mut self, owner: &mut Owner) {
        let confirmed = |yes| if yes { Heard::Confirmed } else { FAILED };
        let heard = match owner.delivery.command() {
            Command::Insert(body) => {
                let request = self.bodies[body].clone();
                confirmed(self.send(&request))
            }
            Command::Wait(_) => Heard::Waited,
            Command::ReadBack if self.one_in(6) => FAILED,
            Command::ReadBack => {
                owner.missing = self.missing(owner.delivery.repair());
                if owner.missing.is_empty() { Heard::Complete } else { Heard::Missing }
            }
            Command::InsertMissing(_) => {
                let requests = owner.missing.clone();
                confirmed(requests.iter().all(|request| self.send(request)))
            }
            Command::RestoreViews => confirmed(!self.one_in(6)),
            Command::Done | Command::Poison => return,
        };
        let was_inserting = owner.delivery.command();
        owner.delivery.hear(heard);
        if self.naive && heard == FAILED && matches!(was_inserting, Command::Insert(_)) {
            // The same body again: as if nothing had been heard.
            owner.delivery = Delivery::new(self.bodies.len(), false);
        }
    }

    fn missing(&self, repair: u32) -> Vec<Request> {
        let missing_of = |body: &Request| Request {
            rows: body.rows.iter().filter(|row| !self.server.stored.contains_key(row)).copied().collect(),
            token: crate::store::token::of_repair(&body.token, repair),
        };
        self.bodies.iter().map(missing_of).filter(|request| !request.rows.is_empty()).collect()
    }

    /// Owners come, are paused, go on beside each other, and die; requests come late. The newest owner is the one whose
    /// progress counts (assignment epochs see to that), so the run is over when it is done. How often each row is stored.
    fn run(mut self) -> Vec<u32> {
        let mut owners = vec![Owner { delivery: Delivery::new(self.bodies.len(), false), missing: Vec::new() }];
        for _ in 0..10_000 {
            if self.one_in(30) && owners.len() < 4 {
                let replayed = !self.naive;
                owners.push(Owner { delivery: Delivery::new(self.bodies.len(), replayed), missing: Vec::new() });
            }
            if self.one_in(60) && owners.len() > 1 {
                owners.remove(0);
            }
            if self.one_in(10)
                && let Some(late) = self.server.late.pop_front()
            {
                self.server.insert(&late, usize::MAX, false);
            }
            // Tokens are forgotten after thousands of others: not while a request is still on its way or about to be sent,
            // and not in the middle of a repair that another owner may take over.
            let is_sending = |owner: &Owner| matches!(owner.delivery.command(), Command::InsertMissing(_));
            let is_between = owners.iter().all(|owner| owner.delivery.repair() == 0 && !is_sending(owner));
            let quiet = self.server.late.is_empty() && owners.len() == 1 && is_between;
            if self.one_in(50) && quiet {
                self.server.tokens.clear();
            }
            let next = self.dice.next_u32() as usize % owners.len();
            self.step(&mut owners[next]);
            if owners.last().is_some_and(is_done) {
                break;
            }
        }
        assert!(owners.last().is_some_and(is_done), "the newest owner ends");
        while let Some(late) = self.server.late.pop_front() {
            self.server.insert(&late, usize::MAX, false);
        }
        let rows = self.bodies.iter().flat_map(|body| body.rows.iter());
        rows.map(|row| self.server.stored.get(row).copied().unwrap_or(0)).collect()
    }
}

#[test]
fn every_row_is_stored_exactly_once_whatever_fails() {
    for seed in 0..20_000 {
        let copies = Model::new(seed, false).run();
        assert!(copies.iter().all(|copies| *copies == 1), "seed {seed}: {copies:?}");
    }
}

#[test]
fn the_model_would_notice_a_delivery_that_believes_its_retries() {
    let wrong = |copies: &Vec<u32>| copies.iter().any(|copies| *copies != 1);
    let lost = |copies: &Vec<u32>| copies.contains(&0);
    let runs: Vec<Vec<u32>> = (0..2_000).map(|seed| Model::new(seed, true).run()).collect();
    assert!(runs.iter().filter(|copies| wrong(copies)).count() > 100, "rows are lost or doubled");
    assert!(runs.iter().any(lost), "tokens are taken without their rows");
}
