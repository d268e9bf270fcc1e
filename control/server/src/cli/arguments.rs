//! The options and arguments of each command.
//!
//! Kong options that steer nginx or a database are understood and have no effect; `command` warns
//! of those that were given.

use std::path::PathBuf;

use clap::{ArgAction, Args, Subcommand, ValueEnum};

use super::help;

/// How much the command says about what it does.
#[derive(Clone, Copy, Debug, Default, Args)]
pub(crate) struct Verbosity {
    /// Say what is being done, each line with time and level
    #[arg(short = 'v', long = "v", global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Say everything, settings and environment included (secrets are masked)
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

/// The directory a command is about.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct PrefixArguments {
    /// Directory of the node; wins over the file and KONG_PREFIX [default: /usr/local/kong]
    #[arg(short, long, value_name = "DIRECTORY")]
    pub(crate) prefix: Option<PathBuf>,
}

/// Options about nginx's configuration files, which there are none of.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct TemplateArguments {
    /// Understood for Kong's sake, without effect: there is no nginx
    #[arg(long, value_name = "FILE")]
    pub(crate) nginx_conf: Option<PathBuf>,
    /// Understood for Kong's sake, without effect: there is no nginx
    #[arg(long, value_name = "FLAGS")]
    pub(crate) nginx_conf_flags: Option<String>,
}

/// Options about the database, which this version runs without.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct DatabaseArguments {
    /// Understood for Kong's sake, without effect: there is no database
    #[arg(long)]
    pub(crate) run_migrations: bool,
    /// Understood for Kong's sake, without effect: there is no database
    #[arg(long, value_name = "SECONDS")]
    pub(crate) db_timeout: Option<u32>,
    /// Understood for Kong's sake, without effect: there is no database
    #[arg(long, value_name = "SECONDS")]
    pub(crate) lock_timeout: Option<u32>,
}

/// `start` and `restart`.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct StartArguments {
    #[command(flatten)]
    pub(crate) node: NodeArguments,
    #[command(flatten)]
    pub(crate) templates: TemplateArguments,
    #[command(flatten)]
    pub(crate) database: DatabaseArguments,
}

#[derive(Debug, Args)]
pub(crate) struct RunArguments {
    #[command(flatten)]
    pub(crate) node: NodeArguments,
    /// Take the settings that `start` left in the prefix, and report to it on stdout
    #[arg(long, hide = true)]
    pub(crate) detached: bool,
}

#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ReloadArguments {
    /// Configuration file to lay over the settings that the node goes by; without it the
    /// environment alone is
    #[arg(short, long, value_name = "FILE")]
    pub(crate) conf: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) prefix: PrefixArguments,
    #[command(flatten)]
    pub(crate) templates: TemplateArguments,
}

#[derive(Debug, Args)]
pub(crate) struct PrepareArguments {
    #[command(flatten)]
    pub(crate) node: NodeArguments,
    #[command(flatten)]
    pub(crate) templates: TemplateArguments,
}

#[derive(Debug, Args)]
pub(crate) struct QuitArguments {
    #[command(flatten)]
    pub(crate) prefix: PrefixArguments,
    /// Seconds that running requests have to end before they are cut off
    #[arg(short, long, value_name = "SECONDS", default_value_t = 10)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) timeout: u32,
    /// Seconds to wait before beginning; the node serves meanwhile
    #[arg(short, long, value_name = "SECONDS", default_value_t = 0)]
    pub(crate) wait: u32,
}

#[derive(Debug, Args)]
pub(crate) struct ConfigArguments {
    /// Configuration file of the node; `init` and `parse` need none
    #[arg(short, long, global = true, value_name = "FILE")]
    pub(crate) conf: Option<PathBuf>,
    /// Directory of the node; `init` and `parse` need none [default: /usr/local/kong]
    #[arg(short, long, global = true, value_name = "DIRECTORY")]
    pub(crate) prefix: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Write a commented sample of a declarative file; a file that exists is left alone
    #[command(after_help = help::CONFIG_INIT)]
    Init {
        /// The file to write
        #[arg(default_value = "kong.yml")]
        file: PathBuf,
    },
    /// Say whether a declarative file is valid; nothing is started or touched
    ///
    /// Each error is one line on stderr that names entity and field; entities are counted from 1.
    #[command(after_help = help::CONFIG_PARSE)]
    Parse {
        /// The file to read: .yml, .yaml or .json
        file: PathBuf,
    },
    /// Write a declarative file into the database; without one, /config of the Admin API takes it
    #[command(name = "db_import", after_help = help::CONFIG_DB_IMPORT)]
    DbImport {
        /// The file to read: .yml, .yaml or .json
        file: PathBuf,
    },
    /// Write the configuration that a prefix holds into a declarative file, whether a node runs
    /// there or not; a file that exists is left alone
    #[command(name = "db_export", after_help = help::CONFIG_DB_EXPORT)]
    DbExport {
        /// The file to write
        #[arg(default_value = "kong.yml")]
        file: PathBuf,
    },
    /// Print the configuration that a prefix holds, whether a node runs there or not
    #[command(after_help = help::CONFIG_DUMP)]
    Dump,
}

#[derive(Debug, Subcommand)]
pub(crate) enum VaultCommand {
    /// Print the secret behind a reference
    ///
    /// The vaults are those of the node in the prefix, or of one that would start there.
    #[command(after_help = help::VAULT)]
    Get(VaultGetArguments),
}

#[derive(Debug, Args)]
pub(crate) struct VaultGetArguments {
    /// `{vault://name/resource[/key]}`, or name/resource[/key] alone
    #[arg(value_name = "REFERENCE")]
    pub(crate) reference: String,
    #[command(flatten)]
    pub(crate) node: NodeArguments,
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

#[derive(Debug, Args)]
pub(crate) struct CompletionsArguments {
    /// The shell
    pub(crate) shell: Shell,
}

/// The shells that completions are written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    /// GNU bash
    Bash,
    /// zsh
    Zsh,
    /// fish
    Fish,
}

#[derive(Debug, Args)]
pub(crate) struct ManArguments {
    /// Directory to write the pages of all commands into; without it the first page is printed
    pub(crate) directory: Option<PathBuf>,
}
