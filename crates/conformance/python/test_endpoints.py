"""VPC endpoints: listeners of their own, a limit for what comes by them, and facts that nothing else can state."""

import json
import socket
import ssl
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from botocore.exceptions import ConnectionError as NoConnection

import bulla

ALL = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}


def policy(*statements) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def ports(count: int) -> int:
    """The first of some ports in a row that were free a moment ago."""
    for first in range(21000, 31000, count):
        try:
            taken = [socket.create_server(("127.0.0.1", first + offset)) for offset in range(count)]
        except OSError:
            continue
        for one in taken:
            one.close()
        return first
    raise RuntimeError("no free ports")


class Network:
    """A server with a VPC, and a queue."""

    def __init__(self, fresh):
        at = ports(4)
        self.subnet = "subnet-0a1b2c3d"
        first = fresh("--subnet", f"{self.subnet},vpc=vpc-0a1b2c3d,address=127.0.0.1,ports={at}-{at + 3}")
        self.server = first
        self.admin = bulla.user(first, first.root, "admin", bulla.allow("*"))
        self.ec2 = first.client("ec2", self.admin)
        self.sqs = first.client("sqs", self.admin)
        self.queue = self.sqs.create_queue(QueueName="orders")["QueueUrl"]

    def create(self, service="sqs", **more):
        made = self.ec2.create_vpc_endpoint(
            VpcEndpointType="Interface", VpcId="vpc-0a1b2c3d", ServiceName=f"com.amazonaws.us-east-1.{service}", **more
        )["VpcEndpoint"]
        return made["VpcEndpointId"], self.url(made)

    def url(self, endpoint):
        tags = {tag["Key"]: tag["Value"] for tag in endpoint["Tags"]}
        return tags[f"bulla:url:{self.subnet}"]

    def by(self, url, service="sqs", keys=None):
        return self.server.client(service, keys or self.admin, url=url)


@pytest.fixture
def network(fresh):
    return Network(fresh)


def refused(call, code="AccessDenied") -> str:
    with pytest.raises(ClientError) as caught:
        call()
    assert code in caught.value.response["Error"]["Code"]
    return caught.value.response["Error"]["Message"]


def test_an_endpoint_answers_over_tls_with_a_certificate_for_its_names(network):
    endpoint, url = network.create()
    assert network.by(url).list_queues()["QueueUrls"]
    parsed = urllib.parse.urlsplit(url)
    context = ssl.create_default_context(cafile=str(network.server.ca))
    name = f"{endpoint}.sqs.us-east-1.vpce.amazonaws.com"
    with socket.create_connection((parsed.hostname, parsed.port)) as plain:
        with context.wrap_socket(plain, server_hostname=name) as secure:
            assert secure.version() in ("TLSv1.2", "TLSv1.3")


def test_an_endpoint_policy_limits_what_comes_by_it(network):
    _, url = network.create(PolicyDocument=policy(ALL | {"Action": "sqs:SendMessage"}))
    network.by(url).send_message(QueueUrl=network.queue, MessageBody="in")
    told = refused(lambda: network.by(url).receive_message(QueueUrl=network.queue))
    assert "because no VPC endpoint policy allows the sqs:receivemessage action" in told
    assert network.sqs.receive_message(QueueUrl=network.queue)["Messages"]


def test_a_changed_endpoint_policy_binds_the_next_call(network):
    endpoint, url = network.create()
    network.by(url).send_message(QueueUrl=network.queue, MessageBody="in")
    network.ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, PolicyDocument=policy(ALL | {"Action": "kms:*"}))
    refused(lambda: network.by(url).send_message(QueueUrl=network.queue, MessageBody="in"))
    network.ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, ResetPolicy=True)
    network.by(url).send_message(QueueUrl=network.queue, MessageBody="in")


def test_a_queue_policy_can_demand_the_endpoint(network):
    endpoint, url = network.create()
    _, other = network.create()
    arn = network.sqs.get_queue_attributes(QueueUrl=network.queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    only = {
        "Effect": "Deny", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn,
        "Condition": {"StringNotEquals": {"aws:SourceVpce": endpoint}},
    }
    network.sqs.set_queue_attributes(QueueUrl=network.queue, Attributes={"Policy": policy(only)})
    network.by(url).send_message(QueueUrl=network.queue, MessageBody="in")
    for door in (network.sqs, network.by(other)):
        refused(lambda: door.send_message(QueueUrl=network.queue, MessageBody="in"))


def test_no_header_makes_a_request_come_by_an_endpoint(network):
    endpoint, url = network.create()
    by_endpoint = bulla.allow("sqs:*") | {"Condition": {"StringEquals": {"aws:SourceVpce": endpoint}}}
    ann = bulla.user(network.server, network.admin, "ann", by_endpoint)
    body = json.dumps({"QueueUrl": network.queue, "MessageBody": "in"}).encode()
    headers = {
        "Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "AmazonSQS.SendMessage",
        "X-Amz-Source-Vpce": endpoint, "X-Aws-Source-Vpce": endpoint, "X-Amzn-Vpce-Id": endpoint,
    }
    answer = bulla.signed(network.server, "sqs", keys=ann, headers=headers, body=body)
    assert answer.status == 403 and b"AccessDenied" in answer.body, answer.body
    network.by(url, keys=ann).send_message(QueueUrl=network.queue, MessageBody="in")


def test_an_endpoint_leads_to_its_service_alone(network):
    _, url = network.create("kms")
    assert network.by(url, "kms").list_keys()["Keys"] == []
    assert "leads to kms" in refused(lambda: network.by(url, "sts").get_caller_identity())


def test_a_message_under_a_key_needs_no_endpoint_to_the_key(network):
    key = network.server.client("kms", network.admin).create_key()["KeyMetadata"]["Arn"]
    network.sqs.set_queue_attributes(QueueUrl=network.queue, Attributes={"KmsMasterKeyId": key})
    _, url = network.create(PolicyDocument=policy(ALL | {"Action": "sqs:*"}))
    network.by(url).send_message(QueueUrl=network.queue, MessageBody="sealed")
    assert network.by(url).receive_message(QueueUrl=network.queue)["Messages"][0]["Body"] == "sealed"


def test_an_endpoint_listens_again_after_the_server_was_killed(network):
    endpoint, url = network.create()
    network.server.kill()
    network.server.start()
    shown = network.server.client("ec2", network.admin).describe_vpc_endpoints(VpcEndpointIds=[endpoint])["VpcEndpoints"]
    assert [one["State"] for one in shown] == ["available"]
    assert network.by(url).list_queues()["QueueUrls"]


def test_a_deleted_endpoint_answers_no_more_also_those_that_are_connected(network):
    endpoint, url = network.create()
    connected = network.by(url)
    connected.list_queues()
    network.ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])
    with pytest.raises((BotoCoreError, ClientError)):
        connected.list_queues()
    with pytest.raises(NoConnection):
        network.by(url).list_queues()


def test_a_port_that_is_taken_is_passed_over(network):
    _, first = network.create()
    port = urllib.parse.urlsplit(first).port
    with socket.create_server(("127.0.0.1", port + 1)):
        _, second = network.create()
    assert urllib.parse.urlsplit(second).port == port + 2


def test_a_freed_port_is_taken_again_at_once(network):
    for _ in range(8):
        endpoint, url = network.create()
        network.by(url).list_queues()
        network.ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])


def test_an_endpoint_policy_limits_also_what_needs_no_permission(network):
    _, url = network.create("sts", PolicyDocument=policy(ALL | {"Action": "sts:GetCallerIdentity"}))
    assert network.by(url, "sts").get_caller_identity()["Account"]
    refused(lambda: network.by(url, "sts").get_session_token())


def test_a_long_poll_by_an_endpoint_ends_when_its_policy_forbids_it(network):
    endpoint, url = network.create()
    began = time.monotonic()
    with ThreadPoolExecutor(1) as pool:
        poll = pool.submit(network.by(url).receive_message, QueueUrl=network.queue, WaitTimeSeconds=20)
        while not poll.running():
            pass
        deny = {"Effect": "Deny", "Principal": "*", "Action": "sqs:ReceiveMessage", "Resource": "*"}
        network.ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, PolicyDocument=policy(ALL, deny))
        network.sqs.send_message(QueueUrl=network.queue, MessageBody="secret")
        try:
            assert "Messages" not in poll.result()
        except ClientError as denied:
            assert "AccessDenied" in denied.response["Error"]["Code"]
    assert time.monotonic() - began < 15


def test_what_else_ec2_has_says_that_it_is_not_here(network):
    told = refused(network.ec2.describe_instances, "InvalidAction")
    assert "not be built" in told


def test_a_caller_without_permission_is_told_as_ec2_tells(network):
    ann = bulla.user(network.server, network.admin, "ann", bulla.allow("sqs:*"))
    told = refused(network.server.client("ec2", ann).describe_vpc_endpoints, "UnauthorizedOperation")
    assert told.startswith("You are not authorized to perform this operation.")
