//! Four numbers side by side, each on its own: what a vector register holds.

#![expect(clippy::inline_always, reason = "only what is inlined uses the vector registers")]

use std::array::from_fn;
use std::ops::{Add, Div, Mul, Sub};

/// Numbers side by side.
pub(crate) const WIDTH: usize = 4;

/// One number of each of [`WIDTH`] computations.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(32))]
pub(super) struct Lanes(pub(super) [f64; WIDTH]);

impl Lanes {
    pub(super) const ZERO: Self = Self::splat(0.0);

    pub(super) const fn splat(x: f64) -> Self {
        Self([x; WIDTH])
    }

    #[inline(always)]
    pub(super) fn sqrt(self) -> Self {
        Self(self.0.map(f64::sqrt))
    }

    #[inline(always)]
    pub(super) fn greater(self, other: Self) -> Mask {
        Mask(from_fn(|k| self.0[k] > other.0[k]))
    }
}

/// A choice for each computation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mask([bool; WIDTH]);

impl Mask {
    /// `yes` where set, `no` elsewhere.
    #[inline(always)]
    pub(super) fn choose(self, yes: Lanes, no: Lanes) -> Lanes {
        Lanes(from_fn(|k| if self.0[k] { yes.0[k] } else { no.0[k] }))
    }
}

macro_rules! elementwise {
    ($($trait:ident :: $method:ident),*) => {$(
        impl $trait for Lanes {
            type Output = Self;

            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                Self(from_fn(|k| self.0[k].$method(other.0[k])))
            }
        }
    )*};
}

elementwise!(Add::add, Sub::sub, Mul::mul, Div::div);
