//! Regenerates `schema/src/generated` from `schema/snapshot.fbs`.
//!
//! `cargo codegen` writes the files; `cargo codegen -- --check` only compares and fails when the
//! committed code is not what the schema gives. flatc is built from source at exactly the version
//! of the `flatbuffers` crate, because the two must be the same release.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, Result, bail, ensure};

const SCHEMA: &str = "snapshot.fbs";
const OUTPUT: &str = "snapshot_generated.rs";

fn main() -> Result<()> {
    let check = match env::args().nth(1).as_deref() {
        None => false,
        Some("--check") => true,
        Some(other) => bail!("unknown argument {other}: expected --check or nothing"),
    };
    let schema_dir = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .context("no parent folder")?;
    let committed = schema_dir.join("src/generated").join(OUTPUT);
    let fresh = generate(schema_dir)?;
    if check {
        let old = fs::read_to_string(&committed)
            .with_context(|| format!("cannot read {}", committed.display()))?;
        ensure!(
            old == fresh,
            "{} is stale: run cargo codegen",
            committed.display()
        );
        return Ok(());
    }
    fs::write(&committed, fresh).with_context(|| format!("cannot write {}", committed.display()))
}

/// Runs flatc and rustfmt in a scratch folder and returns the text.
fn generate(schema_dir: &Path) -> Result<String> {
    let scratch = scratch_dir()?;
    let status = Command::new(flatc_fork::flatc())
        .arg("--rust")
        .arg("-o")
        .arg(&scratch)
        .arg(schema_dir.join(SCHEMA))
        .status()
        .context("cannot run flatc")?;
    ensure!(status.success(), "flatc failed: {status}");
    let path = scratch.join(OUTPUT);
    let status = Command::new("rustfmt")
        .args(["--edition", "2024", "--config-path"])
        .arg(schema_dir.parent().context("no workspace folder")?)
        .arg(&path)
        .status()
        .context("cannot run rustfmt")?;
    ensure!(status.success(), "rustfmt failed: {status}");
    let text = fs::read_to_string(&path)?;
    fs::remove_dir_all(&scratch)?;
    Ok(text)
}

fn scratch_dir() -> Result<PathBuf> {
    let path = env::temp_dir().join(format!("silverback-codegen-{}", std::process::id()));
    fs::create_dir_all(&path)?;
    Ok(path)
}
