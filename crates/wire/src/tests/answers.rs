//! Answers, byte for byte.

use super::shapes::*;
use crate::{Blob, Empty, ErrorRow, Failure, Fault, Protocol, Reply};
use bulla_types::Timestamp;
use std::collections::BTreeMap;

const QUEUE_DOES_NOT_EXIST: ErrorRow = ErrorRow {
    shape: "QueueDoesNotExist",
    query_code: "AWS.SimpleQueueService.NonExistentQueue",
    status: 400,
    fault: Fault::Sender,
};

fn text(reply: &Reply) -> &str {
    std::str::from_utf8(&reply.body).unwrap()
}

fn header<'a>(reply: &'a Reply, name: &str) -> Option<&'a str> {
    reply
        .headers
        .iter()
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value.as_ref())
}

fn message() -> Message {
    Message {
        message_id: "m".into(),
        md5_of_body: "0cc1".into(),
        body: "<a href=\"x\">&'\r\n\u{1}\u{e9}\u{ffff}\u{feff}".into(),
        attributes: Some(BTreeMap::from([
            ("SenderId".into(), "A".into()),
            ("SentTimestamp".into(), "1".into()),
        ])),
        message_attributes: Some(BTreeMap::from([(
            "k".into(),
            MessageAttributeValue {
                data_type: "Binary".into(),
                string_value: None,
                binary_value: Some(Blob(vec![0, 255])),
                string_list_values: Some(vec!["x".into(), "y".into()]),
            },
        )])),
    }
}

#[test]
fn flattened_lists_and_maps_repeat_their_element() {
    let output = ReceiveMessageResult {
        messages: Some(vec![message()]),
    };
    let reply = Protocol::AwsQuery.success(&SQS, "ReceiveMessage", &output, "r-1");
    assert_eq!(
        text(&reply),
        "<ReceiveMessageResponse xmlns=\"http://queue.amazonaws.com/doc/2012-11-05/\"><ReceiveMessageResult><Message>\
         <MessageId>m</MessageId><MD5OfBody>0cc1</MD5OfBody>\
         <Body>&lt;a href=&quot;x&quot;&gt;&amp;&apos;&#xD;\n&#x1;\u{e9}&#xFFFF;\u{feff}</Body>\
         <Attribute><Name>SenderId</Name><Value>A</Value></Attribute>\
         <Attribute><Name>SentTimestamp</Name><Value>1</Value></Attribute>\
         <MessageAttribute><Name>k</Name><Value><DataType>Binary</DataType><BinaryValue>AP8=</BinaryValue>\
         <StringListValue>x</StringListValue><StringListValue>y</StringListValue></Value></MessageAttribute>\
         </Message></ReceiveMessageResult><ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata>\
         </ReceiveMessageResponse>"
    );
    assert_eq!(header(&reply, "content-type"), Some("text/xml"));
    assert_eq!(header(&reply, "x-amzn-requestid"), Some("r-1"));
}

#[test]
fn the_same_output_in_json() {
    let output = ReceiveMessageResult {
        messages: Some(vec![message()]),
    };
    let reply = Protocol::AwsJson10.success(&SQS, "ReceiveMessage", &output, "r-1");
    assert_eq!(
        text(&reply),
        "{\"Messages\":[{\"MessageId\":\"m\",\"MD5OfBody\":\"0cc1\",\
         \"Body\":\"<a href=\\\"x\\\">&'\\r\\n\\u0001\u{e9}\u{ffff}\u{feff}\",\
         \"Attributes\":{\"SenderId\":\"A\",\"SentTimestamp\":\"1\"},\
         \"MessageAttributes\":{\"k\":{\"DataType\":\"Binary\",\"BinaryValue\":\"AP8=\",\
         \"StringListValues\":[\"x\",\"y\"]}}}]}"
    );
    assert_eq!(header(&reply, "content-type"), Some("application/x-amz-json-1.0"));
    assert_eq!(header(&reply, "x-amzn-requestid"), Some("r-1"));
}

#[test]
fn wrapped_lists_have_member_elements_and_empty_ones_stay() {
    let users = vec![User {
        user_name: "u".into(),
        create_date: Timestamp::from_millis(1_795_238_046_123),
        tags: Some(vec![Tag {
            key: "k".into(),
            value: String::new(),
        }]),
    }];
    let reply = Protocol::AwsQuery.success(
        &IAM,
        "ListUsers",
        &ListUsers {
            users,
            is_truncated: false,
        },
        "r",
    );
    assert_eq!(
        text(&reply),
        "<ListUsersResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><ListUsersResult><Users><member>\
         <UserName>u</UserName><CreateDate>2026-11-21T05:14:06Z</CreateDate><Tags><member><Key>k</Key>\
         <Value></Value></member></Tags></member></Users><IsTruncated>false</IsTruncated></ListUsersResult>\
         <ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></ListUsersResponse>"
    );
    let nobody = ListUsers {
        users: Vec::new(),
        is_truncated: false,
    };
    let reply = Protocol::AwsQuery.success(&IAM, "ListUsers", &nobody, "r");
    assert!(
        text(&reply).contains("<ListUsersResult><Users></Users><IsTruncated>false"),
        "{}",
        text(&reply)
    );
}

#[test]
fn every_kind_is_written_in_the_notation_of_its_format() {
    let output = Everything {
        text: Some("t".into()),
        integer: Some(-1),
        long: Some(i64::MIN),
        double: Some(1.5),
        boolean: Some(true),
        blob: Some(Blob(vec![0, 1])),
        timestamp: Some(Timestamp::from_millis(1_795_238_046_120)),
        lists: Some(vec![vec![1, 2], vec![]]),
        map: Some(BTreeMap::from([("k&".into(), 7)])),
        inner: Some(Box::new(Everything {
            text: Some(String::new()),
            ..Everything::NOTHING
        })),
        nothing: Some(Empty),
        ..Everything::NOTHING
    };
    let reply = Protocol::AwsJson11.success(&KMS, "Everything", &output, "r");
    assert_eq!(
        text(&reply),
        "{\"Text\":\"t\",\"Integer\":-1,\"Long\":-9223372036854775808,\"Double\":1.5,\"Boolean\":true,\
         \"Blob\":\"AAE=\",\"Timestamp\":1795238046.12,\"Lists\":[[1,2],[]],\"Map\":{\"k&\":7},\
         \"Inner\":{\"Text\":\"\"},\"Nothing\":{}}"
    );
    let reply = Protocol::AwsQuery.success(&STS, "Everything", &output, "r");
    let xml = text(&reply);
    let start = xml.find("<EverythingResult>").unwrap() + "<EverythingResult>".len();
    assert_eq!(
        &xml[start..xml.find("</EverythingResult>").unwrap()],
        "<Text>t</Text><Integer>-1</Integer><Long>-9223372036854775808</Long><Double>1.5</Double>\
         <Boolean>true</Boolean><Blob>AAE=</Blob><Timestamp>2026-11-21T05:14:06Z</Timestamp>\
         <Lists><member><member>1</member><member>2</member></member><member></member></Lists>\
         <Map><entry><key>k&amp;</key><value>7</value></entry></Map><Inner><Text></Text></Inner><Nothing></Nothing>"
    );
}

#[test]
fn numbers_that_json_lacks_are_words() {
    let double = |number| {
        let output = Everything {
            double: Some(number),
            ..Everything::NOTHING
        };
        text(&Protocol::AwsJson11.success(&KMS, "X", &output, "r")).to_owned()
    };
    assert_eq!(double(f64::NAN), "{\"Double\":\"NaN\"}");
    assert_eq!(double(f64::NEG_INFINITY), "{\"Double\":\"-Infinity\"}");
    assert_eq!(double(2.0), "{\"Double\":2}");
}

#[test]
fn an_output_without_members_has_a_result_and_an_operation_without_output_has_none() {
    let nothing = ReceiveMessageResult { messages: None };
    let reply = Protocol::AwsQuery.success(&SQS, "ReceiveMessage", &nothing, "r");
    assert!(text(&reply).contains("<ReceiveMessageResult></ReceiveMessageResult>"));
    assert_eq!(
        text(&Protocol::AwsJson10.success(&SQS, "ReceiveMessage", &nothing, "r")),
        "{}"
    );

    let reply = Protocol::AwsQuery.success(&SQS, "DeleteMessage", &Empty, "r");
    assert_eq!(
        text(&reply),
        "<DeleteMessageResponse xmlns=\"http://queue.amazonaws.com/doc/2012-11-05/\"><ResponseMetadata>\
         <RequestId>r</RequestId></ResponseMetadata></DeleteMessageResponse>"
    );
    assert_eq!(
        text(&Protocol::AwsJson10.success(&SQS, "DeleteMessage", &Empty, "r")),
        ""
    );
}

#[test]
fn a_query_error_has_type_code_message_an_empty_detail_and_the_request_id() {
    let failure = Failure::new(QUEUE_DOES_NOT_EXIST, "No <queue>.");
    let reply = Protocol::AwsQuery.failure(&SQS, &failure, "r-2");
    assert_eq!(reply.status, 400);
    assert_eq!(
        text(&reply),
        "<ErrorResponse xmlns=\"http://queue.amazonaws.com/doc/2012-11-05/\"><Error><Type>Sender</Type>\
         <Code>AWS.SimpleQueueService.NonExistentQueue</Code><Message>No &lt;queue&gt;.</Message><Detail/></Error>\
         <RequestId>r-2</RequestId></ErrorResponse>"
    );
    assert_eq!(header(&reply, "x-amzn-requestid"), Some("r-2"));
}

#[test]
fn an_sqs_json_error_is_fully_qualified_and_carries_the_query_code() {
    let reply = Protocol::AwsJson10.failure(&SQS, &Failure::new(QUEUE_DOES_NOT_EXIST, "No queue."), "r");
    assert_eq!(
        text(&reply),
        r#"{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"No queue."}"#
    );
    assert_eq!(
        header(&reply, "x-amzn-errortype"),
        Some("com.amazonaws.sqs#QueueDoesNotExist")
    );
    assert_eq!(
        header(&reply, "x-amzn-query-error"),
        Some("AWS.SimpleQueueService.NonExistentQueue;Sender")
    );
}

#[test]
fn a_kms_json_error_has_a_plain_name_also_for_common_errors() {
    let row = ErrorRow::sender("NotFoundException", 400);
    let reply = Protocol::AwsJson11.failure(&KMS, &Failure::new(row, "no key"), "r");
    assert_eq!(
        text(&reply),
        r#"{"__type":"NotFoundException","message":"no key"}"#
    );
    assert_eq!(header(&reply, "x-amzn-query-error"), None);
    let reply = Protocol::AwsJson11.failure(&KMS, &Failure::new(crate::error::common::VALIDATION, "m"), "r");
    assert_eq!(text(&reply), r#"{"__type":"ValidationException","message":"m"}"#);
}

#[test]
fn an_error_can_have_further_members() {
    let failure = Failure {
        row: ErrorRow::sender("ConstraintViolationException", 400),
        message: "m",
        details: &[("Reason", "ACCOUNT_NUMBER_LIMIT_EXCEEDED")],
    };
    let organizations = crate::ServiceWire {
        error_message_member: "Message",
        ..crate::ServiceWire::new("organizations")
    };
    assert_eq!(
        text(&Protocol::AwsJson11.failure(&organizations, &failure, "r")),
        r#"{"__type":"ConstraintViolationException","Message":"m","Reason":"ACCOUNT_NUMBER_LIMIT_EXCEEDED"}"#
    );
}

#[test]
fn the_length_hint_is_near_the_length_of_the_answer() {
    use crate::Value as _;
    let long = || Message {
        body: "x".repeat(1000),
        ..message()
    };
    let output = ReceiveMessageResult {
        messages: Some((0..10).map(|_| long()).collect()),
    };
    let reply = Protocol::AwsJson10.success(&SQS, "ReceiveMessage", &output, "r-1");
    let (hint, length) = (output.length_hint(), reply.body.len());
    assert!(
        hint >= length && hint < length + length / 10,
        "{hint} for {length}"
    );
}
