//! Sessions for tests: the same samples, decisions and scores every time.

use crate::app::{App, Mode, Session, Truth};
use crate::message::{Health, Message};
use crate::theme::{ColorMode, GlyphMode, Theme};
use crate::update::update;
use crate::view::view;
use acquisition::health::HealthSnapshot;
use acquisition::marker::{ClassIdx, Cue};
use acquisition::signal::{ChannelInfo, Chunk, StreamInfo};
use acquisition::time::{SampleIndex, SampleRate};
use decoding::evaluate::running::ScoreSummary;
use decoding::metric::confusion::Confusion;
use decoding::metric::latency::LatencySummary;
use decoding::session::event::{Decision, Event, Posterior};
use decoding::stats::Interval;
use decoding::window::WindowSpec;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use std::f64::consts::TAU;

/// Rate of all sessions here.
pub const RATE_HZ: f64 = 250.0;

/// Frames per chunk: 100 ms, the step between decisions.
const CHUNK_FRAMES: u64 = 25;

/// The usual look.
pub const FULL: Theme = Theme { color: ColorMode::Palette, glyphs: GlyphMode::Unicode };

/// A demo of eight electrodes and two tasks.
pub fn session() -> Session {
    let labels = ["Fp1", "C3", "Cz", "C4", "P3", "Pz", "O1", "O2"];
    Session {
        info: StreamInfo {
            name: "sim-head".into(),
            kind: "EEG".into(),
            source_id: "sim-1".into(),
            host: "localhost".into(),
            rate: SampleRate::new(RATE_HZ).unwrap(),
            channels: labels.map(ChannelInfo::eeg).to_vec(),
            simulated: true,
        },
        class_names: ["idle", "left_hand", "right_hand"].map(String::from).to_vec(),
        pipeline: "ts+lr".into(),
        window: WindowSpec { window_samples: 500, step_samples: 25 },
        mode: Mode::Demo,
        truth: Truth::Cues { task_secs: [0.0, 4.0] },
    }
}

/// What becomes of windows.
#[derive(Clone, Copy)]
pub enum Windows {
    /// They are decided.
    Decided,
    /// They hold samples that are not finite.
    Unusable,
}

/// A session under way, driven as the runtime drives it.
pub struct World {
    /// The dashboard.
    pub app: App,
    /// Index of the next frame.
    pub at: u64,
    /// Wall-clock seconds.
    pub now_secs: f64,
}

impl World {
    /// Before the first frame.
    pub fn new(session: Session) -> Self {
        let mut world = Self { app: App::new(session), at: 0, now_secs: 100.0 };
        world.tell(Message::Tick { now_secs: 100.0 });
        world
    }

    /// After `secs` of the usual session.
    pub fn after(secs: f64) -> Self {
        let mut world = Self::new(session());
        world.run(secs);
        world
    }

    /// One message.
    pub fn tell(&mut self, message: Message) {
        assert_eq!(update(&mut self.app, message), None);
    }

    /// Time passes and nothing comes.
    pub fn wait(&mut self, secs: f64) {
        self.now_secs += secs;
        self.tell(Message::Tick { now_secs: self.now_secs });
    }

    /// Frames, cues, decisions and figures come for `secs`.
    pub fn run(&mut self, secs: f64) {
        let n_chunks = (secs * RATE_HZ / CHUNK_FRAMES as f64).round() as u64;
        for _ in 0..n_chunks {
            self.wait(CHUNK_FRAMES as f64 / RATE_HZ);
            self.step(|_, x| x, Windows::Decided);
        }
    }

    /// One chunk and what goes with it; `change` is given channel and sample.
    pub fn step(&mut self, change: impl Fn(usize, f32) -> f32, windows: Windows) {
        let n_channels = self.app.session.info.n_channels();
        let mut chunk = Chunk::new(n_channels, CHUNK_FRAMES as usize);
        chunk.restart(SampleIndex(self.at));
        for k in self.at..self.at + CHUNK_FRAMES {
            let frame: Vec<f32> = (0..n_channels).map(|c| change(c, sample(c, k))).collect();
            chunk.extend(&frame);
        }
        let end = chunk.end();
        self.tell(Message::Samples(&chunk));
        if self.at.is_multiple_of(2000) {
            let class = ClassIdx(1 + (self.at / 2000 % 2) as u8);
            let onset_secs = (self.at + 500) as f64 / RATE_HZ;
            self.tell(Message::Cue(Cue { onset_secs, class }));
        }
        self.at = end.0;
        let last = SampleIndex(end.0 - 1);
        match windows {
            _ if end.0 < 500 => {}
            Windows::Decided => self.tell(Message::Event(Event::Decision(decision(last.0)))),
            Windows::Unusable => self.tell(Message::Event(Event::Unusable { end: last })),
        }
        self.figures();
    }

    fn figures(&mut self) {
        let n_decided = (self.at / CHUNK_FRAMES).saturating_sub(19);
        self.tell(Message::Health(Health {
            counters: HealthSnapshot { n_received: self.at, ..HealthSnapshot::default() },
            effective_hz: (self.at > 500).then_some(249.8),
            backlog_secs: 0.02,
        }));
        self.tell(Message::Latency(LatencySummary {
            n: n_decided,
            p50_nanos: 412_000,
            p99_nanos: 1_240_000,
            max_nanos: 3_870_000,
        }));
        self.tell(Message::Score(score(n_decided)));
    }
}

/// Alpha of a size that differs by channel, and noise from a hash of the index.
fn sample(channel: usize, k: u64) -> f32 {
    let t = k as f64 / RATE_HZ;
    let mixed = (k + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(17 + channel as u32);
    let noise = (mixed.wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 40) as f64 / f64::from(1 << 24);
    let alpha = (6.0 + 4.0 * channel as f64) * (TAU * 9.0 * t + channel as f64).sin();
    (alpha + 9.0 * (TAU * 1.3 * t + channel as f64).sin() + 8.0 * (noise - 0.5)) as f32
}

/// Idle, left, right in turn, a second behind the cues.
fn decision(end: u64) -> Decision {
    let posterior = match (end.saturating_sub(750) % 4000) / 1000 {
        0 => vec![0.11, 0.82, 0.07],
        2 => vec![0.20, 0.17, 0.63],
        _ => vec![0.71, 0.19, 0.10],
    };
    let posterior = Posterior::try_from(posterior).unwrap();
    Decision { end: SampleIndex(end), posterior }
}

/// Scores as they are before and after two classes were true.
fn score(n_decided: u64) -> ScoreSummary {
    let mut confusion = Confusion::new(3);
    let known = n_decided > 60;
    let rows =
        if known { [[40, 6, 4], [5, 31, 2], [7, 3, 22]] } else { [[10, 1, 0], [0; 3], [0; 3]] };
    for (t, row) in rows.into_iter().enumerate() {
        for (p, n) in row.into_iter().enumerate() {
            (0..n).for_each(|_| confusion.record(ClassIdx(t as u8), ClassIdx(p as u8)));
        }
    }
    ScoreSummary {
        nmcc: known.then_some(0.831),
        itr_bits_per_min: known.then_some(14.27),
        balanced_accuracy: known.then_some(0.768),
        interval: known.then_some(Interval { lower: 0.742, upper: 0.901 }),
        itr_interval: known.then_some(Interval { lower: 9.81, upper: 19.05 }),
        n_windows: confusion.total(),
        n_true_classes: if known { 3 } else { 1 },
        n_pending: 5,
        n_dropped_cues: 0,
        n_out_of_order: 0,
        confusion,
    }
}

/// One frame at a size.
pub fn drawn(app: &App, theme: Theme, width: u16, height: u16) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| view(app, &theme, frame)).unwrap();
    terminal.backend().buffer().clone()
}

/// The characters of a frame, row by row, without trailing spaces.
pub fn text(buffer: &Buffer) -> String {
    let width = usize::from(buffer.area().width).max(1);
    let row = |cells: &[ratatui::buffer::Cell]| {
        let row: String = cells.iter().map(ratatui::buffer::Cell::symbol).collect();
        row.trim_end().to_owned()
    };
    buffer.content().chunks(width).map(row).collect::<Vec<_>>().join("\n")
}
