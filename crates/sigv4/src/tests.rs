//! Through the public door: AWS's published examples, botocore's output, refusals, and random requests.

mod published;
mod random;
mod refusals;

use crate::{Payload, Presented, RequestHead, RequestTime, Secret, ServiceRules, SignatureError, Verified};

const BOTOCORE_SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/// A request that can be changed before it is verified.
#[derive(Clone, Debug)]
struct Request {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

impl Request {
    fn new(method: &str, path: &str, query: &str, headers: &[(&str, &str)], body: &[u8]) -> Self {
        let headers = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()));
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: headers.collect(),
            body: body.to_vec(),
        }
    }

    fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.as_bytes().to_vec()));
        self
    }

    fn head(&self) -> RequestHead<'_, impl Iterator<Item = (&str, &[u8])>> {
        RequestHead {
            method: &self.method,
            path: &self.path,
            query: &self.query,
            headers: self
                .headers
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_slice())),
        }
    }

    fn verify(&self, secret: &str, rules: &ServiceRules<'_>, now: &str) -> Result<Verified, SignatureError> {
        let now = RequestTime::parse(now).unwrap().epoch_seconds();
        let payload = Payload::Bytes(&self.body);
        Presented::parse(self.head())?.verify(Secret::AccessKey(secret.as_bytes()), rules, &payload, now)
    }
}
