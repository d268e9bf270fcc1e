//! What the agent applies, refuses and keeps.

use std::{
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
};

use silverback_schema::snapshot::StoreOptions;

use super::*;

const ONE: &str = "_format_version: '3.0'\nservices: [{name: one, url: 'http://one.test'}]\n";
const TWO: &str = "_format_version: '3.0'\nservices: [{name: two, url: 'http://two.test'}]\n";
const WRONG: &str = "_format_version: '3.0'\nservices: [{name: wrong}]\n";

fn open(path: &Path) -> Arc<Store> {
    let opened = Store::open(path, &StoreOptions::default()).expect("a scratch directory");
    Arc::new(opened.store)
}

fn scratch() -> (tempfile::TempDir, Arc<Store>) {
    let directory = tempfile::tempdir().expect("a scratch directory");
    let store = open(&directory.path().join("store"));
    (directory, store)
}

fn text(text: &str) -> Request {
    Request {
        input: Input::Text(text.into(), None),
        source: "a test".to_owned(),
        turn: Turn::Now,
        unless_running: false,
        flatten: false,
    }
}

fn hash(outcome: Result<Outcome, ApplyError>) -> String {
    match outcome {
        Ok(Outcome::Accepted(accepted)) => accepted.config.hash,
        Ok(Outcome::Unchanged) => panic!("it is taken for the running one"),
        Err(e) => panic!("{e}"),
    }
}

#[tokio::test]
async fn an_accepted_configuration_is_the_running_one() {
    let (_directory, store) = scratch();
    let agent = Agent::new(store.clone(), None, Arc::default());
    assert_eq!(agent.running_hash(), EMPTY_HASH);
    let accepted = hash(agent.apply(text(ONE)).await);
    assert_eq!(agent.running_hash(), accepted);
    let meta = store.meta().expect("readable");
    assert_eq!(
        (meta.config_hash, meta.source.as_str()),
        (accepted, "a test")
    );
}

#[tokio::test]
async fn a_refused_configuration_leaves_the_running_one() {
    let (_directory, store) = scratch();
    let agent = Agent::new(store.clone(), None, Arc::default());
    let running = hash(agent.apply(text(ONE)).await);
    let refused = agent.apply(text(WRONG)).await;
    assert!(matches!(refused, Err(ApplyError::Invalid(_))));
    assert_eq!(agent.running_hash(), running);
    assert_eq!(store.meta().expect("readable").config_hash, running);
}

#[tokio::test]
async fn the_running_text_is_not_applied_again_when_asked_so() {
    let (_directory, store) = scratch();
    let agent = Agent::new(store.clone(), None, Arc::default());
    hash(agent.apply(text(ONE)).await);
    let again = Request {
        unless_running: true,
        ..text(ONE)
    };
    assert!(matches!(agent.apply(again).await, Ok(Outcome::Unchanged)));
    let other = Request {
        unless_running: true,
        ..text(TWO)
    };
    assert_eq!(hash(agent.apply(other).await), agent.running_hash());
}

#[tokio::test]
async fn one_configuration_is_applied_at_a_time() {
    let (_directory, store) = scratch();
    let agent = Agent::new(store, None, Arc::default());
    let held = agent
        .turn
        .clone()
        .acquire_owned()
        .await
        .expect("never closed");
    assert!(matches!(
        agent.apply(text(ONE)).await,
        Err(ApplyError::Busy)
    ));
    let waiting = agent.apply(Request {
        turn: Turn::Wait,
        ..text(ONE)
    });
    let (outcome, ()) = tokio::join!(waiting, async { drop(held) });
    hash(outcome);
}

#[tokio::test]
async fn a_declarative_file_is_read_again_each_time() {
    let (directory, store) = scratch();
    let agent = Agent::new(store, None, Arc::default());
    let path = directory.path().join("kong.yml");
    let declared = || Request {
        input: Input::Declared(Declared::File(path.clone())),
        ..text("")
    };
    let missing = agent
        .apply(declared())
        .await
        .err()
        .expect("there is no file")
        .to_string();
    assert!(
        missing.contains("kong.yml") && missing.contains("declarative_config"),
        "{missing}"
    );
    std::fs::write(&path, ONE).expect("writable");
    let first = hash(agent.apply(declared()).await);
    std::fs::write(&path, TWO).expect("writable");
    assert_ne!(hash(agent.apply(declared()).await), first);
    std::fs::write(&path, WRONG).expect("writable");
    let refused = agent
        .apply(declared())
        .await
        .err()
        .expect("it is wrong")
        .to_string();
    assert!(
        refused.contains("kong.yml") && refused.contains("host"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_commit_rings_the_shards() {
    let (_directory, store) = scratch();
    let rings = Arc::new(AtomicUsize::new(0));
    let rung = rings.clone();
    store.set_waker(Box::new(move || {
        rung.fetch_add(1, Ordering::Relaxed);
    }));
    let agent = Agent::new(store, None, Arc::default());
    hash(agent.apply(text(ONE)).await);
    assert!(rings.load(Ordering::Relaxed) > 0);
}
