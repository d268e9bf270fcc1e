//! `quickstart --check`: sends the examples, shows the answers, and judges them.

use std::{net::Ipv4Addr, time::Duration};

use anyhow::{Context, Result, bail};
use axum::http::{Request, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::{body::Bytes, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, time::timeout};

use super::{
    Ports,
    example::{self, Example},
};

/// Longest wait for all answers of one example.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(10);

/// Longest answer that is read.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// An answer as far as it is judged.
struct Answer {
    status: u16,
    body: String,
}

/// Sends every example.
///
/// # Errors
///
/// At least one answer was not as expected; which ones has been printed.
pub(super) async fn run(ports: Ports) -> Result<()> {
    let examples = example::all();
    let mut wrong = 0;
    for example in &examples {
        println!("# {}\n$ {}", example.what, example.curl(ports));
        let problem = match timeout(ANSWER_TIME_MAX, send(example, ports)).await {
            Err(_) => Some("no answer in time".to_owned()),
            Ok(Err(e)) => Some(crate::log::told(&e)),
            Ok(Ok(answers)) => {
                for answer in &answers {
                    println!("{}\n{}", answer.status, answer.body.trim_end());
                }
                judge(example, &answers)
            }
        };
        match problem {
            None => println!("-> as expected\n"),
            Some(problem) => {
                wrong += 1;
                println!("-> WRONG: {problem}\n");
            }
        }
    }
    if wrong > 0 {
        bail!(
            "{wrong} of {} examples were answered wrongly, see above",
            examples.len()
        );
    }
    println!("All {} examples were answered as expected.", examples.len());
    Ok(())
}

fn judge(example: &Example, answers: &[Answer]) -> Option<String> {
    for answer in answers {
        if answer.status != example.status {
            return Some(format!(
                "status {} instead of {}",
                answer.status, example.status
            ));
        }
        if let Some(missing) = example.contains.iter().find(|t| !answer.body.contains(**t)) {
            return Some(format!("the body lacks {missing}"));
        }
    }
    let together = |text: &&&str| answers.iter().any(|a| a.body.contains(**text));
    let missing = example.together.iter().find(|t| !together(t));
    missing.map(|text| format!("no body has {text}"))
}

async fn send(example: &Example, ports: Ports) -> Result<Vec<Answer>> {
    let port = example.to.port(ports);
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))
        .await
        .context("cannot connect")?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let host = example
        .host
        .map_or_else(|| format!("127.0.0.1:{port}"), str::to_owned);
    let mut answers = Vec::new();
    for _ in 0..example.times {
        let request = Request::builder()
            .method(example.method)
            .uri(example.path)
            .header(header::HOST, &host)
            .body(Empty::<Bytes>::new())?;
        sender.ready().await?;
        let answer = sender.send_request(request).await?;
        let status = answer.status().as_u16();
        let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX)
            .collect()
            .await;
        let body = body
            .map_err(|e| anyhow::anyhow!("the body broke off: {e}"))?
            .to_bytes();
        answers.push(Answer {
            status,
            body: String::from_utf8_lossy(&body).into_owned(),
        });
    }
    Ok(answers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer {
            status,
            body: body.to_owned(),
        }
    }

    #[test]
    fn a_wrong_answer_is_found() {
        let examples = example::all();
        let balanced = examples
            .iter()
            .find(|e| e.times == 2)
            .expect("one is sent twice");
        let (blue, green) = (r#""upstream": "blue""#, r#""upstream": "green""#);
        assert_eq!(
            judge(balanced, &[answer(200, blue), answer(200, green)]),
            None
        );
        assert!(judge(balanced, &[answer(200, blue), answer(200, blue)]).is_some());
        assert!(judge(balanced, &[answer(200, blue), answer(502, green)]).is_some());
        let missing = examples
            .iter()
            .find(|e| e.status == 404)
            .expect("one finds no route");
        assert!(judge(missing, &[answer(404, "nothing here")]).is_some());
    }
}
