//! `gatetrail completions`: completion scripts for shells.

use std::io::Write;

use super::Exit;

/// What `completions` takes.
#[derive(Debug, Clone, clap::Args)]
pub struct CompletionsArgs {
    /// The shell
    pub shell: clap_complete::Shell,
}

/// Writes the script.
pub fn run(args: &CompletionsArgs, command: &mut clap::Command, output: &mut impl Write) -> Exit {
    clap_complete::generate(args.shell, command, "gatetrail", output);
    Exit::Ok
}
