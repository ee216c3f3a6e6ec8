//! The measures: what each makes of the sums over a pair's observations.

#![expect(clippy::inline_always, reason = "only what is inlined uses the vector registers")]

use super::tally::{Panel, Sums};
use serde::{Deserialize, Serialize};

/// How two channels `x` and `y` go together at one frequency, from the cross-spectra
/// `S = X conj(Y)` of `n` observations (tapers summed within each) and the powers
/// `P = Σ |X|²`.
///
/// Channel `x` is the one with the higher index: a positive imaginary part says that the
/// channel with the *higher* index leads in phase. Values, signs and order are those of
/// mne-connectivity 0.9.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// `|Σ S| / sqrt(P_x P_y)`: magnitude of coherency, in `[0, 1]`.
    Coherence,
    /// `Re Σ S / sqrt(P_x P_y)`: the real part of coherency.
    RealCoherency,
    /// `Im Σ S / sqrt(P_x P_y)`: the imaginary part of coherency, blind to what reaches
    /// both channels without delay. Nolte et al. (2004), doi:10.1016/j.clinph.2004.04.029.
    ImaginaryCoherence,
    /// `|Im Σ S| / sqrt(P_x P_y)`, the magnitude taken at each frequency.
    AbsImaginaryCoherence,
    /// `|Σ S/|S|| / n`, phase locking. Lachaux et al. (1999),
    /// `doi:10.1002/(SICI)1097-0193(1999)8:4<194::AID-HBM4>3.0.CO;2-C`.
    PhaseLocking,
    /// `|Im p| / sqrt(1 - (Re p)²)`, `p = Σ S/|S| / n`. Bruña et al. (2018),
    /// doi:10.1088/1741-2552/aacfe4.
    CorrectedImaginaryPhaseLocking,
    /// `(|Σ S/|S||² - n) / (n (n - 1))`, free of the bias of few observations. Vinck et
    /// al. (2010), doi:10.1016/j.neuroimage.2010.01.073.
    PairwisePhaseConsistency,
    /// `|Σ sign(Im S)| / n`. Stam et al. (2007), doi:10.1002/hbm.20346.
    PhaseLag,
    /// `(n PLI² - 1) / (n - 1)`. Vinck et al. (2011), doi:10.1016/j.neuroimage.2011.01.055.
    UnbiasedSquaredPhaseLag,
    /// `Σ H(Im S) / n` with `H(0) = 1/2`: above 1/2 where the channel with the higher
    /// index leads. Stam and van Straaten (2012), doi:10.1016/j.neuroimage.2012.05.050.
    DirectedPhaseLag,
    /// `|Σ Im S| / Σ |Im S|`, 0 where that is 0/0. Vinck et al. (2011).
    WeightedPhaseLag,
    /// `((Σ Im S)² - Σ (Im S)²) / ((Σ |Im S|)² - Σ (Im S)²)`, 0 where that is 0/0. Vinck
    /// et al. (2011).
    DebiasedSquaredWeightedPhaseLag,
    /// `Im Σ_f conj(C(f)) C(f + δ)`, `C` coherency, over neighbouring frequencies
    /// strictly inside a band; summed, not averaged. Nolte et al. (2008),
    /// doi:10.1103/PhysRevLett.100.234101.
    PhaseSlope,
}

impl Measure {
    /// Every measure.
    pub const ALL: [Self; 13] = [
        Self::Coherence,
        Self::RealCoherency,
        Self::ImaginaryCoherence,
        Self::AbsImaginaryCoherence,
        Self::PhaseLocking,
        Self::CorrectedImaginaryPhaseLocking,
        Self::PairwisePhaseConsistency,
        Self::PhaseLag,
        Self::UnbiasedSquaredPhaseLag,
        Self::DirectedPhaseLag,
        Self::WeightedPhaseLag,
        Self::DebiasedSquaredWeightedPhaseLag,
        Self::PhaseSlope,
    ];

    /// The value of the pair `(y, x)`, given that of `(x, y)`: itself for what has no
    /// direction; its opposite for [`Measure::ImaginaryCoherence`] and
    /// [`Measure::PhaseSlope`], and the rest to 1 for [`Measure::DirectedPhaseLag`].
    pub fn reversed(self, value: f64) -> f64 {
        match self {
            Self::ImaginaryCoherence | Self::PhaseSlope => -value,
            Self::DirectedPhaseLag => 1.0 - value,
            _ => value,
        }
    }

    /// Observations below which it is not defined.
    pub(super) fn least_observations(self) -> usize {
        match self {
            Self::PairwisePhaseConsistency
            | Self::UnbiasedSquaredPhaseLag
            | Self::DebiasedSquaredWeightedPhaseLag => 2,
            _ => 1,
        }
    }

    /// Whether the powers of the channels divide it.
    pub(super) fn needs_powers(self) -> bool {
        matches!(
            self,
            Self::Coherence
                | Self::RealCoherency
                | Self::ImaginaryCoherence
                | Self::AbsImaginaryCoherence
                | Self::PhaseSlope
        )
    }

    /// Whether it is made of phasors.
    pub(super) fn needs_phasors(self) -> bool {
        matches!(
            self,
            Self::PhaseLocking
                | Self::CorrectedImaginaryPhaseLocking
                | Self::PairwisePhaseConsistency
        )
    }

    /// What it needs of the cross-spectra themselves.
    fn sums(self) -> Sums {
        match self {
            Self::Coherence | Self::RealCoherency | Self::PhaseSlope => Sums::Cross,
            Self::ImaginaryCoherence | Self::AbsImaginaryCoherence => Sums::Imaginary,
            Self::PhaseLag | Self::UnbiasedSquaredPhaseLag | Self::DirectedPhaseLag => Sums::Sign,
            Self::WeightedPhaseLag | Self::DebiasedSquaredWeightedPhaseLag => Sums::Weighted,
            _ => Sums::None,
        }
    }

    /// The smallest set of sums that serves all of `measures`.
    pub(super) fn sums_of(measures: &[Self]) -> Sums {
        measures.iter().fold(Sums::None, |sums, m| match (sums, m.sums()) {
            (Sums::None, one) | (one, Sums::None) => one,
            (a, b) if a == b => a,
            (Sums::Imaginary, Sums::Cross) | (Sums::Cross, Sums::Imaginary) => Sums::Cross,
            (Sums::Imaginary, Sums::Weighted) | (Sums::Weighted, Sums::Imaginary) => Sums::Weighted,
            _ => Sums::All,
        })
    }
}

/// The sums of one channel with all below it.
pub(super) struct Row<'a> {
    panel: &'a Panel,
    start: usize,
    len: usize,
    /// `1 / sqrt(P)` per channel.
    inverse_roots: &'a [f64],
    own_inverse_root: f64,
    n: f64,
}

impl<'a> Row<'a> {
    /// Row `row` of `panel`, channel `channel` with the channels `0..channel`.
    #[inline(always)]
    pub(super) fn of(
        panel: &'a Panel,
        (row, channel): (usize, usize),
        inverse_roots: &'a [f64],
        n: usize,
    ) -> Self {
        Self {
            panel,
            start: row * panel.stride(),
            len: channel,
            inverse_roots: &inverse_roots[..channel],
            own_inverse_root: inverse_roots[channel],
            n: n as f64,
        }
    }

    #[inline(always)]
    fn cut<'s>(&self, sums: &'s [f64]) -> &'s [f64] {
        &sums[self.start..][..self.len]
    }

    /// Coherency with each channel: real and imaginary parts.
    #[inline(always)]
    pub(super) fn coherency_into(&self, re: &mut [f64], im: &mut [f64]) {
        self.scaled_into(&self.panel.re, re);
        self.scaled_into(&self.panel.im, im);
    }

    /// `sum / sqrt(P_x P_y)`.
    #[inline(always)]
    fn scaled_into(&self, sums: &[f64], out: &mut [f64]) {
        for ((out, sum), root) in out.iter_mut().zip(self.cut(sums)).zip(self.inverse_roots) {
            *out = sum * (self.own_inverse_root * root);
        }
    }

    /// The measure with each channel, into `out` (as many values).
    #[inline(always)]
    pub(super) fn values_into(&self, measure: Measure, out: &mut [f64]) {
        let (n, sums) = (self.n, self.panel);
        match measure {
            Measure::Coherence => self.coherence_into(out),
            Measure::RealCoherency => self.scaled_into(&sums.re, out),
            Measure::ImaginaryCoherence => self.scaled_into(&sums.im, out),
            Measure::AbsImaginaryCoherence => {
                self.scaled_into(&sums.im, out);
                for x in out.iter_mut() {
                    *x = x.abs();
                }
            }
            Measure::PhaseLocking => {
                self.phasors_into(out, |re, im| (re * re + im * im).sqrt() / n);
            }
            Measure::CorrectedImaginaryPhaseLocking => {
                self.phasors_into(out, |re, im| corrected(re / n, im / n));
            }
            Measure::PairwisePhaseConsistency => {
                self.phasors_into(out, |re, im| (re * re + im * im - n) / (n * (n - 1.0)));
            }
            Measure::PhaseLag => self.signs_into(out, |s| s.abs() / n),
            Measure::UnbiasedSquaredPhaseLag => {
                self.signs_into(out, |s| (n * (s / n) * (s / n) - 1.0) / (n - 1.0));
            }
            Measure::DirectedPhaseLag => self.signs_into(out, |s| 0.5 * (n + s) / n),
            Measure::WeightedPhaseLag => {
                self.weighted_into(out, |im, abs, _| ratio(im.abs(), abs));
            }
            Measure::DebiasedSquaredWeightedPhaseLag => {
                self.weighted_into(out, |im, abs, sq| ratio(im * im - sq, abs * abs - sq));
            }
            // Made of neighbouring frequencies, not of one: see `Row::coherency_into`.
            Measure::PhaseSlope => out.fill(0.0),
        }
    }

    #[inline(always)]
    fn coherence_into(&self, out: &mut [f64]) {
        let (re, im) = (self.cut(&self.panel.re), self.cut(&self.panel.im));
        for (((out, re), im), root) in out.iter_mut().zip(re).zip(im).zip(self.inverse_roots) {
            *out = (re * re + im * im).sqrt() * (self.own_inverse_root * root);
        }
    }

    #[inline(always)]
    fn phasors_into(&self, out: &mut [f64], value: impl Fn(f64, f64) -> f64) {
        let (re, im) = (self.cut(&self.panel.unit_re), self.cut(&self.panel.unit_im));
        for ((out, re), im) in out.iter_mut().zip(re).zip(im) {
            *out = value(*re, *im);
        }
    }

    #[inline(always)]
    fn signs_into(&self, out: &mut [f64], value: impl Fn(f64) -> f64) {
        for (out, sign) in out.iter_mut().zip(self.cut(&self.panel.sign)) {
            *out = value(*sign);
        }
    }

    #[inline(always)]
    fn weighted_into(&self, out: &mut [f64], value: impl Fn(f64, f64, f64) -> f64) {
        let (im, abs) = (self.cut(&self.panel.im), self.cut(&self.panel.abs));
        let square = self.cut(&self.panel.square);
        for (((out, im), abs), square) in out.iter_mut().zip(im).zip(abs).zip(square) {
            *out = value(*im, *abs, *square);
        }
    }
}

/// `|im| / sqrt(1 - re²)`. Where the phases are locked at 0 or π there is no imaginary
/// part, and the root is taken as 1.
#[inline(always)]
fn corrected(re: f64, im: f64) -> f64 {
    let rest = 1.0 - re * re;
    im.abs() / if rest > 0.0 { rest.sqrt() } else { 1.0 }
}

/// `a / b`, 0 where `b` is 0.
#[inline(always)]
fn ratio(a: f64, b: f64) -> f64 {
    if b == 0.0 { 0.0 } else { a / b }
}
