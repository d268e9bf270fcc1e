//! Whole processes together: the real binary, real sockets, real signals.
//!
//! | module | what it shows |
//! |---|---|
//! | `life` | start, stop, quit, reload, and what they say |
//! | `cli` | what each command answers, and its exit status |
//! | `reload` | which settings and entities a reload goes by |
//! | `systemd` | the unit, and what systemd is told |
//! | `listener` | which ports a node opens, and what its answers say of it |
//! | `routing` | requests reach the right upstream |
//! | `admin` | `POST /config` and `GET /status` |
//! | `status` | the Status API, and what of the Admin API goes with it |
//! | `admin_config` | refused configurations, and the ids that entities get |
//! | `admin_entities` | reading and refused writing of every kind of entity |
//! | `export` | a node's configuration as a file, for another node |
//! | `bad_input` | what is wrong is said in one line, and nothing is lost |
//! | `load` | reloads under load lose and falsify nothing |
//! | `secret` | references in `kong.conf`, and `vault get` |
//! | `logs` | access and error logs: what they say, where they go, and that they hold up nothing |
//! | `quickstart` | the demonstration shows what it promises and leaves nothing running |

mod admin;
mod admin_config;
mod admin_entities;
mod bad_input;
mod cli;
mod export;
mod life;
mod listener;
mod load;
mod logs;
mod quickstart;
mod reload;
mod routing;
mod secret;
mod status;
mod systemd;
