//! Policies: any document is stored or refused; what is stored is also evaluated, means the same without its white
//! space, and says the same each time.
#![no_main]

use bulla_policy::{IdentityOwner, Policy, PolicyKind, Vendor};

const KINDS: [PolicyKind; 8] = [
    PolicyKind::Identity(IdentityOwner::Managed),
    PolicyKind::Resource(Vendor::Sqs),
    PolicyKind::Resource(Vendor::Kms),
    PolicyKind::Resource(Vendor::S3),
    PolicyKind::Trust,
    PolicyKind::Session,
    PolicyKind::ServiceControl,
    PolicyKind::ResourceControl,
];

/// All that can be asked about a document.
fn told(policy: &Policy) -> String {
    let mut told = format!("{:?}", policy.principals().collect::<Vec<_>>());
    for statement in policy.statements() {
        let keys: Vec<_> = statement.condition_keys().collect();
        told += &format!(
            "{:?}{:?}{:?}{keys:?}",
            statement.sid(),
            statement.actions(),
            statement.resources()
        );
    }
    told
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((choice, text)) = data.split_first() else {
        return;
    };
    let kind = KINDS[usize::from(*choice) % KINDS.len()];
    let lenient = Policy::parse_lenient(text, kind);
    match Policy::parse(text, kind) {
        Ok(policy) => {
            assert_eq!(policy.text().as_bytes(), text);
            let lenient = lenient.expect("what is stored can be evaluated");
            assert_eq!(told(&lenient), told(&policy));
            let compact = policy.compact();
            let again = Policy::parse(&compact, kind).expect("the compact document is stored too");
            assert_eq!(told(&again), told(&policy));
            assert_eq!(again.compact(), compact);
            drop(policy.check_resource("arn:aws:sqs:eu-west-1:111122223333:orders"));
        }
        Err(rejection) => assert!(!rejection.to_string().is_empty()),
    }
});
