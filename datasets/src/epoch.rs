//! Epochs: pieces of equal length cut around cues, for training decoders on trials.
//!
//! They are *not* the windows of a running session: those slide over the whole
//! recording and live in `decoding`.

use acquisition::marker::{ClassIdx, Cue};
use acquisition::time::SampleRate;
use ndarray::{Array3, ArrayView2, ArrayView3, Axis, s};

/// Why epochs can't be built: all are errors of the program that builds them.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum EpochError {
    /// One label and one time per epoch: pass as many of each.
    #[error("{n_epochs} epochs have {n_labels} labels and {n_times} times")]
    Lengths {
        /// Length of the first axis.
        n_epochs: usize,
        /// Labels passed.
        n_labels: usize,
        /// Times passed.
        n_times: usize,
    },
    /// Epochs are kept in time order: sort them first.
    #[error("epoch {idx} is earlier than its predecessor, or has no time")]
    Order {
        /// The first epoch out of order.
        idx: usize,
    },
    /// The interval holds no sample: check its ends.
    #[error("interval [{tmin_secs}, {tmax_secs}) s holds no sample")]
    Interval {
        /// Its start, in seconds after the cue.
        tmin_secs: f64,
        /// Its end.
        tmax_secs: f64,
    },
}

/// Labelled pieces of signal in time order, `(n_epochs, n_channels, n_samples)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Epochs {
    samples: Array3<f64>,
    labels: Vec<ClassIdx>,
    times_secs: Vec<f64>,
}

impl Epochs {
    /// Epochs from their samples `(n_epochs, n_channels, n_samples)`, their classes, and
    /// the times of their first samples, which must not decrease.
    pub fn new(
        samples: Array3<f64>,
        labels: Vec<ClassIdx>,
        times_secs: Vec<f64>,
    ) -> Result<Self, EpochError> {
        let (n_epochs, n_labels, n_times) = (samples.dim().0, labels.len(), times_secs.len());
        if n_labels != n_epochs || n_times != n_epochs {
            return Err(EpochError::Lengths { n_epochs, n_labels, n_times });
        }
        let is_before = |pair: &[f64]| pair[0] <= pair[1];
        if let Some(at) = times_secs.windows(2).position(|pair| !is_before(pair)) {
            return Err(EpochError::Order { idx: at + 1 });
        }
        Ok(Self { samples, labels, times_secs })
    }

    /// Cuts the samples `round((cue + tmin) * rate) + i`, `i = 0..n`, with
    /// `n = round((tmax - tmin) * rate)`, out of a signal `(n_channels, n_samples)` that
    /// begins at time 0. All epochs have the same length whatever the cue's fraction of
    /// a sample; those that are not wholly inside the signal are left out.
    pub fn cut(
        signal: &ArrayView2<f64>,
        rate: SampleRate,
        cues: &[Cue],
        [tmin_secs, tmax_secs]: [f64; 2],
    ) -> Result<Self, EpochError> {
        let n_samples = usize::try_from(rate.samples(tmax_secs - tmin_secs)).unwrap_or(0);
        if n_samples == 0 {
            return Err(EpochError::Interval { tmin_secs, tmax_secs });
        }
        let inside = |cue: &&Cue| start(cue, rate, tmin_secs, n_samples, signal.ncols()).is_some();
        let mut cues: Vec<Cue> = cues.iter().filter(inside).copied().collect();
        cues.sort_by(|a, b| a.onset_secs.total_cmp(&b.onset_secs));
        let mut samples = Array3::zeros((cues.len(), signal.nrows(), n_samples));
        for (mut epoch, cue) in samples.axis_iter_mut(Axis(0)).zip(&cues) {
            if let Some(at) = start(cue, rate, tmin_secs, n_samples, signal.ncols()) {
                epoch.assign(&signal.slice(s![.., at..at + n_samples]));
            }
        }
        let labels = cues.iter().map(|cue| cue.class).collect();
        let times_secs = cues.iter().map(|cue| cue.onset_secs + tmin_secs).collect();
        Self::new(samples, labels, times_secs)
    }

    /// All samples, `(n_epochs, n_channels, n_samples)`.
    pub fn samples(&self) -> ArrayView3<'_, f64> {
        self.samples.view()
    }

    /// The class of each epoch.
    pub fn labels(&self) -> &[ClassIdx] {
        &self.labels
    }

    /// The time of each epoch's first sample, in seconds from sample 0; not decreasing.
    pub fn times_secs(&self) -> &[f64] {
        &self.times_secs
    }

    /// Number of epochs.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// One epoch, `(n_channels, n_samples)`.
    ///
    /// # Panics
    /// If there are fewer.
    pub fn epoch(&self, idx: usize) -> ArrayView2<'_, f64> {
        self.samples.index_axis(Axis(0), idx)
    }
}

/// The first sample of a cue's epoch, if all of it lies inside `n_held` samples.
fn start(
    cue: &Cue,
    rate: SampleRate,
    tmin_secs: f64,
    n_samples: usize,
    n_held: usize,
) -> Option<usize> {
    if !cue.onset_secs.is_finite() {
        return None;
    }
    let at = usize::try_from(rate.samples(cue.onset_secs + tmin_secs)).ok()?;
    (at.checked_add(n_samples)? <= n_held).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    fn cue(onset_secs: f64, class: u8) -> Cue {
        Cue { onset_secs, class: ClassIdx(class) }
    }

    #[test]
    fn epochs_are_cut_in_time_order_and_whole() {
        let signal = Array2::from_shape_fn((2, 40), |(c, n)| (100 * c + n) as f64);
        let rate = SampleRate::new(10.0).unwrap();
        let cues = [cue(2.05, 2), cue(0.5, 1), cue(3.8, 1), cue(-0.8, 1), cue(f64::NAN, 1)];
        let epochs = Epochs::cut(&signal.view(), rate, &cues, [0.5, 1.0]).unwrap();
        assert_eq!(epochs.labels(), [ClassIdx(1), ClassIdx(2)]);
        assert_eq!(epochs.samples().dim(), (2, 2, 5));
        // 0.5 + 0.5 s and 2.05 + 0.5 s at 10 Hz: samples 10 and 26 (25.5 to even).
        assert_eq!(epochs.epoch(0)[[1, 0]], 110.0);
        assert_eq!(epochs.epoch(1)[[0, 0]], 26.0);
    }

    #[test]
    fn lengths_order_and_interval_are_checked() {
        let samples = || Array3::zeros((2, 1, 3));
        let labels = || vec![ClassIdx(1); 2];
        assert!(matches!(
            Epochs::new(samples(), labels(), vec![0.0]),
            Err(EpochError::Lengths { .. })
        ));
        assert_eq!(
            Epochs::new(samples(), labels(), vec![1.0, 0.5]),
            Err(EpochError::Order { idx: 1 })
        );
        let rate = SampleRate::new(10.0).unwrap();
        let signal = Array2::zeros((1, 5));
        assert!(matches!(
            Epochs::cut(&signal.view(), rate, &[], [1.0, 1.0]),
            Err(EpochError::Interval { .. })
        ));
    }
}
