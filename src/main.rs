//! The `gatetrail` binary: parse → run → exit code.

mod cli;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    match cli.run() {
        Ok(exit) => ExitCode::from(exit.code()),
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::from(gatetrail::command::exit_code_of(&error))
        }
    }
}

/// `gatetrail … | head` closes our output on purpose.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|cause| cause.kind() == std::io::ErrorKind::BrokenPipe)
}

#[expect(clippy::print_stderr, reason = "the one place that tells a person on standard error why the program ends")]
fn complain(error: &anyhow::Error) {
    let text = gatetrail::telemetry::with_causes(error.as_ref());
    eprintln!("gatetrail: {}", gatetrail::scrub::without_secrets(&text));
}
