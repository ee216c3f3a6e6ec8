//! Steps that carry something from window to window: the running recentering and the
//! gate. Which they are, [`Pipeline::memory`](super::Pipeline::memory) knows.

use super::fit::{Training, transformed};
use super::fitted::FittedTransform;
use super::runtime::{ModelError, Transformer, expect_size, matrices_size};
use super::step::{Adapt, OnShift, Potato, Recenter};
use super::transform::{Planned, mean, per_band};
use crate::adaptation::recenter::{self, RecenterState};
use crate::adaptation::shift::{ShiftDetector, Verdict};
use crate::artifact::potato::{self, PotatoGate};
use crate::decoder::FitError;
use crate::window::{Shape, Value, View};
use faer::Mat;

/// States that start at the mean of the training examples.
pub(super) fn fit_recenter(
    step: &Recenter,
    adapt: Adapt,
    training: &Training<'_>,
) -> Result<FittedTransform, FitError> {
    let centre = step.centre().expect("a checked pipeline");
    let n_seen = adapt.start_weight.unwrap_or(training.labels.len() as u64);
    let state = |band: usize| {
        let mean = mean(training, band, step.metric)?;
        Ok(RecenterState::starting_at(mean, n_seen, centre, adapt.rate))
    };
    let bands = per_band(training, state)?;
    Ok(FittedTransform::AdaptiveRecenter { bands, on_shift: adapt.on_shift })
}

/// The training examples as the steps after see them: each run moved by its own mean.
pub(super) fn recentred_by_run(
    step: &Recenter,
    training: &Training<'_>,
) -> Result<Vec<Value>, FitError> {
    let mut values: Vec<Option<Value>> = vec![None; training.views.len()];
    let mut runs: Vec<usize> = training.spans.iter().map(|span| span.run).collect();
    runs.sort_unstable();
    runs.dedup();
    for run in runs {
        let of_run = |j: &usize| training.spans[*j].run == run;
        let chosen: Vec<usize> = (0..training.views.len()).filter(of_run).collect();
        let subset = training.subset(&chosen);
        let means = per_band(&subset, |band| mean(&subset, band, step.metric))?;
        let moved = transformed(&FittedTransform::Recenter { means }, &subset.views)?;
        for (j, value) in chosen.into_iter().zip(moved) {
            values[j] = Some(value);
        }
    }
    Ok(values.into_iter().flatten().collect())
}

/// A recentering that runs along, one per band.
struct Running {
    bands: Vec<recenter::Recenter>,
    watch: Option<Watch>,
    matrices: Vec<Mat<f64>>,
}

/// A detector of shifts in the logarithm of the mean distance over the bands.
struct Watch {
    on_shift: OnShift,
    detector: ShiftDetector,
    n_windows: u64,
}

impl Watch {
    /// Whether the signal has shifted with this window.
    fn is_shift(&mut self, log_distance: impl FnOnce() -> f64) -> bool {
        let is_looked_at = self.n_windows.is_multiple_of(self.on_shift.every);
        self.n_windows += 1;
        is_looked_at
            && matches!(
                self.detector.push(log_distance()),
                Verdict::Risen { .. } | Verdict::Fallen { .. }
            )
    }
}

pub(super) fn plan_recenter(
    states: &[RecenterState],
    on_shift: Option<OnShift>,
    shape: Shape,
) -> Result<Planned, ModelError> {
    const PART: &str = "the mean that runs along";
    let (n_bands, n_rows) = matrices_size(shape)?;
    expect_size("the list of running means", n_bands, states.len())?;
    if !on_shift.is_none_or(|on_shift| on_shift.is_possible()) {
        return Err(ModelError::BadNumber { part: "the detector of shifts" });
    }
    let plan = |state: &RecenterState| {
        expect_size(PART, n_rows, state.mean().n_rows())?;
        expect_size(PART, n_rows, state.mean().n_cols())?;
        if !state.is_possible() {
            return Err(ModelError::BadNumber { part: "a learning rate" });
        }
        state.plan().map_err(|source| ModelError::Geometry { part: PART, source })
    };
    let bands = states.iter().map(plan).collect::<Result<_, _>>()?;
    let watch = on_shift.map(|on_shift| Watch {
        on_shift,
        detector: ShiftDetector::new(on_shift.params()),
        n_windows: 0,
    });
    let matrices = vec![Mat::zeros(n_rows, n_rows); n_bands];
    Ok((Box::new(Running { bands, watch, matrices }), shape))
}

impl Transformer for Running {
    fn apply<'a>(&'a mut self, input: View<'a>) -> View<'a> {
        let View::Matrices(inputs) = input else { return View::Matrices(&[]) };
        if let Some(watch) = &mut self.watch {
            let bands = &mut self.bands;
            let mean_log = || {
                let n_bands = bands.len() as f64;
                let pairs = bands.iter_mut().zip(inputs);
                pairs.map(|(band, input)| band.distance(input.as_ref()).ln()).sum::<f64>() / n_bands
            };
            if watch.is_shift(mean_log) {
                let n_kept = watch.on_shift.n_kept;
                self.bands.iter_mut().for_each(|band| band.forget(n_kept));
            }
        }
        for ((band, out), input) in self.bands.iter_mut().zip(&mut self.matrices).zip(inputs) {
            // What it refuses comes out as NaN, and the window is unusable.
            let _ = band.update_into(input.as_ref(), out.as_mut());
        }
        View::Matrices(&self.matrices)
    }
}

/// The usual covariances of every band.
pub(super) fn fit_potato(
    step: &Potato,
    training: &Training<'_>,
) -> Result<FittedTransform, FitError> {
    let fit = |band: usize| {
        let covs: Vec<Mat<f64>> = training.matrices(band).into_iter().cloned().collect();
        Ok(potato::Potato::fit(step.params(), &covs)?)
    };
    Ok(FittedTransform::Potato { bands: per_band(training, fit)?, rate: step.rate })
}

/// Positions of the examples that the gate, as it was fitted, lets through.
pub(super) fn accepted(
    bands: &[potato::Potato],
    views: &[View<'_>],
) -> Result<Vec<usize>, FitError> {
    let Some(first) = views.first() else { return Ok(Vec::new()) };
    let (mut gate, _) = plan_potato(bands, None, first.shape())?;
    Ok((0..views.len()).filter(|j| gate.accepts(views[*j])).collect())
}

/// The gate: one potato per band.
struct Gate {
    bands: Vec<PotatoGate>,
    rate: Option<f64>,
}

pub(super) fn plan_potato(
    potatoes: &[potato::Potato],
    rate: Option<f64>,
    shape: Shape,
) -> Result<Planned, ModelError> {
    const PART: &str = "the gate's mean";
    let (n_bands, n_rows) = matrices_size(shape)?;
    expect_size("the list of gates", n_bands, potatoes.len())?;
    if rate.is_some_and(|rate| !(rate > 0.0 && rate < 1.0)) {
        return Err(ModelError::BadNumber { part: "the gate's rate" });
    }
    let plan = |potato: &potato::Potato| {
        expect_size(PART, n_rows, potato.mean().n_rows())?;
        expect_size(PART, n_rows, potato.mean().n_cols())?;
        potato.gate().map_err(|_| ModelError::BadNumber { part: PART })
    };
    let bands = potatoes.iter().map(plan).collect::<Result<_, _>>()?;
    Ok((Box::new(Gate { bands, rate }), shape))
}

impl Transformer for Gate {
    fn accepts(&mut self, input: View<'_>) -> bool {
        let View::Matrices(inputs) = input else { return false };
        let judged = self.bands.iter_mut().zip(inputs);
        let is_clean = judged.fold(true, |is_clean, (gate, input)| {
            is_clean & (gate.judge(input.as_ref()).verdict == potato::Verdict::Clean)
        });
        if let (true, Some(rate)) = (is_clean, self.rate) {
            for (gate, input) in self.bands.iter_mut().zip(inputs) {
                // A matrix that can't be learned from leaves the gate as it was.
                let _ = gate.update(input.as_ref(), rate);
            }
        }
        is_clean
    }

    fn apply<'a>(&'a mut self, input: View<'a>) -> View<'a> {
        input
    }
}
