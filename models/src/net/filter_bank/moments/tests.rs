use super::*;
use crate::backend::{Cpu, PROCESSOR};
use crate::random::Random;

/// Mean and variance of every row filtered, by the definition.
fn filtered(rows: &[Vec<f64>], filter: &[f64]) -> (f64, f64) {
    let values: Vec<f64> = rows
        .iter()
        .flat_map(|row| row.windows(filter.len()))
        .map(|seen| seen.iter().zip(filter).map(|(x, w)| x * w).sum())
        .collect();
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let var = values.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / values.len() as f64;
    (mean, var)
}

#[test]
fn moments_are_those_of_signals_that_were_filtered() {
    let mut random = Random::new(1, 0);
    for (n_samples, length) in [(200, 64), (131, 25), (64, 64), (70, 64), (40, 1), (5, 2), (3, 3)] {
        for offset in [0.0, 1000.0] {
            let shape = [2, 3, n_samples];
            let values: Vec<f32> =
                random.normals(6 * n_samples, 1.0).into_iter().map(|x| x + offset).collect();
            let filters = random.normals(4 * length, 1.0);
            let x = Tensor::<Cpu, 3>::from_data(TensorData::new(values.clone(), shape), &PROCESSOR);
            let moments = Moments::of(x, length);
            assert_eq!(moments.n(), 6 * (n_samples + 1 - length));
            let data = TensorData::new(filters.clone(), [4, length]);
            let (mean, var) = moments.behind(Tensor::from_data(data, &PROCESSOR));
            let mean: Vec<f32> = mean.into_data().to_vec().expect("f32");
            let var: Vec<f32> = var.into_data().to_vec().expect("f32");
            let wide = |values: &[f32]| values.iter().map(|&x| f64::from(x)).collect::<Vec<_>>();
            let rows: Vec<Vec<f64>> = values.chunks(n_samples).map(wide).collect();
            for (k, filter) in filters.chunks(length).enumerate() {
                let (true_mean, true_var) = filtered(&rows, &wide(filter));
                // The input's own rounding is a part of 2^-24 of each sample.
                let scale = 1.0 + f64::from(offset);
                let off = (f64::from(mean[k]) - true_mean).abs() / (scale * length as f64);
                assert!(off < 1e-6, "{n_samples} {length} {offset}: mean off by {off:e}");
                // Sums over all samples lose what the ends take off again.
                let kept = (n_samples + 1 - length) as f64 / n_samples as f64;
                let off = (f64::from(var[k]) - true_var).abs() / length as f64;
                let limit = 3e-6 * scale.sqrt() / kept;
                assert!(off < limit, "{n_samples} {length} {offset}: variance off by {off:e}");
            }
        }
    }
}
