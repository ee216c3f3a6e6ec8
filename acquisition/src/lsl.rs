//! Lab Streaming Layer: finding streams, reading and writing them, and the words
//! their descriptions use. The [`crate::source::Source`] made of these parts is
//! [`crate::source::lsl`]; clocks and losses are [`crate::sync`]'s.
//!
//! Descriptions and outlets go through the `lsl` crate. Discovery and inlets call
//! liblsl directly, in `ffi`: the crate's inlet allocates for every sample, and
//! neither it nor what the crate discovers can change threads. liblsl's own post-processing of time stamps is never used.
//!
//! # Reference
//! Kothe et al., "The Lab Streaming Layer for synchronized multimodal recording",
//! Imaging Neuroscience 3 (2025), doi:10.1162/IMAG.a.136. The vocabulary of stream
//! descriptions is that of the XDF project's wiki page "Meta-Data".

mod ffi;
pub mod inlet;
pub mod metadata;
pub mod outlet;
pub mod resolve;

pub use resolve::{Found, Query, resolve};

use crate::time::LslTime;
use serde::Serialize;

/// What a served stream's marker outlet says at sample 0.
pub const START_MARKER: &str = "mindloop:start";

/// What it says after the last sample.
pub const END_MARKER: &str = "mindloop:end";

/// What the name and the `source_id` of a stream's marker stream end in.
pub const MARKERS_SUFFIX: &str = "-markers";

/// The local LSL clock, now.
pub fn local_clock() -> LslTime {
    LslTime(::lsl::local_clock())
}

/// How a stream's values are transmitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// 32-bit floating point.
    Float32,
    /// 64-bit floating point.
    Double64,
    /// Text: markers.
    String,
    /// 8-bit integers.
    Int8,
    /// 16-bit integers.
    Int16,
    /// 32-bit integers.
    Int32,
    /// 64-bit integers.
    Int64,
    /// The sender declared none.
    Undefined,
}

impl Format {
    /// Its name, as in a stream's description.
    pub fn name(self) -> &'static str {
        match self {
            Self::Float32 => "float32",
            Self::Double64 => "double64",
            Self::String => "string",
            Self::Int8 => "int8",
            Self::Int16 => "int16",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Undefined => "undefined",
        }
    }

    /// Whether values are numbers.
    pub fn is_numeric(self) -> bool {
        !matches!(self, Self::String | Self::Undefined)
    }

    /// Whether every value is exact in an `f32`.
    pub(crate) fn fits_f32(self) -> bool {
        matches!(self, Self::Float32 | Self::Int8 | Self::Int16)
    }
}

impl From<::lsl::ChannelFormat> for Format {
    fn from(format: ::lsl::ChannelFormat) -> Self {
        match format {
            ::lsl::ChannelFormat::Float32 => Self::Float32,
            ::lsl::ChannelFormat::Double64 => Self::Double64,
            ::lsl::ChannelFormat::String => Self::String,
            ::lsl::ChannelFormat::Int8 => Self::Int8,
            ::lsl::ChannelFormat::Int16 => Self::Int16,
            ::lsl::ChannelFormat::Int32 => Self::Int32,
            ::lsl::ChannelFormat::Int64 => Self::Int64,
            ::lsl::ChannelFormat::Undefined => Self::Undefined,
        }
    }
}
