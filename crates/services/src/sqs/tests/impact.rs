//! What a key concerns: queues that use it, and messages that only it opens, wherever they are.

use super::{ACCOUNT, Server};
use crate::sqs::Impact;
use serde_json::json;

async fn impact(server: &Server, arn: &str) -> Vec<Impact> {
    server
        .service
        .impact(&server.keys.key_names(arn).unwrap())
        .await
        .unwrap()
}

fn row(name: &str, uses_key: bool, is_dead_letter_queue: bool, messages: u64) -> Impact {
    Impact {
        arn: format!("arn:aws:sqs:us-east-1:{ACCOUNT}:{name}"),
        uses_key,
        is_dead_letter_queue,
        messages,
    }
}

#[tokio::test]
async fn messages_are_counted_by_the_key_that_opens_them_wherever_they_are() {
    let server = Server::start().await;
    let key = server.kms(&server.root, "CreateKey", json!({})).await.unwrap();
    let arn = key["KeyMetadata"]["Arn"].as_str().unwrap().to_owned();
    let alias = json!({"AliasName": "alias/orders", "TargetKeyId": arn});
    server.kms(&server.root, "CreateAlias", alias).await.unwrap();
    assert!(impact(&server, &arn).await.is_empty());
    let dead = server.named("dead", json!({})).await;
    let redrive =
        json!({"deadLetterTargetArn": format!("arn:aws:sqs:us-east-1:{ACCOUNT}:dead"), "maxReceiveCount": 1});
    let attributes = json!({"KmsMasterKeyId": "alias/orders", "RedrivePolicy": redrive.to_string(), "VisibilityTimeout": "0"});
    let orders = server.named("orders", attributes).await;
    let other = server.named("other", json!({})).await;
    for (queue, count) in [(&orders, 3), (&other, 2), (&dead, 1)] {
        for _ in 0..count {
            server
                .ok("SendMessage", json!({"QueueUrl": queue, "MessageBody": "hello"}))
                .await;
        }
    }
    assert_eq!(impact(&server, &arn).await, [row("orders", true, false, 3)]);
    let receive = json!({"QueueUrl": orders, "MaxNumberOfMessages": 1});
    while impact(&server, &arn).await.first() != Some(&row("dead", false, true, 1)) {
        server.ok("ReceiveMessage", receive.clone()).await;
    }
    assert_eq!(
        impact(&server, &arn).await,
        [row("dead", false, true, 1), row("orders", true, false, 2)]
    );
    let changed = json!({"QueueUrl": orders, "Attributes": {"SqsManagedSseEnabled": "true"}});
    server.ok("SetQueueAttributes", changed).await;
    assert!(
        impact(&server, &arn)
            .await
            .contains(&row("orders", false, false, 2))
    );
}
