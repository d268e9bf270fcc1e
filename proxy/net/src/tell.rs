//! Lines of the error log about an exchange: the message, and the context that nginx gives with it.

use std::borrow::Cow;

use silverback_core::access_log::{field, request_line};

use crate::downstream::Connection;

/// Logs `tell!(level, connection, [upstream,] "format", …)`. The names of the fields are those of
/// nginx's error lines.
macro_rules! tell {
    ($level:ident, $connection:expr, $message:literal) => {
        tell!(@ $level, $connection, , $message)
    };
    ($level:ident, $connection:expr, $upstream:ident, $message:literal) => {
        tell!(@ $level, $connection, $upstream = %$upstream, $message)
    };
    (@ $level:ident, $connection:expr, $($upstream:ident = %$value:ident)?, $message:literal) => {
        tracing::$level!(
            connection = $connection.numbers.number,
            client = %$connection.downstream.client_text,
            server = crate::access_log::SERVER_NAME,
            request = %$connection.request_told(),
            $($upstream = %$value,)?
            host = %$connection.host_told(),
            request_id = %String::from_utf8_lossy(&$connection.notes.id),
            $message
        )
    };
}

impl Connection {
    /// The request line, for people.
    pub(crate) fn request_told(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(request_line(&self.notes.head))
    }

    /// The Host header, for people; empty when there is none.
    pub(crate) fn host_told(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(field(&self.notes.head, "host").unwrap_or_default())
    }
}
