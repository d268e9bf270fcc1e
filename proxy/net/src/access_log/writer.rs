//! The thread that writes one log file: one write(2) for each buffer of lines.
//!
//! It may be held up by a slow disk or a pipe that nobody reads, and holds up nobody: what waits for
//! it is bounded by [`BATCHES_MAX`] and by the outlets' own limit. Lines that the file refuses (a
//! full disk) are lost and counted.
//!
//! `/dev/stdout` and `/dev/stderr` are the process's own streams, also where these are sockets, which
//! cannot be opened by name. A pipe in the file system is opened without waiting for its reader.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    os::{fd::AsFd, unix::fs::FileTypeExt},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel},
    },
    thread,
    time::Duration,
};

use super::outlet::Losses;

/// Most buffers that wait for one writer.
const BATCHES_MAX: usize = 1024;

/// A log file and the thread that writes it. Dropped, the thread writes what waits and ends.
#[derive(Debug)]
pub struct LogFile {
    sender: LogSender,
    ended: Receiver<()>,
}

/// What leads to a log file.
#[derive(Clone, Debug)]
pub struct LogSender {
    messages: SyncSender<Message>,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    path: PathBuf,
    is_reopening: AtomicBool,
    is_ending: AtomicBool,
    /// Lines that were not written.
    lost: AtomicU64,
}

#[derive(Debug)]
enum Message {
    Write(Batch),
    /// There is something to look at in the state.
    Look,
}

/// A buffer of whole lines.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) bytes: Vec<u8>,
    pub(super) lines: u64,
    /// Where the buffer goes afterwards.
    pub(super) home: SyncSender<Vec<u8>>,
}

impl LogFile {
    /// Opens the file and starts its thread.
    ///
    /// # Errors
    ///
    /// The file cannot be opened for writing, or there is no thread to be had.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = open(path)?;
        let (messages, received) = sync_channel(BATCHES_MAX);
        let state = Arc::new(State {
            path: path.to_owned(),
            is_reopening: AtomicBool::new(false),
            is_ending: AtomicBool::new(false),
            lost: AtomicU64::new(0),
        });
        let sender = LogSender { messages, state };
        let (is_running, ended) = sync_channel(1);
        let mut writer = Writer {
            file,
            sender: sender.clone(),
            is_torn: false,
            losses: Losses::default(),
        };
        thread::Builder::new()
            .name("log-writer".to_owned())
            .spawn(move || {
                writer.run(&received);
                drop(is_running);
            })?;
        Ok(Self { sender, ended })
    }

    /// What leads to it.
    pub fn sender(&self) -> &LogSender {
        &self.sender
    }

    /// Has the file opened again, after it was renamed. Lines that are on their way go to the old one
    /// or the new one.
    pub fn reopen(&self) {
        self.sender
            .state
            .is_reopening
            .store(true, Ordering::Release);
        self.sender.look();
    }

    /// Writes what waits and ends; false when that took longer than `patience`.
    pub fn finish(self, patience: Duration) -> bool {
        self.sender.end();
        self.ended.recv_timeout(patience) == Err(RecvTimeoutError::Disconnected)
    }
}

impl Drop for LogFile {
    fn drop(&mut self) {
        self.sender.end();
    }
}

impl LogSender {
    /// The file.
    pub fn path(&self) -> &Path {
        &self.state.path
    }

    /// Lines that were lost.
    pub fn lost(&self) -> u64 {
        self.state.lost.load(Ordering::Relaxed)
    }

    pub(super) fn lose(&self, lines: u64) {
        self.state.lost.fetch_add(lines, Ordering::Relaxed);
    }

    /// Sends a buffer on its way; it comes back when there is no room.
    pub(super) fn send(&self, batch: Batch) -> Result<(), Vec<u8>> {
        self.messages
            .try_send(Message::Write(batch))
            .map_err(|refused| match refused {
                TrySendError::Full(Message::Write(batch))
                | TrySendError::Disconnected(Message::Write(batch)) => batch.bytes,
                _ => Vec::new(),
            })
    }

    fn look(&self) {
        // Without room there is a message that the writer will read, and look then.
        let _ = self.messages.try_send(Message::Look);
    }

    fn end(&self) {
        self.state.is_ending.store(true, Ordering::Release);
        self.look();
    }
}

struct Writer {
    file: File,
    sender: LogSender,
    /// Whether the file ends within a line.
    is_torn: bool,
    losses: Losses,
}

impl Writer {
    fn run(&mut self, received: &Receiver<Message>) {
        while let Ok(message) = received.recv() {
            self.reopen();
            self.take(message);
            if self.sender.state.is_ending.load(Ordering::Acquire) {
                received.try_iter().for_each(|message| self.take(message));
                return;
            }
        }
    }

    fn take(&mut self, message: Message) {
        if let Message::Write(batch) = message {
            self.write(&batch);
            batch.recycle();
        }
    }

    fn reopen(&mut self) {
        if !self.sender.state.is_reopening.swap(false, Ordering::AcqRel) {
            return;
        }
        match open(self.sender.path()) {
            Ok(file) => {
                self.file = file;
                self.is_torn = false;
            }
            Err(error) => tracing::error!(
                "{} could not be opened again, the old file goes on: {error}",
                self.sender.path().display()
            ),
        }
    }

    fn write(&mut self, batch: &Batch) {
        if let Err((error, written)) = self.write_all(&batch.bytes) {
            let ends = batch.bytes[..written].iter().filter(|byte| **byte == b'\n');
            let lost = batch.lines.saturating_sub(ends.count() as u64);
            self.sender.lose(lost);
            self.losses.add(lost);
            self.losses.warn(&self.sender, &error);
        }
    }

    /// Writes all, behind the end of a line. An error says how much was written before it.
    fn write_all(&mut self, bytes: &[u8]) -> Result<(), (io::Error, usize)> {
        if self.is_torn {
            self.file.write_all(b"\n").map_err(|error| (error, 0))?;
            self.is_torn = false;
        }
        let mut written = 0;
        while written < bytes.len() {
            match self.file.write(&bytes[written..]) {
                Ok(0) => return Err((io::ErrorKind::WriteZero.into(), written)),
                Ok(count) => written += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.is_torn = written > 0 && bytes[written - 1] != b'\n';
                    return Err((error, written));
                }
            }
        }
        Ok(())
    }
}

fn open(path: &Path) -> io::Result<File> {
    // Container images put links to these streams in the place of log files.
    let target = path.read_link().unwrap_or_else(|_| path.to_owned());
    let own = match target.to_str() {
        Some("/dev/stdout") => io::stdout().as_fd().try_clone_to_owned()?,
        Some("/dev/stderr") => io::stderr().as_fd().try_clone_to_owned()?,
        _ => {
            // Both ends of a pipe: opening one waits for the other.
            let is_pipe = path.metadata().is_ok_and(|file| file.file_type().is_fifo());
            let mut options = OpenOptions::new();
            return options.read(is_pipe).append(true).create(true).open(path);
        }
    };
    Ok(own.into())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{super::outlet::*, *};

    const PATIENCE: Duration = Duration::from_secs(20);

    fn scratch() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let path = folder.path().join("access.log");
        (folder, path)
    }

    fn put(outlet: &mut Outlet, text: &str) {
        outlet.line(|out| out.extend_from_slice(text.as_bytes()));
    }

    #[test]
    fn lines_arrive_in_order_and_all_of_them() {
        let (_folder, path) = scratch();
        let log = LogFile::open(&path).expect("writable");
        let mut outlet = Outlet::new(log.sender());
        let expected: String = (0..1000).map(|n| format!("line {n}\n")).collect();
        for n in 0..1000 {
            put(&mut outlet, &format!("line {n}"));
        }
        drop(outlet);
        assert!(log.finish(PATIENCE));
        assert_eq!(fs::read_to_string(&path).expect("written"), expected);
    }

    #[test]
    fn a_renamed_file_is_followed_by_a_fresh_one() {
        let (folder, path) = scratch();
        let log = LogFile::open(&path).expect("writable");
        let mut outlet = Outlet::new(log.sender());
        put(&mut outlet, "before");
        outlet.flush();
        let old = folder.path().join("access.log.1");
        fs::rename(&path, &old).expect("it is there");
        let deadline = std::time::Instant::now() + PATIENCE;
        log.reopen();
        while !path.exists() {
            assert!(std::time::Instant::now() < deadline, "no fresh file");
            thread::yield_now();
        }
        put(&mut outlet, "after");
        drop(outlet);
        assert!(log.finish(PATIENCE));
        let both = [old, path].map(|path| fs::read_to_string(path).expect("written"));
        assert_eq!(both.concat(), "before\nafter\n");
        assert!(both[1].ends_with("after\n"), "{both:?}");
    }

    #[test]
    fn what_a_blocked_file_does_not_take_is_lost_and_counted() {
        let (_folder, path) = scratch();
        let name = std::ffi::CString::new(path.to_str().expect("text")).expect("no NUL");
        #[allow(unsafe_code)] // the standard library makes no pipes in the file system
        // SAFETY: the name is a string that ends with NUL.
        let made = unsafe { libc::mkfifo(name.as_ptr(), 0o600) };
        assert_eq!(made, 0, "{}", io::Error::last_os_error());
        let log = LogFile::open(&path).expect("opened without a reader");
        let mut outlet = Outlet::new(log.sender());
        let line = "x".repeat(1023);
        // More than the pipe, the writer and all buffers hold.
        let count = 2 * (BUFFERS_MAX + 2) * BUFFER_BYTES / 1024;
        (0..count).for_each(|_| put(&mut outlet, &line));
        let lost = log.sender().lost();
        assert!(
            lost > 0 && lost < count as u64,
            "{lost} of {count} are lost"
        );
        drop(outlet);
        assert!(!log.finish(Duration::from_millis(1)), "the pipe is full");
    }

    #[test]
    fn a_full_disk_loses_lines_and_says_so() {
        let log = LogFile::open(Path::new("/dev/full")).expect("writable");
        let mut outlet = Outlet::new(log.sender());
        put(&mut outlet, "one");
        put(&mut outlet, "two");
        drop(outlet);
        let sender = log.sender().clone();
        assert!(log.finish(PATIENCE));
        assert_eq!(sender.lost(), 2);
    }

    #[test]
    fn a_line_longer_than_a_buffer_is_written_whole() {
        let (_folder, path) = scratch();
        let log = LogFile::open(&path).expect("writable");
        let mut outlet = Outlet::new(log.sender());
        put(&mut outlet, &"x".repeat(10 * BUFFER_BYTES));
        put(&mut outlet, "y");
        drop(outlet);
        assert!(log.finish(PATIENCE));
        let written = fs::read_to_string(&path).expect("written");
        assert_eq!(written.len(), 10 * BUFFER_BYTES + 3);
    }
}
