//! What is asked beyond a request's joined events: whether missing steps are ever reported, which server was meant, and
//! whether it went well later.
//!
//! Questions are found by pure functions over events, so they can be asked early, of the request's own events, while the
//! others are still gathered. What these then change is asked again; mostly that is nothing.

use clickhouse::Client;
use futures_util::try_join;

use super::absent_steps::AbsentSteps;
use super::error::QueryError;
use super::later_success::LaterSuccess;
use super::missing::MissingStep;
use super::similar_slug::MeantServer;
use super::stored::StoredEvent;

/// The questions that events lead to; each is absent when there is nothing to ask.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Questions {
    absent: Option<AbsentSteps>,
    server: Option<MeantServer>,
    later: Option<LaterSuccess>,
}

/// What the store said.
#[derive(Debug, Default)]
pub struct Answers {
    /// Steps that should be there and are not.
    pub missing: Vec<MissingStep>,
    /// A registered server whose name is like the request's slug.
    pub known_slug: Option<String>,
    /// Events with which later requests of the same person went well.
    pub later: Vec<StoredEvent>,
}

impl Questions {
    /// What is to be asked about these events. Pure.
    #[must_use]
    pub fn of(events: &[StoredEvent]) -> Self {
        Self { absent: AbsentSteps::among(events), server: MeantServer::of(events), later: LaterSuccess::after(events) }
    }

    /// Asks the store all of it at once.
    ///
    /// # Errors
    /// [`QueryError`] of the store.
    pub async fn ask(&self, client: &Client) -> Result<Answers, QueryError> {
        self.ask_what_differs(client, &Self::default(), Answers::default()).await
    }

    /// Asks what was not asked already, with the answers that there are.
    ///
    /// # Errors
    /// [`QueryError`] of the store.
    pub async fn ask_what_differs(
        &self,
        client: &Client,
        asked: &Self,
        answers: Answers,
    ) -> Result<Answers, QueryError> {
        let Answers { missing, known_slug, later } = answers;
        let missing = async {
            match &self.absent {
                same if *same == asked.absent => Ok(missing),
                Some(steps) => steps.ask(client).await,
                None => Ok(Vec::new()),
            }
        };
        let known_slug = async {
            match &self.server {
                same if *same == asked.server => Ok(known_slug),
                Some(server) => server.ask(client).await,
                None => Ok(None),
            }
        };
        let later = async {
            match &self.later {
                same if *same == asked.later => Ok(later),
                Some(success) => success.ask(client).await,
                None => Ok(Vec::new()),
            }
        };
        let (missing, known_slug, later) = try_join!(missing, known_slug, later)?;
        Ok(Answers { missing, known_slug, later })
    }
}
