//! Declarative files in YAML.
#![no_main]

use libfuzzer_sys::fuzz_target;
use silverback_fuzz::declarative::check;
use silverback_schema::declarative::Format;

fuzz_target!(|text: &[u8]| check(text, Format::Yaml));
