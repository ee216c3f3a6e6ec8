//! Fitted spatial filters, as pyRiemann, MNE, MOABB and meegkit compute them.

use crate::{Parts, Plan, Request, Tensor};
use acquisition::marker::ClassIdx;
use acquisition::time::SampleRate;
use decoding::classifier::lda::LdaModel;
use decoding::filter::butterworth::bandpass;
use decoding::filter::sos::SosFilter;
use decoding::matrix::Matrix;
use decoding::riemann::covariance::{Estimator, scm};
use decoding::spatial_filter::augmented::AugmentedParams;
use decoding::spatial_filter::cca::{CcaParams, CcaRuntime};
use decoding::spatial_filter::csp::{CspFilters, CspParams, CspRegularisation};
use decoding::spatial_filter::erp_covariance::{ErpCovarianceParams, Prototypes};
use decoding::spatial_filter::filter_bank_csp::FilterBankCspParams;
use decoding::spatial_filter::trca::{TrcaParams, TrcaScoring};
use decoding::spatial_filter::xdawn::XdawnParams;
use decoding::window::Planar;
use faer::{Mat, MatRef};

/// By name.
pub const CASES: &[(&str, Plan)] = &[
    ("csp_fit", |r| csp_case(r, CspFilters::Farthest { n_filters: 8 })),
    ("csp_joint_fit", |r| csp_case(r, CspFilters::Joint { n_filters: 8 })),
    ("filter_bank_csp_fit", |r| {
        Ok(Parts::case((Labelled::of(r)?, 0.0), fit_filter_bank, |(_, bias)| {
            vec![Tensor { shape: vec![1], data: vec![*bias] }]
        }))
    }),
    ("xdawn_fit", |r| {
        let state = (Labelled::of(r)?, None);
        Ok(Parts::case(state, fit_xdawn, |(_, filters)| filters.iter().map(rows).collect()))
    }),
    ("xdawn_covariances", |r| xdawn_covariances(r)),
    ("augmented_covariances", |r| augmented_covariances(r)),
    ("cca_scores", |r| cca_scores(r)),
    ("trca_fit", |r| {
        let state = (Labelled::of(r)?, None);
        Ok(Parts::case(state, fit_trca, |(_, filters)| filters.iter().map(rows).collect()))
    }),
    ("trca_scores", |r| trca_scores(r)),
];

/// Arrays `(n_windows, n_rows, n_cols)` and a class for each.
struct Labelled {
    shape: [usize; 3],
    data: Vec<f64>,
    labels: Vec<ClassIdx>,
    n_classes: usize,
}

impl Labelled {
    fn of(request: &Request<'_>) -> Result<Self, String> {
        let (input, labels) = (request.input(0)?, request.input(1)?);
        let &[n_windows, n_rows, n_cols] = input.shape.as_slice() else {
            return Err("windows have three dimensions".to_owned());
        };
        let labels: Vec<_> = labels.data.iter().map(|l| ClassIdx(*l as u8)).collect();
        let n_classes = labels.iter().map(|l| l.index() + 1).max().unwrap_or(0);
        let shape = [n_windows, n_rows, n_cols];
        Ok(Self { shape, data: input.data.clone(), labels, n_classes })
    }

    fn windows(&self) -> Vec<Planar<'_>> {
        let [_, n_rows, n_cols] = self.shape;
        let windows = self.data.chunks_exact(n_rows * n_cols);
        windows.map(|w| Planar::new(w, n_rows, n_cols, n_cols)).collect()
    }

    fn matrices(&self) -> Vec<Mat<f64>> {
        self.windows().iter().map(|w| w.as_mat().to_owned()).collect()
    }
}

fn rows(matrix: &Matrix) -> Tensor {
    let shape = vec![matrix.n_rows(), matrix.n_cols()];
    Tensor { shape, data: matrix.as_slice().to_vec() }
}

fn stack(matrices: &[Mat<f64>]) -> Vec<Tensor> {
    let n = matrices.first().map_or(0, Mat::nrows);
    let row_major = matrices.iter().flat_map(Mat::row_iter);
    let data = row_major.flat_map(|row| row.iter().copied()).collect();
    vec![Tensor { shape: vec![matrices.len(), n, n], data }]
}

/// A fit to covariances that are there.
fn csp_case(request: &Request<'_>, filters: CspFilters) -> Result<Box<dyn crate::Case>, String> {
    let labelled = Labelled::of(request)?;
    let params = CspParams { filters, regularisation: CspRegularisation::None };
    let state = (params, labelled.matrices(), labelled, None::<Matrix>);
    let fit = |(params, matrices, labelled, found): &mut (_, Vec<_>, Labelled, _)| {
        let params: &CspParams = params;
        let borrowed: Vec<_> = matrices.iter().collect();
        let model = params.fit(&borrowed, &labelled.labels, labelled.n_classes);
        *found = Some(model.expect("covariances of a recording").filters);
    };
    Ok(Parts::case(state, fit, |(_, _, _, found)| found.iter().map(rows).collect()))
}

/// Nine bands from 4 to 40 Hz at 250 Hz: filters, covariances, patterns, choice, LDA.
fn fit_filter_bank((labelled, bias): &mut (Labelled, f64)) {
    let [n_windows, n_channels, n_samples] = labelled.shape;
    let rate = SampleRate::new(250.0).expect("a rate");
    let mut frames = vec![0.0; n_channels * n_samples];
    let mut bands = Vec::new();
    for low_hz in (4..40).step_by(4).map(f64::from) {
        let sections = bandpass(4, low_hz, low_hz + 4.0, rate).expect("a band");
        let mut covariances = Vec::with_capacity(n_windows);
        for window in labelled.windows() {
            for c in 0..n_channels {
                for (t, x) in window.channel(c).iter().enumerate() {
                    frames[t * n_channels + c] = *x;
                }
            }
            SosFilter::new(sections.clone(), n_channels).process_frames(&mut frames);
            covariances.push(scm(MatRef::from_column_major_slice(&frames, n_channels, n_samples)));
        }
        bands.push(covariances);
    }
    let borrowed: Vec<Vec<&Mat<f64>>> = bands.iter().map(|band| band.iter().collect()).collect();
    let borrowed: Vec<&[&Mat<f64>]> = borrowed.iter().map(Vec::as_slice).collect();
    let params = FilterBankCspParams::default();
    let model = params.fit(&borrowed, &labelled.labels, labelled.n_classes).expect("a recording");
    let mut runtime = model.plan();
    let features = |window: usize| {
        let covariances: Vec<_> = bands.iter().map(|band| band[window].as_ref()).collect();
        let mut features = vec![0.0; model.n_filters()];
        runtime.features_into(&covariances, &mut features);
        features
    };
    let features: Vec<_> = (0..n_windows).map(features).collect();
    let lda = LdaModel::fit(&features, &labelled.labels, labelled.n_classes);
    *bias = lda.expect("finite features").intercept[0];
}

fn fit_xdawn((labelled, found): &mut (Labelled, Option<Matrix>)) {
    let params = XdawnParams::default();
    let model = params.fit(&labelled.windows(), &labelled.labels, labelled.n_classes);
    *found = Some(model.expect("a recording").filters);
}

/// Covariances of all windows with a model that is there.
fn xdawn_covariances(request: &Request<'_>) -> Result<Box<dyn crate::Case>, String> {
    let labelled = Labelled::of(request)?;
    let prototypes = Prototypes::Xdawn { n_filters: 4, estimator: Estimator::Scm };
    let params = ErpCovarianceParams { prototypes, classes: None, estimator: Estimator::Oas };
    let model = params.fit(&labelled.windows(), &labelled.labels, labelled.n_classes);
    let runtime = model.map(|m| m.plan().expect("a fitted model"));
    let runtime = runtime.map_err(|e| e.to_string())?;
    let out = vec![Mat::zeros(runtime.n_rows(), runtime.n_rows()); labelled.shape[0]];
    let transform = |(labelled, runtime, out): &mut (Labelled, _, Vec<Mat<f64>>)| {
        let runtime: &mut decoding::spatial_filter::erp_covariance::ErpCovarianceRuntime = runtime;
        for (window, out) in labelled.windows().iter().zip(out) {
            runtime.covariance_into(window, out.as_mut());
        }
    };
    Ok(Parts::case((labelled, runtime, out), transform, |(_, _, out)| stack(out)))
}

fn augmented_covariances(request: &Request<'_>) -> Result<Box<dyn crate::Case>, String> {
    let labelled = Labelled::of(request)?;
    let [n_windows, n_channels, n_samples] = labelled.shape;
    let (order, lag) = (request.count("order")?, request.count("lag")?);
    let params = AugmentedParams { order, lag, estimator: Estimator::Oas };
    let runtime = params.plan(n_channels, n_samples).map_err(|e| e.to_string())?;
    let out = vec![Mat::zeros(runtime.n_rows(), runtime.n_rows()); n_windows];
    let transform = |(labelled, runtime, out): &mut (Labelled, _, Vec<Mat<f64>>)| {
        let runtime: &mut decoding::spatial_filter::augmented::AugmentedRuntime = runtime;
        for (window, out) in labelled.windows().iter().zip(out) {
            runtime.covariance_into(window, out.as_mut());
        }
    };
    Ok(Parts::case((labelled, runtime, out), transform, |(_, _, out)| stack(out)))
}

/// One window `(n_channels, n_samples)` against frequencies.
fn cca_scores(request: &Request<'_>) -> Result<Box<dyn crate::Case>, String> {
    let (window, frequencies) = (request.input(0)?, request.input(1)?);
    let &[n_channels, n_samples] = window.shape.as_slice() else {
        return Err("a window has two dimensions".to_owned());
    };
    let frequencies_hz = frequencies.data.clone();
    let params = CcaParams { frequencies_hz, n_harmonics: request.count("n_harmonics")? };
    let runtime = params.plan(request.number("rate_hz")?, n_channels, n_samples);
    let runtime = runtime.map_err(|e| e.to_string())?;
    let scores = vec![0.0; runtime.n_frequencies()];
    let call = |(window, runtime, scores): &mut (Tensor, CcaRuntime, Vec<f64>)| {
        let (n_channels, n_samples) = (window.shape[0], window.shape[1]);
        let window = Planar::new(&window.data, n_channels, n_samples, n_samples);
        runtime.scores_into(&window, scores);
    };
    Ok(Parts::case((window.clone(), runtime, scores), call, |(_, _, scores)| {
        vec![Tensor { shape: vec![scores.len()], data: scores.clone() }]
    }))
}

fn fit_trca((labelled, found): &mut (Labelled, Option<Matrix>)) {
    let params = TrcaParams::default();
    let model = params.fit(&[&labelled.windows()], &labelled.labels, labelled.n_classes);
    *found = Some(model.expect("a recording").bands[0].filters.clone());
}

/// Scores of all windows with a model that is there.
fn trca_scores(request: &Request<'_>) -> Result<Box<dyn crate::Case>, String> {
    let labelled = Labelled::of(request)?;
    let params = TrcaParams { scoring: TrcaScoring::Ensemble, ..TrcaParams::default() };
    let model = params.fit(&[&labelled.windows()], &labelled.labels, labelled.n_classes);
    let runtime = model.map_err(|e| e.to_string())?.plan();
    let scores = vec![0.0; labelled.shape[0] * labelled.n_classes];
    let call = |(labelled, runtime, scores): &mut (Labelled, _, Vec<f64>)| {
        let runtime: &mut decoding::spatial_filter::trca::TrcaRuntime = runtime;
        let n_classes = labelled.n_classes;
        for (window, scores) in labelled.windows().iter().zip(scores.chunks_exact_mut(n_classes)) {
            runtime.scores_into(&[*window], scores);
        }
    };
    Ok(Parts::case((labelled, runtime, scores), call, |(labelled, _, scores)| {
        vec![Tensor { shape: vec![labelled.shape[0], labelled.n_classes], data: scores.clone() }]
    }))
}
