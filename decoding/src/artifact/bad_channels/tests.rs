use super::*;
use acquisition::montage::{TEN_TEN, position_m};
use proptest::prelude::*;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Written by `tests/reference/golden_artifact.py` with pyprep 0.9.0.
#[derive(Deserialize)]
struct Golden {
    positions_m: Vec<[f64; 3]>,
    samples: Vec<Vec<f64>>,
    bad: BTreeMap<String, Vec<usize>>,
    deviation_z: Vec<f64>,
    noise_z: Vec<f64>,
    uncorrelated_windows: Vec<f64>,
    dropout_windows: Vec<f64>,
    subsets: Vec<Vec<usize>>,
    predicted: Vec<Vec<f64>>,
}

fn golden() -> Golden {
    let golden = include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../tests/data/golden/bad_channels.json"
    ));
    serde_json::from_str(golden).expect("the golden file is whole")
}

fn rate() -> SampleRate {
    SampleRate::new(160.0).expect("a usual rate")
}

fn mat(rows: &[Vec<f64>]) -> Mat<f64> {
    Mat::from_fn(rows.len(), rows[0].len(), |i, j| rows[i][j])
}

fn judged(golden: &Golden) -> Vec<ChannelReport> {
    let samples = mat(&golden.samples);
    let params = BadChannelParams::default();
    find(&params, rate(), samples.as_ref(), Some(&golden.positions_m)).expect("it can be judged")
}

fn with(reports: &[ChannelReport], reason: Reason) -> Vec<usize> {
    (0..reports.len()).filter(|i| reports[*i].reasons.contains(&reason)).collect()
}

#[test]
fn criteria_and_scores_are_pypreps() {
    let golden = golden();
    let reports = judged(&golden);
    let kinds = [
        ("flat", Reason::Flat),
        ("deviation", Reason::Deviation),
        ("hf_noise", Reason::HighFrequency),
        ("correlation", Reason::Correlation),
        ("dropout", Reason::Dropout),
    ];
    for (name, reason) in kinds {
        assert_eq!(with(&reports, reason), golden.bad[name], "{name}");
        assert!(!golden.bad[name].is_empty(), "{name} is tested");
    }
    // Channels 18 and 19 share a signal that no other has. Which subsets were drawn decides
    // whether one predicts the other.
    let twins = with(&reports, Reason::Unpredictable);
    assert!(golden.bad["ransac"].iter().all(|i| twins.contains(i)), "{twins:?}");
    assert!(!twins.is_empty() && twins.iter().all(|i| [18, 19].contains(i)), "{twins:?}");
    for (i, report) in reports.iter().enumerate() {
        let pairs = [
            (report.deviation_z, golden.deviation_z[i]),
            (report.noise_z, golden.noise_z[i]),
            (report.uncorrelated_windows, golden.uncorrelated_windows[i]),
            (report.dropout_windows, golden.dropout_windows[i]),
        ];
        for (ours, theirs) in pairs {
            assert!((ours - theirs).abs() < 1e-9 * theirs.abs().max(1.0), "{i}: {ours} {theirs}");
        }
    }
}

#[test]
fn predictions_from_the_same_subsets_are_pypreps() {
    let golden = golden();
    let reports = judged(&golden);
    let good: Vec<usize> =
        (0..reports.len()).filter(|i| reports[*i].unpredicted_windows.is_some()).collect();
    let smooth = low_pass::filtered(rate(), &golden.samples);
    let rows: Vec<&[f64]> = good.iter().map(|i| smooth[*i].as_slice()).collect();
    let places: Vec<_> = good.iter().map(|i| golden.positions_m[*i]).collect();
    let params = RansacParams::default();
    let ours = ransac::correlations(&params, rate(), &rows, &places, &golden.subsets).unwrap();
    for (channel, windows) in good.iter().zip(ours) {
        assert_eq!(windows.len(), golden.predicted.len());
        for (r, theirs) in windows.iter().zip(&golden.predicted) {
            assert!((r - theirs[*channel]).abs() < 1e-9, "{channel}: {r} {}", theirs[*channel]);
        }
    }
}

#[test]
fn the_seed_alone_decides_the_subsets() {
    let golden = golden();
    assert_eq!(judged(&golden), judged(&golden));
    let params = RansacParams::default();
    let subsets = params.subsets(20, 5).unwrap();
    assert_eq!(subsets, params.subsets(20, 5).unwrap());
    assert_ne!(subsets, RansacParams { seed: 1, ..params }.subsets(20, 5).unwrap());
    for subset in subsets {
        let distinct: std::collections::BTreeSet<_> = subset.iter().collect();
        assert!(distinct.len() == 5 && subset.iter().all(|k| *k < 20));
    }
    let samples = mat(&golden.samples);
    let on = |n_threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
        let params = BadChannelParams::default();
        pool.install(|| find(&params, rate(), samples.as_ref(), Some(&golden.positions_m)))
    };
    assert_eq!(on(1), on(3));
}

#[test]
fn what_is_not_finite_is_left_out_of_everything() {
    let mut golden = golden();
    let before = judged(&golden);
    golden.samples[3][100] = f64::NAN;
    let after = judged(&golden);
    assert_eq!(after[3].reasons, [Reason::NotFinite]);
    // The channel was flat before: for the others nothing changes.
    for (i, (a, b)) in before.iter().zip(&after).enumerate() {
        assert!(i == 3 || a == b, "channel {i}");
    }
}

#[test]
fn what_can_not_be_judged_is_refused() {
    let golden = golden();
    let samples = mat(&golden.samples);
    let params = BadChannelParams::default();
    let short = find(&params, rate(), samples.as_ref().subcols(0, 161), None);
    assert!(matches!(short, Err(BadChannelError::TooShort { .. })));
    assert!(find(&params, rate(), samples.as_ref().subcols(0, 162), None).is_ok());
    let one = Some(&golden.positions_m[..1]);
    let few = find(&params, rate(), samples.as_ref(), one);
    assert!(matches!(few, Err(BadChannelError::WrongPositions { .. })));
    let eight =
        find(&params, rate(), samples.as_ref().subrows(4, 8), Some(&golden.positions_m[4..12]));
    assert!(matches!(eight, Err(BadChannelError::TooFewChannels { .. })));
    let ransac = RansacParams { window_secs: 1e-3, ..params.ransac };
    let tiny = BadChannelParams { ransac, ..params };
    let placed = Some(&golden.positions_m[..]);
    let refused = find(&tiny, rate(), samples.as_ref(), placed);
    assert!(matches!(refused, Err(BadChannelError::TooShort { .. })), "{refused:?}");
    for bad in [
        BadChannelParams { noise_z: f64::NAN, ..params },
        BadChannelParams { min_correlation: 1.5, ..params },
        BadChannelParams { ransac: RansacParams { n_subsets: 0, ..params.ransac }, ..params },
    ] {
        let refused = find(&bad, rate(), samples.as_ref(), None);
        assert!(matches!(refused, Err(BadChannelError::BadParam { .. })), "{bad:?}");
    }
    let none = find(&params, rate(), samples.as_ref().subrows(0, 0), None);
    assert_eq!(none, Ok(Vec::new()));
    let flat = Mat::<f64>::zeros(5, 2000);
    let all = find(&params, rate(), flat.as_ref(), None).unwrap();
    assert_eq!(with(&all, Reason::Flat), [0, 1, 2, 3, 4]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn scaling_all_channels_changes_nothing_and_order_only_the_order(
        exponent in -6_i32..6,
        turn in 1_usize..21,
    ) {
        let golden = golden();
        let params = BadChannelParams::default();
        let before = find(&params, rate(), mat(&golden.samples).as_ref(), None).unwrap();
        let scale = 2.0_f64.powi(exponent);
        let mut turned: Vec<Vec<f64>> =
            golden.samples.iter().map(|row| row.iter().map(|x| scale * x).collect()).collect();
        turned.rotate_left(turn);
        let mut after = find(&params, rate(), mat(&turned).as_ref(), None).unwrap();
        after.rotate_right(turn);
        for (a, b) in before.iter().zip(&after) {
            prop_assert_eq!(&a.reasons, &b.reasons);
            prop_assert!((a.noise_z - b.noise_z).abs() < 1e-9 * a.noise_z.abs().max(1.0));
        }
    }
}

#[test]
fn a_smooth_head_has_no_bad_channel() {
    // Two slow sources far below the scalp: every channel is what its neighbours say.
    let places: Vec<_> = TEN_TEN.iter().filter_map(|l| position_m(l)).collect();
    let samples = Mat::from_fn(64, 1700, |i, t| {
        let ([x, y, z], t) = (places[i], t as f64 / 160.0);
        let noise = ((i * 1700) as f64 + t * 9871.0).sin() * 0.02;
        200.0 * (x + z) * (11.0 * t).sin()
            + 200.0 * (y - x) * (17.0 * t).cos()
            + 3.0 * (5.0 * t).sin()
            + noise
    });
    let params = BadChannelParams::default();
    let reports = find(&params, rate(), samples.as_ref(), Some(&places)).unwrap();
    let bad: Vec<_> = reports.iter().filter(|r| r.unpredicted_windows != Some(0.0)).collect();
    assert!(bad.is_empty(), "{bad:?}");
}
