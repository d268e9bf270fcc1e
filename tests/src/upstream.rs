//! An echo upstream: it answers with JSON of what it was asked, on kept-alive connections.
//!
//! Paths that contain `/hold` wait until [`Upstream::release`], so that a test can have a request in
//! flight for as long as it needs.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread,
};

use serde_json::{Map, Value, json};

/// A running upstream. Its threads end with the test process.
#[derive(Debug)]
pub struct Upstream {
    /// Its port on loopback.
    pub port: u16,
    gate: Arc<Gate>,
}

#[derive(Debug, Default)]
struct Gate {
    state: Mutex<Held>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Held {
    is_open: bool,
    waiting: usize,
}

impl Upstream {
    /// Starts one; `name` is told in its answers.
    ///
    /// # Panics
    ///
    /// The system has no free port.
    pub fn start(name: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("the system has a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let gate = Arc::new(Gate::default());
        let (name, shared) = (name.to_owned(), gate.clone());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (name, gate) = (name.clone(), shared.clone());
                // A connection that breaks is a test's business only through its answers.
                thread::spawn(move || drop(converse(stream, &name, &gate)));
            }
        });
        Self { port, gate }
    }

    /// Waits until a request is being held.
    ///
    /// # Panics
    ///
    /// None came in time.
    pub fn wait_until_held(&self) {
        crate::wait::until("a request to hold", || {
            let held = self
                .gate
                .state
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            (held.waiting > 0).then_some(())
        });
    }

    /// Lets held requests go, and all later ones.
    pub fn release(&self) {
        self.gate
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_open = true;
        self.gate.changed.notify_all();
    }
}

impl Gate {
    fn pass(&self) {
        let mut held = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        held.waiting += 1;
        while !held.is_open {
            held = self
                .changed
                .wait(held)
                .unwrap_or_else(PoisonError::into_inner);
        }
        held.waiting -= 1;
    }
}

fn converse(stream: TcpStream, name: &str, gate: &Gate) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    while let Some(request) = read(&mut reader)? {
        if request.path.contains("/hold") {
            gate.pass();
        }
        let told = json!({
            "upstream": name,
            "method": request.method,
            "path": request.path,
            "headers": request.headers,
            "body": String::from_utf8_lossy(&request.body),
        })
        .to_string();
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length:";
        let length = told.len();
        let body = if request.method == "HEAD" { "" } else { &told };
        let answer = format!("{head} {length}\r\n\r\n{body}");
        reader.get_mut().write_all(answer.as_bytes())?;
    }
    Ok(())
}

struct Request {
    method: String,
    path: String,
    headers: Map<String, Value>,
    body: Vec<u8>,
}

fn read(reader: &mut BufReader<TcpStream>) -> io::Result<Option<Request>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, path) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    let (mut headers, mut length) = (Map::new(), 0);
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        let name = name.to_ascii_lowercase();
        if name == "content-length" {
            length = value.trim().parse().map_err(io::Error::other)?;
        }
        headers.insert(name, Value::from(value.trim()));
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Some(Request {
        method,
        path,
        headers,
        body,
    }))
}
