//! The command line of the harness: what is typed, with defaults that suit a look.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// The largest body that the generated upstream serves.
const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;
/// The first round is dropped, so one round alone measures nothing.
const ROUNDS_MIN: usize = 2;

/// What `--help` prints.
pub(crate) const HELP: &str = "\
make perf [ARGS=\"...\"]: requests per CPU-second of Silverback and nginx, one worker each, by wrk

  --silverback PATH   the gateway to measure (default: target/release/silverback)
  --rounds N          rounds, the first of which is dropped (default: 7; 21 for a claim)
  --seconds N         length of each contestant's turn in a round (default: 3)
  --connections N     kept-alive connections of wrk (default: 64)
  --body BYTES        size of the upstream's answer (default: 1024; 65536 for large answers)
  --peer haproxy      measures HAProxy as well
  --no-syscalls       leaves out counting system calls with strace
  --no-netns          measures in the machine's own network namespace, needs no root
  --self-test         nginx against itself: fails unless the ratio is near 1
  --save              also writes the report to perf/runs/
";

/// What the program was asked to do.
pub(crate) enum Command {
    Help,
    Measure(Options),
}

/// The settings of one measurement.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// The gateway's binary.
    pub(crate) silverback: PathBuf,
    /// Rounds, with the one that is dropped.
    pub(crate) rounds: usize,
    /// One contestant's turn in a round.
    pub(crate) turn: Duration,
    /// Kept-alive connections from the load generator.
    pub(crate) connections: u32,
    /// Bytes of the upstream's answer.
    pub(crate) body_bytes: usize,
    pub(crate) has_haproxy: bool,
    pub(crate) counts_syscalls: bool,
    /// Whether to measure in a network namespace of its own.
    pub(crate) is_isolated: bool,
    /// Set by the program itself when it starts again inside the namespace.
    pub(crate) is_inside_namespace: bool,
    pub(crate) is_self_test: bool,
    pub(crate) is_saved: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            silverback: PathBuf::from("target/release/silverback"),
            rounds: 7,
            turn: Duration::from_secs(3),
            connections: 64,
            body_bytes: 1024,
            has_haproxy: false,
            counts_syscalls: true,
            is_isolated: true,
            is_inside_namespace: false,
            is_self_test: false,
            is_saved: false,
        }
    }
}

impl Command {
    /// Reads the arguments after the program's name.
    ///
    /// # Errors
    /// An unknown flag, a flag without its value, or a value out of range.
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self> {
        let mut options = Options::default();
        while let Some(flag) = arguments.next() {
            let mut value = || {
                arguments
                    .next()
                    .with_context(|| format!("{flag} needs a value"))
            };
            match flag.as_str() {
                "--silverback" => options.silverback = value()?.into(),
                "--rounds" => options.rounds = number(&flag, &value()?)?,
                "--seconds" => options.turn = Duration::from_secs(number(&flag, &value()?)?),
                "--connections" => options.connections = number(&flag, &value()?)?,
                "--body" => options.body_bytes = number(&flag, &value()?)?,
                "--peer" => options.add_peer(&value()?)?,
                "--no-syscalls" => options.counts_syscalls = false,
                "--no-netns" => options.is_isolated = false,
                "--inside-namespace" => options.is_inside_namespace = true,
                "--self-test" => options.is_self_test = true,
                "--save" => options.is_saved = true,
                "--help" | "-h" => return Ok(Self::Help),
                _ => bail!("unknown flag {flag}; --help lists them"),
            }
        }
        options.check()?;
        Ok(Self::Measure(options))
    }
}

impl Options {
    fn add_peer(&mut self, name: &str) -> Result<()> {
        if name != "haproxy" {
            bail!("unknown peer {name}: nginx always takes part, haproxy can");
        }
        self.has_haproxy = true;
        Ok(())
    }

    fn check(&self) -> Result<()> {
        if self.rounds < ROUNDS_MIN {
            bail!("--rounds must be at least {ROUNDS_MIN}: the first round is dropped");
        }
        if self.turn.is_zero() || self.connections == 0 {
            bail!("--seconds and --connections must be at least 1");
        }
        if !(1..=BODY_BYTES_MAX).contains(&self.body_bytes) {
            bail!("--body must be between 1 and {BODY_BYTES_MAX}");
        }
        Ok(())
    }
}

fn number<T: std::str::FromStr>(flag: &str, text: &str) -> Result<T> {
    text.parse()
        .ok()
        .with_context(|| format!("{flag}: {text} is not a number it can take"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options> {
        match Command::parse(line.split_whitespace().map(String::from))? {
            Command::Measure(options) => Ok(options),
            Command::Help => bail!("help"),
        }
    }

    #[test]
    fn no_arguments_give_the_look_of_seven_rounds() {
        let options = parse("").unwrap();
        assert_eq!(
            (options.rounds, options.turn.as_secs(), options.body_bytes),
            (7, 3, 1024)
        );
        assert!(options.is_isolated && options.counts_syscalls && !options.is_saved);
    }

    #[test]
    fn values_follow_their_flags() {
        let options = parse("--rounds 21 --seconds 5 --body 65536 --peer haproxy --save").unwrap();
        assert_eq!(
            (options.rounds, options.turn.as_secs(), options.body_bytes),
            (21, 5, 65536)
        );
        assert!(options.has_haproxy && options.is_saved);
    }

    #[test]
    fn wrong_arguments_are_refused_with_their_reason() {
        for (line, reason) in [
            ("--rounds 1", "first round is dropped"),
            ("--rounds", "needs a value"),
            ("--rounds many", "not a number"),
            ("--body 0", "--body must be"),
            ("--peer apache", "unknown peer"),
            ("--fast", "unknown flag"),
        ] {
            let error = parse(line).unwrap_err().to_string();
            assert!(error.contains(reason), "{line}: {error}");
        }
    }
}
