//! Bytes of a MAT file as tags and numbers: what both plain and inflated elements are
//! read through.

use super::value::Numbers;
use std::io::{self, Read};

/// Bytes converted at once.
const BLOCK_BYTES: usize = 1 << 14;

/// What stopped the reading of an element.
#[derive(Debug)]
pub(super) enum Fault {
    /// The file system refused.
    Io(io::Error),
    /// The bytes make no sense.
    Damaged(String),
}

impl Fault {
    pub fn damaged(what: &str) -> Self {
        Self::Damaged(what.to_owned())
    }
}

impl From<io::Error> for Fault {
    /// What can't be inflated, and what ends too early, is damage; the rest is the system's.
    fn from(cause: io::Error) -> Self {
        match cause.kind() {
            io::ErrorKind::UnexpectedEof => Self::damaged("ends too early"),
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => {
                Self::Damaged(format!("can't be inflated ({cause})"))
            }
            _ => Self::Io(cause),
        }
    }
}

/// Byte order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Endian {
    Little,
    Big,
}

impl Endian {
    pub fn u16(self, bytes: [u8; 2]) -> u16 {
        match self {
            Self::Little => u16::from_le_bytes(bytes),
            Self::Big => u16::from_be_bytes(bytes),
        }
    }

    pub fn u32(self, bytes: [u8; 4]) -> u32 {
        match self {
            Self::Little => u32::from_le_bytes(bytes),
            Self::Big => u32::from_be_bytes(bytes),
        }
    }

    fn u64(self, bytes: [u8; 8]) -> u64 {
        match self {
            Self::Little => u64::from_le_bytes(bytes),
            Self::Big => u64::from_be_bytes(bytes),
        }
    }
}

/// How numbers are stored, whatever their class in MATLAB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stored {
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    F32,
    F64,
    I64,
    U64,
}

impl Stored {
    /// By the format's number, texts included: they are numbers first.
    pub fn of(kind: u32) -> Option<Self> {
        Some(match kind {
            1 => Self::I8,
            2 | 16 => Self::U8,
            3 => Self::I16,
            4 | 17 => Self::U16,
            5 => Self::I32,
            6 | 18 => Self::U32,
            7 => Self::F32,
            9 => Self::F64,
            12 => Self::I64,
            13 => Self::U64,
            _ => return None,
        })
    }

    pub fn n_bytes(self) -> usize {
        match self {
            Self::I8 | Self::U8 => 1,
            Self::I16 | Self::U16 => 2,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::F64 | Self::I64 | Self::U64 => 8,
        }
    }

    /// Whether every value fits into single precision.
    fn is_short(self) -> bool {
        self.n_bytes() < 4 || self == Self::F32
    }

    fn decode(self, endian: Endian, bytes: &[u8]) -> f64 {
        match *bytes {
            [byte] if self == Self::I8 => f64::from(byte.cast_signed()),
            [byte] => f64::from(byte),
            [a, b] => {
                let word = endian.u16([a, b]);
                if self == Self::I16 { f64::from(word.cast_signed()) } else { f64::from(word) }
            }
            [a, b, c, d] => {
                let word = endian.u32([a, b, c, d]);
                match self {
                    Self::F32 => f64::from(f32::from_bits(word)),
                    Self::I32 => f64::from(word.cast_signed()),
                    _ => f64::from(word),
                }
            }
            [a, b, c, d, e, f, g, h] => {
                let word = endian.u64([a, b, c, d, e, f, g, h]);
                match self {
                    Self::F64 => f64::from_bits(word),
                    Self::I64 => word.cast_signed() as f64,
                    _ => word as f64,
                }
            }
            _ => f64::NAN,
        }
    }
}

/// What stands before an element's data.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tag {
    pub kind: u32,
    pub n_bytes: u64,
    /// Bytes of the tag itself: 4 where the data shares its 8 bytes.
    pub n_head_bytes: u64,
}

impl Tag {
    /// Bytes up to the next element inside a matrix.
    pub fn n_padding(&self) -> u64 {
        let used = self.n_head_bytes + self.n_bytes;
        used.next_multiple_of(8) - used
    }
}

/// Bytes read forward, counted.
pub(super) struct Input<R> {
    from: R,
    endian: Endian,
    at: u64,
}

impl<R: Read> Input<R> {
    pub fn new(from: R, endian: Endian) -> Self {
        Self { from, endian, at: 0 }
    }

    /// Bytes read so far.
    pub fn at(&self) -> u64 {
        self.at
    }

    fn exact<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let mut bytes = [0; N];
        self.from.read_exact(&mut bytes)?;
        self.at += N as u64;
        Ok(bytes)
    }

    /// The next element's tag.
    pub fn tag(&mut self) -> Result<Tag, Fault> {
        let first = self.exact::<4>()?;
        let word = self.endian.u32(first);
        if word >> 16 != 0 {
            let n_bytes = u64::from(word >> 16);
            if n_bytes > 4 {
                return Err(Fault::damaged("has a small element of more than 4 bytes"));
            }
            return Ok(Tag { kind: word & 0xffff, n_bytes, n_head_bytes: 4 });
        }
        let n_bytes = u64::from(self.endian.u32(self.exact::<4>()?));
        Ok(Tag { kind: word, n_bytes, n_head_bytes: 8 })
    }

    /// Leaves out `n` bytes.
    pub fn skip(&mut self, n: u64) -> Result<(), Fault> {
        let skipped = io::copy(&mut self.from.by_ref().take(n), &mut io::sink())?;
        self.at += skipped;
        if skipped < n { Err(Fault::damaged("ends too early")) } else { Ok(()) }
    }

    /// The numbers of an element, behind its tag, with the padding. What they need is taken
    /// from `budget` as they come.
    pub fn numbers(&mut self, tag: &Tag, budget: &mut u64) -> Result<Numbers, Fault> {
        let stored = Stored::of(tag.kind)
            .ok_or_else(|| Fault::Damaged(format!("holds type {} for numbers", tag.kind)))?;
        let size = stored.n_bytes();
        if !tag.n_bytes.is_multiple_of(size as u64) {
            return Err(Fault::damaged("ends inside a number"));
        }
        let mut numbers = Numbers::new(stored.is_short());
        let mut block = [0; BLOCK_BYTES];
        let mut n_left = tag.n_bytes;
        while n_left > 0 {
            let n = n_left.min(BLOCK_BYTES as u64) as usize;
            self.from.read_exact(&mut block[..n])?;
            self.at += n as u64;
            n_left -= n as u64;
            spend(budget, (n / size * numbers.n_bytes_each()) as u64)?;
            let endian = self.endian;
            numbers.extend(block[..n].chunks_exact(size).map(|bytes| stored.decode(endian, bytes)));
        }
        self.skip(tag.n_padding())?;
        Ok(numbers)
    }
}

/// Takes `n_bytes` from what may still be kept.
pub(super) fn spend(budget: &mut u64, n_bytes: u64) -> Result<(), Fault> {
    let too_much = || Fault::damaged("holds more than can be kept");
    *budget = budget.checked_sub(n_bytes).ok_or_else(too_much)?;
    Ok(())
}
