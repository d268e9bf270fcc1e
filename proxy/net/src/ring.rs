//! The runtime of a shard: io_uring with the flags that pay, step by step down to what the kernel
//! grants, and epoll where it grants none.

use std::io;

use monoio::{IoUringDriver, LegacyDriver, Runtime, RuntimeBuilder, time::TimeDriver};

/// Submission queue entries of a ring.
const SUBMISSION_ENTRIES: u32 = 1024;

/// Completion queue entries of a ring: several operations of every busy connection.
const COMPLETION_ENTRIES: u32 = 8192;

/// What moves a shard's bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Driver {
    /// io_uring.
    IoUring,
    /// epoll, because io_uring cannot be used.
    Epoll {
        /// Why, in words for the log.
        reason: String,
    },
}

/// Which driver the shards are given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DriverChoice {
    /// io_uring where the kernel allows it, else epoll.
    #[default]
    Best,
    /// epoll.
    Epoll,
}

/// Finds out what the kernel grants, by asking for it.
pub(crate) fn probe(choice: DriverChoice) -> Driver {
    match choice {
        DriverChoice::Epoll => Driver::Epoll {
            reason: "the configuration asks for epoll".into(),
        },
        DriverChoice::Best => match build_uring() {
            Ok(_) => Driver::IoUring,
            Err(error) => Driver::Epoll {
                reason: reason(&error),
            },
        },
    }
}

fn reason(error: &io::Error) -> String {
    let hint = match error.raw_os_error() {
        Some(libc::ENOSYS) => "the kernel has no io_uring (it came with Linux 5.6)",
        Some(libc::EPERM | libc::EACCES) => {
            "not permitted: see the sysctl kernel.io_uring_disabled and seccomp filters"
        }
        Some(libc::ENOMEM) => "not enough locked memory: raise the limit memlock (ulimit -l)",
        _ => "io_uring_setup failed",
    };
    format!("{hint}: {error}")
}

/// Runs a future on a fresh runtime of the calling thread.
///
/// # Errors
/// When the runtime cannot be built.
pub(crate) fn run<F: Future>(driver: &Driver, future: F) -> io::Result<F::Output> {
    match driver {
        Driver::IoUring => Ok(build_uring()?.block_on(future)),
        Driver::Epoll { .. } => Ok(build_epoll()?.block_on(future)),
    }
}

fn build_uring() -> io::Result<Runtime<TimeDriver<IoUringDriver>>> {
    let mut flags = io_uring::IoUring::builder();
    flags.setup_cqsize(COMPLETION_ENTRIES);
    let mut best = flags.clone();
    best.setup_single_issuer()
        .setup_defer_taskrun()
        .setup_coop_taskrun(); // Linux 6.1
    let mut good = flags.clone();
    good.setup_coop_taskrun(); // Linux 5.19
    uring(best)
        .or_else(|_| uring(good))
        .or_else(|_| uring(flags))
}

fn uring(flags: io_uring::Builder) -> io::Result<Runtime<TimeDriver<IoUringDriver>>> {
    RuntimeBuilder::<IoUringDriver>::new()
        .with_entries(SUBMISSION_ENTRIES)
        .uring_builder(flags)
        .enable_timer()
        .build()
}

fn build_epoll() -> io::Result<Runtime<TimeDriver<LegacyDriver>>> {
    RuntimeBuilder::<LegacyDriver>::new()
        .with_entries(SUBMISSION_ENTRIES)
        .enable_timer()
        .build()
}
