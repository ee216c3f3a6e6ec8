//! Butterworth designs as second-order sections, the same as SciPy's
//! `butter(order, edges, btype, fs=rate, output="sos")`, pairing and order of the
//! sections included.
//!
//! The analogue prototype has its poles on the unit circle's left half; it is moved to
//! the pre-warped edges, and by the bilinear transform `z = (4 + s) / (4 - s)` into the
//! z plane. `order` is the prototype's: a band-pass or band-stop has twice as many poles.
//! Where two poles are equally near the unit circle (only a band symmetric about a
//! quarter of the rate has such), rounding decides which section comes first.
//!
//! # Reference
//! S. Butterworth, *On the theory of filter amplifiers*, Experimental Wireless 7 (1930).
//! Pairing: the pole nearest the unit circle takes the zero nearest to it, and comes
//! last; L. B. Jackson, *Digital Filters and Signal Processing*, Kluwer, 1996.

use super::sos::Section;
use super::{FilterError, check_edge};
use acquisition::time::SampleRate;
use realfft::num_complex::Complex64;
use std::f64::consts::PI;

/// Highest order of a prototype: above it the roots lose their digits.
pub const MAX_ORDER: usize = 16;

/// Twice the rate of 2 at which the bilinear transform is taken: it cancels out.
const BILINEAR: f64 = 4.0;

/// Passes below `edge_hz` (-3 dB there).
pub fn lowpass(order: usize, edge_hz: f64, rate: SampleRate) -> Result<Vec<Section>, FilterError> {
    check_order(order)?;
    check_edge(edge_hz, rate)?;
    design(prototype(order).lowpass(warp(edge_hz, rate)))
}

/// Passes above `edge_hz` (-3 dB there).
pub fn highpass(order: usize, edge_hz: f64, rate: SampleRate) -> Result<Vec<Section>, FilterError> {
    check_order(order)?;
    check_edge(edge_hz, rate)?;
    design(prototype(order).highpass(warp(edge_hz, rate)))
}

/// Passes between `low_hz` and `high_hz` (-3 dB at both); `order` sections.
pub fn bandpass(
    order: usize,
    low_hz: f64,
    high_hz: f64,
    rate: SampleRate,
) -> Result<Vec<Section>, FilterError> {
    check_order(order)?;
    check_band(low_hz, high_hz, rate)?;
    design(prototype(order).bandpass(warp(low_hz, rate), warp(high_hz, rate)))
}

/// Stops between `low_hz` and `high_hz` (-3 dB at both); `order` sections.
pub fn bandstop(
    order: usize,
    low_hz: f64,
    high_hz: f64,
    rate: SampleRate,
) -> Result<Vec<Section>, FilterError> {
    check_order(order)?;
    check_band(low_hz, high_hz, rate)?;
    design(prototype(order).bandstop(warp(low_hz, rate), warp(high_hz, rate)))
}

fn check_order(order: usize) -> Result<(), FilterError> {
    if (1..=MAX_ORDER).contains(&order) { Ok(()) } else { Err(FilterError::BadOrder { order }) }
}

fn check_band(low_hz: f64, high_hz: f64, rate: SampleRate) -> Result<(), FilterError> {
    if low_hz >= high_hz {
        return Err(FilterError::EmptyBand { low_hz, high_hz });
    }
    check_edge(low_hz, rate)?;
    check_edge(high_hz, rate)
}

/// The analogue frequency that the bilinear transform maps to `edge_hz`.
fn warp(edge_hz: f64, rate: SampleRate) -> f64 {
    BILINEAR * (PI * (2.0 * edge_hz / rate.hz()) / 2.0).tan()
}

/// Zeros, poles and gain: `H = gain * Π(x - zero) / Π(x - pole)`.
struct Roots {
    zeros: Vec<Complex64>,
    poles: Vec<Complex64>,
    gain: f64,
}

/// The analogue low-pass with its edge at 1 rad/s.
fn prototype(order: usize) -> Roots {
    let n = order as f64;
    let angle = |k: usize| PI * (2.0 * k as f64 + 1.0 - n) / (2.0 * n);
    // `sin` and `cos` of the angle itself keep conjugates exact and the middle pole real.
    let poles = (0..order).map(|k| -Complex64::cis(angle(k))).collect();
    Roots { zeros: vec![], poles, gain: 1.0 }
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

fn product(roots: &[Complex64]) -> Complex64 {
    roots.iter().product()
}

/// Moves the prototype, which has no zeros; `n` is its number of poles.
impl Roots {
    fn lowpass(self, edge: f64) -> Self {
        let gain = self.gain * edge.powi(self.poles.len() as i32);
        let poles = self.poles.iter().map(|p| p * edge).collect();
        Self { zeros: vec![], poles, gain }
    }

    fn highpass(self, edge: f64) -> Self {
        let n = self.poles.len();
        let negated: Vec<_> = self.poles.iter().map(|p| -p).collect();
        let poles = self.poles.iter().map(|p| edge / p).collect();
        let gain = self.gain * product(&negated).inv().re;
        Self { zeros: vec![Complex64::ZERO; n], poles, gain }
    }

    fn bandpass(self, low: f64, high: f64) -> Self {
        let (n, width, centre) = (self.poles.len(), high - low, (low * high).sqrt());
        let poles = split_band(self.poles.iter().map(|p| p * (width / 2.0)), centre);
        let gain = self.gain * width.powi(n as i32);
        Self { zeros: vec![Complex64::ZERO; n], poles, gain }
    }

    fn bandstop(self, low: f64, high: f64) -> Self {
        let (n, width, centre) = (self.poles.len(), high - low, (low * high).sqrt());
        let negated: Vec<_> = self.poles.iter().map(|p| -p).collect();
        let poles = split_band(self.poles.iter().map(|p| width / 2.0 / p), centre);
        let mut zeros = vec![Complex64::new(0.0, centre); n];
        zeros.extend(vec![Complex64::new(0.0, -centre); n]);
        Self { zeros, poles, gain: self.gain * product(&negated).inv().re }
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

/// Digital sections of analogue roots.
fn design(analogue: Roots) -> Result<Vec<Section>, FilterError> {
    match pair(analogue.bilinear()) {
        Some(sections) if sections.iter().all(Section::is_stable) => Ok(sections),
        _ => Err(FilterError::Unstable),
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
