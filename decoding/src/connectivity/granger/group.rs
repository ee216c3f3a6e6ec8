//! Geweke's causality of one group of channels for another.

use super::hidden::Hidden;
use super::spectral::{check_shape, invert, phasors};
use crate::connectivity::directed::Square;
use crate::connectivity::mvar::{MvarError, MvarView};
use acquisition::time::SampleRate;

/// Causality of the channels `from` together for the channels `to` together, given all
/// others of a model, at each frequency: [`SpectralGranger`](super::SpectralGranger) with
/// determinants in place of variances.
///
/// Where the two groups are all of a model, the values are those of mne-connectivity's
/// `gc` of the same model (it fits its own to a cross-spectrum, whose bins count as lags
/// do here; give it the groups as seeds and targets). Memory: `8 * 14 (p n_from)²` bytes
/// of `p` lags; a run costs about `40 (p n_from)³` products, a frequency `(p n_from)³`.
///
/// # Reference
/// J. Geweke (1984), doi:10.1080/01621459.1984.10477110.
/// L. Barnett, A. K. Seth (2015), doi:10.1103/PhysRevE.91.040101.
#[derive(Clone, Debug)]
pub struct GroupGranger {
    shape: (usize, usize),
    phasors: Vec<(f64, f64)>,
    /// Places of `to` among the channels that are seen.
    places: Vec<usize>,
    hidden: Hidden,
    noise: Vec<f64>,
    precision: Vec<f64>,
    matrix: Square,
    values: Vec<f64>,
    total: f64,
}

impl GroupGranger {
    /// Plans models with `n_channels` and `order` lags at `freqs_hz`.
    pub fn new(
        (n_channels, order): (usize, usize),
        rate: SampleRate,
        freqs_hz: &[f64],
        (to, from): (&[usize], &[usize]),
    ) -> Result<Self, MvarError> {
        check_shape((n_channels, order), rate, freqs_hz)?;
        for (at, channel) in to.iter().chain(from).enumerate() {
            let is_again = to.iter().chain(from).take(at).any(|c| c == channel);
            if is_again || *channel >= n_channels {
                return Err(MvarError::BadGroup { channel: *channel, n_channels });
            }
        }
        if to.is_empty() || from.is_empty() {
            return Err(MvarError::NoChannel);
        }
        let hidden = Hidden::new((n_channels, order), from.to_vec());
        let place = |channel: &usize| hidden.rest().iter().position(|c| c == channel);
        Ok(Self {
            shape: (n_channels, order),
            phasors: phasors(rate, freqs_hz),
            places: to.iter().filter_map(place).collect(),
            hidden,
            noise: vec![0.0; n_channels * n_channels],
            precision: vec![0.0; n_channels * n_channels],
            matrix: Square::zeros(to.len()),
            values: vec![0.0; freqs_hz.len()],
            total: 0.0,
        })
    }

    /// The causality that a model has, at each frequency.
    ///
    /// Thread: decoding thread. Allocation: none.
    ///
    /// # Panics
    /// If the model has another shape.
    pub fn run(&mut self, model: MvarView<'_>) -> &[f64] {
        let (m, _) = self.shape;
        assert_eq!((model.n_channels(), model.order()), self.shape, "the planned model");
        self.noise.copy_from_slice(model.noise());
        invert(&mut self.noise, &mut self.precision, m);
        self.hidden.set(model, &self.precision);
        let (places, matrix) = (&self.places[..], &mut self.matrix);
        let mut log_determinant = |hidden: &Hidden, added: &dyn Fn(usize, usize) -> (f64, f64)| {
            for (row, i) in places.iter().enumerate() {
                for (col, j) in places.iter().enumerate() {
                    let (re, im) = added(*i, *j);
                    let (to, from) = (hidden.rest()[*i], hidden.rest()[*j]);
                    matrix.re[row * places.len() + col] = model.noise()[to * m + from] + re;
                    matrix.im[row * places.len() + col] = im;
                }
            }
            matrix.log_determinant()
        };
        let hidden = &mut self.hidden;
        let own = log_determinant(hidden, &|_, _| (0.0, 0.0));
        let left = log_determinant(hidden, &|i, j| (hidden.missed(i, j), 0.0));
        self.total = left - own;
        for (value, phasor) in self.values.iter_mut().zip(&self.phasors) {
            hidden.set_frequency(*phasor);
            let passed = log_determinant(hidden, &|i, j| {
                let (re, im) = hidden.carried(i, j);
                (-re, -im)
            });
            *value = left + own - 2.0 * passed;
        }
        &self.values
    }

    /// The values of the last run.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The causality in time of the last run.
    pub fn total(&self) -> f64 {
        self.total
    }
}
