//! What can be wrong before the first event: the options, or the data files that the stories are told from.

use thiserror::Error;

/// Why a simulation cannot start.
#[derive(Debug, Error)]
pub enum SimulateError {
    /// A data file does not parse.
    #[error("{file} does not parse")]
    Data {
        /// The embedded file.
        file: &'static str,
        /// Where and why.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// A story names something that does not exist, or can never be told.
    #[error("story `{story}`: {reason}")]
    Story {
        /// The name of the story.
        story: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The world contradicts itself.
    #[error("the simulated world: {0}")]
    World(String),
    /// An option is out of its range.
    #[error("{option} {reason}")]
    Option {
        /// The option's name.
        option: &'static str,
        /// Its range.
        reason: &'static str,
    },
}

impl SimulateError {
    /// A stable code, for scripts.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Data { .. } => "simulate_data",
            Self::Story { .. } => "simulate_story",
            Self::World(_) => "simulate_world",
            Self::Option { .. } => "simulate_option",
        }
    }
}
