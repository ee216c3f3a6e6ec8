//! Selections and tests of maps against SciPy, scikit-learn and MNE, under changes of
//! the data, and on bad data.

use super::max_t::{MapError, MaxT};
use super::*;
use crate::classifier::tests::{Normal, assert_close, classes};
use proptest::prelude::*;
use serde::Deserialize;

/// Made by `tests/reference/golden_classify.py`.
const GOLDEN: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/golden/selection.json"));

#[derive(Deserialize)]
struct Golden {
    sets: Vec<Set>,
    max_t: Maps,
}

#[derive(Deserialize)]
struct Maps {
    #[serde(rename = "maps")]
    values: Vec<Vec<f64>>,
    statistic: Vec<f64>,
    p_corrected: Vec<f64>,
    mne_p_corrected: Vec<f64>,
}

#[derive(Deserialize)]
struct Set {
    features: Vec<Vec<f64>>,
    labels: Vec<u8>,
    r2: Vec<f64>,
    student_p: Vec<f64>,
    ranksums_z: Vec<f64>,
    ranksums_p: Vec<f64>,
    exact_p: Vec<f64>,
    tied_p: Vec<f64>,
    benjamini_hochberg: Vec<f64>,
    benjamini_yekutieli: Vec<f64>,
    mutual_information: Vec<f64>,
    mutual_information_tasks: Vec<f64>,
    sklearn_mutual_information: Vec<f64>,
    rfe_ranks: Vec<f64>,
    rfe_ranks_tasks: Vec<f64>,
}

impl Set {
    /// Examples of classes 1 and 2, which become 0 and 1.
    fn tasks(&self) -> (Vec<Vec<f64>>, Vec<ClassIdx>) {
        let used = self.features.iter().zip(&self.labels).filter(|(_, l)| **l > 0);
        used.map(|(x, l)| (x.clone(), ClassIdx(l - 1))).unzip()
    }
}

fn golden() -> Golden {
    serde_json::from_str(GOLDEN).unwrap()
}

const ALL: Keep = Keep::Best(usize::MAX);

fn scores(select: Select, x: &[Vec<f64>], labels: &[ClassIdx], n_classes: usize) -> Vec<f64> {
    select.fit(x, labels, n_classes).unwrap().scores
}

#[test]
fn tests_of_two_groups_are_as_in_scipy() {
    for set in golden().sets {
        let (x, labels) = set.tasks();
        assert_close(&scores(Select::SignedR2 { keep: ALL }, &x, &labels, 2), &set.r2, 1e-12);
        let n = x.len();
        let p: Vec<f64> = set.r2.iter().map(|r2| r2_p(*r2, n)).collect();
        assert_close(&p, &set.student_p, 1e-12);
        let by_rank = Select::Wilcoxon { keep: ALL, p: RankSumP::Normal };
        assert_close(&scores(by_rank, &x, &labels, 2), &set.ranksums_z, 1e-12);
        for j in 0..set.r2.len() {
            let group = |class: u8, round: f64| -> Vec<f64> {
                let of = labels.iter().zip(&x).filter(|(l, _)| l.0 == class);
                // Halves round to even in NumPy; no value of the set is one.
                of.map(|(_, x)| if round > 0.0 { (x[j] * round).round() / round } else { x[j] })
                    .collect()
            };
            let p = |method, round| rank_sum(&group(0, round), &group(1, round), method).p;
            assert_close(&[p(RankSumP::Normal, 0.0)], &[set.ranksums_p[j]], 1e-12);
            assert_close(&[p(RankSumP::Auto, 10.0)], &[set.tied_p[j]], 1e-12);
            let exact = rank_sum::exact_p(&group(0, 0.0), &group(1, 0.0));
            assert_close(&[exact], &[set.exact_p[j]], 1e-12);
        }
    }
}

#[test]
fn false_discovery_rates_are_as_in_scipy() {
    for set in golden().sets {
        let found = corrected(&set.student_p, Correction::BenjaminiHochberg);
        assert_close(&found, &set.benjamini_hochberg, 1e-14);
        let found = corrected(&set.student_p, Correction::BenjaminiYekutieli);
        assert_close(&found, &set.benjamini_yekutieli, 1e-14);
    }
}

#[test]
fn information_and_elimination_are_as_in_scikit_learn() {
    for set in golden().sets {
        let (tasks, of_tasks) = set.tasks();
        let all = (&set.features, &classes(&set.labels));
        let by_information = |n_neighbors| Select::MutualInformation { n_kept: 2, n_neighbors };
        let found = scores(by_information(3), all.0, all.1, 3);
        assert_close(&found, &set.mutual_information, 1e-12);
        // scikit-learn compares squares of distances; rounded, they count some k-th
        // neighbours as nearer than themselves, each worth some 1 / (n m), n = 24.
        assert_close(&found, &set.sklearn_mutual_information, 0.06);
        let found = scores(by_information(5), &tasks, &of_tasks, 2);
        assert_close(&found, &set.mutual_information_tasks, 1e-12);
        let by_elimination = Select::RecursiveElimination { n_kept: 3, n_removed: 2, c: 1.0 };
        let ranks = |scores: Vec<f64>| scores.iter().map(|s| -s).collect::<Vec<_>>();
        assert_eq!(ranks(scores(by_elimination, all.0, all.1, 3)), set.rfe_ranks);
        assert_eq!(ranks(scores(by_elimination, &tasks, &of_tasks, 2)), set.rfe_ranks_tasks);
    }
}

#[test]
fn maps_against_zero_are_as_in_mne() {
    let golden = golden().max_t;
    let found = MaxT::default().one_sample(&golden.values).unwrap();
    assert_eq!(found.n_permutations, 256);
    assert_close(&found.statistic, &golden.statistic, 1e-12);
    assert_close(&found.p_corrected, &golden.p_corrected, 1e-12);
    for k in 0..found.p.len() {
        // MNE leaves out one of the 256, which is or is not as far from 0.
        let of_mne = 255.0 * golden.mne_p_corrected[k];
        let n_more = 256.0 * found.p_corrected[k] - of_mne;
        assert!(n_more.abs() < 1e-9 || (n_more - 1.0).abs() < 1e-9, "{n_more}");
        assert!(found.p[k] <= found.p_corrected[k]);
        assert_eq!(found.is_kept[k], found.p_corrected[k] <= 0.05);
    }
}

#[test]
fn drawn_permutations_come_near_to_all_of_them() {
    let maps = golden().max_t.values;
    let all = MaxT::default().one_sample(&maps).unwrap();
    let drawn = MaxT { n_permutations: 200, ..MaxT::default() };
    let found = drawn.one_sample(&maps).unwrap();
    assert_eq!(drawn.one_sample(&maps).unwrap(), found);
    assert_ne!(MaxT { seed: 1, ..drawn }.one_sample(&maps).unwrap(), found);
    for (found, expected) in found.p_corrected.iter().zip(&all.p_corrected) {
        // Four standard errors of a share of 200.
        assert!((found - expected).abs() < 4.0 * (0.25_f64 / 200.0).sqrt());
    }
}

#[test]
fn exchanged_groups_are_as_far_whatever_their_sums_round_to() {
    let mut normal = Normal::new(3);
    let mut map =
        |shift: f64| -> Vec<f64> { (0..200).map(|_| shift + 0.1 * normal.draw()).collect() };
    let (first, second) = ([map(0.0), map(0.0)], [map(1.0), map(1.0)]);
    let tested =
        MaxT { n_permutations: 3000, ..MaxT::default() }.two_samples(&first, &second).unwrap();
    // Of the six splits the observed one and its complement: one in three, and the drawn
    // share of 3000 within four standard deviations of it.
    for p in tested.p {
        assert!((p - 1.0 / 3.0).abs() < 0.035, "{p}");
    }
}

#[test]
fn the_largest_statistic_of_maps_that_say_nothing_is_rarely_kept() {
    let (mut normal, mut n_false, mut n_false_uncorrected) = (Normal::new(51), 0, 0);
    let test = MaxT { n_permutations: 200, ..MaxT::default() };
    for _ in 0..200 {
        let (maps, labels) = normal.examples(20, 30, 2, 0.0);
        let of = |class: u8| -> Vec<Vec<f64>> {
            maps.iter().zip(&labels).filter(|(_, l)| l.0 == class).map(|(m, _)| m.clone()).collect()
        };
        let found = test.two_samples(&of(0), &of(1)).unwrap();
        n_false += usize::from(found.is_kept.contains(&true));
        n_false_uncorrected += usize::from(found.p.iter().any(|p| *p <= 0.05));
    }
    // 5 % of 200 and three standard errors; without correction 1 - 0.95^30 = 79 %.
    assert!(n_false <= 20, "{n_false} of 200 maps had a false point");
    assert!(n_false_uncorrected > 120, "{n_false_uncorrected} of 200");
}

#[test]
fn a_shifted_point_is_kept_and_its_sign_is_that_of_the_second_group() {
    let (mut maps, labels) = Normal::new(52).examples(30, 12, 2, 0.0);
    for (map, label) in maps.iter_mut().zip(&labels) {
        map[4] += 3.0 * f64::from(label.0);
        map[7] = 1e3;
    }
    let of = |class: u8| -> Vec<Vec<f64>> {
        maps.iter().zip(&labels).filter(|(_, l)| l.0 == class).map(|(m, _)| m.clone()).collect()
    };
    let (first, second) = (of(0), of(1));
    let test = MaxT { n_permutations: 500, ..MaxT::default() };
    let found = test.two_samples(&first, &second).unwrap();
    assert!(found.is_kept[4] && found.statistic[4] > 0.0);
    assert_eq!((found.statistic[7], found.p[7], found.p_corrected[7]), (0.0, 1.0, 1.0));
    let turned = test.two_samples(&second, &first).unwrap();
    assert!((turned.statistic[4] + found.statistic[4]).abs() < 1e-12);
}

#[test]
fn maps_that_are_none_are_refused() {
    let test = MaxT::default();
    let map = vec![1.0, 2.0];
    let error = test.one_sample(std::slice::from_ref(&map)).unwrap_err();
    assert_eq!(error, MapError::TooFewMaps { n_maps: 1 });
    let error = test.one_sample(&[map.clone(), vec![1.0]]).unwrap_err();
    assert_eq!(error, MapError::OtherPoints { found: 1, expected: 2 });
    let pair = [map.clone(), map];
    let error = test.two_samples(&pair, &[vec![0.0, 1.0], vec![0.0, f64::NAN]]).unwrap_err();
    assert_eq!(error, MapError::NotFinite { map: 3, point: 1 });
}

#[test]
fn what_is_kept() {
    let (mut x, labels) = Normal::new(53).examples(60, 10, 2, 0.0);
    for (x, label) in x.iter_mut().zip(&labels) {
        x[3] += 2.5 * f64::from(label.0);
        x[8] -= 2.0 * f64::from(label.0);
    }
    let rate = |rate| Keep::FalseDiscovery { rate, correction: Correction::BenjaminiYekutieli };
    let select = |keep| Select::SignedR2 { keep }.fit(&x, &labels, 2).unwrap();
    let found = select(Keep::Best(2));
    assert_eq!(found.indices, [3, 8]);
    assert!(found.scores[3] > 0.0 && found.scores[8] < 0.0);
    assert_eq!(select(rate(0.01)).indices, [3, 8]);
    assert_eq!(select(rate(0.0)).indices, [3], "the best where none is discovered");
    assert_eq!(select(ALL).indices.len(), 10);
    for by in [
        Select::Wilcoxon { keep: Keep::Best(2), p: RankSumP::Auto },
        Select::MutualInformation { n_kept: 2, n_neighbors: 3 },
        Select::RecursiveElimination { n_kept: 2, n_removed: 1, c: 1.0 },
    ] {
        assert_eq!(by.fit(&x, &labels, 2).unwrap().indices, [3, 8], "{by:?}");
        let json = serde_json::to_string(&by).unwrap();
        assert_eq!(serde_json::from_str::<Select>(&json).unwrap(), by);
    }
    let mut kept = [0.0; 2];
    found.select_into(&x[5], &mut kept);
    assert_eq!(kept, [x[5][3], x[5][8]]);
    assert_eq!(found.select(&x)[5], kept);
    let json = serde_json::to_string(&found).unwrap();
    assert_eq!(serde_json::from_str::<Selected>(&json).unwrap(), found);
}

#[test]
fn false_discoveries_keep_their_rate() {
    let (mut n_kept, mut n_false, mut normal) = (0, 0, Normal::new(54));
    for _ in 0..100 {
        let (mut x, labels) = normal.examples(40, 50, 2, 0.0);
        for (x, label) in x.iter_mut().zip(&labels) {
            x[..10].iter_mut().for_each(|v| *v += 1.5 * f64::from(label.0));
        }
        let correction = Correction::BenjaminiHochberg;
        let keep = Keep::FalseDiscovery { rate: 0.2, correction };
        let found = Select::SignedR2 { keep }.fit(&x, &labels, 2).unwrap();
        n_kept += found.indices.len();
        n_false += found.indices.iter().filter(|j| **j >= 10).count();
    }
    // The rate, times the share of features that say nothing, is 0.16.
    let share = f64::from(n_false as u32) / n_kept as f64;
    assert!((0.11..0.2).contains(&share), "{share}");
}

#[test]
fn bad_data_is_refused_and_constant_features_say_nothing() {
    let (mut x, labels) = Normal::new(55).examples(20, 3, 2, 3.0);
    for x in &mut x {
        x[1] = 0.1;
    }
    for by in [
        Select::SignedR2 { keep: Keep::Best(1) },
        Select::Wilcoxon { keep: Keep::Best(1), p: RankSumP::Auto },
        Select::MutualInformation { n_kept: 1, n_neighbors: 3 },
        Select::RecursiveElimination { n_kept: 1, n_removed: 1, c: 1.0 },
    ] {
        let found = by.fit(&x, &labels, 2).unwrap();
        assert_eq!(found.indices, [0], "{found:?}");
        let error = by.fit(&x, &[ClassIdx(0); 20], 2).unwrap_err();
        assert_eq!(error, FitError::TooFewExamples { class: 1, n_examples: 0, n_needed: 2 });
        let mut bad = x.clone();
        bad[3][0] = f64::NAN;
        let error = by.fit(&bad, &labels, 2).unwrap_err();
        assert!(matches!(error, FitError::NotFinite { .. }), "{error}");
    }
}

proptest! {
    #[test]
    fn scores_ignore_scale_and_offset(seed in 0..1000_u64, gain in 0.1..10.0, offset in -5.0..5.0) {
        let (x, labels) = Normal::new(seed).examples(30, 4, 3, 1.0);
        let moved: Vec<Vec<f64>> =
            x.iter().map(|x| x.iter().map(|v| gain * v + offset).collect()).collect();
        for by in [
            Select::SignedR2 { keep: ALL },
            Select::Wilcoxon { keep: ALL, p: RankSumP::Auto },
            Select::MutualInformation { n_kept: 1, n_neighbors: 3 },
        ] {
            let (a, b) = (scores(by, &x, &labels, 3), scores(by, &moved, &labels, 3));
            for (a, b) in a.iter().zip(&b) {
                prop_assert!((a - b).abs() < 1e-10, "{by:?}: {a} {b}");
            }
        }
    }
}
