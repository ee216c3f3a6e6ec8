use super::*;
use proptest::prelude::*;

/// Written by `tests/reference/golden_artifact.py` with MNE 1.13.2.
#[derive(Deserialize)]
struct Golden {
    samples: Vec<Vec<f64>>,
    weights: Vec<Vec<f64>>,
    cleaned: Vec<Vec<f64>>,
    weights_of_epochs: Vec<Vec<f64>>,
}

const BRAIN: [usize; 4] = [0, 1, 2, 3];
const EOG: [usize; 3] = [4, 5, 6];

fn golden() -> Golden {
    let golden = include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../tests/data/golden/eog_regression.json"
    ));
    serde_json::from_str(golden).expect("the golden file is whole")
}

fn mat(rows: &[Vec<f64>]) -> Mat<f64> {
    Mat::from_fn(rows.len(), rows[0].len(), |i, j| rows[i][j])
}

/// `‖a - b‖ / ‖b‖`.
fn difference(a: MatRef<'_, f64>, b: MatRef<'_, f64>) -> f64 {
    (a - b).norm_l2() / b.norm_l2()
}

#[test]
fn weights_and_cleaned_samples_are_mnes() {
    let golden = golden();
    let mut samples = mat(&golden.samples);
    let model = EogRegression::fit(&[samples.as_ref()], &BRAIN, &EOG).unwrap();
    let weights = model.weights().to_faer();
    assert!(difference(weights.as_ref(), mat(&golden.weights).as_ref()) < 1e-9);
    model.apply_recording(samples.as_mut());
    let cleaned = samples.as_ref().subrows(0, 4);
    assert!(difference(cleaned, mat(&golden.cleaned).as_ref()) < 1e-9);
    assert_eq!(samples[(5, 7)], golden.samples[5][7], "EOG channels stay as they are");
}

#[test]
fn weights_of_epochs_are_mnes() {
    let golden = golden();
    let samples = mat(&golden.samples);
    let epochs: Vec<_> = (0..3).map(|k| samples.as_ref().subcols(200 * k, 200)).collect();
    let model = EogRegression::fit(&epochs, &BRAIN, &EOG).unwrap();
    let weights = model.weights().to_faer();
    assert!(difference(weights.as_ref(), mat(&golden.weights_of_epochs).as_ref()) < 1e-9);
}

#[test]
fn frame_by_frame_differs_from_the_recording_by_nothing_on_the_calibration() {
    let golden = golden();
    let mut whole = mat(&golden.samples);
    let model = EogRegression::fit(&[whole.as_ref()], &BRAIN, &EOG).unwrap();
    let mut frames = whole.clone();
    model.apply_recording(whole.as_mut());
    for t in 0..frames.ncols() {
        let column = frames.as_mut().col_mut(t).try_as_col_major_mut();
        model.apply_frame(column.expect("columns of a matrix are contiguous").as_slice_mut());
    }
    // The mean of the calibration is that of the recording here, summed in one order.
    assert!(difference(frames.as_ref(), whole.as_ref()) < 1e-14);
}

#[test]
fn channels_in_rows_of_memory_are_cleaned_alike() {
    let mut samples = mat(&golden().samples);
    let mut other = samples.transpose().to_owned();
    let model = EogRegression::fit(&[samples.as_ref()], &BRAIN, &EOG).unwrap();
    assert_eq!(EogRegression::fit(&[other.transpose()], &BRAIN, &EOG).unwrap(), model);
    model.apply_recording(samples.as_mut());
    model.apply_recording(other.transpose_mut());
    assert_eq!(other.transpose(), samples.as_ref());
}

#[test]
fn what_has_no_solution_is_refused() {
    let samples = mat(&golden().samples);
    let fit = |m: &Mat<f64>, eog: &[usize]| EogRegression::fit(&[m.as_ref()], &BRAIN, eog);
    assert_eq!(fit(&samples, &[]), Err(EogError::NoChannel));
    assert_eq!(fit(&samples, &[7]), Err(EogError::BadChannel { channel: 7, n_channels: 7 }));
    assert_eq!(fit(&samples, &[2]), Err(EogError::BadChannel { channel: 2, n_channels: 7 }));
    let short = samples.as_ref().subcols(0, 3).to_owned();
    assert_eq!(fit(&short, &EOG), Err(EogError::TooFewSamples { n_samples: 3, n_eog: 3 }));
    let mut constant = samples.clone();
    constant.row_mut(4).fill(7.0);
    assert_eq!(fit(&constant, &EOG), Err(EogError::Dependent));
    let mut nan = samples;
    nan[(1, 5)] = f64::NAN;
    assert!(matches!(fit(&nan, &EOG), Err(EogError::NotFinite(_))));
}

#[test]
fn an_epoch_without_samples_changes_nothing() {
    let samples = mat(&golden().samples);
    let nothing = samples.as_ref().subcols(0, 0);
    let alone = EogRegression::fit(&[samples.as_ref()], &BRAIN, &EOG);
    assert_eq!(EogRegression::fit(&[nothing, samples.as_ref()], &BRAIN, &EOG), alone);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn what_was_mixed_in_is_taken_out(a in -2.0_f64..2.0, b in -2.0_f64..2.0, offset in -90.0_f64..90.0) {
        let samples = mat(&golden().samples);
        let model = EogRegression::fit(&[samples.as_ref()], &BRAIN, &EOG).unwrap();
        let mut clean = samples.clone();
        model.apply_recording(clean.as_mut());
        let mixed = |i: usize, t: usize| {
            let eog = a * samples[(4, t)] + b * samples[(6, t)] + offset;
            samples[(i, t)] + if i < 4 { eog } else { 0.0 }
        };
        let mut mixed = Mat::from_fn(7, samples.ncols(), mixed);
        let again = EogRegression::fit(&[mixed.as_ref()], &BRAIN, &EOG).unwrap();
        again.apply_recording(mixed.as_mut());
        let mean_of = |m: &Mat<f64>, i: usize| m.row(i).iter().sum::<f64>() / 600.0;
        for i in 0..4 {
            let (x, y) = (mean_of(&mixed, i), mean_of(&clean, i));
            for t in 0..600 {
                let d = (mixed[(i, t)] - x) - (clean[(i, t)] - y);
                prop_assert!(d.abs() < 1e-8, "{} {} {}", i, t, d);
            }
        }
    }
}
