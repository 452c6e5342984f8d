//! SQS as its users see it.
