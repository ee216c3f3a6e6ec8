//! What is not brain: bad channels found, artefacts cleaned or windows refused.
