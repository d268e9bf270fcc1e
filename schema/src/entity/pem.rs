//! Certificates and keys in PEM and JWK: whether they can be read, and whether they belong
//! together.
//!
//! Known keys: RSA, ECDSA on P-256, P-384, P-521 and secp256k1, Ed25519. Deviations: OpenSSL reads
//! more (DSA, Ed448, encrypted keys); the texts after Kong's prefixes are ours.
//!
//! Source: `kong/db/schema/typedefs.lua`, `entities/{certificates,ca_certificates,keys}.lua` of
//! Kong 3.9.3; RFC 5280, 5915, 5958, 7517, 8017.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest;
use aws_lc_rs::signature::{self, KeyPair};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, SubjectPublicKeyInfoDer};
use serde_json::{Map, Value};
use x509_parser::prelude::{FromDer, SubjectPublicKeyInfo, X509Certificate};
use x509_parser::public_key::PublicKey as SubjectKey;

/// RSA keys from this size on are also checked for consistency; smaller ones for their form.
const RSA_CHECKED_BITS_MIN: usize = 2048;

/// The public half of a key, in a form that can be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PublicKey {
    /// Modulus and exponent, without leading zeros.
    Rsa(Vec<u8>, Vec<u8>),
    /// An uncompressed point.
    Ec(Vec<u8>),
    /// The 32 bytes of the key.
    Ed25519(Vec<u8>),
}

impl PublicKey {
    /// Whether both are RSA, both ECDSA, …
    pub(crate) fn is_same_type(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

/// What a certificate says, as far as it matters.
#[derive(Clone, Debug)]
pub(crate) struct Certificate {
    /// Its public key.
    pub(crate) key: PublicKey,
    /// Whether it may sign others.
    pub(crate) is_authority: bool,
    /// Unix seconds.
    not_after: i64,
    der: Vec<u8>,
}

impl Certificate {
    /// Reads the first certificate of a PEM text.
    ///
    /// # Errors
    /// What is wrong with it, without prefix.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let der = CertificateDer::from_pem_slice(text.as_bytes())
            .map_err(|error| format!("no PEM certificate: {error}"))?;
        let (_, certificate) = X509Certificate::from_der(&der).map_err(|e| e.to_string())?;
        let key = subject_key(certificate.public_key())?;
        let constraints = certificate.basic_constraints().ok().flatten();
        Ok(Self {
            key,
            is_authority: constraints.is_some_and(|constraints| constraints.value.ca),
            not_after: certificate.validity().not_after.timestamp(),
            der: der.to_vec(),
        })
    }

    /// Whether its time is over.
    pub(crate) fn is_expired(&self) -> bool {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        i64::try_from(now.as_secs()).is_ok_and(|now| self.not_after < now)
    }

    /// SHA-256 of its DER form in lower-case hexadecimal.
    pub(crate) fn digest(&self) -> String {
        let digest = digest::digest(&digest::SHA256, &self.der);
        digest
            .as_ref()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

/// Kong's `certificate`.
pub(crate) fn check_certificate(text: &str) -> Result<(), String> {
    Certificate::parse(text)
        .map(drop)
        .map_err(|error| format!("invalid certificate: {error}"))
}

/// Kong's `key`.
pub(crate) fn check_private_key(text: &str) -> Result<(), String> {
    private_key(text)
        .map(drop)
        .map_err(|error| format!("invalid key: {error}"))
}

/// The public half of a private key in PEM: PKCS #8, PKCS #1 or SEC 1.
pub(crate) fn private_key(text: &str) -> Result<PublicKey, String> {
    let der = PrivateKeyDer::from_pem_slice(text.as_bytes())
        .map_err(|error| format!("no PEM private key: {error}"))?;
    let key = match &der {
        PrivateKeyDer::Pkcs1(key) => rsa_half(key.secret_pkcs1_der()),
        PrivateKeyDer::Sec1(key) => ec_half(key.secret_sec1_der()),
        PrivateKeyDer::Pkcs8(key) => pkcs8_half(key.secret_pkcs8_der()),
        _ => None,
    };
    key.ok_or_else(|| "not a usable RSA, ECDSA or Ed25519 key".into())
}

/// A public key in PEM (`PUBLIC KEY`).
pub(crate) fn public_key(text: &str) -> Result<PublicKey, String> {
    let der = SubjectPublicKeyInfoDer::from_pem_slice(text.as_bytes())
        .map_err(|error| format!("no PEM public key: {error}"))?;
    let (_, info) = SubjectPublicKeyInfo::from_der(&der).map_err(|e| e.to_string())?;
    subject_key(&info)
}

fn subject_key(info: &SubjectPublicKeyInfo<'_>) -> Result<PublicKey, String> {
    match info.parsed().map_err(|error| error.to_string())? {
        SubjectKey::RSA(key) => Ok(PublicKey::Rsa(
            unsigned(key.modulus),
            unsigned(key.exponent),
        )),
        SubjectKey::EC(point) => Ok(PublicKey::Ec(point.data().to_vec())),
        _ if info.algorithm.algorithm.as_bytes() == OID_ED25519 => {
            Ok(PublicKey::Ed25519(info.subject_public_key.data.to_vec()))
        }
        _ => Err("not an RSA, ECDSA or Ed25519 key".into()),
    }
}

const OID_RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const OID_ED25519: &[u8] = &[0x2b, 0x65, 0x70];

fn pkcs8_half(der: &[u8]) -> Option<PublicKey> {
    let (key_info, _) = element(der, SEQUENCE)?;
    let (_, rest) = element(key_info, INTEGER)?;
    let (algorithm, rest) = element(rest, SEQUENCE)?;
    let (oid, _) = element(algorithm, OBJECT_ID)?;
    match oid {
        OID_RSA => rsa_half(element(rest, OCTETS)?.0),
        OID_ED25519 => {
            let pair = signature::Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).ok()?;
            Some(PublicKey::Ed25519(pair.public_key().as_ref().to_vec()))
        }
        _ => ec_half(der),
    }
}

/// Of an `RSAPrivateKey`.
fn rsa_half(der: &[u8]) -> Option<PublicKey> {
    let (key, _) = element(der, SEQUENCE)?;
    let (_, rest) = element(key, INTEGER)?;
    let (modulus, rest) = element(rest, INTEGER)?;
    let (exponent, _) = element(rest, INTEGER)?;
    let modulus = unsigned(modulus);
    if modulus.len() * 8 >= RSA_CHECKED_BITS_MIN {
        signature::RsaKeyPair::from_der(der).ok()?;
    }
    Some(PublicKey::Rsa(modulus, unsigned(exponent)))
}

/// Of an `ECPrivateKey`, bare or in PKCS #8.
fn ec_half(der: &[u8]) -> Option<PublicKey> {
    let curves = [
        &signature::ECDSA_P256_SHA256_ASN1_SIGNING,
        &signature::ECDSA_P384_SHA384_ASN1_SIGNING,
        &signature::ECDSA_P521_SHA512_ASN1_SIGNING,
        &signature::ECDSA_P256K1_SHA256_ASN1_SIGNING,
    ];
    let mut pairs = curves
        .into_iter()
        .filter_map(|curve| signature::EcdsaKeyPair::from_private_key_der(curve, der).ok());
    let pair = pairs.next()?;
    Some(PublicKey::Ec(pair.public_key().as_ref().to_vec()))
}

/// Without leading zeros.
fn unsigned(integer: &[u8]) -> Vec<u8> {
    let zeros = integer.iter().take_while(|byte| **byte == 0).count();
    integer[zeros..].to_vec()
}

const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const OBJECT_ID: u8 = 0x06;
const SEQUENCE: u8 = 0x30;

/// The content of a DER element with that tag, and what follows it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    const LONG_FORM: u8 = 0x80;
    const LENGTH_BYTES_MAX: usize = 4;
    let (&found, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    if found != tag {
        return None;
    }
    if first < LONG_FORM {
        return rest.split_at_checked(usize::from(first));
    }
    let count = usize::from(first - LONG_FORM);
    if count > LENGTH_BYTES_MAX {
        return None;
    }
    let (length, rest) = rest.split_at_checked(count)?;
    let length = length
        .iter()
        .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
    rest.split_at_checked(length)
}

/// Whether a JWK is a key that can be loaded: RSA, EC or OKP with the members it needs.
pub(crate) fn is_jwk(jwk: &Map<String, Value>) -> bool {
    let text = |name: &str| jwk.get(name).and_then(Value::as_str);
    let bytes = |name: &str| {
        text(name)
            .and_then(base64url)
            .filter(|bytes| !bytes.is_empty())
    };
    match text("kty") {
        Some("RSA") => bytes("n").is_some() && bytes("e").is_some(),
        Some("EC") => {
            let (Some(curve), Some(x), Some(y)) = (text("crv"), bytes("x"), bytes("y")) else {
                return false;
            };
            is_point(curve, &x, &y)
        }
        Some("OKP") => {
            let length = match text("crv") {
                Some("Ed25519" | "X25519") => 32,
                Some("X448") => 56,
                Some("Ed448") => 57,
                _ => return false,
            };
            let is_half = |name: &str| bytes(name).is_some_and(|half| half.len() == length);
            is_half("x") || is_half("d")
        }
        _ => false,
    }
}

fn is_point(curve: &str, x: &[u8], y: &[u8]) -> bool {
    const UNCOMPRESSED: u8 = 4;
    let (algorithm, length): (&'static dyn signature::VerificationAlgorithm, _) = match curve {
        "P-256" => (&signature::ECDSA_P256_SHA256_ASN1, 32),
        "P-384" => (&signature::ECDSA_P384_SHA384_ASN1, 48),
        "P-521" => (&signature::ECDSA_P521_SHA512_ASN1, 66),
        _ => return false,
    };
    if x.len() > length || y.len() > length {
        return false;
    }
    let mut point = vec![0; 1 + 2 * length];
    point[0] = UNCOMPRESSED;
    point[1 + length - x.len()..=length].copy_from_slice(x);
    point[1 + 2 * length - y.len()..].copy_from_slice(y);
    signature::ParsedPublicKey::new(algorithm, point).is_ok()
}

/// RFC 4648 §5, padded or not.
fn base64url(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    let (mut bits, mut count) = (0_u32, 0);
    for byte in text.trim_end_matches('=').bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'-' | b'+' => 62,
            b'_' | b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count).to_be_bytes()[3]);
            bits &= (1 << count) - 1;
        }
    }
    Some(bytes)
}
