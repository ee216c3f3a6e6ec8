//! Powers, entropies and measures of time as features, beside calls of the library.

use super::*;
use crate::psd::bands::{mean_power, relative_power, spectral_entropy};
use crate::psd::burg::{BurgPlan, BurgSpec};
use crate::psd::multitaper::{Multitaper, MultitaperSpec};
use crate::psd::welch::WelchPlan;
use crate::time_domain::{TimeFeature, hjorth, line_length, log_variance};

/// The feature of four channels, and the samples that it was made of.
fn feature(step: &str, parameters: &str) -> (Vec<f64>, Samples) {
    let mut front_end = plan(&[(step, parameters)], 4).unwrap();
    let frames = frames(4, 150);
    let value = last_value(&mut front_end, &frames);
    let values = vector(&value).to_vec();
    assert_eq!(front_end.shape(0), Shape::Vector(values.len()));
    (values, last_second(&frames))
}

/// Writes the density of samples.
type Density<'a> = &'a mut dyn FnMut(&[f64], &mut [f64]);

/// What `of` makes of each channel, one after the other.
fn each(samples: &Samples, of: impl FnMut(&[f64]) -> Vec<f64>) -> Vec<f64> {
    let samples = samples.as_planar();
    (0..samples.n_channels()).map(|c| samples.channel(c)).flat_map(of).collect()
}

#[test]
fn measures_of_time_are_the_librarys() {
    let all = "measures = [\"log_variance\", \"activity\", \"mobility\", \"complexity\", \"line_length\"]";
    let (found, samples) = feature("time_domain", all);
    let of = |x: &[f64]| {
        let h = hjorth(x);
        vec![log_variance(x), h.activity, h.mobility, h.complexity, line_length(x)]
    };
    assert_eq!(found, each(&samples, of));
    let (found, samples) = feature("time_domain", "measures = [\"line_length\"]");
    assert_eq!(found, each(&samples, |x| vec![TimeFeature::LineLength.of(x)]));
    let (found, samples) = feature("time_domain", "");
    let of = |x: &[f64]| vec![log_variance(x), hjorth(x).mobility, hjorth(x).complexity];
    assert_eq!(found, each(&samples, of));
}

#[test]
fn powers_are_those_of_every_method() {
    let bands = "bands_hz = [[8, 12], [12, 20]]\n";
    let mut welch = WelchPlan::new(100, rate(), 100, 50).unwrap();
    let mut burg = BurgPlan::new(BurgSpec::happy_feat(rate()), 100, rate()).unwrap();
    let mut tapers = Multitaper::new(&MultitaperSpec::new(3.0), 100, rate()).unwrap();
    let methods: [(&str, Density<'_>); 3] = [
        ("", &mut |x, psd| welch.run(x, psd)),
        ("method = \"burg\"\n", &mut |x, psd| burg.run(x, psd)),
        ("method = \"multitaper\"\nbandwidth_hz = 3\n", &mut |x, psd| tapers.run(x, psd)),
    ];
    for (method, run) in methods {
        // Bins of all three are 1 Hz apart.
        let mut psd = vec![0.0; 51];
        let mut density = |x: &[f64]| {
            run(x, &mut psd);
            psd.clone()
        };
        let (found, samples) = feature("band_power", &format!("{bands}{method}scale = \"linear\""));
        let of = |x: &[f64]| {
            let psd = density(x);
            vec![mean_power(&psd, 8..12), mean_power(&psd, 12..20)]
        };
        let expected = each(&samples, of);
        assert_eq!(found, expected, "{method}");
        let (logs, _) = feature("band_power", &format!("{bands}{method}"));
        assert_eq!(logs, expected.iter().map(|p| p.ln()).collect::<Vec<_>>());
        let relative = format!("{bands}{method}scale = \"linear\"\nrelative_to_hz = [4, 40]");
        let (found, samples) = feature("band_power", &relative);
        let of = |x: &[f64]| {
            let psd = density(x);
            [8..12, 12..20].map(|band| relative_power(&psd, band, 4..40)).to_vec()
        };
        assert_eq!(found, each(&samples, of), "{method}");
        let (found, samples) =
            feature("spectral_entropy", &format!("bands_hz = [[4, 40]]\n{method}"));
        assert_eq!(found, each(&samples, |x| vec![spectral_entropy(&density(x), 4..40)]));
    }
}

#[test]
fn shares_do_not_change_with_the_gain() {
    let parameters = "bands_hz = [[8, 12]]\nrelative_to_hz = [4, 40]";
    let mut front_end = plan(&[("band_power", parameters)], 4).unwrap();
    let frames = frames(4, 100);
    let louder: Vec<Vec<f32>> =
        frames.iter().map(|frame| frame.iter().map(|x| x * 8.0).collect()).collect();
    let before = last_value(&mut front_end, &frames);
    let mut front_end = plan(&[("band_power", parameters)], 4).unwrap();
    let after = last_value(&mut front_end, &louder);
    for (a, b) in vector(&before).iter().zip(vector(&after)) {
        // A power of two is exact; sums and quotients scale with it.
        assert!((a - b).abs() < 1e-14, "{a} {b}");
    }
}

#[test]
fn parameters_of_another_method_are_named() {
    let refused = |step, parameters| pipeline(&[(step, parameters)]).unwrap_err();
    for (step, parameters, expected) in [
        ("band_power", "order = 4", "order: it is for method = \"burg\" alone"),
        ("band_power", "method = \"burg\"\norder = 0", "a model has at least one coefficient"),
        ("band_power", "bandwidth_hz = 4", "bandwidth_hz: it is for method = \"multitaper\""),
        ("band_power", "method = \"multitaper\"\nbandwidth_hz = -1", "a positive number of hertz"),
        ("spectral_entropy", "order = 4", "order: it is for method = \"burg\" alone"),
        ("spectral_entropy", "bands_hz = []", "name at least one band"),
        ("time_domain", "measures = []", "name at least one"),
        ("time_domain", "measures = [\"mobility\", \"mobility\"]", "named twice"),
        ("time_domain", "measures = [\"mobilty\"]", "unknown variant `mobilty`"),
        ("band_power", "methode = \"burg\"", "did you mean `method`?"),
    ] {
        let error = refused(step, parameters);
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn what_does_not_fit_the_stream_is_refused_when_it_is_planned() {
    let refused = |step, parameters| plan(&[(step, parameters)], 4).err().map(|e| e.to_string());
    for (step, parameters, expected) in [
        ("band_power", "bands_hz = [[60, 70]]", "no frequency of the spectrum lies in 60-70 Hz"),
        ("band_power", "relative_to_hz = [60, 70]", "no frequency of the spectrum"),
        ("band_power", "method = \"burg\"\norder = 30", "an order of 30"),
        ("band_power", "method = \"multitaper\"\nbandwidth_hz = 0.1", "a half-bandwidth of 0.05"),
        ("spectral_entropy", "bands_hz = [[60, 70]]", "no frequency of the spectrum"),
    ] {
        let error = refused(step, parameters).expect("a refusal");
        assert!(error.contains(expected), "{error}");
    }
}
