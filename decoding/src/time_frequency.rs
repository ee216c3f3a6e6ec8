//! Power over time and frequency: wavelets, and its change against a baseline.
