"""SQS in the AWS Query protocol, as older SDKs speak it: the same operations and errors, in XML."""

import hashlib
import urllib.parse

import botocore.session
import pytest

from bulla import attributes_md5, signed, sqs_json, sqs_query


MODEL = botocore.session.Session().get_service_model("sqs")


@pytest.fixture
def call(server, admin):
    """Calls an action and returns the named texts of the answer, which must be a success."""

    def run(action, parameters=None, *names):
        answer = sqs_query(server, action, parameters, keys=admin)
        assert answer.status == 200, answer.body
        assert answer.headers["content-type"].split(";")[0] == "text/xml"
        document = answer.xml()
        assert document.tag == f"{action}Response"
        assert document.findtext("ResponseMetadata/RequestId")
        return [[element.text or "" for element in document.iter(name)] for name in names]

    return run


@pytest.fixture
def failure(server, admin):
    """Calls an action and returns type, code and status of the error it must end with."""

    def run(action, parameters=None, **rest):
        answer = sqs_query(server, action, parameters, **({"keys": admin} | rest))
        document = answer.xml()
        assert document.tag == "ErrorResponse", answer.body
        [error] = document.findall("Error")
        assert error.find("Detail") is not None and not error.findtext("Detail")
        assert error.findtext("Message") and document.findtext("RequestId")
        return error.findtext("Type"), error.findtext("Code"), answer.status

    return run


def test_every_operation_answers_in_xml(call, name):
    wanted = name("queue")
    [[url]] = call("CreateQueue", {"QueueName": wanted, "Attribute.1.Name": "VisibilityTimeout", "Attribute.1.Value": "40",
                                   "Tag.1.Key": "team", "Tag.1.Value": "blue"}, "QueueUrl")
    queue = {"QueueUrl": url}
    assert call("GetQueueUrl", {"QueueName": wanted}, "QueueUrl") == [[url]]
    assert call("ListQueues", {"QueueNamePrefix": wanted}, "QueueUrl") == [[url]]
    assert call("GetQueueAttributes", queue | {"AttributeName.1": "VisibilityTimeout"}, "Name", "Value") == [["VisibilityTimeout"], ["40"]]
    call("SetQueueAttributes", queue | {"Attribute.1.Name": "DelaySeconds", "Attribute.1.Value": "0"})
    assert call("ListQueueTags", queue, "Key", "Value") == [["team"], ["blue"]]
    call("TagQueue", queue | {"Tag.1.Key": "tier", "Tag.1.Value": "1"})
    call("UntagQueue", queue | {"TagKey.1": "team"})
    assert call("ListQueueTags", queue, "Key") == [["tier"]]

    attribute = {"colour": {"DataType": "String", "StringValue": "röd"}}
    md5 = hashlib.md5(b"<&> 1").hexdigest()
    sent = call("SendMessage", queue | {
        "MessageBody": "<&> 1", "MessageAttribute.1.Name": "colour", "MessageAttribute.1.Value.DataType": "String",
        "MessageAttribute.1.Value.StringValue": "röd"}, "MessageId", "MD5OfMessageBody", "MD5OfMessageAttributes")
    assert sent[1:] == [[md5], [attributes_md5(attribute)]]
    got = call("ReceiveMessage", queue | {"WaitTimeSeconds": "1", "MessageAttributeName.1": "All", "AttributeName.1": "All"},
               "MessageId", "Body", "MD5OfBody", "MD5OfMessageAttributes", "StringValue", "ReceiptHandle")
    assert got[:5] == [sent[0], ["<&> 1"], [md5], sent[2], ["röd"]]
    handle = {"ReceiptHandle": got[5][0]}
    call("ChangeMessageVisibility", queue | handle | {"VisibilityTimeout": "50"})
    call("DeleteMessage", queue | handle)

    batch = {f"SendMessageBatchRequestEntry.{n}.{key}": value for n in (1, 2)
             for key, value in (("Id", f"i{n}"), ("MessageBody", f"b{n}"))}
    assert call("SendMessageBatch", queue | batch, "Id") == [["i1", "i2"]]
    handles = []
    while len(handles) < 2:
        handles += call("ReceiveMessage", queue | {"WaitTimeSeconds": "1", "MaxNumberOfMessages": "10"}, "ReceiptHandle")[0]
    entries = {f"{{}}.{n}.{key}": value for n, found in enumerate(handles, 1)
               for key, value in (("Id", f"i{n}"), ("ReceiptHandle", found))}
    change = {key.format("ChangeMessageVisibilityBatchRequestEntry"): value for key, value in entries.items()}
    change |= {f"ChangeMessageVisibilityBatchRequestEntry.{n}.VisibilityTimeout": "60" for n in (1, 2)}
    assert call("ChangeMessageVisibilityBatch", queue | change, "Id") == [["i1", "i2"]]
    delete = {key.format("DeleteMessageBatchRequestEntry"): value for key, value in entries.items()}
    assert call("DeleteMessageBatch", queue | delete, "Id") == [["i1", "i2"]]
    call("PurgeQueue", queue)
    call("DeleteQueue", queue)


def test_dead_letters_and_permissions_answer_in_xml(call, account, name):
    dead, source = name("dead"), name("source")
    arn = f"arn:aws:sqs:us-east-1:{account}:{dead}"
    [[dead_url]] = call("CreateQueue", {"QueueName": dead}, "QueueUrl")
    redrive = '{"deadLetterTargetArn": "' + arn + '", "maxReceiveCount": "1"}'
    [[url]] = call("CreateQueue", {"QueueName": source, "Attribute.1.Name": "RedrivePolicy", "Attribute.1.Value": redrive,
                                   "Attribute.2.Name": "VisibilityTimeout", "Attribute.2.Value": "0"}, "QueueUrl")
    assert call("ListDeadLetterSourceQueues", {"QueueUrl": dead_url}, "QueueUrl") == [[url]]
    call("SendMessage", {"QueueUrl": url, "MessageBody": "x"})
    call("ReceiveMessage", {"QueueUrl": url, "WaitTimeSeconds": "1"})
    assert call("ReceiveMessage", {"QueueUrl": url}, "Body") == [[]]
    [[handle]] = call("StartMessageMoveTask", {"SourceArn": arn, "MaxNumberOfMessagesPerSecond": "1"}, "TaskHandle")
    assert handle
    found = call("ListMessageMoveTasks", {"SourceArn": arn, "MaxResults": "10"}, "SourceArn", "ApproximateNumberOfMessagesToMove")
    assert found == [[arn], ["1"]]
    permission = {"QueueUrl": url, "Label": "both", "AWSAccountId.1": "210987654321", "ActionName.1": "SendMessage",
                  "ActionName.2": "ReceiveMessage"}
    call("AddPermission", permission)
    [[policy]] = call("GetQueueAttributes", {"QueueUrl": url, "AttributeName.1": "Policy"}, "Value")
    assert '"Action":["SQS:SendMessage","SQS:ReceiveMessage"]' in policy
    call("RemovePermission", {"QueueUrl": url, "Label": "both"})


def test_every_action_may_be_a_get_on_the_root_and_on_the_queue_s_path(server, admin, queue):
    """Each action is known, by both methods and on both paths; most miss a parameter here, or act on the path's queue."""
    own = "/" + queue.split("/", 3)[3]
    assert len(MODEL.operation_names) == 23
    for action in MODEL.operation_names:
        for path in ("/", own):
            query = urllib.parse.urlencode({"Action": action, "Version": "2012-11-05"})
            by_get = signed(server, "sqs", keys=admin, method="GET", path=f"{path}?{query}")
            by_post = signed(server, "sqs", keys=admin, path=path, body=query.encode(),
                             headers={"Content-Type": "application/x-www-form-urlencoded"})
            for answer in (by_get, by_post):
                assert b"InvalidAction" not in answer.body and answer.status < 500, (action, path, answer.body)


def test_a_call_may_go_to_the_queue_s_own_path(server, admin, queue):
    path = "/" + queue.split("/", 3)[3]
    body = b"Action=SendMessage&Version=2012-11-05&MessageBody=x"
    answer = signed(server, "sqs", keys=admin, path=path, body=body,
                    headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert answer.status == 200, answer.body


def test_a_call_may_be_a_get(server, admin):
    answer = signed(server, "sqs", keys=admin, method="GET", path="/?Action=ListQueues&Version=2012-11-05")
    assert answer.status == 200, answer.body
    assert answer.xml().tag == "ListQueuesResponse"


def test_errors_have_type_code_and_status(failure, queue):
    gone = queue + "-never-made"
    assert failure("SendMessage", {"QueueUrl": gone, "MessageBody": "x"}) == (
        "Sender", "AWS.SimpleQueueService.NonExistentQueue", 400)
    assert failure("DeleteMessage", {"QueueUrl": queue, "ReceiptHandle": "garbage"}) == ("Sender", "ReceiptHandleIsInvalid", 404)
    assert failure("SendMessage", {"QueueUrl": queue}) == ("Sender", "MissingParameter", 400)
    assert failure("SendMessageBatch", {"QueueUrl": queue})[1] == "AWS.SimpleQueueService.EmptyBatchRequest"
    assert failure("MakeCoffee") == ("Sender", "InvalidAction", 400)


def test_json_errors_have_both_names(server, admin, queue):
    answer = sqs_json(server, "SendMessage", {"QueueUrl": queue + "-never-made", "MessageBody": "x"}, keys=admin)
    assert answer.status == 400
    assert answer.headers["content-type"] == "application/x-amz-json-1.0"
    assert answer.headers["x-amzn-query-error"] == "AWS.SimpleQueueService.NonExistentQueue;Sender"
    assert answer.json()["__type"] == "com.amazonaws.sqs#QueueDoesNotExist"
    assert answer.json()["message"]


def test_answers_name_their_request(server, admin, queue):
    first = sqs_json(server, "ListQueues", {}, keys=admin)
    second = sqs_json(server, "ListQueues", {}, keys=admin)
    assert first.headers["x-amzn-requestid"] != second.headers["x-amzn-requestid"]


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"QueueUrl": 1}', b'{"QueueName": {"a": 1}}', b"\xff\xfe"])
def test_wrong_json_is_a_serialization_exception(server, admin, body):
    answer = sqs_json(server, "GetQueueUrl", body, keys=admin)
    assert answer.status == 400
    if body != b'{"QueueUrl": 1}':  # An unknown member is ignored; then the name is missing.
        assert answer.json()["__type"].endswith("SerializationException")


def test_unknown_members_are_ignored(server, admin, queue):
    answer = sqs_json(server, "GetQueueUrl", {"QueueName": queue.rsplit("/", 1)[1], "Colour": ["red"]}, keys=admin)
    assert answer.status == 200
    assert answer.json() == {"QueueUrl": answer.json()["QueueUrl"]}


def test_an_unknown_operation_is_refused(server, admin):
    answer = sqs_json(server, "MakeCoffee", {}, keys=admin)
    assert answer.status == 400
    assert answer.json()["__type"].rpartition("#")[2] == "UnknownOperationException"
