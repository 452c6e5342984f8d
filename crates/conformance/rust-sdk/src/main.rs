//! One send-receive-delete round trip with the AWS SDK for Rust, over TLS with verification on.
//!
//! Endpoint, region and keys come from the `AWS_*` variables of the environment. This SDK does not read
//! `AWS_CA_BUNDLE`, so the bundle becomes the only trust store of its HTTP client here.

use std::error::Error;

use aws_config::BehaviorVersion;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::MessageAttributeValue;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let authority = std::fs::read(std::env::var("AWS_CA_BUNDLE")?)?;
    let trust = TrustStore::empty().with_pem_certificate(authority);
    let http = aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(TlsContext::builder().with_trust_store(trust).build()?)
        .build_https();
    let config = aws_config::defaults(BehaviorVersion::latest()).http_client(http).load().await;
    let sqs = Client::new(&config);

    let queue = sqs.create_queue().queue_name("rust").send().await?;
    let queue = queue.queue_url().ok_or("no queue URL")?;
    let attribute = MessageAttributeValue::builder().data_type("String").string_value("b").build()?;
    let sent = sqs
        .send_message()
        .queue_url(queue)
        .message_body("hello")
        .message_attributes("a", attribute.clone())
        .send()
        .await?;
    let received = sqs
        .receive_message()
        .queue_url(queue)
        .wait_time_seconds(5)
        .message_attribute_names("All")
        .send()
        .await?;
    let [message] = received.messages() else {
        return Err("one message was expected".into());
    };
    same(&message.message_id, &sent.message_id)?;
    same(&message.body, &Some("hello".to_owned()))?;
    same(&message.message_attributes.as_ref().and_then(|found| found.get("a")), &Some(&attribute))?;
    let handle = message.receipt_handle().ok_or("no receipt handle")?;
    sqs.delete_message().queue_url(queue).receipt_handle(handle).send().await?;
    let after = sqs.receive_message().queue_url(queue).send().await?;
    same(&after.messages().len(), &0)?;
    sqs.delete_queue().queue_url(queue).send().await?;
    println!("round trip done");
    Ok(())
}

fn same<T: PartialEq + std::fmt::Debug>(found: &T, wanted: &T) -> Result<(), Box<dyn Error>> {
    if found == wanted { Ok(()) } else { Err(format!("found {found:?}, wanted {wanted:?}").into()) }
}
