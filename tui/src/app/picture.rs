//! What the panels show, and what a pause freezes.

use super::quality::{QUALITY_SECS, Quality};
use super::spectrum::{SPECTRUM_SECS, Spectrum};
use super::{SPANS_SECS, Session, Stamped};
use acquisition::marker::{ClassIdx, Cue};
use acquisition::ring::History;
use acquisition::signal::{Chunk, MAX_CHANNELS};
use acquisition::time::{SampleIndex, SampleRate};
use decoding::evaluate::running::ScoreSummary;
use decoding::metric::latency::LatencySummary;
use decoding::session::event::Decision;
use std::collections::VecDeque;

/// Seconds of decisions and cues that are kept.
pub const TIMELINE_SECS: f64 = 30.0;

/// Most samples kept for drawing, all channels together: 64 MiB of them.
const MAX_HISTORY_SAMPLES: usize = 16 << 20;

/// Most decisions or cues kept.
const MAX_TIMELINE: usize = 1 << 15;

/// What became of one window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict {
    /// Index of its last sample.
    pub end: SampleIndex,
    /// The class decided; `None` where its samples were not finite.
    pub class: Option<ClassIdx>,
}

/// Everything that is drawn of the data.
#[derive(Clone, Debug)]
pub struct Picture {
    /// Raw samples; lost frames are NaN.
    pub history: History,
    /// When the newest of them arrived.
    pub samples_at_secs: Option<f64>,
    /// First sample after the newest gap.
    pub gap_end: SampleIndex,
    /// Quality per channel, judged once per second.
    pub quality: Vec<Quality>,
    /// Spectrum of the chosen channel, made once per second.
    pub spectrum: Option<Stamped<Spectrum>>,
    /// The newest decision.
    pub decision: Option<Stamped<Decision>>,
    /// What became of the newest windows, oldest first.
    pub verdicts: VecDeque<Verdict>,
    /// The newest true cues, oldest first.
    pub cues: VecDeque<Cue>,
    /// The running score.
    pub score: Option<Stamped<ScoreSummary>>,
    /// How long decisions take.
    pub latency: Option<Stamped<LatencySummary>>,
}

impl Picture {
    /// Nothing yet, with room for the longest stretch that can be shown.
    pub fn new(session: &Session) -> Self {
        let n_channels = session.info.n_channels().clamp(1, MAX_CHANNELS);
        let longest_secs = SPANS_SECS[SPANS_SECS.len() - 1];
        let wanted = (session.info.rate.hz() * longest_secs).ceil() as usize;
        let capacity = wanted.clamp(1, MAX_HISTORY_SAMPLES / n_channels / 2);
        Self {
            history: History::new(n_channels, capacity),
            samples_at_secs: None,
            gap_end: SampleIndex(0),
            quality: vec![Quality::Unknown; session.info.n_channels()],
            spectrum: None,
            decision: None,
            verdicts: VecDeque::new(),
            cues: VecDeque::new(),
            score: None,
            latency: None,
        }
    }

    /// Appends frames. A chunk from before the newest sample means that another
    /// stream began: decisions and cues of the old one are forgotten.
    pub fn push_samples(&mut self, chunk: &Chunk, now_secs: f64) {
        let end = self.history.end();
        if chunk.first() < end {
            self.verdicts.clear();
            self.cues.clear();
        }
        if chunk.first() != end {
            self.gap_end = chunk.first();
        }
        self.history.push(chunk);
        self.samples_at_secs = Some(now_secs);
    }

    /// Appends what became of a window; an earlier one than the newest begins anew.
    pub fn push_verdict(&mut self, verdict: Verdict, rate: SampleRate) {
        if self.verdicts.back().is_some_and(|newest| newest.end > verdict.end) {
            self.verdicts.clear();
        }
        let oldest_secs = rate.secs(verdict.end) - TIMELINE_SECS;
        while self.verdicts.len() >= MAX_TIMELINE
            || self.verdicts.front().is_some_and(|v| rate.secs(v.end) < oldest_secs)
        {
            self.verdicts.pop_front();
        }
        self.verdicts.push_back(verdict);
    }

    /// Appends a cue; `task_end_secs` after its onset it may be forgotten once it is
    /// off the timeline.
    pub fn push_cue(&mut self, cue: Cue, task_end_secs: f64, now_secs: f64) {
        let oldest_secs = now_secs - TIMELINE_SECS - task_end_secs.max(0.0);
        while self.cues.len() >= MAX_TIMELINE
            || self.cues.front().is_some_and(|c| c.onset_secs < oldest_secs)
        {
            self.cues.pop_front();
        }
        let at = self.cues.partition_point(|c| c.onset_secs <= cue.onset_secs);
        self.cues.insert(at, cue);
    }

    /// The instant the picture is of: seconds from sample 0 to its newest sample or
    /// decision.
    pub fn end_secs(&self, rate: SampleRate) -> f64 {
        let decided = self.verdicts.back().map_or(0.0, |v| rate.secs(v.end));
        rate.secs(self.history.end()).max(decided)
    }

    /// The true class at an instant: that of the newest cue whose task covers it.
    pub fn true_class(&self, at_secs: f64, task_secs: [f64; 2]) -> ClassIdx {
        let covers = |cue: &&Cue| {
            (cue.onset_secs + task_secs[0]..cue.onset_secs + task_secs[1]).contains(&at_secs)
        };
        self.cues.iter().rev().find(covers).map_or(ClassIdx::IDLE, |cue| cue.class)
    }

    /// Judges every channel and makes the spectrum of one. Cost: all channels' newest
    /// second, one channel's newest four seconds.
    pub fn survey(&mut self, session: &Session, channel: usize) {
        let rate_hz = session.info.rate.hz();
        let since_gap = self.history.end().0.saturating_sub(self.gap_end.0);
        let n = (since_gap as usize).min((QUALITY_SECS * rate_hz).round() as usize);
        let channels = session.info.channels.iter().take(self.history.n_channels());
        for (c, (info, quality)) in channels.zip(&mut self.quality).enumerate() {
            *quality = Quality::of(self.history.window(c, n), info.unit, rate_hz);
        }
        self.survey_channel(session, channel);
    }

    /// Makes the spectrum of one channel.
    pub fn survey_channel(&mut self, session: &Session, channel: usize) {
        let Some(at_secs) = self.samples_at_secs else { return };
        if channel >= self.history.n_channels() {
            return;
        }
        let rate = session.info.rate;
        let since_gap = self.history.end().0.saturating_sub(self.gap_end.0);
        let n = (since_gap as usize).min((SPECTRUM_SECS * rate.hz()).round() as usize);
        let value = Spectrum::of(channel, self.history.window(channel, n), rate);
        self.spectrum = Some(Stamped { value, at_secs });
    }
}
