//! What the dashboard is told. Everything arrives as a message, time included, so a
//! whole session on screen can be replayed in a test.
//!
//! The numbers in here are *snapshots*: the newest replaces the one before, and one
//! that was never sent is shown as `-`. Who measured them is no concern of the screen.

use acquisition::health::HealthSnapshot;
use acquisition::marker::Cue;
use acquisition::signal::Chunk;
use decoding::evaluate::running::ScoreSummary;
use decoding::metric::latency::LatencySummary;
use decoding::session::event::Event;

/// One thing the dashboard learns.
#[derive(Clone, Debug)]
pub enum Message<'a> {
    /// The time, in seconds on any clock that never goes back. It stamps everything
    /// that comes after it, so it is sent before each batch and before each frame.
    Tick {
        /// Now.
        now_secs: f64,
    },
    /// The user asked for something.
    Act(Action),
    /// Frames as they came from the stream, unfiltered.
    Samples(&'a Chunk),
    /// The session spoke.
    Event(Event),
    /// A true cue was given.
    Cue(Cue),
    /// State of the stream and of the hand-over.
    Health(Health),
    /// How long decisions take.
    Latency(LatencySummary),
    /// The running score.
    Score(ScoreSummary),
    /// Something the user must know, in words. May come from outside: it is made
    /// printable here.
    Alert(&'a str),
    /// The stream is over; nothing will come any more.
    Ended,
    /// As `Ended`, and not as it should be. An alert says why.
    Failed,
}

/// What the user can ask for. Keys are mapped to these in [`crate::keymap`] alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Leave.
    Quit,
    /// Freeze the picture, or follow again. Decisions go on.
    TogglePause,
    /// Larger traces: fewer microvolts per row.
    AmplifyMore,
    /// Smaller traces.
    AmplifyLess,
    /// A longer stretch of time.
    TimeLonger,
    /// A shorter stretch of time.
    TimeShorter,
    /// Move by so many channels (or list entries): negative is up.
    Move(i32),
    /// To the first channel.
    First,
    /// To the last channel.
    Last,
    /// The next screen, after the last the first.
    NextScreen,
    /// The previous screen.
    PreviousScreen,
    /// The screen of this number, from 1.
    Screen(u8),
    /// Show or hide the help.
    ToggleHelp,
    /// Close what lies on top.
    Back,
}

/// What `update` asks of the runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Stop the session and restore the terminal.
    Quit,
}

/// State of the stream and of the hand-over to the decoder.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Health {
    /// Everything that is counted.
    pub counters: HealthSnapshot,
    /// Rate at which frames arrived lately; `None` until it can be told.
    pub effective_hz: Option<f64>,
    /// How long the oldest frame has been waiting to be decoded.
    pub backlog_secs: f64,
}
