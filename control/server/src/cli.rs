//! What can be typed: Kong's commands and options, and `run` and `quickstart` of our own.
//!
//! Source: `kong/cmd/*.lua`, `bin/kong`. Deviations: `--help` answers on stdout with status 0; a surplus
//! argument is refused instead of ignored.

use std::{path::PathBuf, process::ExitCode};

use clap::{ArgAction, Args, Parser, Subcommand};

/// An API gateway that a Kong user can swap in.
#[derive(Debug, Parser)]
#[command(
    name = "silverback",
    disable_version_flag = true,
    subcommand_required = true
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) verbosity: Verbosity,
}

/// How much the command says about what it does.
#[derive(Clone, Copy, Debug, Default, Args)]
pub(crate) struct Verbosity {
    /// Say what is being done
    #[arg(short = 'v', long = "v", global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Say everything, settings included
    #[arg(long = "vv", global = true)]
    pub(crate) debug: bool,
}

impl Verbosity {
    /// `--v`.
    pub(crate) fn is_verbose(self) -> bool {
        self.verbose > 0 || self.debug
    }

    /// `--vv`, or `-vv`.
    pub(crate) fn is_debug(self) -> bool {
        self.verbose > 1 || self.debug
    }
}

/// The node a command is about.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct NodeArguments {
    /// Configuration file; without it the first of /etc/kong/kong.conf and /etc/kong.conf
    #[arg(short, long, value_name = "FILE")]
    pub(crate) conf: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) prefix: PrefixArguments,
}

/// The node to reload.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ReloadArguments {
    /// Configuration file; without it the settings that the node was started with
    #[arg(short, long, value_name = "FILE")]
    pub(crate) conf: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) prefix: PrefixArguments,
}

/// The directory a command is about.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct PrefixArguments {
    /// Directory of the node; wins over the file and KONG_PREFIX
    #[arg(short, long, value_name = "DIRECTORY")]
    pub(crate) prefix: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start a node in the background, and return once it serves
    Start(NodeArguments),
    /// Run a node in the foreground, until a signal ends it
    ///
    /// SIGHUP reads the configuration again, SIGQUIT finishes the running requests and ends,
    /// SIGTERM and SIGINT end at once, SIGUSR1 opens the log files again.
    Run(RunArguments),
    /// End a node at once
    Stop(PrefixArguments),
    /// End a node after the requests that run
    Quit(QuitArguments),
    /// Have a node read its configuration again, without losing a request
    Reload(ReloadArguments),
    /// Look at a node's configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Say whether a configuration file is valid; nothing is started or touched
    Check(CheckArguments),
    /// Try it out: a gateway without a database, a demo upstream and example routes
    Quickstart(QuickstartArguments),
    /// Print the version
    Version(VersionArguments),
}

#[derive(Debug, Args)]
pub(crate) struct RunArguments {
    #[command(flatten)]
    pub(crate) node: NodeArguments,
    /// Take the settings that `start` left in the prefix, and report to it on stdout
    #[arg(long, hide = true)]
    pub(crate) detached: bool,
}

#[derive(Debug, Args)]
pub(crate) struct QuitArguments {
    #[command(flatten)]
    pub(crate) prefix: PrefixArguments,
    /// Seconds that running requests have to end before they are cut off
    #[arg(short, long, value_name = "SECONDS", default_value_t = 10)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) timeout: u32,
    /// Seconds to wait before beginning
    #[arg(short, long, value_name = "SECONDS", default_value_t = 0)]
    pub(crate) wait: u32,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Print the configuration that a prefix holds, whether a node runs there or not
    Dump(NodeArguments),
}

#[derive(Debug, Args)]
pub(crate) struct CheckArguments {
    /// Configuration file
    #[arg(default_value = "/etc/kong/kong.conf")]
    pub(crate) file: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct VersionArguments {
    /// Also say which Kong it stands in for
    #[arg(short, long)]
    pub(crate) all: bool,
}

#[derive(Debug, Args)]
pub(crate) struct QuickstartArguments {
    /// Send the example requests, show the answers, and end: status 0 only if all are right
    #[arg(long)]
    pub(crate) check: bool,
    /// Directory of the node; without it ./quickstart, or a temporary one with --check
    #[arg(short, long, value_name = "DIRECTORY")]
    pub(crate) prefix: Option<PathBuf>,
    /// Port of the proxy, 0 for a free one; without it 8000, or a free one with --check
    #[arg(long, value_name = "PORT")]
    pub(crate) proxy_port: Option<u16>,
    /// Port of the Admin API, 0 for a free one; without it 8001, or a free one with --check
    #[arg(long, value_name = "PORT")]
    pub(crate) admin_port: Option<u16>,
}

/// Reads the command line; what is wrong with it, or its help, has been printed.
pub(crate) fn parse() -> Result<Arguments, ExitCode> {
    Arguments::try_parse().map_err(|e| {
        // Nothing can be said when even this fails.
        let _ = e.print();
        if e.use_stderr() {
            ExitCode::FAILURE
        } else {
            ExitCode::SUCCESS
        }
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn kongs_spellings_of_verbosity_are_understood() {
        let verbosity = |option| {
            let typed = ["silverback", "version", option];
            Arguments::try_parse_from(typed)
                .expect("an option of Kong's")
                .verbosity
        };
        for option in ["-v", "--v"] {
            assert!(verbosity(option).is_verbose() && !verbosity(option).is_debug());
        }
        for option in ["-vv", "--vv"] {
            assert!(verbosity(option).is_debug());
        }
    }
}
