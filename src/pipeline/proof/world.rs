//! Kafka's log and group, ClickHouse's tables and tokens, and the network between them; all of one partition.

use std::collections::{BTreeMap, HashSet};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

use super::chance;
use super::member::Member;
use crate::pipeline::plan::metadata::{self, Found};
use crate::pipeline::plan::{Commit, Position, Watermarks};

/// Rows of one insert: which table, which offsets, under which token.
#[derive(Debug, Clone)]
pub struct Insert {
    pub table: usize,
    pub offsets: Vec<i64>,
    pub token: String,
}

/// What the sender of a request hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    Confirmed,
    Failed,
}

/// Everything outside of the consumers.
#[derive(Debug)]
pub struct World {
    /// Offsets that hold a record; the others are holes.
    records: Vec<bool>,
    committed: Option<(i64, String)>,
    /// The member that owns the partition as the group sees it.
    owner: Option<usize>,
    /// The owner has been asked to give it back.
    revoking: bool,
    /// (table, offset) → rows.
    rows: BTreeMap<(usize, i64), u32>,
    tokens: HashSet<String>,
    /// Requests whose sender gave up; each may still be carried out.
    late: Vec<Insert>,
    calm: bool,
}

impl World {
    pub fn new(random: &mut ChaCha8Rng) -> Self {
        let records = (0..20 + random.next_u32() % 60).map(|_| !chance(random, 10)).collect();
        Self {
            records,
            committed: None,
            owner: None,
            revoking: false,
            rows: BTreeMap::new(),
            tokens: HashSet::new(),
            late: Vec::new(),
            calm: false,
        }
    }

    /// No faults from now on: everybody wakes up, and what is left to do gets done.
    pub fn calm(&mut self, members: &mut [Member]) {
        self.calm = true;
        members.iter_mut().for_each(Member::wake);
    }

    /// Something happens by itself.
    pub fn step(&mut self, random: &mut ChaCha8Rng, members: &mut [Member]) {
        if !self.late.is_empty() && chance(random, 10) {
            let chosen = random.next_u32() as usize % self.late.len();
            let insert = self.late.swap_remove(chosen);
            self.place(&insert);
        }
        match self.owner {
            None => {
                let chosen = (random.next_u32() as usize) % members.len();
                if members[chosen].can_join() {
                    self.owner = Some(chosen);
                    self.revoking = false;
                    members[chosen].assign(self);
                }
            }
            Some(owner) if members[owner].is_silent() && chance(random, 20) => {
                // The session timed out: the group goes on without it.
                self.owner = None;
            }
            Some(owner) if !self.calm && chance(random, 3) => {
                self.revoking = true;
                members[owner].revoke();
            }
            Some(_) => {}
        }
        if !self.calm && chance(random, 4) {
            let chosen = (random.next_u32() as usize) % members.len();
            match random.next_u32() % 3 {
                0 => members[chosen].crash(),
                1 => members[chosen].pause(),
                _ => members[chosen].wake(),
            }
        }
    }

    pub fn is_calm(&self) -> bool {
        self.calm
    }

    /// The owner gave the partition back.
    pub fn released(&mut self, member: usize) {
        if self.owner == Some(member) {
            self.owner = None;
        }
    }

    /// Whether the group still counts this member as the owner.
    pub fn is_owner(&self, member: usize) -> bool {
        self.owner == Some(member)
    }

    pub fn has_record(&self, offset: i64) -> Option<bool> {
        usize::try_from(offset).ok().and_then(|offset| self.records.get(offset)).copied()
    }

    pub fn watermarks(&self) -> Watermarks {
        Watermarks { low: 0, high: self.end() }
    }

    fn end(&self) -> i64 {
        i64::try_from(self.records.len()).unwrap_or(i64::MAX)
    }

    pub fn committed(&self) -> Option<Position> {
        let (offset, text) = self.committed.as_ref()?;
        Some(Position { offset: *offset, found: metadata::decode(*offset, text) })
    }

    /// Kafka takes a commit of whoever is a member; one that was thought dead is refused.
    pub fn commit(&mut self, member: usize, commit: Commit) -> bool {
        if self.owner != Some(member) {
            return false;
        }
        self.committed = Some((commit.offset, metadata::encode(commit, Some("id"))));
        true
    }

    /// An insert, with everything that can happen to it.
    pub fn insert(&mut self, insert: &Insert, random: &mut ChaCha8Rng) -> Heard {
        if self.calm {
            self.place(insert);
            return Heard::Confirmed;
        }
        match random.next_u32() % 20 {
            0 => Heard::Failed,
            1 => {
                self.place(insert);
                Heard::Failed
            }
            2 => {
                // Killed between the token and the part.
                self.tokens.insert(insert.token.clone());
                Heard::Failed
            }
            3 => {
                self.late.push(insert.clone());
                Heard::Failed
            }
            _ => {
                self.place(insert);
                Heard::Confirmed
            }
        }
    }

    fn place(&mut self, insert: &Insert) {
        if self.tokens.insert(insert.token.clone()) {
            for offset in &insert.offsets {
                *self.rows.entry((insert.table, *offset)).or_default() += 1;
            }
        }
    }

    /// A sender died: what it had sent may still arrive.
    pub fn leave_behind(&mut self, insert: Insert) {
        self.late.push(insert);
    }

    /// Whether a row is in either table.
    pub fn holds(&self, offset: i64) -> bool {
        self.rows.contains_key(&(0, offset)) || self.rows.contains_key(&(1, offset))
    }

    pub fn carry_out_late_requests(&mut self, random: &mut ChaCha8Rng) {
        while !self.late.is_empty() {
            let chosen = random.next_u32() as usize % self.late.len();
            let insert = self.late.swap_remove(chosen);
            self.place(&insert);
        }
    }

    /// All was read, stored and saved.
    pub fn is_settled(&self) -> bool {
        let done = self.records.iter().rposition(|is_record| *is_record).map_or(0, |last| last + 1);
        self.committed().is_some_and(|position| {
            let open = matches!(position.found, Found::Ours { plan: Some(_), .. });
            !open && usize::try_from(position.offset).is_ok_and(|offset| offset >= done)
        })
    }

    /// Every record once, and nothing else.
    pub fn judge(&self) -> Result<(), String> {
        let expected: Vec<i64> = (0..self.end()).filter(|offset| self.has_record(*offset) == Some(true)).collect();
        let stored: Vec<i64> = self.rows.keys().map(|(_, offset)| *offset).collect();
        let mut sorted = stored.clone();
        sorted.sort_unstable();
        let doubled: Vec<_> = self.rows.iter().filter(|(_, copies)| **copies != 1).collect();
        if sorted != expected || !doubled.is_empty() {
            let lost: Vec<_> = expected.iter().filter(|offset| !stored.contains(offset)).collect();
            return Err(format!("lost {lost:?}, doubled {doubled:?}, {} expected", expected.len()));
        }
        Ok(())
    }
}
