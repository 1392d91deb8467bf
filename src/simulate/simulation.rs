//! The telling: many stories at once, their events in the order of their time, exactly as many as asked for.
//!
//! A heap holds the next event of every story under way. A new story begins when its time has come; its time follows
//! from how many events are planned already, so that the run fills its span evenly whatever its length. A story is
//! begun only if all of its events still fit; what is left at the end is filled with stories of one event. So every
//! request that has an answer is whole.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::answers::push_answer;
use super::cast::Cast;
use super::dice::Dice;
use super::error::SimulateError;
use super::fill::Teller;
use super::keyed_hash::KeyedHash;
use super::poison::Poison;
use super::record::{Record, RecordKind};
use super::registry::Registry;
use super::spike::{Cue, plan_spike};
use super::story::{Book, Effect, PreparedEvent};
use super::template::write;
use super::text::{TimeWriter, push_hex, push_number, push_uuid_v7};
use super::world::{IdStyle, World};

/// The last part of the span in which no story begins, so that the run ends about when its span does.
const LONGEST_TAIL: u64 = 90 * 1_000_000;

/// What is simulated.
#[derive(Debug, Clone)]
pub struct SimulationOptions {
    /// Decides everything that is left to chance.
    pub seed: u64,
    /// When the first event happens.
    pub start: DateTime<Utc>,
    /// How much time the events cover.
    pub span: Duration,
    /// How many events there are, registry and malformed records not counted.
    pub events: u64,
    /// Malformed records for each hundred events, 0 to 100; they come on top.
    pub poison_percent: f64,
    /// The key of the gateways' keyed hashes (fingerprints, flow and connection ids); must be that of the consumer.
    pub hash_key: Vec<u8>,
}

/// A run.
pub struct Simulation {
    world: World,
    book: Book,
    dice: Dice,
    times: TimeWriter,
    registry: Registry,
    poison: Poison,
    cues: std::vec::IntoIter<Cue>,
    next_cue: Option<Cue>,
    events: u64,
    planned: u64,
    written: u64,
    start: u64,
    playing_time: u64,
    tellings: Vec<Telling>,
    free: Vec<usize>,
    due: BinaryHeap<Reverse<(u64, usize)>>,
    answers: Vec<u8>,
}

/// A story under way.
struct Telling {
    story: usize,
    product: usize,
    step: usize,
    previous: u64,
    cast: Cast,
}

impl Simulation {
    /// Prepares a run.
    ///
    /// # Errors
    /// An option is out of its range, or the embedded data is faulty.
    pub fn new(options: SimulationOptions) -> Result<Self, SimulateError> {
        let start = u64::try_from(options.start.timestamp_micros())
            .map_err(|_| SimulateError::Option { option: "start", reason: "must lie after 1970" })?;
        let span = u64::try_from(options.span.as_micros())
            .map_err(|_| SimulateError::Option { option: "span", reason: "is too long" })?;
        let mut dice = Dice::new(options.seed);
        let keyed_hash = KeyedHash::new(&options.hash_key)?;
        let poison = Poison::new(options.poison_percent)?;
        let world = World::new(&mut dice, keyed_hash, start)?;
        let book = Book::open(&world)?;
        let mut cues = plan_spike(&world, &book, options.events, &mut dice)?.into_iter();
        Ok(Self {
            registry: Registry::new(start),
            poison,
            next_cue: cues.next(),
            cues,
            events: options.events,
            planned: 0,
            written: 0,
            start,
            playing_time: span - LONGEST_TAIL.min(span / 4),
            tellings: Vec::new(),
            free: Vec::new(),
            due: BinaryHeap::new(),
            answers: Vec::new(),
            times: TimeWriter::default(),
            world,
            book,
            dice,
        })
    }

    /// Writes the next record over `record`; false when the run has ended.
    ///
    /// First the registry, then the events in the order of their time, malformed records strewn in between.
    pub fn next_record(&mut self, record: &mut Record) -> bool {
        record.clear();
        if self.registry.next_record(&self.world, &mut self.times, record) {
            return true;
        }
        if self.poison.is_due(&mut self.dice) {
            self.poison.write(&mut self.times, &mut self.dice, record);
            return true;
        }
        while self.planned < self.events {
            let begins = self.next_start();
            if self.due.peek().is_some_and(|Reverse((time, _))| *time < begins) {
                break;
            }
            self.begin_story(begins);
        }
        let Some(Reverse((time, telling))) = self.due.pop() else {
            return false;
        };
        self.tell(telling, time, record);
        self.poison.event_written();
        true
    }

    /// How many events were written so far.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Moves the answers of all requests begun since the last call to `out`, one line of JSON each.
    pub fn drain_answers(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.answers);
    }

    /// When the next story begins: as far into the span as events are planned.
    #[expect(clippy::cast_possible_truncation, reason = "a fraction of a 64-bit number fits 64 bits")]
    fn next_start(&self) -> u64 {
        let into = u128::from(self.playing_time) * u128::from(self.planned) / u128::from(self.events.max(1));
        self.start + into as u64
    }

    fn begin_story(&mut self, begins: u64) {
        let (story, cast) = self.draw_story(begins);
        let product = self.world.gateway(cast.integration).product_index;
        let events = &self.book.stories[story].events[product];
        self.planned += events.len() as u64;
        for (answer, request) in self.book.stories[story].answers.iter().zip(&cast.requests) {
            let workspace = self.world.workspace(cast.integration);
            push_answer(&mut self.answers, answer, &self.book.stories[story].name, workspace, &cast, request);
        }
        let first = begins + self.dice.between(events[0].after.0, events[0].after.1);
        let telling = Telling { story, product, step: 0, previous: begins, cast };
        let place = match self.free.pop() {
            Some(place) => {
                self.tellings[place] = telling;
                place
            }
            None => {
                self.tellings.push(telling);
                self.tellings.len() - 1
            }
        };
        self.due.push(Reverse((first, place)));
    }

    /// The story that is planned for now, else one by chance, else one of a single event when the rest is too short.
    fn draw_story(&mut self, begins: u64) -> (usize, Cast) {
        let room = self.events - self.planned;
        if let Some(cue) = self.next_cue.take_if(|cue| cue.at <= self.planned) {
            self.next_cue = self.cues.next();
            let story = &self.book.stories[cue.story];
            let cast = Cast::with_connection(&self.world, story, cue.connection, begins, &mut self.dice);
            if self.length(cue.story, &cast) <= room {
                return (cue.story, cast);
            }
        }
        let drawn = self.book.draw(&mut self.dice);
        let cast = Cast::draw(&self.world, &self.book.stories[drawn], begins, &mut self.dice);
        if self.length(drawn, &cast) <= room {
            return (drawn, cast);
        }
        let filler = self.book.draw_filler(&mut self.dice);
        let filler_cast = Cast::draw(&self.world, &self.book.stories[filler], begins, &mut self.dice);
        (filler, filler_cast)
    }

    fn length(&self, story: usize, cast: &Cast) -> u64 {
        let product = self.world.gateway(cast.integration).product_index;
        self.book.stories[story].events[product].len() as u64
    }

    /// Writes the event of a telling that is due and plans the next one.
    fn tell(&mut self, place: usize, now: u64, record: &mut Record) {
        let telling = &mut self.tellings[place];
        let events = &self.book.stories[telling.story].events[telling.product];
        let event = &events[telling.step];
        if let Some(index) = event.request.checked_sub(1)
            && telling.cast.request_started[index] == 0
        {
            telling.cast.request_started[index] = telling.previous;
        }
        let mut scene =
            Scene { world: &self.world, dice: &mut self.dice, times: &mut self.times, number: self.written };
        scene.write_event(event, &telling.cast, telling.previous, now, record);
        apply(event.effect, &telling.cast, now, &mut self.world);
        self.written += 1;
        telling.previous = now;
        telling.step += 1;
        match events.get(telling.step) {
            Some(next) => {
                let wait = self.dice.between(next.after.0, next.after.1);
                self.due.push(Reverse((now + wait, place)));
            }
            None => self.free.push(place),
        }
    }
}

/// What an event is written with.
struct Scene<'a> {
    world: &'a World,
    dice: &'a mut Dice,
    times: &'a mut TimeWriter,
    number: u64,
}

impl Scene<'_> {
    fn write_event(&mut self, event: &PreparedEvent, cast: &Cast, previous: u64, now: u64, record: &mut Record) {
        record.kind = RecordKind::Event;
        record.time = now;
        let connection = cast.connection.filter(|_| event.has_connection);
        let request = event.request.checked_sub(1).map(|index| &cast.requests[index]);
        if let Some(index) = connection {
            record.key.extend_from_slice(&self.world.people.connections[index].id);
        } else if event.has_flow {
            record.key.extend_from_slice(cast.flow.as_bytes());
        } else if let Some(request) = request.filter(|_| event.has_request) {
            record.key.extend_from_slice(request.as_bytes());
        }
        self.write_envelope(event, cast, now, &mut record.value);
        let mut teller = Teller {
            world: self.world,
            cast,
            dice: self.dice,
            times: self.times,
            request: event.request,
            now,
            previous,
        };
        write(&event.data, &mut record.value, &mut teller);
        record.value.push(b'}');
    }

    /// The `CloudEvents` 1.0 attributes, up to `"data":`.
    fn write_envelope(&mut self, event: &PreparedEvent, cast: &Cast, now: u64, out: &mut Vec<u8>) {
        let gateway = self.world.gateway(cast.integration);
        let instance = gateway.instances[cast.instance].as_bytes();
        out.extend_from_slice(b"{\"specversion\":\"1.0\",\"id\":\"");
        if gateway.event_ids == IdStyle::Uuid7 {
            push_uuid_v7(out, now / 1000, self.dice);
        } else {
            out.extend_from_slice(instance);
            out.push(b'-');
            push_number(out, self.number);
        }
        out.extend_from_slice(b"\",\"source\":\"");
        out.extend_from_slice(gateway.source.as_bytes());
        out.push(b'/');
        out.extend_from_slice(instance);
        out.extend_from_slice(b"\",\"type\":\"");
        out.extend_from_slice(event.event_type.as_bytes());
        out.extend_from_slice(b"\",\"time\":\"");
        self.times.push(out, now);
        if let Some((high, low)) = cast.trace.filter(|_| event.request > 0) {
            // Each request of a story is a trace of its own.
            out.extend_from_slice(b"\",\"traceparent\":\"00-");
            push_hex(out, high);
            push_hex(out, low ^ event.request as u64);
            out.push(b'-');
            push_hex(out, self.dice.bits() | 1);
            out.extend_from_slice(b"-01");
        }
        out.extend_from_slice(b"\",\"data\":");
    }
}

/// Lets an event change the world.
fn apply(effect: Effect, cast: &Cast, now: u64, world: &mut World) {
    match (effect, cast.connection) {
        (Effect::Configure, _) => world.people.integrations[cast.integration].config_version += 1,
        (Effect::Grant, Some(index)) => {
            let connection = &mut world.people.connections[index];
            connection.renew(&world.keyed_hash);
            connection.issued = now;
            connection.granted = now;
        }
        (Effect::Refresh, Some(index)) => {
            let rotates = world.issuer(cast.integration).is_some_and(|issuer| issuer.rotates);
            let connection = &mut world.people.connections[index];
            let kept = connection.refresh;
            connection.renew(&world.keyed_hash);
            if !rotates {
                connection.refresh = kept;
            }
            connection.issued = now;
        }
        (Effect::None | Effect::Grant | Effect::Refresh, _) => {}
    }
}
