//! The reconnect spike: many users of one server sign in, and shortly after an edit of its configuration all of them
//! have to sign in again within minutes.
//!
//! Cues are positions in the count of planned events, not times: stories begin as far into the span as events are
//! planned, so the spike keeps its place whatever the length of the run.

use super::dice::Dice;
use super::error::SimulateError;
use super::story::Book;
use super::world::World;

/// A story that is told at a certain point.
#[derive(Debug, Clone, Copy)]
pub struct Cue {
    /// How many events are planned before it.
    pub at: u64,
    /// Position of the story.
    pub story: usize,
    /// Position of the connection it is about.
    pub connection: usize,
}

/// One user for each so many events …
const EVENTS_PER_USER: u64 = 1_200;
/// … but not more than these.
const MOST_USERS: u64 = 60;

/// Plans the spike of a run of so many events; short runs have none.
///
/// # Errors
/// The stories it is made of are missing.
pub fn plan_spike(world: &World, book: &Book, events: u64, dice: &mut Dice) -> Result<Vec<Cue>, SimulateError> {
    let sign_in = book.find("upstream_sign_in")?;
    let edit = book.find("configuration_edited")?;
    let again = book.find("upstream_sign_in_again")?;
    let candidates = &book.stories[sign_in].candidates;
    let crowded =
        candidates.iter().max_by_key(|integration| world.people.integrations[**integration].connections.len());
    let Some(integration) = crowded else {
        return Ok(Vec::new());
    };
    let connections = &world.people.integrations[*integration].connections;
    let users = MOST_USERS.min(events / EVENTS_PER_USER).min(connections.len() as u64);
    if users == 0 {
        return Ok(Vec::new());
    }
    let spread = |dice: &mut Dice, from: u64, to: u64| dice.between(events * from / 1000, events * to / 1000);
    let mut cues = vec![Cue { at: events * 595 / 1000, story: edit, connection: connections[0] }];
    for (_, connection) in (0..users).zip(connections) {
        let connection = *connection;
        let at = spread(dice, 30, 420);
        cues.push(Cue { at, story: sign_in, connection });
        let at = spread(dice, 600, 640);
        cues.push(Cue { at, story: again, connection });
    }
    cues.sort_by_key(|cue| cue.at);
    Ok(cues)
}
