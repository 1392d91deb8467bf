//! One file a subcommand: a composition root that puts configuration, store, Kafka and steps together.
//!
//! Here: what they share, and the exit codes people's scripts rely on.

pub mod check;
pub mod classify;
pub mod codes;
pub mod completions;
pub mod consume;
pub mod engine;
pub mod lookup;
pub mod migrate;
pub mod refreshes;
pub mod replay;
pub mod scrub;
pub mod serve;
pub mod simulate;
pub mod steps;
pub mod terminal;
pub mod texts;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, IsTerminal, stdin};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};

use crate::classify::{Classifier, RulesError};
use crate::config::{Config, ConfigError, Layers};
use crate::decode::Limits;
use crate::query::QueryError;
use crate::source::kafka::SourceError;
use crate::store::StoreError;
use crate::store::connection::ConnectionFault;
use crate::telemetry::{LogFormat, Telemetry, logs};
use crate::tls::TlsFileError;

/// How a command ended, when it ended without an error of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done: 0.
    Ok,
    /// Done, and the answer is a fault: 1.
    Failed,
    /// The words given do not fit: 2.
    Usage,
    /// The thing asked for is not there: 3.
    NotFound,
    /// Done, and the answer is that an engine cannot be worked with: 4.
    Unreachable,
}

impl Exit {
    /// The process's exit code.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::NotFound => 3,
            Self::Unreachable => 4,
        }
    }
}

/// Says which ClickHouse does not answer, where that is what went wrong.
#[must_use]
pub fn name_store(error: anyhow::Error, config: &Config) -> anyhow::Error {
    let is_named = |cause: &(dyn std::error::Error + 'static)| {
        matches!(cause.downcast_ref::<StoreError>(), Some(StoreError::Connection { .. }))
    };
    if error.chain().any(is_named) {
        error
    } else if let Some(fault) = connection_fault(&error) {
        error.context(format!("clickhouse at {}: {fault}", config.clickhouse.url))
    } else if is_store_unreachable(&error) {
        error.context(format!("clickhouse at {} cannot be reached", config.clickhouse.url))
    } else {
        error
    }
}

fn is_store_unreachable(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        matches!(cause.downcast_ref::<StoreError>(), Some(StoreError::Unreachable(_)))
            || cause.downcast_ref::<QueryError>().is_some_and(|error| error.code() == "store_unreachable")
    })
}

/// What is wrong with the connection to ClickHouse, where that is what went wrong.
fn connection_fault(error: &anyhow::Error) -> Option<ConnectionFault> {
    error.chain().find_map(|cause| ConnectionFault::of(cause.downcast_ref::<clickhouse::error::Error>()?))
}

/// The exit code of an error: 2 for the configuration and for words that do not fit, 4 for what cannot be reached, 1 for the rest.
#[must_use]
pub fn exit_code_of(error: &anyhow::Error) -> u8 {
    let is_kafka_unreachable =
        error.chain().any(|cause| cause.downcast_ref::<SourceError>().is_some_and(|error| error.is_connection()));
    let bad_words = error.chain().any(|cause| {
        cause.is::<ConfigError>()
            || cause.is::<TlsFileError>()
            || matches!(cause.downcast_ref::<SourceError>(), Some(SourceError::Setup(_) | SourceError::Files(_)))
            || matches!(cause.downcast_ref::<StoreError>(), Some(StoreError::Files(_)))
            || cause.is::<codes::UnknownClass>()
            || cause.is::<RulesError>()
            || matches!(
                cause.downcast_ref(),
                Some(replay::ReplayError::EmptyRange | replay::ReplayError::NoPartition { .. })
            )
            || cause.downcast_ref::<QueryError>().is_some_and(QueryError::is_bad_input)
    });
    let is_store_away = is_store_unreachable(error) || connection_fault(error).is_some();
    match (bad_words, is_kafka_unreachable || is_store_away) {
        (true, _) => 2,
        (false, true) => 4,
        (false, false) => 1,
    }
}

/// The configuration from flags, the process's environment and the file.
///
/// # Errors
/// [`ConfigError`] with every fault at once.
pub fn load_config(flags: BTreeMap<String, String>, file: Option<PathBuf>) -> Result<Config, ConfigError> {
    let environment: BTreeMap<String, String> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| name.starts_with("GATETRAIL_"))
        .collect();
    let file = file.or_else(|| environment.get("GATETRAIL_CONFIG").map(PathBuf::from));
    Config::load(&Layers { flags, environment, file })
}

/// Sets up logs on standard error.
///
/// # Errors
/// A filter that does not parse.
pub fn start_logs(config: &Config) -> anyhow::Result<Telemetry> {
    let format = if config.log.json { LogFormat::Json } else { LogFormat::Text };
    Ok(logs::init(format, config.log.filter.as_deref())?)
}

/// The classifier with the built-in rules and what the operator's own ones add, replace or leave out.
///
/// # Errors
/// Every fault of the rules file at once.
pub fn classifier(config: &Config) -> anyhow::Result<Classifier> {
    let Some(path) = &config.rules else { return Ok(Classifier::embedded()?) };
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read the rules file {}", path.display()))?;
    let name = path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned());
    Classifier::with_own(&name, &text).with_context(|| format!("the rules file {} has faults", path.display()))
}

/// What the decoder accepts under these settings.
#[must_use]
pub fn decode_limits(config: &Config) -> Limits {
    Limits { record_bytes: config.ingest.max_record_bytes, retention_days: i64::from(config.retention.auth_days) }
}

/// The file to read, or standard input.
///
/// # Errors
/// When the file cannot be opened.
pub fn open_input(path: Option<&Path>) -> anyhow::Result<Box<dyn BufRead>> {
    let Some(path) = path else { return Ok(Box::new(BufReader::new(stdin()))) };
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    Ok(Box::new(BufReader::new(file)))
}

/// Whether standard output is a terminal that takes colours (`NO_COLOR` is obeyed, see no-color.org).
#[must_use]
pub fn colours() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Completes at SIGTERM or Ctrl-C.
///
/// # Errors
/// When the handlers cannot be installed.
pub fn stop_asked() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    })
}

/// A flag that is set when [`stop_asked`] completes, for a loop that cannot await.
///
/// # Errors
/// When the handlers cannot be installed.
pub fn stop_signal() -> std::io::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let (set, asked) = (Arc::clone(&stop), stop_asked()?);
    tokio::spawn(async move {
        asked.await;
        set.store(true, Ordering::Relaxed);
    });
    Ok(stop)
}
