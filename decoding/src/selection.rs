//! Which features to keep, and what is left of a map after correction for having looked
//! at all of it.
