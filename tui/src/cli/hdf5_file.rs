//! What the HDF5 files of commands are made of. Nothing in them says when they were written,
//! so that the same content is the same file.

use super::output::partial;
use anyhow::{Context as _, Result};
use hdf5::types::VarLenUnicode;
use std::path::Path;

/// Writes a file whole or not at all.
pub fn write(path: &Path, fill: impl FnOnce(&hdf5::File) -> Result<()>) -> Result<()> {
    let partial = partial(path);
    let write = || -> Result<()> {
        let file = hdf5::File::create(&partial)?;
        fill(&file)?;
        file.close()?;
        Ok(std::fs::rename(&partial, path)?)
    };
    let written = write();
    if written.is_err() {
        let _ = std::fs::remove_file(&partial);
    }
    written.with_context(|| format!("can't write {}", path.display()))
}

/// One text.
pub fn text(group: &hdf5::Group, name: &str, value: &str) -> Result<()> {
    let value: VarLenUnicode = value.parse()?;
    let empty = group.new_dataset::<VarLenUnicode>().create(name)?;
    Ok(empty.write_scalar(&value)?)
}

/// One column of a table.
pub fn column<T: hdf5::H5Type>(group: &hdf5::Group, name: &str, values: Vec<T>) -> Result<()> {
    let values = ndarray::Array1::from_vec(values);
    array(group, name, &values.view())
}

/// Numbers of any shape.
pub fn array<T: hdf5::H5Type, D: ndarray::Dimension>(
    group: &hdf5::Group,
    name: &str,
    values: &ndarray::ArrayView<'_, T, D>,
) -> Result<()> {
    group.new_dataset_builder().with_data(values).create(name)?;
    Ok(())
}

/// One column of texts.
pub fn texts<'a>(
    group: &hdf5::Group,
    name: &str,
    values: impl Iterator<Item = &'a str>,
) -> Result<()> {
    let values = values.map(str::parse::<VarLenUnicode>).collect::<Result<Vec<_>, _>>()?;
    column(group, name, values)
}

/// A text beside a group or a file.
pub fn attribute(location: &hdf5::Location, name: &str, value: &str) -> Result<()> {
    let value: VarLenUnicode = value.parse()?;
    location.new_attr::<VarLenUnicode>().create(name)?.write_scalar(&value)?;
    Ok(())
}
