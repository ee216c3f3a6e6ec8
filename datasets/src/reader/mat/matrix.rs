//! Elements of matrices: a header of parts, and data by the matrix's class.

use super::input::{Fault, Input, Tag, spend};
use super::kind;
use super::value::{Array, Numbers, Structs, Value};
use std::io::Read;

/// Cells and structs inside one another, at most.
const MAX_DEPTH: usize = 16;
/// Most dimensions of an array.
const MAX_DIMS: usize = 32;
/// Most bytes of names.
const MAX_NAME_BYTES: u64 = 1 << 16;
/// What a value costs beside its numbers, in bytes.
const VALUE_BYTES: u64 = 64;

/// Classes of arrays.
mod class {
    pub const CELL: u32 = 1;
    pub const STRUCT: u32 = 2;
    pub const OBJECT: u32 = 3;
    pub const CHAR: u32 = 4;
    pub const SPARSE: u32 = 5;
    pub const FIRST_NUMERIC: u32 = 6;
    pub const LAST_NUMERIC: u32 = 15;
}

/// A matrix's parts before its data.
struct Head {
    class: u32,
    dims: Vec<usize>,
    n_values: usize,
    name: String,
}

/// Reads matrices, and keeps those whose path is wanted.
pub(super) struct Matrices<'a, R> {
    input: Input<R>,
    wanted: &'a [&'a str],
    budget: &'a mut u64,
}

impl<'a, R: Read> Matrices<'a, R> {
    pub fn new(input: Input<R>, wanted: &'a [&'a str], budget: &'a mut u64) -> Self {
        Self { input, wanted, budget }
    }

    /// A variable with its tag, where it is wanted.
    pub fn variable(&mut self) -> Result<Option<(String, Value)>, Fault> {
        let tag = self.input.tag()?;
        if tag.kind != kind::MATRIX {
            return Ok(None);
        }
        self.variable_of(tag.n_bytes)
    }

    /// A variable behind its tag, where it is wanted. What is not stays unread.
    pub fn variable_of(&mut self, n_bytes: u64) -> Result<Option<(String, Value)>, Fault> {
        if n_bytes == 0 {
            return Ok(None);
        }
        let end = self.input.at().saturating_add(n_bytes);
        let head = self.head(end)?;
        // Variables without a name are MATLAB's own.
        if head.name.is_empty() || !self.is_wanted(&head.name) {
            return Ok(None);
        }
        let name = head.name.clone();
        let value = self.data(&head, &name, end, 0)?;
        Ok(Some((name, value)))
    }

    /// Whether a path is wanted, or on the way to one that is, or inside one.
    fn is_wanted(&self, path: &str) -> bool {
        let is_inside = |long: &str, short: &str| {
            long.strip_prefix(short).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        self.wanted.is_empty()
            || self.wanted.iter().any(|w| is_inside(path, w) || is_inside(w, path))
    }

    /// An element's tag, which has to lie before `end`, as does its data.
    fn tag(&mut self, end: u64) -> Result<Tag, Fault> {
        let tag = self.input.tag()?;
        if self.input.at().saturating_add(tag.n_bytes) > end {
            return Err(Fault::damaged("has a part that reaches beyond it"));
        }
        Ok(tag)
    }

    fn head(&mut self, end: u64) -> Result<Head, Fault> {
        let flags = self.integers(end, 8)?;
        let class = flags.first().map_or(0, |flags| (*flags as u32) & 0xff);
        if class == 0 || class > class::LAST_NUMERIC {
            // Function handles and opaque objects have no dimensions.
            return Ok(Head { class, dims: Vec::new(), n_values: 0, name: String::new() });
        }
        let dims = self.integers(end, 4 * MAX_DIMS as u64)?;
        let dims: Option<Vec<usize>> = dims.iter().map(|d| usize::try_from(*d).ok()).collect();
        let dims = dims.ok_or_else(|| Fault::damaged("has a negative dimension"))?;
        let n_values = dims.iter().try_fold(1_usize, |n, d| n.checked_mul(*d));
        let n_values = n_values.ok_or_else(|| Fault::damaged("has impossible dimensions"))?;
        let name = self.name(end)?;
        Ok(Head { class, dims, n_values, name })
    }

    /// Integers of a part of at most `max_bytes`.
    fn integers(&mut self, end: u64, max_bytes: u64) -> Result<Vec<i64>, Fault> {
        let tag = self.tag(end)?;
        if tag.n_bytes > max_bytes {
            return Err(Fault::damaged("has a header part of unlikely size"));
        }
        let numbers = self.input.numbers(&tag, self.budget)?;
        Ok((0..numbers.len()).filter_map(|k| numbers.get(k)).map(|x| x as i64).collect())
    }

    /// A part that is a name.
    fn name(&mut self, end: u64) -> Result<String, Fault> {
        let bytes = self.integers(end, MAX_NAME_BYTES)?;
        Ok(bytes.iter().map(|b| char::from(*b as u8)).take_while(|c| *c != '\0').collect())
    }

    /// A matrix behind its tag, as a cell or a field.
    fn nested(&mut self, path: &str, end: u64, depth: usize) -> Result<Value, Fault> {
        let tag = self.tag(end)?;
        if tag.kind != kind::MATRIX {
            return Err(Fault::Damaged(format!("holds type {} for a matrix", tag.kind)));
        }
        spend(self.budget, VALUE_BYTES)?;
        if tag.n_bytes == 0 {
            return Ok(Value::Array(Array { dims: vec![0, 0], numbers: Numbers::new(true) }));
        }
        let inner_end = self.input.at() + tag.n_bytes;
        let head = self.head(inner_end)?;
        self.data(&head, path, inner_end, depth)
    }

    /// A matrix's data, up to its end.
    fn data(&mut self, head: &Head, path: &str, end: u64, depth: usize) -> Result<Value, Fault> {
        if depth > MAX_DEPTH {
            return Err(Fault::damaged("is nested too deeply"));
        }
        let value = match head.class {
            class::CELL => {
                let mut cells = Vec::new();
                for _ in 0..head.n_values {
                    cells.push(self.nested(path, end, depth + 1)?);
                }
                Value::Cells(cells)
            }
            class::OBJECT => {
                self.name(end)?;
                Value::Structs(self.structs(head.n_values, path, end, depth)?)
            }
            class::STRUCT => Value::Structs(self.structs(head.n_values, path, end, depth)?),
            class::CHAR => {
                let numbers = self.array_data(end)?;
                Value::Text(rows(&head.dims, &numbers))
            }
            class::SPARSE => Value::Unread("a sparse matrix"),
            class::FIRST_NUMERIC..=class::LAST_NUMERIC => {
                let (_, numbers) = self.array_data(end)?;
                if numbers.len() != head.n_values {
                    return Err(Fault::Damaged(format!(
                        "has {} values for dimensions {:?}",
                        numbers.len(),
                        head.dims
                    )));
                }
                // What follows is the imaginary part, which no recording has.
                Value::Array(Array { dims: head.dims.clone(), numbers })
            }
            _ => Value::Unread("an object"),
        };
        let n_left = end.checked_sub(self.input.at());
        self.input.skip(n_left.ok_or_else(|| Fault::damaged("has a part beyond its end"))?)?;
        Ok(value)
    }

    /// The numbers of an array, and how they were stored.
    fn array_data(&mut self, end: u64) -> Result<(u32, Numbers), Fault> {
        if self.input.at() >= end {
            return Ok((2, Numbers::new(true)));
        }
        let tag = self.tag(end)?;
        Ok((tag.kind, self.input.numbers(&tag, self.budget)?))
    }

    fn structs(&mut self, n: usize, path: &str, end: u64, depth: usize) -> Result<Structs, Fault> {
        let name_bytes = self.integers(end, 8)?.first().copied().unwrap_or_default();
        let name_bytes = usize::try_from(name_bytes).unwrap_or_default();
        let names = self.integers(end, MAX_NAME_BYTES)?;
        if name_bytes == 0 && !names.is_empty() {
            return Err(Fault::damaged("has field names of no length"));
        }
        let text = |bytes: &[i64]| -> String {
            bytes.iter().map(|b| char::from(*b as u8)).take_while(|c| *c != '\0').collect()
        };
        let names: Vec<String> = names.chunks(name_bytes.max(1)).map(text).collect();
        let paths: Vec<String> = names.iter().map(|name| format!("{path}.{name}")).collect();
        let mut values: Vec<Vec<Value>> = names.iter().map(|_| Vec::new()).collect();
        // No fields mean nothing to read, whatever the number of structs.
        for _ in 0..if names.is_empty() { 0 } else { n } {
            for (values, path) in values.iter_mut().zip(&paths) {
                if self.is_wanted(path) {
                    values.push(self.nested(path, end, depth + 1)?);
                } else {
                    let tag = self.tag(end)?;
                    self.input.skip(tag.n_bytes + tag.n_padding())?;
                }
            }
        }
        let all = names.into_iter().zip(values);
        let fields: Vec<_> = all.filter(|(_, values)| values.len() == n && n > 0).collect();
        Ok(Structs { n: if fields.is_empty() { 0 } else { n }, fields })
    }
}

/// The rows of a character array, `(how it was stored, characters in column order)`.
fn rows(dims: &[usize], (stored, numbers): &(u32, Numbers)) -> Vec<String> {
    let units = (0..numbers.len()).filter_map(|k| numbers.get(k));
    let chars: Vec<char> = match stored {
        // UTF-8; plain bytes are Latin-1.
        16 => {
            let bytes: Vec<u8> = units.map(|x| x as u8).collect();
            String::from_utf8_lossy(&bytes).chars().collect()
        }
        4 | 17 => {
            let units: Vec<u16> = units.map(|x| x as u16).collect();
            String::from_utf16_lossy(&units).chars().collect()
        }
        _ => units.map(|x| char::from_u32(x as u32).unwrap_or('\u{fffd}')).collect(),
    };
    let n_rows = dims.first().copied().unwrap_or_default().min(chars.len());
    let row = |r: usize| chars.iter().skip(r).step_by(n_rows).collect::<String>();
    (0..n_rows).map(|r| row(r).trim_end().to_owned()).collect()
}
