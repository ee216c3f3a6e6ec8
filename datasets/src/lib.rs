//! Recordings and datasets: readers of file formats, the catalogue of public
//! datasets, their download, epochs and chronological splits.
//!
//! This package is *not* about live streams (`acquisition`), filters, features or
//! scores (`decoding`). It turns files into the vocabulary of `acquisition`, in
//! bounded memory, and says what was wrong with them.

pub mod catalog;
pub mod download;
pub mod epoch;
pub mod folds;
pub mod reader;
pub mod split;
