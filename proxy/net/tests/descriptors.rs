//! A process that runs out of descriptors pauses accepting, and goes on when there are some again.
//! A test binary of its own, because the limit is the whole process's.

mod harness;

use std::fs::File;

use harness::{DRIVERS, Gateway, Upstream, config, eventually, ok};

/// Descriptors that the process may have here.
const DESCRIPTORS_MAX: libc::rlim_t = 256;

#[allow(unsafe_code)] // the standard library has no call for it
fn limit_descriptors() {
    let limit = libc::rlimit {
        rlim_cur: DESCRIPTORS_MAX,
        rlim_max: DESCRIPTORS_MAX,
    };
    // SAFETY: `limit` is valid for the call, which only reads it.
    let result = unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) };
    assert_eq!(result, 0);
}

/// Opens files until none is left.
fn exhaust() -> Vec<File> {
    std::iter::from_fn(|| File::open("/dev/null").ok()).collect()
}

#[test]
fn accepting_pauses_without_descriptors_and_goes_on_with_them() {
    limit_descriptors();
    for driver in DRIVERS {
        let upstream = Upstream::answering(ok("again"));
        let gateway = Gateway::start(driver, &config(upstream.port, ""));
        let stats = gateway.proxy.as_ref().expect("it runs").stats();
        let mut earlier = gateway.connect();
        assert_eq!(earlier.get("/").text(), "again");
        let mut files = exhaust();
        // The client's socket takes the last descriptor; the shard has none to accept it with.
        files.pop();
        let mut late = gateway.connect();
        late.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        for _ in 0..3 {
            assert_eq!(
                earlier.get("/").text(),
                "again",
                "who is connected is served"
            );
        }
        assert_eq!(stats().accepted, 1);
        drop(files);
        assert_eq!(late.response().text(), "again");
        eventually("both are counted", || stats().accepted == 2);
    }
}
