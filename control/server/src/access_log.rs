//! The access logs of a node: which formats and files its settings name, and their writers.
//!
//! The shards render and buffer their lines themselves; those of the Admin API are rendered here, by
//! the same formats, and sent to their file one by one.
//!
//! Source: `kong/templates/nginx_kong.lua`; a target is nginx's `path [format [parameter …]]`. Of the
//! parameters `buffer=` and `flush=` are accepted, since lines are buffered anyway.

use std::{
    io::Write as _,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result, anyhow, bail};
use silverback_admin::{AccessLog, Exchange};
use silverback_core::access_log::{Entry, Format, Formats};
use silverback_proxy::{AccessLogConfig, LogFile, Outlet};
use silverback_schema::conf::{LogTarget, NodeConfig};

/// The format of the proxy's lines, where none is named.
const PROXY_FORMAT: &str = "kong_log_format";

/// The format of other listeners' lines, where none is named.
const OTHER_FORMAT: &str = "combined";

/// The Admin API's name, for requests that name none.
const ADMIN_NAME: &str = "kong_admin";
/// The same of the Status API.
const STATUS_NAME: &str = "kong_status";

/// Time that the writers have to write what waits, when the node ends.
const END_TIME_MAX: Duration = Duration::from_secs(2);

/// The access logs of a node.
#[derive(Default)]
pub(crate) struct AccessLogs {
    files: Vec<LogFile>,
    /// That of the shards.
    pub(crate) proxy: Option<AccessLogConfig>,
    /// That of the Admin API.
    pub(crate) admin: Option<Arc<dyn AccessLog>>,
    /// That of the Status API.
    pub(crate) status: Option<Arc<dyn AccessLog>>,
}

/// The access logs that the settings name: key, target, and the usual format.
fn named(config: &NodeConfig) -> [(&'static str, &LogTarget, &'static str); 3] {
    [
        ("proxy_access_log", &config.proxy_access_log, PROXY_FORMAT),
        ("admin_access_log", &config.admin_access_log, OTHER_FORMAT),
        ("status_access_log", &config.status_access_log, OTHER_FORMAT),
    ]
}

/// Checks targets and formats; opens nothing.
///
/// # Errors
///
/// The message names the key, and the format or variable that is not known.
pub(crate) fn check(config: &NodeConfig) -> Result<()> {
    let formats = formats(config)?;
    for (key, target, usual) in named(config) {
        format(&formats, key, target, usual)?;
    }
    for (key, target) in [
        ("proxy_error_log", &config.proxy_error_log),
        ("admin_error_log", &config.admin_error_log),
    ] {
        refuse_syslog(key, target)?;
    }
    Ok(())
}

/// Refuses logs on stdout, which a node in the background does not have.
pub(crate) fn check_for_background(config: &NodeConfig) -> Result<()> {
    let errors = ("proxy_error_log", &config.proxy_error_log, "");
    for (key, target, _) in named(config).into_iter().chain([errors]) {
        if matches!(target, LogTarget::File { path, .. } if path.as_os_str() == "/dev/stdout") {
            bail!(
                "{key} = /dev/stdout: a node in the background has no stdout; set nginx_daemon = \
                 off, or name a file"
            );
        }
    }
    Ok(())
}

impl AccessLogs {
    /// Opens the files and starts their writers.
    ///
    /// # Errors
    ///
    /// Those of [`check`]; a file cannot be written.
    pub(crate) fn open(config: &NodeConfig) -> Result<Self> {
        check(config)?;
        let formats = formats(config)?;
        let mut logs = Self::default();
        let [proxy, admin, status] = named(config);
        logs.proxy = logs.open_one(&formats, proxy)?;
        let admin = logs.open_one(&formats, admin)?;
        logs.admin = admin.map(|log| lines(&log, ADMIN_NAME));
        let status = logs.open_one(&formats, status)?;
        logs.status = status.map(|log| lines(&log, STATUS_NAME));
        Ok(logs)
    }

    fn open_one(
        &mut self,
        formats: &Formats,
        (key, target, usual): (&'static str, &LogTarget, &'static str),
    ) -> Result<Option<AccessLogConfig>> {
        let (LogTarget::File { path, .. }, Some(format)) =
            (target, format(formats, key, target, usual)?)
        else {
            return Ok(None);
        };
        let file = LogFile::open(path)
            .with_context(|| format!("{key}: cannot write {}", path.display()))?;
        let log = AccessLogConfig {
            format,
            file: file.sender().clone(),
        };
        self.files.push(file);
        Ok(Some(log))
    }

    /// Opens the files again, after they were renamed.
    pub(crate) fn reopen(&self) {
        self.files.iter().for_each(LogFile::reopen);
    }

    /// Writes what waits. Nobody logs any more.
    pub(crate) fn finish(self) {
        for file in self.files {
            let path = file.sender().path().to_owned();
            if !file.finish(END_TIME_MAX) {
                let path = path.display();
                tracing::warn!("the last lines of {path} are lost: it does not take them");
            }
        }
    }
}

fn formats(config: &NodeConfig) -> Result<Formats> {
    match &config.nginx_http_log_format {
        None => Ok(Formats::default()),
        Some(declaration) => Formats::with_declared(declaration)
            .map_err(|why| anyhow!("nginx_http_log_format = {declaration}: {why}")),
    }
}

/// The format of a log; `None` when it is off.
fn format(formats: &Formats, key: &str, target: &LogTarget, usual: &str) -> Result<Option<Format>> {
    refuse_syslog(key, target)?;
    let LogTarget::File { format, .. } = target else {
        return Ok(None);
    };
    let mut words = format.as_deref().unwrap_or_default().split_whitespace();
    let name = words.next().unwrap_or(usual);
    if let Some(word) = words.find(|w| !w.starts_with("buffer=") && !w.starts_with("flush=")) {
        bail!("{key} = {target}: {word:?} is not supported; give a path and the name of a format");
    }
    let found = formats.find(name);
    Ok(Some(
        found.map_err(|why| anyhow!("{key} = {target}: {why}"))?,
    ))
}

fn refuse_syslog(key: &str, target: &LogTarget) -> Result<()> {
    match target {
        LogTarget::Syslog(text) => bail!(
            "{key} = {text}: syslog is not supported; name a file, /dev/stdout or /dev/stderr \
             (under systemd these are the journal)"
        ),
        _ => Ok(()),
    }
}

/// Lines of a listener that is no shard's.
struct Lines {
    format: Format,
    server_name: &'static str,
    outlet: Mutex<Outlet>,
}

/// The log of such a listener, for requests that name no host `server_name`.
fn lines(log: &AccessLogConfig, server_name: &'static str) -> Arc<dyn AccessLog> {
    Arc::new(Lines {
        format: log.format.clone(),
        server_name,
        outlet: Mutex::new(Outlet::new(&log.file)),
    })
}

impl AccessLog for Lines {
    fn log(&self, exchange: &Exchange<'_>) {
        let head = head(exchange);
        let entry = Entry {
            head: &head,
            client: exchange.client,
            local: exchange.local,
            server_name: self.server_name,
            connection: 0,
            connection_requests: 0,
            request_id: None,
            status: exchange.status,
            bytes_sent: exchange.body_bytes,
            body_bytes_sent: exchange.body_bytes,
            time: silverback_proxy::now(),
            request_ms: u64::try_from(exchange.elapsed.as_millis()).unwrap_or(u64::MAX),
            route: None,
            upstream: None,
        };
        let mut outlet = self.outlet.lock().unwrap_or_else(PoisonError::into_inner);
        outlet.line(|out| self.format.render(&entry, out));
        outlet.flush();
    }
}

/// The request's head as it may have been sent.
fn head(exchange: &Exchange<'_>) -> Vec<u8> {
    let mut head = Vec::with_capacity(512);
    let (method, target) = (exchange.method, exchange.target);
    // A vector takes all.
    let _ = write!(head, "{method} {target} {:?}\r\n", exchange.version);
    for (name, value) in exchange.headers {
        let _ = write!(head, "{name}: ");
        head.extend_from_slice(value.as_bytes());
        head.extend_from_slice(b"\r\n");
    }
    head
}

#[cfg(test)]
mod tests {
    use silverback_schema::conf::{HTTP_FORMATS, LoadOptions, load};

    use super::*;

    fn checked(settings: &[(&str, &str)]) -> Result<()> {
        let environment: Vec<(String, String)> = settings
            .iter()
            .map(|(key, value)| (format!("KONG_{}", key.to_uppercase()), (*value).to_owned()))
            .collect();
        let options = LoadOptions {
            prefix: Some("/nowhere".into()),
            environment: &environment,
            ..LoadOptions::default()
        };
        check(&load(&options).expect("readable settings").config)
    }

    fn refusal(settings: &[(&str, &str)]) -> String {
        format!("{:#}", checked(settings).expect_err("it is refused"))
    }

    #[test]
    fn known_formats_are_taken() {
        checked(&[]).expect("the defaults");
        checked(&[("proxy_access_log", "logs/a.log json buffer=32k flush=1s")]).expect("built in");
        checked(&[
            ("proxy_access_log", "logs/a.log mine"),
            ("nginx_http_log_format", "mine '$request_id'"),
        ])
        .expect("declared");
        checked(&[("proxy_access_log", "off"), ("admin_access_log", "off")]).expect("off");
    }

    #[test]
    fn every_format_that_settings_may_name_is_built_in() {
        for name in HTTP_FORMATS {
            checked(&[("proxy_access_log", &format!("logs/a.log {name}"))]).expect(name);
        }
    }

    #[test]
    fn a_refusal_names_the_key_and_what_is_not_known() {
        let target = LogTarget::File {
            path: "/nowhere/a.log".into(),
            format: Some("mine".to_owned()),
        };
        let told = format(
            &Formats::default(),
            "proxy_access_log",
            &target,
            PROXY_FORMAT,
        );
        let told = told.expect_err("it is not declared").to_string();
        assert!(
            told.starts_with("proxy_access_log = /nowhere/a.log mine: the format \"mine\""),
            "{told}"
        );
        let told = refusal(&[("nginx_http_log_format", "mine '$nothing'")]);
        assert!(told.starts_with("nginx_http_log_format = mine '$nothing': the variable $nothing"));
        let told = refusal(&[("admin_access_log", "logs/a.log combined gzip")]);
        assert!(told.contains("\"gzip\" is not supported"), "{told}");
        for key in ["proxy_access_log", "proxy_error_log", "status_access_log"] {
            let told = refusal(&[(key, "syslog:server=unix:/dev/log")]);
            assert!(told.starts_with(&format!("{key} = syslog:")), "{told}");
        }
    }
}
