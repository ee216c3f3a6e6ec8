//! Decoders that follow a drifting signal: each step uses the past alone, and every step
//! size may be governed.
