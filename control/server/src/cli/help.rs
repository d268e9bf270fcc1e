//! What stands below the options in `--help` and on the man pages: examples, exit status, environment.

/// The exit status of nearly every command.
macro_rules! usual_exit {
    () => {
        "Exit status:\n  0  done\n  1  not done: stderr says why and what to do"
    };
}

/// The environment of commands that load a node's settings.
macro_rules! settings_environment {
    () => {
        "Environment:\n  KONG_<KEY>, SILVERBACK_<KEY>\n      \
         a key of kong.conf in capitals, for example KONG_LOG_LEVEL;\n      \
         wins over the file, and SILVERBACK_ over KONG_"
    };
}

/// The environment of commands that only look for a prefix.
macro_rules! prefix_environment {
    () => {
        "Environment:\n  KONG_PREFIX, SILVERBACK_PREFIX\n      the prefix, where -p does not name it"
    };
}

/// Examples, the usual exit status, and the environment that is named.
macro_rules! usual {
    ($examples:literal) => {
        concat!("Examples:\n  ", $examples, "\n\n", usual_exit!())
    };
    ($examples:literal, $environment:ident) => {
        concat!(
            "Examples:\n  ",
            $examples,
            "\n\n",
            usual_exit!(),
            "\n\n",
            $environment!()
        )
    };
}

pub(super) const SILVERBACK: &str = usual!(
    "silverback quickstart\n  \
     silverback start -c kong.conf\n  \
     silverback reload -c kong.conf\n  \
     silverback help config parse",
    settings_environment
);

pub(super) const START: &str = usual!(
    "silverback start\n  \
     silverback start -c kong.conf -p /tmp/node\n  \
     KONG_DATABASE=off KONG_DECLARATIVE_CONFIG=kong.yml silverback start --vv",
    settings_environment
);

/// What `start --help` says and `start -h` does not: also every key of kong.conf.
pub(super) fn start_with_keys() -> String {
    format!("{START}\n\n{}", silverback_schema::conf::help())
}

pub(super) const RUN: &str = concat!(
    usual!("silverback run -c kong.conf", settings_environment),
    "\n  NOTIFY_SOCKET, WATCHDOG_USEC\n      \
     set by systemd: where the node tells that it serves, reloads and ends,\n      \
     and how often that it is alive"
);

pub(super) const STOP: &str = usual!("silverback stop -p /tmp/node", prefix_environment);

pub(super) const QUIT: &str = concat!(
    "Examples:\n  silverback quit\n  silverback quit -w 5 -t 60 -p /tmp/node\n\n",
    "Exit status:\n  0  the node has ended, gracefully or by force (stdout says which)\n  \
     1  not done: stderr says why and what to do\n\n",
    prefix_environment!()
);

pub(super) const RELOAD: &str = usual!(
    "silverback reload\n  \
     silverback reload -c kong.conf\n  \
     KONG_LOG_LEVEL=debug silverback reload -p /tmp/node",
    settings_environment
);

pub(super) const RESTART: &str = usual!(
    "silverback restart\n  silverback restart -c kong.conf",
    settings_environment
);

pub(super) const HEALTH: &str = concat!(
    "Examples:\n  silverback health -p /tmp/node\n\n",
    "Exit status:\n  0  the node runs\n  1  it does not, or there is no such prefix\n\n",
    prefix_environment!()
);

pub(super) const CHECK: &str = concat!(
    "Examples:\n  silverback check\n  silverback check kong.conf\n\n",
    "Exit status:\n  0  file, environment and the declarative file they name are valid\n  \
     1  they are not: each error is a line on stderr\n\n",
    settings_environment!()
);

pub(super) const PREPARE: &str = usual!(
    "silverback prepare -p /tmp/node\n  \
     silverback prepare -c kong.conf && silverback reload",
    settings_environment
);

pub(super) const DRAIN: &str = concat!(
    "Examples:\n  silverback drain && sleep 30 && silverback quit\n\n",
    "Exit status:\n  0  always, once the settings are read: stdout says whether the node was told\n  \
     1  the settings cannot be read, or there is no such prefix\n\n",
    settings_environment!()
);

pub(super) const CONFIG: &str =
    usual!("silverback config init\n  silverback config parse kong.yml");

pub(super) const CONFIG_INIT: &str =
    usual!("silverback config init\n  silverback config init /etc/kong/kong.yml");

pub(super) const CONFIG_PARSE: &str = usual!("silverback config parse kong.yml");

pub(super) const CONFIG_DB_IMPORT: &str =
    usual!("silverback config db_import kong.yml", settings_environment);

pub(super) const CONFIG_DB_EXPORT: &str = usual!(
    "silverback config db_export\n  silverback config db_export backup.yml -p /tmp/node",
    settings_environment
);

pub(super) const CONFIG_DUMP: &str =
    usual!("silverback config dump -p /tmp/node", settings_environment);

pub(super) const VAULT: &str = usual!(
    "TEST=hello silverback vault get env/test\n  silverback vault get '{vault://env/test}'",
    settings_environment
);

pub(super) const QUICKSTART: &str =
    usual!("silverback quickstart\n  silverback quickstart --check");

pub(super) const VERSION: &str = usual!("silverback version -a");

pub(super) const COMPLETIONS: &str = usual!(
    "silverback completions bash > /etc/bash_completion.d/silverback\n  \
     silverback completions zsh > /usr/share/zsh/site-functions/_silverback\n  \
     silverback completions fish > /usr/share/fish/vendor_completions.d/silverback.fish"
);

pub(super) const MAN: &str =
    usual!("silverback man | man -l -\n  silverback man /usr/local/share/man/man1");
