//! Certificates, keys and groups as a value may hold them: a file, PEM text, or base64 of it.
//!
//! Only the frame of the PEM is looked at; what is inside is read by whoever uses it.

use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Largest file that is read, bytes.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// What PEM text must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Material {
    /// A certificate, or a chain.
    Certificate,
    /// A private key.
    PrivateKey,
    /// Diffie-Hellman parameters.
    DhParameters,
}

impl Material {
    fn name(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::PrivateKey => "key",
            Self::DhParameters => "parameters",
        }
    }

    fn label_end(self) -> &'static str {
        match self {
            Self::Certificate => "CERTIFICATE-----",
            Self::PrivateKey => "PRIVATE KEY-----",
            Self::DhParameters => "PARAMETERS-----",
        }
    }
}

/// Whether the value leads to material of that kind.
///
/// # Errors
/// A sentence that names the file; it never holds other text, for that may be a key.
pub(super) fn check(value: &str, material: Material) -> Result<(), String> {
    let failed = |why: &str| format!("failed loading {}: {why}", material.name());
    let text = if value.contains("-----BEGIN ") {
        value.to_owned()
    } else if Path::new(value).is_file() {
        read(Path::new(value)).map_err(|why| failed(&format!("{value}: {why}")))?
    } else if let Some(text) = decode_base64(value).filter(|text| text.contains("-----BEGIN ")) {
        text
    } else if value.starts_with(['/', '.']) || value.contains('.') {
        return Err(failed(&format!("there is no file {value}")));
    } else {
        return Err(failed(
            "it is neither a file, nor PEM text, nor base64 of PEM text",
        ));
    };
    let framed = ["-----BEGIN ", "-----END "].iter().all(|frame| {
        text.lines().any(|line| {
            let label = line.trim().strip_prefix(frame);
            label.is_some_and(|label| label.ends_with(material.label_end()))
        })
    });
    if framed {
        return Ok(());
    }
    Err(failed(&format!(
        "the PEM text holds no {}",
        material.name()
    )))
}

fn read(path: &Path) -> Result<String, String> {
    let mut text = String::new();
    let file = File::open(path).map_err(|error| error.to_string())?;
    let length = file
        .take(FILE_BYTES_MAX + 1)
        .read_to_string(&mut text)
        .map_err(|error| error.to_string())?;
    if length as u64 > FILE_BYTES_MAX {
        return Err("larger than 4 MiB".into());
    }
    Ok(text)
}

/// Base64 or base64url, padded or not, as text.
fn decode_base64(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0u32, 0u32);
    let digits = text
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace() && *byte != b'=');
    for byte in digits {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(digit);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count).expect("14 bits at most, 6 of them cut"));
            bits &= (1 << count) - 1;
        }
    }
    String::from_utf8(bytes).ok()
}
