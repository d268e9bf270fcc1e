//! The node's id: a UUID that stays the same over restarts, in `<prefix>/kong.id`.
//!
//! Deviation: Kong keeps it on data planes only; other nodes get another one with each start.

use std::fs;

use anyhow::{Context, Result};
use uuid::Uuid;

use crate::prefix::Prefix;

/// Longest text that can hold an id and a line end.
const TEXT_BYTES_MAX: usize = 64;

/// The id that the settings name; else that of the node in that prefix; a new one where there is
/// none, or what is there is no id.
///
/// # Errors
///
/// The file cannot be written.
pub(crate) fn of(prefix: &Prefix, configured: Option<Uuid>) -> Result<Uuid> {
    if let Some(id) = configured {
        return Ok(id);
    }
    let path = prefix.path().join("kong.id");
    let text = fs::read_to_string(&path).unwrap_or_default();
    if text.len() <= TEXT_BYTES_MAX
        && let Ok(id) = Uuid::try_parse(text.trim())
    {
        return Ok(id);
    }
    let id = Uuid::new_v4();
    fs::write(&path, format!("{id}\n"))
        .with_context(|| format!("cannot write the node's id to {}", path.display()))?;
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_stays_and_what_is_none_is_replaced() {
        let directory = tempfile::tempdir().expect("a scratch directory");
        let prefix = Prefix::new(directory.path());
        let id = of(&prefix, None).expect("writable");
        assert_eq!(of(&prefix, None).expect("readable"), id);
        fs::write(directory.path().join("kong.id"), "no id").expect("writable");
        assert_ne!(of(&prefix, None).expect("writable"), id);
    }
}
