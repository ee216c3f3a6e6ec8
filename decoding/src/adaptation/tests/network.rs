//! The governor's experiment at a small scale: a network learns classes whose labels
//! change places, at a constant and at a governed rate.

use crate::adaptation::governor::{Governor, GovernorParams, Push};
use crate::classifier::softmax_in_place;
use crate::classifier::tests::Normal;
use crate::decoder::decide_class;
use acquisition::marker::ClassIdx;

const N_CLASSES: usize = 10;
const N_FEATURES: usize = 12;
const N_HIDDEN: usize = 24;
/// Examples a step, as in the paper; the governor judges on two steps.
const BATCH: usize = 10;
const N_MEMORY: usize = 20;
const N_STEPS: usize = 2000;
const RATE: f64 = 0.01;

/// Weights and bias of a layer, the bias last in each row.
type Layer = Vec<Vec<f64>>;

#[derive(Clone)]
struct Network {
    hidden: Layer,
    output: Layer,
}

fn affine(row: &[f64], x: &[f64]) -> f64 {
    row.iter().zip(x).map(|(w, x)| w * x).sum::<f64>() + row[x.len()]
}

impl Network {
    fn new(normal: &mut Normal) -> Self {
        let mut layer = |n_out: usize, n_in: usize| -> Layer {
            let scale = (2.0 / n_in as f64).sqrt();
            let mut row = || {
                let mut row: Vec<f64> = (0..n_in).map(|_| scale * normal.draw()).collect();
                row.push(0.0);
                row
            };
            (0..n_out).map(|_| row()).collect()
        };
        Self { hidden: layer(N_HIDDEN, N_FEATURES), output: layer(N_CLASSES, N_HIDDEN) }
    }

    /// Activations of the hidden layer (exponential linear units), and scores.
    fn forward(&self, x: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let elu = |a: f64| if a > 0.0 { a } else { a.exp_m1() };
        let hidden: Vec<f64> = self.hidden.iter().map(|row| elu(affine(row, x))).collect();
        let scores = self.output.iter().map(|row| affine(row, &hidden)).collect();
        (hidden, scores)
    }

    fn decide(&self, x: &[f64]) -> usize {
        decide_class(&self.forward(x).1).index()
    }

    fn n_right(&self, examples: &[(Vec<f64>, usize)]) -> usize {
        examples.iter().filter(|(x, class)| self.decide(x) == *class).count()
    }

    /// Gradient of the mean cross-entropy.
    fn gradient(&self, batch: &[(Vec<f64>, usize)]) -> Self {
        let zeros = |layer: &Layer| layer.iter().map(|row| vec![0.0; row.len()]).collect();
        let mut gradient = Self { hidden: zeros(&self.hidden), output: zeros(&self.output) };
        for (x, class) in batch {
            let (hidden, mut slopes) = self.forward(x);
            softmax_in_place(&mut slopes);
            slopes[*class] -= 1.0;
            let add = |layer: &mut Layer, slopes: &[f64], x: &[f64]| {
                for (row, slope) in layer.iter_mut().zip(slopes) {
                    let inputs = x.iter().chain(&[1.0]);
                    row.iter_mut().zip(inputs).for_each(|(g, x)| *g += slope * x / BATCH as f64);
                }
            };
            add(&mut gradient.output, &slopes, &hidden);
            let back = |(j, z): (usize, &f64)| {
                let slope: f64 = self.output.iter().zip(&slopes).map(|(row, s)| row[j] * s).sum();
                slope * if *z > 0.0 { 1.0 } else { z + 1.0 }
            };
            let slopes: Vec<f64> = hidden.iter().enumerate().map(back).collect();
            add(&mut gradient.hidden, &slopes, x);
        }
        gradient
    }

    fn stepped(&self, gradient: &Self, rate: f64) -> Self {
        let step = |layer: &Layer, gradient: &Layer| -> Layer {
            let rows = layer.iter().zip(gradient);
            rows.map(|(w, g)| w.iter().zip(g).map(|(w, g)| w - rate * g).collect()).collect()
        };
        Self {
            hidden: step(&self.hidden, &gradient.hidden),
            output: step(&self.output, &gradient.output),
        }
    }
}

/// Share of right decisions, each before its example is learned, where two labels change
/// places every `n_between` examples.
fn accuracy(n_between: usize, mut governor: Option<Governor>, seed: u64) -> f64 {
    let mut normal = Normal::new(seed);
    let centres: Vec<Vec<f64>> =
        (0..N_CLASSES).map(|_| (0..N_FEATURES).map(|_| 2.0 * normal.draw()).collect()).collect();
    let mut network = Network::new(&mut normal);
    let mut names: Vec<usize> = (0..N_CLASSES).collect();
    let (mut memory, mut n_right, mut n_seen) = (Vec::new(), 0, 0);
    for step in 0..N_STEPS {
        let mut batch = Vec::new();
        for _ in 0..BATCH {
            let mut draw = |n: usize| ((normal.draw().abs() * 1e6) as usize) % n;
            if n_seen % n_between == n_between - 1 {
                let (a, b) = (draw(N_CLASSES), draw(N_CLASSES - 1));
                names.swap(a, (a + 1 + b) % N_CLASSES);
            }
            let kind = draw(N_CLASSES);
            let x: Vec<f64> = centres[kind].iter().map(|c| c + normal.draw()).collect();
            batch.push((x, names[kind]));
            n_seen += 1;
        }
        n_right += if step >= N_STEPS / 10 { network.n_right(&batch) } else { 0 };
        let (x, truth) = batch.last().expect("a batch has examples");
        let push = |class: usize| Push::of_class(ClassIdx(class as u8), N_CLASSES);
        let (predicted, truth) = (push(network.decide(x)), push(*truth));
        let gradient = network.gradient(&batch);
        memory.extend(batch);
        memory.drain(..memory.len().saturating_sub(N_MEMORY));
        let rate = match &mut governor {
            Some(governor) if step >= 2 => governor.choose(predicted, truth, |rate| {
                network.stepped(&gradient, rate).n_right(&memory) as f64
            }),
            _ => RATE,
        };
        network = network.stepped(&gradient, rate);
    }
    n_right as f64 / (BATCH * (N_STEPS - N_STEPS / 10)) as f64
}

#[test]
fn the_advantage_over_a_constant_rate_grows_with_the_rate_of_shifts() {
    let params = GovernorParams { initial_rate: RATE, largest_rate: f64::MAX, n_memory: N_MEMORY };
    let advantage = |n_between: usize| {
        let of = |seed: u64| {
            accuracy(n_between, Some(Governor::new(params)), seed) - accuracy(n_between, None, seed)
        };
        f64::midpoint(of(71), of(72))
    };
    let (rare, some, frequent) = (advantage(4000), advantage(1000), advantage(200));
    assert!(rare < some && some < frequent, "{rare:.3}, {some:.3}, {frequent:.3}");
    assert!(frequent > 0.05, "{frequent:.3}");
}
