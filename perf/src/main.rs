//! `make perf`: how many requests a proxy answers for each second of CPU time it uses, Silverback
//! beside nginx (and HAProxy) in the same run, and how many system calls a request costs.
//!
//! Owns the whole measurement: tool checks, the network namespace, the upstream, the contestants,
//! the alternating rounds and the report. The method and its limits are in `perf/README.md`.

#![expect(clippy::print_stdout, reason = "the report is this program's answer")]

mod contestant;
mod fact;
mod namespace;
mod option;
mod process;
mod report;
mod round;
mod scene;
mod strace;
mod wrk;

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;
use std::{env, fs};

use anyhow::{Context, Result, bail};

use contestant::Contestant;
use fact::Facts;
use option::{Command, Options};
use report::Report;
use scene::Scene;

/// The self-test compares nginx with itself: a fair harness finds no difference beyond noise.
const SELF_TEST_RATIO_MIN: f64 = 0.95;
/// See [`SELF_TEST_RATIO_MIN`].
const SELF_TEST_RATIO_MAX: f64 = 1.05;
/// How long one contestant is observed under strace.
const STRACE_DURATION: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("perf: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let options = match Command::parse(env::args().skip(1))? {
        Command::Help => {
            print!("{}", option::HELP);
            return Ok(());
        }
        Command::Measure(options) => options,
    };
    fact::check_tools(&options)?;
    if options.is_isolated && !options.is_inside_namespace {
        return namespace::re_exec();
    }
    let report = measure(&options)?;
    let text = report.to_markdown();
    println!("\n{text}");
    if options.is_saved {
        let path = report.file_name();
        let path = Path::new("perf/runs").join(path);
        fs::write(&path, &text).with_context(|| format!("cannot write {}", path.display()))?;
        println!("saved as {}", path.display());
    }
    if options.is_self_test {
        judge_self_test(&report)
    } else {
        Ok(())
    }
}

/// Starts everything, measures, and stops everything again (by drop).
fn measure(options: &Options) -> Result<Report> {
    let facts = Facts::collect(options);
    let scene = Scene::new(options)?;
    let contestants = contestant::start_all(options, &scene)?;
    for contestant in &contestants {
        scene
            .check_answer(contestant.port)
            .with_context(|| contestant.name.clone())?;
    }
    println!(
        "every contestant answers with the same {} bytes",
        scene.body.len()
    );
    let samples = round::alternate(options, &scene, &contestants)?;
    let syscalls = count_syscalls(options, &contestants)?;
    Ok(Report {
        facts,
        options: options.clone(),
        samples,
        syscalls,
    })
}

fn count_syscalls(
    options: &Options,
    contestants: &[Contestant],
) -> Result<Vec<(String, strace::Count)>> {
    if !options.counts_syscalls {
        return Ok(Vec::new());
    }
    let mut counts = Vec::new();
    for contestant in contestants {
        println!("counting the system calls of {}", contestant.name);
        let count = strace::count(contestant.worker()?, || {
            wrk::run(options.connections, STRACE_DURATION, contestant.port)
        })
        .with_context(|| format!("strace of {}", contestant.name))?;
        counts.push((contestant.name.clone(), count));
    }
    Ok(counts)
}

fn judge_self_test(report: &Report) -> Result<()> {
    let ratio = report
        .ratio_of_subject()
        .context("no rounds were measured")?;
    if !(SELF_TEST_RATIO_MIN..=SELF_TEST_RATIO_MAX).contains(&ratio) {
        bail!(
            "nginx against itself gives {ratio:.3}: this machine is too noisy, or the harness unfair"
        );
    }
    println!("self-test: nginx against itself gives {ratio:.3}, within noise of 1");
    Ok(())
}
