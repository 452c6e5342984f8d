//! The IAM policy language: parse, validate, compile, evaluate, combine, explain.
