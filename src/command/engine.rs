//! `gatetrail engine clickhouse`: the hidden subcommand that runs an embedded ClickHouse server.
//!
//! The server lives while standard input is open, so start it with a pipe that the parent holds. It is for one
//! machine: demonstrations, tests, benchmarks. `scripts/engines` fetches the library, chooses ports and starts it.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::store::engine::{self, ServerOptions};

/// Arguments of `gatetrail engine`.
#[derive(Debug, Args)]
pub struct EngineArgs {
    /// Which engine to run.
    #[command(subcommand)]
    pub engine: Engine,
}

/// The engines that can run inside this binary.
#[derive(Debug, Subcommand)]
pub enum Engine {
    /// Run ClickHouse on 127.0.0.1 until standard input ends
    Clickhouse(ClickhouseArgs),
}

/// Arguments of `gatetrail engine clickhouse`.
#[derive(Debug, Args)]
pub struct ClickhouseArgs {
    /// The library libchdb.so that contains the server
    #[arg(long, value_name = "FILE")]
    pub library: PathBuf,
    /// Directory of the data, created when absent
    #[arg(long, value_name = "DIR")]
    pub path: PathBuf,
    /// Port of the HTTP interface
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub http_port: u16,
    /// Port of the native interface
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub tcp_port: u16,
    /// A ClickHouse configuration file (users, profiles, quotas)
    #[arg(long, value_name = "FILE")]
    pub config_file: Option<PathBuf>,
}

/// Runs the engine and returns when standard input has ended.
///
/// # Errors
/// When a file is missing or unusable, a port or the data directory is taken, or the server reports an error.
pub fn run(arguments: EngineArgs) -> anyhow::Result<()> {
    let Engine::Clickhouse(clickhouse) = arguments.engine;
    engine::serve_until_stdin_ends(&ServerOptions {
        library: clickhouse.library,
        data_directory: clickhouse.path,
        http_port: clickhouse.http_port,
        tcp_port: clickhouse.tcp_port,
        config_file: clickhouse.config_file,
    })?;
    Ok(())
}
