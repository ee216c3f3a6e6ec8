//! Standard error while a dashboard is up. Libraries below us write there (liblsl on
//! every reconnect), which would tear the screen. Their lines are caught, shown as
//! alerts, and printed when the terminal is free again.

use anyhow::{Context as _, Result};
use crossbeam_channel::Receiver;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
#[cfg(unix)]
use std::thread::JoinHandle;

/// Lines that wait to be shown.
const QUEUE: usize = 64;
/// Characters kept of a line.
const MAX_LINE: usize = 400;

/// Standard error, diverted for as long as this lives. Where that can't be done (not
/// Unix) it stays where it is.
pub struct CapturedStderr {
    lines: Receiver<String>,
    shown: Vec<String>,
    /// Lines for which there was no room.
    n_lost: Arc<AtomicU64>,
    #[cfg(unix)]
    diverted: Option<Diverted>,
}

/// What undoes the diversion.
#[cfg(unix)]
struct Diverted {
    original: std::os::fd::OwnedFd,
    /// The thread `ml-stderr`, which ends when nothing writes to the pipe any more.
    reader: JoinHandle<()>,
}

impl CapturedStderr {
    /// Diverts standard error into a pipe that the thread `ml-stderr` reads.
    #[cfg(unix)]
    pub fn start() -> Result<Self> {
        use std::io::{BufRead as _, BufReader};
        let (sender, lines) = crossbeam_channel::bounded(QUEUE);
        let original = rustix::io::dup(std::io::stderr()).context("standard error")?;
        let (reader, writer) = std::io::pipe().context("a pipe for standard error")?;
        let n_lost = Arc::new(AtomicU64::new(0));
        let lost = Arc::clone(&n_lost);
        let read = move || {
            for line in BufReader::new(reader).split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line);
                let line: String = line.trim_end().chars().take(MAX_LINE).collect();
                if !line.is_empty() {
                    // A full queue loses the line, and that is counted.
                    if sender.try_send(line).is_err() {
                        lost.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
        };
        let named = std::thread::Builder::new().name("ml-stderr".to_owned());
        let reader = named.spawn(read).context("thread ml-stderr")?;
        rustix::stdio::dup2_stderr(&writer).context("standard error")?;
        let diverted = Some(Diverted { original, reader });
        Ok(Self { lines, shown: Vec::with_capacity(QUEUE), n_lost, diverted })
    }

    /// Leaves standard error alone.
    #[cfg(not(unix))]
    pub fn start() -> Result<Self> {
        let (_, lines) = crossbeam_channel::bounded(QUEUE);
        Ok(Self { lines, shown: Vec::new(), n_lost: Arc::default() })
    }

    /// The next line that was written, if there is one.
    pub fn next_line(&mut self) -> Option<String> {
        let line = self.lines.try_recv().ok()?;
        if self.shown.len() == QUEUE {
            self.shown.remove(0);
        }
        self.shown.push(line.clone());
        Some(line)
    }
}

impl Drop for CapturedStderr {
    /// Gives standard error back and prints what was caught last. The pipe's end comes
    /// first: only then has everything been read that was written, a panic's message
    /// among it.
    fn drop(&mut self) {
        while self.next_line().is_some() {}
        #[cfg(unix)]
        if let Some(Diverted { original, reader }) = self.diverted.take()
            && rustix::stdio::dup2_stderr(&original).is_ok()
        {
            let _ = reader.join();
        }
        while self.next_line().is_some() {}
        let mut stderr = std::io::stderr().lock();
        for line in &self.shown {
            let _ = writeln!(stderr, "{}", acquisition::text::printable(line));
        }
        let n_lost = self.n_lost.load(Ordering::Relaxed);
        if n_lost > 0 {
            let _ = writeln!(stderr, "({n_lost} more lines were written to standard error)");
        }
    }
}
