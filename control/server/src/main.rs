//! The binary `silverback`: the command line, and the composition of a node out of its parts.
//!
//! | module | owns |
//! |---|---|
//! | `cli` | what can be typed, and its help |
//! | `command` | one file per command |
//! | `node` | a running node: agent, Admin API, shards, signals |
//! | `prefix` | the node's directory: layout, pid file, the dump of its settings |
//! | `settings` | from the command line to a node configuration |
//! | `terminal` | what a command says, and how much |
//! | `notify`, `watchdog` | what systemd is told |
//! | `receipt` | how `reload` learns that a node has done it |
//! | `log`, `access_log`, `limits` | the error log; access logs; file descriptors |
//! | `quickstart` | the demonstration: a demo upstream, example routes, and their check |
//!
//! Every failure is one line on stderr, `Error: <what>; <what to do>`, then a hint how to learn more,
//! and exit status 1.

#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "a command's answer goes to stdout")]

mod access_log;
mod cli;
mod command;
mod jobs;
mod limits;
mod log;
mod node;
mod node_id;
mod notify;
mod prefix;
mod quickstart;
mod receipt;
mod settings;
mod terminal;
mod watchdog;

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = match cli::parse() {
        Ok(arguments) => arguments,
        Err(code) => return code,
    };
    terminal::set(arguments.verbosity);
    // What that one says goes to the log file.
    let is_detached = matches!(&arguments.command, cli::Command::Run(run) if run.detached);
    match command::run(arguments.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            terminal::fail(&error, !is_detached);
            ExitCode::FAILURE
        }
    }
}
