//! Spatial filters: weights over channels that are fitted to examples, so that what is
//! left tells the classes apart. They are *not* re-references, which are fitted to
//! nothing (those are in [`spatial`](crate::spatial)).

pub mod csp;
