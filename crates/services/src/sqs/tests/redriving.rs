//! Which queue may be whose dead-letter queue.

use super::{ACCOUNT, OTHER, Server, text};
use serde_json::{Value, json};

fn arn(name: &str) -> String {
    format!("arn:aws:sqs:us-east-1:{ACCOUNT}:{name}")
}

fn policy(arn: &str) -> Value {
    json!({"RedrivePolicy": json!({"deadLetterTargetArn": arn, "maxReceiveCount": "3"}).to_string()})
}

async fn make(server: &Server, name: &str, attributes: Value) -> Result<String, (String, String)> {
    server
        .sqs(
            &server.root,
            "CreateQueue",
            json!({"QueueName": name, "Attributes": attributes}),
        )
        .await
        .map(|made| text(&made, "QueueUrl"))
        .map_err(|refused| (refused.code, refused.message))
}

#[tokio::test]
async fn a_redrive_policy_reads_back_in_one_form_also_after_a_restart() {
    let server = Server::start().await;
    make(&server, "dead", json!({})).await.unwrap();
    let url = make(&server, "orders", policy(&arn("dead"))).await.unwrap();
    let expected = format!(
        r#"{{"deadLetterTargetArn":"{}","maxReceiveCount":3}}"#,
        arn("dead")
    );
    assert_eq!(server.attribute(&url, "RedrivePolicy").await, expected);
    let server = server.restart().await;
    assert_eq!(server.attribute(&url, "RedrivePolicy").await, expected);
}

#[tokio::test]
async fn an_empty_redrive_policy_takes_it_away() {
    let server = Server::start().await;
    make(&server, "dead", json!({})).await.unwrap();
    let url = make(&server, "orders", policy(&arn("dead"))).await.unwrap();
    let input = json!({"QueueUrl": url, "Attributes": {"RedrivePolicy": ""}});
    server.ok("SetQueueAttributes", input).await;
    assert!(server.attribute(&url, "RedrivePolicy").await.is_null());
}

#[tokio::test]
async fn a_target_that_cannot_be_is_refused_with_the_reason() {
    let server = Server::start().await;
    make(&server, "dead", json!({})).await.unwrap();
    make(&server, "dead.fifo", json!({"FifoQueue": "true"}))
        .await
        .unwrap();
    for (target, reason) in [
        (arn("nobody"), "does not exist"),
        (arn("dead").replace(ACCOUNT, OTHER), "owner should be same"),
        (arn("dead").replace("us-east-1", "eu-west-1"), "does not exist"),
        (arn("dead.fifo"), "same type of queue"),
        ("dead".to_owned(), "does not exist"),
    ] {
        let (code, message) = make(&server, "orders", policy(&target)).await.unwrap_err();
        assert_eq!(code, "InvalidParameterValueException", "{target}");
        assert!(message.contains(reason), "{message}");
        assert!(message.starts_with("Value {"), "{message}");
    }
}

#[tokio::test]
async fn a_queue_is_not_its_own_dead_letter_queue() {
    let server = Server::start().await;
    let url = make(&server, "orders", json!({})).await.unwrap();
    let input = json!({"QueueUrl": url, "Attributes": policy(&arn("orders"))});
    assert_eq!(
        server.refused("SetQueueAttributes", input).await,
        "InvalidParameterValueException"
    );
}

#[tokio::test]
async fn the_dead_letter_queue_says_who_may_name_it() {
    let server = Server::start().await;
    let by_queue = json!({"redrivePermission": "byQueue", "sourceQueueArns": [arn("orders")]});
    for (name, allow, orders, others) in [
        ("all", json!({"redrivePermission": "allowAll"}), true, true),
        ("none", json!({"redrivePermission": "denyAll"}), false, false),
        ("some", by_queue, true, false),
    ] {
        let allow = json!({"RedriveAllowPolicy": allow.to_string()});
        make(&server, name, allow).await.unwrap();
        for (source, allowed) in [("orders", orders), ("others", others)] {
            let url = make(&server, source, json!({})).await.unwrap();
            let input = json!({"QueueUrl": url, "Attributes": policy(&arn(name))});
            let answer = server.sqs(&server.root, "SetQueueAttributes", input).await;
            assert_eq!(answer.is_ok(), allowed, "{source} to {name}");
        }
    }
}

#[tokio::test]
async fn the_sources_of_a_dead_letter_queue_are_listed_by_pages() {
    let server = Server::start().await;
    let dead = make(&server, "dead", json!({})).await.unwrap();
    make(&server, "unrelated", json!({})).await.unwrap();
    let mut urls = Vec::new();
    for name in ["a", "b", "c"] {
        urls.push(make(&server, name, policy(&arn("dead"))).await.unwrap());
    }
    let input = json!({"QueueUrl": dead, "MaxResults": 2});
    let first = server.ok("ListDeadLetterSourceQueues", input).await;
    assert_eq!(first["queueUrls"], json!(urls[..2]));
    let input = json!({"QueueUrl": dead, "MaxResults": 2, "NextToken": first["NextToken"]});
    let second = server.ok("ListDeadLetterSourceQueues", input).await;
    assert_eq!(second, json!({"queueUrls": [urls[2]]}));
}

#[tokio::test]
async fn a_queue_without_sources_answers_with_an_empty_list() {
    let server = Server::start().await;
    let url = make(&server, "dead", json!({})).await.unwrap();
    let answer = server
        .ok("ListDeadLetterSourceQueues", json!({"QueueUrl": url}))
        .await;
    assert_eq!(answer, json!({"queueUrls": []}));
}
