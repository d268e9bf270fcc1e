//! External plugin servers: each needs a command that describes its plugins.

use std::path::Path;

use super::super::draft::Draft;

/// Where Kong looks for a server whose commands are not set.
const PROGRAMS: &str = "/usr/local/bin";

pub(super) fn check(draft: &mut Draft) {
    for name in draft.list("pluginserver_names").to_vec() {
        let in_key = name.to_lowercase().replace('-', "_");
        let has_program = Path::new(PROGRAMS).join(&name).is_file();
        let has = |command: &str| {
            let key = format!("pluginserver_{in_key}_{command}");
            has_program || draft.text(&key).is_some()
        };
        let (can_query, can_start) = (has("query_cmd"), has("start_cmd"));
        if !can_query {
            draft.refuse(
                "pluginserver_names",
                format!("{name:?} has no query command: set pluginserver_{in_key}_query_cmd"),
            );
        } else if !can_start {
            draft.warn(
                "pluginserver_names",
                &format!("{name:?} has no start command: it must be started by somebody else"),
            );
        }
    }
}
