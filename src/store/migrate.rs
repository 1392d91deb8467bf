//! Forward-only migrations: numbered folders of one-statement files, applied in order, each idempotent and recorded.
//!
//! A binary knows the steps it was built with. It refuses a database that has applied others (a newer binary was here)
//! or lacks some (migrate first), so that no row is written under a schema it does not know. A step is known by number
//! *and* name: one that was rewritten before a release got a new name, and a database that has the old one is refused.

use std::collections::BTreeMap;

use clickhouse::Client;

use super::error::StoreError;
use crate::config::{ClickHouse, Retention};

/// One statement of one version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Step {
    /// Version: the folder's number.
    pub version: u32,
    /// Place in the version: the file's number.
    pub step: u32,
    /// Folder and file, for people.
    pub name: &'static str,
    /// The statement with `${…}` placeholders.
    pub sql: &'static str,
}

macro_rules! steps {
    ($($version:literal, $step:literal, $name:literal;)+) => {
        &[$(Step { version: $version, step: $step, name: $name, sql: include_str!(concat!("../../schemas/clickhouse/", $name, ".sql")) },)+]
    };
}

/// Every step, in order. Version 0 is applied without looking, since it creates the place where steps are recorded.
pub const STEPS: &[Step] = steps! {
    0, 1, "0000_bootstrap/01_database";
    0, 2, "0000_bootstrap/02_schema_migrations";
    1, 1, "0001_events/01_grouped_events";
    2, 1, "0002_dead_letters/01_dead_letters";
    3, 1, "0003_lookup/01_lookup_by_hash";
    3, 2, "0003_lookup/02_lookup_by_hash_view";
    4, 1, "0004_ingest_audit/01_ingest_gaps";
    4, 2, "0004_ingest_audit/02_ingest_reconciliations";
    4, 3, "0004_ingest_audit/03_dead_letter_replays";
    5, 1, "0005_reclassifications/01_reclassifications";
    5, 2, "0005_reclassifications/02_classified_events";
};

/// What was done about a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// Applied now.
    Applied,
    /// Was applied before.
    Already,
    /// Would be applied.
    Pending,
}

/// The statement with its placeholders filled.
#[must_use]
pub fn render(step: &Step, settings: &ClickHouse, retention: Retention) -> String {
    step.sql
        .replace("${database}", &settings.database)
        .replace("${auth_retention_days}", &retention.auth_days.to_string())
        .replace("${call_retention_days}", &retention.call_days.to_string())
}

/// Applies every step that is missing; with `dry_run` only says which. `report` hears of each step.
///
/// # Errors
/// [`StoreError::Schema`] when the database has steps that this binary does not know; what ClickHouse refuses.
pub async fn migrate(
    client: &Client,
    settings: &ClickHouse,
    retention: Retention,
    dry_run: bool,
    report: &mut dyn FnMut(&Step, Done, &str),
) -> Result<(), StoreError> {
    let applied = applied_steps(client, &settings.database).await?;
    refuse_unknown(&applied)?;
    for step in STEPS {
        let statement = render(step, settings, retention);
        // The bootstrap's first step is recorded nowhere; where steps are recorded, it was done.
        let bootstrapped = step.version == 0 && !applied.is_empty();
        if bootstrapped || applied.contains_key(&(step.version, step.step)) {
            report(step, Done::Already, &statement);
            continue;
        }
        if dry_run {
            report(step, Done::Pending, &statement);
            continue;
        }
        client.query_raw(&statement).execute().await.map_err(StoreError::of)?;
        // The bootstrap has no place to be recorded in before its second step.
        if (step.version, step.step) != (0, 1) {
            record(client, &settings.database, step).await?;
        }
        report(step, Done::Applied, &statement);
    }
    Ok(())
}

/// Refuses a database whose schema is not exactly the one this binary was built for.
///
/// # Errors
/// [`StoreError::Schema`] with a sentence that says what to do; [`StoreError`] when ClickHouse does not answer.
pub async fn verify(client: &Client, database: &str) -> Result<(), StoreError> {
    let applied = applied_steps(client, database).await?;
    refuse_unknown(&applied)?;
    let missing: Vec<&str> = STEPS
        .iter()
        .filter(|step| (step.version, step.step) != (0, 1) && !applied.contains_key(&(step.version, step.step)))
        .map(|step| step.name)
        .collect();
    if missing.is_empty() {
        return verify_deduplication(client, database).await;
    }
    Err(StoreError::Schema(format!("the database `{database}` lacks {}: run `gatetrail migrate`", missing.join(", "))))
}

/// Refuses tables on which deduplication tokens would be ignored in silence (the window's default is 0).
async fn verify_deduplication(client: &Client, database: &str) -> Result<(), StoreError> {
    let without: Vec<String> = client
        .query(
            "SELECT name FROM system.tables WHERE database = {database:String} AND engine LIKE '%MergeTree' \
             AND name IN ('events', 'dead_letters', 'lookup', 'ingest_gaps', 'ingest_reconciliations', 'dead_letter_replays', 'reclassifications') \
             AND NOT match(create_table_query, 'non_replicated_deduplication_window = [1-9]')",
        )
        .param("database", database)
        .fetch_all()
        .await
        .map_err(StoreError::of)?;
    if without.is_empty() {
        return Ok(());
    }
    Err(StoreError::Schema(format!(
        "the tables {} of `{database}` have no deduplication window, so that retries would store rows twice: set `non_replicated_deduplication_window` to 10000 on them",
        without.join(", ")
    )))
}

/// The steps of a database: number and name.
type Applied = BTreeMap<(u32, u32), String>;

fn refuse_unknown(applied: &Applied) -> Result<(), StoreError> {
    let newest = STEPS.iter().map(|step| (step.version, step.step)).max().unwrap_or_default();
    for ((version, number), name) in applied {
        let known = STEPS.iter().find(|step| (step.version, step.step) == (*version, *number));
        let Some(known) = known else {
            return Err(StoreError::Schema(format!(
                "the database has schema step {version}.{number}, which this binary (it knows up to {}.{}) does not know: use the binary that migrated it, or a newer one",
                newest.0, newest.1
            )));
        };
        if known.name != name {
            return Err(StoreError::Schema(format!(
                "the database was laid out by an unreleased version (its schema step {version}.{number} is `{name}`, here it is `{}`): migrate into another database, or drop this one and let `consume` read the topic again",
                known.name
            )));
        }
    }
    Ok(())
}

async fn applied_steps(client: &Client, database: &str) -> Result<Applied, StoreError> {
    // The database itself may not be there yet, and naming it would be refused.
    let client = client.clone().with_database("system");
    let exists: u64 = client
        .query("SELECT count() FROM system.tables WHERE database = {database:String} AND name = 'schema_migrations'")
        .param("database", database)
        .fetch_one()
        .await
        .map_err(StoreError::of)?;
    if exists == 0 {
        return Ok(Applied::new());
    }
    let rows: Vec<(u32, u32, String)> = client
        .query("SELECT version, step, any(name) FROM {database:Identifier}.schema_migrations GROUP BY version, step")
        .param("database", database)
        .fetch_all()
        .await
        .map_err(StoreError::of)?;
    Ok(rows.into_iter().map(|(version, step, name)| ((version, step), name)).collect())
}

async fn record(client: &Client, database: &str, step: &Step) -> Result<(), StoreError> {
    client
        .query("INSERT INTO {database:Identifier}.schema_migrations (version, step, name) VALUES ({version:UInt32}, {step:UInt32}, {name:String})")
        .param("database", database)
        .param("version", step.version)
        .param("step", step.step)
        .param("name", step.name)
        .with_setting("async_insert", "0")
        .execute()
        .await
        .map_err(StoreError::of)
}

#[cfg(test)]
mod tests {
    use super::{Applied, STEPS, refuse_unknown, render};
    use crate::config::{ClickHouse, Retention, TlsFiles};

    #[test]
    fn a_step_of_another_name_or_number_is_refused_with_what_to_do() {
        let known: Applied = STEPS.iter().map(|step| ((step.version, step.step), step.name.to_owned())).collect();
        assert!(refuse_unknown(&known).is_ok());
        let mut earlier = known.clone();
        earlier.insert((1, 1), "0001_events/01_events".to_owned());
        let mut newer = known;
        newer.insert((99, 1), "0099_later/01_later".to_owned());
        for (applied, words) in [(earlier, "unreleased version"), (newer, "or a newer one")] {
            let said = refuse_unknown(&applied).unwrap_err().to_string();
            assert!(said.contains(words), "{said}");
        }
    }

    #[test]
    fn steps_are_in_order_and_rendered_whole() {
        assert!(STEPS.is_sorted());
        let settings = ClickHouse {
            url: String::new(),
            database: "audit".to_owned(),
            user: String::new(),
            password: None,
            tls: TlsFiles::default(),
        };
        for step in STEPS {
            let statement = render(step, &settings, Retention { auth_days: 90, call_days: 30 });
            assert!(!statement.contains("${"), "{}", step.name);
            assert!(!statement.trim_end().ends_with(';'), "{}: one statement, no semicolon", step.name);
        }
    }
}
