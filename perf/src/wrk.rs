//! The load generator: Debian's wrk with one thread on the load core, and its printed report.
//!
//! wrk is a closed loop: it leaves pauses that a busier generator would fill, and its latencies at
//! saturation tell about queueing, not about the proxy alone.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::process::{LOAD_CORE, pinned};

/// What wrk says about one turn.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Load {
    pub(crate) requests: u64,
    pub(crate) requests_per_second: f64,
    /// Median latency.
    pub(crate) p50: Duration,
    /// 99th percentile of latency.
    pub(crate) p99: Duration,
}

/// Loads `127.0.0.1:port` for `duration`.
///
/// # Errors
/// wrk cannot be run, or a request failed or was not answered with 2xx or 3xx.
pub(crate) fn run(connections: u32, duration: Duration, port: u16) -> Result<Load> {
    let output = pinned(LOAD_CORE, "wrk")
        .args(["--latency", "--threads", "1", "--connections"])
        .arg(connections.to_string())
        .arg(format!("--duration={}s", duration.as_secs()))
        .arg(format!("http://127.0.0.1:{port}/"))
        .stderr(Stdio::inherit())
        .output()
        .context("cannot run wrk")?;
    if !output.status.success() {
        bail!("wrk ended with {}", output.status);
    }
    parse(&String::from_utf8_lossy(&output.stdout))
}

/// Reads wrk's report; any failed request makes it an error.
fn parse(report: &str) -> Result<Load> {
    for line in report.lines().map(str::trim) {
        if line.starts_with("Socket errors") || line.starts_with("Non-2xx") {
            bail!("not every request was answered well: {line}");
        }
    }
    let field = |label: &str| {
        let line = report
            .lines()
            .map(str::trim)
            .find_map(|line| line.strip_prefix(label));
        line.map(str::trim)
            .with_context(|| format!("wrk's report has no {label:?}:\n{report}"))
    };
    let requests = report
        .lines()
        .find(|line| line.contains(" requests in "))
        .and_then(|line| line.split_whitespace().next()?.parse().ok())
        .with_context(|| format!("wrk's report has no total:\n{report}"))?;
    Ok(Load {
        requests,
        requests_per_second: field("Requests/sec:")?.parse().context("Requests/sec")?,
        p50: latency(field("50%")?)?,
        p99: latency(field("99%")?)?,
    })
}

/// Reads `1.08ms`, `540.00us` or `1.20s`.
fn latency(text: &str) -> Result<Duration> {
    let unit_at = text.find(|character: char| character.is_ascii_alphabetic());
    let (number, unit) = text.split_at(unit_at.with_context(|| format!("{text} has no unit"))?);
    let number: f64 = number
        .parse()
        .with_context(|| format!("{text} is no latency"))?;
    let seconds = match unit {
        "us" => number / 1e6,
        "ms" => number / 1e3,
        "s" => number,
        _ => bail!("{text} has an unknown unit"),
    };
    Duration::try_from_secs_f64(seconds).with_context(|| format!("{text} is no latency"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = "\
Running 3s test @ http://127.0.0.1:8000/
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.08ms  210.00us   9.21ms   91.10%
    Req/Sec    58.91k     1.05k   60.34k    70.00%
  Latency Distribution
     50%    1.05ms
     75%    1.10ms
     90%    1.19ms
     99%  890.00us
  175843 requests in 3.00s, 203.43MB read
Requests/sec:  58601.21
Transfer/sec:     67.80MB
";

    #[test]
    fn a_report_gives_total_rate_and_latencies() {
        let load = parse(REPORT).unwrap();
        assert_eq!(load.requests, 175_843);
        assert!((load.requests_per_second - 58_601.21).abs() < 0.001);
        assert_eq!(load.p50, Duration::from_micros(1050));
        assert_eq!(load.p99, Duration::from_micros(890));
    }

    #[test]
    fn a_failed_request_fails_the_run() {
        for line in [
            "  Socket errors: connect 0, read 3, write 0, timeout 0\n",
            "  Non-2xx or 3xx responses: 17\n",
        ] {
            let error = parse(&format!("{REPORT}{line}")).unwrap_err().to_string();
            assert!(error.contains(line.trim()), "{error}");
        }
    }

    #[test]
    fn a_cut_report_is_an_error() {
        assert!(parse("").is_err());
        assert!(parse(&REPORT.replace("99%", "98%")).is_err());
        assert!(latency("3").is_err());
        assert!(latency("3parsecs").is_err());
    }
}
