use super::*;
use crate::backend::{Cpu, PROCESSOR};

fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> Tensor<Cpu, D> {
    Tensor::from_data(TensorData::new(values, shape), &PROCESSOR)
}

fn values<const D: usize>(tensor: Tensor<Cpu, D>) -> Vec<f32> {
    tensor.into_data().to_vec().expect("f32")
}

fn normals(n: usize, seed: u64) -> Vec<f32> {
    Random::new(seed, 0).normals(n, 1.0)
}

/// Mean and variance.
fn moments(values: &[f32]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().map(|&x| f64::from(x)).sum::<f64>() / n;
    (mean, values.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / n)
}

#[test]
fn elu_is_its_formula() {
    let x = vec![-100.0, -1.0, -1e-3, 0.0, 1e-3, 1.0, 100.0];
    let found = values(elu(tensor(x.clone(), [7])));
    for (x, y) in x.into_iter().zip(found) {
        let expected = if x > 0.0 { x } else { x.exp_m1() };
        assert!((y - expected).abs() < 1e-6, "{x}: {y}");
    }
}

#[test]
fn dropout_keeps_the_mean_and_drops_as_often_as_asked() {
    let x = tensor(vec![1.0; 10_000], [10_000]);
    assert_eq!(values(dropout(x.clone(), 0.3, &mut Pass::Infer)), vec![1.0; 10_000]);
    let mut random = Random::new(1, 0);
    let found = values(dropout(x, 0.3, &mut Pass::Train(&mut random)));
    let n_dropped = found.iter().filter(|&&y| y == 0.0).count();
    // Standard deviation 46.
    assert!((2800..3200).contains(&n_dropped), "{n_dropped}");
    assert!(found.iter().all(|&y| y == 0.0 || (y - 1.0 / 0.7).abs() < 1e-6));
}

#[test]
fn selu_with_its_weights_and_dropout_keeps_mean_and_variance() {
    let (n_rows, size) = (200, 256);
    let mut random = Random::new(1, 0);
    let mut x = tensor(normals(n_rows * size, 2), [n_rows, size]);
    let mut dropped = Random::new(1, 1);
    for layer in 1..=16 {
        let builder = &mut Builder::<Cpu> { random: &mut random, device: &PROCESSOR };
        x = Activation::Selu.forward(builder.self_normalising(size, size).forward(x));
        x = Activation::Selu.dropout(x, 0.05, &mut Pass::Train(&mut dropped));
        let (mean, var) = moments(&values(x.clone()));
        assert!(mean.abs() < 0.15 && (0.75..1.3).contains(&var), "{layer}: {mean} {var}");
    }
}

#[test]
fn rows_longer_than_allowed_are_scaled_down_and_no_others() {
    let found = values(renorm(tensor(vec![3.0, 4.0, 0.3, 0.4, 0.0, 0.0], [3, 2]), 1.0));
    for (found, expected) in found.into_iter().zip([0.6, 0.8, 0.3, 0.4, 0.0, 0.0]) {
        assert!((found - expected).abs() < 1e-6, "{found} {expected}");
    }
}

#[test]
fn batch_normalisation_learns_what_it_then_uses() {
    let builder = Builder::<Cpu> { random: &mut Random::new(1, 0), device: &PROCESSOR };
    // With momentum 1 the running statistics are those of the last batch.
    let norm = builder.batch_norm(3, 1.0, 1e-5);
    let shifted: Vec<f32> =
        normals(3000, 1).iter().enumerate().map(|(k, x)| 2.0 * x + (k % 3) as f32).collect();
    let x = tensor(shifted, [50, 20, 3]).swap_dims(1, 2);
    let learned = values(norm.forward(x.clone(), &Pass::Train(&mut Random::new(1, 1))));
    let (mean, var) = moments(&learned);
    assert!(mean.abs() < 1e-5 && (var - 1.0).abs() < 1e-4, "{mean} {var}");
    let used = values(norm.forward(x, &Pass::Infer));
    // The running variance is the unbiased one, larger by a thousandth.
    for (a, b) in learned.iter().zip(&used) {
        assert!((a - b).abs() < 1e-3 * (1.0 + a.abs()), "{a} {b}");
    }
}
