//! Alternating rounds: each contestant has a short turn in every round, so that whatever drifts on
//! the machine meets all of them alike.

use std::time::Instant;

use anyhow::{Context, Result};

use crate::contestant::Contestant;
use crate::option::Options;
use crate::process;
use crate::scene::Scene;
use crate::wrk;

/// One contestant's turn in one round.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    /// Requests for each second of CPU time: the figure that is compared.
    pub(crate) requests_per_cpu_second: f64,
    /// Share of the proxy's core that was used, 0 to 1.
    pub(crate) core_share: f64,
    pub(crate) load: wrk::Load,
}

/// A contestant's name and its kept samples, one for each round after the first.
pub(crate) type Series = (String, Vec<Sample>);

/// Runs all rounds; the first, in which pools fill and code warms up, is dropped.
///
/// # Errors
/// A contestant is gone, answers wrongly, or fails a request.
pub(crate) fn alternate(
    options: &Options,
    scene: &Scene,
    contestants: &[Contestant],
) -> Result<Vec<Series>> {
    let mut all: Vec<Series> = contestants
        .iter()
        .map(|contestant| (contestant.name.clone(), Vec::new()))
        .collect();
    for round in 1..=options.rounds {
        for (contestant, (name, samples)) in contestants.iter().zip(&mut all) {
            let sample = take_turn(options, scene, contestant).with_context(|| name.clone())?;
            let note = if round == 1 { " (dropped)" } else { "" };
            println!(
                "round {round}/{} {name}: {:.0} requests per CPU-second{note}",
                options.rounds, sample.requests_per_cpu_second
            );
            if round > 1 {
                samples.push(sample);
            }
        }
    }
    Ok(all)
}

fn take_turn(options: &Options, scene: &Scene, contestant: &Contestant) -> Result<Sample> {
    scene.check_answer(contestant.port)?;
    let pids = contestant.pids()?;
    let started = Instant::now();
    let before = process::cpu_time(&pids)?;
    let load = wrk::run(options.connections, options.turn, contestant.port)?;
    let used = process::cpu_time(&pids)?.saturating_sub(before);
    let elapsed = started.elapsed();
    anyhow::ensure!(
        !used.is_zero(),
        "used no CPU time: are its processes the right ones?"
    );
    #[expect(
        clippy::cast_precision_loss,
        reason = "a count of requests is far below 2^52"
    )]
    let requests = load.requests as f64;
    Ok(Sample {
        requests_per_cpu_second: requests / used.as_secs_f64(),
        core_share: used.as_secs_f64() / elapsed.as_secs_f64(),
        load,
    })
}
