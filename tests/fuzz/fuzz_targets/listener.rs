//! Listener lists: what is understood can be written again and means the same.
//!
//! The first byte of an input chooses the list: http or stream.
#![no_main]

use std::fmt::Write as _;

use libfuzzer_sys::fuzz_target;
use silverback_schema::conf::{KeepAlive, Listener, LoadOptions, load};

fuzz_target!(|input: &[u8]| {
    let Some((&list, text)) = input.split_first() else {
        return;
    };
    let Ok(text) = str::from_utf8(text) else {
        return;
    };
    let is_stream = list & 1 == 1;
    let Some(listeners) = listeners(text, is_stream) else {
        return;
    };
    let http2 = listeners.iter().any(|listener| listener.http2);
    assert!(listeners.iter().all(|listener| listener.http2 == http2));
    let written: Vec<String> = listeners.iter().map(written).collect();
    let written = match &written[..] {
        [] => "off".to_owned(),
        entries => entries.join(", "),
    };
    assert_eq!(
        self::listeners(&written, is_stream),
        Some(listeners),
        "{written}"
    );
});

/// The list that a text says; `None`: none that fits.
fn listeners(text: &str, is_stream: bool) -> Option<Vec<Listener>> {
    let variable = match is_stream {
        false => "KONG_PROXY_LISTEN",
        true => "KONG_STREAM_LISTEN",
    };
    let loaded = load(&LoadOptions {
        environment: &[(variable.to_owned(), text.to_owned())],
        ..LoadOptions::default()
    });
    let config = match loaded {
        Ok(loaded) => loaded.config,
        Err(errors) => {
            assert!(!errors.is_empty());
            return None;
        }
    };
    Some(match is_stream {
        false => config.proxy_listen,
        true => config.stream_listen,
    })
}

fn written(listener: &Listener) -> String {
    let mut text = listener.address.to_string();
    for (is_set, flag) in [
        (listener.ssl, "ssl"),
        (listener.http2, "http2"),
        (listener.udp, "udp"),
        (listener.proxy_protocol, "proxy_protocol"),
        (listener.deferred, "deferred"),
        (listener.bind, "bind"),
        (listener.reuseport, "reuseport"),
    ] {
        if is_set {
            let _ = write!(text, " {flag}");
        }
    }
    let _ = write!(text, " backlog={}", listener.backlog);
    if let Some(only) = listener.ipv6only {
        let _ = write!(text, " ipv6only={}", switch(only));
    }
    if let Some(keepalive) = listener.so_keepalive {
        let _ = write!(text, " so_keepalive={}", probes(keepalive));
    }
    text
}

fn switch(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}

fn probes(keepalive: KeepAlive) -> String {
    let number = |part: Option<u32>| part.map_or(String::new(), |number| number.to_string());
    match keepalive {
        KeepAlive::Off => "off".to_owned(),
        KeepAlive::On => "on".to_owned(),
        KeepAlive::Probes {
            idle,
            interval,
            count,
        } => [number(idle), number(interval), number(count)].join(":"),
    }
}
