//! Whether connectivity is more than what channels that know nothing of each other have:
//! surrogates, and the known null distributions of coherence and phase locking.
//!
//! A surrogate is made of the recording itself, with what ties its channels together
//! destroyed ([`Surrogate`]). A measure of the surrogates, taken by the same function as
//! that of the recording, is what it is worth without a tie: any function of epochs will
//! do, spectral or directed, of pairs, bands and measures in any order.
//!
//! Surrogates have no ties at all. That is the right comparison for measures that look one
//! way, as partial directed coherence and Granger causality. Those that multiply by what
//! looks both ways, as the direct transfer functions by partial coherence, may find a real
//! edge's way back beside it: an edge and no more is then what is found, not its direction.
//!
//! ```
//! # use decoding::connectivity::surrogate::{Surrogate, SurrogateSpec};
//! # use decoding::connectivity::granger::{GrangerSpec, Scope};
//! # use decoding::connectivity::mvar::Intercept;
//! # let epochs = ndarray::Array3::from_shape_fn((1, 2, 200), |(_, c, t)| {
//! #     ((t * t * (3 + c)) % 101) as f64
//! # });
//! let granger = GrangerSpec { order: 2, intercept: Intercept::Estimated, scope: Scope::Conditional };
//! let spec = SurrogateSpec { n_surrogates: 39, ..SurrogateSpec::new(Surrogate::Phases, 1) };
//! let tested = spec.test(&epochs.view(), |x| granger.run(x).map(|map| map.values().to_vec()))?;
//! assert_eq!(tested.map.p.len(), 4);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod analytic;
mod counts;
mod draw;

pub use self::analytic::{
    coherence_p, coherence_threshold, phase_locking_p, phase_locking_threshold,
};

use self::counts::Counts;
use self::draw::Drawer;
use crate::selection::false_discovery::{Correction, corrected};
use crate::selection::max_t::TestedMap;
use ndarray::{Array3, ArrayView3};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// What is destroyed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Surrogate {
    /// Every phase of each channel's Fourier transform is drawn anew, in each epoch by
    /// itself: nothing of a channel but its spectrum is left. J. Theiler et al. (1992),
    /// doi:10.1016/0167-2789(92)90102-S.
    #[default]
    Phases,
    /// Each channel of each epoch is shifted in time, its end before its beginning, by any
    /// number of samples: all of a channel is left but that jump, and its place in time.
    TimeShift,
    /// The epochs of each channel are put into another order: what epochs have in common,
    /// as a response to a stimulus, is left. It takes more than one.
    TrialShuffle,
}

/// Which values are far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tail {
    /// Large ones: of magnitudes.
    #[default]
    Above,
    /// Those far from the mean on either side: of measures with a sign.
    Both,
}

/// What values are compared by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standard {
    /// Their distance from the mean of surrogates and recording, in their standard
    /// deviations: each pair and band has the same chance to be the largest of all.
    #[default]
    Deviation,
    /// Their distance from that mean: of values that vary alike.
    Distance,
}

/// How surrogates are drawn and compared.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SurrogateSpec {
    /// What is destroyed.
    pub surrogate: Surrogate,
    /// How many are drawn. The smallest p-value is one over one more than these.
    pub n_surrogates: usize,
    /// Seed of the generators (`ChaCha8`), one stream for each surrogate.
    pub seed: u64,
    /// Which values are far.
    pub tail: Tail,
    /// What they are compared by.
    pub standard: Standard,
    /// Corrected p-value up to which a value is kept.
    pub level: f64,
}

/// Why nothing can be tested.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum SurrogateError<E: std::error::Error> {
    /// Draw more surrogates, or choose a higher level below 1.
    #[error(
        "{n_surrogates} surrogates have no p-value as small as {level}: draw more or choose another level"
    )]
    TooFew {
        /// Surrogates asked for.
        n_surrogates: usize,
        /// The level.
        level: f64,
    },
    /// Give more epochs, or draw phases or shifts.
    #[error("{n_epochs} epoch has no other order: give more, or draw phases or shifts")]
    OneEpoch {
        /// Epochs given.
        n_epochs: usize,
    },
    /// Give longer epochs.
    #[error("epochs of {n_samples} samples have no phases and no shifts: give longer ones")]
    TooShort {
        /// Samples of an epoch.
        n_samples: usize,
    },
    /// Look for constant channels: a value is not finite, or there are not equally many.
    #[error("value {point} of surrogate {surrogate} (0: as recorded) is missing or not finite")]
    NotFinite {
        /// The surrogate.
        surrogate: usize,
        /// The value's place.
        point: usize,
    },
    /// The measure refused the recording or a surrogate: see its error.
    #[error("the measure failed")]
    Measure(#[source] E),
}

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub struct SurrogateTest {
    /// The measure of the recording.
    pub values: Vec<f64>,
    /// The surrogates' means.
    pub null_mean: Vec<f64>,
    /// What each value has to exceed to have an uncorrected p-value within the level;
    /// for [`Tail::Both`] from above, or to be as far below the mean.
    pub threshold: Vec<f64>,
    /// What each value has to exceed to have a p-value within the level that is corrected
    /// for all of them; likewise.
    pub corrected_threshold: Vec<f64>,
    /// Statistics as [`Standard`] says; p-values, each a share of surrogates, the recording
    /// among them, that are as far; corrected by the largest statistic of each surrogate.
    pub map: TestedMap,
}

impl SurrogateTest {
    /// The smallest false-discovery rate at which each value is a discovery.
    pub fn false_discovery_rates(&self, correction: Correction) -> Vec<f64> {
        corrected(&self.map.p, correction)
    }
}

impl SurrogateSpec {
    /// 999 of one kind, magnitudes compared by deviations, kept at 0.05.
    pub fn new(surrogate: Surrogate, seed: u64) -> Self {
        let (tail, standard) = (Tail::Above, Standard::Deviation);
        Self { surrogate, n_surrogates: 999, seed, tail, standard, level: 0.05 }
    }

    /// Surrogate number `k` of `epochs` `(n_epochs, n_channels, n_samples)`, from 1.
    pub fn draw<E: std::error::Error>(
        &self,
        epochs: &ArrayView3<'_, f64>,
        k: usize,
    ) -> Result<Array3<f64>, SurrogateError<E>> {
        self.check_epochs(epochs)?;
        Ok(Drawer::new(self.surrogate, epochs.dim()).draw(epochs, (self.seed, k)))
    }

    /// Tests `measure` of `epochs` `(n_epochs, n_channels, n_samples)`.
    ///
    /// Surrogates run on rayon's current pool; what is found does not depend on the number
    /// of threads. Batch code: it allocates, all values of all surrogates among it.
    ///
    /// # Reference
    /// T. Nichols, A. Holmes (2002), doi:10.1002/hbm.1058: the largest statistic.
    pub fn test<E: std::error::Error + Send>(
        &self,
        epochs: &ArrayView3<'_, f64>,
        measure: impl Fn(&ArrayView3<'_, f64>) -> Result<Vec<f64>, E> + Sync,
    ) -> Result<SurrogateTest, SurrogateError<E>> {
        self.check_epochs(epochs)?;
        if self.n_within() == 0 || self.level >= 1.0 {
            let Self { n_surrogates, level, .. } = *self;
            return Err(SurrogateError::TooFew { n_surrogates, level });
        }
        let values = measure(epochs).map_err(SurrogateError::Measure)?;
        check_values(&values, values.len(), 0)?;
        let drawer = Drawer::new(self.surrogate, epochs.dim());
        let null: Vec<Vec<f64>> = (1..=self.n_surrogates)
            .into_par_iter()
            .map_init(
                || drawer.clone(),
                |drawer, k| {
                    let drawn = drawer.draw(epochs, (self.seed, k));
                    let found = measure(&drawn.view()).map_err(SurrogateError::Measure)?;
                    check_values(&found, values.len(), k)?;
                    Ok(found)
                },
            )
            .collect::<Result<_, _>>()?;
        Ok(self.compare(values, &null))
    }

    /// How many values as far, the observed one among them, are within the level.
    fn n_within(&self) -> usize {
        ((self.n_surrogates + 1) as f64 * self.level * (1.0 + 1e-12)) as usize
    }

    fn check_epochs<E: std::error::Error>(
        &self,
        epochs: &ArrayView3<'_, f64>,
    ) -> Result<(), SurrogateError<E>> {
        let (n_epochs, _, n_samples) = epochs.dim();
        match self.surrogate {
            Surrogate::TrialShuffle if n_epochs < 2 => Err(SurrogateError::OneEpoch { n_epochs }),
            Surrogate::Phases | Surrogate::TimeShift if n_samples < 4 => {
                Err(SurrogateError::TooShort { n_samples })
            }
            _ => Ok(()),
        }
    }

    fn compare(&self, values: Vec<f64>, null: &[Vec<f64>]) -> SurrogateTest {
        let n = null.len() as f64;
        let sums: Vec<f64> =
            (0..values.len()).map(|at| null.iter().map(|one| one[at]).sum::<f64>()).collect();
        // The recording counts among the surrogates, so that where it is one, it is as far
        // as any.
        let centre: Vec<f64> =
            sums.iter().zip(&values).map(|(sum, x)| (sum + x) / (n + 1.0)).collect();
        let deviation = |at: usize| {
            let all = null.iter().map(|one| one[at]).chain([values[at]]);
            let spread = (all.map(|x| (x - centre[at]).powi(2)).sum::<f64>() / n).sqrt();
            // A value that never varies, as of a channel with itself, is as far as all.
            if spread > 0.0 { spread } else { 1.0 }
        };
        let scale: Vec<f64> = match self.standard {
            Standard::Deviation => (0..values.len()).map(deviation).collect(),
            Standard::Distance => vec![1.0; values.len()],
        };
        let statistic = |values: &[f64]| -> Vec<f64> {
            let centred = values.iter().zip(&centre).zip(&scale);
            centred.map(|((x, centre), scale)| (x - centre) / scale).collect()
        };
        let size = match self.tail {
            Tail::Above => |x: f64| x,
            Tail::Both => f64::abs,
        };
        let statistics: Vec<Vec<f64>> = null.iter().map(|one| statistic(one)).collect();
        let mut counts = Counts::new(statistic(&values), size);
        for one in &statistics {
            counts.add(one);
        }
        let in_unit = |at: usize, statistic: f64| centre[at] + statistic * scale[at];
        let largest = self.exceeded(counts.largest()[1..].to_vec());
        let own = |at: usize| self.exceeded(statistics.iter().map(|one| size(one[at])).collect());
        SurrogateTest {
            threshold: (0..values.len()).map(|at| in_unit(at, own(at))).collect(),
            corrected_threshold: (0..values.len()).map(|at| in_unit(at, largest)).collect(),
            values,
            map: counts.tested(self.level),
            null_mean: sums.iter().map(|sum| sum / n).collect(),
        }
    }

    /// The statistic above which no more of all are than the level allows.
    fn exceeded(&self, mut all: Vec<f64>) -> f64 {
        let at = self.n_within() - 1;
        if at >= all.len() {
            return f64::NEG_INFINITY;
        }
        *all.select_nth_unstable_by(at, |a, b| b.total_cmp(a)).1
    }
}

fn check_values<E: std::error::Error>(
    values: &[f64],
    n_points: usize,
    surrogate: usize,
) -> Result<(), SurrogateError<E>> {
    let odd = values.iter().position(|x| !x.is_finite());
    match odd.or((values.len() != n_points).then_some(values.len().min(n_points))) {
        Some(point) => Err(SurrogateError::NotFinite { surrogate, point }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
