//! `silverback config dump`: what the prefix holds, whether a node runs there or not.

use std::io::{self, BufWriter, Write};

use anyhow::Result;
use silverback_schema::snapshot::{self, DumpError};

use crate::cli::NodeArguments;

pub(super) fn dump(node: &NodeArguments) -> Result<()> {
    let snapshot = super::held(node)?;
    let mut out = BufWriter::new(io::stdout().lock());
    let written = snapshot::dump(&snapshot, &mut out).and_then(|()| Ok(out.flush()?));
    match written {
        // Whoever reads it has seen enough.
        Err(DumpError::Io(e)) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}
