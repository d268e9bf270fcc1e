//! Free ports of loopback, each handed out once per test process.

use std::{
    collections::HashSet,
    net::TcpListener,
    sync::{Mutex, PoisonError},
};

/// A port that nobody listens on.
///
/// # Panics
///
/// The system has no free port.
pub fn free() -> u16 {
    static GIVEN: Mutex<Option<HashSet<u16>>> = Mutex::new(None);
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    let given = given.get_or_insert_default();
    loop {
        let listener = TcpListener::bind("127.0.0.1:0").expect("the system has a free port");
        let port = listener.local_addr().expect("it is bound").port();
        if given.insert(port) {
            return port;
        }
    }
}
