//! What the dashboard knows: plain state, changed by [`crate::update`] alone and read
//! by [`crate::view`]. No colour, no layout, no terminal in here.
//!
//! Two kinds of state are kept apart. The [`Picture`] is what the panels show and what
//! a pause freezes; the state of the stream (liveness, health, notices) is never
//! frozen. Everything is bounded.

pub mod notices;
pub mod picture;
pub mod quality;
pub mod spectrum;

use crate::message::Health;
use acquisition::marker::ClassIdx;
use acquisition::signal::{StreamInfo, Unit};
use acquisition::text::printable;
use decoding::window::WindowSpec;
use notices::Notices;
use picture::Picture;

/// Age from which a number no longer looks fresh.
pub const FRESH_SECS: f64 = 1.0;

/// Where the frames come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The simulated headset.
    Demo,
    /// A stream of the network.
    Live,
    /// A recording.
    Replay,
}

impl Mode {
    /// As shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Demo => "demo",
            Self::Live => "live",
            Self::Replay => "replay",
        }
    }
}

/// Whether the truth will be known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Truth {
    /// True cues arrive; a cue's class holds for `[tmin, tmax)` seconds after it.
    Cues {
        /// Start and end of the task after a cue's onset.
        task_secs: [f64; 2],
    },
    /// None: nothing can be scored.
    Unknown,
}

/// What is fixed for a session: everything the dashboard is made from.
#[derive(Clone, Debug)]
pub struct Session {
    /// The stream.
    pub info: StreamInfo,
    /// Classes, idle first.
    pub class_names: Vec<String>,
    /// The pipeline's command-line name.
    pub pipeline: String,
    /// Where windows lie.
    pub window: WindowSpec,
    /// Where the frames come from.
    pub mode: Mode,
    /// Whether true cues arrive.
    pub truth: Truth,
}

impl Session {
    /// The same with every text harmless to a terminal.
    fn printable(mut self) -> Self {
        let clean = |text: &mut String| *text = printable(text).into_owned();
        let info = &mut self.info;
        for text in [&mut info.name, &mut info.kind, &mut info.source_id, &mut info.host] {
            clean(text);
        }
        info.channels.iter_mut().for_each(|channel| clean(&mut channel.label));
        self.class_names.iter_mut().for_each(clean);
        clean(&mut self.pipeline);
        self
    }
}

/// A value and when it was learnt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stamped<T> {
    /// The value.
    pub value: T,
    /// When, on the clock of [`crate::message::Message::Tick`].
    pub at_secs: f64,
}

/// What may be claimed of a number's age.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Freshness {
    /// At most [`FRESH_SECS`] old.
    Fresh,
    /// Older: it is shown with its age.
    Old {
        /// Its age.
        age_secs: f64,
    },
    /// The stream is over and this is how it ended.
    Final,
}

/// Whether frames arrive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Liveness {
    /// None has arrived yet.
    Waiting {
        /// Since when.
        since_secs: f64,
    },
    /// They do.
    Live {
        /// When the newest did.
        newest_secs: f64,
    },
    /// They did, and have not for more than [`FRESH_SECS`].
    Stale {
        /// When the newest did.
        newest_secs: f64,
    },
    /// They never will again.
    Ended(Ending),
}

/// How a session came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// As it should.
    Regular,
    /// By a failure.
    Failure,
}

/// Whether the picture moves.
#[derive(Clone, Debug)]
pub enum Display {
    /// It shows what comes.
    Following,
    /// It shows what was there.
    Paused {
        /// When it was frozen.
        since_secs: f64,
        /// What it showed.
        frozen: Box<Picture>,
    },
}

/// What fills the terminal, with its own state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Screen {
    /// Everything that fits.
    Overview,
    /// Traces alone.
    Signals,
    /// The spectrum of the chosen channel.
    Spectrum,
    /// Posterior, timeline and score.
    Decoder,
    /// What happened, and the counters.
    Events {
        /// Newest entries skipped.
        n_skipped: usize,
    },
}

impl Screen {
    /// All screens, in the order of their numbers.
    pub const ALL: [Self; 5] = [
        Self::Overview,
        Self::Signals,
        Self::Spectrum,
        Self::Decoder,
        Self::Events { n_skipped: 0 },
    ];

    /// Position in [`Screen::ALL`].
    pub fn position(self) -> usize {
        match self {
            Self::Overview => 0,
            Self::Signals => 1,
            Self::Spectrum => 2,
            Self::Decoder => 3,
            Self::Events { .. } => 4,
        }
    }
}

/// Whether the help lies on top.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Help {
    /// It does not.
    Hidden,
    /// It does.
    Shown,
}

/// Stretches of time that can be shown.
pub const SPANS_SECS: [f64; 5] = [1.0, 2.0, 5.0, 10.0, 20.0];

/// How traces are scaled: steps of 1-2-5 around a usual amplitude of each unit, so
/// that one key suits channels of several units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    /// Steps towards larger amplitudes (smaller traces) than usual.
    pub amplitude_steps: i32,
    /// Position in [`SPANS_SECS`].
    pub span_idx: usize,
}

impl Scale {
    /// Most steps away from the usual amplitude.
    pub const MAX_STEPS: i32 = 9;

    /// The amplitude, in `unit`, that reaches from a trace's middle to its edge.
    pub fn amplitude(self, unit: Unit) -> f64 {
        let usual = match unit {
            Unit::Microvolt | Unit::Unknown => 5,
            Unit::FemtoteslaPerCm => 7,
            Unit::Femtotesla => 9,
        };
        let step = usual + self.amplitude_steps;
        [1.0, 2.0, 5.0][step.rem_euclid(3) as usize] * 10_f64.powi(step.div_euclid(3))
    }

    /// The stretch of time shown.
    pub fn span_secs(self) -> f64 {
        SPANS_SECS[self.span_idx.min(SPANS_SECS.len() - 1)]
    }
}

/// The dashboard's state.
#[derive(Clone, Debug)]
pub struct App {
    /// What is fixed, every text printable.
    pub session: Session,
    /// One character per class that names it in small places.
    pub symbols: Vec<char>,
    /// The newest tick.
    pub now_secs: f64,
    /// What the newest data makes, shown or not.
    pub newest: Picture,
    /// Whether that is what is shown.
    pub display: Display,
    /// Whether frames arrive.
    pub liveness: Liveness,
    /// The stream's counters.
    pub health: Option<Stamped<Health>>,
    /// What happened.
    pub notices: Notices,
    /// What fills the terminal.
    pub screen: Screen,
    /// Whether the help lies on top.
    pub help: Help,
    /// The chosen channel.
    pub channel: usize,
    /// Scales of the traces.
    pub scale: Scale,
}

impl App {
    /// The dashboard of a session that has not begun. Allocates all it will need for
    /// samples.
    pub fn new(session: Session) -> Self {
        let session = session.printable();
        Self {
            symbols: symbols(&session.class_names),
            newest: Picture::new(&session),
            session,
            now_secs: 0.0,
            display: Display::Following,
            liveness: Liveness::Waiting { since_secs: 0.0 },
            health: None,
            notices: Notices::default(),
            screen: Screen::Overview,
            help: Help::Hidden,
            channel: 0,
            scale: Scale { amplitude_steps: 0, span_idx: 2 },
        }
    }

    /// What is shown: the newest picture, or the frozen one.
    pub fn picture(&self) -> &Picture {
        match &self.display {
            Display::Following => &self.newest,
            Display::Paused { frozen, .. } => frozen,
        }
    }

    /// Stamps a value with the present.
    pub fn stamp<T>(&self, value: T) -> Stamped<T> {
        Stamped { value, at_secs: self.now_secs }
    }

    /// What may be claimed of something learnt at `at_secs`.
    pub fn freshness(&self, at_secs: f64) -> Freshness {
        let age_secs = self.now_secs - at_secs;
        let following = matches!(self.display, Display::Following);
        match self.liveness {
            Liveness::Ended(_) if following => Freshness::Final,
            _ if age_secs > FRESH_SECS => Freshness::Old { age_secs },
            _ => Freshness::Fresh,
        }
    }

    /// The name of a class; classes beyond the configuration are numbered.
    pub fn class_name(&self, class: ClassIdx) -> String {
        match self.session.class_names.get(class.index()) {
            Some(name) => name.clone(),
            None => format!("class {}", class.0),
        }
    }

    /// The character of a class.
    pub fn symbol(&self, class: ClassIdx) -> char {
        self.symbols.get(class.index()).copied().unwrap_or('?')
    }
}

/// One ASCII character per class: idle `-`, tasks their initial where no two share
/// it, else their number.
fn symbols(class_names: &[String]) -> Vec<char> {
    let initial = |name: &String| {
        name.chars().next().filter(char::is_ascii_alphabetic).map(|c| c.to_ascii_uppercase())
    };
    let initials: Vec<_> = class_names.iter().skip(1).map(initial).collect();
    let number = |k: usize| char::from_digit((k % 36) as u32, 36).unwrap_or('?');
    let task = |(i, own): (usize, &Option<char>)| match own {
        Some(c) if initials.iter().filter(|other| *other == own).count() == 1 => *c,
        _ => number(i + 1),
    };
    std::iter::once('-').chain(initials.iter().enumerate().map(task)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_have_distinct_symbols() {
        let names = |n: &[&str]| n.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
        assert_eq!(symbols(&names(&["idle", "left_hand", "right_hand"])), ['-', 'L', 'R']);
        assert_eq!(symbols(&names(&["idle", "feet", "fists", "rest"])), ['-', '1', '2', 'R']);
        assert_eq!(symbols(&names(&["idle", "", "右"])), ['-', '1', '2']);
    }

    #[test]
    fn amplitudes_run_in_steps_of_1_2_5() {
        let at = |steps| Scale { amplitude_steps: steps, span_idx: 0 }.amplitude(Unit::Microvolt);
        assert_eq!([at(-1), at(0), at(1), at(2)], [20.0, 50.0, 100.0, 200.0]);
        assert!((at(-9) - 0.05).abs() < 1e-12);
    }
}
