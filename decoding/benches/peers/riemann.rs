//! Covariances, as pyRiemann estimates them.

use crate::{Parts, Plan, Request, Tensor};
use decoding::riemann::covariance::{oas_shrink, scm};
use faer::{Mat, MatRef};

/// By name.
pub const CASES: &[(&str, Plan)] = &[("covariance_oas", |request| {
    let epochs = Epochs::of(request)?;
    Ok(Parts::case(epochs, Epochs::oas, Epochs::covariances))
})];

/// Epochs `(n_epochs, n_channels, n_samples)` and a matrix for each.
struct Epochs {
    shape: [usize; 3],
    data: Vec<f64>,
    out: Vec<Mat<f64>>,
}

impl Epochs {
    fn of(request: &Request<'_>) -> Result<Self, String> {
        let input = request.input(0)?;
        let &[n_epochs, n_channels, n_samples] = input.shape.as_slice() else {
            return Err("epochs have three dimensions".to_owned());
        };
        let shape = [n_epochs, n_channels, n_samples];
        Ok(Self { shape, data: input.data.clone(), out: Vec::new() })
    }

    fn oas(&mut self) {
        let [_, n_channels, n_samples] = self.shape;
        let covariance = |epoch: &[f64]| {
            let mut cov = scm(MatRef::from_row_major_slice(epoch, n_channels, n_samples));
            oas_shrink(cov.as_mut(), n_samples);
            cov
        };
        self.out = self.data.chunks_exact(n_channels * n_samples).map(covariance).collect();
    }

    fn covariances(&self) -> Vec<Tensor> {
        let [n_epochs, n_channels, _] = self.shape;
        let element = |k: usize| {
            let (i, j) = (k / n_channels % n_channels, k % n_channels);
            self.out[k / (n_channels * n_channels)][(i, j)]
        };
        let shape = vec![n_epochs, n_channels, n_channels];
        let data = (0..shape.iter().product()).map(element).collect();
        vec![Tensor { shape, data }]
    }
}
