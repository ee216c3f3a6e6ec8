//! Integers that plans are made of.

/// Greatest common divisor.
pub(crate) fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// The smallest multiple of `multiple` (1 or 2) from `n` on without prime factors above 5:
/// a length that a Fourier transform is fast at.
pub(crate) fn smooth_len(n: usize, multiple: usize) -> usize {
    let smooth = |n: usize| {
        let mut rest = n;
        for p in [2, 3, 5] {
            while rest.is_multiple_of(p) {
                rest /= p;
            }
        }
        rest == 1
    };
    let n = n.max(2).next_multiple_of(multiple);
    (n..=n.next_power_of_two()).step_by(multiple).find(|n| smooth(*n)).unwrap_or(n)
}
