//! Values of MATLAB: arrays in column order, texts, cells, structs.

/// What a variable, a field or a cell holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Numbers and truth values.
    Array(Array),
    /// Texts: the rows of a character array, without the blanks that fill them up.
    Text(Vec<String>),
    /// Cells, in column order.
    Cells(Vec<Value>),
    /// An array of structs.
    Structs(Structs),
    /// Something this reader knows by name only.
    Unread(&'static str),
}

/// Numbers with a shape, in column order: the first index runs fastest.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    pub(super) dims: Vec<usize>,
    pub(super) numbers: Numbers,
}

/// Numbers, in single precision where that holds them exactly. Integers of 64 bits are
/// rounded to double precision.
#[derive(Clone, Debug, PartialEq)]
pub enum Numbers {
    /// Of at most 24 significant bits.
    Short(Vec<f32>),
    /// Of more.
    Long(Vec<f64>),
}

impl Numbers {
    pub(super) fn new(is_short: bool) -> Self {
        if is_short { Self::Short(Vec::new()) } else { Self::Long(Vec::new()) }
    }

    pub(super) fn n_bytes_each(&self) -> usize {
        match self {
            Self::Short(_) => 4,
            Self::Long(_) => 8,
        }
    }

    pub(super) fn extend(&mut self, values: impl Iterator<Item = f64>) {
        match self {
            Self::Short(all) => all.extend(values.map(|x| x as f32)),
            Self::Long(all) => all.extend(values),
        }
    }

    /// How many.
    pub fn len(&self) -> usize {
        match self {
            Self::Short(all) => all.len(),
            Self::Long(all) => all.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One of them.
    pub fn get(&self, idx: usize) -> Option<f64> {
        match self {
            Self::Short(all) => all.get(idx).copied().map(f64::from),
            Self::Long(all) => all.get(idx).copied(),
        }
    }
}

impl Array {
    /// Length of each dimension; their product is the number of values.
    pub fn dims(&self) -> &[usize] {
        &self.dims
    }

    /// The values in column order.
    pub fn numbers(&self) -> &Numbers {
        &self.numbers
    }

    /// Rows and columns of a matrix.
    pub fn shape(&self) -> Option<[usize; 2]> {
        self.dims.as_slice().try_into().ok()
    }

    /// All values in column order.
    pub fn to_vec(&self) -> Vec<f64> {
        (0..self.numbers.len()).filter_map(|k| self.numbers.get(k)).collect()
    }
}

/// An array of structs, which all have the same fields.
#[derive(Clone, Debug, PartialEq)]
pub struct Structs {
    pub(super) n: usize,
    /// Names of the fields that were kept, and each one's value in every struct.
    pub(super) fields: Vec<(String, Vec<Value>)>,
}

/// One struct of an array.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    structs: &'a Structs,
    idx: usize,
}

impl<'a> Record<'a> {
    /// A field, where there is one.
    pub fn field(&self, name: &str) -> Option<&'a Value> {
        let (_, values) = self.structs.fields.iter().find(|(known, _)| known == name)?;
        values.get(self.idx)
    }
}

impl Value {
    /// The structs in it, be they elements of one array or in cells, in column order.
    pub fn records(&self) -> Vec<Record<'_>> {
        match self {
            Self::Structs(structs) => (0..structs.n).map(|idx| Record { structs, idx }).collect(),
            Self::Cells(cells) => cells.iter().flat_map(Self::records).collect(),
            _ => Vec::new(),
        }
    }

    /// The numbers, where it is an array.
    pub fn array(&self) -> Option<&Array> {
        match self {
            Self::Array(array) => Some(array),
            _ => None,
        }
    }

    /// The number, where it is one, or the first of an array.
    pub fn number(&self) -> Option<f64> {
        self.array()?.numbers.get(0)
    }

    /// The texts in it, be they rows or in cells, in column order.
    pub fn texts(&self) -> Vec<&str> {
        match self {
            Self::Text(rows) => rows.iter().map(String::as_str).collect(),
            Self::Cells(cells) => cells.iter().flat_map(Self::texts).collect(),
            _ => Vec::new(),
        }
    }
}
