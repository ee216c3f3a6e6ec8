//! The inner loops of [`super::SosFilter`]: a block of channels at a time stays in the
//! vector registers while its frames go through one section after the other.
//!
//! Lanes are channels: see [`crate::filter::lanes`] for why results depend neither on the
//! machine's vectors, nor on a channel's place among others, nor on a chunk's length.
#![expect(clippy::inline_always, reason = "the vector instructions are those of the caller")]

use super::Section;
use crate::filter::lanes::{load, store};
use fearless_simd::f64x2;
use fearless_simd::prelude::*;

/// Vectors of channels that are filtered together: a section's recursion is a chain of
/// four dependent operations, and so many chains keep the arithmetic units busy.
const VECTORS: usize = 4;

/// Whole frames on their way through a cascade.
pub struct Run<'a> {
    /// The cascade.
    pub sections: &'a [Section],
    /// Its state, `[section][delay][channel]`.
    pub state: &'a mut [f64],
    /// Frame after frame, filtered in place.
    pub frames: &'a mut [f64],
    /// Values in a frame; not zero.
    pub n_channels: usize,
}

impl Run<'_> {
    /// Filters all channels.
    #[inline(always)]
    pub fn all<S: Simd>(mut self, simd: S) {
        let mut channel = 0;
        channel = self.blocks::<S, S::f64s, VECTORS>(simd, channel);
        channel = self.blocks::<S, S::f64s, 1>(simd, channel);
        channel = self.blocks::<S, f64x2<S>, 1>(simd, channel);
        if channel < self.n_channels {
            self.block::<S, f64x2<S>, 1>(simd, channel, self.n_channels - channel);
        }
    }

    /// All whole blocks of `V` vectors from `channel` on; the channel after them.
    #[inline(always)]
    fn blocks<S: Simd, F: SimdFloat<S, Element = f64>, const V: usize>(
        &mut self,
        simd: S,
        mut channel: usize,
    ) -> usize {
        let n = V * F::LEN;
        while channel + n <= self.n_channels {
            self.block::<S, F, V>(simd, channel, n);
            channel += n;
        }
        channel
    }

    /// All sections over `n` channels from `channel` on: `V` vectors, or less than one.
    #[inline(always)]
    fn block<S: Simd, F: SimdFloat<S, Element = f64>, const V: usize>(
        &mut self,
        simd: S,
        channel: usize,
        n: usize,
    ) {
        let states = self.state.chunks_exact_mut(2 * self.n_channels);
        for (section, state) in self.sections.iter().zip(states) {
            let (first, second) = state.split_at_mut(self.n_channels);
            let states = [&mut first[channel..][..n], &mut second[channel..][..n]];
            let frames = self.frames.chunks_exact_mut(self.n_channels);
            let frames = frames.map(|frame| &mut frame[channel..][..n]);
            // Multiplying by 1 changes nothing, and equal products are computed once.
            match section.b {
                [1.0, _, 1.0] => run::<S, F, V, UNIT>(simd, section, states, frames),
                [b0, _, b2] if b0 == b2 => run::<S, F, V, EVEN>(simd, section, states, frames),
                _ => run::<S, F, V, ANY>(simd, section, states, frames),
            }
        }
    }
}

/// Numerators: `b0 = b2 = 1`, `b0 = b2`, and all others.
const UNIT: u8 = 0;
const EVEN: u8 = 1;
const ANY: u8 = 2;

/// One section over the frames of one block of channels.
#[inline(always)]
fn run<'a, S: Simd, F: SimdFloat<S, Element = f64>, const V: usize, const NUMERATOR: u8>(
    simd: S,
    section: &Section,
    [first, second]: [&mut [f64]; 2],
    frames: impl Iterator<Item = &'a mut [f64]>,
) {
    let [b0, b1, b2] = section.b.map(|b| F::splat(simd, b));
    let [a1, a2] = section.a.map(|a| F::splat(simd, a));
    let mut s0 = load::<S, F, V>(simd, first);
    let mut s1 = load::<S, F, V>(simd, second);
    for frame in frames {
        let mut x = load::<S, F, V>(simd, frame);
        for v in 0..V {
            let input = x[v];
            let outer = if NUMERATOR == UNIT { input } else { b0 * input };
            let last = if NUMERATOR == ANY { b2 * input } else { outer };
            let output = outer + s0[v];
            s0[v] = b1 * input - a1 * output + s1[v];
            s1[v] = last - a2 * output;
            x[v] = output;
        }
        store::<S, F, V>(frame, x);
    }
    store::<S, F, V>(first, s0);
    store::<S, F, V>(second, s1);
}
