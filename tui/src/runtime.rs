//! The composition root: which thread does what, and over which bounded queue they
//! speak. The one place, beside `cli`, that sees every package, and the one that
//! reads the real clock.
//!
//! | thread | name | does | waits on |
//! |---|---|---|---|
//! | acquisition | `ml-source` | pulls the source, fills the ring | the source |
//! | decoding | `ml-decode` | empties the ring, drives the engine | the ring |
//! | recording | `ml-record` | scores, writes JSON lines | the event queue |
//! | publishing | `ml-publish` | LSL outlets of decisions | its event queue |
//! | keyboard | `ml-keys` | reads keys | the terminal |
//! | messages | `ml-stderr` | catches standard error under a dashboard | a pipe |
//! | screen | main | dashboard at most 30 Hz | keys |
//!
//! Nothing flows back from screen, record or publication to the decoding thread but the
//! wish that the session ends.

pub mod decode;
pub mod json_lines;
pub mod listen;
#[cfg(feature = "lsl")]
pub mod publish;
pub mod pump;
pub mod screen;
pub mod signals;
pub mod sinks;
pub mod stderr;

use crate::app::Mode;
use acquisition::health::{Health, HealthSnapshot};
use acquisition::marker::ClassIdx;
use acquisition::ring::{Overflow, ring};
use acquisition::source::Source;
use acquisition::text::printable;
use anyhow::{Context as _, Error, Result, anyhow};
use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use decoding::session::engine::{Engine, Output};
use models::checkpoint::Model;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::{Builder, JoinHandle};
use std::time::Instant;

/// Seconds of stream the ring between device and decoder holds.
const RING_SECS: f64 = 4.0;
/// Markers it holds.
const RING_MARKERS: usize = 1024;
/// Events each listener's queue holds.
const EVENT_QUEUE: usize = 8192;

/// Where the decisions of a session go, besides the scorer.
#[derive(Clone, Debug, Default)]
pub struct Outputs {
    /// JSON lines on standard output, instead of the dashboard.
    pub headless: bool,
    /// JSON lines into this file.
    pub log: Option<PathBuf>,
    /// Name of the LSL streams of posteriors and decisions.
    pub publish: Option<String>,
    /// No colour on screen.
    pub no_color: bool,
    /// Only ASCII on screen.
    pub ascii: bool,
}

/// Everything a session is made of, planned and not yet running.
pub struct Setup {
    /// Where frames come from.
    pub source: Box<dyn Source>,
    /// Its counters.
    pub health: Arc<Health>,
    /// What decides.
    pub engine: Engine,
    /// The model the engine was planned from.
    pub model: Model,
    /// What happens to frames when decoding falls behind.
    pub overflow: Overflow,
    /// Frames a chunk holds at most on its way to the engine.
    pub chunk_frames: usize,
    /// Kind of session.
    pub mode: Mode,
    /// Where decisions go.
    pub outputs: Outputs,
}

/// The session's monotonic clock: nanoseconds since it was made. Every instant in
/// health counters and latencies is read from one of these.
#[derive(Clone, Copy, Debug)]
pub struct SessionClock(Instant);

impl SessionClock {
    /// A clock that starts now.
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Nanoseconds since the start.
    pub fn nanos(self) -> u64 {
        self.0.elapsed().as_nanos() as u64
    }
}

/// State that threads share beside their queues: flags and counters only.
#[derive(Debug)]
pub struct Shared {
    /// Set when somebody wants the session to end.
    pub stop: AtomicBool,
    /// Set when the decoding thread has said its last word.
    pub decoded_all: AtomicBool,
    /// Frames waiting in the ring, as last seen by the decoding thread.
    pub backlog_frames: AtomicU64,
    /// Events that a full queue dropped on their way to a listener.
    pub missed_events: MissedEvents,
    /// The first failure of the stream, of a thread or of the publication, printable.
    pub failure: OnceLock<String>,
    /// Frames that a slow screen was not shown.
    pub undrawn_frames: AtomicU64,
    /// The counters of the stream.
    pub health: Arc<Health>,
    /// The session's clock.
    pub clock: SessionClock,
}

impl Shared {
    /// The state of a session that begins now.
    pub fn new(health: Arc<Health>) -> Self {
        Self {
            stop: AtomicBool::new(false),
            decoded_all: AtomicBool::new(false),
            backlog_frames: AtomicU64::new(0),
            missed_events: MissedEvents::default(),
            failure: OnceLock::new(),
            undrawn_frames: AtomicU64::new(0),
            health,
            clock: SessionClock::start(),
        }
    }

    /// Keeps a failure for screen and log, if it is the first.
    pub fn failed(&self, error: &Error) {
        // A later failure follows from the first, or is told when threads are joined.
        let _ = self.failure.set(printable(&format!("{error:#}")).into_owned());
    }

    /// Whether the session should end.
    pub fn is_stopping(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Asks the session to end.
    pub fn request_stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// Who listens to the decoding thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// The recording thread: score and log.
    Record,
    /// The dashboard.
    Screen,
    /// The published streams.
    Publish,
}

impl Audience {
    /// Everyone.
    pub const ALL: [Self; 3] = [Self::Record, Self::Screen, Self::Publish];

    /// As the user knows it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Record => "the score and the log",
            Self::Screen => "the dashboard",
            Self::Publish => "the published streams",
        }
    }
}

/// Events that each listener missed because its queue was full.
#[derive(Debug, Default)]
pub struct MissedEvents([AtomicU64; Audience::ALL.len()]);

impl MissedEvents {
    /// Counts one.
    fn count(&self, audience: Audience) {
        self.0[audience as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// How many a listener missed.
    pub fn by(&self, audience: Audience) -> u64 {
        self.0[audience as usize].load(Ordering::Relaxed)
    }
}

/// What a session left behind.
#[derive(Debug)]
pub struct Outcome {
    /// What the recording thread counted and scored.
    pub summary: listen::Summary,
    /// The stream's counters.
    pub health: HealthSnapshot,
    /// Events missed by each of [`Audience::ALL`].
    pub n_missed_events: [u64; Audience::ALL.len()],
    /// Why the session failed, if it did: what is counted and scored is what came before.
    pub failure: Option<String>,
}

/// One listener's end of the decoding thread's announcements.
pub struct Listener {
    sender: Sender<Output>,
    audience: Audience,
    /// Whether the decoding thread waits for room, or counts and goes on.
    overflow: Overflow,
}

impl Listener {
    fn new(audience: Audience, overflow: Overflow) -> (Self, Receiver<Output>) {
        let (sender, receiver) = bounded(EVENT_QUEUE);
        (Self { sender, audience, overflow }, receiver)
    }

    /// Hands the event on; counts it where the queue is full. A listener that has left
    /// misses nothing. Allocation: none.
    fn tell(&self, output: Output, shared: &Shared) {
        match self.overflow {
            Overflow::Wait => {
                // Fails only where the listener has left.
                let _ = self.sender.send(output);
            }
            Overflow::DropNewest => {
                if let Err(TrySendError::Full(_)) = self.sender.try_send(output) {
                    shared.missed_events.count(self.audience);
                }
            }
        }
    }
}

/// Runs the session to its end: the stream's, a key's, a signal's or a failure's. One
/// at a time in a process, for signals mean the latest.
///
/// # Errors
/// Where there is nothing to account for. A session that failed under way is an
/// [`Outcome`] with a failure.
pub fn run(setup: Setup) -> Result<Outcome> {
    let shared = Arc::new(Shared::new(Arc::clone(&setup.health)));
    signals::stop_on_signals(&shared)?;
    let threads = Threads::start(setup, &shared)?;
    threads.finish(&shared)
}

/// The running threads, and what the main thread keeps for itself.
struct Threads {
    source: JoinHandle<Result<()>>,
    decode: JoinHandle<()>,
    record: JoinHandle<listen::Summary>,
    #[cfg(feature = "lsl")]
    publish: Option<JoinHandle<Result<()>>>,
    screen: Option<screen::Screen>,
}

impl Threads {
    fn start(setup: Setup, shared: &Arc<Shared>) -> Result<Self> {
        let info = setup.source.info().clone();
        let capacity = (RING_SECS * info.rate.hz()).ceil() as usize + setup.chunk_frames;
        let (writer, reader) = ring(info.n_channels(), capacity, RING_MARKERS, setup.overflow);
        let facts = listen::Facts::new(&info, &setup.model, setup.mode)?;
        let (record_tell, record_hear) = Listener::new(Audience::Record, setup.overflow);
        let mut listeners = vec![record_tell];

        #[cfg(feature = "lsl")]
        let publish = match &setup.outputs.publish {
            Some(name) => {
                let (tell, hear) = Listener::new(Audience::Publish, setup.overflow);
                listeners.push(tell);
                Some(publish::start(name, &facts, hear, shared)?)
            }
            None => None,
        };

        let mut frames_to_screen = None;
        let mut screen_parts = None;
        if !setup.outputs.headless {
            let (tell, hear) = Listener::new(Audience::Screen, Overflow::DropNewest);
            listeners.push(tell);
            let (to_screen, frames) =
                ring(info.n_channels(), capacity, RING_MARKERS, Overflow::DropNewest);
            frames_to_screen = Some(to_screen);
            screen_parts = Some((hear, frames));
        }
        let (news_out, news) = bounded(listen::NEWS_QUEUE);
        let screen = screen_parts
            .map(|(events, frames)| {
                let inputs = screen::Inputs { events, frames, news };
                screen::Screen::open(&facts, &setup.outputs, inputs)
            })
            .transpose()?;
        // After the screen: where that can't be opened, no empty log stays behind.
        let sinks = sinks::Sinks::open(&setup.outputs)?;

        let record = {
            let known = Arc::clone(shared);
            let news_out = screen.is_some().then_some(news_out);
            spawn("ml-record", shared, move || {
                listen::run(facts, &record_hear, sinks, news_out.as_ref(), &known)
            })?
        };
        let decode = {
            let known = Arc::clone(shared);
            let node = decode::Node {
                engine: setup.engine,
                reader,
                n_channels: info.n_channels(),
                listeners,
                frames_to_screen,
                chunk_frames: setup.chunk_frames,
            };
            spawn("ml-decode", shared, move || node.run(&known))?
        };
        let source = {
            let known = Arc::clone(shared);
            let node =
                pump::Node { source: setup.source, writer, chunk_frames: setup.chunk_frames };
            spawn("ml-source", shared, move || node.run(&known))?
        };
        Ok(Self {
            source,
            decode,
            record,
            #[cfg(feature = "lsl")]
            publish,
            screen,
        })
    }

    /// Shows the dashboard until it is told to quit, then joins the threads in the
    /// order in which data flows, so that nothing said is lost.
    fn finish(self, shared: &Arc<Shared>) -> Result<Outcome> {
        let shown = self.screen.map_or(Ok(()), |screen| screen.run(shared));
        if shown.is_err() {
            shared.request_stop();
        }
        let sourced = join(self.source, "ml-source").flatten();
        let decoded = join(self.decode, "ml-decode");
        let recorded = join(self.record, "ml-record");
        #[cfg(feature = "lsl")]
        let published = self.publish.map_or(Ok(()), |p| join(p, "ml-publish").flatten());
        #[cfg(not(feature = "lsl"))]
        let published = Ok(());
        let failures: Vec<String> = [shown, decoded, sourced, published]
            .into_iter()
            .filter_map(|result| result.err().map(|error| format!("{error:#}")))
            .collect();
        Ok(Outcome {
            summary: recorded?,
            health: shared.health.snapshot(),
            n_missed_events: Audience::ALL.map(|audience| shared.missed_events.by(audience)),
            failure: (!failures.is_empty()).then(|| failures.join("; ")),
        })
    }
}

/// Starts a thread of a session. If it panics, the session is asked to end, for the
/// others can't go on without it.
fn spawn<T: Send + 'static>(
    name: &str,
    shared: &Arc<Shared>,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>> {
    let alarm = PanicAlarm { thread: name.to_owned(), shared: Arc::clone(shared) };
    let work = move || {
        let _alarm = alarm;
        work()
    };
    Builder::new().name(name.to_owned()).spawn(work).with_context(|| format!("thread {name}"))
}

/// Ends the session when it is dropped by a panic.
struct PanicAlarm {
    thread: String,
    shared: Arc<Shared>,
}

impl Drop for PanicAlarm {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.shared.failed(&panicked(&self.thread));
            self.shared.request_stop();
        }
    }
}

fn join<T>(handle: JoinHandle<T>, name: &str) -> Result<T> {
    handle.join().map_err(|_| panicked(name))
}

fn panicked(thread: &str) -> Error {
    anyhow!("thread {thread} panicked: this is a defect, please report it")
}

/// The name of a class for people and files.
pub fn class_name(classes: &[String], class: ClassIdx) -> &str {
    classes.get(class.index()).map_or("?", String::as_str)
}

#[cfg(test)]
mod tests;
