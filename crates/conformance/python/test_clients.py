"""Unmodified clients make the round trip over TLS, with the server's certificate verified."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import bulla

DEV = Path(os.environ.get("BULLA_DEV", bulla.PROJECT / ".dev"))


@pytest.fixture(scope="module")
def keys(server):
    """A user with no more than the round trip needs."""
    return bulla.user(server, server.root, "client", bulla.allow([
        "sqs:CreateQueue", "sqs:DeleteQueue", "sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueUrl"]))


def run(command, environment, folder):
    ended = subprocess.run([str(part) for part in command], capture_output=True, text=True, env=environment, cwd=folder, timeout=60)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_boto3(server, keys, tmp_path):
    script = """
import boto3
sqs = boto3.resource("sqs")
queue = sqs.create_queue(QueueName="boto3")
sent = queue.send_message(MessageBody="hello", MessageAttributes={"a": {"DataType": "String", "StringValue": "b"}})
[message] = queue.receive_messages(WaitTimeSeconds=5, MessageAttributeNames=["All"])
assert (message.message_id, message.body) == (sent["MessageId"], "hello")
assert message.message_attributes == {"a": {"DataType": "String", "StringValue": "b"}}
message.delete()
assert queue.receive_messages() == []
queue.delete()
"""
    assert server.https.startswith("https://")
    run([sys.executable, "-c", script], server.client_environment(keys), tmp_path)


def test_aws_cli(server, keys, tmp_path):
    aws = Path(sys.executable).parent / "aws"
    environment = server.client_environment(keys)

    def cli(*arguments):
        # For SQS, version 1 of the AWS CLI puts the public endpoint before AWS_ENDPOINT_URL, but not before this option.
        printed = run([aws, "--endpoint-url", server.https, "--output", "json", "sqs", *arguments], environment, tmp_path)
        return json.loads(printed) if printed.strip() else {}

    queue = cli("create-queue", "--queue-name", "cli")["QueueUrl"]
    sent = cli("send-message", "--queue-url", queue, "--message-body", "hello")
    [message] = cli("receive-message", "--queue-url", queue, "--wait-time-seconds", "5")["Messages"]
    assert (message["MessageId"], message["Body"]) == (sent["MessageId"], "hello")
    cli("delete-message", "--queue-url", queue, "--receipt-handle", message["ReceiptHandle"])
    assert cli("receive-message", "--queue-url", queue) == {}
    cli("delete-queue", "--queue-url", queue)


def test_javascript_sdk(server, keys, tmp_path):
    # Node.js looks for packages beside the script, so the script goes to where they are installed.
    script = DEV / "node" / "round_trip.mjs"
    shutil.copy(bulla.PROJECT / "crates" / "conformance" / "javascript" / "round_trip.mjs", script)
    environment = server.client_environment(keys)
    # Node.js takes additional authorities from a variable of its own.
    environment["NODE_EXTRA_CA_CERTS"] = str(server.ca)
    assert "round trip done" in run([os.environ.get("BULLA_NODE", "node"), script], environment, tmp_path)


def test_rust_sdk(server, keys, tmp_path):
    built = os.environ.get("BULLA_RUST_SDK", bulla.PROJECT / "target" / "rust-sdk" / "debug" / "bulla-rust-sdk")
    assert "round trip done" in run([built], server.client_environment(keys), tmp_path)


def test_a_client_that_does_not_know_the_authority_refuses_to_talk(server, keys, tmp_path):
    environment = server.client_environment(keys)
    del environment["AWS_CA_BUNDLE"]
    aws = Path(sys.executable).parent / "aws"
    command = [str(aws), "--endpoint-url", server.https, "sqs", "get-queue-url", "--queue-name", "x"]
    ended = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path, timeout=60)
    assert ended.returncode != 0
    assert "SSL" in ended.stderr or "certificate" in ended.stderr
