//! The effective rate: frames per second over the last seconds.

/// Most observations kept; older ones leave.
const CAPACITY: usize = 64;

/// Estimates a rate from a running count looked at every now and then: the slope
/// between the oldest and the newest look within `window_secs`.
///
/// Looks closer together than 1/32 of the window replace each other, so the memory
/// is fixed however often it is asked. No clock, no allocation after it was made.
#[derive(Clone, Debug)]
pub struct RateMeter {
    window_nanos: u64,
    looks: Vec<(u64, u64)>,
}

impl RateMeter {
    /// A meter over the last `window_secs`.
    ///
    /// # Panics
    /// If the window is not positive.
    pub fn new(window_secs: f64) -> Self {
        assert!(window_secs > 0.0, "a rate is measured over some time");
        Self { window_nanos: (window_secs * 1e9) as u64, looks: Vec::with_capacity(CAPACITY) }
    }

    /// Notes that `n_total` frames had arrived by `now_nanos`.
    pub fn observe(&mut self, now_nanos: u64, n_total: u64) {
        let stride = self.window_nanos / 32;
        if let [.., (before, _), _] = self.looks[..]
            && now_nanos.saturating_sub(before) < stride
        {
            self.looks.pop();
        }
        // The newest look at or before the window's start stays: it is the window's
        // left edge.
        let start = now_nanos.saturating_sub(self.window_nanos);
        while self.looks.len() >= CAPACITY || self.looks.get(1).is_some_and(|l| l.0 <= start) {
            self.looks.remove(0);
        }
        self.looks.push((now_nanos, n_total));
    }

    /// Frames per second, once two looks lie at least a tenth of the window apart.
    pub fn hz(&self) -> Option<f64> {
        let (&(t0, n0), &(t1, n1)) = (self.looks.first()?, self.looks.last()?);
        let nanos = t1.saturating_sub(t0);
        (nanos >= self.window_nanos / 10 && nanos > 0)
            .then(|| n1.saturating_sub(n0) as f64 / (nanos as f64 * 1e-9))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Looks every `step` ms at a stream of `rate` that stops after `stop` seconds.
    fn meter(step_ms: u64, rate: f64, stop_secs: f64, until_secs: f64) -> RateMeter {
        let mut meter = RateMeter::new(5.0);
        let mut ms = 0;
        while (ms as f64) * 1e-3 <= until_secs {
            let secs = (ms as f64 * 1e-3).min(stop_secs);
            meter.observe(ms * 1_000_000, (secs * rate) as u64);
            ms += step_ms;
        }
        meter
    }

    #[test]
    fn the_slope_of_a_steady_stream_is_its_rate() {
        for step_ms in [1, 7, 33, 400] {
            let hz = meter(step_ms, 250.0, f64::INFINITY, 30.0).hz().unwrap();
            // One frame of rounding at either end of five seconds.
            assert!((hz - 250.0).abs() < 0.5, "{hz} Hz looked at every {step_ms} ms");
        }
    }

    #[test]
    fn a_stream_that_stopped_has_no_rate_left() {
        assert_eq!(meter(33, 250.0, 10.0, 20.0).hz(), Some(0.0));
        assert_eq!(meter(33, 250.0, 10.0, 0.1).hz(), None);
    }
}
