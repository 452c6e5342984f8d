"""What AWS answers where its documentation says little: recorded facts, in both protocols.

Each test names the fact. The JSON protocol is spoken by botocore or raw, the Query protocol raw.
"""

import json
import time

import pytest

from bulla import error, error_code, sqs_json, sqs_query


@pytest.fixture
def fifo(sqs, name):
    """A FIFO queue whose messages are hidden for a second."""
    attributes = {"FifoQueue": "true", "ContentBasedDeduplication": "true", "VisibilityTimeout": "1"}
    return sqs.create_queue(QueueName=name("queue") + ".fifo", Attributes=attributes)["QueueUrl"]


def query_error(server, admin, action, parameters):
    """Status, type, code and message of the error that a Query call must end with; checks its envelope."""
    answer = sqs_query(server, action, parameters, keys=admin)
    document = answer.xml()
    assert document.tag == "ErrorResponse", answer.body
    assert [child.tag for child in document] == ["Error", "RequestId"]
    [found] = document.findall("Error")
    assert [child.tag for child in found] == ["Type", "Code", "Message", "Detail"]
    assert found.find("Detail").text is None
    assert document.findtext("RequestId")
    return answer.status, found.findtext("Type"), found.findtext("Code"), found.findtext("Message")


def test_json_errors_are_fully_qualified_and_carry_the_query_code(server, admin, queue):
    answer = sqs_json(server, "GetQueueUrl", {"QueueName": "nobody"}, keys=admin)
    assert answer.status == 400
    assert answer.json()["__type"] == "com.amazonaws.sqs#QueueDoesNotExist"
    assert answer.headers["x-amzn-errortype"] == "com.amazonaws.sqs#QueueDoesNotExist"
    assert answer.headers["x-amzn-query-error"] == "AWS.SimpleQueueService.NonExistentQueue;Sender"
    assert answer.json()["message"] == "The specified queue does not exist."


def test_query_errors_have_an_empty_detail_and_a_request_id(server, admin):
    found = query_error(server, admin, "GetQueueUrl", {"QueueName": "nobody"})
    wording = "The specified queue does not exist for this wsdl version."
    assert found == (400, "Sender", "AWS.SimpleQueueService.NonExistentQueue", wording)


def test_creating_again_names_the_attribute_that_differs(server, admin, sqs, name):
    wanted = name("queue")
    sqs.create_queue(QueueName=wanted)
    status, _, code, message = query_error(server, admin, "CreateQueue", {
        "QueueName": wanted, "Attribute.1.Name": "DelaySeconds", "Attribute.1.Value": "3"})
    assert (status, code) == (400, "QueueAlreadyExists")
    assert message.endswith("same name and a different value for attribute DelaySeconds")


def test_a_malformed_handle_is_named_in_both_protocols(server, admin, sqs, queue):
    wording = 'The input receipt handle "garbage" is not a valid receipt handle.'
    found = query_error(server, admin, "DeleteMessage", {"QueueUrl": queue, "ReceiptHandle": "garbage"})
    assert found == (404, "Sender", "ReceiptHandleIsInvalid", wording)
    found = error(sqs.change_message_visibility, QueueUrl=queue, ReceiptHandle="garbage", VisibilityTimeout=1).response["Error"]
    assert (found["Code"], found["Message"]) == ("ReceiptHandleIsInvalid", wording)


def test_the_visibility_of_a_deleted_message_is_an_invalid_value(server, admin, sqs, queue):
    sqs.send_message(QueueUrl=queue, MessageBody="x")
    [message] = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1)["Messages"]
    handle = {"QueueUrl": queue, "ReceiptHandle": message["ReceiptHandle"]}
    sqs.delete_message(**handle)
    assert error_code(sqs.change_message_visibility, **handle, VisibilityTimeout=1) == "InvalidParameterValue"
    assert query_error(server, admin, "ChangeMessageVisibility", handle | {"VisibilityTimeout": "1"})[2] == "InvalidParameterValue"


def test_a_fifo_message_cannot_be_deleted_when_its_handle_has_expired(sqs, fifo):
    sqs.send_message(QueueUrl=fifo, MessageBody="x", MessageGroupId="g")
    [message] = sqs.receive_message(QueueUrl=fifo, WaitTimeSeconds=1)["Messages"]
    time.sleep(1.5)
    found = error(sqs.delete_message, QueueUrl=fifo, ReceiptHandle=message["ReceiptHandle"]).response
    assert found["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert found["Error"]["Code"] == "InvalidParameterValue"
    assert "The receipt handle has expired" in found["Error"]["Message"]


def test_a_fifo_receive_goes_on_within_a_group_and_leaves_busy_groups_alone(sqs, fifo):
    sqs.set_queue_attributes(QueueUrl=fifo, Attributes={"VisibilityTimeout": "30"})
    for group, body in [("a", "a1"), ("b", "b1"), ("a", "a2"), ("b", "b2"), ("a", "a3")]:
        sqs.send_message(QueueUrl=fifo, MessageBody=body, MessageGroupId=group)
    first = sqs.receive_message(QueueUrl=fifo, MaxNumberOfMessages=2, WaitTimeSeconds=1)["Messages"]
    assert [message["Body"] for message in first] == ["a1", "a2"]
    second = sqs.receive_message(QueueUrl=fifo, MaxNumberOfMessages=10, WaitTimeSeconds=1)["Messages"]
    assert [message["Body"] for message in second] == ["b1", "b2"]
    assert "Messages" not in sqs.receive_message(QueueUrl=fifo, MaxNumberOfMessages=10)


def test_a_missing_group_is_missing_in_a_send_and_invalid_in_a_batch(server, admin, sqs, fifo):
    assert error_code(sqs.send_message, QueueUrl=fifo, MessageBody="x") == "MissingParameter"
    assert query_error(server, admin, "SendMessage", {"QueueUrl": fifo, "MessageBody": "x"})[2] == "MissingParameter"
    answer = sqs.send_message_batch(QueueUrl=fifo, Entries=[
        {"Id": "bad", "MessageBody": "x"}, {"Id": "good", "MessageBody": "x", "MessageGroupId": "g"}])
    assert [entry["Id"] for entry in answer["Successful"]] == ["good"]
    assert [(entry["Id"], entry["Code"]) for entry in answer["Failed"]] == [("bad", "InvalidParameterValue")]


def test_an_oversized_batch_entry_is_an_invalid_value(sqs, queue):
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"MaximumMessageSize": "1024"})
    [failed] = sqs.send_message_batch(QueueUrl=queue, Entries=[{"Id": "big", "MessageBody": "x" * 2000}])["Failed"]
    assert failed["Code"] == "InvalidParameterValue"
    assert failed["Message"].startswith("One or more parameters cannot be validated. Reason: ")


def test_a_key_turns_managed_encryption_off_for_good(sqs, queue):
    def echoed():
        return sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]

    assert echoed()["SqsManagedSseEnabled"] == "true"
    assert echoed()["MaximumMessageSize"] == "1048576"
    assert "KmsDataKeyReusePeriodSeconds" not in echoed()
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"KmsMasterKeyId": "alias/facts"})
    assert (echoed()["SqsManagedSseEnabled"], echoed()["KmsDataKeyReusePeriodSeconds"]) == ("false", "300")
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"KmsMasterKeyId": ""})
    assert echoed()["SqsManagedSseEnabled"] == "false"
    assert not {"KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds"} & set(echoed())


def test_managed_encryption_turns_a_key_off(sqs, name):
    queue = sqs.create_queue(QueueName=name("queue"), Attributes={"KmsMasterKeyId": "alias/facts"})["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"SqsManagedSseEnabled": "true"})
    found = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
    assert found["SqsManagedSseEnabled"] == "true" and "KmsMasterKeyId" not in found
    both = {"KmsMasterKeyId": "alias/facts", "SqsManagedSseEnabled": "true"}
    found = error(sqs.set_queue_attributes, QueueUrl=queue, Attributes=both).response["Error"]
    assert found["Code"] == "InvalidAttributeValue"
    assert found["Message"].startswith("You can use one type of server-side encryption (SSE) at one time.")


def test_a_task_handle_that_nobody_knows_is_a_404(sqs, server, admin, account, name):
    import base64

    dead = sqs.create_queue(QueueName=name("dead"))["QueueUrl"]
    arn = f"arn:aws:sqs:us-east-1:{account}:{dead.rsplit('/', 1)[1]}"
    for source in (arn, arn + "-gone"):
        handle = base64.b64encode(json.dumps({"taskId": "0" * 32, "sourceArn": source}).encode()).decode()
        found = error(sqs.cancel_message_move_task, TaskHandle=handle).response
        assert found["ResponseMetadata"]["HTTPStatusCode"] == 404
        assert found["Error"]["Code"] == "ResourceNotFoundException"
        assert query_error(server, admin, "CancelMessageMoveTask", {"TaskHandle": handle})[:3] == (
            404, "Sender", "ResourceNotFoundException")
    assert error_code(sqs.start_message_move_task, SourceArn=arn + "-gone") == "ResourceNotFoundException"
    assert error_code(sqs.list_message_move_tasks, SourceArn=arn + "-gone") == "ResourceNotFoundException"


def test_permissions_make_a_policy_of_the_older_version(sqs, queue, account):
    sqs.add_permission(QueueUrl=queue, Label="send", AWSAccountIds=["210987654321"], Actions=["SendMessage"])
    found = json.loads(sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["Policy"])["Attributes"]["Policy"])
    arn = f"arn:aws:sqs:us-east-1:{account}:{queue.rsplit('/', 1)[1]}"
    assert found == {
        "Version": "2008-10-17",
        "Id": f"{arn}/SQSDefaultPolicy",
        "Statement": [{"Sid": "send", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::210987654321:root"},
                       "Action": "SQS:SendMessage", "Resource": arn}],
    }
    again = {"QueueUrl": queue, "Label": "send", "AWSAccountIds": ["210987654321"], "Actions": ["SendMessage"]}
    found = error(sqs.add_permission, **again).response["Error"]
    assert (found["Code"], found["Message"]) == (
        "InvalidParameterValue", "Value send for parameter Label is invalid. Reason: Already exists.")
    sqs.remove_permission(QueueUrl=queue, Label="send")
    assert "Attributes" not in sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["Policy"])


@pytest.mark.parametrize(("state", "code"), [("disabled", "KMS.DisabledException"), ("doomed", "KMS.InvalidStateException"),
                                             ("absent", "KMS.NotFoundException"), ("forbidden", "KMS.AccessDeniedException")])
def test_what_kms_refuses_is_told_in_both_protocols(server, admin, kms, sqs, name, state, code):
    if state == "absent":
        key = "12345678-1234-1234-1234-123456789012"
    elif state == "forbidden":
        account = server.client("sts", admin).get_caller_identity()["Account"]
        statements = [
            {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "kms:*", "Resource": "*"},
            {"Effect": "Deny", "Principal": "*", "Action": "kms:GenerateDataKey", "Resource": "*"},
        ]
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
        key = kms.create_key(Policy=policy)["KeyMetadata"]["KeyId"]
    else:
        key = kms.create_key()["KeyMetadata"]["KeyId"]
    queue = sqs.create_queue(QueueName=name("queue"), Attributes={"KmsMasterKeyId": key})["QueueUrl"]
    if state == "disabled":
        kms.disable_key(KeyId=key)
    if state == "doomed":
        kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    assert error_code(sqs.send_message, QueueUrl=queue, MessageBody="x") == code
    assert query_error(server, admin, "SendMessage", {"QueueUrl": queue, "MessageBody": "x"})[:3] == (400, "Sender", code)
    answer = sqs_json(server, "SendMessage", {"QueueUrl": queue, "MessageBody": "x"}, keys=admin)
    shapes = {"KMS.DisabledException": "KmsDisabled", "KMS.InvalidStateException": "KmsInvalidState",
              "KMS.NotFoundException": "KmsNotFound", "KMS.AccessDeniedException": "KmsAccessDenied"}
    assert answer.headers["x-amzn-errortype"] == f"com.amazonaws.sqs#{shapes[code]}"
