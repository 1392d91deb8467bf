//! The command line: subcommands, and one flag for every setting of the table.
//!
//! Parse, run, exit code; nothing is decided here.

use std::collections::BTreeMap;
use std::io::{Write, stdin, stdout};
use std::path::PathBuf;

use clap::{Arg, ArgMatches, Args, Command, CommandFactory, FromArgMatches, Parser, Subcommand};

use gatetrail::command::check::{CheckArgs, Subject};
use gatetrail::command::terminal::OutputStyle;
use gatetrail::command::texts::verdict_texts;
use gatetrail::command::{
    self, Exit, check, classify, codes, completions, consume, engine, lookup, migrate, refreshes, replay, scrub, serve,
    simulate,
};
use gatetrail::config::{Config, SETTINGS};
use gatetrail::scrub::FingerprintKey;
use gatetrail::store::client::connect_database;
use gatetrail::telemetry::clock::Clock;

/// Tells from one request_id why a request through an MCP gateway failed to authenticate.
///
/// Exit codes: 0 done, 1 failed, 2 usage or configuration, 3 not found, 4 Kafka or ClickHouse unreachable.
#[derive(Debug, Parser)]
#[command(name = "gatetrail", version, max_term_width = 120)]
pub struct Cli {
    #[command(subcommand)]
    role: Role,
    #[command(flatten)]
    settings: SettingsArgs,
}

#[derive(Debug, Subcommand)]
enum Role {
    /// Answer for one request: the verdict and the timeline
    Lookup(lookup::LookupArgs),
    /// Token refreshes, newest first
    Refreshes(refreshes::RefreshesArgs),
    /// What a failure class means and what to do about it
    Codes(codes::CodesArgs),
    /// Classify failure messages
    Classify(classify::ClassifyArgs),
    /// Take secrets out of text
    Scrub(scrub::ScrubArguments),
    /// Check events against the contract, the configuration, or what was refused
    Check(CheckArgs),
    /// Kafka → ClickHouse: decode, scrub, enrich, classify, store
    Consume,
    /// Put what came in through once more: refused records, what is missing of a range, or all events by new rules
    Replay(replay::ReplayArgs),
    /// The HTTP API and the pages
    Serve,
    /// Create or update the tables, and with --topics the topics
    Migrate(migrate::MigrateArgs),
    /// Simulated gateways that tell whole stories
    Simulate(simulate::SimulateArguments),
    /// Completion script for a shell
    Completions(completions::CompletionsArgs),
    /// Run an engine in this process (used by scripts/engines)
    #[command(hide = true)]
    Engine(engine::EngineArgs),
}

/// One global flag a setting, made from the table.
#[derive(Debug, Default)]
struct SettingsArgs {
    values: BTreeMap<String, String>,
    file: Option<PathBuf>,
}

impl Args for SettingsArgs {
    fn augment_args(command: Command) -> Command {
        let file = Arg::new("config")
            .long("config")
            .value_name("FILE")
            .help("TOML file with settings [env: GATETRAIL_CONFIG]");
        let command =
            command.arg(file.value_parser(clap::value_parser!(PathBuf)).global(true).help_heading("Settings"));
        SETTINGS.iter().fold(command, |command, setting| {
            let default = setting.default.map(|text| format!(" [default: {text}]")).unwrap_or_default();
            let help = format!("{}{default} [env: {}]", setting.help, setting.variable());
            let flag = Arg::new(setting.path()).long(setting.flag()).value_name(setting.value_name).help(help);
            command.arg(flag.global(true).help_heading("Settings").hide_short_help(true))
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for SettingsArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut settings = Self::default();
        settings.update_from_arg_matches(matches)?;
        Ok(settings)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        for setting in SETTINGS {
            if let Some(value) = matches.get_one::<String>(&setting.path()) {
                self.values.insert(setting.path(), value.clone());
            }
        }
        self.file = matches.get_one::<PathBuf>("config").cloned().or_else(|| self.file.take());
        Ok(())
    }
}

impl Cli {
    /// Runs the subcommand.
    pub fn run(self) -> anyhow::Result<Exit> {
        let Self { role, settings } = self;
        if let Role::Engine(args) = role {
            return engine::run(args).map(|()| Exit::Ok);
        }
        let config = command::load_config(settings.values, settings.file)?;
        let mut output = stdout().lock();
        let exit = match role {
            Role::Codes(args) => codes::run(&args, &mut output).map(|()| Exit::Ok)?,
            Role::Classify(args) => classify::run(
                &args,
                &command::classifier(&config)?,
                command::open_input(args.input_path())?,
                &mut output,
            )
            .map(|()| Exit::Ok)?,
            Role::Scrub(args) => {
                scrub::run(&args, FingerprintKey::new(config.scrub_key().as_bytes()), stdin(), &mut output)
                    .map(|_| Exit::Ok)?
            }
            Role::Simulate(args) => {
                simulate::run(&args, &config.kafka, config.scrub_key().as_bytes(), Clock.now()).map(|()| Exit::Ok)?
            }
            Role::Check(CheckArgs { subject: Subject::Offline(subject) }) => {
                check::run(&subject, &config, &mut output)?
            }
            Role::Completions(args) => completions::run(&args, &mut Self::command(), &mut output),
            Role::Consume
            | Role::Replay(_)
            | Role::Serve
            | Role::Lookup(_)
            | Role::Refreshes(_)
            | Role::Migrate(_)
            | Role::Check(_) => run_connected(role, &config, &mut output)?,
            Role::Engine(_) => Exit::Ok,
        };
        output.flush()?;
        Ok(exit)
    }
}

/// Subcommands that talk to Kafka or ClickHouse run on the asynchronous runtime, with logs.
fn run_connected(role: Role, config: &Config, output: &mut impl Write) -> anyhow::Result<Exit> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let telemetry = command::start_logs(config)?;
        let store = connect_database(&config.clickhouse)?;
        let style = OutputStyle::of(command::colours());
        let exit = match role {
            Role::Consume => consume::run(config).await,
            Role::Serve => serve::run(config, verdict_texts()).await,

            Role::Lookup(args) => {
                lookup::run(&args, &store, &verdict_texts(), config.retention.auth_days, Clock.now(), output, style)
                    .await
            }
            Role::Refreshes(args) => refreshes::run(&args, &store, Clock.now(), output, style).await,
            Role::Check(CheckArgs { subject: Subject::Connections(args) }) => {
                check::connections::run(&args, config, output).await
            }
            Role::Check(CheckArgs { subject: Subject::DeadLetters(args) }) => {
                check::dead_letters::run(&args, &store, Clock.now(), output, style).await
            }
            Role::Check(CheckArgs { subject: Subject::Enrichment(args) }) => {
                check::enrichment::run(&args, &store, Clock.now(), output, style).await
            }
            Role::Check(CheckArgs { subject: Subject::Registry(args) }) => {
                check::registry::run(&args, config, output, style).await
            }
            Role::Check(CheckArgs { subject: Subject::Ingest(args) }) => {
                check::ingest::run(&args, config, Clock.now(), output, style).await
            }
            Role::Check(CheckArgs { subject: Subject::Unclassified(args) }) => {
                check::unclassified::run(&args, &store, Clock.now(), output, style).await
            }
            Role::Replay(args) => replay::run(&args, config, Clock.now(), output, style).await,
            Role::Migrate(args) => migrate::run(&args, config, output).await,
            _ => Ok(Exit::Ok),
        };
        let exit = exit.map_err(|error| command::name_store(error, config));
        if let Err(error) = telemetry.shutdown().await {
            tracing::warn!(%error, "the last spans were not sent");
        }
        exit
    })
}
