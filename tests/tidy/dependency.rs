//! Rules about crates: who may know whom, and which foreign crates may be there at all.

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::LazyLock;

use serde_json::Value;

use crate::assert_none;
use crate::tree::{read, root};

/// Which crates of the workspace a crate may name. Those not listed are tools and tests, which may
/// name any.
const MAY_KNOW: [(&str, &[&str]); 10] = [
    ("silverback-schema", &[]),
    ("silverback-codegen", &[]),
    ("silverback-perf", &[]),
    ("silverback-core", &["silverback-schema"]),
    (
        "silverback-plugins",
        &["silverback-core", "silverback-schema"],
    ),
    (
        "silverback-proxy",
        &["silverback-core", "silverback-plugins", "silverback-schema"],
    ),
    ("silverback-store", &["silverback-schema"]),
    ("silverback-pki", &[]),
    (
        "silverback-cluster",
        &["silverback-pki", "silverback-schema", "silverback-store"],
    ),
    (
        "silverback-admin",
        &[
            "silverback-cluster",
            "silverback-schema",
            "silverback-store",
        ],
    ),
];

/// The one crate that may name both planes, and everything else.
const COMPOSER: &str = "silverback-server";

/// Crates without a runtime, sockets or TLS, together with all that they bring along.
const FORBIDDEN_BELOW: [(&str, &[&str]); 4] = [
    (
        "silverback-schema",
        &["tokio", "monoio", "mio", "socket2", "hyper", "rustls"],
    ),
    (
        "silverback-core",
        &["tokio", "monoio", "mio", "socket2", "hyper", "rustls"],
    ),
    ("silverback-proxy", &["tokio", "hyper"]),
    ("silverback-cluster", &["monoio", "io-uring"]),
];

/// Versions that are pinned ahead of the code that will use them: benches, and the list of known
/// differences.
const UNUSED_YET: [&str; 4] = ["criterion", "gungraun", "toml", "serde"];

/// What `cargo metadata` says about the members of the workspace.
pub(crate) fn metadata() -> &'static Value {
    static METADATA: LazyLock<Value> = LazyLock::new(|| {
        let arguments = ["metadata", "--format-version", "1", "--no-deps", "--locked"];
        serde_json::from_str(&cargo(&arguments)).expect("cargo writes JSON")
    });
    &METADATA
}

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "cargo: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

fn members() -> impl Iterator<Item = (&'static str, Vec<&'static str>)> {
    let packages = metadata()["packages"].as_array().unwrap();
    packages.iter().map(|package| {
        let dependencies = package["dependencies"].as_array().unwrap().iter();
        let names = dependencies.map(|dependency| dependency["name"].as_str().unwrap());
        (package["name"].as_str().unwrap(), names.collect())
    })
}

#[test]
fn crates_know_only_whom_they_may() {
    let mut breaches = Vec::new();
    for (name, dependencies) in members() {
        let Some((_, allowed)) = MAY_KNOW.iter().find(|(crate_name, _)| *crate_name == name) else {
            continue;
        };
        let known = dependencies
            .iter()
            .filter(|other| other.starts_with("silverback-"));
        for other in known.filter(|other| !allowed.contains(other)) {
            breaches.push(format!("{name} depends on {other}"));
        }
    }
    assert_none(&breaches);
}

#[test]
fn only_the_binary_and_tools_know_both_planes() {
    let is_tool = |name: &str| ["silverback-tests", "silverback-benches"].contains(&name);
    let listed = |name: &str| MAY_KNOW.iter().any(|(listed, _)| *listed == name);
    let breaches = members()
        .filter(|(name, _)| !listed(name) && !is_tool(name) && *name != COMPOSER)
        .map(|(name, _)| format!("{name} is new: say in MAY_KNOW whom it may know"))
        .collect::<Vec<_>>();
    assert_none(&breaches);
}

#[test]
fn only_the_shards_name_monoio() {
    let breaches = members()
        .filter(|(name, _)| *name != "silverback-proxy")
        .filter(|(_, dependencies)| dependencies.iter().any(|name| name.starts_with("monoio")))
        .map(|(name, _)| format!("{name} depends on monoio"))
        .collect::<Vec<_>>();
    assert_none(&breaches);
}

/// `cargo tree` of one crate, because a build of the whole workspace unites features and hides leaks.
#[test]
fn no_runtime_comes_in_by_a_side_door() {
    let mut breaches = Vec::new();
    for (name, forbidden) in FORBIDDEN_BELOW {
        let tree = cargo(&[
            "tree",
            "--locked",
            "--package",
            name,
            "--edges",
            "normal,build",
            "--prefix",
            "none",
        ]);
        let below: BTreeSet<&str> = tree
            .lines()
            .filter_map(|line| line.split_whitespace().next())
            .collect();
        assert!(
            below.contains(name),
            "cargo tree does not list {name} itself:\n{tree}"
        );
        let found = forbidden.iter().filter(|foreign| below.contains(**foreign));
        breaches.extend(found.map(|foreign| format!("{name} brings in {foreign}")));
    }
    assert_none(&breaches);
}

/// `deny.toml` is checked in full by cargo deny; its bans hold also where that is not installed.
#[test]
fn no_banned_crate_is_locked() {
    let lock = read(&root().join("Cargo.lock"));
    let deny = read(&root().join("deny.toml"));
    let bans = banned(&deny);
    assert!(
        bans.len() > 5,
        "the bans of deny.toml are not read: {bans:?}"
    );
    let breaches = bans
        .iter()
        .filter(|ban| locks(&lock, ban))
        .map(|ban| format!("{ban} is locked, deny.toml says why it is banned"))
        .collect::<Vec<_>>();
    assert_none(&breaches);
}

/// Crates that `deny.toml` bans without any wrapper that may bring them.
fn banned(deny: &str) -> Vec<&str> {
    deny.lines()
        .filter(|line| !line.contains("wrappers"))
        .filter_map(|line| line.trim().strip_prefix("{ crate = \"")?.split('"').next())
        .collect()
}

/// Whether the lockfile holds `name` or `name@version`, where the version may be cut short.
fn locks(lock: &str, ban: &str) -> bool {
    let (name, version) = ban.split_once('@').unwrap_or((ban, ""));
    lock.contains(&format!("name = \"{name}\"\nversion = \"{version}"))
}

#[test]
fn a_ban_of_one_version_spares_the_others() {
    let lock = "[[package]]\nname = \"bincode\"\nversion = \"2.0.1\"\n";
    assert!(locks(lock, "bincode") && locks(lock, "bincode@2") && !locks(lock, "bincode@1"));
}

#[test]
fn every_pinned_version_says_why_and_is_used() {
    let used: BTreeSet<&str> = members()
        .flat_map(|(_, dependencies)| dependencies)
        .collect();
    let manifest = read(&root().join("Cargo.toml"));
    let pins: Vec<(&str, &str)> = pins(&manifest).collect();
    assert!(
        pins.len() > 10,
        "the pinned versions of Cargo.toml are not read: {pins:?}"
    );
    let mut breaches = Vec::new();
    for (name, line) in pins {
        if !line.contains("path = ") && !line.contains(" # ") {
            breaches.push(format!("{name} has no comment that says why"));
        }
        if !used.contains(name) && !UNUSED_YET.contains(&name) {
            breaches.push(format!("{name} is used by no crate"));
        }
    }
    assert_none(&breaches);
}

/// Names and lines of `[workspace.dependencies]`.
fn pins(manifest: &str) -> impl Iterator<Item = (&str, &str)> {
    let lines = manifest
        .lines()
        .skip_while(|line| *line != "[workspace.dependencies]")
        .skip(1);
    let lines = lines.take_while(|line| !line.starts_with('['));
    lines
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| {
            let (name, _) = line.split_once('=')?;
            Some((name.trim(), line))
        })
}

#[test]
fn every_member_takes_its_versions_from_the_workspace() {
    let breaches = crate::tree::files("toml")
        .iter()
        .filter(|file| file.path.ends_with("/Cargo.toml"))
        .flat_map(|file| own_versions(&file.text).map(|line| format!("{}: {line}", file.path)))
        .filter(|breach| !TOOLCHAIN_PINS.iter().any(|pin| breach.contains(pin)))
        .collect::<Vec<_>>();
    assert_none(&breaches);
}

/// Pinned where it is used: needs cmake, and no other crate may take it.
const TOOLCHAIN_PINS: [&str; 1] = ["schema/codegen/Cargo.toml: flatc-fork"];

/// Lines in sections of dependencies that do not say `workspace`.
fn own_versions(manifest: &str) -> impl Iterator<Item = &str> {
    let mut is_inside = false;
    manifest.lines().filter(move |line| {
        if line.starts_with('[') {
            is_inside = line.ends_with("dependencies]");
            return false;
        }
        is_inside && line.contains('=') && !line.contains("workspace") && !line.starts_with('#')
    })
}
