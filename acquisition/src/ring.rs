//! The bounded hand-over from the acquisition thread to the decoding thread: one
//! writer, one reader, fixed memory, no locks.
//!
//! Frames travel as whole frames one after the other. Beside them travel *runs*
//! (index of the first frame, number of frames), so that a jump of the sample index
//! survives the passage, and markers. What happens when the reader falls behind is an
//! [`Overflow`] policy and never silent.
//!
//! This is *not* a place to look back in time: the reader consumes. [`History`] keeps
//! the newest samples of each channel side by side for that.
//!
//! Both ends may sleep without polling: the reader in [`RingReader::wait`] until
//! something was pushed, the writer in [`RingWriter::wait`] until room was made.
//! The other side wakes a sleeper with `Thread::unpark`, which costs a system call
//! only if it does sleep.

mod history;

pub use history::History;

use crate::marker::Marker;
use crate::signal::{Chunk, MAX_CHANNELS};
use crate::time::SampleIndex;
use ringbuf::traits::{Consumer, Observer, Producer, Split};
use ringbuf::{HeapCons, HeapProd, HeapRb};
use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::sync::{Arc, OnceLock};
use std::thread::Thread;
use std::time::Duration;

/// What the writer does with a frame or marker that finds no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overflow {
    /// It stays with the caller, who offers it again after [`RingWriter::wait`]:
    /// replay as fast as the reader can. Nothing is ever dropped.
    Wait,
    /// It is skipped and counted: a live device can't be told to wait. The reader
    /// sees a jump of the sample index where frames are missing.
    DropNewest,
}

/// What became of one push.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pushed {
    /// Frames that are done with: stored, or dropped under [`Overflow::DropNewest`].
    pub n_frames: usize,
    /// Frames among them that were dropped.
    pub n_frames_dropped: usize,
    /// Markers that are done with: stored or dropped.
    pub n_markers: usize,
    /// Markers among them that were dropped.
    pub n_markers_dropped: usize,
}

/// Frames with consecutive indices.
#[derive(Clone, Copy, Debug)]
struct Run {
    first: SampleIndex,
    n_frames: usize,
}

/// One end's sleep: who sleeps, and whether it does.
#[derive(Debug, Default)]
struct Sleeper {
    thread: OnceLock<Thread>,
    asleep: AtomicBool,
}

impl Sleeper {
    /// Sleeps at most `timeout` unless `ready` already holds. The fences order
    /// "announce, then look" here against "change, then look who sleeps" in
    /// [`Sleeper::wake`], so one of the two sides always sees the other.
    fn sleep(&self, timeout: Duration, ready: impl Fn() -> bool) -> bool {
        self.thread.get_or_init(std::thread::current);
        self.asleep.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        if !ready() {
            std::thread::park_timeout(timeout);
        }
        self.asleep.store(false, Ordering::Relaxed);
        ready()
    }

    /// Wakes the other end if it sleeps.
    fn wake(&self) {
        fence(Ordering::SeqCst);
        if self.asleep.load(Ordering::Relaxed)
            && let Some(thread) = self.thread.get()
        {
            thread.unpark();
        }
    }
}

/// What both ends share beside the queues.
#[derive(Debug, Default)]
struct Shared {
    ended: AtomicBool,
    abandoned: AtomicBool,
    reader: Sleeper,
    writer: Sleeper,
}

/// A ring for at most `capacity_frames` frames of `n_channels` and
/// `capacity_markers` markers. Allocates everything it will ever use.
///
/// # Panics
/// If a size is zero or there are more than [`MAX_CHANNELS`] channels.
pub fn ring(
    n_channels: usize,
    capacity_frames: usize,
    capacity_markers: usize,
    overflow: Overflow,
) -> (RingWriter, RingReader) {
    assert!((1..=MAX_CHANNELS).contains(&n_channels), "a ring carries frames of channels");
    assert!(capacity_frames > 0 && capacity_markers > 0, "a ring has room");
    let (frames_in, frames) = HeapRb::new(n_channels * capacity_frames).split();
    // Every run holds at least one frame, so runs can't run out before frames do.
    let (runs_in, runs) = HeapRb::new(capacity_frames).split();
    let (markers_in, markers) = HeapRb::new(capacity_markers).split();
    let shared = Arc::new(Shared::default());
    let writer = RingWriter {
        n_channels,
        overflow,
        frames: frames_in,
        runs: runs_in,
        markers: markers_in,
        shared: Arc::clone(&shared),
    };
    let run = Run { first: SampleIndex(0), n_frames: 0 };
    (writer, RingReader { n_channels, frames, runs, markers, run, shared })
}

/// The acquisition thread's end.
pub struct RingWriter {
    n_channels: usize,
    overflow: Overflow,
    frames: HeapProd<f32>,
    runs: HeapProd<Run>,
    markers: HeapProd<Marker>,
    shared: Arc<Shared>,
}

impl RingWriter {
    /// Pushes a chunk and the markers that came with it. Under [`Overflow::Wait`]
    /// less than everything may be done: go on with [`RingWriter::push_rest`].
    ///
    /// Thread: the writer's. Allocation, locks: none.
    ///
    /// # Panics
    /// If the chunk has another number of channels than the ring.
    pub fn push(&mut self, chunk: &Chunk, markers: &[Marker]) -> Pushed {
        self.push_rest(chunk, 0, markers)
    }

    /// Pushes the chunk's frames from the `n_done`th on. Markers go first: whoever
    /// sees a frame has been given every marker pushed with it or before it.
    ///
    /// Thread: the writer's. Allocation, locks: none.
    ///
    /// # Panics
    /// As [`RingWriter::push`], and if `n_done` is beyond the chunk's end.
    pub fn push_rest(&mut self, chunk: &Chunk, n_done: usize, markers: &[Marker]) -> Pushed {
        assert_eq!(chunk.n_channels(), self.n_channels, "ring and chunk disagree on channels");
        let n_stored = self.markers.push_slice(markers);
        if n_stored < markers.len() && self.overflow == Overflow::Wait {
            self.shared.reader.wake();
            return Pushed { n_markers: n_stored, ..Pushed::default() };
        }
        let frames = &chunk.samples()[n_done * self.n_channels..];
        let n_offered = frames.len() / self.n_channels;
        let first = SampleIndex(chunk.first().0 + n_done as u64);
        let n_frames = self.store(first, frames);
        self.shared.reader.wake();
        let n_lost = n_offered - n_frames;
        match self.overflow {
            Overflow::Wait => Pushed { n_frames, n_markers: n_stored, ..Pushed::default() },
            Overflow::DropNewest => Pushed {
                n_frames: n_offered,
                n_frames_dropped: n_lost,
                n_markers: markers.len(),
                n_markers_dropped: markers.len() - n_stored,
            },
        }
    }

    /// Stores as many whole frames as fit, then the run that announces them.
    fn store(&mut self, first: SampleIndex, frames: &[f32]) -> usize {
        let room = self.frames.vacant_len() / self.n_channels;
        let room = if self.runs.is_full() { 0 } else { room };
        let n_frames = room.min(frames.len() / self.n_channels);
        if n_frames > 0 {
            self.frames.push_slice(&frames[..n_frames * self.n_channels]);
            // Checked above that there is room.
            let _ = self.runs.try_push(Run { first, n_frames });
        }
        n_frames
    }

    /// Sleeps until the reader made room for a frame and a marker, at most `timeout`;
    /// whether there is room now. Always called from the same thread. A reader that is
    /// gone makes it return at once: ask [`RingWriter::is_abandoned`].
    pub fn wait(&mut self, timeout: Duration) -> bool {
        let has_room = || {
            self.frames.vacant_len() >= self.n_channels
                && !self.runs.is_full()
                && !self.markers.is_full()
        };
        let ready = || has_room() || self.is_abandoned();
        self.shared.writer.sleep(timeout, ready) && has_room()
    }

    /// Whether the reader is gone, so that pushing has no purpose any more.
    pub fn is_abandoned(&self) -> bool {
        self.shared.abandoned.load(Ordering::Acquire)
    }

    /// Ends the stream; dropping the writer does the same.
    pub fn finish(self) {}
}

impl Drop for RingWriter {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Release);
        self.shared.reader.wake();
    }
}

/// The decoding thread's end.
pub struct RingReader {
    n_channels: usize,
    frames: HeapCons<f32>,
    runs: HeapCons<Run>,
    markers: HeapCons<Marker>,
    /// The run being read, shortened by what was read of it.
    run: Run,
    shared: Arc<Shared>,
}

impl RingReader {
    /// Restarts `chunk` at the oldest frame and fills it with consecutive frames, up
    /// to its capacity or the next jump of the index; appends all markers there are,
    /// which may be ahead of the frames. Returns the number of frames.
    ///
    /// Thread: the reader's. Allocation: none, if `markers` has room for as many
    /// markers as the ring; locks: none.
    ///
    /// # Panics
    /// If the chunk has another number of channels than the ring.
    pub fn pop(&mut self, chunk: &mut Chunk, markers: &mut Vec<Marker>) -> usize {
        assert_eq!(chunk.n_channels(), self.n_channels, "ring and chunk disagree on channels");
        self.next_run();
        chunk.restart(self.run.first);
        while self.next_run() && self.run.first == chunk.end() && chunk.room() > 0 {
            self.take(chunk);
        }
        markers.extend(self.markers.pop_iter());
        self.shared.writer.wake();
        chunk.n_frames()
    }

    /// Makes `run` a run with frames in it, if there is one.
    fn next_run(&mut self) -> bool {
        if self.run.n_frames == 0
            && let Some(run) = self.runs.try_pop()
        {
            self.run = run;
        }
        self.run.n_frames > 0
    }

    /// Moves frames of the current run into the chunk.
    fn take(&mut self, chunk: &mut Chunk) {
        let n_frames = self.run.n_frames.min(chunk.room());
        let n_values = n_frames * self.n_channels;
        let (head, tail) = self.frames.as_slices();
        let n_head = n_values.min(head.len());
        chunk.extend(&head[..n_head]);
        chunk.extend(&tail[..n_values - n_head]);
        self.frames.skip(n_values);
        self.run.first.0 += n_frames as u64;
        self.run.n_frames -= n_frames;
    }

    /// Frames waiting: the backlog.
    pub fn len(&self) -> usize {
        self.frames.occupied_len() / self.n_channels
    }

    /// Whether no frame waits.
    pub fn is_empty(&self) -> bool {
        self.run.n_frames == 0 && self.runs.is_empty()
    }

    /// Index of the oldest frame waiting.
    pub fn oldest(&self) -> Option<SampleIndex> {
        if self.run.n_frames > 0 {
            return Some(self.run.first);
        }
        self.runs.try_peek().map(|run| run.first)
    }

    /// Whether the writer has ended the stream and everything was read.
    pub fn is_ended(&self) -> bool {
        // The flag first: what was pushed before it was set is then visible.
        self.shared.ended.load(Ordering::Acquire) && self.is_empty() && self.markers.is_empty()
    }

    /// Sleeps until a frame or marker is there or the stream ended, at most
    /// `timeout`; whether that is so now. Always called from the same thread.
    pub fn wait(&self, timeout: Duration) -> bool {
        let ready = || {
            let ended = self.shared.ended.load(Ordering::Acquire);
            ended || !self.is_empty() || !self.markers.is_empty()
        };
        self.shared.reader.sleep(timeout, ready)
    }
}

impl Drop for RingReader {
    fn drop(&mut self) {
        self.shared.abandoned.store(true, Ordering::Release);
        self.shared.writer.wake();
    }
}

#[cfg(test)]
mod tests;
