"""The HTTP side of the door: methods, paths, hosts, encodings, overload."""

import gzip
import json
import threading
import time

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from bulla import Keys, error, signed, sqs_json

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
VERSION = "&Version=2012-11-05"
SECONDS_MAX = 60


def path_of(queue: str) -> str:
    return "/" + queue.split("/", 3)[3]


def test_a_get_may_go_to_the_queue_s_own_path(server, admin, queue):
    for version in (VERSION, ""):
        path = path_of(queue) + "?Action=GetQueueAttributes&AttributeName.1=QueueArn" + version
        answer = signed(server, "sqs", keys=admin, method="GET", path=path)
        assert answer.status == 200, answer.body
        assert answer.xml().findtext(".//Value").endswith(queue.rsplit("/", 1)[1])


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"])
def test_other_methods_do_nothing(server, admin, queue, method):
    answer = signed(server, "sqs", keys=admin, method=method, path=path_of(queue) + "?Action=DeleteQueue" + VERSION)
    assert answer.status == 405 and answer.headers["allow"] == "GET, POST"
    if method == "HEAD":
        assert answer.body == b""
    else:
        assert answer.xml().findtext("Error/Code") == "MethodNotAllowed"
    found = sqs_json(server, "GetQueueUrl", {"QueueName": queue.rsplit("/", 1)[1]}, keys=admin)
    assert found.status == 200, "the queue is still there"


def test_paths_that_are_no_queue_s_are_refused(server, admin, account):
    body = b"Action=ReceiveMessage" + VERSION.encode()
    for path, code, status in (("/no/such/path", "InvalidAddress", 404),
                               (f"/{account}/never-made", "AWS.SimpleQueueService.NonExistentQueue", 400)):
        answer = signed(server, "sqs", keys=admin, path=path, headers=FORM, body=body)
        assert (answer.xml().findtext("Error/Code"), answer.status) == (code, status)


def test_queue_urls_begin_with_the_host_that_the_client_used(server, admin, queue):
    body = json.dumps({"QueueName": queue.rsplit("/", 1)[1]}).encode()
    headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "AmazonSQS.GetQueueUrl"}
    forwarded = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "gopher", "Forwarded": "host=evil.example"}
    for host in ("queues.example", "queues.example:8443", "sqs.eu-central-1.amazonaws.com"):
        for tls, scheme in ((False, "http"), (True, "https")):
            answer = signed(server, "sqs", keys=admin, tls=tls, body=body, headers=headers | forwarded | {"Host": host})
            assert answer.status == 200, answer.body
            assert answer.json()["QueueUrl"] == f"{scheme}://{host}{path_of(queue)}"


def test_queue_urls_begin_with_the_public_url_when_there_is_one(fresh):
    server = fresh("--public-url", "https://queues.example:8443", "--open", "--ephemeral")
    keys = Keys("111111111111", "x")
    made = server.client("sqs", keys).create_queue(QueueName="q")["QueueUrl"]
    assert made == "https://queues.example:8443/111111111111/q"


def test_compressed_bodies_are_not_understood(server, admin):
    """SQS has no request compression: no operation of its model carries the trait `requestCompression`."""
    packed = gzip.compress(b"{}")
    headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "AmazonSQS.ListQueues", "Content-Encoding": "gzip"}
    answer = signed(server, "sqs", keys=admin, headers=headers, body=packed)
    assert answer.status == 400 and answer.json()["__type"].endswith("#SerializationException")
    packed = gzip.compress(b"Action=ListQueues" + VERSION.encode())
    answer = signed(server, "sqs", keys=admin, headers=FORM | {"Content-Encoding": "gzip"}, body=packed)
    assert 400 <= answer.status < 500 and answer.xml().findtext("Error/Type") == "Sender"


def test_more_long_polls_than_allowed_are_throttled(fresh):
    server = fresh("--max-long-polls", "1")
    once = {"retries": {"mode": "standard", "total_max_attempts": 1}, "max_pool_connections": 4}
    sqs = server.client("sqs", **once)
    queue = sqs.create_queue(QueueName="q")["QueueUrl"]
    other = sqs.create_queue(QueueName="other")["QueueUrl"]
    received, deadline = [], time.monotonic() + SECONDS_MAX

    def wait_for_the_message():
        # The poll below may be the one that waits; then this one is refused and asks again.
        while not received and time.monotonic() < deadline:
            try:
                received.extend(sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=20).get("Messages", []))
            except ClientError as found:
                assert found.response["Error"]["Code"] == "RequestThrottled"

    first = threading.Thread(target=wait_for_the_message)
    first.start()
    refused = None
    while refused is None:
        assert time.monotonic() < deadline, "a second long poll was never refused"
        try:
            sqs.receive_message(QueueUrl=other, WaitTimeSeconds=1)
        except ClientError as found:
            refused = found
    assert refused.response["Error"]["Code"] == "RequestThrottled"
    assert refused.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert "Messages" not in sqs.receive_message(QueueUrl=other), "a receive that does not wait is answered"
    sqs.send_message(QueueUrl=queue, MessageBody="x")
    first.join(SECONDS_MAX)
    assert received[0]["Body"] == "x"


def test_clients_of_the_sdk_get_through_overload_by_trying_again(fresh):
    server = fresh("--max-requests", "2")
    patient = {"retries": {"mode": "standard", "total_max_attempts": 30}, "max_pool_connections": 8}
    queue = server.client("sqs").create_queue(QueueName="q")["QueueUrl"]
    failed = []

    def send():
        sqs = server.client("sqs", **patient)
        for n in range(10):
            try:
                sqs.send_message(QueueUrl=queue, MessageBody=str(n))
            except Exception as found:
                failed.append(found)

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    count = server.client("sqs", **patient).get_queue_attributes(QueueUrl=queue, AttributeNames=["ApproximateNumberOfMessages"])
    assert count["Attributes"]["ApproximateNumberOfMessages"] == "60"


def test_a_body_beyond_the_limit_is_refused_and_the_server_goes_on(fresh):
    server = fresh("--max-body-bytes", "65536")
    sqs = server.client("sqs")
    queue = sqs.create_queue(QueueName="q")["QueueUrl"]
    try:
        sqs.send_message(QueueUrl=queue, MessageBody="x" * 70_000)
        raise AssertionError("a body beyond the limit was accepted")
    except ClientError as found:
        assert found.response["ResponseMetadata"]["HTTPStatusCode"] == 413
    except BotoCoreError:
        pass  # The connection was closed before the client had sent all of it.
    sqs.send_message(QueueUrl=queue, MessageBody="x")
