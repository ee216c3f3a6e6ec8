//! Readers, catalogue, epochs, splits: to come.
