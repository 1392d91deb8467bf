//! Whether this gateway reports the steps that are not there.
//!
//! It is asked first about the same servers on the last day, which is quick and enough for what is reported always, and
//! about all, and further back, only while that leaves a step open.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use clickhouse::Client;

use super::error::QueryError;
use super::missing::{Absence, Expected, MissingStep, expected, missing};
use super::statement::Statement;
use super::stored::{Relation, StoredEvent};

/// How far back a gateway's habit of reporting a step is looked for, of the same servers.
const NEARBY_WINDOW: TimeDelta = TimeDelta::days(1);
/// And then of all, with how many rows that may cost; past them the habit counts as unknown.
const HABIT_WINDOWS: [(TimeDelta, u64); 2] = [(TimeDelta::days(1), 500_000), (TimeDelta::days(7), 2_000_000)];

/// Which steps are expected, of whom, and until which moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AbsentSteps {
    expected: Vec<Expected>,
    sources: BTreeSet<String>,
    products: BTreeSet<String>,
    workspaces: BTreeSet<String>,
    slugs: BTreeSet<String>,
    end: DateTime<Utc>,
}

impl AbsentSteps {
    /// What is to be asked about these events; `None` when no step is missed. Pure.
    #[must_use]
    pub fn among(events: &[StoredEvent]) -> Option<Self> {
        let expected = expected(events);
        if expected.is_empty() {
            return None;
        }
        let own = || events.iter().filter(|event| event.relation == Relation::Request);
        let values =
            |column: &'static str| -> BTreeSet<String> { own().filter_map(|event| event.text(column)).collect() };
        Some(Self {
            expected,
            sources: own().map(|event| event.source.clone()).collect(),
            products: values("gateway_product"),
            workspaces: values("workspace"),
            slugs: values("slug"),
            end: own().map(|event| event.time).max()?,
        })
    }

    /// Tells for each of the steps whether this gateway reports such steps.
    ///
    /// # Errors
    /// [`QueryError`] of the store.
    pub async fn ask(&self, client: &Client) -> Result<Vec<MissingStep>, QueryError> {
        let nearby = Statement::new(client, "reported_steps_nearby", include_str!("sql/reported_steps_nearby.sql"))
            .bind("workspaces", &self.workspaces)
            .bind("slugs", &self.slugs)
            .bind_time("first", self.end - NEARBY_WINDOW)
            .bind_time("last", self.end)
            .reads_little();
        let mut absent = missing(self.expected.clone(), &self.about_reporter(nearby).rows().await?);
        for (window, rows) in HABIT_WINDOWS {
            if absent.iter().all(|step| step.absence == Absence::Missing) {
                break;
            }
            let everywhere = Statement::new(client, "reported_steps", include_str!("sql/reported_steps.sql"))
                .bind_time("first", self.end - window)
                .bind_time("last", self.end)
                .read_at_most(rows);
            absent = missing(self.expected.clone(), &self.about_reporter(everywhere).rows().await?);
        }
        Ok(absent)
    }

    fn about_reporter(&self, statement: Statement) -> Statement {
        let types: Vec<&str> = self.expected.iter().flat_map(|step| step.types.iter().copied()).collect();
        statement.bind("types", types).bind("sources", &self.sources).bind("products", &self.products)
    }
}
