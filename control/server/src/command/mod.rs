//! One file per command. A command returns when its work is done; its errors are printed by `main`.

mod check;
mod config;
mod reload;
mod start;
mod stop;

use anyhow::Result;

pub(crate) use start::prepare;

use crate::{
    cli::{Arguments, Command, ConfigCommand},
    quickstart,
};

/// Runs what was typed.
///
/// # Errors
///
/// The chain of messages says what is wrong and what to do.
pub(crate) fn run(arguments: Arguments) -> Result<()> {
    let verbosity = arguments.verbosity;
    match arguments.command {
        Command::Start(node) => start::in_background(&node, verbosity),
        Command::Run(run) => start::in_foreground(&run, verbosity),
        Command::Stop(prefix) => stop::stop(&prefix),
        Command::Quit(quit) => stop::quit(&quit),
        Command::Reload(node) => reload::reload(node, verbosity),
        Command::Config(ConfigCommand::Dump(node)) => config::dump(&node, verbosity),
        Command::Check(check) => check::check(&check.file),
        Command::Quickstart(arguments) => quickstart::run(&arguments),
        Command::Version(version) => {
            tell_version(version.all);
            Ok(())
        }
    }
}

/// Pauses a command that looks at another process again and again, or was told to wait.
#[expect(
    clippy::disallowed_methods,
    reason = "a command serves nobody meanwhile"
)]
pub(crate) fn pause(time: std::time::Duration) {
    std::thread::sleep(time);
}

fn tell_version(all: bool) {
    let version = env!("CARGO_PKG_VERSION");
    if all {
        println!("Silverback: {version}\nstands in for Kong: 3.9.3");
    } else {
        println!("{version}");
    }
}
