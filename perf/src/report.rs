//! The report, as Markdown that also reads well in a terminal.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::time::Duration;

use crate::fact::Facts;
use crate::option::Options;
use crate::round::{Sample, Series};
use crate::strace::Count;

/// Rarer calls than this per request are summed up in one row.
const CALLS_SHOWN_MIN: f64 = 0.005;

/// All that a run found out. The last series is nginx, to which the others are compared.
pub(crate) struct Report {
    pub(crate) facts: Facts,
    pub(crate) options: Options,
    pub(crate) samples: Vec<Series>,
    pub(crate) syscalls: Vec<(String, Count)>,
}

/// Median and extremes of ratios taken round by round.
#[derive(Debug, PartialEq)]
struct Ratio {
    median: f64,
    min: f64,
    max: f64,
}

impl Report {
    /// A name that sorts by time and tells the body size and the commit.
    pub(crate) fn file_name(&self) -> String {
        format!(
            "{}-{}b-{}.md",
            self.facts.time, self.options.body_bytes, self.facts.commit
        )
    }

    /// The median ratio of the first contestant to nginx.
    pub(crate) fn ratio_of_subject(&self) -> Option<f64> {
        let (_, subject) = self.samples.first()?;
        let (_, nginx) = self.samples.last()?;
        Some(pairwise(subject, nginx)?.median)
    }

    pub(crate) fn to_markdown(&self) -> String {
        let options = &self.options;
        let mut text = format!(
            "# GET {} bytes, {} kept-alive connections, one worker\n\n\
             {} rounds of {} s for each contestant in turn, after one that was dropped; medians. The load \
             generator is wrk (one thread, closed loop).\nProxy on core 0; wrk and the upstream on \
             core 1. Latencies are those at saturation: compare, do not quote.\n\n",
            options.body_bytes,
            options.connections,
            options.rounds - 1,
            options.turn.as_secs(),
        );
        text.push_str(&table(&self.figure_rows()));
        if !self.syscalls.is_empty() {
            text.push_str("\nSystem calls per request, counted by strace in a run of its own:\n\n");
            text.push_str(&table(&self.syscall_rows()));
        }
        text.push_str("\n| fact | value |\n|---|---|\n");
        for (label, value) in &self.facts.rows {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "| {label} | {value} |");
        }
        text
    }

    fn figure_rows(&self) -> Vec<Vec<String>> {
        let header = [
            "contestant",
            "requests/CPU-s",
            "x nginx (min-max)",
            "requests/s",
            "core used",
            "p50",
            "p99",
        ];
        let mut rows = vec![header.map(String::from).to_vec()];
        let Some((_, nginx)) = self.samples.last() else {
            return rows;
        };
        for (name, samples) in &self.samples {
            let micros = |pick: fn(&Sample) -> Duration| {
                median(
                    samples
                        .iter()
                        .map(|sample| pick(sample).as_secs_f64() * 1e6),
                )
            };
            rows.push(vec![
                name.clone(),
                format!(
                    "{:.0}",
                    median(samples.iter().map(|s| s.requests_per_cpu_second))
                ),
                pairwise(samples, nginx).map_or_else(String::new, |ratio| ratio.to_string()),
                format!(
                    "{:.0}",
                    median(samples.iter().map(|s| s.load.requests_per_second))
                ),
                format!(
                    "{:.0} %",
                    median(samples.iter().map(|s| s.core_share * 100.0))
                ),
                format!("{:.0} us", micros(|sample| sample.load.p50)),
                format!("{:.0} us", micros(|sample| sample.load.p99)),
            ]);
        }
        rows
    }

    fn syscall_rows(&self) -> Vec<Vec<String>> {
        let mut header = vec!["call".to_owned()];
        header.extend(self.syscalls.iter().map(|(name, _)| name.clone()));
        let mut rows = vec![header];
        let counts = || self.syscalls.iter().map(|(_, count)| count);
        let names: BTreeSet<&String> = counts().flat_map(|count| count.calls.keys()).collect();
        let (shown, rare): (Vec<&String>, Vec<&String>) = names
            .into_iter()
            .partition(|name| counts().any(|count| count.per_request(name) >= CALLS_SHOWN_MIN));
        for name in shown {
            rows.push(syscall_row(
                name,
                counts().map(|count| count.per_request(name)),
            ));
        }
        let rest = |count: &Count| rare.iter().map(|name| count.per_request(name)).sum();
        rows.push(syscall_row("others", counts().map(rest)));
        rows.push(syscall_row("total", counts().map(Count::total_per_request)));
        rows
    }
}

fn syscall_row(name: &str, figures: impl Iterator<Item = f64>) -> Vec<String> {
    [name.to_owned()]
        .into_iter()
        .chain(figures.map(|figure| format!("{figure:.2}")))
        .collect()
}

impl std::fmt::Display for Ratio {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "{:.2} ({:.2}-{:.2})",
            self.median, self.min, self.max
        )
    }
}

/// Compares two contestants round by round, so that drift between rounds cancels out.
fn pairwise(subject: &[Sample], base: &[Sample]) -> Option<Ratio> {
    let ratios: Vec<f64> = subject
        .iter()
        .zip(base)
        .map(|(subject, base)| subject.requests_per_cpu_second / base.requests_per_cpu_second)
        .collect();
    Some(Ratio {
        min: ratios.iter().copied().reduce(f64::min)?,
        max: ratios.iter().copied().reduce(f64::max)?,
        median: median(ratios.into_iter()),
    })
}

/// The middle value, or the mean of the two in the middle; of nothing, not a number.
fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        length if length % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}

/// A Markdown table with aligned columns; the first row is its header.
fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &[String]| {
        let cells = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!(" {cell:width$} |"));
        format!("|{}\n", cells.collect::<String>())
    };
    let rule: String = widths
        .iter()
        .map(|width| format!("{}|", "-".repeat(width + 2)))
        .collect();
    let mut text = String::new();
    for (index, row) in rows.iter().enumerate() {
        text.push_str(&line(row));
        if index == 0 {
            text.push_str(&format!("|{rule}\n"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wrk::Load;

    fn sample(requests_per_cpu_second: f64) -> Sample {
        let load = Load {
            requests: 1,
            requests_per_second: 1.0,
            p50: Duration::from_micros(1),
            p99: Duration::from_micros(2),
        };
        Sample {
            requests_per_cpu_second,
            core_share: 1.0,
            load,
        }
    }

    #[test]
    fn the_median_of_an_even_number_lies_between() {
        assert!((median([3.0, 1.0, 2.0].into_iter()) - 2.0).abs() < 1e-9);
        assert!((median([4.0, 1.0, 2.0, 3.0].into_iter()) - 2.5).abs() < 1e-9);
        assert!(median(std::iter::empty()).is_nan());
    }

    #[test]
    fn ratios_are_taken_within_a_round() {
        // The machine slowed down to a half: neither contestant changed.
        let subject = [sample(150.0), sample(75.0)];
        let base = [sample(100.0), sample(50.0)];
        let ratio = pairwise(&subject, &base).unwrap();
        assert_eq!(
            ratio,
            Ratio {
                median: 1.5,
                min: 1.5,
                max: 1.5
            }
        );
        assert_eq!(pairwise(&[], &[]), None);
    }

    #[test]
    fn a_table_is_aligned() {
        let rows = [["a", "long"], ["longer", "b"]].map(|row| row.map(String::from).to_vec());
        let expected = "| a      | long |\n|--------|------|\n| longer | b    |\n";
        assert_eq!(table(&rows), expected);
    }
}
