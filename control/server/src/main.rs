//! The binary `silverback`: the command line, and the composition of a node out of its parts.
//!
//! | module | owns |
//! |---|---|
//! | `cli` | what can be typed, and its help |
//! | `command` | one file per command |
//! | `node` | a running node: agent, Admin API, shards, signals |
//! | `prefix` | the node's directory: layout, pid file, the dump of its settings |
//! | `settings` | from the command line to a node configuration |
//! | `receipt` | how `reload` learns that a node has done it |
//! | `log`, `limits` | log lines; file descriptors |
//! | `quickstart` | the demonstration: a demo upstream, example routes, and their check |
//!
//! Every failure is one line on stderr, `Error: <what>; <what to do>`, and exit status 1.

#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "a command's answer goes to stdout")]

mod cli;
mod command;
mod jobs;
mod limits;
mod log;
mod node;
mod prefix;
mod quickstart;
mod receipt;
mod settings;

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = match cli::parse() {
        Ok(arguments) => arguments,
        Err(code) => return code,
    };
    match command::run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("Error: {}", log::told(&error));
            ExitCode::FAILURE
        }
    }
}
