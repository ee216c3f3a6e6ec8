//! Which frame is which: gap-aware assignment of sample indices to raw stamps.

use crate::time::{SampleIndex, SampleRate};

/// Fewest missing frames that are recognised, where stamps jitter less than that.
pub const MIN_GAP_FRAMES: u64 = 3;

/// Time constant of the fit, in seconds of stream time.
const FIT_SECS: f64 = 2.0;

/// Half-life of the memory of how much stamps jitter, in seconds of stream time.
const SPREAD_HALF_LIFE_SECS: f64 = 10.0;

/// Spread assumed of a sender nothing is known about, in seconds, and how fast the
/// assumption fades as its stamps are seen.
const FIRST_DOUBT_SECS: f64 = 0.1;
const DOUBT_HALF_LIFE_SECS: f64 = 0.25;

/// Longest wait, on the caller's clock, for the frames that tell lateness from loss,
/// and the stretch of stream time they should cover.
const VERDICT_SECS: f64 = 0.1;

/// Tolerance for what was not seen yet, at most, in seconds: longer gaps are found
/// even where stamps jitter.
const MAX_BENEFIT_SECS: f64 = 0.09;

/// Largest deviation from the nominal period that is followed.
const MAX_RATE_ERROR: f64 = 0.05;

/// A forward jump longer than this is another clock, not a gap.
const MAX_GAP_SECS: f64 = 3600.0;

/// A backward jump longer than this is another clock, not jitter.
const MAX_BACK_SECS: f64 = 1.0;

/// What became of the stamps offered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Accepted {
    /// Index of the first accepted frame.
    pub first: SampleIndex,
    /// Accepted frames, with consecutive indices; 0 while a jump awaits its verdict.
    pub n_frames: usize,
    /// Frames found missing right before them.
    pub n_missing: u64,
    /// Whether the sender's clock was found to have stepped right before them.
    pub clock_reset: bool,
}

/// A jump of the stamps that may be lateness or loss.
#[derive(Clone, Copy, Debug)]
struct Suspect {
    since_secs: f64,
}

/// Assigns sample indices to frames from their raw stamps.
///
/// A second-order loop follows the stamps: with `r` the residual of a frame in
/// seconds and `w = T / 2 s` (`T` the period), phase and period are corrected by
/// `2 w r` and `w^2 r`: critically damped, two seconds, so a drift of the sender's
/// clock is followed and jitter averaged out. Residuals are clipped to the tolerance.
///
/// A residual above half a period plus the tolerance is suspect. The tolerance is the
/// largest of 2 periods, 1.2 times the largest residual seen lately, and 3 times that
/// residual but at most 90 ms. Frames after a suspect one are looked at until they
/// are as many as seem to be missing and cover 100 ms, or until 100 ms have passed on
/// the caller's clock: if every one of them is that late, frames are missing, as many
/// as the least late one shows; otherwise the sender was late and nothing is missing.
/// So ordinary jitter and stalls do not become losses, while a gap of at least
/// [`MIN_GAP_FRAMES`] is found where stamps are clean (half a second into the stream,
/// before which only long gaps are believed), and one of 100 ms where they jitter by
/// up to 75 ms. Frames after a jump come up to 100 ms later than others. A gap that
/// stays below the tolerance is taken up by the fit: it is not counted, and instants
/// still agree with samples ([`Dejitter::onset_secs`]).
///
/// A jump back by more than 1 s, or forward by more than an hour, is a clock that
/// stepped: the fit starts anew there, and what is missing is taken from the time
/// that passed on the caller's clock since the last frame.
///
/// Units: all instants in seconds; stamps on the sender's clock, `now_secs` on any
/// local one. Allocation: none.
///
/// # Reference
/// The loop is the g-h filter with the gains of critical damping: Benedict and
/// Bordner, IRE Trans. Automatic Control 7(4), 1962, doi:10.1109/TAC.1962.1105477.
/// Telling lateness from loss by the least residual is ours.
#[derive(Clone, Debug)]
pub struct Dejitter {
    rate: SampleRate,
    /// Stamp of the first frame: the others are kept relative to it, for precision.
    origin_secs: Option<f64>,
    /// Where the next frame is expected, relative to the origin.
    expected_secs: f64,
    period_secs: f64,
    /// Largest residual lately.
    spread_secs: f64,
    /// What is left of the doubt about a sender nothing was known about.
    doubt_secs: f64,
    next: SampleIndex,
    suspect: Option<Suspect>,
    last_accept_secs: f64,
}

impl Dejitter {
    /// For a stream of this nominal rate; its first frame gets index 0.
    pub fn new(rate: SampleRate) -> Self {
        Self {
            rate,
            origin_secs: None,
            expected_secs: 0.0,
            period_secs: 1.0 / rate.hz(),
            spread_secs: 0.0,
            doubt_secs: FIRST_DOUBT_SECS,
            next: SampleIndex(0),
            suspect: None,
            last_accept_secs: 0.0,
        }
    }

    /// Looks at the stamps of the frames that wait, oldest first, and accepts the
    /// first ones, at most `max_frames`. Offer the rest again, with what has come
    /// since. `now_secs` is the local time. A slice that is not empty is held back
    /// for at most 100 ms.
    pub fn accept(&mut self, stamps: &[f64], max_frames: usize, now_secs: f64) -> Accepted {
        let mut accepted =
            Accepted { first: self.next, n_frames: 0, n_missing: 0, clock_reset: false };
        let Some(&first) = stamps.first() else { return accepted };
        // A stamp that is no number says nothing: the first is replaced by the time
        // of arrival, later ones by what the fit expects.
        self.origin_secs.get_or_insert(if first.is_finite() { first } else { now_secs });
        let residual = self.residual(first);
        if self.is_jump(residual) {
            let Some(verdict) = self.judge(residual, stamps, now_secs) else { return accepted };
            self.suspect = None;
            accepted.n_missing = self.resolve(verdict, residual, now_secs);
            accepted.clock_reset = matches!(verdict, Verdict::Clock);
            self.next.0 += accepted.n_missing;
            accepted.first = self.next;
        }
        for &stamp in stamps.iter().take(max_frames) {
            let residual = self.residual(stamp);
            if accepted.n_frames > 0 && self.is_jump(residual) {
                break;
            }
            self.follow(residual);
            accepted.n_frames += 1;
        }
        self.next.0 += accepted.n_frames as u64;
        self.last_accept_secs = now_secs;
        accepted
    }

    /// Index of the next frame, should none be missing.
    pub fn next(&self) -> SampleIndex {
        self.next
    }

    /// The stamp at which the fit sees sample `index`, on the sender's clock. Sound
    /// near the newest frames; `None` before the first.
    pub fn stamp_secs(&self, index: SampleIndex) -> Option<f64> {
        let n_back = self.next.0 as f64 - index.0 as f64;
        Some(self.origin_secs? + self.expected_secs - n_back * self.period_secs)
    }

    /// Seconds from sample 0, at the nominal rate, of an instant on the sender's
    /// clock: `(next + (stamp - expected) / T) / rate`, so an instant and the sample
    /// at that instant agree however the true rate drifts. With stamps exactly at the
    /// nominal rate it is the instant minus the stamp of sample 0.
    pub fn onset_secs(&self, stamp_secs: f64) -> Option<f64> {
        let ahead_secs = stamp_secs - self.origin_secs? - self.expected_secs;
        let stretch = 1.0 / (self.rate.hz() * self.period_secs);
        Some(self.rate.secs(self.next) + ahead_secs * stretch)
    }

    /// Estimated true rate in hertz.
    pub fn fitted_rate_hz(&self) -> f64 {
        1.0 / self.period_secs
    }

    /// The residual of the next frame, should this be its stamp.
    fn residual(&self, stamp_secs: f64) -> f64 {
        let residual = stamp_secs - self.origin_secs.unwrap_or_default() - self.expected_secs;
        if residual.is_finite() { residual } else { 0.0 }
    }

    /// Whether a residual needs an explanation.
    fn is_jump(&self, residual: f64) -> bool {
        residual > self.limit_secs() || residual < -MAX_BACK_SECS
    }

    fn tolerance_secs(&self) -> f64 {
        let spread = self.spread_secs.max(self.doubt_secs);
        let benefit = (3.0 * spread).min(MAX_BENEFIT_SECS);
        benefit.max(1.2 * self.spread_secs).max(2.0 * self.period_secs)
    }

    fn limit_secs(&self) -> f64 {
        0.5 * self.period_secs + self.tolerance_secs()
    }

    /// What a jump is, once that can be told. `residual` is the first stamp's.
    fn judge(&mut self, residual: f64, stamps: &[f64], now_secs: f64) -> Option<Verdict> {
        if !(-MAX_BACK_SECS..=MAX_GAP_SECS).contains(&residual) {
            return Some(Verdict::Clock);
        }
        let suspect = *self.suspect.get_or_insert(Suspect { since_secs: now_secs });
        let n_apparent = (residual / self.period_secs).round() as usize;
        let n_telling = (n_apparent + 2).max((VERDICT_SECS * self.rate.hz()) as usize);
        let waited = now_secs - suspect.since_secs >= VERDICT_SECS;
        let telling = &stamps[..stamps.len().min(n_telling)];
        let least = self.least_residual(telling);
        if least <= self.limit_secs() {
            return Some(Verdict::Late);
        }
        (waited || telling.len() == n_telling)
            .then(|| Verdict::Lost((least / self.period_secs).round() as u64))
    }

    /// The smallest residual of consecutive frames.
    fn least_residual(&self, stamps: &[f64]) -> f64 {
        let late = |(k, stamp): (usize, &f64)| self.residual(*stamp) - k as f64 * self.period_secs;
        stamps.iter().enumerate().map(late).fold(f64::INFINITY, f64::min)
    }

    /// Moves the fit past a jump; how many frames are missing.
    fn resolve(&mut self, verdict: Verdict, residual: f64, now_secs: f64) -> u64 {
        match verdict {
            Verdict::Late => 0,
            Verdict::Lost(n_missing) => {
                self.expected_secs += n_missing as f64 * self.period_secs;
                n_missing
            }
            Verdict::Clock => {
                self.expected_secs += residual;
                let silent_secs = now_secs - self.last_accept_secs;
                let n_missed = (silent_secs * self.rate.hz()).round().max(0.0) as u64;
                // Shorter silences are how frames ordinarily arrive: in chunks.
                if silent_secs > 1.0 { n_missed } else { 0 }
            }
        }
    }

    /// Takes an accepted frame into the fit.
    fn follow(&mut self, residual: f64) {
        let tolerance = self.tolerance_secs();
        let r = residual.clamp(-tolerance, tolerance);
        let nominal = 1.0 / self.rate.hz();
        let gain = (nominal / FIT_SECS).min(0.5);
        self.expected_secs += 2.0 * gain * r + self.period_secs;
        self.period_secs = (self.period_secs + gain * gain * r)
            .clamp((1.0 - MAX_RATE_ERROR) * nominal, (1.0 + MAX_RATE_ERROR) * nominal);
        let seen = residual.abs().min(MAX_BACK_SECS);
        self.spread_secs = seen.max(self.spread_secs * fade(nominal, SPREAD_HALF_LIFE_SECS));
        self.doubt_secs *= fade(nominal, DOUBT_HALF_LIFE_SECS);
    }
}

/// `2^(-secs / half_life)`: what is left of a memory.
fn fade(secs: f64, half_life_secs: f64) -> f64 {
    (-secs / half_life_secs).exp2()
}

/// What a jump of the stamps was.
#[derive(Clone, Copy, Debug)]
enum Verdict {
    /// The sender was late; all frames are there.
    Late,
    /// That many frames are missing.
    Lost(u64),
    /// The sender's clock stepped.
    Clock,
}

#[cfg(test)]
mod tests;
