//! Queries, shared lookups and limits, with scripted answers and a paused clock.

use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

use tokio::sync::{oneshot, watch};

use super::*;

/// Answers from a script once the gate is open; counts the lookups.
#[derive(Clone)]
struct Script {
    gate: watch::Receiver<bool>,
    asked: Arc<AtomicUsize>,
    answers: Arc<Mutex<HashMap<String, Vec<IpAddr>>>>,
}

impl Source for Script {
    async fn look_up(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.gate
            .clone()
            .wait_for(|open| *open)
            .await
            .expect("the gate outlives the test");
        let found = self
            .answers
            .lock()
            .expect("not poisoned")
            .get(name)
            .cloned();
        found.ok_or_else(|| io::Error::other("no such name"))
    }
}

struct Bench {
    names: Names,
    gate: watch::Sender<bool>,
    asked: Arc<AtomicUsize>,
}

fn bench(open: bool) -> Bench {
    let (gate, seen) = watch::channel(open);
    let asked = Arc::new(AtomicUsize::new(0));
    let answers = HashMap::from([("a.test".to_owned(), vec![IpAddr::from([10, 0, 0, 1])])]);
    let script = Script {
        gate: seen,
        asked: asked.clone(),
        answers: Arc::new(Mutex::new(answers)),
    };
    let (queue, queries) = mpsc::channel(QUERIES_MAX);
    tokio::spawn(Desk::new(script).run(queries));
    Bench {
        names: Names { queue },
        gate,
        asked,
    }
}

fn ask(names: &Names, name: &str) -> oneshot::Receiver<Answer> {
    let (tx, rx) = oneshot::channel();
    let reply = Box::new(move |answer| drop(tx.send(answer)));
    names
        .submit(Query {
            name: name.to_owned(),
            reply,
        })
        .expect("the queue has room");
    rx
}

#[tokio::test(start_paused = true)]
async fn queries_for_one_name_share_one_lookup() {
    let bench = bench(false);
    let answers: Vec<_> = (0..100).map(|_| ask(&bench.names, "a.test")).collect();
    bench.gate.send_replace(true);
    for answer in answers {
        let found = answer.await.expect("answered").expect("resolves");
        assert_eq!(&*found.addresses, &[IpAddr::from([10, 0, 0, 1])]);
    }
    assert_eq!(bench.asked.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_asked_again_after_its_time() {
    let bench = bench(true);
    let first = ask(&bench.names, "a.test")
        .await
        .expect("answered")
        .expect("resolves");
    assert_eq!(first.ttl, ANSWER_TTL);
    tokio::time::advance(ANSWER_TTL / 2).await;
    let second = ask(&bench.names, "a.test")
        .await
        .expect("answered")
        .expect("resolves");
    assert!(second.ttl <= ANSWER_TTL / 2);
    assert_eq!(bench.asked.load(Ordering::Relaxed), 1);
    tokio::time::advance(ANSWER_TTL).await;
    ask(&bench.names, "a.test")
        .await
        .expect("answered")
        .expect("resolves");
    assert_eq!(bench.asked.load(Ordering::Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn a_failure_says_why_and_is_soon_tried_again() {
    let bench = bench(true);
    let failed = ask(&bench.names, "none.test").await.expect("answered");
    assert_eq!(failed, Err(LookupError::Failed("no such name".into())));
    tokio::time::advance(FAILURE_TTL).await;
    ask(&bench.names, "none.test")
        .await
        .expect("answered")
        .expect_err("fails again");
    assert_eq!(bench.asked.load(Ordering::Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn a_lookup_that_never_answers_times_out() {
    let bench = bench(false);
    let answer = ask(&bench.names, "a.test").await.expect("answered");
    assert_eq!(answer, Err(LookupError::TimedOut));
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_refuses_and_forgets_nothing() {
    let bench = bench(false);
    // The desk stops taking queries at LOOKUPS_MAX running lookups, then the queue fills.
    let mut waiting = Vec::new();
    let mut refused = false;
    for i in 0..LOOKUPS_MAX + QUERIES_MAX + 1 {
        let (tx, rx) = oneshot::channel();
        let reply = Box::new(move |answer| drop(tx.send(answer)));
        match bench.names.submit(Query {
            name: format!("{i}.test"),
            reply,
        }) {
            Ok(()) => waiting.push(rx),
            Err(Full) => refused = true,
        }
        tokio::task::yield_now().await;
    }
    assert!(refused);
    bench.gate.send_replace(true);
    for answer in waiting {
        answer
            .await
            .expect("every accepted query is answered")
            .expect_err("unknown name");
    }
}

#[tokio::test]
async fn an_address_literal_resolves_to_itself() {
    let names = Names::start();
    let found = ask(&names, "127.0.0.1")
        .await
        .expect("answered")
        .expect("resolves");
    assert_eq!(&*found.addresses, &[IpAddr::from([127, 0, 0, 1])]);
}
