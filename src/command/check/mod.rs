//! `gatetrail check`: what a gateway author or an operator wants to know before it is in use.

pub mod config;
pub mod events;

use std::io::Write;

use super::Exit;
use crate::config::Config;
use crate::telemetry::clock::Clock;

/// What `check` takes.
#[derive(Debug, Clone, clap::Args)]
pub struct CheckArgs {
    #[command(subcommand)]
    subject: Subject,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum Subject {
    /// Check events, one JSON object a line, against the contract
    Events(events::EventsArgs),
    /// Print the effective settings with their origin, secrets masked
    Config(config::ConfigArgs),
}

/// Runs it.
///
/// # Errors
/// When the input cannot be read or the output written.
pub fn run(args: &CheckArgs, settings: &Config, output: &mut impl Write) -> anyhow::Result<Exit> {
    match &args.subject {
        Subject::Events(args) => events::run(args, settings, Clock.now(), output),
        Subject::Config(args) => config::run(args, settings, output),
    }
}
