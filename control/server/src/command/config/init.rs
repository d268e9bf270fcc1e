//! `silverback config init`: a commented sample of a declarative file.

use std::{
    fs::OpenOptions,
    io::{ErrorKind, Write},
    path::Path,
};

use anyhow::{Context, Result, bail};

use crate::terminal;

/// Examples are the lines with one `#`; without it they are valid. Remarks have two.
const SAMPLE: &str = include_str!("sample.yml");

pub(super) fn init(file: &Path) -> Result<()> {
    let place = file.display();
    let mut options = OpenOptions::new();
    let mut fresh = match options.write(true).create_new(true).open(file) {
        Ok(fresh) => fresh,
        Err(e) if e.kind() == ErrorKind::AlreadyExists => {
            bail!("{place} exists already and was left as it is; name another file")
        }
        Err(e) => {
            return Err(e).with_context(|| format!("cannot write {place}; name another file"));
        }
    };
    fresh
        .write_all(SAMPLE.as_bytes())
        .with_context(|| format!("cannot write {place}"))?;
    terminal::verbose(format_args!("a sample was written to {place}"));
    Ok(())
}

#[cfg(test)]
mod tests {
    use silverback_schema::declarative::{self, Format, Options};

    use super::*;

    #[test]
    fn the_sample_and_its_examples_are_valid() {
        let empty = declarative::parse(SAMPLE.as_bytes(), Some(Format::Yaml), &Options::default());
        assert!(empty.expect("the sample is valid").is_empty());
        let examples: String = SAMPLE
            .lines()
            .map(|line| match line.strip_prefix('#') {
                Some(example) if !example.starts_with('#') => format!("{example}\n"),
                _ => format!("{line}\n"),
            })
            .collect();
        let config =
            declarative::parse(examples.as_bytes(), Some(Format::Yaml), &Options::default());
        let config = config.unwrap_or_else(|e| panic!("{e}\n{examples}"));
        assert!(!config.services.is_empty() && !config.routes.is_empty());
        assert!(!config.upstreams.is_empty() && !config.targets.is_empty());
    }
}
