//! `gatetrail check`: what a gateway author or an operator wants to know: before it is in use, and of what was refused.

pub mod config;
pub mod connections;
pub mod dead_letters;
pub mod enrichment;
pub mod events;
pub mod ingest;
pub mod registry;
pub mod rules;
pub mod unclassified;

use std::io::Write;

use super::Exit;
use crate::config::Config;
use crate::telemetry::clock::Clock;

/// What `check` takes.
#[derive(Debug, Clone, clap::Args)]
pub struct CheckArgs {
    /// What is checked.
    #[command(subcommand)]
    pub subject: Subject,
}

/// What is checked, apart by whether an engine is asked.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum Subject {
    /// Answered by this process alone.
    #[command(flatten)]
    Offline(OfflineSubject),
    /// Ask Kafka and ClickHouse whether they answer, and whether topics and tables are there
    Connections(connections::ConnectionsArgs),
    /// List the records that consume refused, with what to change at their sender
    DeadLetters(dead_letters::DeadLettersArgs),
    /// Tell how often each member of the events is known, from what, and what gateways would have to send for the rest
    Enrichment(enrichment::EnrichmentArgs),
    /// Read the registry topic: what it holds, and which of its records cannot be read
    Registry(registry::RegistryArgs),
    /// Compare what Kafka has with what is stored: nothing lost, nothing doubled
    Ingest(ingest::IngestArgs),
    /// List what failed and no rule explains, by shape, so that the next rule is easy to write
    Unclassified(unclassified::UnclassifiedArgs),
}

/// What is checked without an engine.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum OfflineSubject {
    /// Check events, one JSON object a line, against the contract
    Events(events::EventsArgs),
    /// Print the effective settings with their origin, secrets masked
    Config(config::ConfigArgs),
    /// Check a rules file: every fault with its line, or the version its rules make with the built-in ones
    Rules(rules::RulesArgs),
}

/// Runs what needs no engine.
///
/// # Errors
/// When the input cannot be read or the output written.
pub fn run(subject: &OfflineSubject, settings: &Config, output: &mut impl Write) -> anyhow::Result<Exit> {
    match subject {
        OfflineSubject::Events(args) => events::run(args, settings, Clock.now(), output),
        OfflineSubject::Config(args) => config::run(args, settings, output),
        OfflineSubject::Rules(args) => rules::run(args, settings, output),
    }
}
