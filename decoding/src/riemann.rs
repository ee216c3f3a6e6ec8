//! Geometry of symmetric positive definite (SPD) matrices: mathematics alone.
//!
//! Nothing here knows where the matrices come from. The metric is the affine-invariant
//! one wherever no other is named; [`Metric`] names them. Arguments are full symmetric matrices; of an input
//! only the lower triangle is trusted, of an output both are filled.
//!
//! Everything runs on the caller's thread, but the batch functions of [`mean`], which
//! use the caller's rayon pool and give the same bits on any number of threads.

pub mod covariance;
pub mod distance;
pub mod mean;
pub mod metric;
pub mod spd;
pub mod tangent;
pub mod transfer;

pub use metric::Metric;
pub use spd::RiemannError;

#[cfg(test)]
mod tests;
