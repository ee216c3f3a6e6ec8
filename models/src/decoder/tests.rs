use super::*;
use acquisition::marker::ClassIdx;
use decoding::decoder::ExampleSpan;
use decoding::window::Samples;

const N_CHANNELS: usize = 4;
const N_SAMPLES: usize = 64;

fn step(text: &str) -> step::Network {
    toml::from_str(text).unwrap()
}

/// Windows of two classes, which differ in the power of a channel, one after the other.
fn windows(n: usize) -> (Vec<Samples>, Vec<ClassIdx>, Vec<ExampleSpan>) {
    let mut random = crate::random::Random::new(5, 0);
    let mut all = (vec![], vec![], vec![]);
    for at in 0..n {
        let class = at % 2;
        let noise = random.normals(N_CHANNELS * N_SAMPLES, 1.0);
        let strength = |c: usize| if c == class { 30.0 } else { 10.0 };
        let values: Vec<f64> = noise
            .iter()
            .enumerate()
            .map(|(k, x)| strength(k / N_SAMPLES) * f64::from(*x))
            .collect();
        let mut samples = Samples::zeros(N_CHANNELS, N_SAMPLES);
        samples.copy_from(Planar::new(&values, N_CHANNELS, N_SAMPLES, N_SAMPLES));
        let start = (at * N_SAMPLES) as u64;
        all.0.push(samples);
        all.1.push(ClassIdx(class as u8));
        all.2.push(ExampleSpan { run: 0, samples: start..start + N_SAMPLES as u64 });
    }
    all
}

fn examples<'a>(
    (windows, labels, spans): &'a (Vec<Samples>, Vec<ClassIdx>, Vec<ExampleSpan>),
    channels: &'a [String],
) -> NetworkExamples<'a> {
    NetworkExamples {
        windows: windows.iter().map(Samples::as_planar).collect(),
        labels,
        spans,
        channels,
        n_classes: 2,
        rate_hz: 128.0,
    }
}

const SMALL: &str = "kind = \"shallow\"\nnetwork = { n_filters_time = 8, n_filters_space = 8, filter_samples = 9, \
                     pool_samples = 15, pool_stride = 5 }\ntraining = { n_epochs = 20, \
                     batch_size = 16, learning_rate = 0.005 }";

#[test]
fn a_network_learns_decides_and_comes_back_from_a_file_as_it_was() {
    let all = windows(160);
    let neural = Neural::default();
    let fitted = neural.fit(&step(SMALL), &examples(&all, &[])).unwrap();
    assert_eq!(fitted, neural.fit(&step(SMALL), &examples(&all, &[])).unwrap(), "to the bit");
    let text = serde_json::to_string(&fitted).unwrap();
    let back: FittedNetwork = serde_json::from_str(&text).unwrap();
    assert_eq!(back, fitted);
    let [mut before, mut after] = [&fitted, &back].map(|f| neural.plan(f).unwrap());
    let fresh = windows(200);
    let mut n_right = 0;
    for at in 160..200 {
        let mut posteriors = [[0.0; 2]; 2];
        before.posterior_into(fresh.0[at].as_planar(), &mut posteriors[0]);
        after.posterior_into(fresh.0[at].as_planar(), &mut posteriors[1]);
        assert_eq!(posteriors[0], posteriors[1]);
        assert!((posteriors[0].iter().sum::<f64>() - 1.0).abs() < 1e-12);
        n_right += usize::from((posteriors[0][1] > 0.5) == (fresh.1[at].0 == 1));
    }
    assert!(n_right >= 34, "{n_right} of 40");
    let mut silent = fresh.0[160].clone();
    silent.copy_from(Planar::new(
        &[f64::NAN; N_CHANNELS * N_SAMPLES],
        N_CHANNELS,
        N_SAMPLES,
        N_SAMPLES,
    ));
    let mut posterior = [0.5; 2];
    before.posterior_into(silent.as_planar(), &mut posterior);
    assert!(posterior.iter().all(|p| p.is_nan()), "what is not finite decides nothing");
}

#[test]
fn nothing_that_is_validated_on_shares_samples_with_what_is_trained_on() {
    let mut all = windows(40);
    // Windows that overlap by three quarters.
    for (at, span) in (0..).zip(&mut all.2) {
        span.samples = at * 16..at * 16 + N_SAMPLES as u64;
    }
    let (trained, validated) = held_back(&examples(&all, &[]), 0.25).unwrap();
    assert_eq!((trained, validated), ((0..27).collect(), (30..40).collect()));
    let (trained, validated) = held_back(&examples(&all, &[]), 0.0).unwrap();
    assert_eq!((trained.len(), validated.len()), (40, 0));
    all.1[..30].fill(ClassIdx(0));
    let why = held_back(&examples(&all, &[]), 0.25).unwrap_err();
    assert!(why.contains("class 1 has no example before"), "{why}");
}

#[test]
fn a_description_that_is_none_says_why() {
    let neural = Neural::default();
    for (text, expected) in [
        ("kind = \"eegnot\"", "unknown variant `eegnot`"),
        ("network = { kernel = 3 }", "unknown field `kernel`"),
        ("network = { kind = \"shallow\" }", "`kind` stands beside it"),
        ("training = { epochs = 3 }", "unknown field `epochs`"),
    ] {
        let why = neural.check(&step(text)).unwrap_err();
        assert!(why.contains(expected), "{text}: {why}");
    }
    let all = windows(40);
    let encoder = step("kind = \"encoder\"");
    for (labels, expected) in [
        (vec![], "their labels are not known"),
        (["C3", "C4", "Cz", "X1"].map(str::to_owned).to_vec(), "\"X1\" is none of the 10-10"),
    ] {
        let why = neural.fit(&encoder, &examples(&all, &labels)).unwrap_err();
        assert!(why.contains(expected), "{why}");
    }
}

#[test]
fn a_fitted_network_that_was_damaged_is_refused() {
    let all = windows(60);
    let neural = Neural::default();
    let fitted = neural.fit(&step(SMALL), &examples(&all, &[])).unwrap();
    let refused = |change: fn(&mut FittedNetwork)| {
        let mut damaged = fitted.clone();
        change(&mut damaged);
        neural.plan(&damaged).err().expect("a damaged network")
    };
    assert!(refused(|of| drop(of.weights.pop_first())).contains("missing"));
    let why = refused(|of| {
        let mut first = of.weights.first_entry().unwrap();
        first.get_mut().values.pop();
    });
    assert!(why.contains("not as many as its shape says"), "{why}");
    let why = refused(|of| of.weights.first_entry().unwrap().get_mut().values[0] = f32::NAN);
    assert!(why.contains("finite"), "{why}");
    assert!(refused(|of| of.n_samples = 5).contains("too short"));
}
