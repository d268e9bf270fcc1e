//! Facts that a figure is worth nothing without: the machine, the versions, the commit. And whether
//! the tools are there at all.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;
use std::thread;

use anyhow::{Result, bail};

use crate::option::Options;

/// A proxy and its load need a core each.
const CORES_MIN: usize = 2;

/// Where and with what a run was made.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    /// Label and value, in the order of the report.
    pub(crate) rows: Vec<(&'static str, String)>,
    /// UTC, to the minute, usable in a file name.
    pub(crate) time: String,
    /// Short commit id, with `-dirty` if the work tree differs from it.
    pub(crate) commit: String,
}

impl Facts {
    /// Asks the machine and the programs; what does not answer is `unknown`.
    pub(crate) fn collect(options: &Options) -> Self {
        let time = first_line(Command::new("date").args(["-u", "+%Y-%m-%dT%H%MZ"]));
        let commit = first_line(Command::new("git").args([
            "describe",
            "--always",
            "--dirty",
            "--exclude=*",
        ]));
        let mut rows = vec![
            ("time", time.clone()),
            ("commit", commit.clone()),
            ("kernel", read("/proc/sys/kernel/osrelease")),
            ("CPU", cpu_model()),
            ("cores", cores().to_string()),
            ("load average at the start", read("/proc/loadavg")),
            (
                "congestion control",
                read("/proc/sys/net/ipv4/tcp_congestion_control"),
            ),
            ("network", network(options).to_owned()),
            ("nginx", first_line(Command::new("nginx").arg("-v"))),
            ("wrk", first_line(Command::new("wrk").arg("-v"))),
        ];
        if options.has_haproxy {
            rows.push(("HAProxy", first_line(Command::new("haproxy").arg("-v"))));
        }
        if !options.is_self_test {
            rows.push((
                "Silverback",
                first_line(Command::new(&options.silverback).arg("version")),
            ));
        }
        Self { rows, time, commit }
    }
}

fn network(options: &Options) -> &'static str {
    if options.is_inside_namespace {
        "own network namespace, loopback only"
    } else {
        "the machine's own network namespace: not comparable with isolated runs"
    }
}

/// Whether this process may make namespaces and change accounts.
pub(crate) fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0)
}

/// Checks for every program of the run before anything is started.
///
/// # Errors
/// Names what is missing and how to install it.
pub(crate) fn check_tools(options: &Options) -> Result<()> {
    let mut needed = vec![
        ("nginx", "nginx-light"),
        ("wrk", "wrk"),
        ("taskset", "util-linux"),
        ("setpriv", "util-linux"),
    ];
    if options.counts_syscalls {
        needed.push(("strace", "strace"));
    }
    if options.is_isolated {
        needed.extend([("unshare", "util-linux"), ("ip", "iproute2")]);
    }
    if options.has_haproxy {
        needed.push(("haproxy", "haproxy"));
    }
    let missing: Vec<_> = needed
        .into_iter()
        .filter(|(program, _)| !is_installed(program))
        .collect();
    if !missing.is_empty() {
        let programs: Vec<_> = missing.iter().map(|(program, _)| *program).collect();
        let packages: Vec<_> = missing.iter().map(|(_, package)| *package).collect();
        bail!(
            "missing: {}; install with: apt-get install {}",
            programs.join(", "),
            packages.join(" ")
        );
    }
    if cores() < CORES_MIN {
        bail!("{CORES_MIN} cores are needed: the proxy on one, its load on another");
    }
    Ok(())
}

/// Looks where a shell looks, and where Debian keeps daemons.
fn is_installed(program: &str) -> bool {
    let script = format!("PATH=$PATH:/usr/sbin:/sbin command -v {program}");
    Command::new("sh")
        .args(["-c", &script])
        .output()
        .is_ok_and(|output| output.status.success())
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

fn cpu_model() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text
        .lines()
        .find_map(|line| line.strip_prefix("model name"));
    model.map_or_else(unknown, |model| {
        model.trim_start_matches(['\t', ' ', ':']).to_owned()
    })
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path).map_or_else(|_| unknown(), |text| text.trim().to_owned())
}

/// The first line that a program prints, on either output.
fn first_line(command: &mut Command) -> String {
    let Ok(output) = command.output() else {
        return unknown();
    };
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    text.lines()
        .next()
        .map_or_else(unknown, |line| line.trim().to_owned())
}

fn unknown() -> String {
    "unknown".to_owned()
}
