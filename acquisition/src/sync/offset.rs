//! The offset between two clocks, from probes.

/// Probes remembered.
const CAPACITY: usize = 16;

/// One answered probe.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Probe {
    /// What to add to the sender's stamps to get local ones, as measured.
    pub offset_secs: f64,
    /// Round-trip time: the offset is off by at most half of it.
    pub round_trip_secs: f64,
}

/// A robust offset from the last probes: the median over those whose round trip is
/// at most twice the shortest one's.
///
/// Queues on the way delay one direction of a probe and shift its offset by half the
/// delay, so probes with long round trips say little; among the good ones the median
/// ignores what single packets suffered. A probe without an answer is not handed in
/// and changes nothing.
///
/// # Reference
/// The minimum filter is that of the Network Time Protocol: Mills, RFC 5905 (2010),
/// section 10, doi:10.17487/RFC5905. The median over its survivors is ours.
#[derive(Clone, Debug, Default)]
pub struct OffsetFilter {
    probes: [Option<Probe>; CAPACITY],
    next: usize,
}

impl OffsetFilter {
    /// Takes an answered probe in; ones that are no numbers are ignored.
    pub fn push(&mut self, probe: Probe) {
        if probe.offset_secs.is_finite() && probe.round_trip_secs.is_finite() {
            self.probes[self.next] = Some(probe);
            self.next = (self.next + 1) % CAPACITY;
        }
    }

    /// Forgets everything: another clock answers now.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// The offset to add to the sender's stamps, once a probe was answered.
    /// Allocation: none.
    pub fn offset_secs(&self) -> Option<f64> {
        let best = self.best_round_trip_secs()?;
        let mut kept = [0.0; CAPACITY];
        let mut n = 0;
        for probe in self.probes.iter().flatten().filter(|p| p.round_trip_secs <= 2.0 * best) {
            kept[n] = probe.offset_secs;
            n += 1;
        }
        kept[..n].sort_unstable_by(f64::total_cmp);
        Some(f64::midpoint(kept[(n - 1) / 2], kept[n / 2]))
    }

    /// The shortest round trip among the probes remembered; the offset is good to
    /// about half of it.
    pub fn best_round_trip_secs(&self) -> Option<f64> {
        // A round trip can't be negative; clamping keeps "twice the best" meaningful.
        self.probes.iter().flatten().map(|p| p.round_trip_secs.max(0.0)).min_by(f64::total_cmp)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nothing_is_known_before_the_first_probe() {
        let mut filter = OffsetFilter::default();
        filter.push(Probe { offset_secs: f64::NAN, round_trip_secs: 0.001 });
        assert_eq!(filter.offset_secs(), None);
    }

    proptest! {
        /// Each direction of a probe takes at least 0.1 ms and some are held up in
        /// one direction: the estimate stays within the best probe's own bound.
        #[test]
        fn delays_in_one_direction_do_not_move_it(
            delays in prop::collection::vec((0.0_f64..0.0001, prop_oneof![4 => Just(0.0_f64), 1 => 0.005..0.2]), 8..40),
            true_offset in -1e4_f64..1e4,
        ) {
            let mut filter = OffsetFilter::default();
            // One undisturbed probe, as a network that works at all gives.
            filter.push(Probe { offset_secs: true_offset, round_trip_secs: 0.0002 });
            for (there, held_up) in delays.iter().take(CAPACITY - 1) {
                let (out, back) = (0.0001 + there + held_up, 0.0001);
                filter.push(Probe {
                    offset_secs: true_offset + (out - back) / 2.0,
                    round_trip_secs: out + back,
                });
            }
            let error = (filter.offset_secs().unwrap() - true_offset).abs();
            // Survivors have round trips up to 0.4 ms, so offsets within 0.1 ms.
            prop_assert!(error <= 0.0002, "{} s", error);
        }
    }
}
