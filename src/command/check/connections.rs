//! `gatetrail check connections`: does each engine answer with these settings, and is there what `consume` needs? Changes
//! nothing.

use std::io::Write;

use serde_json::json;

use crate::command::Exit;
use crate::config::Config;
use crate::source::client::{client, plain_consumer};
use crate::source::kafka::{REQUEST_TIMEOUT, SourceError};
use crate::source::probe::probe;
use crate::source::topic::required_partitions;
use crate::store;
use crate::store::client::connect_database;
use crate::store::migrate::verify;
use crate::telemetry::with_causes;
use rdkafka::consumer::Consumer;

/// What `check connections` takes.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct ConnectionsArgs {
    /// One JSON object
    #[arg(long)]
    json: bool,
}

/// One thing that was asked about.
struct Part {
    name: String,
    found: Result<String, Fault>,
}

struct Fault {
    said: String,
    /// Whether the engine itself is the fault, and not what is in it.
    is_connection: bool,
}

/// Runs it.
///
/// # Errors
/// When the output cannot be written.
pub async fn run(args: &ConnectionsArgs, config: &Config, output: &mut impl Write) -> anyhow::Result<Exit> {
    let settings = config.kafka.clone();
    let (kafka, clickhouse) =
        tokio::join!(tokio::task::spawn_blocking(move || kafka_parts(&settings)), clickhouse_parts(config));
    let parts: Vec<Part> = kafka?.into_iter().chain(clickhouse).collect();
    if args.json {
        writeln!(output, "{}", as_json(&parts))?;
    } else {
        for Part { name, found } in &parts {
            match found {
                Ok(said) => writeln!(output, "ok     {name}: {said}")?,
                Err(Fault { said, .. }) => writeln!(output, "FAULT  {name}: {said}")?,
            }
        }
    }
    Ok(exit_of(&parts))
}

fn exit_of(parts: &[Part]) -> Exit {
    let faults: Vec<&Fault> = parts.iter().filter_map(|part| part.found.as_ref().err()).collect();
    if faults.iter().any(|fault| fault.is_connection) {
        Exit::Unreachable
    } else if faults.is_empty() {
        Exit::Ok
    } else {
        Exit::Failed
    }
}

fn as_json(parts: &[Part]) -> serde_json::Value {
    let one = |part: &Part| {
        let said = part.found.as_ref().unwrap_or_else(|fault| &fault.said);
        json!({ "part": part.name, "ok": part.found.is_ok(), "detail": said })
    };
    json!({
        "ok": parts.iter().all(|part| part.found.is_ok()),
        "parts": parts.iter().map(one).collect::<Vec<_>>(),
    })
}

/// Kafka, and each topic when it answers. Blocks its thread.
fn kafka_parts(settings: &crate::config::Kafka) -> Vec<Part> {
    let said = |error: SourceError| Fault { said: with_causes(&error), is_connection: error.is_connection() };
    let answered = probe(settings).and_then(|()| plain_consumer(settings, &client(settings)));
    let consumer = match answered {
        Ok(consumer) => consumer,
        // Whatever keeps us from asking: nothing can be told about the topics.
        Err(error) => {
            let fault = Fault { is_connection: true, ..said(error) };
            return vec![Part { name: "kafka".to_owned(), found: Err(fault) }];
        }
    };
    let answers = format!("{} answers ({})", settings.brokers, settings.security);
    let topics = settings.topics.iter().chain([&settings.registry_topic]).map(|topic| {
        let partitions = required_partitions(consumer.client(), &settings.brokers, topic, REQUEST_TIMEOUT);
        let found = partitions.map(|partitions| match partitions.len() {
            1 => "1 partition".to_owned(),
            count => format!("{count} partitions"),
        });
        Part { name: format!("topic {topic}"), found: found.map_err(said) }
    });
    [Part { name: "kafka".to_owned(), found: Ok(answers) }].into_iter().chain(topics).collect()
}

/// ClickHouse, and the tables when it answers: each with the steps of the schema and its deduplication window.
async fn clickhouse_parts(config: &Config) -> Vec<Part> {
    let settings = &config.clickhouse;
    let name = "clickhouse".to_owned();
    let version = match store::client::probe(settings).await {
        Ok(version) => version,
        Err(error) => {
            return vec![Part { name, found: Err(Fault { said: with_causes(&error), is_connection: true }) }];
        }
    };
    let verified = match connect_database(settings) {
        Ok(client) => verify(&client, &settings.database).await,
        Err(error) => Err(error),
    };
    let schema = verified.map(|()| format!("the tables of `{}` are those of this binary", settings.database));
    let schema = schema.map_err(|error| Fault { said: with_causes(&error), is_connection: false });
    let answers = format!("{} answers (version {version})", settings.url);
    vec![Part { name, found: Ok(answers) }, Part { name: "schema".to_owned(), found: schema }]
}

#[cfg(test)]
mod tests {
    use super::{Fault, Part, as_json, exit_of};
    use crate::command::Exit;

    fn part(name: &str, fault: Option<bool>) -> Part {
        let found = match fault {
            None => Ok("answers".to_owned()),
            Some(is_connection) => Err(Fault { said: "is away".to_owned(), is_connection }),
        };
        Part { name: name.to_owned(), found }
    }

    #[test]
    fn an_engine_that_is_away_weighs_more_than_a_table_that_is_missing() {
        let (good, away, lacking) = (part("kafka", None), part("clickhouse", Some(true)), part("schema", Some(false)));
        let parts = [good, lacking, away];
        assert_eq!(exit_of(&parts[..1]), Exit::Ok);
        assert_eq!(exit_of(&parts[..2]), Exit::Failed);
        assert_eq!(exit_of(&parts), Exit::Unreachable);
        assert_eq!(as_json(&parts)["ok"], false);
        assert_eq!(as_json(&parts)["parts"][2]["detail"], "is away");
    }
}
