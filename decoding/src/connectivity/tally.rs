//! Sums over observations of what the measures need of each pair's cross-spectrum.

#![expect(clippy::inline_always, reason = "only what is inlined uses the vector registers")]
#![expect(clippy::needless_range_loop, reason = "loops over equal arrays become vectors")]

use super::lines::{Line, Lines, WIDTH};

type Four = [f64; WIDTH];

/// Sums of four channels `i` with all channels `j`: element `(i, j)` is at
/// `i * stride + j`, for `S = X_i conj(X_j)` of each observation.
#[derive(Clone, Debug)]
pub(super) struct Panel {
    stride: usize,
    /// `Σ Re S`.
    pub(super) re: Vec<f64>,
    /// `Σ Im S`.
    pub(super) im: Vec<f64>,
    /// `Σ |Im S|`.
    pub(super) abs: Vec<f64>,
    /// `Σ (Im S)²`.
    pub(super) square: Vec<f64>,
    /// `Σ sign(Im S)`.
    pub(super) sign: Vec<f64>,
    /// `Re Σ S / |S|`.
    pub(super) unit_re: Vec<f64>,
    /// `Im Σ S / |S|`.
    pub(super) unit_im: Vec<f64>,
}

impl Panel {
    pub(super) fn new(n_channels: usize) -> Self {
        let stride = n_channels.next_multiple_of(WIDTH);
        let zeros = || vec![0.0; WIDTH * stride];
        Self {
            stride,
            re: zeros(),
            im: zeros(),
            abs: zeros(),
            square: zeros(),
            sign: zeros(),
            unit_re: zeros(),
            unit_im: zeros(),
        }
    }

    pub(super) fn stride(&self) -> usize {
        self.stride
    }
}

/// Which sums are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sums {
    /// None of the cross-spectrum itself.
    None,
    /// The imaginary part.
    Imaginary,
    /// Both parts.
    Cross,
    /// The imaginary part's sign.
    Sign,
    /// The imaginary part, its magnitude and square.
    Weighted,
    /// All of them.
    All,
}

/// Sums of one channel with four others.
trait Tally: Copy {
    const ZERO: Self;
    /// Adds one observation.
    fn add(&mut self, re: Four, im: Four);
    fn store(&self, panel: &mut Panel, at: usize);
}

#[inline(always)]
fn put(to: &mut [f64], at: usize, values: Four) {
    to[at..][..WIDTH].copy_from_slice(&values);
}

#[inline(always)]
fn sign(im: f64) -> f64 {
    let ahead = if im > 0.0 { 1.0 } else { 0.0 };
    let behind = if im < 0.0 { 1.0 } else { 0.0 };
    ahead - behind
}

#[derive(Clone, Copy)]
struct Imaginary(Four);

impl Tally for Imaginary {
    const ZERO: Self = Self([0.0; WIDTH]);

    #[inline(always)]
    fn add(&mut self, _: Four, im: Four) {
        for k in 0..WIDTH {
            self.0[k] += im[k];
        }
    }

    #[inline(always)]
    fn store(&self, panel: &mut Panel, at: usize) {
        put(&mut panel.im, at, self.0);
    }
}

#[derive(Clone, Copy)]
struct Cross(Four, Four);

impl Tally for Cross {
    const ZERO: Self = Self([0.0; WIDTH], [0.0; WIDTH]);

    #[inline(always)]
    fn add(&mut self, re: Four, im: Four) {
        for k in 0..WIDTH {
            self.0[k] += re[k];
            self.1[k] += im[k];
        }
    }

    #[inline(always)]
    fn store(&self, panel: &mut Panel, at: usize) {
        put(&mut panel.re, at, self.0);
        put(&mut panel.im, at, self.1);
    }
}

#[derive(Clone, Copy)]
struct Sign(Four);

impl Tally for Sign {
    const ZERO: Self = Self([0.0; WIDTH]);

    #[inline(always)]
    fn add(&mut self, _: Four, im: Four) {
        for k in 0..WIDTH {
            self.0[k] += sign(im[k]);
        }
    }

    #[inline(always)]
    fn store(&self, panel: &mut Panel, at: usize) {
        put(&mut panel.sign, at, self.0);
    }
}

#[derive(Clone, Copy)]
struct Weighted(Four, Four, Four);

impl Tally for Weighted {
    const ZERO: Self = Self([0.0; WIDTH], [0.0; WIDTH], [0.0; WIDTH]);

    #[inline(always)]
    fn add(&mut self, _: Four, im: Four) {
        for k in 0..WIDTH {
            self.0[k] += im[k];
            self.1[k] += im[k].abs();
            self.2[k] += im[k] * im[k];
        }
    }

    #[inline(always)]
    fn store(&self, panel: &mut Panel, at: usize) {
        put(&mut panel.im, at, self.0);
        put(&mut panel.abs, at, self.1);
        put(&mut panel.square, at, self.2);
    }
}

#[derive(Clone, Copy)]
struct All(Weighted, Sign, Four);

impl Tally for All {
    const ZERO: Self = Self(Weighted::ZERO, Sign::ZERO, [0.0; WIDTH]);

    #[inline(always)]
    fn add(&mut self, re: Four, im: Four) {
        self.0.add(re, im);
        self.1.add(re, im);
        for k in 0..WIDTH {
            self.2[k] += re[k];
        }
    }

    #[inline(always)]
    fn store(&self, panel: &mut Panel, at: usize) {
        self.0.store(panel, at);
        self.1.store(panel, at);
        put(&mut panel.re, at, self.2);
    }
}

/// Products of values of magnitude 1: their cross-spectra are phasors already.
#[derive(Clone, Copy)]
struct UnitCross(Cross);

impl Tally for UnitCross {
    const ZERO: Self = Self(Cross::ZERO);

    #[inline(always)]
    fn add(&mut self, re: Four, im: Four) {
        self.0.add(re, im);
    }

    #[inline(always)]
    fn store(&self, panel: &mut Panel, at: usize) {
        put(&mut panel.unit_re, at, self.0.0);
        put(&mut panel.unit_im, at, self.0.1);
    }
}

/// Each cross-spectrum divided by its magnitude; 0 where that is 0.
#[derive(Clone, Copy)]
struct Phasor(Cross);

impl Tally for Phasor {
    const ZERO: Self = Self(Cross::ZERO);

    #[inline(always)]
    fn add(&mut self, re: Four, im: Four) {
        let unit = Line { re, im }.unit();
        self.0.add(unit.re, unit.im);
    }

    #[inline(always)]
    fn store(&self, panel: &mut Panel, at: usize) {
        UnitCross(self.0).store(panel, at);
    }
}

/// `X_row conj(Y)` of four channels `Y`.
#[inline(always)]
fn cross(x: &Line, row: usize, y: &Line) -> (Four, Four) {
    let (mut re, mut im) = ([0.0; WIDTH], [0.0; WIDTH]);
    for k in 0..WIDTH {
        re[k] = x.re[row] * y.re[k] + x.im[row] * y.im[k];
        im[k] = x.im[row] * y.re[k] - x.re[row] * y.im[k];
    }
    (re, im)
}

/// Sums of `ROWS` channels of `x`, from `first` on, with the four of `y`.
#[inline(always)]
fn tile<T: Tally, const ROWS: usize>(
    (x, y): (&[Line], &[Line]),
    n_tapers: usize,
    order: &[usize],
    first: usize,
) -> [T; ROWS] {
    let mut tallies = [T::ZERO; ROWS];
    if n_tapers == 1 {
        for &observation in order {
            let (x, y) = (&x[observation], &y[observation]);
            for row in 0..ROWS {
                let (re, im) = cross(x, first + row, y);
                tallies[row].add(re, im);
            }
        }
        return tallies;
    }
    for &observation in order {
        let at = observation * n_tapers;
        let mut sums = [Cross::ZERO; ROWS];
        for (x, y) in x[at..][..n_tapers].iter().zip(&y[at..][..n_tapers]) {
            for row in 0..ROWS {
                let (re, im) = cross(x, first + row, y);
                sums[row].add(re, im);
            }
        }
        for row in 0..ROWS {
            tallies[row].add(sums[row].0, sums[row].1);
        }
    }
    tallies
}

/// One block of channels with every block up to itself, `ROWS` channels at a time: as
/// many as the vector registers hold sums of.
#[inline(always)]
fn rows<T: Tally, const ROWS: usize>(
    lines: &Lines,
    (block, cell): (usize, usize),
    order: &[usize],
    panel: &mut Panel,
) {
    let x = lines.panel(block, cell);
    for other in 0..=block {
        let y = lines.panel(other, cell);
        for first in (0..WIDTH).step_by(ROWS) {
            let tallies = tile::<T, ROWS>((x, y), lines.n_tapers(), order, first);
            for (row, tally) in tallies.iter().enumerate() {
                tally.store(panel, (first + row) * panel.stride + other * WIDTH);
            }
        }
    }
}

/// Writes the wanted sums of four channels (`block`) with all up to themselves, over the
/// observations in `order`, at one cell.
#[inline(always)]
pub(super) fn sum_rows(
    wanted: Sums,
    lines: &Lines,
    at: (usize, usize),
    order: &[usize],
    panel: &mut Panel,
) {
    match wanted {
        Sums::None => {}
        Sums::Imaginary => rows::<Imaginary, 4>(lines, at, order, panel),
        Sums::Cross => rows::<Cross, 4>(lines, at, order, panel),
        Sums::Sign => rows::<Sign, 4>(lines, at, order, panel),
        Sums::Weighted => rows::<Weighted, 2>(lines, at, order, panel),
        Sums::All => rows::<All, 2>(lines, at, order, panel),
    }
}

/// Writes the sums of phasors of four channels with all up to themselves. `units` holds
/// values of magnitude 1 where there is one taper, plain ones otherwise.
#[inline(always)]
pub(super) fn sum_phasor_rows(
    units: &Lines,
    at: (usize, usize),
    order: &[usize],
    panel: &mut Panel,
) {
    if units.n_tapers() == 1 {
        rows::<UnitCross, 4>(units, at, order, panel);
    } else {
        rows::<Phasor, 4>(units, at, order, panel);
    }
}

/// `Σ |X|²` over observations and tapers of four channels at one cell.
#[inline(always)]
pub(super) fn powers(
    lines: &Lines,
    (block, cell): (usize, usize),
    order: &[usize],
) -> [f64; WIDTH] {
    let (x, n_tapers) = (lines.panel(block, cell), lines.n_tapers());
    let mut sums = [0.0; WIDTH];
    for &observation in order {
        for line in &x[observation * n_tapers..][..n_tapers] {
            for k in 0..WIDTH {
                sums[k] += line.re[k] * line.re[k] + line.im[k] * line.im[k];
            }
        }
    }
    sums
}
