//! Welch spectra of sliding windows, in which a segment is transformed once.

use super::WelchPlan;
use crate::integer::gcd;
use crate::psd::PsdError;
use crate::window::{Planar, WindowSpec};
use acquisition::time::{SampleIndex, SampleRate};

/// Most values kept for each sample of a window.
const MOST_KEPT: usize = 64;

/// Welch spectra of the windows of a [`WindowSpec`], all channels.
///
/// Window `k` starts at the absolute index `kS`; its segments start at `kS + jD`,
/// `D = L - overlap`, so segment `j` of window `k` is segment `j + g` of an earlier one,
/// `g = S / gcd(S, D)`. Each is transformed when a window first needs it and its squared
/// magnitudes are kept; a window adds the kept ones, oldest first. Nothing is
/// subtracted, so nothing drifts: the bits are those of [`WelchPlan::run`] on the
/// window alone, from any start.
///
/// Each hop transforms `g` segments: one where the hop divides `D`, `S / D` where `D`
/// divides the hop. Where `g` is not below the number of segments of a window, windows
/// share none and every window is computed anew; so it is where more than 64 values would
/// have to be kept for each sample of a window, as where a long window's hop and `D` have
/// no common measure.
///
/// Memory: [`SlidingWelch::n_kept`] spectra of each channel.
#[derive(Clone, Debug)]
pub struct SlidingWelch {
    welch: WelchPlan,
    n_channels: usize,
    spec: WindowSpec,
    n_segments: usize,
    /// Segments of a window that no earlier window has: `g`, or all.
    n_new: usize,
    /// How many windows later a segment is used again, `D / gcd(S, D)`.
    return_hops: usize,
    /// Windows whose new segments are kept.
    n_windows: usize,
    /// The absolute start of what each slot holds.
    starts: Vec<Option<u64>>,
    /// `(slot, channel, bin)`.
    kept: Vec<f64>,
}

impl SlidingWelch {
    /// Plans the spectra of `n_channels` channels.
    pub fn new(
        n_channels: usize,
        spec: WindowSpec,
        rate: SampleRate,
        segment_samples: usize,
        overlap_samples: usize,
    ) -> Result<Self, PsdError> {
        let welch = WelchPlan::new(spec.window_samples, rate, segment_samples, overlap_samples)?;
        let distance = welch.step_samples;
        let n_segments = (spec.window_samples - segment_samples) / distance + 1;
        let common = gcd(spec.step_samples, distance);
        let return_hops = distance / common;
        let n_windows = |n_new: usize| (n_segments - 1) / n_new * return_hops + 1;
        let shared = (spec.step_samples / common).min(n_segments);
        let n_values = n_windows(shared) * shared * welch.n_bins();
        let is_small = n_values <= MOST_KEPT * spec.window_samples;
        let n_new = if is_small { shared } else { n_segments };
        let n_windows = n_windows(n_new);
        let n_slots = n_windows * n_new;
        Ok(Self {
            n_channels,
            spec,
            n_segments,
            n_new,
            return_hops,
            n_windows,
            starts: vec![None; n_slots],
            kept: vec![0.0; n_slots * n_channels * welch.n_bins()],
            welch,
        })
    }

    /// Number of bins of a spectrum.
    pub fn n_bins(&self) -> usize {
        self.welch.n_bins()
    }

    /// The frequency of each bin in hertz, ascending from 0.
    pub fn freqs_hz(&self) -> Vec<f64> {
        self.welch.freqs_hz()
    }

    /// How many spectra are kept for each channel.
    pub fn n_kept(&self) -> usize {
        self.starts.len()
    }

    /// Segments transformed per hop once the first window is done.
    pub fn n_transforms(&self) -> usize {
        self.n_new
    }

    /// Forgets every segment: call it where the signal starts anew, so that an index
    /// stands for other samples than before.
    ///
    /// Thread: decoding thread. Allocation: none.
    pub fn restart(&mut self) {
        self.starts.fill(None);
    }

    /// Writes the densities of the window `samples` `(n_channels, n_samples)` that starts
    /// at the absolute index `first` into `psd` `(n_channels, n_bins)`, row-major.
    /// Windows may be left out, and may start anywhere on the grid.
    ///
    /// Thread: decoding thread. Allocation: none.
    ///
    /// # Panics
    /// If `first` is not a multiple of the step, or a size is not the planned one.
    pub fn run(&mut self, first: SampleIndex, samples: Planar<'_>, psd: &mut [f64]) {
        let (step, n_bins) = (self.spec.step_samples as u64, self.n_bins());
        assert!(first.0.is_multiple_of(step), "a window starts on the grid of steps");
        assert_eq!(samples.n_channels(), self.n_channels, "window of another stream");
        assert_eq!(samples.n_samples(), self.spec.window_samples, "window of another plan");
        assert_eq!(psd.len(), self.n_channels * n_bins, "spectra of another plan");
        psd.fill(0.0);
        for j in 0..self.n_segments {
            let slot = self.slot(first.0 / step, j);
            self.fill(slot, first.0, j, samples);
            let kept = &self.kept[slot * psd.len()..][..psd.len()];
            for (p, k) in psd.iter_mut().zip(kept) {
                *p += k;
            }
        }
        for psd in psd.chunks_exact_mut(n_bins) {
            self.welch.normalise(psd);
        }
    }

    /// Where segment `j` of window `k` is kept: with the window that had it first.
    fn slot(&self, k: u64, j: usize) -> usize {
        let n_returns = (self.n_segments - 1 - j) / self.n_new;
        let j_then = j + n_returns * self.n_new + self.n_new - self.n_segments;
        let n_windows = self.n_windows;
        let now = (k % n_windows as u64) as usize;
        let then = (now + n_windows - n_returns * self.return_hops) % n_windows;
        then * self.n_new + j_then
    }

    /// Transforms the segment, unless the slot holds it.
    fn fill(&mut self, slot: usize, first: u64, j: usize, samples: Planar<'_>) {
        let at = j * self.welch.step_samples;
        let start = Some(first + at as u64);
        if self.starts[slot] == start {
            return;
        }
        self.starts[slot] = start;
        let (n_bins, segment_samples) = (self.n_bins(), self.welch.window.len());
        let size = self.n_channels * n_bins;
        let kept = self.kept[slot * size..][..size].chunks_exact_mut(n_bins);
        for (c, kept) in kept.enumerate() {
            self.welch.transform(&samples.channel(c)[at..][..segment_samples]);
            for (k, c) in kept.iter_mut().zip(&self.welch.spectrum) {
                *k = c.norm_sqr();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Samples without a pattern, any number of them.
    fn sample(c: usize, t: u64) -> f64 {
        let mixed = (t + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(c as u32 * 7 + 17);
        (mixed.wrapping_mul(0xd1b5_4a32_d192_ed03) >> 40) as f64 / 1e5 - 80.0
    }

    fn window(n_channels: usize, first: u64, n_samples: usize) -> Vec<f64> {
        let at = |c: usize| (0..n_samples as u64).map(move |t| sample(c, first + t));
        (0..n_channels).flat_map(at).collect()
    }

    fn plan(n_channels: usize, [w, s, l, overlap]: [usize; 4]) -> SlidingWelch {
        let spec = WindowSpec { window_samples: w, step_samples: s };
        let rate = SampleRate::new(160.0).unwrap();
        SlidingWelch::new(n_channels, spec, rate, l, overlap).unwrap()
    }

    /// The spectra of window `k` by `sliding`, and of that window alone.
    fn both(sliding: &mut SlidingWelch, k: u64) -> [Vec<f64>; 2] {
        let (w, n_channels) = (sliding.spec.window_samples, sliding.n_channels);
        let first = k * sliding.spec.step_samples as u64;
        let samples = window(n_channels, first, w);
        let mut psd = vec![f64::NAN; n_channels * sliding.n_bins()];
        sliding.run(SampleIndex(first), Planar::new(&samples, n_channels, w, w), &mut psd);
        let mut alone = vec![f64::NAN; psd.len()];
        let mut welch = sliding.welch.clone();
        let channels = samples.chunks(w).zip(alone.chunks_mut(welch.n_bins()));
        channels.for_each(|(samples, psd)| welch.run(samples, psd));
        [psd, alone]
    }

    #[test]
    fn a_million_hops_later_the_bits_are_those_of_the_window_alone() {
        let mut sliding = plan(1, [8, 1, 4, 2]);
        let mut alone = sliding.welch.clone();
        let mut psd = [[0.0; 3]; 2];
        for k in 0..1_000_000 {
            let samples = window(1, k, 8);
            sliding.run(SampleIndex(k), Planar::new(&samples, 1, 8, 8), &mut psd[0]);
            if k % 1000 > 990 || k > 999_000 {
                alone.run(&samples, &mut psd[1]);
                assert_eq!(psd[0], psd[1], "hop {k}");
            }
        }
    }

    #[test]
    fn a_hop_transforms_what_is_new() {
        // 2 s windows every 0.1 s at 160 Hz, segments of 1 s, half overlap.
        let sliding = plan(4, [320, 16, 160, 80]);
        assert_eq!((sliding.n_transforms(), sliding.n_kept()), (1, 11));
        // The hop is two distances: two new ones. Nothing in common: all anew.
        assert_eq!(plan(1, [320, 160, 80, 0]).n_transforms(), 2);
        assert_eq!(plan(1, [320, 17, 160, 80]).n_transforms(), 3);
    }

    #[test]
    fn what_would_fill_the_memory_is_computed_anew() {
        // 60 s at 512 Hz every 0.1 s: sharing would keep 26163 spectra for 119 segments.
        let sliding = plan(1, [30_720, 51, 512, 256]);
        assert_eq!((sliding.n_transforms(), sliding.n_kept()), (119, 119));
        let mut sliding = plan(1, [600, 17, 24, 12]);
        assert_eq!((sliding.n_transforms(), sliding.n_kept()), (17, 425));
        let [psd, alone] = both(&mut sliding, 3);
        assert_eq!(psd, alone);
    }

    proptest! {
        #[test]
        fn any_start_and_any_windows_left_out_give_the_same_bits(
            sizes in (20_usize..60, 1_usize..20, 2_usize..20, 0_usize..19),
            start in 0_u64..1000,
            skips in prop::collection::vec(1_u64..4, 1..40),
        ) {
            let (w, s, l, overlap) = sizes;
            let mut sliding = plan(2, [w, s, l, overlap.min(l - 1)]);
            let mut k = start;
            for skip in skips {
                let [psd, alone] = both(&mut sliding, k);
                prop_assert_eq!(psd, alone);
                k += skip;
            }
        }
    }
}
