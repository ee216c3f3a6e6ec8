//! The command line: arguments in, one command done, an exit code out. With `runtime`
//! the only part of this package that sees every other package.

pub mod args;
mod benchmark;
mod conclude;
mod data;
mod download;
mod evaluate;
#[cfg(feature = "hdf5")]
mod hdf5_file;
mod info;
#[cfg(feature = "lsl")]
pub mod live;
mod networks;
mod output;
mod pipelines;
mod replay;
mod report;
#[cfg(feature = "lsl")]
mod streams;
mod text;
mod train;
mod windows_file;

use anyhow::Result;
use args::{Cli, Command};
use clap::Parser as _;
use std::io;
use std::process::ExitCode;

/// Runs the command line of this process.
///
/// Exit codes: 0 done, 1 failed, 2 misused, 3 done in part (an item failed, the rest
/// was done).
pub fn main() -> ExitCode {
    match dispatch(Cli::parse().command) {
        Ok(code) => code,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            text::note(format!("mindloop: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Exit code of a command that did what could be done and named what could not.
const DONE_IN_PART: u8 = 3;

fn dispatch(command: Command) -> Result<ExitCode> {
    match command {
        Command::Info(args) => info::run(&args),
        Command::Download(args) => download::run(&args),
        Command::Evaluate(args) => evaluate::run(&args),
        Command::Benchmark(args) => benchmark::run(&args),
        Command::Merge(args) => benchmark::merge(&args),
        Command::Pipelines(args) => pipelines::run(&args),
        Command::Train(args) => train::run(&args),
        Command::Devices => networks::devices(),
        Command::VerifyDevice(args) => networks::verify(&args),
        Command::Replay(args) => replay::run(&args),
        #[cfg(feature = "lsl")]
        Command::Demo(args) => live::demo(&args),
        #[cfg(feature = "lsl")]
        Command::Streams(args) => streams::run(&args),
        #[cfg(feature = "lsl")]
        Command::Serve(args) => streams::serve(&args),
        #[cfg(feature = "lsl")]
        Command::Live(args) => live::run(&args),
        #[cfg(not(feature = "lsl"))]
        Command::Demo(_) | Command::Streams(_) | Command::Serve(_) | Command::Live(_) => {
            anyhow::bail!("this build has no Lab Streaming Layer: build it with `--features lsl`")
        }
    }
}

/// Whoever read our output has had enough: no failure.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let causes = error.chain().filter_map(|e| e.downcast_ref::<io::Error>());
    causes.into_iter().any(|e| e.kind() == io::ErrorKind::BrokenPipe)
}
