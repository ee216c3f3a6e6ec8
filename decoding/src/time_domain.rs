//! Descriptions of a window that need no spectrum: Hjorth parameters, line length.
