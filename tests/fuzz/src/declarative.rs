//! The laws of declarative files, whatever their language: a file that is refused is refused in the
//! same words each time, flat or as a tree; one that loads survives an export in either language.

use silverback_schema::declarative::{Config, Format, Invalid, Options, export, parse};
use silverback_schema::field::Rules;

/// The time that entities get, Unix milliseconds: the same in each load.
const NOW_MS: i64 = 1_700_000_000_123;

/// Loads a text by every way in, and holds the outcomes against each other.
pub fn check(text: &[u8], format: Format) {
    match load(text, format, false) {
        Ok(config) => {
            assert!(load(text, format, true).is_ok(), "flattening refuses it");
            check_export(config);
        }
        Err(error) => check_error(&error, text, format),
    }
}

fn load(text: &[u8], format: Format, flatten: bool) -> Result<Config, Invalid> {
    let options = Options {
        now_ms: NOW_MS,
        flatten,
        ..Options::default()
    };
    parse(text, Some(format), &options)
}

fn check_error(error: &Invalid, text: &[u8], format: Format) {
    assert_eq!(load(text, format, false).as_ref(), Err(error));
    let flat = load(text, format, true).expect_err("it was refused before");
    assert_eq!(load(text, format, true).as_ref(), Err(&flat));
    // A text that cannot be read has no entities to list.
    assert!(flat.flattened.is_some() || flat == *error);
    for error in [error, &flat] {
        assert!(error.to_json().is_object());
    }
}

fn check_export(mut config: Config) {
    // Sessions and codes are in no export.
    let rules = Rules::default();
    config
        .entities
        .retain(|entity| entity.kind.schema(&rules).is_exported);
    for format in [Format::Yaml, Format::Json] {
        let text = exported(&config, format);
        let mut again = load(&text, format, false)
            .unwrap_or_else(|error| panic!("{}\n{error}", String::from_utf8_lossy(&text)));
        again.hash.clone_from(&config.hash);
        assert_eq!(again, config, "{}", String::from_utf8_lossy(&text));
    }
}

fn exported(config: &Config, format: Format) -> Vec<u8> {
    let mut text = Vec::new();
    match format {
        Format::Yaml => export::write_yaml(config.rows(), &mut text),
        Format::Json => export::write_json(config.rows(), &mut text),
    }
    .expect("memory takes it");
    text
}
