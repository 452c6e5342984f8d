//! Shapes and the AWS wire protocols that carry them.
