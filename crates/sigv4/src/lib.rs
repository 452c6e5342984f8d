//! AWS Signature Version 4: canonical request, verification, presigned URLs, signing.
