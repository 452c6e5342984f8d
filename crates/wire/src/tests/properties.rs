//! What holds for every input. proptest prints the seed of a failing case and replays it.

use super::shapes::*;
use crate::{Form, JsonWriter, Payload, Protocol, Request, ServiceWire, Writer as _, XmlWriter, route};
use proptest::prelude::*;

static SERVICES: [ServiceWire; 4] = [SQS, KMS, IAM, STS];

/// Undoes the references that the XML writer makes.
fn unescape(xml: &str) -> String {
    let mut text = String::new();
    let mut rest = xml;
    while let Some((before, after)) = rest.split_once('&') {
        text += before;
        let (name, tail) = after.split_once(';').unwrap();
        text.push(match name {
            "lt" => '<',
            "gt" => '>',
            "amp" => '&',
            "quot" => '"',
            "apos" => '\'',
            number => {
                char::from_u32(u32::from_str_radix(number.strip_prefix("#x").unwrap(), 16).unwrap()).unwrap()
            }
        });
        rest = tail;
    }
    text + rest
}

fn percent_encode(text: &str) -> String {
    let bytes: Vec<_> = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
    bytes.concat()
}

/// Parameter names that look like those of `Everything`.
fn name() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec![
        "Text",
        "Integer",
        "List",
        "Lists",
        "Map",
        "MapOfLists",
        "Inner",
        "member",
        "entry",
        "key",
        "value",
        "1",
        "2",
        "10",
        "01",
        "99999999999",
        "",
        "é",
    ]);
    prop::collection::vec(part, 0..7).prop_map(|parts| parts.join("."))
}

proptest! {
    #[test]
    fn a_json_string_reads_back_as_it_was(text in any::<String>()) {
        let mut out = JsonWriter::new();
        out.text(&text);
        prop_assert_eq!(serde_json::from_slice::<String>(&out.finish()).unwrap(), text);
    }

    #[test]
    fn control_characters_in_json_read_back_too(bytes in prop::collection::vec(0_u8..0x80, 0..100)) {
        let text = String::from_utf8(bytes).unwrap();
        let mut out = JsonWriter::new();
        out.text(&text);
        prop_assert_eq!(serde_json::from_slice::<String>(&out.finish()).unwrap(), text);
    }

    #[test]
    fn xml_text_has_no_markup_or_control_characters_and_reads_back(text in any::<String>(), low in "[\\x00-\\x7f]{0,60}") {
        for text in [text, low] {
            let mut out = XmlWriter::new();
            out.text(&text);
            let xml = String::from_utf8(out.finish()).unwrap();
            let forbidden = |c: char| (c < ' ' && c != '\n' && c != '\t') || "<>\"'\u{7f}\u{fffe}\u{ffff}".contains(c);
            prop_assert!(!xml.contains(forbidden), "{:?}", xml);
            prop_assert_eq!(unescape(&xml), text);
        }
    }

    #[test]
    fn any_bytes_as_json_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = Protocol::AwsJson10.read::<Everything>(Payload::Json(&bytes));
        let _ = Protocol::AwsJson10.read::<SendMessageBatch>(Payload::Json(&bytes));
    }

    #[test]
    fn anything_like_json_is_read_or_refused(text in "[\\[\\]{}:,\"a0-9.eTextListMap -]{0,200}") {
        let _ = Protocol::AwsJson10.read::<Everything>(Payload::Json(text.as_bytes()));
    }

    #[test]
    fn any_request_is_routed_or_refused(
        path in any::<String>(),
        query in any::<String>(),
        target in prop::option::of(any::<String>()),
        authorization in prop::option::of("Credential=[a-z/, ]{0,40}"),
        body in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let request = Request {
            method: "POST",
            path: &path,
            query: &query,
            target: target.as_deref(),
            content_type: Some("application/x-www-form-urlencoded"),
            authorization: authorization.as_deref(),
            body: &body,
            ..Request::default()
        };
        let _ = route(&SERVICES, &request);
    }

    #[test]
    fn any_parameters_are_read_or_refused(pairs in prop::collection::vec((name(), "[a-z0-9]{0,3}"), 0..20)) {
        let text: Vec<_> = pairs.iter().map(|(name, value)| format!("{}={value}", percent_encode(name))).collect();
        let text = text.join("&");
        let form = Form::parse(text.as_bytes()).map(Payload::Form).unwrap();
        let _ = Protocol::AwsQuery.read::<Everything>(form);
    }

    #[test]
    fn the_order_of_parameters_does_not_matter(
        texts in prop::collection::vec(any::<String>(), 0..14),
        seed in any::<u64>(),
    ) {
        let mut pairs: Vec<_> = texts
            .iter()
            .enumerate()
            .map(|(index, text)| format!("List.member.{}={}", index + 1, percent_encode(text)))
            .collect();
        pairs.sort_by_key(|pair| pair.bytes().fold(seed, |hash, b| hash.wrapping_mul(31).wrapping_add(b.into())));
        let text = pairs.join("&");
        let input: Everything =
            Protocol::AwsQuery.read(Payload::Form(Form::parse(text.as_bytes()).unwrap())).unwrap();
        prop_assert_eq!(input.list.unwrap_or_default(), texts);
    }

    #[test]
    fn a_shape_reads_back_from_its_own_json(
        text in any::<Option<String>>(),
        integer in any::<Option<i32>>(),
        long in any::<Option<i64>>(),
        boolean in any::<Option<bool>>(),
        blob in any::<Option<Vec<u8>>>(),
        millis in prop::option::of(0_u64..253_402_300_799_999),
        map in prop::option::of(prop::collection::btree_map(any::<String>(), any::<i64>(), 0..4)),
        lists in prop::option::of(prop::collection::vec(prop::collection::vec(any::<i64>(), 0..3), 0..3)),
    ) {
        let shape = Everything {
            text,
            integer,
            long,
            boolean,
            blob: blob.map(crate::Blob),
            timestamp: millis.map(bulla_types::Timestamp::from_millis),
            map,
            lists,
            ..Everything::NOTHING
        };
        let reply = Protocol::AwsJson10.success(&SQS, "X", &shape, "r");
        let again: Everything = Protocol::AwsJson10.read(Payload::Json(&reply.body)).unwrap();
        prop_assert_eq!(again, shape);
    }
}
