//! Where the binary under test is.
//!
//! `SILVERBACK_BINARY` names it; without that variable it is built, once per test process, in the
//! profile of the tests.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// The binary's path.
///
/// # Panics
///
/// It can neither be found nor built.
#[expect(
    clippy::disallowed_methods,
    reason = "the Makefile may name the binary"
)]
pub fn path() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| match std::env::var_os("SILVERBACK_BINARY") {
        Some(path) => std::path::absolute(path).expect("SILVERBACK_BINARY is a path"),
        None => build(),
    })
}

fn build() -> PathBuf {
    // …/target/<profile>/deps/<test>-<hash>
    let test = std::env::current_exe().expect("a test is a file");
    let directory = test
        .ancestors()
        .nth(2)
        .expect("cargo puts tests two levels down")
        .to_owned();
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--package", "silverback-server"]);
    if directory.file_name().is_some_and(|n| n == "release") {
        build.arg("--release");
    }
    build.current_dir(env!("CARGO_MANIFEST_DIR"));
    assert!(
        build.status().expect("cargo runs").success(),
        "the binary could not be built"
    );
    let binary = directory.join("silverback");
    assert!(binary.is_file(), "no binary at {}", binary.display());
    binary
}
