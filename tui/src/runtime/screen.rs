//! The main thread while a dashboard is shown: drains what the other threads said, acts
//! on keys, draws at most 30 times a second.

use super::listen::{Facts, News};
use super::stderr::CapturedStderr;
use super::{Outputs, Shared};
use crate::app::{App, Session, Truth};
use crate::message::{Action, Command, Health, Message};
use crate::terminal::TerminalGuard;
use crate::theme::Theme;
use crate::{keymap, update::update, view::view};
use acquisition::health::{RateMeter, backlog_secs};
use acquisition::marker::MarkerMap;
use acquisition::ring::RingReader;
use acquisition::signal::Chunk;
use anyhow::{Context as _, Result};
use crossbeam_channel::{Receiver, RecvTimeoutError};
use decoding::session::engine::Output;
use decoding::session::event::Event;
use std::sync::atomic::Ordering;
use std::thread::Builder;
use std::time::{Duration, Instant};

/// Shortest time between two drawings.
const FRAME: Duration = Duration::from_millis(34);
/// Frames a chunk on its way to the screen holds.
const CHUNK_FRAMES: usize = 256;
/// Markers beside it; none are sent this way.
const MARKERS: usize = 1;

/// Keys that may wait; a person does not type faster.
const KEYS: usize = 64;
/// Seconds over which the effective rate is taken.
const RATE_OVER_SECS: f64 = 5.0;

/// What to do where there is no dashboard.
pub const NO_TERMINAL: &str = "no dashboard without a terminal: use --headless";

/// The queues that end here.
pub struct Inputs {
    /// Events.
    pub events: Receiver<Output>,
    /// Raw frames.
    pub frames: RingReader,
    /// Scores and latencies.
    pub news: Receiver<News>,
}

/// The dashboard and the terminal it is drawn on.
pub struct Screen {
    terminal: TerminalGuard,
    theme: Theme,
    app: App,
    inputs: Inputs,
    actions: Receiver<Action>,
    markers: MarkerMap,
    chunk: Chunk,
    rate_meter: RateMeter,
    rate_hz: f64,
    has_ended: bool,
    has_told_failure: bool,
    /// Last, so that it is let go after the terminal was given back.
    stderr: CapturedStderr,
}

impl Screen {
    /// Takes the terminal over.
    pub fn open(facts: &Facts, outputs: &Outputs, inputs: Inputs) -> Result<Self> {
        let mut theme = Theme::detect(|name| std::env::var(name).ok());
        if outputs.no_color {
            theme = theme.without_color();
        }
        if outputs.ascii {
            theme = theme.ascii();
        }
        let mut info = facts.info.clone();
        info.simulated = facts.simulated;
        let app = App::new(Session {
            info,
            class_names: facts.classes.clone(),
            pipeline: facts.pipeline.clone(),
            window: facts.window,
            mode: facts.mode,
            truth: Truth::Cues { task_secs: [facts.interval.tmin_secs, facts.interval.tmax_secs] },
        });
        let terminal = TerminalGuard::enter().context(NO_TERMINAL)?;
        Ok(Self {
            terminal,
            theme,
            app,
            inputs,
            actions: read_keys()?,
            markers: facts.markers.clone(),
            chunk: Chunk::new(facts.info.n_channels(), CHUNK_FRAMES),
            rate_meter: RateMeter::new(RATE_OVER_SECS),
            rate_hz: facts.rate.hz(),
            has_ended: false,
            has_told_failure: false,
            stderr: CapturedStderr::start()?,
        })
    }

    /// Shows the session until the user quits or the session is asked to stop. A stream
    /// that is over stays on screen, marked as such, until then.
    pub fn run(mut self, shared: &Shared) -> Result<()> {
        while !shared.is_stopping() {
            let started = Instant::now();
            self.listen(shared);
            self.terminal.draw(|frame| view(&self.app, &self.theme, frame))?;
            if self.keys(FRAME.saturating_sub(started.elapsed())) == Some(Command::Quit) {
                break;
            }
        }
        shared.request_stop();
        Ok(())
    }

    /// Everything that was said since the last time.
    fn listen(&mut self, shared: &Shared) {
        let now_secs = shared.clock.nanos() as f64 * 1e-9;
        self.tell(Message::Tick { now_secs });
        self.frames();
        while let Ok(output) = self.inputs.events.try_recv() {
            if let Event::Marker(marker) = output.event
                && let Some(cue) = self.markers.cue(&marker)
            {
                self.tell(Message::Cue(cue));
            }
            self.tell(Message::Event(output.event));
        }
        while let Ok(news) = self.inputs.news.try_recv() {
            match news {
                News::Score(score) => self.tell(Message::Score(score)),
                News::Latency(latency) => self.tell(Message::Latency(latency)),
                News::Alert(text) => self.tell(Message::Alert(&text)),
            }
        }
        while let Some(line) = self.stderr.next_line() {
            self.tell(Message::Alert(&line));
        }
        self.health(shared);
    }

    fn tell(&mut self, message: Message<'_>) {
        // Only an action answers with a command; it is looked at in `keys`.
        let _ = update(&mut self.app, message);
    }

    fn frames(&mut self) {
        let mut markers = Vec::with_capacity(MARKERS);
        while self.inputs.frames.pop(&mut self.chunk, &mut markers) > 0 {
            let _ = update(&mut self.app, Message::Samples(&self.chunk));
        }
    }

    fn health(&mut self, shared: &Shared) {
        let snapshot = shared.health.snapshot();
        if snapshot.last_arrival_nanos.is_some() {
            self.rate_meter.observe(shared.clock.nanos(), snapshot.n_received);
        }
        let backlog = shared.backlog_frames.load(Ordering::Relaxed) as usize;
        self.tell(Message::Health(Health {
            effective_hz: self.rate_meter.hz(),
            backlog_secs: backlog_secs(backlog, self.rate_hz),
            counters: snapshot,
        }));
        let failure = shared.failure.get();
        if let Some(failure) = failure.filter(|_| !self.has_told_failure) {
            self.has_told_failure = true;
            self.tell(Message::Alert(failure));
        }
        if snapshot.ended && shared.decoded_all.load(Ordering::Acquire) && !self.has_ended {
            self.has_ended = true;
            self.tell(failure.map_or(Message::Ended, |_| Message::Failed));
        }
    }

    /// Waits for keys until the next drawing is due. A keyboard that is gone can't say
    /// that the session should end, so it ends.
    fn keys(&mut self, patience: Duration) -> Option<Command> {
        let until = Instant::now() + patience;
        loop {
            let command = match self.actions.recv_deadline(until) {
                Ok(action) => update(&mut self.app, Message::Act(action)),
                Err(RecvTimeoutError::Timeout) => return None,
                Err(RecvTimeoutError::Disconnected) => Some(Command::Quit),
            };
            if command.is_some() {
                return command;
            }
        }
    }
}

/// Reads the keyboard on a thread of its own, which nobody waits for: a terminal that
/// was taken away (a closed window, a lost SSH connection) can keep a reader of keys
/// for ever, and must not keep the session.
fn read_keys() -> Result<Receiver<Action>> {
    let (sender, actions) = crossbeam_channel::bounded(KEYS);
    let read = move || {
        while let Ok(event) = crossterm::event::read() {
            if let Some(action) = keymap::action(&event)
                && sender.send(action).is_err()
            {
                return;
            }
        }
    };
    Builder::new().name("ml-keys".to_owned()).spawn(read).context("thread ml-keys")?;
    Ok(actions)
}
