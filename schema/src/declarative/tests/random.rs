//! Laws over random files: valid ones load and survive an export, broken ones end in an error that
//! is the same each time.

use serde_json::Value;

use super::exported::{json_of, yaml_of};
use super::generate::{Generator, Random, break_document, break_text};
use crate::declarative::plan;
use crate::declarative::{Config, Format, Invalid, Options, export, parse};
use crate::entity::EntityKind;

/// Valid files; with 40 kinds and more, each is there hundreds of times.
const VALID: u64 = 1_000;
/// Broken files.
const BROKEN: u64 = 10_000;
/// Valid files that broken ones are made of.
const TEMPLATES: usize = 60;

/// Kinds that random values cannot make.
const NOT_MADE: [&str; 4] = ["certificates", "snis", "ca_certificates", "filter_chains"];

/// Says how to repeat a case that panics.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the case has the seed {}", self.0);
        }
    }
}

fn options(flatten: bool) -> Options<'static> {
    Options {
        now_ms: 1_700_000_000_123,
        flatten,
        ..Options::default()
    }
}

fn yaml_text(file: &Value) -> Vec<u8> {
    let mut text = Vec::new();
    let file = file.as_object().expect("an object");
    export::write_map(file, 0, &mut text).expect("memory takes it");
    text
}

fn load(text: &[u8], format: Format) -> Config {
    parse(text, Some(format), &options(false))
        .unwrap_or_else(|error| panic!("{error}\n{}", String::from_utf8_lossy(text)))
}

#[test]
fn random_valid_files_load_and_survive_an_export() {
    let rules = options(false).rules;
    let mut generator = Generator::new(1, &rules);
    let mut seen = vec![0; EntityKind::all().count()];
    for seed in 0..VALID {
        let _seed = Seed(seed);
        generator.random = Random::new(seed);
        let file = generator.file(35);
        let mut config = if seed % 2 == 0 {
            load(&yaml_text(&file), Format::Yaml)
        } else {
            load(file.to_string().as_bytes(), Format::Json)
        };
        for (kind, _) in config.rows() {
            seen[kind.index()] += 1;
        }
        // Sessions and codes are in no export.
        let is_exported = |kind: EntityKind| kind.schema(&rules).is_exported;
        config.entities.retain(|entity| is_exported(entity.kind));
        let mut again = if seed % 3 == 0 {
            load(json_of(&config).as_bytes(), Format::Json)
        } else {
            load(yaml_of(&config).as_bytes(), Format::Yaml)
        };
        again.hash.clone_from(&config.hash);
        // An old name alone is told of; an export has it beside the new one.
        again.warnings.clone_from(&config.warnings);
        for (one, other) in config.rows().zip(again.rows()) {
            assert_eq!(other, one, "{file}");
        }
        assert_eq!(again, config, "{file}");
    }
    let never: Vec<_> = EntityKind::all()
        .filter(|kind| seen[kind.index()] == 0 && plan::kind_of(kind.name()).is_some())
        // No node without WebAssembly takes them, and certificates must fit their keys.
        .filter(|kind| !NOT_MADE.contains(&kind.name()))
        .map(EntityKind::name)
        .collect();
    assert!(never.is_empty(), "never made: {never:?}");
}

#[test]
fn random_broken_files_end_in_a_stable_error() {
    let rules = options(true).rules;
    let mut generator = Generator::new(2, &rules);
    let templates: Vec<Value> = (0..TEMPLATES).map(|_| generator.file(20)).collect();
    let mut refused = 0;
    for seed in 0..BROKEN {
        let _seed = Seed(seed);
        let mut random = Random::new(seed);
        let mut file = random.pick(&templates).clone();
        let as_text = random.chance(50);
        for _ in 0..=random.below(2) {
            if !as_text {
                break_document(&mut random, &mut file);
            }
        }
        let is_yaml = random.chance(50) && file.is_object();
        let mut text = match is_yaml {
            true => yaml_text(&file),
            false => file.to_string().into_bytes(),
        };
        if as_text {
            break_text(&mut random, &mut text);
        }
        let format = if is_yaml { Format::Yaml } else { Format::Json };
        let outcome = |flatten| parse(&text, Some(format), &options(flatten)).err();
        let flat = outcome(true);
        refused += usize::from(flat.is_some());
        assert_eq!(flat, outcome(true), "{}", String::from_utf8_lossy(&text));
        let body = flat.as_ref().map(Invalid::to_json);
        assert!(body.is_none_or(|body| body["code"] == 14));
    }
    assert!(refused > 4_000, "only {refused} were refused");
}
