//! Reading request bodies, with a limit and a deadline.

use std::time::Duration;

use axum::body::Body;
use http_body_util::BodyExt;
use hyper::body::Body as _;

/// Longest silence of a client in the middle of a body (nginx's `client_body_timeout`).
pub(crate) const BODY_SILENCE_MAX: Duration = Duration::from_secs(60);

/// The part of the announced length that is reserved at once; the rest grows as bytes come.
const RESERVE_BYTES_MAX: u64 = 16 << 20;

/// Why a body could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyError {
    /// Longer than the limit.
    TooLong,
    /// Silent for [`BODY_SILENCE_MAX`].
    TooSlow,
    /// The client went away or broke the framing.
    Broken,
}

/// Reads a whole body.
pub(crate) async fn read(mut body: Body, bytes_max: usize) -> Result<Vec<u8>, BodyError> {
    let announced = body.size_hint().lower();
    if announced > bytes_max as u64 {
        return Err(BodyError::TooLong);
    }
    let reserve = announced.min(RESERVE_BYTES_MAX);
    let mut bytes = Vec::with_capacity(usize::try_from(reserve).unwrap_or(0));
    loop {
        let next = tokio::time::timeout(BODY_SILENCE_MAX, body.frame());
        let frame = match next.await.map_err(|_| BodyError::TooSlow)? {
            None => return Ok(bytes),
            Some(frame) => frame.map_err(|_| BodyError::Broken)?,
        };
        if let Some(data) = frame.data_ref() {
            if data.len() > bytes_max - bytes.len() {
                return Err(BodyError::TooLong);
            }
            bytes.extend_from_slice(data);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_body_at_the_limit_is_read() {
        assert_eq!(read(Body::from("12345"), 5).await, Ok(b"12345".to_vec()));
    }

    #[tokio::test]
    async fn a_longer_body_is_refused() {
        assert_eq!(read(Body::from("123456"), 5).await, Err(BodyError::TooLong));
    }
}
