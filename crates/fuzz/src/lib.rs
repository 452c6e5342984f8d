//! Shapes that have a member of every kind, for the targets of both request decoders.

use bulla_wire::{Blob, JsonWriter, Shape, write_structure};
use std::collections::BTreeMap;

/// A structure inside another.
#[derive(Clone, Debug, PartialEq, Shape)]
pub struct Inner {
    /// Text.
    pub name: Option<String>,
    /// Bytes.
    pub data: Option<Blob>,
    /// A list without a level of its own in Query.
    #[member(query = "Flat", flattened)]
    pub flats: Option<Vec<String>>,
}

/// What the decoders make of bytes.
#[derive(Clone, Debug, PartialEq, Shape)]
#[shape(name = "EverythingRequest")]
pub struct Everything {
    /// Text.
    pub text: Option<String>,
    /// A number.
    pub integer: Option<i32>,
    /// A larger one.
    pub long: Option<i64>,
    /// Yes or no.
    pub flag: Option<bool>,
    /// Bytes.
    pub blob: Option<Blob>,
    /// A list.
    pub list: Option<Vec<String>>,
    /// A list without a level of its own in Query.
    #[member(query = "Flat", flattened)]
    pub flats: Option<Vec<Inner>>,
    /// A map.
    pub map: Option<BTreeMap<String, String>>,
    /// A map without a level of its own in Query, with other names.
    #[member(query = "Attribute", flattened, key = "Name", value = "Value", default)]
    pub attributes: BTreeMap<String, Inner>,
    /// A structure.
    pub inner: Option<Inner>,
}

/// The shape as a JSON document.
#[must_use]
pub fn json(everything: &Everything) -> Vec<u8> {
    let mut out = JsonWriter::new();
    write_structure(everything, &mut out);
    out.finish()
}
