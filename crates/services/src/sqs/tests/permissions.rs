//! `AddPermission` and `RemovePermission`.

use super::{ACCOUNT, OTHER, Server, text};
use serde_json::{Value, json};

async fn policy(server: &Server, url: &str) -> Value {
    let policy = server.attribute(url, "Policy").await;
    policy
        .as_str()
        .map_or(Value::Null, |text| serde_json::from_str(text).unwrap())
}

fn permission(url: &str, label: &str, actions: &[&str]) -> Value {
    json!({"QueueUrl": url, "Label": label, "AWSAccountIds": [OTHER], "Actions": actions})
}

#[tokio::test]
async fn a_permission_makes_the_policy_that_aws_makes() {
    let server = Server::start().await;
    let url = server.queue(json!({})).await;
    server
        .ok("AddPermission", permission(&url, "send", &["SendMessage"]))
        .await;
    let arn = format!("arn:aws:sqs:us-east-1:{ACCOUNT}:orders");
    let statement = format!(
        r#"{{"Sid":"send","Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{OTHER}:root"}},"Action":"SQS:SendMessage","Resource":"{arn}"}}"#
    );
    assert_eq!(
        text(&json!({"p": server.attribute(&url, "Policy").await}), "p"),
        format!(r#"{{"Version":"2008-10-17","Id":"{arn}/SQSDefaultPolicy","Statement":[{statement}]}}"#)
    );
}

#[tokio::test]
async fn a_permission_lets_another_account_in_until_it_is_removed() {
    let server = Server::start().await;
    let url = server.queue(json!({})).await;
    let stranger = server.world.people.root(OTHER);
    let input = json!({"QueueUrl": url, "MessageBody": "x"});
    assert!(server.sqs(&stranger, "SendMessage", input.clone()).await.is_err());
    server
        .ok("AddPermission", permission(&url, "send", &["SendMessage"]))
        .await;
    server.sqs(&stranger, "SendMessage", input.clone()).await.unwrap();
    let label = json!({"QueueUrl": url, "Label": "send"});
    server.ok("RemovePermission", label.clone()).await;
    assert!(server.sqs(&stranger, "SendMessage", input).await.is_err());
    assert!(server.attribute(&url, "Policy").await.is_null());
    assert_eq!(
        server.refused("RemovePermission", label).await,
        "InvalidParameterValueException"
    );
}

#[tokio::test]
async fn other_statements_of_the_policy_stay() {
    let server = Server::start().await;
    let own = r#"{"Version":"2012-10-17","Statement":{"Sid":"own","Effect":"Deny","Principal":"*","Action":"sqs:PurgeQueue","Resource":"*"}}"#;
    let url = server.queue(json!({"Policy": own})).await;
    let actions = ["SendMessage", "ReceiveMessage"];
    server
        .ok("AddPermission", permission(&url, "both", &actions))
        .await;
    let found = policy(&server, &url).await;
    assert_eq!(found["Version"], "2012-10-17");
    assert_eq!(found["Statement"][0]["Sid"], "own");
    assert_eq!(
        found["Statement"][1]["Action"],
        json!(["SQS:SendMessage", "SQS:ReceiveMessage"])
    );
    server
        .ok("RemovePermission", json!({"QueueUrl": url, "Label": "both"}))
        .await;
    assert_eq!(
        policy(&server, &url).await["Statement"].as_array().unwrap().len(),
        1
    );
}

#[tokio::test]
async fn a_label_is_given_once() {
    let server = Server::start().await;
    let url = server.queue(json!({})).await;
    let input = permission(&url, "send", &["SendMessage"]);
    server.ok("AddPermission", input.clone()).await;
    let refused = server
        .sqs(&server.root, "AddPermission", input)
        .await
        .unwrap_err();
    assert_eq!(refused.code, "InvalidParameterValueException");
    assert_eq!(
        refused.message,
        "Value send for parameter Label is invalid. Reason: Already exists."
    );
}

#[tokio::test]
async fn what_cannot_be_shared_is_refused() {
    let server = Server::start().await;
    let url = server.queue(json!({})).await;
    for (label, accounts, action) in [
        ("label", OTHER, "DeleteQueue"),
        ("label", OTHER, "MakeCoffee"),
        ("label", "1234", "SendMessage"),
        ("two words", OTHER, "SendMessage"),
        ("", OTHER, "SendMessage"),
    ] {
        let input =
            json!({"QueueUrl": url, "Label": label, "AWSAccountIds": [accounts], "Actions": [action]});
        assert_eq!(
            server.refused("AddPermission", input).await,
            "InvalidParameterValueException",
            "{label} {accounts} {action}"
        );
    }
    assert!(server.attribute(&url, "Policy").await.is_null());
}

#[tokio::test]
async fn permissions_have_limits() {
    let server = Server::start().await;
    let url = server.queue(json!({})).await;
    assert_eq!(
        server
            .refused("AddPermission", permission(&url, "many", &["SendMessage"; 8]))
            .await,
        "OverLimit"
    );
    let accounts: Vec<String> = (0..51).map(|number| format!("{number:012}")).collect();
    let input =
        json!({"QueueUrl": url, "Label": "many", "AWSAccountIds": accounts, "Actions": ["SendMessage"]});
    assert_eq!(server.refused("AddPermission", input).await, "OverLimit");
    for number in 0..20 {
        let input = permission(&url, &format!("p{number}"), &["SendMessage"]);
        server.ok("AddPermission", input).await;
    }
    assert_eq!(
        server
            .refused("AddPermission", permission(&url, "p20", &["SendMessage"]))
            .await,
        "OverLimit"
    );
}

#[tokio::test]
async fn only_the_owner_shares_a_queue() {
    let server = Server::start().await;
    let url = server.queue(json!({})).await;
    server.ok("AddPermission", permission(&url, "all", &["*"])).await;
    let stranger = server.world.people.root(OTHER);
    let input = permission(&url, "more", &["SendMessage"]);
    let refused = server.sqs(&stranger, "AddPermission", input).await.unwrap_err();
    assert_eq!(refused.code, "AccessDeniedException");
}
