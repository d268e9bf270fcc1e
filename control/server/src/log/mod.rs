//! The error log: how much is logged, where it goes, and how a line looks.
//!
//! | module | owns |
//! |---|---|
//! | `line` | the layout of a line, as text and as JSON |
//! | `sink` | the file or stream; whether it is the journal |
//!
//! tracing has five levels, Kong eight: TRACE is `debug`, DEBUG `info`, INFO `notice`, WARN
//! `warn`, ERROR `error`; a `log_level` above `error` shows errors. Crates that are not ours speak
//! from `warn` on.

mod line;
mod sink;

use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::Result;
use silverback_admin::LogLevels;
use silverback_schema::conf::{ErrorLogFormat, LogLevel};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::{
    Registry, filter::Targets, layer::SubscriberExt, reload, util::SubscriberInitExt,
};

use line::{Layout, Line};
pub(crate) use line::{one_line, stamp};
use sink::Sink;

/// The running log: where it goes, and how much.
#[derive(Clone)]
pub(crate) struct Log {
    sink: Sink,
    level: Arc<Level>,
}

/// How much is logged.
struct Level {
    filter: reload::Handle<Targets, Registry>,
    state: Mutex<LevelState>,
}

#[derive(Clone, Copy)]
struct LevelState {
    configured: LogLevel,
    /// A level for a while, and how many of them there were.
    temporary: Option<LogLevel>,
    temporaries: u64,
}

impl LevelState {
    fn current(self) -> LogLevel {
        self.temporary.unwrap_or(self.configured)
    }
}

impl Log {
    /// Starts logging to a file, or to stderr. Once per process.
    pub(crate) fn start(
        file: Option<&Path>,
        level: LogLevel,
        format: ErrorLogFormat,
    ) -> Result<Self> {
        let sink = match file {
            Some(path) => Sink::file(path)?,
            None => Sink::stderr(),
        };
        let (filter, handle) = reload::Layer::new(targets(level));
        let layout = Layout {
            format,
            is_journal: sink.is_journal(),
        };
        let lines = tracing_subscriber::fmt::layer()
            .with_ansi(false)
            .event_format(Line(layout))
            .with_writer(sink.clone());
        tracing_subscriber::registry()
            .with(filter)
            .with(lines)
            .try_init()?;
        Ok(Self {
            sink,
            level: Arc::new(Level::new(handle, level)),
        })
    }

    /// Changes the configured level. One that was set for a while stays until its time is over.
    pub(crate) fn configure_level(&self, level: LogLevel) {
        self.level.change(|state| state.configured = level);
    }

    /// Opens the file again, after it was renamed.
    pub(crate) fn reopen(&self) {
        if let Err(e) = self.sink.reopen() {
            tracing::error!("the log file could not be opened again, the old one goes on: {e}");
        }
    }
}

impl LogLevels for Log {
    fn level(&self) -> LogLevel {
        self.level.state().current()
    }

    /// Within a runtime.
    fn set_level(&self, level: LogLevel, time: Duration) {
        if time.is_zero() {
            self.level.change(|state| state.temporary = None);
            return;
        }
        let number = self.level.change(|state| {
            state.temporary = Some(level);
            state.temporaries += 1;
        });
        let shared = Arc::clone(&self.level);
        tokio::spawn(async move {
            tokio::time::sleep(time).await;
            shared.end(number);
        });
    }
}

impl Level {
    fn new(filter: reload::Handle<Targets, Registry>, configured: LogLevel) -> Self {
        Self {
            filter,
            state: Mutex::new(LevelState {
                configured,
                temporary: None,
                temporaries: 0,
            }),
        }
    }

    /// Changes the state, and what is logged with it; returns how many temporary levels there were.
    fn change(&self, change: impl FnOnce(&mut LevelState)) -> u64 {
        let mut state = self.state();
        change(&mut state);
        if self.filter.reload(targets(state.current())).is_err() {
            tracing::error!("the log level could not be changed");
        }
        state.temporaries
    }

    /// Ends the temporary level of that number, unless another one was set since.
    fn end(&self, number: u64) {
        self.change(|state| {
            if state.temporaries == number {
                state.temporary = None;
            }
        });
    }

    fn state(&self) -> MutexGuard<'_, LevelState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_told_once() {
        let error = anyhow::anyhow!("disk full").context("cannot write: disk full");
        assert_eq!(told(&error), "cannot write: disk full");
        let error = anyhow::anyhow!("disk full").context("cannot write");
        assert_eq!(told(&error), "cannot write: disk full");
    }

    #[test]
    fn kongs_levels_become_tracings() {
        use tracing::Level;
        let shown = |level, event| targets(level).would_enable("silverback_proxy::shard", &event);
        assert!(shown(LogLevel::Notice, Level::INFO) && !shown(LogLevel::Notice, Level::DEBUG));
        assert!(shown(LogLevel::Emerg, Level::ERROR) && !shown(LogLevel::Emerg, Level::WARN));
        assert!(!targets(LogLevel::Debug).would_enable("hyper::proto", &Level::DEBUG));
    }

    /// A log whose filter belongs to no subscriber, and that layer, which keeps the filter alive.
    fn log(configured: LogLevel) -> (Log, reload::Layer<Targets, Registry>) {
        let (layer, handle) = reload::Layer::new(targets(configured));
        let log = Log {
            sink: Sink::stderr(),
            level: Arc::new(Level::new(handle, configured)),
        };
        (log, layer)
    }

    fn filter(log: &Log) -> String {
        log.level
            .filter
            .clone_current()
            .expect("it lives")
            .to_string()
    }

    #[tokio::test(start_paused = true)]
    async fn a_level_for_a_while_ends_and_the_configured_one_returns() {
        let (log, _layer) = log(LogLevel::Notice);
        log.set_level(LogLevel::Debug, Duration::from_secs(2));
        assert_eq!(log.level(), LogLevel::Debug);
        assert_eq!(filter(&log), targets(LogLevel::Debug).to_string());
        log.configure_level(LogLevel::Warn);
        assert_eq!(log.level(), LogLevel::Debug, "a reload keeps it");
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert_eq!(log.level(), LogLevel::Warn);
        assert_eq!(filter(&log), targets(LogLevel::Warn).to_string());
    }

    #[tokio::test(start_paused = true)]
    async fn only_the_last_of_several_levels_ends() {
        let (log, _layer) = log(LogLevel::Notice);
        log.set_level(LogLevel::Debug, Duration::from_secs(2));
        log.set_level(LogLevel::Info, Duration::from_secs(10));
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert_eq!(log.level(), LogLevel::Info);
        log.set_level(LogLevel::Debug, Duration::ZERO);
        assert_eq!(log.level(), LogLevel::Notice);
    }
}
