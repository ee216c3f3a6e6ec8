//! A spectrum as a 1/f background and peaks on it, fitted in logarithms.

mod least_squares;

use self::least_squares::{Model, minimise};
use crate::stats::percentile;
use std::f64::consts::LN_10;

/// The background, over frequency `f`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AperiodicMode {
    /// `b - χ log10 f`: one straight line in logarithms.
    Fixed,
    /// `b - log10(k + f^χ)`: level below a knee, at `k^(1/χ)` hertz.
    Knee,
}

/// What is looked for. The defaults are those of the reference implementation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SpecParamSpec {
    /// Lowest frequency of the fit, included; 0 Hz is always left out.
    pub low_hz: f64,
    /// Highest frequency of the fit, included.
    pub high_hz: f64,
    /// The background.
    pub aperiodic: AperiodicMode,
    /// Least and greatest width of a peak (two standard deviations) in hertz.
    pub peak_width_hz: [f64; 2],
    /// Most peaks that are looked for.
    pub max_n_peaks: usize,
    /// Least height of a peak over the background, in `log10` of power.
    pub min_peak_height: f64,
    /// Least height of a peak, in standard deviations of what is left of the spectrum.
    pub peak_threshold: f64,
}

impl SpecParamSpec {
    /// Widths of 0.5 to 12 Hz, any number of peaks of any height above two standard
    /// deviations.
    pub fn new(low_hz: f64, high_hz: f64, aperiodic: AperiodicMode) -> Self {
        Self {
            low_hz,
            high_hz,
            aperiodic,
            peak_width_hz: [0.5, 12.0],
            max_n_peaks: usize::MAX,
            min_peak_height: 0.0,
            peak_threshold: 2.0,
        }
    }
}

/// Why a spectrum can't be described so.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum SpecParamError {
    /// Choose a wider range, or a spectrum with more bins in it.
    #[error("{n_bins} bins lie in {low_hz}-{high_hz} Hz: choose a wider range or longer segments")]
    TooFew {
        /// Bins in the range, 0 Hz aside.
        n_bins: usize,
        /// Lower end of the range.
        low_hz: f64,
        /// Upper end of the range.
        high_hz: f64,
    },
    /// Pass densities, not decibels, of a signal that is not constant.
    #[error(
        "the power at {freq_hz} Hz is not a positive number: pass densities of a signal that is not constant"
    )]
    NotPositive {
        /// The first such bin.
        freq_hz: f64,
    },
    /// Choose the fixed background, or another range.
    #[error("no background fits the spectrum: choose a fixed one, or another range")]
    NoFit,
    /// Choose widths that ascend from above 0.
    #[error(
        "peak widths from {low_hz} to {high_hz} Hz don't ascend from above 0: choose a positive and a larger one"
    )]
    BadWidth {
        /// The least width.
        low_hz: f64,
        /// The greatest.
        high_hz: f64,
    },
}

/// A fitted background.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Aperiodic {
    /// `b`, in `log10` of power.
    pub offset: f64,
    /// `k`; 0 for [`AperiodicMode::Fixed`].
    pub knee: f64,
    /// `χ`.
    pub exponent: f64,
}

impl Aperiodic {
    /// `log10` of the background's power.
    pub fn log_power(&self, freq_hz: f64) -> f64 {
        self.offset - (self.knee + freq_hz.powf(self.exponent)).log10()
    }
}

/// A fitted peak, `height exp(-(f - center)² / (2 std²))` over the background in `log10`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Peak {
    /// Where it is.
    pub center_hz: f64,
    /// The Gaussian's own height.
    pub height: f64,
    /// The Gaussian's standard deviation; the reference's bandwidth is twice that.
    pub std_hz: f64,
    /// All peaks together at the bin nearest to the centre: the reference's power.
    pub power: f64,
}

/// A spectrum's description.
#[derive(Clone, Debug, PartialEq)]
pub struct SpecParam {
    /// The background.
    pub aperiodic: Aperiodic,
    /// The peaks, by ascending centre.
    pub peaks: Vec<Peak>,
    /// Squared correlation of model and spectrum, in `log10`.
    pub r_squared: f64,
    /// Mean absolute difference of model and spectrum, in `log10`.
    pub mean_absolute_error: f64,
}

/// Half-widths in standard deviations, as the reference sets them: a peak this near to
/// the range's end is left out, ...
const EDGE_STDS: f64 = 1.0;
/// ... and the lower of two this near to each other; ...
const OVERLAP_STDS: f64 = 0.75;
/// ... and a centre moves this far at most from where it was found.
const CENTER_STDS: f64 = 3.0;
/// Points of the robust background are those below this percentile.
const FLAT_PERCENTILE: f64 = 0.025;

/// Describes a density `psd` at ascending `freqs_hz`.
///
/// A background is fitted, then again to the points least above it; what stands out of
/// that is taken for peaks, the highest first, as long as it is high enough; all peaks
/// are fitted together within bounds, and the background again to what they leave.
///
/// The algorithm is that of `fooof` 1.1; its bounded least squares end at a tolerance
/// (1e-8, and 1e-5 in its successor `specparam`), here they are minimised to the last
/// digits, by Levenberg and Marquardt's steps on the parameters that are not at a bound.
/// So parameters agree as well as the reference reaches its minimum: to 2e-5 where it is
/// given a tolerance of 1e-12. Where peaks are held by the bounds there may be several
/// minima, and the two need not end in the same one. The solver is our own: problems have tens of parameters
/// and a hundred points, which normal equations serve well.
///
/// Thread: any. Allocation: yes, this is not for the live path of every window.
///
/// # Errors
/// [`SpecParamError`]: too few bins, a power that has no logarithm, widths that don't
/// ascend, a background that fits nothing.
///
/// # Reference
/// T. Donoghue et al. (2020), Nature Neuroscience 23, doi:10.1038/s41593-020-00744-x.
pub fn fit(
    spec: &SpecParamSpec,
    freqs_hz: &[f64],
    psd: &[f64],
) -> Result<SpecParam, SpecParamError> {
    let (freqs, logs) = picked(spec, freqs_hz, psd)?;
    let rough = robust_background(spec.aperiodic, &freqs, &logs)?;
    let flat: Vec<f64> = residues(&freqs, &logs, |f| rough.log_power(f));
    let found = find_peaks(spec, &freqs, &flat);
    let found = without_overlap(without_edges(found, &freqs));
    let gaussians = fit_peaks(spec, &freqs, &flat, &found);
    let peak_power = |f: f64| gaussians.iter().map(|g| g.at(f)).sum::<f64>();
    let rest = residues(&freqs, &logs, peak_power);
    let aperiodic = background(spec.aperiodic, &freqs, &rest, None)?;
    let model = freqs.iter().map(|f| aperiodic.log_power(*f) + peak_power(*f));
    let [r_squared, mean_absolute_error] = goodness(&logs, &model.collect::<Vec<_>>());
    let peaks = gaussians.iter().map(|g| g.peak(&freqs, peak_power)).collect();
    Ok(SpecParam { aperiodic, peaks, r_squared, mean_absolute_error })
}

/// The bins of the range, and the logarithms of their powers.
fn picked(
    spec: &SpecParamSpec,
    freqs_hz: &[f64],
    psd: &[f64],
) -> Result<(Vec<f64>, Vec<f64>), SpecParamError> {
    let SpecParamSpec { low_hz, high_hz, peak_width_hz: [narrow, wide], .. } = *spec;
    if !(narrow > 0.0 && narrow < wide) {
        return Err(SpecParamError::BadWidth { low_hz: narrow, high_hz: wide });
    }
    let bins = freqs_hz.iter().zip(psd);
    let bins = bins.filter(|(f, _)| **f >= low_hz && **f <= high_hz && **f > 0.0);
    let (freqs, powers): (Vec<f64>, Vec<f64>) = bins.unzip();
    if freqs.len() < 4 {
        return Err(SpecParamError::TooFew { n_bins: freqs.len(), low_hz, high_hz });
    }
    let is_log = |p: &f64| *p > 0.0 && p.is_finite();
    if let Some(at) = powers.iter().position(|p| !is_log(p)) {
        return Err(SpecParamError::NotPositive { freq_hz: freqs[at] });
    }
    Ok((freqs, powers.iter().map(|p| p.log10()).collect()))
}

fn residues(freqs: &[f64], logs: &[f64], model: impl Fn(f64) -> f64) -> Vec<f64> {
    freqs.iter().zip(logs).map(|(f, y)| y - model(*f)).collect()
}

fn robust_background(
    mode: AperiodicMode,
    freqs: &[f64],
    logs: &[f64],
) -> Result<Aperiodic, SpecParamError> {
    let first = background(mode, freqs, logs, None)?;
    let above = residues(freqs, logs, |f| first.log_power(f));
    let above: Vec<f64> = above.into_iter().map(|y| y.max(0.0)).collect();
    let least = percentile(&above, FLAT_PERCENTILE).ok_or(SpecParamError::NoFit)?;
    let is_flat = |k: &usize| above[*k] <= least;
    let (few_freqs, few_logs): (Vec<f64>, Vec<f64>) =
        (0..freqs.len()).filter(is_flat).map(|k| (freqs[k], logs[k])).unzip();
    background(mode, &few_freqs, &few_logs, Some(first))
}

/// Least squares, from `start` or a guess of the line through the ends.
fn background(
    mode: AperiodicMode,
    freqs: &[f64],
    logs: &[f64],
    start: Option<Aperiodic>,
) -> Result<Aperiodic, SpecParamError> {
    let n = freqs.len();
    let found = match mode {
        AperiodicMode::Fixed => {
            let x: Vec<f64> = freqs.iter().map(|f| f.log10()).collect();
            let (mean_x, mean_y) = (average(&x), average(logs));
            let over: f64 = x.iter().zip(logs).map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
            let under: f64 = x.iter().map(|x| (x - mean_x) * (x - mean_x)).sum();
            let exponent = -over / under;
            Aperiodic { offset: mean_y + exponent * mean_x, knee: 0.0, exponent }
        }
        AperiodicMode::Knee if n < 3 => return Err(SpecParamError::NoFit),
        AperiodicMode::Knee => {
            let slope = (logs[n - 1] - logs[0]) / (freqs[n - 1].log10() - freqs[0].log10());
            let guess = Aperiodic { offset: logs[0], knee: 0.0, exponent: slope.abs() };
            let Aperiodic { offset, knee, exponent } = start.unwrap_or(guess);
            let mut params = [offset, knee, exponent];
            let free = [(f64::NEG_INFINITY, f64::INFINITY); 3];
            minimise(&KneeModel { freqs, logs }, &mut params, &free);
            let [offset, knee, exponent] = params;
            Aperiodic { offset, knee, exponent }
        }
    };
    let is_finite = freqs.iter().all(|f| found.log_power(*f).is_finite());
    if is_finite { Ok(found) } else { Err(SpecParamError::NoFit) }
}

struct KneeModel<'a> {
    freqs: &'a [f64],
    logs: &'a [f64],
}

impl Model for KneeModel<'_> {
    fn n_points(&self) -> usize {
        self.freqs.len()
    }

    fn residual(&self, params: &[f64], at: usize, gradient: &mut [f64]) -> f64 {
        let f = self.freqs[at];
        let power = f.powf(params[2]);
        let under = params[1] + power;
        gradient[0] = 1.0;
        gradient[1] = -1.0 / (under * LN_10);
        gradient[2] = -power * f.ln() / (under * LN_10);
        params[0] - under.log10() - self.logs[at]
    }
}

#[derive(Clone, Copy, Debug)]
struct Gaussian {
    center: f64,
    height: f64,
    std: f64,
}

impl Gaussian {
    fn at(self, f: f64) -> f64 {
        let z = (f - self.center) / self.std;
        self.height * (-0.5 * z * z).exp()
    }

    fn peak(self, freqs: &[f64], all: impl Fn(f64) -> f64) -> Peak {
        let distance = |f: &&f64| (**f - self.center).abs();
        let nearest = freqs.iter().min_by(|a, b| distance(a).total_cmp(&distance(b)));
        let power = nearest.map_or(0.0, |f| all(*f));
        Peak { center_hz: self.center, height: self.height, std_hz: self.std, power }
    }
}

/// Candidates: the highest point, less its Gaussian, and again.
fn find_peaks(spec: &SpecParamSpec, freqs: &[f64], flat: &[f64]) -> Vec<Gaussian> {
    let mut left = flat.to_vec();
    let mut found = Vec::new();
    let [narrow, wide] = spec.peak_width_hz;
    while found.len() < spec.max_n_peaks.min(freqs.len()) {
        let mut at = 0;
        for (k, y) in left.iter().enumerate() {
            if *y > left[at] {
                at = k;
            }
        }
        let height = left[at];
        if height <= spec.peak_threshold * deviation(&left) || height <= spec.min_peak_height {
            break;
        }
        let resolution = (freqs[freqs.len() - 1] - freqs[0]) / (freqs.len() - 1) as f64;
        // A Gaussian's full width at half maximum is 2 √(2 ln 2) standard deviations.
        let per_width = 1.0 / (2.0 * (2.0 * 2.0_f64.ln()).sqrt());
        let std = half_width(&left, at)
            .map_or(0.5 * (narrow + wide), |n| 2.0 * n as f64 * resolution * per_width);
        let std = std.clamp(narrow / 2.0, wide / 2.0);
        let gaussian = Gaussian { center: freqs[at], height, std };
        for (y, f) in left.iter_mut().zip(freqs) {
            *y -= gaussian.at(*f);
        }
        found.push(gaussian);
    }
    found
}

/// Bins to the nearer of the two points where the peak is down by half.
fn half_width(flat: &[f64], at: usize) -> Option<usize> {
    let half = 0.5 * flat[at];
    let left = (1..at).rev().find(|k| flat[*k] <= half).map(|k| at - k);
    let right = (at + 1..flat.len()).find(|k| flat[*k] <= half).map(|k| k - at);
    left.into_iter().chain(right).min()
}

fn without_edges(mut found: Vec<Gaussian>, freqs: &[f64]) -> Vec<Gaussian> {
    let (first, last) = (freqs[0], freqs[freqs.len() - 1]);
    let is_inside = |g: &Gaussian| {
        let margin = g.std * EDGE_STDS;
        (g.center - first).abs() > margin && (g.center - last).abs() > margin
    };
    found.retain(is_inside);
    found
}

fn without_overlap(mut found: Vec<Gaussian>) -> Vec<Gaussian> {
    found.sort_by(|a, b| a.center.total_cmp(&b.center));
    let mut is_kept = vec![true; found.len()];
    for k in 1..found.len() {
        let (a, b) = (found[k - 1], found[k]);
        if a.center + OVERLAP_STDS * a.std > b.center - OVERLAP_STDS * b.std {
            is_kept[if a.height <= b.height { k - 1 } else { k }] = false;
        }
    }
    found.into_iter().zip(is_kept).filter_map(|(g, kept)| kept.then_some(g)).collect()
}

/// All peaks together, by least squares within bounds.
fn fit_peaks(
    spec: &SpecParamSpec,
    freqs: &[f64],
    flat: &[f64],
    found: &[Gaussian],
) -> Vec<Gaussian> {
    let (first, last) = (freqs[0], freqs[freqs.len() - 1]);
    let [narrow, wide] = spec.peak_width_hz;
    let mut params = Vec::with_capacity(3 * found.len());
    let mut bounds = Vec::with_capacity(3 * found.len());
    for g in found {
        let reach = CENTER_STDS * g.std;
        params.extend([g.center, g.height, g.std]);
        bounds.push(((g.center - reach).max(first), (g.center + reach).min(last)));
        bounds.push((0.0, f64::INFINITY));
        bounds.push((narrow / 2.0, wide / 2.0));
    }
    minimise(&PeakModel { freqs, flat }, &mut params, &bounds);
    let (triples, _) = params.as_chunks::<3>();
    let gaussian = |p: &[f64; 3]| Gaussian { center: p[0], height: p[1], std: p[2] };
    let mut fitted: Vec<Gaussian> = triples.iter().map(gaussian).collect();
    fitted.sort_by(|a, b| a.center.total_cmp(&b.center));
    fitted
}

struct PeakModel<'a> {
    freqs: &'a [f64],
    flat: &'a [f64],
}

impl Model for PeakModel<'_> {
    fn n_points(&self) -> usize {
        self.freqs.len()
    }

    fn residual(&self, params: &[f64], at: usize, gradient: &mut [f64]) -> f64 {
        let mut residual = -self.flat[at];
        for (p, g) in params.chunks_exact(3).zip(gradient.chunks_exact_mut(3)) {
            let z = (self.freqs[at] - p[0]) / p[2];
            let bell = (-0.5 * z * z).exp();
            g[0] = p[1] * bell * z / p[2];
            g[1] = bell;
            g[2] = p[1] * bell * z * z / p[2];
            residual += p[1] * bell;
        }
        residual
    }
}

fn average(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Standard deviation, divided by the number of values.
fn deviation(values: &[f64]) -> f64 {
    let mean = average(values);
    let squares: f64 = values.iter().map(|x| (x - mean) * (x - mean)).sum();
    (squares / values.len() as f64).sqrt()
}

fn goodness(logs: &[f64], model: &[f64]) -> [f64; 2] {
    let (mean_y, mean_m) = (average(logs), average(model));
    let pairs = || logs.iter().zip(model);
    let covariance: f64 = pairs().map(|(y, m)| (y - mean_y) * (m - mean_m)).sum();
    let scale = deviation(logs) * deviation(model) * logs.len() as f64;
    let correlation = if scale > 0.0 { covariance / scale } else { 0.0 };
    let error = pairs().map(|(y, m)| (y - m).abs()).sum::<f64>() / logs.len() as f64;
    [correlation * correlation, error]
}

#[cfg(test)]
mod tests;
