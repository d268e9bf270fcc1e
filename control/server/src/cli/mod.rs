//! What can be typed: Kong's commands and options, and some of our own (`run`, `quickstart`,
//! `config dump`, `completions`, `man`).
//!
//! | module | owns |
//! |---|---|
//! | `arguments` | the options and arguments of each command |
//! | `help` | what stands below the options: examples, exit status, environment |
//!
//! The same definition feeds the parser, `--help`, the man pages and the shell completions.
//!
//! Source: `kong/cmd/*.lua`, `bin/kong`. Deviations:
//! - `--help` answers on stdout with status 0;
//! - a surplus argument is refused instead of ignored; `--name:value` is not understood;
//! - `roar`, `hybrid` and `migrations` are not there.

mod arguments;
mod help;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub(crate) use arguments::{
    CheckArguments, CompletionsArguments, ConfigArguments, ConfigCommand, DatabaseArguments,
    ManArguments, NodeArguments, PrefixArguments, PrepareArguments, QuickstartArguments,
    QuitArguments, ReloadArguments, RunArguments, Shell, StartArguments, TemplateArguments,
    VaultCommand, VaultGetArguments, Verbosity, VersionArguments,
};

/// An API gateway that a Kong user can swap in.
#[derive(Debug, Parser)]
#[command(
    name = "silverback",
    version,
    disable_version_flag = true,
    subcommand_required = true,
    after_help = help::SILVERBACK
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) verbosity: Verbosity,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start a node in the background, and return once it serves
    #[command(after_help = help::START, after_long_help = help::start_with_keys())]
    Start(StartArguments),
    /// Run a node in the foreground, until a signal ends it
    ///
    /// SIGHUP reads the configuration again, SIGQUIT finishes the running requests and ends,
    /// SIGTERM and SIGINT end at once, SIGUSR1 opens the log files again.
    #[command(after_help = help::RUN)]
    Run(RunArguments),
    /// End a node at once: requests that run are cut off
    #[command(after_help = help::STOP)]
    Stop(PrefixArguments),
    /// End a node after the requests that run
    #[command(after_help = help::QUIT)]
    Quit(QuitArguments),
    /// Have a node read its configuration again, without losing a request
    ///
    /// Without -c the settings are those that the node goes by, under the environment: an edit of
    /// the configuration file is not picked up. With -c the file is laid over them. Either way
    /// the declarative file is read again only if the file (without -c the default one) or the
    /// environment names it; otherwise the entities stay as they are.
    #[command(after_help = help::RELOAD)]
    Reload(ReloadArguments),
    /// End the node if it runs, then start it
    #[command(after_help = help::RESTART)]
    Restart(StartArguments),
    /// Say whether a node runs
    #[command(after_help = help::HEALTH)]
    Health(PrefixArguments),
    /// Say whether a configuration file is valid; nothing is started or touched
    #[command(after_help = help::CHECK)]
    Check(CheckArguments),
    /// Make a prefix ready for a node, or new settings for its next SIGHUP; nothing is started
    #[command(after_help = help::PREPARE)]
    Prepare(PrepareArguments),
    /// Have a node say that it is not ready, so that a load balancer stops sending requests
    ///
    /// The node goes on serving; only /status/ready on its first status listener answers 503, until
    /// the next reload.
    #[command(after_help = help::DRAIN)]
    Drain(NodeArguments),
    /// Work with declarative configurations: the file, and what a node holds
    #[command(after_help = help::CONFIG)]
    Config(ConfigArguments),
    /// Look up secrets as a node would
    #[command(subcommand, after_help = help::VAULT)]
    Vault(VaultCommand),
    /// Try it out: a gateway without a database, a demo upstream and example routes
    #[command(after_help = help::QUICKSTART)]
    Quickstart(QuickstartArguments),
    /// Print the version
    #[command(after_help = help::VERSION)]
    Version(VersionArguments),
    /// Print completions of the command line for a shell
    #[command(after_help = help::COMPLETIONS)]
    Completions(CompletionsArguments),
    /// Print the man page, or write those of all commands into a directory
    #[command(after_help = help::MAN)]
    Man(ManArguments),
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

    #[test]
    fn kongs_options_stand_before_or_after_the_subcommand() {
        for typed in [
            ["silverback", "config", "-p", "/p", "dump"],
            ["silverback", "config", "dump", "-p", "/p"],
            ["silverback", "config", "dump", "--prefix=/p", "--v"],
        ] {
            let arguments = Arguments::try_parse_from(typed).expect("Kong takes it");
            let Command::Config(config) = arguments.command else {
                panic!("{typed:?} is `config`")
            };
            assert!(config.prefix.is_some(), "{typed:?}");
        }
    }

    #[test]
    fn every_command_and_option_has_help() {
        let mut missing = Vec::new();
        look_for_help(&Arguments::command(), &mut missing);
        assert!(missing.is_empty(), "without help: {missing:#?}");
    }

    /// Walks the tree. Commands that do something also tell an example and the exit status.
    fn look_for_help(command: &clap::Command, missing: &mut Vec<String>) {
        let name = command.get_name();
        if command.get_about().is_none() {
            missing.push(format!("{name}: what it does"));
        }
        let below = command.get_after_help().map(ToString::to_string);
        for part in ["Examples:", "Exit status:"] {
            if !below.as_deref().unwrap_or_default().contains(part) {
                missing.push(format!("{name}: {part}"));
            }
        }
        for argument in command.get_arguments().filter(|a| a.get_help().is_none()) {
            missing.push(format!("{name}: {}", argument.get_id()));
        }
        let commands = command.get_subcommands();
        commands.for_each(|command| look_for_help(command, missing));
    }
}
