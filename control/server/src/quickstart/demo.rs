//! The demo upstream: it answers with what it was asked, and has a page for the browser.
//!
//! Limits: it listens on loopback only, ignores bodies, and lives as long as the runtime.

use std::{convert::Infallible, net::Ipv4Addr};

use anyhow::{Context, Result};
use axum::http::{Request, Response, header};
use http_body_util::Full;
use hyper::{
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const PICTURE: &str = include_str!("page.svg");

/// Starts one on a free port of loopback, in the current runtime; answers the port.
pub(super) async fn start(name: &'static str) -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .context("cannot listen for the demo upstream")?;
    let port = listener
        .local_addr()
        .context("cannot listen for the demo upstream")?
        .port();
    tokio::spawn(serve(listener, name));
    Ok(port)
}

async fn serve(listener: TcpListener, name: &'static str) {
    // A failed accept is the client's trouble; the next one may succeed.
    loop {
        if let Ok((stream, _)) = listener.accept().await {
            let service =
                service_fn(
                    move |request| async move { Ok::<_, Infallible>(answer(name, &request)) },
                );
            let io = TokioIo::new(stream);
            tokio::spawn(http1::Builder::new().serve_connection(io, service));
        }
    }
}

fn answer(name: &str, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    match request.uri().path() {
        "/page" | "/page/" => of_kind("text/html; charset=utf-8", PAGE.to_owned()),
        "/page/style.css" => of_kind("text/css", STYLE.to_owned()),
        "/page/picture.svg" => of_kind("image/svg+xml", PICTURE.to_owned()),
        _ => of_kind("application/json", echo(name, request)),
    }
}

fn echo(name: &str, request: &Request<Incoming>) -> String {
    let headers = request.headers().iter().map(|(name, value)| {
        (
            name.to_string(),
            Value::from(String::from_utf8_lossy(value.as_bytes())),
        )
    });
    let told = json!({
        "upstream": name,
        "method": request.method().as_str(),
        "path": request.uri().to_string(),
        "headers": headers.collect::<Map<_, _>>(),
    });
    format!("{told:#}\n")
}

fn of_kind(kind: &'static str, text: String) -> Response<Full<Bytes>> {
    Response::builder()
        .header(header::CONTENT_TYPE, kind)
        .body(Full::from(text))
        .expect("a constant header is valid")
}
