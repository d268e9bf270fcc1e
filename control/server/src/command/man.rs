//! `silverback man`: the man pages, out of the definition of the command line.

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use anyhow::{Context, Result};
use clap::CommandFactory;
use clap_mangen::Man;

use crate::{
    cli::{Arguments, ManArguments},
    command::or_gone,
    terminal,
};

pub(super) fn man(arguments: &ManArguments) -> Result<()> {
    match &arguments.directory {
        Some(directory) => write(directory),
        None => {
            let mut page = Vec::new();
            Man::new(Arguments::command()).render(&mut page)?;
            or_gone(io::stdout().write_all(&page))
        }
    }
}

/// One page for each command, `silverback-config-parse.1` for example.
fn write(directory: &Path) -> Result<()> {
    let place = directory.display();
    fs::create_dir_all(directory)
        .and_then(|()| clap_mangen::generate_to(Arguments::command(), directory))
        .with_context(|| {
            format!("cannot write the man pages into {place}; name another directory")
        })?;
    terminal::say(format_args!("the man pages are in {place}"));
    Ok(())
}
