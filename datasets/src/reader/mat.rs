//! MATLAB files of version 5 to 7 (`.mat`), plain and compressed: numbers, texts, cells and
//! structs.
//!
//! A MAT file is no recording: what its arrays mean is said by whoever published it, so
//! that the catalogue's entries turn them into recordings. This module reads values, and
//! only those asked for: everything else is skipped without being kept.
//!
//! It is *not* for version 7.3, which is HDF5, nor for version 4, and knows no sparse
//! matrices, objects of classes or function handles ([`Value::Unread`]).
//!
//! Memory: what is kept, at most [`MAX_KEPT_BYTES`]; sizes that a file claims reserve
//! nothing before the bytes behind them are there.
//!
//! # Reference
//! The `MathWorks`, MAT-File Format, version 5.

mod input;
mod matrix;
mod value;

pub use value::{Array, Numbers, Record, Structs, Value};

use self::input::{Endian, Fault, Input, Tag};
use self::matrix::Matrices;
use super::{ReadError, ShownPath};
use flate2::bufread::ZlibDecoder;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

/// Most bytes of values kept of one file.
pub const MAX_KEPT_BYTES: u64 = 4 << 30;
/// Bytes before the first element.
const HEADER_BYTES: usize = 128;
/// Most variables of one file.
const MAX_VARIABLES: usize = 10_000;

/// Types of elements.
mod kind {
    pub const MATRIX: u32 = 14;
    pub const COMPRESSED: u32 = 15;
}

/// The variables of a file that were asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Mat {
    variables: Vec<(String, Value)>,
    path: ShownPath,
}

impl Mat {
    /// Reads the variables, and fields of structs, that `wanted` names by paths such as
    /// `data` (all of it) or `data.X` (that field, in whichever cell or element). No names
    /// mean everything.
    ///
    /// # Errors
    /// Where the file is no MAT file of this version, or damaged.
    pub fn read(path: &Path, wanted: &[&str]) -> Result<Self, ReadError> {
        let io = |cause| ReadError::Io { cause, path: path.into() };
        let file = File::open(path).map_err(io)?;
        let len = file.metadata().map_err(io)?.len();
        let mut file = BufReader::with_capacity(1 << 16, file);
        let mut header = [0; HEADER_BYTES];
        if file.read_exact(&mut header).is_err() {
            let (part, needed) = ("the header", HEADER_BYTES as u64);
            return Err(ReadError::Truncated { part, needed, len, path: path.into() });
        }
        let endian = endian_of(&header, path)?;
        let mut variables: Vec<(String, Value)> = Vec::new();
        let mut at = HEADER_BYTES as u64;
        let mut budget = MAX_KEPT_BYTES;
        while at + 8 <= len && variables.len() < MAX_VARIABLES {
            file.seek(SeekFrom::Start(at)).map_err(io)?;
            let (variable, next) = variable(&mut file, endian, at, len, wanted, &mut budget)
                .map_err(|fault| refused(fault, at, path))?;
            variables.extend(variable);
            at = next;
        }
        Ok(Self { variables, path: path.into() })
    }

    /// A variable that the file must have.
    pub fn variable(&self, name: &str) -> Result<&Value, ReadError> {
        let found = self.variables.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value).ok_or_else(|| self.lacks(name))
    }

    /// All variables with their names, in file order.
    pub fn variables(&self) -> &[(String, Value)] {
        &self.variables
    }

    /// The error of a file that lacks something, or has something else in its place.
    pub fn lacks(&self, what: &str) -> ReadError {
        let (field, problem) = (what.to_owned(), "is not there, or no such value".to_owned());
        ReadError::BadHeader { field, problem, path: self.path.clone() }
    }
}

/// Whether a file that begins like this may be a MAT file: its header is a text.
pub fn begins_like_mat(begins: &[u8]) -> bool {
    begins.starts_with(b"MATLAB")
}

/// Byte order and version out of the header.
fn endian_of(header: &[u8; HEADER_BYTES], path: &Path) -> Result<Endian, ReadError> {
    let endian = match &header[126..] {
        b"IM" => Endian::Little,
        b"MI" => Endian::Big,
        _ => {
            let (field, problem) = ("byte order mark".to_owned(), "is none".to_owned());
            return Err(ReadError::BadHeader { field, problem, path: path.into() });
        }
    };
    match endian.u16([header[124], header[125]]) {
        0x0100 => Ok(endian),
        0x0200 => Err(ReadError::Unsupported {
            format: "MATLAB 7.3 (HDF5)",
            remedy: "save it in MATLAB with `-v7`",
            path: path.into(),
        }),
        version => {
            let problem = format!("is {version:#06x}, 0x0100 is read here");
            Err(ReadError::BadHeader { field: "version".to_owned(), problem, path: path.into() })
        }
    }
}

/// The variable whose element begins at `at`, if it was asked for, and where the next begins.
fn variable(
    file: &mut BufReader<File>,
    endian: Endian,
    at: u64,
    len: u64,
    wanted: &[&str],
    budget: &mut u64,
) -> Result<(Option<(String, Value)>, u64), Fault> {
    let mut input = Input::new(&mut *file, endian);
    let tag: Tag = input.tag()?;
    let data_at = at + tag.n_head_bytes;
    let end = data_at.saturating_add(tag.n_bytes);
    if end > len {
        return Err(Fault::Damaged(format!(
            "claims {} bytes, the file has {} behind it",
            tag.n_bytes,
            len - data_at
        )));
    }
    match tag.kind {
        kind::COMPRESSED => {
            let inflated = ZlibDecoder::new(file.take(tag.n_bytes));
            let mut matrices = Matrices::new(Input::new(inflated, endian), wanted, budget);
            Ok((matrices.variable()?, end))
        }
        kind::MATRIX => {
            let mut matrices = Matrices::new(Input::new(file, endian), wanted, budget);
            Ok((matrices.variable_of(tag.n_bytes)?, end.next_multiple_of(8)))
        }
        _ => Ok((None, end.next_multiple_of(8))),
    }
}

/// A fault with its place.
fn refused(fault: Fault, at: u64, path: &Path) -> ReadError {
    match fault {
        Fault::Damaged(problem) => {
            let field = format!("element at byte {at}");
            ReadError::BadHeader { field, problem, path: path.into() }
        }
        Fault::Io(cause) => ReadError::Io { cause, path: path.into() },
    }
}

#[cfg(test)]
mod tests;
