//! Requests. The Query and JSON texts are what botocore 1.29.165 and 1.44.5 put on the wire.

use super::shapes::*;
use crate::error::common;
use crate::{Blob, Form, Kind, Malformed, Payload, Protocol, Shape, SharedText, Value};
use bulla_types::Timestamp;
use bytes::Bytes;

fn query<T: Shape>(text: &str) -> Result<T, Malformed> {
    Protocol::AwsQuery.read(Payload::Form(Form::parse(text.as_bytes())?))
}

fn json<T: Shape>(text: &str) -> Result<T, Malformed> {
    Protocol::AwsJson10.read(Payload::Json(text.as_bytes()))
}

#[test]
fn send_message_is_the_same_from_query_and_from_json() {
    let from_query: SendMessage = query(
        "Action=SendMessage&Version=2012-11-05&QueueUrl=http%3A%2F%2Flocalhost%2F123456789012%2Forders\
         &MessageBody=a%2Bb+c%0D%0A%C3%A9%25&DelaySeconds=5&MessageAttribute.1.Name=k\
         &MessageAttribute.1.Value.DataType=String&MessageAttribute.1.Value.StringValue=v+%26+%3Cw%3E\
         &MessageAttribute.2.Name=n&MessageAttribute.2.Value.DataType=Binary\
         &MessageAttribute.2.Value.BinaryValue=AP8%3D",
    )
    .unwrap();
    let from_json: SendMessage = json(
        r#"{"QueueUrl": "http://localhost/123456789012/orders", "MessageBody": "a+b c\r\n\u00e9%", "DelaySeconds": 5,
            "MessageAttributes": {"k": {"DataType": "String", "StringValue": "v & <w>"},
                                  "n": {"DataType": "Binary", "BinaryValue": "AP8="}}}"#,
    )
    .unwrap();
    assert_eq!(from_query, from_json);
    assert_eq!(from_json.message_body, "a+b c\r\n\u{e9}%");
    assert_eq!(
        from_json.message_attributes["n"].binary_value,
        Some(Blob(vec![0, 255]))
    );
}

#[derive(Debug, PartialEq, Shape)]
struct Letter {
    to: String,
    says: SharedText,
}

fn letter(says: &str) -> (Bytes, Letter) {
    let request = Bytes::from(format!(r#"{{"To": "{}", "Says": "{says}"}}"#, "a".repeat(300)));
    let letter = Protocol::AwsJson10.read(Payload::SharedJson(&request)).unwrap();
    (request, letter)
}

#[test]
fn a_long_text_is_not_copied_out_of_its_request() {
    let (request, letter) = letter(&"é".repeat(500));
    let (memory, text) = (request.as_ptr_range(), letter.says.as_bytes().as_ptr_range());
    assert!(memory.start < text.start && text.end < memory.end);
    assert_eq!(letter.says, SharedText::from("é".repeat(500)));
}

#[test]
fn a_text_with_escapes_is_decoded_also_where_it_could_be_shared() {
    let (_, letter) = letter(&r"x\n\u00e9".repeat(100));
    assert_eq!(letter.says, SharedText::from("x\n\u{e9}".repeat(100)));
}

#[test]
fn a_text_member_reads_the_same_whether_its_request_can_be_shared_or_not() {
    let (request, shared) = letter(&"b".repeat(500));
    let copied: Letter = Protocol::AwsJson10.read(Payload::Json(&request)).unwrap();
    assert_eq!(copied, shared);
}

#[test]
fn batch_entries_keep_numeric_order_and_not_that_of_their_text() {
    let entry = |index: i32| {
        let prefix = format!("SendMessageBatchRequestEntry.{index}");
        format!(
            "{prefix}.MessageBody=m{index}&{prefix}.Id={index}&{prefix}.MessageAttribute.1.Name=a\
             &{prefix}.MessageAttribute.1.Value.DataType=Number\
             &{prefix}.MessageAttribute.1.Value.StringValue={index}"
        )
    };
    let entries: Vec<_> = (1..12).rev().map(entry).collect();
    let text = format!("QueueUrl=q&{}", entries.join("&"));
    let batch: SendMessageBatch = query(&text).unwrap();
    let ids: Vec<_> = batch.entries.iter().map(|entry| entry.id.as_str()).collect();
    assert_eq!(ids, ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"]);
    assert_eq!(
        batch.entries[9].message_attributes["a"].string_value.as_deref(),
        Some("10")
    );
}

#[test]
fn flattened_maps_take_their_own_key_and_value_names() {
    let queue: CreateQueue = query(
        "Action=CreateQueue&Version=2012-11-05&QueueName=orders&Attribute.1.Name=DelaySeconds&Attribute.1.Value=3\
         &Attribute.2.Name=Policy&Attribute.2.Value=%7B%22a%22%3A1%7D&Tag.1.Key=team&Tag.1.Value=x&Tag.2.Key=cost\
         &Tag.2.Value=",
    )
    .unwrap();
    let from_json: CreateQueue = json(
        r#"{"QueueName": "orders", "Attributes": {"DelaySeconds": "3", "Policy": "{\"a\":1}"},
            "tags": {"team": "x", "cost": ""}}"#,
    )
    .unwrap();
    assert_eq!(queue, from_json);
}

#[test]
fn flattened_lists_are_read_by_their_query_name_their_json_name_and_without_an_index() {
    for text in [
        "QueueUrl=q&AttributeName.1=All&AttributeName.2=SentTimestamp",
        "QueueUrl=q&AttributeNames.1=All&AttributeNames.2=SentTimestamp",
        "QueueUrl=q&AttributeName.member.1=All&AttributeName.member.2=SentTimestamp",
        "AttributeName.7=SentTimestamp&AttributeName.3=All&QueueUrl=q",
    ] {
        let input: ReceiveMessage = query(text).unwrap();
        assert_eq!(input.attribute_names.unwrap(), ["All", "SentTimestamp"], "{text}");
    }
    let input: ReceiveMessage = query("QueueUrl=q&AttributeName=All").unwrap();
    assert_eq!(input.attribute_names.unwrap(), ["All"]);
    let input: ReceiveMessage = query("QueueUrl=q&AttributeNames=").unwrap();
    assert_eq!(input.attribute_names.unwrap(), Vec::<String>::new());
    let input: ReceiveMessage = query("QueueUrl=q").unwrap();
    assert_eq!(input.attribute_names, None);
}

#[test]
fn an_empty_list_that_is_required_is_read_from_no_parameter_at_all() {
    let input: SendMessageBatch = query("QueueUrl=q").unwrap();
    assert_eq!(input.entries.len(), 0);
}

#[test]
fn wrapped_lists_of_structures_and_of_text_are_read() {
    let input: AssumeRole = query(
        "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fr\
         &RoleSessionName=sess&PolicyArns.member.1.arn=arn%3Aaws%3Aiam%3A%3Aaws%3Apolicy%2FPower&DurationSeconds=900\
         &Tags.member.1.Key=t&Tags.member.1.Value=1&TransitiveTagKeys.member.1=t",
    )
    .unwrap();
    assert_eq!(
        input,
        AssumeRole {
            role_arn: "arn:aws:iam::123456789012:role/r".into(),
            role_session_name: "sess".into(),
            policy_arns: Some(vec![PolicyArn {
                arn: Some("arn:aws:iam::aws:policy/Power".into())
            }]),
            duration_seconds: Some(900),
            tags: Some(vec![Tag {
                key: "t".into(),
                value: "1".into()
            }]),
            transitive_tag_keys: Some(vec!["t".into()]),
        }
    );
}

#[test]
fn lists_inside_structures_inside_lists_are_read() {
    let input: SimulateCustomPolicy = query(
        "PolicyInputList.member.1=%7B%7D&ActionNames.member.1=sqs%3A%2A\
         &ContextEntries.member.1.ContextKeyName=aws%3Ax&ContextEntries.member.1.ContextKeyValues.member.1=1\
         &ContextEntries.member.1.ContextKeyValues.member.2=2&ContextEntries.member.1.ContextKeyType=string",
    )
    .unwrap();
    let entries = input.context_entries.unwrap();
    assert_eq!(entries[0].context_key_values.as_ref().unwrap(), &["1", "2"]);
}

#[test]
fn every_kind_reads_the_same_from_query_and_from_json() {
    let from_query: Everything = query(
        "Text=t&Integer=-1&Long=9007199254740993&Double=1.5&Boolean=true&Blob=AAE%3D\
         &Timestamp=2026-11-21T05%3A14%3A06Z&List.member.1=a&Lists.member.1.member.1=1&Lists.member.1.member.2=2\
         &Map.entry.1.key=k&Map.entry.1.value=7&MapOfLists.entry.1.key=k&MapOfLists.entry.1.value.member.1=v\
         &Inner.Inner.Text=deep&Type=x",
    )
    .unwrap();
    let from_json: Everything = json(
        r#"{"Text":"t","Integer":-1,"Long":9007199254740993,"Double":1.5,"Boolean":true,"Blob":"AAE=",
            "Timestamp":1795238046,"List":["a"],"Lists":[[1,2]],"Map":{"k":7},"MapOfLists":{"k":["v"]},
            "Inner":{"Inner":{"Text":"deep"}},"Type":"x"}"#,
    )
    .unwrap();
    assert_eq!(from_query, from_json);
    assert_eq!(from_json.timestamp, Some(Timestamp::from_seconds(1_795_238_046)));
    assert_eq!(from_json.long, Some(9_007_199_254_740_993));
}

#[test]
fn fractions_of_seconds_survive_in_json_times() {
    let input: Everything = json(r#"{"Timestamp":1795238046.123}"#).unwrap();
    assert_eq!(input.timestamp, Some(Timestamp::from_millis(1_795_238_046_123)));
}

#[test]
fn unknown_members_are_ignored_null_is_absent_and_the_last_of_two_counts() {
    let input: Everything =
        json(r#"{"Unknown":{"a":[1]},"Text":null,"Integer":1,"Integer":2,"List":null}"#).unwrap();
    assert_eq!(
        input,
        Everything {
            integer: Some(2),
            ..Everything::NOTHING
        }
    );
    let input: Everything = query("Unknown.1.x=1&Integer=1&Integer=2").unwrap();
    assert_eq!(
        input,
        Everything {
            integer: Some(2),
            ..Everything::NOTHING
        }
    );
}

#[test]
fn an_empty_body_is_an_empty_structure() {
    assert_eq!(json::<Everything>("").unwrap(), Everything::NOTHING);
    assert_eq!(json::<Everything>(" \n").unwrap(), Everything::NOTHING);
    assert_eq!(query::<Everything>("").unwrap(), Everything::NOTHING);
}

#[test]
fn a_missing_member_is_named_with_its_path() {
    let missing =
        json::<SendMessageBatch>(r#"{"QueueUrl":"q","Entries":[{"Id":"1","MessageBody":"b"},{"Id":"2"}]}"#)
            .unwrap_err();
    assert!(matches!(missing, Malformed::Missing { .. }));
    let (row, message) = Protocol::AwsJson10.malformed(&SQS, &missing);
    assert_eq!(row, common::MISSING_PARAMETER);
    assert_eq!(
        message,
        "The request must contain the parameter Entries.2.MessageBody."
    );
    let (row, message) = Protocol::AwsJson11.malformed(&KMS, &missing);
    assert_eq!(row, common::VALIDATION);
    assert_eq!(
        message,
        "1 validation error detected: Value null at 'entries.2.member.messageBody' failed to satisfy constraint: \
         Member must not be null"
    );
}

#[test]
fn a_wrong_kind_is_a_serialization_error() {
    for text in [
        r#"{"Text":1}"#,
        r#"{"Integer":"1"}"#,
        r#"{"Integer":1.5}"#,
        r#"{"Integer":2147483648}"#,
        r#"{"Long":1e30}"#,
        r#"{"Boolean":"true"}"#,
        r#"{"Blob":"?"}"#,
        r#"{"Timestamp":"2026-11-21T05:14:06Z"}"#,
        r#"{"Timestamp":-1}"#,
        r#"{"Timestamp":1e300}"#,
        r#"{"List":{}}"#,
        r#"{"List":[null]}"#,
        r#"{"Map":[]}"#,
        r#"{"Inner":"x"}"#,
    ] {
        let error = json::<Everything>(text).unwrap_err();
        assert!(matches!(error, Malformed::WrongType { .. }), "{text}: {error}");
        assert_eq!(
            Protocol::AwsJson10.malformed(&SQS, &error).0,
            common::SERIALIZATION
        );
    }
    for text in [
        "Integer=x",
        "Integer=",
        "Boolean=1",
        "Timestamp=now",
        "Blob=%3F",
        "Map.entry.1.key=k&Map.entry.1.value=x",
    ] {
        let error = query::<Everything>(text).unwrap_err();
        assert!(matches!(error, Malformed::WrongType { .. }), "{text}: {error}");
    }
    let error = json::<Everything>(r#"{"MapOfLists":{"k":["a",1]}}"#).unwrap_err();
    assert_eq!(
        error.to_string(),
        "integer at MapOfLists.k.2 can not be converted to text"
    );
    let error = query::<Everything>("Lists.member.1.member.1=x").unwrap_err();
    assert_eq!(
        error.to_string(),
        "text at Lists.1.1 can not be converted to long"
    );
}

#[test]
fn what_is_not_json_or_not_a_form_is_refused() {
    for text in [
        "{",
        "[]",
        "1",
        "{}{}",
        "{\"a\":}",
        "\u{feff}{}",
        r#"{"Text":"\ud800"}"#,
    ] {
        assert!(
            matches!(json::<Everything>(text), Err(Malformed::Syntax { .. })),
            "{text}"
        );
    }
    for text in ["Text=%", "Text=%4", "Text=%zz", "Text=%ff", "%ff=1"] {
        assert!(
            matches!(query::<Everything>(text), Err(Malformed::Syntax { .. })),
            "{text}"
        );
    }
}

#[test]
fn depth_and_width_are_bounded() {
    let deep = format!("{{\"Text\":{}{}}}", "[".repeat(100), "]".repeat(100));
    assert!(matches!(json::<Everything>(&deep), Err(Malformed::Syntax { .. })));
    let wide = format!("{{\"List\":[{}0]}}", "0,".repeat(crate::NODE_COUNT_MAX));
    assert!(matches!(json::<Everything>(&wide), Err(Malformed::Syntax { .. })));
    let deep = format!("{}Text=x", "Inner.".repeat(100));
    assert!(matches!(
        query::<Everything>(&deep),
        Err(Malformed::Syntax { .. })
    ));
    let wide = "a=1&".repeat(crate::FORM_PARAMETERS_MAX + 1);
    assert!(matches!(
        query::<Everything>(&wide),
        Err(Malformed::Syntax { .. })
    ));
}

#[test]
fn text_without_escapes_is_borrowed_from_the_body() {
    let body = br#"{"Text":"plain","List":["a"]}"#;
    let node = Protocol::AwsJson10
        .decode(Payload::Json(body), Everything::structure())
        .unwrap();
    let crate::Node::Map(pairs) = node else {
        panic!("not a structure")
    };
    assert!(matches!(
        &pairs[0],
        (
            std::borrow::Cow::Borrowed("Text"),
            crate::Node::Text(std::borrow::Cow::Borrowed(_))
        )
    ));
}

#[test]
fn the_tables_tell_names_kinds_and_what_is_required() {
    let structure = SendMessage::structure();
    assert_eq!(structure.name, "SendMessageRequest");
    let attributes = structure.member("MessageAttributes").unwrap();
    assert_eq!(
        (attributes.query_name, attributes.flattened),
        ("MessageAttribute", true)
    );
    assert_eq!((attributes.key_name, attributes.value_name), ("Name", "Value"));
    assert!(!attributes.required);
    let Kind::Map(Kind::Structure(value)) = attributes.kind else {
        panic!("not a map of structures")
    };
    assert_eq!(value().name, "MessageAttributeValue");
    let required: Vec<_> = structure
        .members
        .iter()
        .filter(|m| m.required)
        .map(|m| m.name)
        .collect();
    assert_eq!(required, ["QueueUrl", "MessageBody"]);
    assert_eq!(Everything::structure().members[12].name, "Type");
    assert!(matches!(
        <Option<Box<Everything>> as Value>::KIND,
        Kind::Structure(_)
    ));
}
