//! Log lines: one event, one line, in the layout of Kong's error log.
//!
//! `2026/11/23 16:18:04 [warn] 4711#shard-0: message`: the time is UTC, the thread's name follows the
//! process id. Control characters in a message are escaped, so that no client can forge a line.
//!
//! tracing has five levels, Kong eight: TRACE is `debug`, DEBUG `info`, INFO `notice`, WARN
//! `warn`, ERROR `error`; a `log_level` above `error` shows errors. Crates that are not ours speak
//! from `warn` on.

use std::{
    fmt::{self, Write as _},
    fs::{File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result};
use silverback_schema::conf::LogLevel;
use tracing::{Event, Level, Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{
    filter::Targets,
    fmt::{FmtContext, FormatEvent, FormatFields, MakeWriter, format::Writer},
    layer::SubscriberExt,
    registry::LookupSpan,
    reload,
    util::SubscriberInitExt,
};

/// The running log: where it goes, and how much.
#[derive(Clone)]
pub(crate) struct Log {
    sink: Sink,
    level: reload::Handle<Targets, tracing_subscriber::Registry>,
}

impl Log {
    /// Starts logging to a file, or to stderr. Once per process.
    pub(crate) fn start(file: Option<&Path>, level: LogLevel) -> Result<Self> {
        let sink = match file {
            Some(path) => Sink::file(path)?,
            None => Sink::Stderr,
        };
        let (filter, handle) = reload::Layer::new(targets(level));
        let lines = tracing_subscriber::fmt::layer()
            .with_ansi(false)
            .event_format(Line)
            .with_writer(sink.clone());
        tracing_subscriber::registry()
            .with(filter)
            .with(lines)
            .try_init()?;
        Ok(Self {
            sink,
            level: handle,
        })
    }

    /// Changes how much is logged.
    pub(crate) fn set_level(&self, level: LogLevel) {
        if self.level.reload(targets(level)).is_err() {
            tracing::error!("the log level could not be changed");
        }
    }

    /// Opens the file again, after it was renamed.
    pub(crate) fn reopen(&self) {
        if let Err(e) = self.sink.reopen() {
            tracing::error!("the log file could not be opened again, the old one goes on: {e}");
        }
    }
}

fn targets(level: LogLevel) -> Targets {
    let ours = match level {
        LogLevel::Debug => LevelFilter::TRACE,
        LogLevel::Info => LevelFilter::DEBUG,
        LogLevel::Notice => LevelFilter::INFO,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Error | LogLevel::Crit | LogLevel::Alert | LogLevel::Emerg => LevelFilter::ERROR,
    };
    Targets::new()
        .with_default(ours.min(LevelFilter::WARN))
        .with_target("silverback", ours)
}

/// Warns on stderr in the layout of the log: for commands that have none.
pub(crate) fn warn_on_terminal(message: &str) {
    eprintln!("{} [warn] {}", Stamp(SystemTime::now()), one_line(message));
}

/// An error with its causes as one line; a cause that an outer text already tells is left out.
pub(crate) fn told(error: &anyhow::Error) -> String {
    let mut line = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if line.is_empty() {
            line = cause;
        } else if !line.contains(&cause) {
            line = format!("{line}: {cause}");
        }
    }
    one_line(&line)
}

/// The text without control characters.
pub(crate) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => line.push_str("\\n"),
            c if c.is_control() => line.extend(c.escape_default()),
            c => line.push(c),
        }
    }
    line
}

/// Where lines go.
#[derive(Clone)]
enum Sink {
    Stderr,
    File(Arc<(PathBuf, Mutex<File>)>),
}

impl Sink {
    fn file(path: &Path) -> Result<Self> {
        let file =
            open(path).with_context(|| format!("cannot write the log file {}", path.display()))?;
        Ok(Self::File(Arc::new((path.to_owned(), Mutex::new(file)))))
    }

    fn reopen(&self) -> io::Result<()> {
        if let Self::File(target) = self {
            let (path, file) = target.as_ref();
            let fresh = open(path)?;
            *file.lock().unwrap_or_else(PoisonError::into_inner) = fresh;
        }
        Ok(())
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).open(path)
}

impl Write for Sink {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stderr => io::stderr().write(line),
            Self::File(target) => target
                .1
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .write(line),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Sink {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// The layout of a line.
struct Line;

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut message = String::new();
        context
            .field_format()
            .format_fields(Writer::new(&mut message), event)?;
        let level = match *event.metadata().level() {
            Level::ERROR => "error",
            Level::WARN => "warn",
            Level::INFO => "notice",
            Level::DEBUG => "info",
            Level::TRACE => "debug",
        };
        let thread = std::thread::current();
        let thread = thread.name().unwrap_or("-");
        let pid = std::process::id();
        let stamp = Stamp(SystemTime::now());
        writeln!(
            writer,
            "{stamp} [{level}] {pid}#{thread}: {}",
            one_line(&message)
        )
    }
}

/// A time as `YYYY/MM/DD HH:MM:SS`, UTC.
struct Stamp(SystemTime);

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let since = self
            .0
            .duration_since(UNIX_EPOCH)
            .unwrap_or(Duration::ZERO)
            .as_secs();
        let (year, month, day) = date(since / 86_400);
        let (hour, minute, second) = (since / 3600 % 24, since / 60 % 60, since % 60);
        let mut text = String::with_capacity(19);
        write!(
            text,
            "{year:04}/{month:02}/{day:02} {hour:02}:{minute:02}:{second:02}"
        )?;
        f.write_str(&text)
    }
}

/// Year, month and day of a day counted from 1970-01-01 (Gregorian calendar).
fn date(days: u64) -> (u64, u64, u64) {
    // Years that begin in March put the leap day last; 719,468 days lie before 1970-01-01.
    let day = days + 719_468;
    let (era, day_of_era) = (day / 146_097, day % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    (
        era * 400 + year_of_era + u64::from(month <= 2),
        month,
        day_of_month,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(seconds: u64) -> String {
        Stamp(UNIX_EPOCH + Duration::from_secs(seconds)).to_string()
    }

    #[test]
    fn times_are_written_as_kong_writes_them() {
        assert_eq!(stamp(0), "1970/01/01 00:00:00");
        assert_eq!(stamp(951_782_399), "2000/02/28 23:59:59");
        assert_eq!(stamp(951_782_400), "2000/02/29 00:00:00");
        assert_eq!(stamp(1_735_689_599), "2024/12/31 23:59:59");
        assert_eq!(stamp(4_107_542_400), "2100/03/01 00:00:00");
    }

    #[test]
    fn a_message_stays_on_its_line() {
        assert_eq!(one_line("a\nb\u{1b}[31m"), "a\\nb\\u{1b}[31m");
    }

    #[test]
    fn a_cause_is_told_once() {
        let error = anyhow::anyhow!("disk full").context("cannot write: disk full");
        assert_eq!(told(&error), "cannot write: disk full");
        let error = anyhow::anyhow!("disk full").context("cannot write");
        assert_eq!(told(&error), "cannot write: disk full");
    }

    #[test]
    fn kongs_levels_become_tracings() {
        let shown = |level, event| targets(level).would_enable("silverback_proxy::shard", &event);
        assert!(shown(LogLevel::Notice, Level::INFO) && !shown(LogLevel::Notice, Level::DEBUG));
        assert!(shown(LogLevel::Emerg, Level::ERROR) && !shown(LogLevel::Emerg, Level::WARN));
        assert!(!targets(LogLevel::Debug).would_enable("hyper::proto", &Level::DEBUG));
    }
}
