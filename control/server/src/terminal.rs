//! What a command says to its user: answers on stdout, warnings and errors on stderr.
//!
//! With `--v` every line of an answer carries time and level, as warnings always do. How much is
//! said is set once, before the command runs. Data (a dump, a man page) does not go this way.
//!
//! Source: `kong/cmd/utils/log.lua`. Deviation: with `--v` a failure tells the same as without, since
//! its line holds all causes already; Kong adds a stack trace.

use std::{
    fmt::Display,
    io::{self, Write},
    sync::OnceLock,
};

use crate::{
    cli::Verbosity,
    log::{self, stamp},
};

static VERBOSITY: OnceLock<Verbosity> = OnceLock::new();

/// Sets how much is said, once.
pub(crate) fn set(verbosity: Verbosity) {
    VERBOSITY.get_or_init(|| verbosity);
}

fn verbosity() -> Verbosity {
    VERBOSITY.get().copied().unwrap_or_default()
}

/// A command's answer.
pub(crate) fn say(text: impl Display) {
    if verbosity().is_verbose() {
        stamped("info", text);
    } else {
        print(text);
    }
}

/// What is being done, for `--v`.
pub(crate) fn verbose(text: impl Display) {
    if verbosity().is_verbose() {
        stamped("verbose", text);
    }
}

/// Whether `--vv` was given: for texts that cost something.
pub(crate) fn is_debug() -> bool {
    verbosity().is_debug()
}

/// Everything else, for `--vv`.
pub(crate) fn debug(text: impl Display) {
    if is_debug() {
        stamped("debug", text);
    }
}

/// What the user should know although the command goes on.
pub(crate) fn warn(text: &str) {
    told("warn", text);
}

/// One of several things that are wrong; the command's own failure follows.
pub(crate) fn error(text: &str) {
    told("error", text);
}

/// Why the command failed; with a hint for people, unless they have followed it already.
pub(crate) fn fail(error: &anyhow::Error, with_hint: bool) {
    eprintln!("Error: {}", log::told(error));
    if with_hint && !verbosity().is_verbose() {
        eprintln!("\n  --v (verbose) or --vv (debug) says more about what was done");
    }
}

fn told(level: &str, text: &str) {
    let line = log::one_line(text);
    eprintln!("{} [{level}] {line}", stamp());
}

fn stamped(level: &str, text: impl Display) {
    let stamp = stamp();
    for line in text.to_string().lines() {
        print(format_args!("{stamp} [{level}] {line}"));
    }
}

fn print(line: impl Display) {
    // Whoever asked may be gone by now; the work is done all the same.
    let _ = writeln!(io::stdout(), "{line}");
}
