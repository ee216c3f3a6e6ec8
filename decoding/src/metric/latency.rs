//! Percentiles of decision times, recorded without allocation.

use serde::{Deserialize, Serialize};

/// Sub-buckets per power of two: relative resolution 1/64, so 1.6 %.
const SUB_BUCKETS: u64 = 64;
const SUB_BITS: u32 = SUB_BUCKETS.trailing_zeros();
/// Exact values below [`SUB_BUCKETS`], then one row of sub-buckets per power of two.
const N_BUCKETS: usize = (SUB_BUCKETS * (64 - SUB_BITS as u64 + 1)) as usize;

/// A histogram of durations of any length (1 ns to centuries) in fixed memory
/// (30 KiB): buckets are 1/64 of a power of two wide, exact below 64 ns.
#[derive(Clone, Debug)]
pub struct LatencyRecorder {
    counts: Box<[u64]>,
    n: u64,
    max_nanos: u64,
}

/// Decision times of a session. Percentiles never understate: each is the upper edge
/// of its bucket, at most 1/64 above the true value; the maximum is exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LatencySummary {
    /// Durations recorded.
    pub n: u64,
    /// Half of the durations are at most this.
    pub p50_nanos: u64,
    /// 99 of 100 durations are at most this.
    pub p99_nanos: u64,
    /// The longest duration.
    pub max_nanos: u64,
}

impl Default for LatencyRecorder {
    fn default() -> Self {
        Self::new()
    }
}

impl LatencyRecorder {
    /// Empty. Allocates once, here.
    pub fn new() -> Self {
        Self { counts: vec![0; N_BUCKETS].into_boxed_slice(), n: 0, max_nanos: 0 }
    }

    /// Counts one duration. Thread: any, the decoding thread's included. Allocation: none.
    pub fn record(&mut self, nanos: u64) {
        self.counts[bucket(nanos)] += 1;
        self.n += 1;
        self.max_nanos = self.max_nanos.max(nanos);
    }

    /// Adds what another recorder counted.
    pub fn merge(&mut self, other: &Self) {
        for (a, b) in self.counts.iter_mut().zip(&other.counts) {
            *a += b;
        }
        self.n += other.n;
        self.max_nanos = self.max_nanos.max(other.max_nanos);
    }

    /// The percentiles so far; all zero where nothing was recorded. No allocation.
    pub fn summary(&self) -> LatencySummary {
        LatencySummary {
            n: self.n,
            p50_nanos: self.percentile(50),
            p99_nanos: self.percentile(99),
            max_nanos: self.max_nanos,
        }
    }

    /// Nearest rank: the smallest bucket that `percent` of the durations do not exceed.
    fn percentile(&self, percent: u64) -> u64 {
        let rank = (u128::from(self.n) * u128::from(percent)).div_ceil(100) as u64;
        let mut seen = 0;
        for (i, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= rank.max(1) {
                return upper_edge(i).min(self.max_nanos);
            }
        }
        0
    }
}

fn bucket(nanos: u64) -> usize {
    // The power of two a value lies in, counted from the row of exact values.
    let row = (64 - SUB_BITS).saturating_sub(nanos.leading_zeros());
    match row {
        0 => nanos as usize,
        _ => (u64::from(row) * SUB_BUCKETS + (nanos >> (row - 1)) - SUB_BUCKETS) as usize,
    }
}

fn upper_edge(bucket: usize) -> u64 {
    let (row, sub) = (bucket as u64 / SUB_BUCKETS, bucket as u64 % SUB_BUCKETS);
    match row {
        0 => sub,
        _ => ((u128::from(SUB_BUCKETS + sub + 1) << (row - 1)) - 1) as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_duration_has_a_bucket() {
        assert_eq!(bucket(u64::MAX), N_BUCKETS - 1);
        assert_eq!(upper_edge(N_BUCKETS - 1), u64::MAX);
        for exact in 0..128 {
            assert_eq!(upper_edge(bucket(exact)), exact);
        }
        assert_eq!(LatencyRecorder::new().summary(), LatencySummary::default());
    }

    proptest! {
        #[test]
        fn percentiles_never_understate_and_are_within_one_in_64(
            mut nanos in prop::collection::vec(0_u64..1 << 40, 1..300)
        ) {
            let (mut a, mut b) = (LatencyRecorder::new(), LatencyRecorder::new());
            for (i, n) in nanos.iter().enumerate() {
                if i % 3 == 0 { a.record(*n) } else { b.record(*n) }
            }
            a.merge(&b);
            nanos.sort_unstable();
            let rank = |percent: usize| nanos[(nanos.len() * percent).div_ceil(100) - 1];
            let found = a.summary();
            for (got, want) in [(found.p50_nanos, rank(50)), (found.p99_nanos, rank(99))] {
                prop_assert!(want <= got && got <= want + want / 64, "{got} for {want}");
            }
            prop_assert_eq!(Some(&found.max_nanos), nanos.last());
            prop_assert_eq!(found.n, nanos.len() as u64);
        }
    }
}
