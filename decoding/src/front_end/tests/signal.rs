//! Filters and maps over channels as signal steps, beside calls of the library.

use super::*;
use crate::filter::Band;
use crate::filter::comb::{self, CombFilter, Teeth};
use crate::filter::fir::FirFilter;
use crate::filter::fir::design::{Taper, Transitions, windowed, with_transitions};
use crate::filter::fir::minimum_phase::{Magnitude, minimum_phase};
use crate::filter::sos::{Section, SosFilter};
use crate::filter::{butterworth, chebyshev};
use crate::spatial::ChannelMap;
use crate::spatial::rest::rest;
use crate::spatial::spline::SphericalSpline;
use acquisition::montage::{HEAD_RADIUS_M, direction};
use faer::Mat;

/// What a filter does to a frame, given whether it is the first one.
type Filter = Box<dyn FnMut(bool, &mut Vec<f64>)>;

/// The last second behind one signal step.
fn behind(step: &str, parameters: &str, n_channels: usize) -> Samples {
    let mut front_end = samples_behind(&[(step, parameters)], n_channels).unwrap();
    let Value::Samples(bands) = last_value(&mut front_end, &frames(n_channels, 150)) else {
        panic!("samples")
    };
    bands[0].clone()
}

/// The last second of the same frames behind a filter.
fn expected(n_channels: usize, mut filter: Filter) -> Samples {
    let filtered = frames(n_channels, 150).into_iter().enumerate().map(|(n, frame)| {
        let mut frame: Vec<f64> = frame.into_iter().map(f64::from).collect();
        filter(n == 0, &mut frame);
        frame
    });
    let filtered: Vec<Vec<f64>> = filtered.collect();
    let n_out = filtered[0].len();
    let data: Vec<f64> =
        (0..n_out).flat_map(|c| filtered[50..].iter().map(move |frame| frame[c])).collect();
    let mut samples = Samples::zeros(n_out, 100);
    samples.copy_from(crate::window::Planar::new(&data, n_out, 100, 100));
    samples
}

fn sections(sections: Vec<Section>) -> Filter {
    let mut filter = SosFilter::new(sections, 4);
    Box::new(move |is_first, frame| {
        if is_first {
            filter.start_at(frame);
        }
        filter.process_frame(frame);
    })
}

fn taps(taps: &[f64]) -> Filter {
    let mut filter = FirFilter::new(taps, 4).unwrap();
    Box::new(move |is_first, frame| {
        if is_first {
            filter.start_at(frame);
        }
        filter.process_frame(frame);
    })
}

fn map(map: &ChannelMap, n_channels: usize) -> Filter {
    let mapper = map.plan(&TEN_TEN[..n_channels]).unwrap();
    Box::new(move |_, frame| {
        let mut out = vec![0.0; mapper.n_outputs()];
        mapper.apply_frame(frame, &mut out);
        *frame = out;
    })
}

#[test]
fn sections_are_the_librarys() {
    let cases = [
        ("high_pass", "edge_hz = 2", butterworth::highpass(4, 2.0, rate())),
        ("low_pass", "edge_hz = 20\norder = 3", butterworth::lowpass(3, 20.0, rate())),
        (
            "band_stop",
            "low_hz = 18\nhigh_hz = 22\norder = 2",
            butterworth::bandstop(2, 18.0, 22.0, rate()),
        ),
        (
            "high_pass",
            "edge_hz = 2\nfamily = \"chebyshev2\"",
            chebyshev::highpass(4, 30.0, 2.0, rate()),
        ),
        (
            "low_pass",
            "edge_hz = 20\nfamily = \"chebyshev2\"\nstop_db = 50",
            chebyshev::lowpass(4, 50.0, 20.0, rate()),
        ),
        (
            "band_stop",
            "low_hz = 15\nhigh_hz = 25\nfamily = \"chebyshev2\"",
            chebyshev::bandstop(4, 30.0, 15.0, 25.0, rate()),
        ),
    ];
    for (step, parameters, design) in cases {
        let expected = expected(4, sections(design.unwrap()));
        assert_eq!(behind(step, parameters, 4), expected, "{step} {parameters}");
    }
}

#[test]
fn impulse_responses_are_the_librarys() {
    let band = Band::Bandpass { low_hz: 8.0, high_hz: 30.0 };
    let auto = |band| {
        with_transitions(band, Transitions::auto(band, rate()), Taper::Hamming, rate()).unwrap()
    };
    let given = Transitions { low_hz: 3.0, high_hz: 5.0 };
    let kaiser = Taper::Kaiser { beta: 5.0 };
    let cases = [
        ("low_hz = 8\nhigh_hz = 30", auto(band)),
        ("low_hz = 8", auto(Band::Highpass { edge_hz: 8.0 })),
        ("high_hz = 30\ntaper = \"hann\"", {
            let band = Band::Lowpass { edge_hz: 30.0 };
            with_transitions(band, Transitions::auto(band, rate()), Taper::Hann, rate()).unwrap()
        }),
        (
            "low_hz = 8\nhigh_hz = 30\ntransitions_hz = [3, 5]",
            with_transitions(band, given, Taper::Hamming, rate()).unwrap(),
        ),
        (
            "low_hz = 18\nhigh_hz = 22\nbetween = \"stop\"\nn_taps = 41\ntaper = { kaiser = { beta = 5 } }",
            windowed(41, Band::Bandstop { low_hz: 18.0, high_hz: 22.0 }, kaiser, rate()).unwrap(),
        ),
        (
            "low_hz = 8\nhigh_hz = 30\nphase = \"minimum\"",
            minimum_phase(&auto(band), Magnitude::Kept).unwrap(),
        ),
    ];
    for (parameters, design) in cases {
        assert_eq!(behind("fir", parameters, 4), expected(4, taps(&design)), "{parameters}");
    }
}

#[test]
fn a_comb_is_the_librarys() {
    for (parameters, line_hz, quality, teeth) in [
        ("line_hz = 25", 25.0, 30.0, Teeth::Every),
        ("line_hz = 10\nquality = 5\nteeth = \"odd\"", 10.0, 5.0, Teeth::Odd),
    ] {
        let comb = comb::Comb::design(line_hz, quality, teeth, rate()).unwrap();
        let mut filter = CombFilter::new(comb, 4);
        let filter: Filter = Box::new(move |is_first, frame| {
            if is_first {
                filter.start_at(frame);
            }
            filter.process_frame(frame);
        });
        assert_eq!(behind("comb", parameters, 4), expected(4, filter), "{parameters}");
    }
}

#[test]
fn maps_over_channels_are_the_librarys() {
    let labels = &TEN_TEN[..6];
    let places: Vec<_> =
        labels.iter().map(|l| direction(l).unwrap().map(|x| x * HEAD_RADIUS_M)).collect();
    let spline = SphericalSpline::default();
    let field = |i: usize, k: usize| 1.0 + ((3 * i + 5 * k) as f64).sin();
    let rows: Vec<Vec<f64>> = (0..6).map(|i| (0..4).map(|k| field(i, k)).collect()).collect();
    // The rows stand in another order than the channels, one more among them.
    let mut named: Vec<_> =
        labels.iter().zip(&rows).map(|(l, r)| (l.to_lowercase(), r.clone())).collect();
    named.reverse();
    named.insert(2, ("Oz".to_owned(), vec![1.0; 4]));
    let (names, field_rows): (Vec<_>, Vec<_>) = named.into_iter().unzip();
    let rest_parameters = format!("channels = {names:?}\nlead_field = {field_rows:?}");
    let cases = [
        (
            "bipolar",
            "pairs = [[\"c3\", \"Cz\"], [\"C4\", \"Cz\"]]".to_owned(),
            ChannelMap::bipolar(labels, &[("C3", "Cz"), ("C4", "Cz")]).unwrap(),
        ),
        (
            "current_source_density",
            String::new(),
            spline.current_source_density(labels, &places, [0.0; 3], HEAD_RADIUS_M).unwrap(),
        ),
        (
            "current_source_density",
            "stiffness = 3\nlambda = 0.001\nn_terms = 20".to_owned(),
            SphericalSpline { stiffness: 3, lambda: 0.001, n_terms: 20 }
                .current_source_density(labels, &places, [0.0; 3], HEAD_RADIUS_M)
                .unwrap(),
        ),
        (
            "interpolate",
            "channels = [\"cz\"]".to_owned(),
            spline.interpolation(labels, &places, [0.0; 3], &["Cz"]).unwrap(),
        ),
        ("rest", rest_parameters, rest(labels, Mat::from_fn(6, 4, field).as_ref()).unwrap()),
    ];
    for (step, parameters, library) in cases {
        let expected = expected(6, map(&library, 6));
        assert_eq!(behind(step, &parameters, 6), expected, "{step} {parameters}");
    }
}

#[test]
fn parameters_that_no_stream_can_use_are_refused() {
    let refused =
        |step, parameters| pipeline(&[(step, parameters), ("log_variance", "")]).unwrap_err();
    for (step, parameters, expected) in [
        ("high_pass", "", "missing field `edge_hz`"),
        (
            "low_pass",
            "edge_hz = 8\nstop_db = 30",
            "stop_db: it is for family = \"chebyshev2\" alone",
        ),
        ("low_pass", "edg_hz = 8", "did you mean `edge_hz`?"),
        ("fir", "", "name at least one of low_hz and high_hz"),
        (
            "fir",
            "low_hz = 8\nbetween = \"stop\"",
            "to stop what is between, name low_hz and high_hz",
        ),
        ("fir", "low_hz = 8\nn_taps = 5\ntransitions_hz = [1, 1]", "not both"),
        ("fir", "low_hz = 8\ntaper = { kaiser = { beta = 5 } }", "a Kaiser taper has no rule"),
        ("bipolar", "pairs = []", "name at least one pair"),
        ("bipolar", "pairs = [[\"Cz\", \"CZ\"]]", "Cz less itself is nothing"),
        ("current_source_density", "stiffness = 1", "stiffness: it is at least 2"),
        ("current_source_density", "n_terms = 0", "n_terms: it is from 1 to 1000"),
        ("interpolate", "channels = []", "name at least one channel"),
        ("interpolate", "channels = [\"Cz\"]\nlambda = -1", "lambda: it is a finite number"),
        ("rest", "channels = [\"Cz\"]\nlead_field = []", "0 rows for 1 channels"),
        ("rest", "channels = [\"Cz\", \"C3\"]\nlead_field = [[1, 2], [1]]", "rows of equal length"),
        ("rest", "channels = [\"Cz\"]\nlead_field = [[nan]]", "all of its values are finite"),
    ] {
        let error = refused(step, parameters);
        assert!(error.contains(expected), "{step}: {error}");
    }
}

#[test]
fn what_does_not_fit_the_stream_is_refused_when_it_is_planned() {
    let refused = |step, parameters| {
        samples_behind(&[(step, parameters)], 4).err().map(|e| e.to_string()).expect(step)
    };
    for (step, parameters, expected) in [
        ("high_pass", "edge_hz = 60", "60 Hz is not between 0 and 50 Hz"),
        ("low_pass", "edge_hz = 20\norder = 99", "a filter of order 99"),
        ("band_stop", "low_hz = 20\nhigh_hz = 10", "the band 20-10 Hz is empty"),
        ("fir", "low_hz = 60", "60 Hz is not between 0 and 50 Hz"),
        ("fir", "low_hz = 8\nn_taps = 40", "an impulse response of 40 taps"),
        ("comb", "line_hz = 30", "needs a rate that is a multiple of that, not 100 Hz"),
        ("comb", "line_hz = 25\nquality = 0", "a notch of quality 0"),
        ("bipolar", "pairs = [[\"Cz\", \"Oz\"]]", "picks channel Oz"),
        ("interpolate", "channels = [\"Oz\"]", "picks channel Oz"),
        ("rest", "channels = [\"Cz\"]\nlead_field = [[1]]", "there is no channel \"C3\""),
    ] {
        let error = refused(step, parameters);
        assert!(error.contains(expected), "{step}: {error}");
    }
}
