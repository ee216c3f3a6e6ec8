//! The inner loops of [`super::SosFilter`]: some frames of a block of channels go through
//! one section after the other while its state stays in the vector registers.
//!
//! A block's state lies together, and between the first section and the last one so do its
//! samples: rows of a wide stream are a power of two apart as often as not, and a cache
//! holds few lines of such addresses.
//!
//! Lanes are channels: see [`crate::filter::lanes`] for why results depend neither on the
//! machine's vectors, nor on a channel's place among others, nor on a chunk's length.
#![expect(clippy::inline_always, reason = "the vector instructions are those of the caller")]

use super::Section;
use crate::filter::lanes::{load, store};
use fearless_simd::f64x2;
use fearless_simd::prelude::*;

/// Channels whose state lies together: four of the widest vectors.
pub const TILE: usize = 32;

/// Frames that go through all sections at a time: with the state of many sections they
/// fit into the fastest cache.
pub const FRAMES: usize = 16;

/// Vectors of channels that are filtered together: a section's recursion is a chain of
/// four dependent operations, and so many chains keep the arithmetic units busy.
const VECTORS: usize = 4;

/// Samples of a block between sections, twice: what one section wrote the next one reads.
pub type Between = [Vec<f64>; 2];

/// Scratch for any number of channels.
pub fn between() -> Between {
    [const { TILE * FRAMES }; 2].map(|n| vec![0.0; n])
}

/// Whole frames on their way through a cascade.
pub struct Run<'a> {
    /// The cascade; not empty.
    pub sections: &'a [Section],
    /// Its state, `[tile][section][delay][TILE]`.
    pub state: &'a mut [f64],
    /// Scratch.
    pub between: &'a mut Between,
    /// Frame after frame, filtered in place.
    pub frames: &'a mut [f64],
    /// Values in a frame; not zero.
    pub n_channels: usize,
}

/// Channels of one tile, and some frames that hold them.
struct Part<'a> {
    sections: &'a [Section],
    /// Of the tile, `[section][delay][TILE]`.
    state: &'a mut [f64],
    between: &'a mut Between,
    frames: &'a mut [f64],
    n_channels: usize,
    /// The tile's first channel.
    first: usize,
}

impl Run<'_> {
    /// Filters all channels.
    #[inline(always)]
    pub fn all<S: Simd>(self, simd: S) {
        let Self { sections, state, between, frames, n_channels } = self;
        for frames in frames.chunks_mut(FRAMES * n_channels) {
            let tiles = state.chunks_exact_mut(sections.len() * 2 * TILE);
            for (tile, state) in tiles.enumerate() {
                let first = tile * TILE;
                Part { sections, state, between, frames, n_channels, first }.all(simd);
            }
        }
    }
}

impl Part<'_> {
    #[inline(always)]
    fn all<S: Simd>(mut self, simd: S) {
        let n = TILE.min(self.n_channels - self.first);
        let mut lane = 0;
        lane = self.blocks::<S, S::f64s, VECTORS>(simd, lane, n);
        lane = self.blocks::<S, S::f64s, 1>(simd, lane, n);
        lane = self.blocks::<S, f64x2<S>, 1>(simd, lane, n);
        if lane < n {
            self.block::<S, f64x2<S>, 1>(simd, lane, n - lane);
        }
    }

    /// All whole blocks of `V` vectors from `lane` of the tile on; the lane after them.
    #[inline(always)]
    fn blocks<S: Simd, F: SimdFloat<S, Element = f64>, const V: usize>(
        &mut self,
        simd: S,
        mut lane: usize,
        n: usize,
    ) -> usize {
        while lane + V * F::LEN <= n {
            self.block::<S, F, V>(simd, lane, V * F::LEN);
            lane += V * F::LEN;
        }
        lane
    }

    /// All sections over `n` channels from `lane` on: `V` vectors, or less than one.
    #[inline(always)]
    fn block<S: Simd, F: SimdFloat<S, Element = f64>, const V: usize>(
        &mut self,
        simd: S,
        lane: usize,
        n: usize,
    ) {
        let (stride, at) = (self.n_channels, self.first + lane);
        let n_frames = self.frames.len() / stride;
        let [one, other] = &mut *self.between;
        let (mut from, mut to) = (one.as_mut_slice(), other.as_mut_slice());
        let last = self.sections.len() - 1;
        let states = self.state.chunks_exact_mut(2 * TILE);
        for (k, (section, state)) in self.sections.iter().zip(states).enumerate() {
            let (first, second) = state.split_at_mut(TILE);
            let states = [&mut first[lane..], &mut second[lane..]];
            let frames = &mut self.frames[at..];
            let step = Step { section, states, n, n_frames };
            match (k == 0, k == last) {
                (true, _) => step.run::<S, F, V>(simd, (frames, stride), (to, n)),
                (false, false) => step.run::<S, F, V>(simd, (from, n), (to, n)),
                (false, true) => step.run::<S, F, V>(simd, (from, n), (frames, stride)),
            }
            (from, to) = (to, from);
        }
        if last == 0 {
            for (row, frame) in from.chunks_exact(n).zip(self.frames.chunks_exact_mut(stride)) {
                frame[at..][..n].copy_from_slice(row);
            }
        }
    }
}

/// One section over the frames of one block.
struct Step<'a> {
    section: &'a Section,
    states: [&'a mut [f64]; 2],
    n: usize,
    n_frames: usize,
}

/// Numerators: `b0 = b2 = 1`, `b0 = b2`, and all others.
const UNIT: u8 = 0;
const EVEN: u8 = 1;
const ANY: u8 = 2;

impl Step<'_> {
    /// From rows of one stride to rows of another.
    #[inline(always)]
    fn run<S: Simd, F: SimdFloat<S, Element = f64>, const V: usize>(
        self,
        simd: S,
        from: (&[f64], usize),
        to: (&mut [f64], usize),
    ) {
        // Multiplying by 1 changes nothing, and equal products are computed once.
        match self.section.b {
            [1.0, _, 1.0] => self.recur::<S, F, V, UNIT>(simd, from, to),
            [b0, _, b2] if b0 == b2 => self.recur::<S, F, V, EVEN>(simd, from, to),
            _ => self.recur::<S, F, V, ANY>(simd, from, to),
        }
    }

    #[inline(always)]
    fn recur<S: Simd, F: SimdFloat<S, Element = f64>, const V: usize, const NUMERATOR: u8>(
        self,
        simd: S,
        (from, from_stride): (&[f64], usize),
        (to, to_stride): (&mut [f64], usize),
    ) {
        let Self { section, states: [first, second], n, n_frames } = self;
        let [b0, b1, b2] = section.b.map(|b| F::splat(simd, b));
        let [a1, a2] = section.a.map(|a| F::splat(simd, a));
        let whole = V * F::LEN;
        let mut s0 = load::<S, F, V>(simd, &first[..whole]);
        let mut s1 = load::<S, F, V>(simd, &second[..whole]);
        let rows = from.chunks(from_stride).zip(to.chunks_mut(to_stride));
        for (from, to) in rows.take(n_frames) {
            let mut x = load::<S, F, V>(simd, &from[..n]);
            for v in 0..V {
                let input = x[v];
                let outer = if NUMERATOR == UNIT { input } else { b0 * input };
                let last = if NUMERATOR == ANY { b2 * input } else { outer };
                let output = outer + s0[v];
                s0[v] = b1 * input - a1 * output + s1[v];
                s1[v] = last - a2 * output;
                x[v] = output;
            }
            store::<S, F, V>(&mut to[..n], x);
        }
        store::<S, F, V>(&mut first[..whole], s0);
        store::<S, F, V>(&mut second[..whole], s1);
    }
}
