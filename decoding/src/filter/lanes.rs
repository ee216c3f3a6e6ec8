//! Channels as vector lanes: what the inner loops of the filters share.
//!
//! A lane does what a scalar loop would, in the same order and without fused
//! multiply-add, so results do not depend on the width of the machine's vectors.
#![expect(clippy::inline_always, reason = "the vector instructions are those of the caller")]

use fearless_simd::prelude::*;

/// `V` vectors of a frame from `values` on; what is missing of a last one is zero.
#[inline(always)]
pub fn load<S: Simd, F: SimdFloat<S, Element = f64>, const V: usize>(
    simd: S,
    values: &[f64],
) -> [F; V] {
    let mut vectors = [F::splat(simd, 0.0); V];
    if values.len() == V * F::LEN {
        for (vector, chunk) in vectors.iter_mut().zip(values.chunks_exact(F::LEN)) {
            *vector = F::from_slice(simd, chunk);
        }
    } else {
        for (lane, value) in vectors[0].as_mut_slice().iter_mut().zip(values) {
            *lane = *value;
        }
    }
    vectors
}

/// The reverse of [`load`].
#[inline(always)]
pub fn store<S: Simd, F: SimdFloat<S, Element = f64>, const V: usize>(
    values: &mut [f64],
    vectors: [F; V],
) {
    if values.len() == V * F::LEN {
        for (chunk, vector) in values.chunks_exact_mut(F::LEN).zip(vectors) {
            vector.store_slice(chunk);
        }
    } else {
        for (value, lane) in values.iter_mut().zip(vectors[0].as_slice()) {
            *value = *lane;
        }
    }
}
