//! What was written, completed: aliases followed, paths made absolute, defaults filled in.

use std::path::{self, Path};

use super::Origin;
use super::key;
use super::kind::{self, Kind};
use super::setting::{Setting, Settings};
use crate::vault;

/// Text by which a directive is left to nginx.
const DIRECTIVE_NONE: &str = "NONE";

/// Gives every row a setting: by the keys it is an alias of, its default, or nothing.
pub(super) fn complete(mut settings: Settings) -> Settings {
    for row in key::keys() {
        let Some(real) = row.alias_of else { continue };
        if let (Some(setting), false) = (settings.get(row.name), settings.contains_key(real)) {
            settings.insert(real.to_owned(), setting.clone());
        }
    }
    for (name, setting) in &mut settings {
        normalise(name, setting);
    }
    let is_control_plane = text_is(&settings, "role", "control_plane");
    for row in key::keys() {
        let default = match row.name {
            // Kong's default; without a database there is no control plane.
            "database" if is_control_plane => Some("postgres"),
            "prefix" => row.default.map(|path| path.trim_end_matches('/')),
            _ => row.default,
        };
        settings.entry(row.name.to_owned()).or_insert(Setting {
            text: default.map(str::to_owned),
            origin: Origin::Default,
        });
    }
    settings
}

fn text_is(settings: &Settings, name: &str, text: &str) -> bool {
    settings
        .get(name)
        .is_some_and(|setting| setting.text.as_deref() == Some(text))
}

/// Brings a text into the form that stays right when it is read again elsewhere.
fn normalise(name: &str, setting: &mut Setting) {
    let row = key::find(name);
    let Some(text) = setting.text.take_if(|text| !vault::is_reference(text)) else {
        return;
    };
    let is_directive = key::family(name).is_some_and(key::Family::is_directive);
    setting.text = match row.map(|row| row.kind) {
        _ if is_directive && text == DIRECTIVE_NONE => None,
        _ if name == "nginx_user" || name == "nginx_main_user" => {
            (!matches!(text.as_str(), "nobody" | "nobody nobody")).then_some(text)
        }
        Some(Kind::Path) => Some(absolute(&text)),
        Some(Kind::Pem(_)) => Some(absolute_file(&text)),
        Some(_) if name.ends_with("ssl_dhparam") => Some(absolute_file(&text)),
        Some(kind) if matches!(kind, Kind::Pems(_)) || name == "lua_ssl_trusted_certificate" => {
            let files = kind::split(&text)
                .into_iter()
                .map(|part| absolute_file(&part));
            Some(files.collect::<Vec<_>>().join(","))
        }
        _ => Some(text),
    };
}

fn absolute(text: &str) -> String {
    let path = path::absolute(text).map_or_else(|_| text.into(), |path| path.display().to_string());
    match path.trim_end_matches('/') {
        "" => "/".to_owned(),
        trimmed => trimmed.to_owned(),
    }
}

fn absolute_file(text: &str) -> String {
    if !text.starts_with('/') && Path::new(text).is_file() {
        absolute(text)
    } else {
        text.to_owned()
    }
}
