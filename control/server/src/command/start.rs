//! `silverback start` and `silverback run`.
//!
//! `start` prepares the prefix, then runs `silverback run --detached` in a session of its own and
//! listens to its stdout until it says `ready` or `error <why>`; the pipe ends with it.
//!
//! Source: `kong/cmd/start.lua`.

use std::{
    fs::OpenOptions,
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdout, Command, Stdio},
};

use anyhow::{Context, Result, bail};
use silverback_schema::conf::{LogTarget, NodeConfig};

use crate::{
    access_log,
    cli::{NodeArguments, RunArguments, StartArguments},
    command::{for_start, warn_of_database, warn_of_templates},
    log::{self, Log},
    node::{self, Node, Signals},
    prefix::Prefix,
    settings, terminal,
};

/// What a detached node says on its stdout, one per line.
const READY: &str = "ready";
const ERROR: &str = "error ";

/// Loads the settings of a node that is about to start.
pub(super) fn load(arguments: &StartArguments) -> Result<NodeConfig> {
    warn_of_templates(&arguments.templates);
    warn_of_database(&arguments.database);
    settings::load(&arguments.node)
}

pub(super) fn in_background(config: NodeConfig) -> Result<()> {
    if !config.nginx_daemon {
        return serve_in_foreground(config);
    }
    access_log::check_for_background(&config)?;
    let prefix = for_start(&config)?;
    let (child, voice) = spawn(&prefix, &config)?;
    listen(child, voice, &prefix)?;
    if let Some(warning) = settings::without_effect(&config) {
        terminal::warn(&warning);
    }
    terminal::say("Silverback started");
    Ok(())
}

pub(super) fn in_foreground(arguments: &RunArguments) -> Result<()> {
    if arguments.detached {
        return detached(&arguments.node);
    }
    serve_in_foreground(settings::load(&arguments.node)?)
}

fn serve_in_foreground(config: NodeConfig) -> Result<()> {
    let prefix = for_start(&config)?;
    let _pid_file = prefix.take()?;
    let log = Log::start(None, config.log_level, config.error_log_format)?;
    let ready = |node: &Node| terminal::say(format_args!("Silverback is ready: {}", node.places()));
    serve(config, log, ready)
}

/// Runs a node to its end; `ready` is called when it serves.
fn serve(config: NodeConfig, log: Log, ready: impl FnOnce(&Node)) -> Result<()> {
    let runtime = node::runtime()?;
    let outcome = runtime.block_on(async {
        let signals = Signals::take()?;
        let node = Node::start(config, log).await?;
        ready(&node);
        node.run(signals).await
    });
    // A name lookup that hangs must not keep the process.
    runtime.shutdown_background();
    outcome
}

/// The child of `start`: it reports to its parent, and speaks to nobody once it serves.
fn detached(arguments: &NodeArguments) -> Result<()> {
    // Fails only for a group leader, which a child of `start` is not.
    let _ = rustix::process::setsid();
    let mut is_ready = false;
    let outcome = serve_detached(arguments, &mut is_ready);
    match outcome {
        Err(error) if !is_ready => {
            tell_parent(&format!("{ERROR}{}", log::told(&error)));
            Err(error)
        }
        outcome => outcome,
    }
}

fn serve_detached(arguments: &NodeArguments, is_ready: &mut bool) -> Result<()> {
    let prefix = settings::prefix(&arguments.prefix)?;
    let config = settings::load_prepared(&prefix)?;
    let _pid_file = prefix.take()?;
    let log = start_log(&config)?;
    serve(config, log, |node| {
        tracing::info!("ready: {}", node.places());
        *is_ready = true;
        tell_parent(READY);
    })
}

fn tell_parent(line: &str) {
    // A parent that is gone has nothing to be told.
    let _ = writeln!(std::io::stdout(), "{line}");
}

fn start_log(config: &NodeConfig) -> Result<Log> {
    let file = match &config.proxy_error_log {
        LogTarget::File { path, .. } if path.as_os_str() != "/dev/stderr" => Some(path.as_path()),
        _ => None,
    };
    Log::start(file, config.log_level, config.error_log_format)
}

fn spawn(prefix: &Prefix, config: &NodeConfig) -> Result<(Child, ChildStdout)> {
    let program = std::env::current_exe().context("cannot find the program's own file")?;
    // Where a panic or the allocator speaks: beside the log's own lines.
    let path = match &config.proxy_error_log {
        LogTarget::File { path, .. } => path.clone(),
        _ => prefix.error_log(),
    };
    let last_words = OpenOptions::new()
        .append(true)
        .create(true)
        .open(&path)
        .with_context(|| format!("cannot write the log file {}", path.display()))?;
    let mut child = Command::new(program)
        .args(["run", "--detached", "--prefix"])
        .arg(prefix.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(last_words)
        .spawn()
        .context("cannot start a process")?;
    let voice = child.stdout.take().expect("stdout was asked to be a pipe");
    Ok((child, voice))
}

fn listen(mut child: Child, voice: ChildStdout, prefix: &Prefix) -> Result<()> {
    for line in BufReader::new(voice).lines() {
        let line = line.context("cannot hear the node")?;
        if line == READY {
            return Ok(());
        }
        if let Some(error) = line.strip_prefix(ERROR) {
            // It ends by itself; waiting makes sure that its ports and files are free again.
            let _ = child.wait();
            bail!("{error}");
        }
    }
    let status = child.wait().context("cannot wait for the node")?;
    bail!(
        "the node ended at start ({status}); {} says more",
        prefix.error_log().display()
    )
}
