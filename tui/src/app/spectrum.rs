//! The spectrum of one channel, for the eye.

use acquisition::time::SampleRate;
use decoding::psd::welch::WelchPlan;

/// Seconds of samples a spectrum is made of.
pub const SPECTRUM_SECS: f64 = 4.0;

/// Highest frequency shown, in hertz.
pub const MAX_HZ: usize = 45;

/// A named range of frequencies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Band {
    /// Its name.
    pub name: &'static str,
    /// Its Greek letter.
    pub letter: &'static str,
    /// First frequency, inclusive.
    pub low_hz: usize,
    /// Last frequency, exclusive.
    pub high_hz: usize,
}

/// The usual bands of EEG and MEG.
pub const BANDS: [Band; 5] = [
    Band { name: "delta", letter: "δ", low_hz: 1, high_hz: 4 },
    Band { name: "theta", letter: "θ", low_hz: 4, high_hz: 8 },
    Band { name: "alpha", letter: "α", low_hz: 8, high_hz: 13 },
    Band { name: "beta", letter: "β", low_hz: 13, high_hz: 30 },
    Band { name: "gamma", letter: "γ", low_hz: 30, high_hz: 46 },
];

/// Power spectral density at 1, 2, … Hz.
#[derive(Clone, Debug, PartialEq)]
pub struct Spectrum {
    /// The channel.
    pub channel: usize,
    /// Decibels re 1 unit²/Hz; entry `k` is `k + 1` Hz. Empty where there was too
    /// little to tell, or samples were not finite.
    pub density_db: Vec<f64>,
}

impl Spectrum {
    /// The spectrum of a channel's newest samples by Welch's method: one-second Hann
    /// segments that overlap by half. Plans anew, so it is made once per second.
    pub fn of(channel: usize, samples: &[f32], rate: SampleRate) -> Self {
        let empty = Self { channel, density_db: Vec::new() };
        let n_segment = rate.hz().round() as usize;
        if samples.iter().any(|x| !x.is_finite()) {
            return empty;
        }
        let Ok(mut plan) = WelchPlan::new(samples.len(), rate, n_segment, n_segment / 2) else {
            return empty;
        };
        let samples: Vec<f64> = samples.iter().copied().map(f64::from).collect();
        let mut density = vec![0.0; plan.n_bins()];
        plan.run(&samples, &mut density);
        // Segments last one second, so bin k lies at k hertz.
        let shown = density.iter().skip(1).take(MAX_HZ);
        Self { channel, density_db: shown.map(|d| 10.0 * d.max(1e-12).log10()).collect() }
    }

    /// Mean density of a band in decibels; `None` where it was not measured.
    pub fn band_db(&self, band: Band) -> Option<f64> {
        let high = (band.high_hz - 1).min(self.density_db.len());
        let bins = self.density_db.get(band.low_hz - 1..high).filter(|bins| !bins.is_empty())?;
        let mean = bins.iter().map(|db| 10_f64.powf(db / 10.0)).sum::<f64>() / bins.len() as f64;
        Some(10.0 * mean.log10())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::TAU;

    fn rate(hz: f64) -> SampleRate {
        SampleRate::new(hz).unwrap()
    }

    fn sine(hz: f64, amplitude: f64, rate_hz: f64) -> Vec<f32> {
        let n = (SPECTRUM_SECS * rate_hz) as i32;
        (0..n).map(|k| (amplitude * (TAU * hz * f64::from(k) / rate_hz).sin()) as f32).collect()
    }

    /// A sine of amplitude A has power A²/2; at its own bin Welch's density is that
    /// over the Hann window's noise bandwidth, 1.5 bins of 1 Hz.
    #[test]
    fn a_sine_stands_at_its_frequency_with_its_power() {
        let spectrum = Spectrum::of(0, &sine(10.0, 20.0, 160.0), rate(160.0));
        let expected = 10.0 * (200.0_f64 / 1.5).log10();
        assert!((spectrum.density_db[9] - expected).abs() < 1e-3, "{:?}", spectrum.density_db);
        assert!(spectrum.density_db[20] < -40.0);
        assert!(spectrum.band_db(BANDS[2]).unwrap() > spectrum.band_db(BANDS[3]).unwrap() + 40.0);
    }

    #[test]
    fn bands_beyond_the_rate_are_absent() {
        let spectrum = Spectrum::of(0, &sine(5.0, 1.0, 50.0), rate(50.0));
        assert_eq!(spectrum.density_db.len(), 25);
        assert!(spectrum.band_db(BANDS[3]).is_some() && spectrum.band_db(BANDS[4]).is_none());
        assert!(Spectrum::of(0, &[f32::NAN; 50], rate(50.0)).density_db.is_empty());
    }
}
