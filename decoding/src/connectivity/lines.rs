//! Spectra as the pairwise sums want them: four channels side by side.
//!
//! Element `(block, cell, observation, taper)` is one cache line: the real and the
//! imaginary parts of four neighbouring channels. All observations of a block and cell
//! follow each other, so that the sum over observations of four by four pairs reads two
//! streams from front to back.

/// Channels side by side.
pub(super) const WIDTH: usize = 4;

/// Four channels' spectrum at one cell of one observation.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
pub(super) struct Line {
    pub(super) re: [f64; WIDTH],
    pub(super) im: [f64; WIDTH],
}

impl Line {
    /// Each channel divided by its magnitude; 0 where that is 0.
    #[inline]
    pub(super) fn unit(&self) -> Self {
        let mut unit = Self::default();
        for k in 0..WIDTH {
            let magnitude = (self.re[k] * self.re[k] + self.im[k] * self.im[k]).sqrt();
            let scale = if magnitude > 0.0 { 1.0 / magnitude } else { 0.0 };
            unit.re[k] = self.re[k] * scale;
            unit.im[k] = self.im[k] * scale;
        }
        unit
    }
}

/// Spectra `(n_channels, n_cells, n_observations, n_tapers)`: a cell is a frequency, or
/// a frequency at a time; an observation is an epoch, a segment or a sample of time.
///
/// Memory: `16 * n_channels * n_cells * n_observations * n_tapers` bytes, channels
/// rounded up to four.
#[derive(Clone, Debug)]
pub(super) struct Lines {
    n_channels: usize,
    n_cells: usize,
    n_observations: usize,
    n_tapers: usize,
    data: Vec<Line>,
}

impl Lines {
    pub(super) fn zeros(
        n_channels: usize,
        n_cells: usize,
        n_observations: usize,
        n_tapers: usize,
    ) -> Self {
        let n_lines = n_channels.div_ceil(WIDTH) * n_cells * n_observations * n_tapers;
        let data = vec![Line::default(); n_lines];
        Self { n_channels, n_cells, n_observations, n_tapers, data }
    }

    pub(super) fn n_channels(&self) -> usize {
        self.n_channels
    }

    pub(super) fn n_blocks(&self) -> usize {
        self.n_channels.div_ceil(WIDTH)
    }

    pub(super) fn n_tapers(&self) -> usize {
        self.n_tapers
    }

    pub(super) fn n_observations(&self) -> usize {
        self.n_observations
    }

    /// Lines of one block: of each cell, of each observation, each taper.
    pub(super) fn block_len(&self) -> usize {
        self.n_cells * self.n_observations * self.n_tapers
    }

    /// Every observation of four channels at one cell, taper after taper.
    #[inline]
    pub(super) fn panel(&self, block: usize, cell: usize) -> &[Line] {
        let len = self.n_observations * self.n_tapers;
        &self.data[(block * self.n_cells + cell) * len..][..len]
    }

    /// The lines of one block, to be filled: `(cell, observation, taper)`.
    pub(super) fn block_mut(&mut self, block: usize) -> &mut [Line] {
        let len = self.block_len();
        &mut self.data[block * len..][..len]
    }

    /// All lines, block after block.
    pub(super) fn as_mut_slice(&mut self) -> &mut [Line] {
        &mut self.data
    }

    /// The same with every value divided by its magnitude.
    pub(super) fn units(&self) -> Self {
        let mut units = self.clone();
        units.units_from(self);
        units
    }

    /// Writes the values of `from`, each divided by its magnitude.
    pub(super) fn units_from(&mut self, from: &Self) {
        for (ours, theirs) in self.data.iter_mut().zip(&from.data) {
            *ours = theirs.unit();
        }
    }

    /// Writes the magnitude-free values of one observation of `from`.
    pub(super) fn unit_observation_from(&mut self, from: &Self, observation: usize) {
        let (n, k) = (self.n_observations, self.n_tapers);
        let ours = self.data.chunks_exact_mut(n * k);
        for (ours, theirs) in ours.zip(from.data.chunks_exact(n * k)) {
            for taper in observation * k..(observation + 1) * k {
                ours[taper] = theirs[taper].unit();
            }
        }
    }
}
