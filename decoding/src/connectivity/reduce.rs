//! From spectra to measures: sums over observations, the measures at each cell, and
//! their mean over bands, block of channels by block of channels.

#![expect(clippy::inline_always, reason = "only what is inlined uses the vector registers")]

use super::lines::{Lines, WIDTH};
use super::measure::{Measure, Row};
use super::tally::{Panel, Sums, powers, sum_phasor_rows, sum_rows};
use faer::traits::pulp::{Arch, Simd, WithSimd};
use std::ops::Range;

/// What is computed of spectra.
#[derive(Clone, Debug)]
pub(super) struct Recipe {
    pub(super) measures: Vec<Measure>,
    /// Cells of each band.
    bands: Vec<Range<usize>>,
    /// The bands that each cell lies in.
    bands_of: Vec<Vec<usize>>,
    /// The bands that each cell and the one before it lie strictly inside of.
    slopes_of: Vec<Vec<usize>>,
    sums: Sums,
    has_phasors: bool,
    has_powers: bool,
    has_slope: bool,
}

impl Recipe {
    /// The mean of `measures` over the cells of each of `bands`, and the phase slope over
    /// the cells of each of `insides`.
    pub(super) fn new(
        measures: Vec<Measure>,
        n_cells: usize,
        bands: Vec<Range<usize>>,
        insides: &[Range<usize>],
    ) -> Self {
        let mut bands_of = vec![Vec::new(); n_cells];
        let mut slopes_of = bands_of.clone();
        for (k, band) in bands.iter().enumerate() {
            bands_of[band.clone()].iter_mut().for_each(|of| of.push(k));
        }
        for (k, inside) in insides.iter().enumerate() {
            slopes_of[inside.clone()].iter_mut().skip(1).for_each(|of| of.push(k));
        }
        Self {
            bands_of,
            slopes_of,
            sums: Measure::sums_of(&measures),
            has_phasors: measures.iter().any(|m| m.needs_phasors()),
            has_powers: measures.iter().any(|m| m.needs_powers()),
            has_slope: measures.contains(&Measure::PhaseSlope),
            measures,
            bands,
        }
    }

    pub(super) fn has_phasors(&self) -> bool {
        self.has_phasors
    }

    pub(super) fn n_bands(&self) -> usize {
        self.bands.len()
    }

    pub(super) fn n_cells(&self) -> usize {
        self.bands_of.len()
    }

    /// Measures times bands: values per pair.
    pub(super) fn n_maps(&self) -> usize {
        self.measures.len() * self.bands.len()
    }
}

/// Pairs `(i, j)`, `j < i`, with `i < n`: the offset of the pairs of channel `n`.
pub(super) fn n_pairs_below(n: usize) -> usize {
    n * n.saturating_sub(1) / 2
}

/// Buffers of one run over a range of blocks.
#[derive(Clone, Debug)]
pub(super) struct Worker {
    panel: Panel,
    inverse_roots: Vec<f64>,
    values: Vec<f64>,
    /// Coherency of each pair of the range at the cell before and at this one, real
    /// parts and imaginary parts; empty where no phase slope is wanted.
    before: [Vec<f64>; 2],
    current: [Vec<f64>; 2],
}

impl Worker {
    /// For `n_pairs` pairs of the channels of `lines`.
    pub(super) fn new(n_channels: usize, n_pairs: usize, recipe: &Recipe) -> Self {
        let padded = n_channels.next_multiple_of(WIDTH);
        let slopes = if recipe.has_slope { n_pairs } else { 0 };
        let pair = || [vec![0.0; slopes], vec![0.0; slopes]];
        Self {
            panel: Panel::new(n_channels),
            inverse_roots: vec![0.0; padded],
            values: vec![0.0; padded],
            before: pair(),
            current: pair(),
        }
    }
}

/// The measures of the pairs whose higher channel lies in a range of blocks.
pub(super) struct Reduce<'a> {
    pub(super) lines: &'a Lines,
    /// The same with magnitude 1; `lines` itself where there are several tapers or no
    /// phasors are wanted.
    pub(super) units: &'a Lines,
    /// The observations, in the order in which they are added.
    pub(super) order: &'a [usize],
    pub(super) blocks: Range<usize>,
    pub(super) recipe: &'a Recipe,
    pub(super) worker: &'a mut Worker,
    /// `(n_measures, n_bands, n_pairs)` of the range's pairs.
    pub(super) out: &'a mut [f64],
}

impl Reduce<'_> {
    /// Fills `out`. Thread: any. Allocation: none.
    pub(super) fn run(self) {
        Arch::new().dispatch(self);
    }

    /// The number of pairs before the range, and in it.
    fn n_pairs(&self) -> (usize, usize) {
        let first = n_pairs_below(self.blocks.start * WIDTH);
        let end = (self.blocks.end * WIDTH).min(self.lines.n_channels());
        (first, n_pairs_below(end) - first)
    }

    #[inline(always)]
    fn invert_powers(&mut self, cell: usize) {
        for block in 0..self.blocks.end {
            let sums = powers(self.lines, (block, cell), self.order);
            let roots = &mut self.worker.inverse_roots[block * WIDTH..][..WIDTH];
            for (root, sum) in roots.iter_mut().zip(sums) {
                *root = if sum > 0.0 { 1.0 / sum.sqrt() } else { 0.0 };
            }
        }
    }

    /// Adds one channel's values at `cell` to the bands that it lies in.
    #[inline(always)]
    fn add_channel(&mut self, cell: usize, row: usize, channel: usize) {
        let (first, n_pairs) = self.n_pairs();
        let at = n_pairs_below(channel) - first;
        let Self { recipe, worker, out, order, .. } = self;
        let row = Row::of(&worker.panel, (row, channel), &worker.inverse_roots, order.len());
        let maps = out.chunks_exact_mut(n_pairs * recipe.bands.len());
        for (measure, maps) in recipe.measures.iter().zip(maps) {
            if *measure == Measure::PhaseSlope {
                let [re, im] = &mut worker.current;
                row.coherency_into(&mut re[at..][..channel], &mut im[at..][..channel]);
                for band in &recipe.slopes_of[cell] {
                    let map = &mut maps[band * n_pairs + at..][..channel];
                    add_slope(&worker.before, &worker.current, at, map);
                }
                continue;
            }
            let values = &mut worker.values[..channel];
            row.values_into(*measure, values);
            for band in &recipe.bands_of[cell] {
                let map = &mut maps[band * n_pairs + at..][..channel];
                map.iter_mut().zip(&*values).for_each(|(m, v)| *m += v);
            }
        }
    }

    #[inline(always)]
    fn run_cell(&mut self, cell: usize) {
        if self.recipe.has_powers {
            self.invert_powers(cell);
        }
        for block in self.blocks.clone() {
            let panel = &mut self.worker.panel;
            sum_rows(self.recipe.sums, self.lines, (block, cell), self.order, panel);
            if self.recipe.has_phasors {
                sum_phasor_rows(self.units, (block, cell), self.order, panel);
            }
            for row in 0..WIDTH {
                let channel = block * WIDTH + row;
                if (1..self.lines.n_channels()).contains(&channel) {
                    self.add_channel(cell, row, channel);
                }
            }
        }
        if self.recipe.has_slope {
            std::mem::swap(&mut self.worker.before, &mut self.worker.current);
        }
    }

    /// Sums over bands become means; slopes stay sums.
    fn average(&mut self) {
        let (_, n_pairs) = self.n_pairs();
        let n_bands = self.recipe.bands.len();
        for (k, map) in self.out.chunks_exact_mut(n_pairs).enumerate() {
            if self.recipe.measures[k / n_bands] != Measure::PhaseSlope {
                let n_cells = self.recipe.bands[k % n_bands].len() as f64;
                for x in map.iter_mut() {
                    *x /= n_cells;
                }
            }
        }
    }
}

impl WithSimd for Reduce<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, _: S) {
        self.out.fill(0.0);
        if self.n_pairs().1 == 0 {
            return;
        }
        for cell in 0..self.recipe.n_cells() {
            self.run_cell(cell);
        }
        self.average();
    }
}

/// Adds `Im conj(C(f)) C(f + δ)` of pairs, from pair `at` on.
#[inline(always)]
fn add_slope(before: &[Vec<f64>; 2], current: &[Vec<f64>; 2], at: usize, map: &mut [f64]) {
    let (re0, im0) = (&before[0][at..], &before[1][at..]);
    let (re1, im1) = (&current[0][at..], &current[1][at..]);
    let values = re0.iter().zip(im0).zip(re1.iter().zip(im1));
    for (m, ((re0, im0), (re1, im1))) in map.iter_mut().zip(values) {
        *m += re0 * im1 - im0 * re1;
    }
}
