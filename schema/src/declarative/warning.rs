//! What to log about fields of a file that will go: a line for each advice, with the first
//! [`NAMED_MAX`] items that it is for and the number of the others.
//!
//! The advices are those of the schemas, so their number has a limit that no file can raise.

use std::collections::BTreeMap;

use crate::entity::EntityKind;
use crate::field::Warning;

/// Items that a line names.
const NAMED_MAX: usize = 3;

/// What to do, and the version without the field.
type Advice = (&'static str, &'static str);

/// Items by what is to be said of them.
#[derive(Default)]
pub(super) struct Warnings(BTreeMap<Advice, Finding>);

#[derive(Default)]
struct Finding {
    named: Vec<String>,
    others: usize,
}

impl Warnings {
    /// Notes what was found in an item; `path` gives the way to it, from the top of the file.
    pub(super) fn add(
        &mut self,
        warnings: &[Warning],
        path: impl Fn() -> Vec<(EntityKind, usize)>,
    ) {
        for warning in warnings {
            let advice = (warning.message, warning.removal_in_version);
            let finding = self.0.entry(advice).or_default();
            if finding.named.len() < NAMED_MAX {
                finding.named.push(place(&path(), &warning.path));
            } else {
                finding.others += 1;
            }
        }
    }

    /// The lines.
    pub(super) fn lines(self) -> Vec<String> {
        let line = |((message, removal), finding): (Advice, Finding)| {
            let named = finding.named.join(", ");
            let others = match finding.others {
                0 => String::new(),
                others => format!(" and {others} more"),
            };
            format!("{named}{others}: {message} (scheduled for removal in {removal})")
        };
        self.0.into_iter().map(line).collect()
    }
}

/// `services[1].plugins[2].config.x`, counted from 1.
fn place(path: &[(EntityKind, usize)], field: &str) -> String {
    let mut text = String::new();
    for (kind, index) in path {
        text += &format!("{}[{}].", kind.name(), index + 1);
    }
    text + field
}
