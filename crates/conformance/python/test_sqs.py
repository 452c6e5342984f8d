"""SQS standard queues: every operation, through botocore in the JSON protocol."""

import hashlib
import json
import threading
import time

import pytest

from bulla import attributes_md5, error, error_code


def arn(sqs, queue):
    return sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def receive(sqs, queue, **rest):
    return sqs.receive_message(QueueUrl=queue, **({"WaitTimeSeconds": 1} | rest)).get("Messages", [])


def test_a_message_makes_the_round_trip(sqs, queue):
    sent = sqs.send_message(QueueUrl=queue, MessageBody="hello, wörld \U0001f98a")
    assert sent["MD5OfMessageBody"] == hashlib.md5("hello, wörld \U0001f98a".encode()).hexdigest()
    [message] = receive(sqs, queue)
    assert message["MessageId"] == sent["MessageId"]
    assert message["Body"] == "hello, wörld \U0001f98a"
    assert message["MD5OfBody"] == sent["MD5OfMessageBody"]
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    assert receive(sqs, queue, WaitTimeSeconds=0) == []


def test_queue_url_names_account_and_queue(server, sqs, account, name):
    wanted = name("queue")
    url = sqs.create_queue(QueueName=wanted)["QueueUrl"]
    assert url.endswith(f"/{account}/{wanted}")
    assert sqs.get_queue_url(QueueName=wanted)["QueueUrl"] == url


def test_creating_the_same_queue_again_gives_the_same_url(sqs, name):
    wanted = name("queue")
    attributes = {"DelaySeconds": "1", "VisibilityTimeout": "7"}
    first = sqs.create_queue(QueueName=wanted, Attributes=attributes)["QueueUrl"]
    assert sqs.create_queue(QueueName=wanted, Attributes=attributes)["QueueUrl"] == first
    assert sqs.create_queue(QueueName=wanted)["QueueUrl"] == first


def test_creating_a_queue_again_with_another_attribute_names_the_attribute(sqs, name):
    wanted = name("queue")
    sqs.create_queue(QueueName=wanted, Attributes={"DelaySeconds": "1"})
    found = error(sqs.create_queue, QueueName=wanted, Attributes={"DelaySeconds": "2"}).response["Error"]
    assert found["Code"] == "QueueAlreadyExists"
    assert "DelaySeconds" in found["Message"]


@pytest.mark.parametrize("wrong", ["", "a" * 81, "with space", "dot.in.name", "umläut"])
def test_a_wrong_queue_name_is_refused(sqs, wrong):
    found = error(sqs.create_queue, QueueName=wrong)
    assert found.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert found.response["Error"]["Code"] == "InvalidParameterValue"


def test_queues_are_listed_by_prefix_and_by_pages(sqs, name):
    prefix = name("listed")
    urls = sorted(sqs.create_queue(QueueName=f"{prefix}-{n}")["QueueUrl"] for n in range(5))
    assert sorted(sqs.list_queues(QueueNamePrefix=prefix)["QueueUrls"]) == urls
    pages, token = [], {}
    while True:
        page = sqs.list_queues(QueueNamePrefix=prefix, MaxResults=2, **token)
        pages.append(page.get("QueueUrls", []))
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
        assert len(pages) < 5
    assert sorted(url for page in pages for url in page) == urls
    assert all(len(page) <= 2 for page in pages)


def test_a_deleted_queue_is_gone(sqs, queue):
    sqs.delete_queue(QueueUrl=queue)
    assert error_code(sqs.send_message, QueueUrl=queue, MessageBody="x") == "AWS.SimpleQueueService.NonExistentQueue"
    assert error_code(sqs.get_queue_url, QueueName=queue.rsplit("/", 1)[1]) == "AWS.SimpleQueueService.NonExistentQueue"


def test_a_name_is_not_free_within_60_seconds_of_deletion(sqs, queue):
    sqs.delete_queue(QueueUrl=queue)
    found = error_code(sqs.create_queue, QueueName=queue.rsplit("/", 1)[1])
    assert found == "AWS.SimpleQueueService.QueueDeletedRecently"


def test_default_attributes_are_those_of_aws(sqs, queue, account):
    found = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
    created = int(found.pop("CreatedTimestamp"))
    assert abs(created - time.time()) < 120
    assert int(found.pop("LastModifiedTimestamp")) >= created
    assert found == {
        "QueueArn": f"arn:aws:sqs:us-east-1:{account}:{queue.rsplit('/', 1)[1]}",
        "ApproximateNumberOfMessages": "0",
        "ApproximateNumberOfMessagesNotVisible": "0",
        "ApproximateNumberOfMessagesDelayed": "0",
        "VisibilityTimeout": "30",
        "MaximumMessageSize": "1048576",
        "MessageRetentionPeriod": "345600",
        "DelaySeconds": "0",
        "ReceiveMessageWaitTimeSeconds": "0",
        "SqsManagedSseEnabled": "true",
    }


def test_attributes_that_are_set_are_stored_and_asked_for_by_name(sqs, queue):
    changed = {"VisibilityTimeout": "5", "MessageRetentionPeriod": "60", "DelaySeconds": "900",
               "MaximumMessageSize": "1024", "ReceiveMessageWaitTimeSeconds": "20"}
    sqs.set_queue_attributes(QueueUrl=queue, Attributes=changed)
    assert sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=list(changed))["Attributes"] == changed
    assert sqs.get_queue_attributes(QueueUrl=queue).get("Attributes", {}) == {}


@pytest.mark.parametrize(
    ("attribute", "value"),
    [("VisibilityTimeout", "43201"), ("VisibilityTimeout", "-1"), ("VisibilityTimeout", "x"), ("DelaySeconds", "901"),
     ("MessageRetentionPeriod", "59"), ("MessageRetentionPeriod", "1209601"), ("MaximumMessageSize", "1023"),
     ("MaximumMessageSize", "1048577"), ("ReceiveMessageWaitTimeSeconds", "21"), ("Policy", "{not json"),
     ("KmsDataKeyReusePeriodSeconds", "59"), ("SqsManagedSseEnabled", "maybe")],
)
def test_an_attribute_out_of_bounds_is_refused_and_changes_nothing(sqs, queue, attribute, value):
    before = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
    assert error_code(sqs.set_queue_attributes, QueueUrl=queue, Attributes={attribute: value}) == "InvalidAttributeValue"
    assert sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"] == before


def test_an_unknown_attribute_is_refused(sqs, queue):
    assert error_code(sqs.set_queue_attributes, QueueUrl=queue, Attributes={"Colour": "red"}) == "InvalidAttributeName"
    assert error_code(sqs.get_queue_attributes, QueueUrl=queue, AttributeNames=["Colour"]) == "InvalidAttributeName"


def test_counts_follow_the_messages(sqs, queue):
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"]

    def counts():
        found = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
        return tuple(int(found[name]) for name in names)

    sqs.send_message(QueueUrl=queue, MessageBody="1")
    sqs.send_message(QueueUrl=queue, MessageBody="2")
    sqs.send_message(QueueUrl=queue, MessageBody="3", DelaySeconds=900)
    assert counts() == (2, 0, 1)
    [message] = receive(sqs, queue)
    assert counts() == (1, 1, 1)
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    assert counts() == (1, 0, 1)


def test_a_received_message_reappears_when_its_visibility_timeout_ends(sqs, queue):
    sqs.send_message(QueueUrl=queue, MessageBody="again")
    [first] = receive(sqs, queue, VisibilityTimeout=1, MessageSystemAttributeNames=["All"])
    assert receive(sqs, queue, WaitTimeSeconds=0) == []
    [second] = receive(sqs, queue, WaitTimeSeconds=5, MessageSystemAttributeNames=["All"])
    assert second["MessageId"] == first["MessageId"]
    assert second["ReceiptHandle"] != first["ReceiptHandle"]
    assert (first["Attributes"]["ApproximateReceiveCount"], second["Attributes"]["ApproximateReceiveCount"]) == ("1", "2")
    assert first["Attributes"]["ApproximateFirstReceiveTimestamp"] == second["Attributes"]["ApproximateFirstReceiveTimestamp"]


def test_visibility_can_be_ended_and_prolonged(sqs, queue):
    sqs.send_message(QueueUrl=queue, MessageBody="x")
    [message] = receive(sqs, queue)
    sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
    [message] = receive(sqs, queue, VisibilityTimeout=1)
    sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=60)
    assert receive(sqs, queue, WaitTimeSeconds=2) == []


def test_visibility_of_a_deleted_message_cannot_be_changed(sqs, queue):
    sqs.send_message(QueueUrl=queue, MessageBody="x")
    [message] = receive(sqs, queue)
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    call = {"QueueUrl": queue, "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": 1}
    assert error_code(sqs.change_message_visibility, **call) == "InvalidParameterValue"


def test_deleting_twice_is_not_an_error(sqs, queue):
    sqs.send_message(QueueUrl=queue, MessageBody="x")
    [message] = receive(sqs, queue)
    for _ in range(2):
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])


def test_a_malformed_receipt_handle_is_named(sqs, queue):
    found = error(sqs.delete_message, QueueUrl=queue, ReceiptHandle="garbage").response["Error"]
    assert found["Code"] == "ReceiptHandleIsInvalid"
    assert found["Message"] == 'The input receipt handle "garbage" is not a valid receipt handle.'


def test_a_receipt_handle_of_another_queue_is_refused(sqs, queue, name):
    other = sqs.create_queue(QueueName=name("queue"))["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody="x")
    [message] = receive(sqs, queue)
    assert error_code(sqs.delete_message, QueueUrl=other, ReceiptHandle=message["ReceiptHandle"]) == "ReceiptHandleIsInvalid"


def test_a_delayed_message_appears_after_its_delay(sqs, queue):
    sent = time.monotonic()
    sqs.send_message(QueueUrl=queue, MessageBody="late", DelaySeconds=1)
    assert receive(sqs, queue, WaitTimeSeconds=0) == []
    [message] = receive(sqs, queue, WaitTimeSeconds=10)
    assert message["Body"] == "late"
    assert 0.9 <= time.monotonic() - sent < 5


def test_a_waiting_receive_is_woken_by_a_send(server, admin, sqs, queue):
    found = []
    waiting = server.client("sqs", admin)
    thread = threading.Thread(target=lambda: found.append((receive(waiting, queue, WaitTimeSeconds=20), time.monotonic())))
    thread.start()
    thread.join(0.5)
    assert thread.is_alive(), "the receive did not wait"
    sqs.send_message(QueueUrl=queue, MessageBody="now")
    sent = time.monotonic()
    thread.join(10)
    [(messages, at)] = found
    assert [message["Body"] for message in messages] == ["now"]
    assert at - sent < 1


def test_a_waiting_receive_ends_empty_after_its_time(sqs, queue):
    started = time.monotonic()
    answer = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1)
    assert "Messages" not in answer
    assert 0.9 <= time.monotonic() - started < 5


def test_the_queue_s_own_wait_time_is_used(sqs, name):
    queue = sqs.create_queue(QueueName=name("queue"), Attributes={"ReceiveMessageWaitTimeSeconds": "1"})["QueueUrl"]
    started = time.monotonic()
    sqs.receive_message(QueueUrl=queue)
    assert time.monotonic() - started >= 0.9


@pytest.mark.parametrize("parameters", [{"MaxNumberOfMessages": 0}, {"MaxNumberOfMessages": 11}, {"WaitTimeSeconds": 21},
                                        {"WaitTimeSeconds": -1}, {"VisibilityTimeout": 43201}])
def test_receive_parameters_have_bounds(sqs, queue, parameters):
    assert error_code(sqs.receive_message, QueueUrl=queue, **parameters) == "InvalidParameterValue"


def test_a_body_has_bounds(sqs, queue, name):
    found = error(sqs.send_message, QueueUrl=queue, MessageBody="").response["Error"]
    assert found["Code"] == "MissingParameter"
    largest = "x" * 1048576
    assert sqs.send_message(QueueUrl=queue, MessageBody=largest)["MD5OfMessageBody"] == hashlib.md5(largest.encode()).hexdigest()
    [message] = receive(sqs, queue)
    assert message["Body"] == largest
    assert error_code(sqs.send_message, QueueUrl=queue, MessageBody=largest + "x") == "InvalidParameterValue"
    small = sqs.create_queue(QueueName=name("queue"), Attributes={"MaximumMessageSize": "1024"})["QueueUrl"]
    assert error_code(sqs.send_message, QueueUrl=small, MessageBody="x" * 1025) == "InvalidParameterValue"
    # Attributes count to the size: name, type and value.
    attribute = {"a": {"DataType": "String", "StringValue": "v"}}
    assert error_code(sqs.send_message, QueueUrl=small, MessageBody="x" * 1020, MessageAttributes=attribute) == "InvalidParameterValue"


@pytest.mark.parametrize("wrong", ["\x00", "a\x0bb", "\ufffe", "\uffff"])
def test_characters_outside_xml_are_refused(sqs, queue, wrong):
    assert error_code(sqs.send_message, QueueUrl=queue, MessageBody=wrong) == "InvalidMessageContents"


ATTRIBUTES = {
    "text": {"DataType": "String", "StringValue": "välue"},
    "number": {"DataType": "Number", "StringValue": "-1.5e3"},
    "bytes": {"DataType": "Binary", "BinaryValue": bytes(range(256))},
    "own.type": {"DataType": "String.mine", "StringValue": "x"},
}


def test_message_attributes_make_the_round_trip_with_their_md5(sqs, queue):
    sent = sqs.send_message(QueueUrl=queue, MessageBody="x", MessageAttributes=ATTRIBUTES)
    assert sent["MD5OfMessageAttributes"] == attributes_md5(ATTRIBUTES)
    [message] = receive(sqs, queue, MessageAttributeNames=["All"])
    assert message["MessageAttributes"] == ATTRIBUTES
    assert message["MD5OfMessageAttributes"] == attributes_md5(ATTRIBUTES)


def test_only_the_message_attributes_asked_for_are_returned(sqs, queue):
    sqs.send_message(QueueUrl=queue, MessageBody="x", MessageAttributes=ATTRIBUTES)
    [message] = receive(sqs, queue, VisibilityTimeout=0)
    assert "MessageAttributes" not in message
    [message] = receive(sqs, queue, VisibilityTimeout=0, MessageAttributeNames=["text", "own.*"])
    wanted = {name: ATTRIBUTES[name] for name in ("text", "own.type")}
    assert message["MessageAttributes"] == wanted
    assert message["MD5OfMessageAttributes"] == attributes_md5(wanted)


@pytest.mark.parametrize(
    "attributes",
    [{f"a{n}": {"DataType": "String", "StringValue": "x"} for n in range(11)},
     {"AWS.reserved": {"DataType": "String", "StringValue": "x"}},
     {"a": {"DataType": "Colour", "StringValue": "x"}},
     {"a": {"DataType": "Number", "StringValue": "x"}},
     {"a": {"DataType": "String", "StringValue": ""}},
     {"a..b": {"DataType": "String", "StringValue": "x"}},
     {"a" * 257: {"DataType": "String", "StringValue": "x"}}],
)
def test_wrong_message_attributes_are_refused(sqs, queue, attributes):
    assert error_code(sqs.send_message, QueueUrl=queue, MessageBody="x", MessageAttributes=attributes) == "InvalidParameterValue"


def test_system_attributes_tell_sender_and_times(server, admin, sqs, queue):
    sender = server.client("sts", admin).get_caller_identity()["UserId"]
    before = int(time.time() * 1000) - 1000
    sqs.send_message(QueueUrl=queue, MessageBody="x")
    [message] = receive(sqs, queue, MessageSystemAttributeNames=["SenderId", "SentTimestamp"])
    assert set(message["Attributes"]) == {"SenderId", "SentTimestamp"}
    assert message["Attributes"]["SenderId"] == sender
    assert before <= int(message["Attributes"]["SentTimestamp"]) <= before + 60_000


def test_the_trace_header_travels_with_the_message(sqs, queue):
    trace = {"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1-5759e988-bd862e3fe1be46a994272793"}}
    sent = sqs.send_message(QueueUrl=queue, MessageBody="x", MessageSystemAttributes=trace)
    assert sent["MD5OfMessageSystemAttributes"] == attributes_md5(trace)
    [message] = receive(sqs, queue, MessageSystemAttributeNames=["AWSTraceHeader"])
    assert message["Attributes"] == {"AWSTraceHeader": trace["AWSTraceHeader"]["StringValue"]}


def test_a_batch_makes_the_round_trip(sqs, queue):
    entries = [{"Id": f"id-{n}", "MessageBody": f"body {n}", "MessageAttributes": ATTRIBUTES} for n in range(10)]
    sent = sqs.send_message_batch(QueueUrl=queue, Entries=entries)
    assert sent["Failed"] == [], "the AWS model requires the member"
    assert {entry["MD5OfMessageBody"] for entry in sent["Successful"]} == {
        hashlib.md5(entry["MessageBody"].encode()).hexdigest() for entry in entries}
    assert {entry["MD5OfMessageAttributes"] for entry in sent["Successful"]} == {attributes_md5(ATTRIBUTES)}
    messages = []
    for _ in range(10):
        if len(messages) == 10:
            break
        messages += receive(sqs, queue, MaxNumberOfMessages=10)
    assert sorted(message["Body"] for message in messages) == [f"body {n}" for n in range(10)]
    handles = [{"Id": str(n), "ReceiptHandle": message["ReceiptHandle"]} for n, message in enumerate(messages)]
    hidden = sqs.change_message_visibility_batch(QueueUrl=queue, Entries=[entry | {"VisibilityTimeout": 60} for entry in handles])
    assert len(hidden["Successful"]) == 10
    deleted = sqs.delete_message_batch(QueueUrl=queue, Entries=handles)
    assert sorted(entry["Id"] for entry in deleted["Successful"]) == [str(n) for n in range(10)]
    assert deleted["Failed"] == []
    assert sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["ApproximateNumberOfMessagesNotVisible"])["Attributes"] == {
        "ApproximateNumberOfMessagesNotVisible": "0"}


def test_a_batch_may_fail_in_part(sqs, queue):
    entries = [{"Id": "good", "MessageBody": "x"}, {"Id": "bad", "MessageBody": "x", "DelaySeconds": 901},
               {"Id": "ugly", "MessageBody": "\x00"}]
    answer = sqs.send_message_batch(QueueUrl=queue, Entries=entries)
    assert [entry["Id"] for entry in answer["Successful"]] == ["good"]
    failed = {entry["Id"]: (entry["Code"], entry["SenderFault"]) for entry in answer["Failed"]}
    assert failed == {"bad": ("InvalidParameterValue", True), "ugly": ("InvalidMessageContents", True)}
    assert len(receive(sqs, queue)) == 1


def test_deleting_in_a_batch_may_fail_in_part(sqs, queue):
    sqs.send_message(QueueUrl=queue, MessageBody="x")
    [message] = receive(sqs, queue)
    entries = [{"Id": "good", "ReceiptHandle": message["ReceiptHandle"]}, {"Id": "bad", "ReceiptHandle": "garbage"}]
    answer = sqs.delete_message_batch(QueueUrl=queue, Entries=entries)
    assert [entry["Id"] for entry in answer["Successful"]] == ["good"]
    assert [(entry["Id"], entry["Code"]) for entry in answer["Failed"]] == [("bad", "ReceiptHandleIsInvalid")]


@pytest.mark.parametrize(
    ("entries", "code"),
    [([], "AWS.SimpleQueueService.EmptyBatchRequest"),
     ([{"Id": str(n), "MessageBody": "x"} for n in range(11)], "AWS.SimpleQueueService.TooManyEntriesInBatchRequest"),
     ([{"Id": "same", "MessageBody": "x"}] * 2, "AWS.SimpleQueueService.BatchEntryIdsNotDistinct"),
     ([{"Id": "not valid!", "MessageBody": "x"}], "AWS.SimpleQueueService.InvalidBatchEntryId"),
     ([{"Id": "a" * 81, "MessageBody": "x"}], "AWS.SimpleQueueService.InvalidBatchEntryId"),
     ([{"Id": str(n), "MessageBody": "x" * 600_000} for n in range(2)], "AWS.SimpleQueueService.BatchRequestTooLong")],
    ids=["empty", "eleven", "same ids", "wrong id", "long id", "too long"],
)
def test_a_malformed_batch_is_refused_as_a_whole(sqs, queue, entries, code):
    assert error_code(sqs.send_message_batch, QueueUrl=queue, Entries=entries) == code
    assert receive(sqs, queue, WaitTimeSeconds=0) == []


def test_an_oversized_batch_entry_fails_alone(sqs, name):
    queue = sqs.create_queue(QueueName=name("queue"), Attributes={"MaximumMessageSize": "1024"})["QueueUrl"]
    answer = sqs.send_message_batch(
        QueueUrl=queue, Entries=[{"Id": "big", "MessageBody": "x" * 1025}, {"Id": "small", "MessageBody": "x"}])
    assert [entry["Id"] for entry in answer["Successful"]] == ["small"]
    [failed] = answer["Failed"]
    assert failed["Code"] == "InvalidParameterValue"
    assert failed["Message"].startswith("One or more parameters cannot be validated. Reason: ")


def test_purge_empties_the_queue_once_a_minute(sqs, queue):
    for n in range(3):
        sqs.send_message(QueueUrl=queue, MessageBody=str(n))
    receive(sqs, queue)
    sqs.purge_queue(QueueUrl=queue)
    found = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
    assert found["ApproximateNumberOfMessages"] == found["ApproximateNumberOfMessagesNotVisible"] == "0"
    assert error_code(sqs.purge_queue, QueueUrl=queue) == "AWS.SimpleQueueService.PurgeQueueInProgress"


def test_tags_are_added_changed_and_removed(sqs, name):
    queue = sqs.create_queue(QueueName=name("queue"), tags={"a": "1"})["QueueUrl"]
    sqs.tag_queue(QueueUrl=queue, Tags={"a": "2", "b": ""})
    assert sqs.list_queue_tags(QueueUrl=queue)["Tags"] == {"a": "2", "b": ""}
    sqs.untag_queue(QueueUrl=queue, TagKeys=["a", "absent"])
    assert sqs.list_queue_tags(QueueUrl=queue)["Tags"] == {"b": ""}
    sqs.untag_queue(QueueUrl=queue, TagKeys=["b"])
    assert sqs.list_queue_tags(QueueUrl=queue).get("Tags", {}) == {}


@pytest.mark.parametrize("tags", [{"k" * 129: "v"}, {"k": "v" * 257}, {"aws:mine": "v"}])
def test_wrong_tags_are_refused(sqs, queue, tags):
    assert error_code(sqs.tag_queue, QueueUrl=queue, Tags=tags) in ("InvalidParameterValue", "InvalidParameter")


def test_the_policy_is_returned_as_it_was_stored(sqs, queue):
    document = {"Version": "2012-10-17", "Statement": [{"Sid": "s", "Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage",
                                                        "Resource": arn(sqs, queue)}]}
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps(document)})
    found = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["Policy"])["Attributes"]["Policy"]
    assert json.loads(found) == document
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": ""})
    assert sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["Policy"]).get("Attributes", {}) == {}


def test_regions_are_separate(server, admin, sqs, name):
    wanted = name("queue")
    sqs.create_queue(QueueName=wanted)
    elsewhere = server.client("sqs", admin, region="eu-central-1")
    assert error_code(elsewhere.get_queue_url, QueueName=wanted) == "AWS.SimpleQueueService.NonExistentQueue"
    url = elsewhere.create_queue(QueueName=wanted)["QueueUrl"]
    assert arn(elsewhere, url).split(":")[3] == "eu-central-1"
