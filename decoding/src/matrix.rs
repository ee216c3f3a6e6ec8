//! A dense matrix as it stands in a model file: row-major, `f64`, checked on reading.
//!
//! It is not for computing: [`Matrix::to_faer`] and [`Matrix::from_faer`] are the way
//! there and back, and both are exact, bit for bit.

use faer::{Mat, MatRef};
use serde::{Deserialize, Serialize};

/// A matrix of finite values, stored row after row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Fields", into = "Fields")]
pub struct Matrix {
    n_rows: usize,
    n_cols: usize,
    data: Vec<f64>,
}

/// Why numbers are no matrix: the file was damaged or edited; train the model again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MatrixError {
    /// The shape and the number of values disagree: train the model again.
    #[error("a matrix of {n_rows} x {n_cols} can't hold {n_values} values: train the model again")]
    WrongLength {
        /// Rows named.
        n_rows: usize,
        /// Columns named.
        n_cols: usize,
        /// Values found.
        n_values: usize,
    },
    /// A value is NaN or infinite: train the model again, on finite samples.
    #[error("value {row}, {col} of a matrix is not finite: train again on finite samples")]
    NotFinite {
        /// Its row.
        row: usize,
        /// Its column.
        col: usize,
    },
}

/// The fields as written, before they are checked.
#[derive(Serialize, Deserialize)]
struct Fields {
    n_rows: usize,
    n_cols: usize,
    data: Vec<f64>,
}

impl Matrix {
    /// A matrix of `n_rows * n_cols` values, row after row.
    pub fn new(n_rows: usize, n_cols: usize, data: Vec<f64>) -> Result<Self, MatrixError> {
        if n_rows.checked_mul(n_cols) != Some(data.len()) {
            return Err(MatrixError::WrongLength { n_rows, n_cols, n_values: data.len() });
        }
        match data.iter().position(|x| !x.is_finite()) {
            Some(at) => Err(MatrixError::NotFinite { row: at / n_cols, col: at % n_cols }),
            None => Ok(Self { n_rows, n_cols, data }),
        }
    }

    /// Copies `mat`, which must be finite.
    pub fn from_faer(mat: MatRef<'_, f64>) -> Result<Self, MatrixError> {
        let data = (0..mat.nrows())
            .flat_map(|row| (0..mat.ncols()).map(move |col| mat[(row, col)]))
            .collect();
        Self::new(mat.nrows(), mat.ncols(), data)
    }

    /// The same values as a matrix to compute with.
    pub fn to_faer(&self) -> Mat<f64> {
        Mat::from_fn(self.n_rows, self.n_cols, |row, col| self.data[row * self.n_cols + col])
    }

    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Number of columns.
    pub fn n_cols(&self) -> usize {
        self.n_cols
    }

    /// One row.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn row(&self, row: usize) -> &[f64] {
        &self.data[row * self.n_cols..][..self.n_cols]
    }

    /// All values, row after row.
    pub fn as_slice(&self) -> &[f64] {
        &self.data
    }
}

impl TryFrom<Fields> for Matrix {
    type Error = MatrixError;
    fn try_from(fields: Fields) -> Result<Self, MatrixError> {
        Self::new(fields.n_rows, fields.n_cols, fields.data)
    }
}

impl From<Matrix> for Fields {
    fn from(matrix: Matrix) -> Self {
        Self { n_rows: matrix.n_rows, n_cols: matrix.n_cols, data: matrix.data }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_and_faer_keep_every_bit() {
        let mat = Mat::from_fn(3, 2, |i, j| (i as f64 + 0.1) / (j as f64 + 3.0));
        let matrix = Matrix::from_faer(mat.as_ref()).unwrap();
        let json = serde_json::to_string(&matrix).unwrap();
        let back: Matrix = serde_json::from_str(&json).unwrap();
        assert_eq!(back.to_faer(), mat);
        assert_eq!(back.row(2), [mat[(2, 0)], mat[(2, 1)]]);
    }

    #[test]
    fn damaged_files_are_refused() {
        for json in [
            r#"{"n_rows":2,"n_cols":2,"data":[1,2,3]}"#,
            r#"{"n_rows":18446744073709551615,"n_cols":2,"data":[1,2,3]}"#,
            r#"{"n_rows":1,"n_cols":1,"data":[null]}"#,
        ] {
            assert!(serde_json::from_str::<Matrix>(json).is_err(), "{json}");
        }
        let infinite = Matrix::new(1, 2, vec![0.0, f64::INFINITY]);
        assert_eq!(infinite, Err(MatrixError::NotFinite { row: 0, col: 1 }));
        assert!(Matrix::new(0, 5, vec![]).is_ok());
    }
}
