//! How channels go together: coherence and phase measures over epochs, over time and
//! sliding, envelopes, autoregressive models with their directed measures, and graphs.
