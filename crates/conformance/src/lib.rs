//! Official SDKs against a real server; comparison of shapes with the AWS models.
