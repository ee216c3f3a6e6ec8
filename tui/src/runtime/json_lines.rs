//! The event log: one JSON object per line, the same on standard output and in files.
//! Numbers are written so that they read back to the same bits.

use acquisition::health::HealthSnapshot;
use decoding::evaluate::running::ScoreSummary;
use decoding::metric::latency::LatencySummary;
use serde::Serialize;

/// One line. The field `line` says which.
#[derive(Debug, Serialize)]
#[serde(tag = "line", rename_all = "snake_case")]
pub enum Line<'a> {
    /// The first one: what is being decoded, and with what.
    Session {
        /// Program version.
        mindloop: &'a str,
        /// `demo`, `live` or `replay`.
        mode: &'a str,
        /// Whether a simulator made the samples.
        simulated: bool,
        /// Name of the stream or file, made printable.
        stream: &'a str,
        /// Its nominal rate.
        rate_hz: f64,
        /// Its number of channels.
        n_channels: usize,
        /// Pipeline of the model.
        pipeline: &'a str,
        /// Class names, idle first.
        classes: &'a [String],
        /// Window length.
        window_samples: usize,
        /// Window step.
        step_samples: usize,
        /// Identity of the model.
        model_sha256: &'a str,
    },
    /// A window was decided.
    Decision {
        /// Index of the window's last sample.
        sample: u64,
        /// The same in seconds from sample 0.
        time_secs: f64,
        /// Name of the class.
        class: &'a str,
        /// Posterior per class, idle first.
        posterior: &'a [f64],
        /// Time from the window's last frame to the posterior.
        took_us: f64,
    },
    /// A window was not decided, because samples in it are not finite or constant.
    Unusable {
        /// Index of the window's last sample.
        sample: u64,
    },
    /// Frames are missing; the filter restarted.
    Gap {
        /// Index of the first frame after it.
        at_sample: u64,
        /// Number of missing frames.
        n_missing: u64,
    },
    /// A marker.
    Marker {
        /// Seconds from sample 0.
        onset_secs: f64,
        /// What it says, made printable.
        text: &'a str,
    },
    /// The last one.
    End {
        /// Windows decided.
        n_decisions: u64,
        /// Windows that could not be.
        n_unusable: u64,
        /// Scores against the cues.
        score: &'a ScoreSummary,
        /// Decision times.
        latency: &'a LatencySummary,
        /// What became of frames and markers.
        #[serde(flatten)]
        counters: Counters,
        /// Events this log missed.
        n_dropped_events: u64,
        /// Why the session failed, printable; `null` where it did not.
        failure: Option<&'a str>,
    },
}

/// The stream's counters in the last line.
#[derive(Debug, Serialize)]
#[expect(clippy::struct_field_names, reason = "the names are those of the log's fields")]
pub struct Counters {
    /// Frames received.
    n_received: u64,
    /// Frames lost before they arrived.
    n_lost: u64,
    /// Frames dropped because decoding fell behind.
    n_dropped: u64,
    /// Cues that came when windows under their task had been scored.
    n_late_markers: u64,
}

impl Counters {
    /// Those of a snapshot.
    pub fn of(health: &HealthSnapshot) -> Self {
        Self {
            n_received: health.n_received,
            n_lost: health.n_lost,
            n_dropped: health.n_dropped,
            n_late_markers: health.n_late_markers,
        }
    }
}
