//! Interpolation, current source density and artefacts, as MNE, asrpy, pyRiemann and
//! pyprep compute them.

use crate::{Parts, Plan, Request, Tensor};
use acquisition::time::SampleRate;
use decoding::artifact::asr::{Asr, AsrCleaner, AsrParams, CleanerParams};
use decoding::artifact::bad_channels::{BadChannelParams, ChannelReport, find};
use decoding::artifact::eog_regression::EogRegression;
use decoding::artifact::potato::{Potato, PotatoGate, PotatoParams};
use decoding::spatial::ChannelMap;
use decoding::spatial::spline::SphericalSpline;
use faer::{Mat, MatRef};

/// By name.
pub const CASES: &[(&str, Plan)] = &[
    ("interpolate", |request| {
        Ok(Parts::case(Spline::of(request)?, Spline::interpolate, Spline::values))
    }),
    ("current_source_density", |request| {
        Ok(Parts::case(Spline::of(request)?, Spline::density, Spline::values))
    }),
    ("eog_regression", |request| {
        Ok(Parts::case(Regression::of(request)?, Regression::run, Regression::values))
    }),
    ("potato", |request| Ok(Parts::case(Judge::of(request)?, Judge::run, Judge::values))),
    ("asr_calibrate", |request| {
        Ok(Parts::case(Calibration::of(request)?, Calibration::run, Calibration::values))
    }),
    ("asr_process", |request| {
        Ok(Parts::case(Cleaning::of(request)?, Cleaning::run, Cleaning::values))
    }),
    ("bad_channels", |request| Ok(Parts::case(Bad::of(request)?, Bad::run, Bad::values))),
];

fn failed(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// Input number `k`, `(n_channels, n_samples)`.
fn matrix(request: &Request<'_>, k: usize) -> Result<Mat<f64>, String> {
    let input = request.input(k)?;
    let &[n_rows, n_cols] = input.shape.as_slice() else {
        return Err("samples have two dimensions".to_owned());
    };
    Ok(MatRef::from_row_major_slice(&input.data, n_rows, n_cols).to_owned())
}

fn tensor(mat: MatRef<'_, f64>) -> Tensor {
    let data = (0..mat.nrows()).flat_map(|i| mat.row(i).iter().copied()).collect();
    Tensor { shape: vec![mat.nrows(), mat.ncols()], data }
}

fn rate(request: &Request<'_>) -> Result<SampleRate, String> {
    SampleRate::new(request.number("rate_hz")?).map_err(failed)
}

fn positions(request: &Request<'_>, k: usize) -> Result<Vec<[f64; 3]>, String> {
    let (places, _) = request.input(k)?.data.as_chunks::<3>();
    Ok(places.to_vec())
}

/// A call plans the map and applies it, as its peer does.
struct Spline {
    samples: Mat<f64>,
    labels: Vec<String>,
    positions: Vec<[f64; 3]>,
    bads: Vec<String>,
    out: Mat<f64>,
}

impl Spline {
    fn of(request: &Request<'_>) -> Result<Self, String> {
        let samples = matrix(request, 0)?;
        let positions = positions(request, 1)?;
        let labels = (0..samples.nrows()).map(|i| i.to_string()).collect();
        let bads = request.input(2)?.data.iter().map(f64::to_string).collect();
        Ok(Self { out: Mat::zeros(0, 0), samples, labels, positions, bads })
    }

    fn interpolate(&mut self) {
        let spline = SphericalSpline::default();
        let (labels, places) = (&self.labels, &self.positions);
        let map = spline.interpolation(labels, places, [0.0; 3], &self.bads);
        self.apply(&map.expect("the positions are those of a cap"));
    }

    fn density(&mut self) {
        let spline = SphericalSpline::default();
        let (labels, places) = (&self.labels, &self.positions);
        let map = spline.current_source_density(labels, places, [0.0; 3], 0.095);
        self.apply(&map.expect("the positions are those of a cap"));
    }

    fn apply(&mut self, map: &ChannelMap) {
        let plan = map.plan(&self.labels).expect("the labels are the map's");
        self.out = Mat::zeros(plan.n_outputs(), self.samples.ncols());
        plan.apply_into(self.samples.as_ref(), self.out.as_mut());
    }

    fn values(&self) -> Vec<Tensor> {
        vec![tensor(self.out.as_ref())]
    }
}

/// A call fits on the recording and cleans it; the last channels are EOG.
struct Regression {
    samples: Mat<f64>,
    brain: Vec<usize>,
    eog: Vec<usize>,
    cleaned: Mat<f64>,
}

impl Regression {
    fn of(request: &Request<'_>) -> Result<Self, String> {
        let samples = matrix(request, 0)?;
        let n_brain = samples.nrows() - request.count("n_eog")?;
        let (brain, eog) = ((0..n_brain).collect(), (n_brain..samples.nrows()).collect());
        Ok(Self { cleaned: Mat::zeros(0, 0), samples, brain, eog })
    }

    fn run(&mut self) {
        let model = EogRegression::fit(&[self.samples.as_ref()], &self.brain, &self.eog);
        let mut all = self.samples.clone();
        model.expect("the EOG channels differ").apply_recording(all.as_mut());
        self.cleaned = all;
    }

    fn values(&self) -> Vec<Tensor> {
        vec![tensor(self.cleaned.as_ref())]
    }
}

/// Fitted beforehand on the first input; a call judges the second, one by one.
struct Judge {
    gate: PotatoGate,
    covs: Vec<Mat<f64>>,
    z_scores: Vec<f64>,
}

impl Judge {
    fn of(request: &Request<'_>) -> Result<Self, String> {
        let covariances = |k| -> Result<Vec<Mat<f64>>, String> {
            let input = request.input(k)?;
            let n = input.shape[1];
            let one = |cov: &[f64]| MatRef::from_row_major_slice(cov, n, n).to_owned();
            Ok(input.data.chunks_exact(n * n).map(one).collect())
        };
        let potato = Potato::fit(PotatoParams::default(), &covariances(0)?).map_err(failed)?;
        let gate = potato.gate().map_err(failed)?;
        Ok(Self { gate, covs: covariances(1)?, z_scores: Vec::new() })
    }

    fn run(&mut self) {
        let gate = &mut self.gate;
        self.z_scores = self.covs.iter().map(|cov| gate.judge(cov.as_ref()).z_score).collect();
    }

    fn values(&self) -> Vec<Tensor> {
        vec![Tensor { shape: vec![self.z_scores.len()], data: self.z_scores.clone() }]
    }
}

fn asr_params(request: &Request<'_>) -> Result<AsrParams, String> {
    Ok(AsrParams { cutoff: request.number("cutoff")?, ..Default::default() })
}

/// A call calibrates on clean samples.
struct Calibration {
    params: AsrParams,
    rate: SampleRate,
    samples: Mat<f64>,
    asr: Option<Asr>,
}

impl Calibration {
    fn of(request: &Request<'_>) -> Result<Self, String> {
        let (params, rate) = (asr_params(request)?, rate(request)?);
        Ok(Self { params, rate, samples: matrix(request, 0)?, asr: None })
    }

    fn run(&mut self) {
        self.asr = Asr::fit_clean(self.params, self.rate, self.samples.as_ref()).ok();
    }

    /// The covariance, and the thresholds without the signs of eigenvectors.
    fn values(&self) -> Vec<Tensor> {
        let of = |asr: &Asr| {
            let thresholds = asr.thresholds().to_faer();
            let limits = thresholds.transpose() * &thresholds;
            [tensor(asr.covariance().to_faer().as_ref()), tensor(limits.as_ref())]
        };
        self.asr.iter().flat_map(of).collect()
    }
}

/// Calibrated beforehand on the second input; a call cleans the first, frame by frame.
struct Cleaning {
    cleaner: AsrCleaner,
    samples: Mat<f64>,
    cleaned: Mat<f64>,
    n_shown: usize,
}

impl Cleaning {
    fn of(request: &Request<'_>) -> Result<Self, String> {
        let clean = matrix(request, 1)?;
        let asr = Asr::fit_clean(asr_params(request)?, rate(request)?, clean.as_ref());
        let step_samples = request.count("step_samples")?;
        let params = CleanerParams { step_samples, ..Default::default() };
        let cleaner = asr.and_then(|asr| asr.cleaner(params)).map_err(failed)?;
        let n_shown = request.count("n_shown")?;
        Ok(Self { cleaner, samples: matrix(request, 0)?, cleaned: Mat::zeros(0, 0), n_shown })
    }

    fn run(&mut self) {
        self.cleaned = self.samples.clone();
        self.cleaner.clean(self.cleaned.as_mut());
    }

    fn values(&self) -> Vec<Tensor> {
        vec![tensor(self.cleaned.as_ref().subcols(0, self.n_shown))]
    }
}

/// A call judges every channel, with predictions where there are positions.
struct Bad {
    rate: SampleRate,
    samples: Mat<f64>,
    positions: Option<Vec<[f64; 3]>>,
    reports: Vec<ChannelReport>,
}

impl Bad {
    fn of(request: &Request<'_>) -> Result<Self, String> {
        let (rate, samples) = (rate(request)?, matrix(request, 0)?);
        Ok(Self { rate, samples, positions: positions(request, 1).ok(), reports: Vec::new() })
    }

    fn run(&mut self) {
        let params = BadChannelParams::default();
        let found = find(&params, self.rate, self.samples.as_ref(), self.positions.as_deref());
        self.reports = found.unwrap_or_default();
    }

    fn values(&self) -> Vec<Tensor> {
        let row = |figure: fn(&ChannelReport) -> f64| {
            let data: Vec<f64> = self.reports.iter().map(figure).collect();
            Tensor { shape: vec![data.len()], data }
        };
        vec![row(|r| r.deviation_z), row(|r| r.noise_z), row(|r| r.uncorrelated_windows)]
    }
}
