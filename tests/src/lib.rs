//! What the tests of the whole product share: a simulated world, pipelines of every step,
//! golden values, recordings where there are any, the command line as a process, and an
//! allocator that counts. It is *not* part of the product.

#![expect(clippy::missing_panics_doc, reason = "a test's helper fails by a panic")]

pub mod alloc;
pub mod cli;
pub mod data;
pub mod edf;
pub mod examples;
pub mod golden;
pub mod python;
pub mod world;
