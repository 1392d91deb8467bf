//! Temporary.
use clap::Parser;
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: Cmd,
}
#[derive(clap::Subcommand)]
enum Cmd {
    #[command(hide = true)]
    Engine(gatetrail::command::engine::EngineArgs),
}
fn main() -> anyhow::Result<()> {
    let Cmd::Engine(a) = Cli::parse().command;
    gatetrail::command::engine::run(a)
}
