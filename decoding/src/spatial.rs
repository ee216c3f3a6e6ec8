//! Channel algebra that is fitted to no class: re-references, Laplacians and
//! interpolation, each a matrix over the channels of a frame.
