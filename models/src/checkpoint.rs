//! The versioned model file: JSON with exact numbers, and a digest of its content.
//!
//! Every `f64` is written with the shortest text that reads back to the same bits, so a
//! model decides the same before and after it was saved.

use decoding::evaluate::labels::TaskInterval;
use decoding::front_end::FrontEndSpec;
use decoding::pipeline::FittedPipeline;
use decoding::session::event::MAX_CLASSES;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

/// The version this program writes; it reads this one only.
pub const FORMAT_VERSION: u32 = 2;
/// First word of every model file.
const FORMAT: &str = "mindloop-model";
/// Largest file that is read: far above any model, far below any memory.
const MAX_FILE_BYTES: u64 = 256 << 20;

/// Everything a decision depends on, and where it came from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// Class names, idle first.
    pub classes: Vec<String>,
    /// Marker text of each class's cue, in the order of `classes[1..]`.
    pub cue_texts: Vec<String>,
    /// When the task runs, relative to its cue.
    pub interval: TaskInterval,
    /// Labels of the channels decoded from, in the decoder's order.
    pub channels: Vec<String>,
    /// Nominal rate in hertz.
    pub rate_hz: f64,
    /// Filter and windows.
    pub front_end: FrontEndSpec,
    /// The fitted pipeline.
    pub decoder: FittedPipeline,
    /// What it was fitted on, in words, for people.
    pub trained_on: Vec<TrainingData>,
    /// Whether a simulator made the training data.
    pub simulated: bool,
}

/// One recording a model was fitted on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingData {
    /// File or simulation, by name.
    pub name: String,
    /// SHA-256 of its decoded samples and markers.
    pub sha256: String,
}

/// Why a model file could not be written or read. The path stands last.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// Check that the path exists and may be read or written.
    #[error("model file can't be {action}: {}", path.display())]
    Io {
        /// `read` or `written`.
        action: &'static str,
        /// What the system said.
        source: io::Error,
        /// The file.
        path: PathBuf,
    },
    /// It is not a model file: check the path.
    #[error("not a mindloop model file ({why}): {}", path.display())]
    NotAModel {
        /// What is wrong with it.
        why: String,
        /// The file.
        path: PathBuf,
    },
    /// Another program version wrote it: train again, or use that version.
    #[error("model file has version {found}, this program reads {FORMAT_VERSION}: {}", path.display())]
    Version {
        /// Its version.
        found: u32,
        /// The file.
        path: PathBuf,
    },
    /// Its content is not what was written: copy it again or train again.
    #[error("model file is damaged, its digest does not match: copy it again or train again: {}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
}

#[derive(Serialize, Deserialize)]
struct Envelope {
    format: String,
    version: u32,
    sha256: String,
    model: Model,
}

/// Read before the rest, so that another version gets its own message.
#[derive(Deserialize)]
struct Head {
    format: String,
    version: u32,
}

/// SHA-256 of `bytes` in hexadecimal.
pub fn sha256_hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        write!(text, "{byte:02x}").expect("writing into a string can't fail");
    }
    text
}

impl Model {
    /// Writes the model to `path`: to a neighbouring file first, then renamed, so that a
    /// crash never leaves half a model.
    #[expect(clippy::missing_panics_doc, reason = "a model is plain data, which always serialises")]
    pub fn save(&self, path: &Path) -> Result<(), CheckpointError> {
        let envelope = Envelope {
            format: FORMAT.to_owned(),
            version: FORMAT_VERSION,
            sha256: self.digest(),
            model: self.clone(),
        };
        let text = serde_json::to_vec(&envelope).expect("a model is plain data");
        let io = |source| CheckpointError::Io { action: "written", source, path: path.into() };
        let mut partial = path.as_os_str().to_owned();
        partial.push(".part");
        let partial = PathBuf::from(partial);
        let mut file = fs::File::create(&partial).map_err(io)?;
        file.write_all(&text).and_then(|()| file.sync_all()).map_err(io)?;
        fs::rename(&partial, path).map_err(io)
    }

    /// Reads and checks a model file.
    pub fn load(path: &Path) -> Result<Self, CheckpointError> {
        let bytes = read_bounded(path)?;
        let not_a_model =
            |why: String| CheckpointError::NotAModel { why, path: path.to_path_buf() };
        let head: Head = serde_json::from_slice(&bytes).map_err(|e| not_a_model(e.to_string()))?;
        if head.format != FORMAT {
            return Err(not_a_model("its format is another one".to_owned()));
        }
        if head.version != FORMAT_VERSION {
            return Err(CheckpointError::Version { found: head.version, path: path.into() });
        }
        let envelope: Envelope =
            serde_json::from_slice(&bytes).map_err(|e| not_a_model(e.to_string()))?;
        if envelope.model.digest() != envelope.sha256 {
            return Err(CheckpointError::Damaged { path: path.into() });
        }
        envelope.model.check().map_err(not_a_model)?;
        Ok(envelope.model)
    }

    /// SHA-256 of the model's canonical text: the identity that logs and reports carry.
    #[expect(clippy::missing_panics_doc, reason = "a model is plain data, which always serialises")]
    pub fn digest(&self) -> String {
        sha256_hex(&serde_json::to_vec(self).expect("a model is plain data"))
    }

    /// Lists that must agree with each other.
    fn check(&self) -> Result<(), String> {
        if !(2..=MAX_CLASSES).contains(&self.classes.len()) {
            return Err(format!("it has {} classes", self.classes.len()));
        }
        if self.cue_texts.len() + 1 != self.classes.len() {
            return Err("it has not one cue text for each task class".to_owned());
        }
        if self.classes[0] != "idle" {
            return Err("its first class is not idle".to_owned());
        }
        if has_twins(&self.classes) || has_twins(&self.cue_texts) {
            return Err("two of its classes have one name or one cue text".to_owned());
        }
        self.decoder.pipeline().check().map_err(|error| error.to_string())?;
        if self.channels.is_empty() {
            return Err("it names no channel".to_owned());
        }
        Ok(())
    }
}

fn has_twins(texts: &[String]) -> bool {
    texts.iter().enumerate().any(|(k, text)| texts[..k].contains(text))
}

fn read_bounded(path: &Path) -> Result<Vec<u8>, CheckpointError> {
    let io = |source| CheckpointError::Io { action: "read", source, path: path.into() };
    let file = fs::File::open(path).map_err(io)?;
    let too_large = || {
        let why = format!("it is larger than {} MiB", MAX_FILE_BYTES >> 20);
        Err(CheckpointError::NotAModel { why, path: path.into() })
    };
    if file.metadata().map_err(io)?.len() > MAX_FILE_BYTES {
        return too_large();
    }
    // What is no regular file has no length: read no more than that of it either.
    let mut bytes = Vec::new();
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() as u64 > MAX_FILE_BYTES { too_large() } else { Ok(bytes) }
}
