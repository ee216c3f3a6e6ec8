//! The recording thread: scores the session as it runs and writes its event log. It
//! sees every event the decoding thread announced, in order, and nothing else.

use super::json_lines::{Counters, Line};
use super::sinks::{Closed, Sinks};
use super::{Audience, Shared, class_name};
use crate::app::Mode;
use acquisition::marker::{Cue, MarkerMap};
use acquisition::signal::StreamInfo;
use acquisition::text::printable;
use acquisition::time::SampleRate;
use anyhow::Result;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use decoding::evaluate::labels::{LabelRule, TaskInterval};
use decoding::evaluate::running::{RunningScore, SETTLE_SECS, ScoreSummary};
use decoding::evaluate::score::{Idle, ScoreOptions};
use decoding::metric::itr::ItrOptions;
use decoding::metric::latency::{LatencyRecorder, LatencySummary};
use decoding::session::engine::Output;
use decoding::session::event::Event;
use decoding::window::WindowSpec;
use models::checkpoint::Model;
use std::time::Duration;

/// Snapshots the screen may be behind with before new ones are left out.
pub const NEWS_QUEUE: usize = 8;
/// How often scores are summarised for the screen.
const NEWS_EVERY_NANOS: u64 = 500_000_000;

/// What is fixed for the session and listeners need to know.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The stream.
    pub info: StreamInfo,
    /// Nominal rate of the model.
    pub rate: SampleRate,
    /// Class names, idle first.
    pub classes: Vec<String>,
    /// Name of the pipeline.
    pub pipeline: String,
    /// Where windows lie.
    pub window: WindowSpec,
    /// When tasks run after cues.
    pub interval: TaskInterval,
    /// Which markers are cues.
    pub markers: MarkerMap,
    /// Identity of the model.
    pub model_sha256: String,
    /// Whether a simulator made the samples, or the model's training data.
    pub simulated: bool,
    /// Kind of session.
    pub mode: Mode,
}

impl Facts {
    /// The facts of a model that meets a stream.
    pub fn new(info: &StreamInfo, model: &Model, mode: Mode) -> Result<Self> {
        let rate = SampleRate::new(model.rate_hz)?;
        Ok(Self {
            info: info.clone(),
            rate,
            classes: model.classes.iter().map(|c| printable(c).into_owned()).collect(),
            pipeline: model.decoder.pipeline().name.clone(),
            window: model.front_end.window(rate)?,
            interval: model.interval,
            markers: model.marker_map(),
            model_sha256: model.digest(),
            simulated: info.simulated || model.simulated,
            mode,
        })
    }

    /// Scores as an evaluation with its defaults would.
    fn score_options(&self) -> ScoreOptions {
        ScoreOptions {
            n_classes: self.classes.len(),
            window: self.window,
            rate: self.rate,
            interval: self.interval,
            label_rule: LabelRule::default(),
            idle: Idle::Include,
            itr: ItrOptions::default(),
            dwell_windows: 3,
        }
    }
}

/// What the screen is told from time to time.
#[derive(Clone, Debug)]
pub enum News {
    /// The running score.
    Score(ScoreSummary),
    /// Decision times.
    Latency(LatencySummary),
    /// Something to be read.
    Alert(String),
}

/// What is left when the session is over.
#[derive(Debug)]
pub struct Summary {
    /// Windows decided.
    pub n_decisions: u64,
    /// Windows that could not be.
    pub n_unusable: u64,
    /// Scores against the cues.
    pub score: ScoreSummary,
    /// Decision times.
    pub latency: LatencySummary,
    /// Why the log is incomplete, if it is.
    pub log_failure: Option<String>,
    /// Whether a simulator made the samples, or the model's training data.
    pub simulated: bool,
}

/// Listens until the decoding thread has said its last word. `news` is for the screen,
/// where there is one.
pub fn run(
    facts: Facts,
    events: &Receiver<Output>,
    sinks: Sinks,
    news: Option<&Sender<News>>,
    shared: &Shared,
) -> Summary {
    let score = RunningScore::new(facts.score_options(), SETTLE_SECS);
    let mut recorder = Recorder {
        settle_samples: facts.rate.samples(SETTLE_SECS).max(0) as u64,
        facts,
        sinks,
        news,
        shared,
        score,
        decided_to: None,
        latency: LatencyRecorder::new(),
        n_decisions: 0,
        n_unusable: 0,
        log_failure: None,
        next_news_nanos: 0,
    };
    recorder.open();
    loop {
        match events.recv_timeout(Duration::from_millis(100)) {
            Ok(output) => recorder.take(&output),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if events.is_empty() {
            let closed = recorder.sinks.flush();
            recorder.note(closed);
        }
        recorder.tell_screen(shared.clock.nanos());
    }
    recorder.close()
}

/// The thread's state.
struct Recorder<'a> {
    facts: Facts,
    sinks: Sinks,
    news: Option<&'a Sender<News>>,
    shared: &'a Shared,
    score: RunningScore,
    /// What the score settles windows after.
    settle_samples: u64,
    /// End of the latest decision.
    decided_to: Option<u64>,
    latency: LatencyRecorder,
    n_decisions: u64,
    n_unusable: u64,
    log_failure: Option<String>,
    next_news_nanos: u64,
}

impl Recorder<'_> {
    fn open(&mut self) {
        let facts = &self.facts;
        let stream = printable(&facts.info.name);
        let line = Line::Session {
            mindloop: env!("CARGO_PKG_VERSION"),
            mode: facts.mode.name(),
            simulated: facts.simulated,
            stream: &stream,
            rate_hz: facts.rate.hz(),
            n_channels: facts.info.n_channels(),
            pipeline: &facts.pipeline,
            classes: &facts.classes,
            window_samples: facts.window.window_samples,
            step_samples: facts.window.step_samples,
            model_sha256: &facts.model_sha256,
        };
        let closed = self.sinks.write(&line);
        self.note(closed);
    }

    fn take(&mut self, output: &Output) {
        let closed = match output.event {
            Event::Decision(decision) => {
                self.n_decisions += 1;
                self.latency.record(output.took_nanos);
                self.score.push_decision(decision);
                self.decided_to = self.decided_to.max(Some(decision.end.0));
                self.sinks.write(&Line::Decision {
                    sample: decision.end.0,
                    time_secs: self.facts.rate.secs(decision.end),
                    class: class_name(&self.facts.classes, decision.class()),
                    posterior: decision.posterior.as_slice(),
                    took_us: output.took_nanos as f64 * 1e-3,
                })
            }
            Event::Unusable { end } => {
                self.n_unusable += 1;
                self.sinks.write(&Line::Unusable { sample: end.0 })
            }
            Event::Discontinuity { at, n_missing } => {
                self.sinks.write(&Line::Gap { at_sample: at.0, n_missing })
            }
            Event::Marker(marker) => {
                if let Some(cue) = self.facts.markers.cue(&marker) {
                    self.count_if_late(&cue);
                    self.score.push_cue(cue);
                }
                let text = printable(marker.text.as_str());
                // Adding zero turns a negative zero into the zero it is.
                self.sinks.write(&Line::Marker { onset_secs: marker.onset_secs + 0.0, text: &text })
            }
        };
        self.note(closed);
    }

    /// A cue is late where its task begins among windows that are settled: they were
    /// scored without it.
    fn count_if_late(&self, cue: &Cue) {
        let settled_to = self.decided_to.and_then(|end| end.checked_sub(self.settle_samples));
        let task = self.facts.interval.samples(cue, self.facts.rate);
        if !task.is_empty() && settled_to.is_some_and(|settled| task.start <= settled) {
            self.shared.health.late_markers(1);
        }
    }

    /// Ends a session whose reader left. Of failures it keeps the first, and says each
    /// on screen.
    fn note(&mut self, closed: Option<Closed>) {
        let failure = match closed {
            None => return,
            Some(Closed::ReaderLeft) => return self.shared.request_stop(),
            Some(Closed::Failed(failure)) => failure,
        };
        if let Some(news) = self.news {
            let _ = news.try_send(News::Alert(failure.clone()));
        }
        self.log_failure.get_or_insert(failure);
    }

    /// Snapshots for the screen; left out where it is behind.
    fn tell_screen(&mut self, now_nanos: u64) {
        let Some(news) = self.news else { return };
        if now_nanos < self.next_news_nanos {
            return;
        }
        self.next_news_nanos = now_nanos + NEWS_EVERY_NANOS;
        let _ = news.try_send(News::Score(self.score.summary()));
        let _ = news.try_send(News::Latency(self.latency.summary()));
    }

    fn close(mut self) -> Summary {
        self.score.finish();
        let (score, latency) = (self.score.summary(), self.latency.summary());
        if let Some(news) = self.news {
            // What the screen goes on showing of a stream that is over is all of it.
            let _ = news.try_send(News::Score(score.clone()));
            let _ = news.try_send(News::Latency(latency));
        }
        let closed = self.sinks.write(&Line::End {
            n_decisions: self.n_decisions,
            n_unusable: self.n_unusable,
            score: &score,
            latency: &latency,
            counters: Counters::of(&self.shared.health.snapshot()),
            n_dropped_events: self.shared.missed_events.by(Audience::Record),
            failure: self.shared.failure.get().map(String::as_str),
        });
        self.note(closed);
        let closed = self.sinks.flush();
        self.note(closed);
        Summary {
            n_decisions: self.n_decisions,
            n_unusable: self.n_unusable,
            score,
            latency,
            log_failure: self.log_failure,
            simulated: self.facts.simulated,
        }
    }
}

#[cfg(test)]
mod tests;
