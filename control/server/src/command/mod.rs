//! One file per command. A command returns when its work is done; its errors are printed by `main`.

mod check;
mod completions;
mod config;
mod drain;
mod health;
mod man;
mod prepare;
mod reload;
mod restart;
mod start;
mod stop;
mod vault;

use std::io;

use anyhow::Result;

pub(crate) use prepare::for_start;

use crate::{
    cli::{Command, DatabaseArguments, TemplateArguments, VaultCommand},
    quickstart, terminal,
};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The Kong whose files, answers and commands are understood.
const KONG_VERSION: &str = "3.9.3";

/// Runs what was typed.
///
/// # Errors
///
/// The chain of messages says what is wrong and what to do.
pub(crate) fn run(command: Command) -> Result<()> {
    terminal::verbose(format_args!("Silverback: {VERSION}"));
    terminal::debug(format_args!("stands in for Kong: {KONG_VERSION}"));
    match command {
        Command::Start(arguments) => start::in_background(start::load(&arguments)?),
        Command::Run(arguments) => start::in_foreground(&arguments),
        Command::Stop(prefix) => stop::stop(&prefix),
        Command::Quit(arguments) => stop::quit(&arguments),
        Command::Reload(arguments) => reload::reload(arguments),
        Command::Restart(arguments) => restart::restart(&arguments),
        Command::Health(prefix) => health::health(&prefix),
        Command::Check(arguments) => check::check(&arguments.file),
        Command::Prepare(arguments) => prepare::prepare(&arguments),
        Command::Drain(node) => drain::drain(&node),
        Command::Config(arguments) => config::run(arguments),
        Command::Vault(VaultCommand::Get(arguments)) => vault::get(&arguments),
        Command::Quickstart(arguments) => quickstart::run(&arguments),
        Command::Version(arguments) => {
            tell_version(arguments.all);
            Ok(())
        }
        Command::Completions(arguments) => completions::print(arguments.shell),
        Command::Man(arguments) => man::man(&arguments),
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
    if all {
        terminal::say(format_args!(
            "Silverback: {VERSION}\nKong: {KONG_VERSION} (the version it stands in for)"
        ));
    } else {
        terminal::say(VERSION);
    }
}

fn warn_of_templates(given: &TemplateArguments) {
    warn_of_unused(&[
        ("--nginx-conf", given.nginx_conf.is_some()),
        ("--nginx-conf-flags", given.nginx_conf_flags.is_some()),
    ]);
}

fn warn_of_database(given: &DatabaseArguments) {
    warn_of_unused(&[
        ("--run-migrations", given.run_migrations),
        ("--db-timeout", given.db_timeout.is_some()),
        ("--lock-timeout", given.lock_timeout.is_some()),
    ]);
}

fn warn_of_unused(options: &[(&str, bool)]) {
    for (option, _) in options.iter().filter(|(_, is_given)| *is_given) {
        terminal::warn(&format!("{option} has no effect in this version"));
    }
}

/// The outcome of writing data to stdout; whoever stopped reading has seen enough.
fn or_gone(written: io::Result<()>) -> Result<()> {
    match written {
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}
