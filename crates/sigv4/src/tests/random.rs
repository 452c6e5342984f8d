//! Random requests: what is signed verifies, what is changed does not, and nothing panics.

use proptest::collection::vec;
use proptest::prelude::*;

use super::Request;
use crate::{Payload, Presented, Secret, ServiceRules, Signer};

const SECRET: &str = "secret";
const NOW: i64 = 1_795_239_000;

fn rules(s3: bool) -> ServiceRules<'static> {
    if s3 {
        ServiceRules::s3()
    } else {
        ServiceRules::standard("sqs")
    }
}

fn request() -> impl Strategy<Value = Request> {
    (
        "[A-Z]{1,7}",
        "/([a-z%~(]|%[0-9A-F]{2}){0,12}",
        "([a-c=&+%é]|%[0-9A-F]{2}){0,20}",
        vec(("x-[a-z]{1,4}", vec(any::<u8>(), 0..12)), 0..5),
        vec(any::<u8>(), 0..40),
    )
        .prop_map(|(method, path, query, mut headers, body)| {
            headers.push(("Host".to_owned(), b"localhost:4566".to_vec()));
            Request {
                method,
                path,
                query,
                headers,
                body,
            }
        })
}

fn sign(mut request: Request, s3: bool, presign: bool, token: bool) -> Request {
    let mut signer = Signer::new(
        "AKID",
        SECRET,
        token.then_some("a/token+"),
        "eu-west-1",
        rules(s3),
    );
    if presign {
        request.query = signer.presign(request.head(), &Payload::Bytes(&request.body), NOW, 60);
    } else {
        let added = signer.sign(request.head(), &Payload::Bytes(&request.body), NOW);
        for (name, value) in added.iter() {
            request.headers.push((name.to_owned(), value.as_bytes().to_vec()));
        }
    }
    request
}

fn verifies(request: &Request, s3: bool) -> bool {
    Presented::parse(request.head()).is_ok_and(|presented| {
        let payload = Payload::Bytes(&request.body);
        presented
            .verify(Secret::AccessKey(SECRET.as_bytes()), &rules(s3), &payload, NOW)
            .is_ok()
    })
}

proptest! {
    #[test]
    fn what_is_signed_verifies(request in request(), s3: bool, presign: bool, token: bool) {
        prop_assert!(verifies(&sign(request, s3, presign, token), s3));
    }

    #[test]
    fn a_change_anywhere_is_refused(
        request in request(), s3: bool, presign: bool, token: bool, place in 0..6_usize, extra in "[a-z]{1,3}"
    ) {
        let signed = sign(request, s3, presign, token);
        let mut changed = signed.clone();
        match place {
            0 => changed.method.push('X'),
            1 => changed.path.push_str(&extra),
            2 => changed.query = format!("{}&{extra}=1", changed.query),
            3 => changed.headers.push(("HOST".to_owned(), extra.into_bytes())),
            4 => {
                let first = &mut changed.headers[0];
                first.1.extend_from_slice(extra.as_bytes());
            }
            _ if s3 && presign => return Ok(()),
            _ => changed.body.extend_from_slice(extra.as_bytes()),
        }
        prop_assert!(!verifies(&changed, s3), "{changed:?}");
    }

    #[test]
    fn a_changed_signature_is_refused(request in request(), digit in 0..64_usize, presign: bool) {
        let mut changed = sign(request, false, presign, false);
        let text = if presign {
            &mut changed.query
        } else {
            let header = changed.headers.iter_mut().find(|header| header.0 == "authorization").unwrap();
            header.1.reverse();
            header.1[digit] = if header.1[digit] == b'0' { b'1' } else { b'0' };
            header.1.reverse();
            prop_assert!(!verifies(&changed, false));
            return Ok(());
        };
        let at = text.len() - 64 + digit;
        let other = if &text[at..=at] == "0" { "1" } else { "0" };
        text.replace_range(at..=at, other);
        prop_assert!(!verifies(&changed, false));
    }

    #[test]
    fn random_input_never_panics(
        method in ".{0,5}", path in ".{0,20}", query in ".{0,30}", s3: bool,
        authorization in "(AWS4-HMAC-SHA256)?[ ,]?((Credential|Signature|SignedHeaders|é)?=?[a-z/;%]{0,9}[, ]?){0,5}",
        headers in vec((".{0,9}", vec(any::<u8>(), 0..20)), 0..4),
    ) {
        let mut request = Request { method, path, query, headers, body: Vec::new() };
        verifies(&request, s3);
        request = request.header("authorization", &authorization).header("x-amz-date", "20261121T053000Z");
        verifies(&request, s3);
    }

    #[test]
    fn random_presigned_input_never_panics(
        values in vec("[0-9A-Za-z/;%é]{0,20}", 6..7), expires in ".{0,4}"
    ) {
        let query = format!(
            "X-Amz-Algorithm={}&X-Amz-Credential={}&X-Amz-Date={}&X-Amz-SignedHeaders={}&X-Amz-Signature={}&\
             X-Amz-Security-Token={}&X-Amz-Expires={expires}",
            values[0], values[1], values[2], values[3], values[4], values[5]
        );
        verifies(&Request::new("GET", "/", &query, &[("host", "h")], b""), false);
    }
}
