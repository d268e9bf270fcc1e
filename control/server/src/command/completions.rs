//! `silverback completions`: completions of the command line, out of its definition.

use std::io::{self, Write};

use anyhow::Result;
use clap::CommandFactory;
use clap_complete::{
    Generator,
    shells::{Bash, Fish, Zsh},
};

use crate::{
    cli::{Arguments, Shell},
    command::or_gone,
};

pub(super) fn print(shell: Shell) -> Result<()> {
    let script = match shell {
        Shell::Bash => script(Bash),
        Shell::Zsh => script(Zsh),
        Shell::Fish => script(Fish),
    };
    or_gone(io::stdout().write_all(&script))
}

fn script(shell: impl Generator) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "silverback", &mut script);
    script
}
