//! Requests as botocore writes them, answers as it reads them, and whatever else may come in.

mod answers;
mod decoding;
mod properties;
mod routing;
mod shapes;
