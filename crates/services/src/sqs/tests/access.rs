//! Who may use a queue.

use super::{ACCOUNT, OTHER, Server};
use serde_json::{Value, json};

async fn with_policy(server: &Server, statement: Value) -> String {
    let policy = json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
    server.queue(json!({"Policy": policy})).await
}

fn send(url: &str) -> Value {
    json!({"QueueUrl": url, "MessageBody": "x"})
}

const SEND: &str = r#"{"Statement":[{"Effect":"Allow","Action":"sqs:SendMessage","Resource":"*"}]}"#;

#[tokio::test]
async fn a_user_without_permission_is_refused_in_aws_words() {
    let server = Server::start().await;
    let url = server.queue(json!({})).await;
    let user = server.world.people.user(ACCOUNT, "nobody", None);
    let refused = server.sqs(&user, "SendMessage", send(&url)).await.unwrap_err();
    assert_eq!(
        (refused.status, refused.code.as_str()),
        (403, "AccessDeniedException")
    );
    assert_eq!(
        refused.message,
        format!(
            "User: arn:aws:iam::{ACCOUNT}:user/nobody is not authorized to perform: sqs:sendmessage on resource: \
             arn:aws:sqs:us-east-1:{ACCOUNT}:orders because no identity-based policy allows the sqs:sendmessage action"
        )
    );
}

#[tokio::test]
async fn another_account_needs_both_sides() {
    let server = Server::start().await;
    let allow =
        json!({"Effect": "Allow", "Principal": {"AWS": OTHER}, "Action": "sqs:SendMessage", "Resource": "*"});
    let url = with_policy(&server, allow).await;
    let with = server.world.people.user(OTHER, "with", Some(SEND));
    let without = server.world.people.user(OTHER, "without", None);
    server.sqs(&with, "SendMessage", send(&url)).await.unwrap();
    assert_eq!(
        server
            .sqs(&without, "SendMessage", send(&url))
            .await
            .unwrap_err()
            .code,
        "AccessDeniedException"
    );
}

#[tokio::test]
async fn an_explicit_deny_wins_over_the_accounts_root() {
    let server = Server::start().await;
    let deny = json!({"Effect": "Deny", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"});
    let url = with_policy(&server, deny).await;
    let refused = server
        .sqs(&server.root, "SendMessage", send(&url))
        .await
        .unwrap_err();
    assert!(
        refused
            .message
            .contains("with an explicit deny in a resource-based policy"),
        "{}",
        refused.message
    );
}

#[tokio::test]
async fn management_operations_are_never_for_other_accounts() {
    let server = Server::start().await;
    let allow = json!({"Effect": "Allow", "Principal": {"AWS": OTHER}, "Action": "sqs:*", "Resource": "*"});
    let url = with_policy(&server, allow).await;
    let partner = server.world.people.root(OTHER);
    for name in ["DeleteQueue", "ListQueueTags"] {
        let refused = server
            .sqs(&partner, name, json!({"QueueUrl": url}))
            .await
            .unwrap_err();
        assert_eq!(refused.code, "AccessDeniedException", "{name}");
    }
}

#[tokio::test]
async fn a_batch_asks_for_the_permission_of_the_single_operation() {
    let server = Server::start().await;
    let url = server.queue(json!({})).await;
    let user = server.world.people.user(ACCOUNT, "sender", Some(SEND));
    let entries = json!([{"Id": "a", "MessageBody": "x"}]);
    server
        .sqs(
            &user,
            "SendMessageBatch",
            json!({"QueueUrl": url, "Entries": entries}),
        )
        .await
        .unwrap();
}

#[tokio::test]
async fn a_changed_policy_holds_for_the_next_call() {
    let server = Server::start().await;
    let allow =
        json!({"Effect": "Allow", "Principal": {"AWS": OTHER}, "Action": "sqs:SendMessage", "Resource": "*"});
    let url = with_policy(&server, allow).await;
    let partner = server.world.people.user(OTHER, "partner", Some(SEND));
    server.sqs(&partner, "SendMessage", send(&url)).await.unwrap();
    server
        .ok(
            "SetQueueAttributes",
            json!({"QueueUrl": url, "Attributes": {"Policy": ""}}),
        )
        .await;
    assert_eq!(
        server
            .sqs(&partner, "SendMessage", send(&url))
            .await
            .unwrap_err()
            .code,
        "AccessDeniedException"
    );
}
