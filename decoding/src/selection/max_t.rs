//! Which points of a map differ, corrected for having looked at all of it: permutations
//! and the distribution of the largest statistic.
//!
//! A map is a vector over points, channel by frequency by measure in any order: nothing
//! here depends on which points are neighbours. It is *not* a cluster test.

mod count;

use count::{Counts, Statistic, Sums};
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// How many permutations, and from which seed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MaxT {
    /// Permutations drawn; where one sample has not more distinct ones, all are taken.
    pub n_permutations: usize,
    /// Seed of the generator (`ChaCha8`).
    pub seed: u64,
    /// Corrected p-value up to which a point is kept.
    pub level: f64,
}

impl Default for MaxT {
    /// 10,000 permutations from seed 0, kept at 0.05.
    fn default() -> Self {
        Self { n_permutations: 10_000, seed: 0, level: 0.05 }
    }
}

/// A map of tests, one value per point.
#[derive(Clone, Debug, PartialEq)]
pub struct TestedMap {
    /// Student's statistic; 0 where a point does not vary.
    pub statistic: Vec<f64>,
    /// Share of permutations whose statistic of the same point is as far from 0.
    pub p: Vec<f64>,
    /// Share of permutations whose largest statistic of any point is as far from 0.
    pub p_corrected: Vec<f64>,
    /// Whether the corrected p-value is within the level.
    pub is_kept: Vec<bool>,
    /// Number of permutations, the observed order included.
    pub n_permutations: usize,
}

impl TestedMap {
    /// Of statistics that were `observed`, of how many draws have each as far, and of the
    /// `largest` of every draw, what was observed among them; `size` says how far one is.
    pub(crate) fn of_counts(
        observed: Vec<f64>,
        n_as_far: &[f64],
        mut largest: Vec<f64>,
        size: fn(f64) -> f64,
        level: f64,
    ) -> Self {
        largest.sort_by(f64::total_cmp);
        let n_permutations = largest.len();
        let share = |t: &f64| {
            let n_below = largest.partition_point(|l| *l < tied(size(*t)));
            (n_permutations - n_below) as f64 / n_permutations as f64
        };
        let p_corrected: Vec<f64> = observed.iter().map(share).collect();
        Self {
            p: n_as_far.iter().map(|n| n / n_permutations as f64).collect(),
            is_kept: p_corrected.iter().map(|p| *p <= level).collect(),
            p_corrected,
            statistic: observed,
            n_permutations,
        }
    }
}

/// The least that is as far as `size`: complementary splits of two equal groups have one
/// statistic, but for the rounding of their sums.
pub(crate) fn tied(size: f64) -> f64 {
    size - 1e-12 * size.abs()
}

/// Why a map can't be tested.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MapError {
    /// Pass more maps: a spread needs two of a group.
    #[error("{n_maps} maps in a group, 2 are needed: record more or join groups")]
    TooFewMaps {
        /// Maps found.
        n_maps: usize,
    },
    /// Compute all maps on one montage and one set of frequencies.
    #[error("a map of {found} points beside one of {expected}: compute both alike")]
    OtherPoints {
        /// Points of the map.
        found: usize,
        /// Points of the first map.
        expected: usize,
    },
    /// Look for flat channels or NaN samples in what the map was computed from.
    #[error("point {point} of map {map} is not finite: look for flat channels or NaN samples")]
    NotFinite {
        /// Its map.
        map: usize,
        /// Its point.
        point: usize,
    },
}

impl MaxT {
    /// Whether the mean map differs from 0: every map's sign is turned or not.
    ///
    /// For differences between conditions, one map per subject. Exact where `2^(n-1)`
    /// is at most the number of permutations; otherwise signs are drawn. As MNE's
    /// `permutation_t_test`. Batch: allocates, uses the caller's rayon pool; time grows
    /// with maps, points and permutations.
    ///
    /// # Errors
    /// [`MapError`].
    ///
    /// # Reference
    /// T. Nichols, A. Holmes (2002), doi 10.1002/hbm.1058.
    pub fn one_sample(&self, maps: &[Vec<f64>]) -> Result<TestedMap, MapError> {
        check(&[maps])?;
        let n = maps.len() as f64;
        let sums = sums(maps, Statistic::OneSample { n });
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        // The first sign is held: all signs turned is the same, but for the sign.
        let n_all = 1_usize.checked_shl(maps.len() as u32 - 1).unwrap_or(usize::MAX);
        let n_permutations = if n_all <= self.n_permutations { n_all } else { self.n_permutations };
        let draw = |k: usize| {
            let mut is_turned = |i: usize| match i {
                0 => false,
                i if n_all == n_permutations => k >> (i - 1) & 1 == 1,
                _ => k > 0 && rng.random::<bool>(),
            };
            let sign = |i| if is_turned(i) { -1.0 } else { 1.0 };
            (0..maps.len()).map(sign).enumerate().collect()
        };
        Ok(self.judge(sums.count(n_permutations.max(1), draw)))
    }

    /// Whether the mean maps of two groups differ: maps change groups.
    ///
    /// Student's statistic with pooled variance, positive where the second group's
    /// values are larger. For windows or trials of two classes. Cost as
    /// [`MaxT::one_sample`].
    ///
    /// # Errors
    /// [`MapError`].
    pub fn two_samples(
        &self,
        first: &[Vec<f64>],
        second: &[Vec<f64>],
    ) -> Result<TestedMap, MapError> {
        let n_points = check(&[first, second])?;
        let (n_1, n_2) = (first.len() as f64, second.len() as f64);
        let n = n_1 + n_2;
        let mut mean = vec![0.0; n_points];
        for map in first.iter().chain(second) {
            add(&mut mean, map, |v| v / n);
        }
        let centre = |map: &Vec<f64>| map.iter().zip(&mean).map(|(v, m)| v - m).collect();
        let maps: Vec<Vec<f64>> = second.iter().chain(first).map(centre).collect();
        let sums = sums(&maps, Statistic::TwoSamples { n_1, n_2 });
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        let mut order: Vec<usize> = (0..maps.len()).collect();
        let draw = |k: usize| {
            if k > 0 {
                order.shuffle(&mut rng);
            }
            // In the order of the maps, so that the same split has the same sums to the bit.
            let mut drawn = order[..second.len()].to_vec();
            drawn.sort_unstable();
            drawn.into_iter().map(|i| (i, 1.0)).collect()
        };
        Ok(self.judge(sums.count(self.n_permutations.max(1), draw)))
    }

    fn judge(&self, counts: Counts) -> TestedMap {
        let Counts { observed, n_as_far, largest } = counts;
        TestedMap::of_counts(observed, &n_as_far, largest, f64::abs, self.level)
    }
}

/// Maps with their sums over all of them.
fn sums(maps: &[Vec<f64>], statistic: Statistic) -> Sums<'_> {
    let n_points = maps[0].len();
    let (mut squares, mut totals) = (vec![0.0; n_points], vec![0.0; n_points]);
    for map in maps {
        add(&mut squares, map, |v| v * v);
        add(&mut totals, map, |v| v);
    }
    Sums { maps, statistic, totals, squares }
}

/// Adds `f` of each value.
fn add(sums: &mut [f64], map: &[f64], f: impl Fn(f64) -> f64) {
    for (sum, value) in sums.iter_mut().zip(map) {
        *sum += f(*value);
    }
}

/// Checks groups of maps and returns their number of points.
fn check(groups: &[&[Vec<f64>]]) -> Result<usize, MapError> {
    if let Some(group) = groups.iter().find(|group| group.len() < 2) {
        return Err(MapError::TooFewMaps { n_maps: group.len() });
    }
    let expected = groups[0][0].len();
    for (map, values) in groups.iter().copied().flatten().enumerate() {
        if values.len() != expected {
            return Err(MapError::OtherPoints { found: values.len(), expected });
        }
        if let Some(point) = values.iter().position(|v| !v.is_finite()) {
            return Err(MapError::NotFinite { map, point });
        }
    }
    Ok(expected)
}
