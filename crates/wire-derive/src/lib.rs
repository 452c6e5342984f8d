//! The data-only derive for shapes.
