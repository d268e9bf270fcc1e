//! `silverback quickstart`: a gateway to try out, in one process that leaves nothing running.
//!
//! It starts two demo upstreams, writes `kong.conf` and `kong.yml` into a prefix, runs a node on them,
//! and prints what to try. `--check` sends those requests itself and ends with status 0 only if
//! every answer is as expected.

mod check;
mod demo;
mod example;

use std::{
    fs,
    io::Write,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use silverback_schema::conf::{self, LoadOptions, NodeConfig};

use crate::{
    cli::QuickstartArguments,
    command::for_start,
    log::{self, Log},
    node::{self, End, Node, Signals},
    settings,
};

/// Where everything listens.
#[derive(Clone, Copy, Debug)]
struct Ports {
    proxy: u16,
    admin: u16,
    /// The demo upstreams.
    blue: u16,
    green: u16,
}

/// Runs the demonstration until Ctrl-C, or its check.
///
/// # Errors
///
/// A port is taken, the prefix cannot be written, or an answer was wrong.
pub(crate) fn run(arguments: &QuickstartArguments) -> Result<()> {
    let place = Place::choose(arguments)?;
    let runtime = node::runtime()?;
    let outcome = runtime.block_on(demonstrate(arguments, &place.path));
    runtime.shutdown_background();
    outcome
}

async fn demonstrate(arguments: &QuickstartArguments, path: &Path) -> Result<()> {
    let port = |asked: Option<u16>, usual| asked.unwrap_or(if arguments.check { 0 } else { usual });
    let ports = Ports {
        proxy: free(port(arguments.proxy_port, 8000), "--proxy-port")?,
        admin: free(port(arguments.admin_port, 8001), "--admin-port")?,
        blue: demo::start("blue").await?,
        green: demo::start("green").await?,
    };
    let mut signals = Signals::take()?;
    let config = write(path, ports)?;
    let prefix = for_start(&config)?;
    let _pid_file = prefix.take()?;
    let log = Log::start(None, config.log_level, config.error_log_format)?;
    let node = Node::start(config, log).await?;
    if arguments.check {
        let outcome = check::run(ports).await;
        node.end(End::Now, &mut signals).await?;
        return outcome;
    }
    invite(path, ports);
    node.run(signals).await?;
    // Whoever read the invitation may be gone by now.
    let _ = writeln!(
        std::io::stdout(),
        "\nSilverback has ended; nothing is left running."
    );
    Ok(())
}

/// The directory of the demonstration.
struct Place {
    path: PathBuf,
    is_temporary: bool,
}

impl Place {
    fn choose(arguments: &QuickstartArguments) -> Result<Self> {
        let (path, is_temporary) = match &arguments.prefix {
            Some(path) => (settings::absolute(path)?, false),
            None if arguments.check => {
                let name = format!("silverback-quickstart-{}", std::process::id());
                (std::env::temp_dir().join(name), true)
            }
            None => (settings::absolute(Path::new("quickstart"))?, false),
        };
        let made = if is_temporary {
            fs::create_dir(&path)
        } else {
            fs::create_dir_all(&path)
        };
        made.with_context(|| {
            format!(
                "cannot create {} (name another directory with -p)",
                path.display()
            )
        })?;
        Ok(Self { path, is_temporary })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.is_temporary {
            // What cannot be removed lies in the system's directory for such things.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// The port itself, or a free one for 0.
fn free(port: u16, option: &str) -> Result<u16> {
    let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)) else {
        bail!(
            "port {port} is taken; end the program that has it, or choose another with {option} \
             ({option} 0 takes any free one)"
        );
    };
    Ok(listener
        .local_addr()
        .context("cannot find a free port")?
        .port())
}

/// Writes the two files, and reads them as `start -c` would.
fn write(path: &Path, ports: Ports) -> Result<NodeConfig> {
    let (conf_file, declarative) = (path.join("kong.conf"), path.join("kong.yml"));
    let conf = format!(
        "# Written by `silverback quickstart`, again at each of its starts.\n\
         prefix = {}\n\
         database = off\n\
         declarative_config = {}\n\
         proxy_listen = 127.0.0.1:{}\n\
         admin_listen = 127.0.0.1:{}\n\
         status_listen = off\n\
         log_level = warn\n",
        path.display(),
        declarative.display(),
        ports.proxy,
        ports.admin,
    );
    let written = fs::write(&declarative, example::declarative(ports))
        .and_then(|()| fs::write(&conf_file, conf));
    written.with_context(|| format!("cannot write into {}", path.display()))?;
    let options = LoadOptions {
        conf_file: Some(conf_file),
        ..LoadOptions::default()
    };
    conf::load(&options).map(|l| l.config).map_err(|errors| {
        let texts = errors.into_iter().map(|e| log::told(&e.into()));
        anyhow::anyhow!("{}", texts.collect::<Vec<_>>().join("; "))
    })
}

fn invite(path: &Path, ports: Ports) {
    println!(
        "Silverback is ready: proxy http://127.0.0.1:{},",
        ports.proxy
    );
    println!(
        "Admin API http://127.0.0.1:{}, demo upstreams behind it.",
        ports.admin
    );
    println!("\nTry, in another terminal:\n");
    for example in example::all() {
        println!("  # {}\n  {}\n", example.what, example.curl(ports));
    }
    println!(
        "  # a page for the browser\n  http://127.0.0.1:{}/page\n",
        ports.proxy
    );
    println!(
        "The routes are in {}: edit it, then",
        path.join("kong.yml").display()
    );
    // As this program was called: it need not be on the path.
    let program = std::env::args().next();
    let program = program.as_deref().unwrap_or("silverback");
    println!("  {program} reload -c {}", path.join("kong.conf").display());
    println!("\nCtrl-C ends it.");
}
