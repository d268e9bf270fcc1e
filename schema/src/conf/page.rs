//! The table as text for people: the commented default file, the reference page, the help.

use std::fmt::Write as _;

use super::key::{self, FAMILIES, Key, Mark, SECTIONS};

/// Columns of a comment in the default file.
const COMMENT_COLUMNS: usize = 78;

/// The table as a commented file: each key with its line of help and its default.
pub fn default_file() -> String {
    let mut text = String::from(
        "# Configuration of Silverback. Each line below shows a key's default: take away the\n\
         # first # and change it. A variable KONG_<KEY> or SILVERBACK_<KEY>, in upper case,\n\
         # wins over this file.\n",
    );
    for section in SECTIONS {
        let _ = writeln!(text, "\n# ---- {} ----\n", section.title);
        for row in section.keys {
            for line in wrap(&help_of(row)) {
                let _ = writeln!(text, "# {line}");
            }
            let default = row
                .default
                .map_or(String::new(), |default| format!(" {default}"));
            let _ = writeln!(text, "#{} ={default}\n", row.name);
        }
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

fn help_of(row: &Key) -> String {
    let mut help = row.doc.to_owned();
    if let Some(real) = row.alias_of {
        let _ = write!(help, " Another name of {real}.");
    }
    if let Some(instead) = row.deprecated {
        let _ = write!(help, " Deprecated: {instead}.");
    }
    help.push_str(match (row.works, row.mark, row.reloadable) {
        (true, _, true) => " Applied on reload.",
        (true, _, false) => " Applied on restart.",
        (false, Mark::Ignored, _) => " Accepted for Kong's sake.",
        (false, _, _) => " No effect in this version.",
    });
    help
}

/// The reference page, in Markdown.
pub fn reference_page() -> String {
    let mut text = String::from(
        "# Keys of kong.conf\n\n\
         Each key is set in the file, or by a variable: `KONG_` or `SILVERBACK_` and its name in upper case. Any\n\
         value but those of `vaults` and `vault_…` may be a reference as `{vault://env/name}`.\n\n\
         *Effect*: **yes**, on restart or on reload; **not yet**; or *ignored*: it is about nginx or Lua. Every value\n\
         is checked all the same.\n",
    );
    for section in SECTIONS {
        let _ = writeln!(text, "\n## {}\n", section.title);
        text.push_str("| key | type | default | meaning | effect |\n|---|---|---|---|---|\n");
        for row in section.keys {
            let _ = writeln!(
                text,
                "| `{}` | {} | {} | {} | {} |",
                row.name,
                row.kind.name(),
                row.default
                    .map_or(String::new(), |default| format!("`{default}`")),
                meaning(row),
                effect(row),
            );
        }
    }
    text.push_str("\n## Families\n\nKong takes any name that begins so. No effect, but for the names above.\n\n");
    text.push_str("| prefix | meaning |\n|---|---|\n");
    for family in FAMILIES {
        let _ = writeln!(text, "| `{}` | {} |", family.prefix, family.doc);
    }
    text
}

fn meaning(row: &Key) -> String {
    let mut meaning = row.doc.replace('|', "\\|");
    if let Some(real) = row.alias_of {
        let _ = write!(meaning, " Another name of `{real}`.");
    }
    if let Some(instead) = row.deprecated {
        let _ = write!(meaning, " Deprecated: {instead}.");
    }
    meaning
}

fn effect(row: &Key) -> &'static str {
    match (row.works, row.mark, row.reloadable) {
        (true, _, true) => "yes, on reload",
        (true, _, false) => "yes",
        (false, Mark::Ignored, _) => "ignored",
        (false, _, _) => "not yet",
    }
}

/// The keys that people set most, for the end of `start --help`.
pub fn help() -> String {
    let shown = |row: &&Key| row.mark == Mark::Core && row.works && row.alias_of.is_none();
    let rows: Vec<&Key> = key::keys().filter(shown).collect();
    let width = rows
        .iter()
        .map(|row| row.name.len())
        .max()
        .unwrap_or_default();
    let mut text =
        String::from("Keys of the configuration file, or KONG_<KEY> in the environment:\n");
    for row in rows {
        let _ = writeln!(text, "  {:width$}  {}", row.name, row.doc);
    }
    text
}

fn wrap(doc: &str) -> Vec<String> {
    let mut lines: Vec<String> = vec![String::new()];
    for word in doc.split_whitespace() {
        let line = lines.last_mut().expect("starts with one line");
        if !line.is_empty() && line.len() + 1 + word.len() > COMMENT_COLUMNS {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}
