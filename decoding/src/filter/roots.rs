//! Zeros, poles and gain: an analogue prototype moved to its band, brought to the z
//! plane and paired into sections, the same way for every family of filters.
//!
//! The prototype's edge is at 1 rad/s; it is moved to the pre-warped edges, and by the
//! bilinear transform `z = (4 + s) / (4 - s)` into the z plane. Pairing: the pole nearest
//! the unit circle takes the zero nearest to it, and comes last; L. B. Jackson, *Digital
//! Filters and Signal Processing*, Kluwer, 1996.

use super::sos::Section;
use super::{Band, FilterError};
use acquisition::time::SampleRate;
use realfft::num_complex::Complex64;
use std::f64::consts::PI;

/// Highest order of a prototype: above it the roots lose their digits.
pub const MAX_ORDER: usize = 16;

/// Twice the rate of 2 at which the bilinear transform is taken: it cancels out.
const BILINEAR: f64 = 4.0;

/// Whether a prototype of `order` can be computed with all its digits.
pub fn check_order(order: usize) -> Result<(), FilterError> {
    if (1..=MAX_ORDER).contains(&order) { Ok(()) } else { Err(FilterError::BadOrder { order }) }
}

/// Digital sections of a prototype with its edge at 1 rad/s, moved to `band`, whose
/// edges have been checked.
pub fn design(prototype: Roots, band: Band, rate: SampleRate) -> Result<Vec<Section>, FilterError> {
    let analogue = match band {
        Band::Lowpass { edge_hz } => prototype.lowpass(warp(edge_hz, rate)),
        Band::Highpass { edge_hz } => prototype.highpass(warp(edge_hz, rate)),
        Band::Bandpass { low_hz, high_hz } => {
            prototype.bandpass(warp(low_hz, rate), warp(high_hz, rate))
        }
        Band::Bandstop { low_hz, high_hz } => {
            prototype.bandstop(warp(low_hz, rate), warp(high_hz, rate))
        }
    };
    match pair(analogue.bilinear()) {
        Some(sections) if sections.iter().all(Section::is_stable) => Ok(sections),
        _ => Err(FilterError::Unstable),
    }
}

/// The analogue frequency that the bilinear transform maps to `edge_hz`.
fn warp(edge_hz: f64, rate: SampleRate) -> f64 {
    BILINEAR * (PI * (2.0 * edge_hz / rate.hz()) / 2.0).tan()
}

/// Zeros, poles and gain: `H = gain * Π(x - zero) / Π(x - pole)`.
pub struct Roots {
    /// Where `H` vanishes; those at infinity are left out.
    pub zeros: Vec<Complex64>,
    /// Where `H` is infinite.
    pub poles: Vec<Complex64>,
    /// The factor before both products.
    pub gain: f64,
}

/// Both roots of `s² - 2 half s + centre²`, the images of one root under the
/// transformation to a band.
fn band_roots(half: Complex64, centre: f64) -> [Complex64; 2] {
    let root = (half * half - centre * centre).sqrt();
    [half + root, half - root]
}

/// The `half + root` of all roots, then the `half - root`.
fn split_band(halves: impl Iterator<Item = Complex64> + Clone, centre: f64) -> Vec<Complex64> {
    let plus = halves.clone().map(|half| band_roots(half, centre)[0]);
    let minus = halves.map(|half| band_roots(half, centre)[1]);
    plus.chain(minus).collect()
}

/// Moves the prototype; a root at infinity of the one becomes a root at 0 or at the
/// centre of the other.
impl Roots {
    /// Zeros at infinity.
    fn n_infinite(&self) -> usize {
        self.poles.len() - self.zeros.len()
    }

    fn lowpass(self, edge: f64) -> Self {
        let gain = self.gain * edge.powi(self.n_infinite() as i32);
        let scale = |roots: &[Complex64]| roots.iter().map(|r| r * edge).collect();
        Self { zeros: scale(&self.zeros), poles: scale(&self.poles), gain }
    }

    fn highpass(self, edge: f64) -> Self {
        let invert = |roots: &[Complex64]| -> Vec<_> { roots.iter().map(|r| edge / r).collect() };
        let (mut zeros, poles) = (invert(&self.zeros), invert(&self.poles));
        zeros.resize(poles.len(), Complex64::ZERO);
        Self { zeros, poles, gain: self.gain * self.gain_at_zero() }
    }

    fn bandpass(self, low: f64, high: f64) -> Self {
        let (n, width, centre) = (self.n_infinite(), high - low, (low * high).sqrt());
        let split =
            |roots: &[Complex64]| split_band(roots.iter().map(|r| r * (width / 2.0)), centre);
        let (mut zeros, poles) = (split(&self.zeros), split(&self.poles));
        zeros.extend(vec![Complex64::ZERO; n]);
        Self { zeros, poles, gain: self.gain * width.powi(n as i32) }
    }

    fn bandstop(self, low: f64, high: f64) -> Self {
        let (n, width, centre) = (self.n_infinite(), high - low, (low * high).sqrt());
        let split = |roots: &[Complex64]| split_band(roots.iter().map(|r| width / 2.0 / r), centre);
        let (mut zeros, poles) = (split(&self.zeros), split(&self.poles));
        zeros.extend(vec![Complex64::new(0.0, centre); n]);
        zeros.extend(vec![Complex64::new(0.0, -centre); n]);
        Self { zeros, poles, gain: self.gain * self.gain_at_zero() }
    }

    /// `Π(-zero) / Π(-pole)`: `H / gain` at 0, which turning the axis over keeps.
    fn gain_at_zero(&self) -> f64 {
        let negated = |roots: &[Complex64]| roots.iter().map(|r| -r).product::<Complex64>();
        (negated(&self.zeros) / negated(&self.poles)).re
    }

    /// To the z plane; zeros at infinity come to -1.
    fn bilinear(self) -> Self {
        let map = |s: &Complex64| (BILINEAR + s) / (BILINEAR - s);
        let factors = |roots: &[Complex64]| roots.iter().map(|s| BILINEAR - s).product();
        let ratio: Complex64 = {
            let (over, under): (Complex64, Complex64) =
                (factors(&self.zeros), factors(&self.poles));
            over / under
        };
        let mut zeros: Vec<_> = self.zeros.iter().map(map).collect();
        zeros.resize(self.poles.len(), -Complex64::ONE);
        Self { zeros, poles: self.poles.iter().map(map).collect(), gain: self.gain * ratio.re }
    }
}

/// Sections of as many zeros as poles: from the last to the first, each takes the pole
/// nearest the unit circle that is left, and the zeros nearest to that pole. `None`
/// where rounding has torn a conjugate pair apart.
fn pair(mut roots: Roots) -> Option<Vec<Section>> {
    if roots.poles.len() % 2 == 1 {
        roots.poles.push(Complex64::ZERO);
        roots.zeros.push(Complex64::ZERO);
    }
    let n_sections = roots.poles.len() / 2;
    let mut poles = upper_half(roots.poles);
    let mut zeros = upper_half(roots.zeros);
    let mut sections: Vec<Section> =
        (0..n_sections).map(|_| next_section(&mut poles, &mut zeros)).collect::<Option<_>>()?;
    sections.reverse();
    for b in &mut sections[0].b {
        *b *= roots.gain;
    }
    Some(sections)
}

/// Takes the roots of one section out of what is left of both lists.
fn next_section(poles: &mut Vec<Complex64>, zeros: &mut Vec<Complex64>) -> Option<Section> {
    let from_circle = |p: Complex64| (1.0 - p.norm()).abs();
    let pole = take(poles, from_circle, |_| true)?;
    let second_pole = if is_real(pole) { take(poles, from_circle, is_real)? } else { pole.conj() };
    // The last real zero belongs to the last real pole: a complex pole leaves it alone.
    let n_real = |roots: &[Complex64]| roots.iter().filter(|r| is_real(**r)).count();
    let leave_real = !is_real(pole) && n_real(poles) == 1 && n_real(zeros) == 1;
    let from_pole = |z: Complex64| (z - pole).norm();
    let zero = take(zeros, from_pole, |z| !(leave_real && is_real(z)))?;
    let second_zero = if is_real(zero) { take(zeros, from_pole, is_real)? } else { zero.conj() };
    let quadratic = |p: Complex64, q: Complex64| [-(p + q).re, (p * q).re];
    let b = quadratic(zero, second_zero);
    Some(Section { b: [1.0, b[0], b[1]], a: quadratic(pole, second_pole) })
}

fn is_real(root: Complex64) -> bool {
    root.im == 0.0
}

/// Removes the admitted root of smallest `cost`, the first on a tie.
fn take(
    roots: &mut Vec<Complex64>,
    cost: impl Fn(Complex64) -> f64,
    admit: impl Fn(Complex64) -> bool,
) -> Option<Complex64> {
    let admitted = (0..roots.len()).filter(|k| admit(roots[*k]));
    let best = admitted.min_by(|i, j| cost(roots[*i]).total_cmp(&cost(roots[*j])))?;
    Some(roots.remove(best))
}

/// One root of each conjugate pair, that with the positive imaginary part, by real then
/// imaginary part; then the real roots, ascending.
fn upper_half(roots: Vec<Complex64>) -> Vec<Complex64> {
    let tolerance = 100.0 * f64::EPSILON;
    let (mut real, mut complex): (Vec<_>, Vec<_>) =
        roots.into_iter().partition(|r| r.im.abs() <= tolerance * r.norm());
    complex.retain(|r| r.im > 0.0);
    complex.sort_by(|p, q| p.re.total_cmp(&q.re));
    // Real parts that differ by rounding alone are one run, sorted by the other part.
    for run in complex.chunk_by_mut(|p, q| q.re - p.re <= tolerance * p.norm()) {
        run.sort_by(|p, q| p.im.total_cmp(&q.im));
    }
    for r in &mut real {
        r.im = 0.0;
    }
    real.sort_by(|p, q| p.re.total_cmp(&q.re));
    complex.extend(real);
    complex
}
