//! All stories together, and how often each is told.

use serde::Deserialize;

use super::event::{PreparedEvent, Sketch, Steps, prepare_event};
use super::{Answer, MOST_REQUESTS, Need, Story};
use crate::simulate::dice::Dice;
use crate::simulate::error::SimulateError;
use crate::simulate::template::Choices;
use crate::simulate::world::{World, parse, running_totals};

/// The files of `stories/`; each is a group with a share of all stories that are told.
const FILES: &[(&str, &str)] = &[
    ("calls.toml", include_str!("../stories/calls.toml")),
    ("background.toml", include_str!("../stories/background.toml")),
    ("sign_in.toml", include_str!("../stories/sign_in.toml")),
    ("refreshes.toml", include_str!("../stories/refreshes.toml")),
    ("ids_left_out.toml", include_str!("../stories/ids_left_out.toml")),
    ("recovered.toml", include_str!("../stories/recovered.toml")),
    ("failed_callers.toml", include_str!("../stories/failed_callers.toml")),
    ("failed_access.toml", include_str!("../stories/failed_access.toml")),
    ("failed_clients.toml", include_str!("../stories/failed_clients.toml")),
    ("failed_discovery.toml", include_str!("../stories/failed_discovery.toml")),
    ("failed_sign_ins.toml", include_str!("../stories/failed_sign_ins.toml")),
    ("failed_refreshes.toml", include_str!("../stories/failed_refreshes.toml")),
    ("failed_calls.toml", include_str!("../stories/failed_calls.toml")),
];

/// Weights are multiplied by this before they are divided among a group, so that none is rounded away.
const WEIGHT_SCALE: u64 = 1_000_000;

/// All stories.
pub struct Book {
    /// The stories in the order of the files.
    pub stories: Vec<Story>,
    totals: Vec<u64>,
    /// Positions of the stories of one event: they fill up a run to the exact count.
    fillers: Vec<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StepsFile {
    choices: Choices,
    step: Steps,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StoryFile {
    /// Share of this file's stories among all that are told, relative to the other files.
    share: u64,
    story: Vec<StorySketch>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StorySketch {
    name: String,
    /// How often it is told, relative to the others of its file; 0: only when asked for by name.
    #[serde(default = "usual_weight")]
    weight: u64,
    #[serde(default)]
    answers: Vec<String>,
    #[serde(default)]
    need: Need,
    #[serde(default)]
    choices: Choices,
    events: Vec<Sketch>,
}

fn usual_weight() -> u64 {
    10
}

impl Book {
    /// Reads the embedded files and finds out where each story can happen.
    ///
    /// # Errors
    /// A file does not parse; a story is faulty or can happen nowhere.
    pub fn open(world: &World) -> Result<Self, SimulateError> {
        let steps: StepsFile = parse("steps.toml", include_str!("../stories/steps.toml"))?;
        let mut book = Self { stories: Vec::new(), totals: Vec::new(), fillers: Vec::new() };
        let mut weights = Vec::new();
        for (file, text) in FILES {
            let group: StoryFile = parse(file, text)?;
            let group_weight: u64 = group.story.iter().map(|sketch| sketch.weight).sum();
            for sketch in group.story {
                weights.push(group.share * WEIGHT_SCALE * sketch.weight / group_weight.max(1));
                let name = sketch.name.clone();
                let story = prepare_story(sketch, &steps, world)
                    .map_err(|reason| SimulateError::Story { story: name, reason })?;
                if story.is_filler() {
                    book.fillers.push(book.stories.len());
                }
                book.stories.push(story);
            }
        }
        book.totals = running_totals(weights.into_iter());
        if book.fillers.is_empty() {
            return Err(SimulateError::World("no story consists of one event".to_owned()));
        }
        Ok(book)
    }

    /// Draws a story.
    pub fn draw(&self, dice: &mut Dice) -> usize {
        dice.weighted(&self.totals)
    }

    /// Draws a story of one event.
    pub fn draw_filler(&self, dice: &mut Dice) -> usize {
        self.fillers[dice.index(self.fillers.len())]
    }

    /// The position of the story of that name.
    ///
    /// # Errors
    /// There is none.
    pub fn find(&self, name: &str) -> Result<usize, SimulateError> {
        let position = self.stories.iter().position(|story| story.name == name);
        position.ok_or_else(|| SimulateError::World(format!("no story is called `{name}`")))
    }
}

impl Story {
    fn is_filler(&self) -> bool {
        self.events.iter().all(|events| events.len() == 1)
    }
}

fn prepare_story(sketch: StorySketch, steps: &StepsFile, world: &World) -> Result<Story, String> {
    if sketch.answers.len() > MOST_REQUESTS {
        return Err(format!("has more than {MOST_REQUESTS} requests"));
    }
    let choices = [&sketch.choices, &steps.choices];
    let mut events = Vec::new();
    for product in &world.facts.products {
        let mut prepared: Vec<PreparedEvent> = Vec::new();
        if sketch.need.allows_product(&product.name) {
            for event in &sketch.events {
                prepared.push(prepare_event(event, &steps.step, &choices, &product.omit)?);
            }
        }
        events.push(prepared);
    }
    let requests = sketch.answers.len();
    if events.iter().flatten().any(|event| event.request > requests) {
        return Err("an event belongs to a request without an answer".to_owned());
    }
    let candidates: Vec<usize> =
        (0..world.people.integrations.len()).filter(|integration| sketch.need.allows(world, *integration)).collect();
    if candidates.is_empty() {
        return Err("can happen nowhere in this world".to_owned());
    }
    let weights = candidates.iter().map(|integration| world.server(*integration).weight);
    Ok(Story {
        name: sketch.name,
        need: sketch.need,
        answers: sketch.answers.iter().map(|answer| Answer::parse(answer)).collect(),
        has_flow: events.iter().flatten().any(|event| event.has_flow),
        candidate_totals: running_totals(weights),
        candidates,
        events,
    })
}
