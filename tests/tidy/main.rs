//! Repository rules as tests: what a reviewer would otherwise have to say again and again.
//!
//! Each rule reads the tree or `cargo metadata` and lists every breach with its place. A rule that
//! needs an exception gets it here, by name and with a reason, never by a looser rule.

mod behaviour;
mod dependency;
mod document;
mod module;
mod source;
mod tree;

/// Fails with one line for each breach.
#[track_caller]
fn assert_none(breaches: &[String]) {
    assert!(
        breaches.is_empty(),
        "{} breach(es):\n  {}",
        breaches.len(),
        breaches.join("\n  ")
    );
}
