use super::laplacian::{Edge, Reach, laplacian};
use super::rest::rest;
use super::spline::SphericalSpline;
use super::*;
use crate::matrix::Matrix;
use acquisition::montage::{TEN_TEN, position_m};
use faer::{Mat, MatRef};
use proptest::prelude::*;
use serde::Deserialize;

type Rows = Vec<Vec<f64>>;

/// Written by `tests/reference/golden_spatial.py` with MNE 1.13.2.
#[derive(Deserialize)]
struct Spline {
    labels: Vec<String>,
    positions_m: Vec<[f64; 3]>,
    centre_m: [f64; 3],
    radius_m: f64,
    samples: Rows,
    bads: Vec<String>,
    interpolated: Rows,
    density: Rows,
    #[serde(rename = "density_stiffness_3_lambda_1e-4")]
    density_3: Rows,
}

/// Written by the same script.
#[derive(Deserialize)]
struct Rest {
    labels: Vec<String>,
    lead_field: Rows,
    samples: Rows,
    #[serde(rename = "rest")]
    referenced: Rows,
}

fn spline() -> Spline {
    let golden =
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/golden/spline.json"));
    serde_json::from_str(golden).expect("the golden file is whole")
}

fn mat(rows: &Rows) -> Mat<f64> {
    Mat::from_fn(rows.len(), rows[0].len(), |i, j| rows[i][j])
}

/// The map of whole samples, which must also be that of every frame.
fn mapped(map: &ChannelMap, labels: &[String], samples: &Rows) -> Mat<f64> {
    let plan = map.plan(labels).expect("the labels are those of the map");
    let samples = mat(samples);
    let mut out = Mat::from_fn(plan.n_outputs(), samples.ncols(), |_, _| f64::NAN);
    plan.apply_into(samples.as_ref(), out.as_mut());
    let mut frame = vec![f64::NAN; plan.n_outputs()];
    for (t, column) in samples.col_iter().enumerate() {
        let input: Vec<f64> = column.iter().copied().collect();
        plan.apply_frame(&input, &mut frame);
        for (y, x) in frame.iter().zip(out.col(t).iter()) {
            assert!((y - x).abs() <= 1e-12 * x.abs().max(1.0), "{y} is not {x}");
        }
    }
    out
}

/// `‖a - b‖ / ‖b‖`.
fn difference(a: MatRef<'_, f64>, b: MatRef<'_, f64>) -> f64 {
    (a - b).norm_l2() / b.norm_l2()
}

fn row_sums(map: &ChannelMap) -> Vec<f64> {
    let weights = map.weights();
    (0..weights.n_rows()).map(|i| weights.row(i).iter().sum()).collect()
}

#[test]
fn interpolated_channels_are_mnes() {
    let golden = spline();
    let params = SphericalSpline::default();
    let (labels, places) = (&golden.labels, &golden.positions_m);
    let map = params.interpolation(labels, places, golden.centre_m, &golden.bads).unwrap();
    let out = mapped(&map, labels, &golden.samples);
    for (label, expected) in golden.bads.iter().zip(&golden.interpolated) {
        let row = labels.iter().position(|l| l == label).unwrap();
        let expected = Mat::from_fn(1, expected.len(), |_, t| expected[t]);
        let d = difference(out.as_ref().subrows(row, 1), expected.as_ref());
        assert!(d < 1e-9, "{label}: {d}");
    }
    let good = labels.iter().position(|l| l == "Cz").unwrap();
    assert_eq!(out[(good, 3)], golden.samples[good][3]);
}

#[test]
fn current_source_density_is_mnes() {
    let golden = spline();
    let second = SphericalSpline { stiffness: 3, lambda: 1e-4, ..Default::default() };
    let cases = [(SphericalSpline::default(), &golden.density), (second, &golden.density_3)];
    for (params, expected) in cases {
        let map = params
            .current_source_density(
                &golden.labels,
                &golden.positions_m,
                golden.centre_m,
                golden.radius_m,
            )
            .unwrap();
        let out = mapped(&map, &golden.labels, &golden.samples);
        let d = difference(out.as_ref(), mat(expected).as_ref());
        assert!(d < 1e-9, "{params:?}: {d}");
        assert!(row_sums(&map).iter().all(|s| s.abs() < 1e-6), "a common reference cancels");
    }
}

#[test]
fn the_reference_at_infinity_is_mnes_whatever_was_recorded_against() {
    let golden =
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/golden/rest.json"));
    let golden: Rest = serde_json::from_str(golden).unwrap();
    let map = rest(&golden.labels, mat(&golden.lead_field).as_ref()).unwrap();
    let out = mapped(&map, &golden.labels, &golden.samples);
    let d = difference(out.as_ref(), mat(&golden.referenced).as_ref());
    assert!(d < 1e-9, "{d}");
    assert!(row_sums(&map).iter().all(|s| s.abs() < 1e-12), "any common reference cancels");
    let few = rest(&golden.labels[1..], mat(&golden.lead_field).as_ref());
    assert!(matches!(few, Err(SpatialError::WrongShape { .. })));
    let zero = rest(&golden.labels, Mat::zeros(golden.labels.len(), 40).as_ref());
    assert_eq!(zero, Err(SpatialError::Singular));
}

/// The neighbours of an output: the labels with negative weight.
fn neighbours(map: &ChannelMap, label: &str) -> Vec<String> {
    let row = map.outputs().iter().position(|l| l == label).expect(label);
    let weights = map.weights().row(row);
    let mut found: Vec<_> = weights
        .iter()
        .zip(map.inputs())
        .filter(|(w, _)| **w < 0.0)
        .map(|(_, l)| l.clone())
        .collect();
    found.sort();
    found
}

#[test]
fn laplacian_neighbours_are_those_of_the_grid() {
    let small = laplacian(&TEN_TEN, Reach::Small, Edge::Drop).unwrap();
    assert_eq!(neighbours(&small, "C3"), ["C1", "C5", "CP3", "FC3"]);
    assert_eq!(neighbours(&small, "Cz"), ["C1", "C2", "CPz", "FCz"]);
    assert_eq!(neighbours(&small, "F3"), ["AF3", "F1", "F5", "FC3"]);
    assert_eq!(neighbours(&small, "P4"), ["CP4", "P2", "P6", "PO4"]);
    let large = laplacian(&TEN_TEN, Reach::Large, Edge::Drop).unwrap();
    assert_eq!(neighbours(&large, "C3"), ["Cz", "F3", "P3", "T7"]);
    assert_eq!(neighbours(&large, "Cz"), ["C3", "C4", "Fz", "Pz"]);
    assert_eq!(neighbours(&large, "Fz"), ["Cz", "F3", "F4", "Fpz"]);
    for map in [&small, &large] {
        assert!(row_sums(map).iter().all(|s| s.abs() < 1e-15), "a common reference cancels");
    }
}

#[test]
fn laplacian_weights_are_inverse_distances() {
    let map = laplacian(&TEN_TEN, Reach::Large, Edge::Drop).unwrap();
    let row = map.outputs().iter().position(|l| l == "C3").unwrap();
    let distance = |to: &str| {
        let (a, b) = (position_m("C3").unwrap(), position_m(to).unwrap());
        a.iter().zip(b).map(|(x, y)| (x - y).powi(2)).sum::<f64>().sqrt()
    };
    let total: f64 = ["Cz", "F3", "P3", "T7"].iter().map(|l| 1.0 / distance(l)).sum();
    for to in ["Cz", "F3", "P3", "T7"] {
        let col = map.inputs().iter().position(|l| l == to).unwrap();
        let expected = -1.0 / distance(to) / total;
        assert!((map.weights().row(row)[col] - expected).abs() < 1e-12, "{to}");
    }
}

#[test]
fn the_edge_of_the_cap_is_dropped_or_kept_with_fewer() {
    let dropped = laplacian(&TEN_TEN, Reach::Small, Edge::Drop).unwrap();
    let kept = laplacian(&TEN_TEN, Reach::Small, Edge::Fewer).unwrap();
    assert!(!dropped.outputs().iter().any(|l| l == "Iz" || l == "Fpz"));
    assert!(kept.outputs().len() > dropped.outputs().len());
    assert!(neighbours(&kept, "Fpz").len() < 4);
    // With the neighbours missing nothing farther away takes their place.
    let few = ["C3", "F3", "P3", "Cz", "T7"];
    assert_eq!(laplacian(&few, Reach::Small, Edge::Fewer), Err(SpatialError::NoNeighbours));
    let large = laplacian(&few, Reach::Large, Edge::Drop).unwrap();
    assert_eq!(large.outputs(), ["C3"]);
    let eye = laplacian(&["C3", "EOG"], Reach::Small, Edge::Fewer);
    assert_eq!(eye, Err(SpatialError::UnknownElectrode { label: "EOG".to_owned() }));
}

#[test]
fn references_and_pairs_subtract_what_they_say() {
    let labels = ["A", "B", "C"];
    let owned = labels.map(str::to_owned);
    let frame = vec![vec![1.0], vec![2.0], vec![6.0]];
    let one = |map: ChannelMap| {
        let out = mapped(&map, &owned, &frame);
        out.col(0).iter().copied().collect::<Vec<_>>()
    };
    let close = |a: Vec<f64>, b: &[f64]| a.iter().zip(b).all(|(x, y)| (x - y).abs() < 1e-14);
    assert!(close(one(ChannelMap::common_average(&labels).unwrap()), &[-2.0, -1.0, 3.0]));
    assert!(close(one(ChannelMap::linked(&labels, &["A", "B"]).unwrap()), &[-0.5, 0.5, 4.5]));
    let pairs = ChannelMap::bipolar(&labels, &[("C", "A"), ("A", "B")]).unwrap();
    assert_eq!(pairs.outputs(), ["C-A", "A-B"]);
    assert!(close(one(pairs), &[5.0, -1.0]));
}

#[test]
fn what_does_not_fit_is_refused() {
    let labels = ["A", "B"];
    let unknown = |label: &str| SpatialError::UnknownChannel { label: label.to_owned() };
    assert_eq!(ChannelMap::bipolar(&labels, &[("A", "X")]), Err(unknown("X")));
    assert_eq!(ChannelMap::linked(&labels, &["Y"]), Err(unknown("Y")));
    let none: [&str; 0] = [];
    let few = SpatialError::TooFewChannels { n_channels: 0, needed: 1 };
    assert_eq!(ChannelMap::linked(&labels, &none), Err(few.clone()));
    assert_eq!(ChannelMap::common_average(&none), Err(few));
    let twice = SpatialError::RepeatedChannel { label: "A".to_owned() };
    assert_eq!(ChannelMap::common_average(&["A", "A"]), Err(twice));
    let map = ChannelMap::common_average(&labels).unwrap();
    assert_eq!(map.plan(&["A"]).unwrap_err(), unknown("B"));
    let wide = Matrix::new(1, 2, vec![1.0, 2.0]).unwrap();
    assert!(matches!(
        ChannelMap::new(&labels, &labels, wide),
        Err(SpatialError::WrongShape { .. })
    ));
    let json = serde_json::to_string(&map).unwrap();
    assert_eq!(serde_json::from_str::<ChannelMap>(&json).unwrap(), map);
    assert!(serde_json::from_str::<ChannelMap>(&json.replace("\"B\"", "\"A\"")).is_err());
}

#[test]
fn splines_without_a_solution_are_refused() {
    let places: Vec<_> = TEN_TEN.iter().map(|l| position_m(l).unwrap()).collect();
    let spline = SphericalSpline::default();
    let nan = [[f64::NAN, 0.0, 1.0]];
    assert_eq!(spline.weights(&places, &nan), Err(SpatialError::BadPosition { idx: 64 }));
    let centre = [[0.0; 3]];
    assert_eq!(spline.weights(&centre, &places), Err(SpatialError::BadPosition { idx: 0 }));
    let exact = SphericalSpline { lambda: 0.0, ..spline };
    let twice = [places[0], places[1], places[1]];
    assert_eq!(exact.weights(&twice, &places), Err(SpatialError::Singular));
    for bad in [
        SphericalSpline { stiffness: 1, ..spline },
        SphericalSpline { n_terms: 0, ..spline },
        SphericalSpline { lambda: f64::NAN, ..spline },
    ] {
        assert!(matches!(bad.weights(&places, &places), Err(SpatialError::BadSpline { .. })));
    }
    let flat = spline.current_source_density(&TEN_TEN, &places, [0.0; 3], 0.0);
    assert!(matches!(flat, Err(SpatialError::BadSpline { .. })));
    let short = spline.interpolation(&TEN_TEN, &places[1..], [0.0; 3], &["C3"]);
    assert!(matches!(short, Err(SpatialError::WrongShape { .. })));
    let gone = spline.interpolation(&TEN_TEN, &places, [0.0; 3], &["X"]);
    assert!(matches!(gone, Err(SpatialError::UnknownChannel { .. })));
}

/// Bad channels from the good ones, the good ones but one passed on, and that one made of
/// two: all the forms of rows there are.
#[test]
fn a_map_of_few_weights_is_the_product_of_all() {
    let places: Vec<_> = TEN_TEN.iter().map(|l| position_m(l).unwrap()).collect();
    let at = |label| TEN_TEN.iter().position(|l| *l == label).unwrap();
    let bads = ["C3", "Fz", "O1", "F7", "P8"];
    let map = SphericalSpline::default();
    let map = map.interpolation(&TEN_TEN, &places, [0.0; 3], &bads).unwrap();
    let mut weights = map.weights().to_faer();
    weights[(at("Cz"), at("Pz"))] = -0.5;
    let map = ChannelMap::new(&TEN_TEN, &TEN_TEN, Matrix::from_faer(weights.as_ref()).unwrap());
    let mapper = map.unwrap().plan(&TEN_TEN).unwrap();
    let samples = Mat::from_fn(TEN_TEN.len(), 11, |c, t| ((c * 31 + t * 17) % 23) as f64 - 9.3);
    let expected = &weights * &samples;
    let mut rows = Mat::<f64>::zeros(11, TEN_TEN.len());
    mapper.apply_into(samples.as_ref(), rows.transpose_mut());
    let mut columns = Mat::<f64>::zeros(TEN_TEN.len(), 11);
    mapper.apply_into(samples.as_ref(), columns.as_mut());
    assert_eq!(rows.transpose(), columns.as_ref());
    let scale = expected.norm_max();
    assert!((&columns - &expected).norm_max() < 1e-14 * scale);
    // What is not asked for a bad channel does not reach it.
    let mut broken = vec![1.0; TEN_TEN.len()];
    let mut out = vec![0.0; TEN_TEN.len()];
    for bad in bads {
        broken[at(bad)] = f64::NAN;
    }
    mapper.apply_frame(&broken, &mut out);
    assert!(out.iter().all(|y| y.is_finite()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn maps_follow_their_labels_in_any_order(seed in 0_usize..1000, extra in 0_usize..4) {
        let map = laplacian(&TEN_TEN[..32], Reach::Small, Edge::Fewer).unwrap();
        let mut stream: Vec<String> = TEN_TEN[..32 + extra].iter().map(|l| (*l).to_owned()).collect();
        let value = |label: &str| label.bytes().map(f64::from).sum::<f64>();
        let run = |stream: &[String]| {
            let plan = map.plan(stream).unwrap();
            let frame: Vec<_> = stream.iter().map(|l| value(l)).collect();
            let mut out = vec![f64::NAN; plan.n_outputs()];
            plan.apply_frame(&frame, &mut out);
            out
        };
        let straight = run(&stream);
        stream.rotate_left(seed % 32);
        stream.swap(seed % 7, 20);
        for (a, b) in straight.iter().zip(run(&stream)) {
            prop_assert!((a - b).abs() < 1e-10, "{} is not {}", a, b);
        }
    }

    #[test]
    fn one_map_after_another_is_their_product(seed in 0_usize..64) {
        let first = ChannelMap::linked(&TEN_TEN, &[TEN_TEN[seed]]).unwrap();
        let second = laplacian(&TEN_TEN, Reach::Large, Edge::Drop).unwrap();
        let both = first.then(&second).unwrap();
        // A Laplacian does not see the reference.
        let difference = both.weights().to_faer() - second.weights().to_faer();
        prop_assert!(difference.norm_l2() < 1e-13);
        prop_assert_eq!(both.outputs(), second.outputs());
    }

    #[test]
    fn a_spline_is_exact_for_a_constant_and_near_its_electrodes(seed in 0_usize..64) {
        let places: Vec<_> = TEN_TEN.iter().map(|l| position_m(l).unwrap()).collect();
        let spline = SphericalSpline { lambda: 0.0, ..Default::default() };
        let weights = spline.weights(&places, &places[seed..=seed]).unwrap();
        for (j, w) in weights.row(0).iter().enumerate() {
            let expected = f64::from(u8::from(j == seed));
            prop_assert!((w - expected).abs() < 1e-6, "{} {}", j, w);
        }
    }
}
