//! The configuration hash: MD5 of the text, or of a canonical encoding of an object.

use md5::{Digest, Md5};
use serde_json::{Map, Value};

/// Hash of a configuration without entities.
pub const EMPTY_HASH: &str = "00000000000000000000000000000000";

/// Canonical bytes that are gathered before they are hashed.
const CHUNK_BYTES: usize = 64 << 10;

pub(super) fn of_text(text: &[u8]) -> String {
    hex(Md5::digest(text).as_slice())
}

/// The hash of an object's JSON with sorted keys and no blanks: the order in which a client wrote
/// its keys makes no difference.
pub(super) fn of_object(object: &Map<String, Value>) -> String {
    let mut canonical = Canonical {
        md5: Md5::new(),
        chunk: Vec::with_capacity(CHUNK_BYTES),
    };
    canonical.object(object);
    canonical.md5.update(&canonical.chunk);
    hex(canonical.md5.finalize().as_slice())
}

struct Canonical {
    md5: Md5,
    chunk: Vec<u8>,
}

impl Canonical {
    fn object(&mut self, object: &Map<String, Value>) {
        let mut members: Vec<_> = object.iter().collect();
        members.sort_unstable_by_key(|(key, _)| key.as_str());
        self.chunk.push(b'{');
        for (index, (key, value)) in members.into_iter().enumerate() {
            if index > 0 {
                self.chunk.push(b',');
            }
            self.scalar(key);
            self.chunk.push(b':');
            self.value(value);
        }
        self.chunk.push(b'}');
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Object(object) => self.object(object),
            Value::Array(list) => {
                self.chunk.push(b'[');
                for (index, member) in list.iter().enumerate() {
                    if index > 0 {
                        self.chunk.push(b',');
                    }
                    self.value(member);
                }
                self.chunk.push(b']');
            }
            Value::String(text) => self.scalar(text),
            scalar => self.chunk.extend(scalar.to_string().bytes()),
        }
        if self.chunk.len() >= CHUNK_BYTES {
            self.md5.update(&self.chunk);
            self.chunk.clear();
        }
    }

    fn scalar(&mut self, text: &str) {
        serde_json::to_writer(&mut self.chunk, text).expect("writing to memory cannot fail");
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}
