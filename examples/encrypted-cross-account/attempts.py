"""Builds the organization, the key, the queues and the principals, then lets everybody try.

Reads the endpoints and the root access key of a fresh server from the environment (see run.sh).
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

HERE = Path(__file__).parent
REGION = os.environ["AWS_REGION"]
HTTPS, HTTP = os.environ["AWS_ENDPOINT_URL"], os.environ["HTTP_ENDPOINT_URL"]
OK = "ok"


def document(name: str, **values: str) -> str:
    """A policy of the folder `policies`, with its ${PLACEHOLDERS} filled in."""
    text = (HERE / "policies" / f"{name}.json").read_text()
    for placeholder, value in values.items():
        text = text.replace("${" + placeholder + "}", value)
    assert "${" not in text, text
    return text


class Principal:
    """Somebody with an access key, who works with the AWS CLI or with boto3."""

    def __init__(self, keys: dict):
        self.keys = keys

    def client(self, service: str, endpoint: str = HTTPS):
        return boto3.client(
            service,
            endpoint_url=endpoint,
            aws_access_key_id=self.keys["AccessKeyId"],
            aws_secret_access_key=self.keys["SecretAccessKey"],
            aws_session_token=self.keys.get("SessionToken"),
            config=Config(retries={"total_max_attempts": 1}),
        )

    def cli(self, *arguments: str, endpoint: str = HTTPS):
        """Runs `aws`; returns what it prints as JSON, or raises what it complains about."""
        environment = os.environ | {
            "AWS_ACCESS_KEY_ID": self.keys["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": self.keys["SecretAccessKey"],
            "AWS_SESSION_TOKEN": self.keys.get("SessionToken", ""),
            "AWS_MAX_ATTEMPTS": "1",
        }
        # For SQS, version 1 of the AWS CLI puts the public endpoint before AWS_ENDPOINT_URL, but not before this option.
        command = ["aws", "--endpoint-url", endpoint, "--output", "json", *arguments]
        ended = subprocess.run(command, capture_output=True, text=True, env=environment)
        if ended.returncode:
            raise CliError(ended.stderr.strip())
        return json.loads(ended.stdout) if ended.stdout.strip() else {}

    def assume(self, role: str, name: str) -> "Principal":
        return Principal(self.client("sts").assume_role(RoleArn=role, RoleSessionName=name)["Credentials"])

    def user(self, name: str, policy: str | None, path: str = "/publishers/") -> "Principal":
        """Makes an IAM user in this principal's account, through the AWS CLI."""
        self.cli("iam", "create-user", "--user-name", name, "--path", path)
        if policy:
            self.cli("iam", "put-user-policy", "--user-name", name, "--policy-name", "send", "--policy-document", policy)
        return Principal(self.cli("iam", "create-access-key", "--user-name", name)["AccessKey"])


class CliError(Exception):
    """`aws` ended with an error."""


def code(fault: Exception) -> str:
    """The AWS error code in what a client reports."""
    if isinstance(fault, ClientError):
        return fault.response["Error"]["Code"]
    found = re.search(r"An error occurred \(([^)]+)\)", str(fault))
    return found[1] if found else str(fault)


class World:
    """The organization of the picture in README.md, and everything in it."""

    def __init__(self):
        root = Principal({"AccessKeyId": os.environ["AWS_ACCESS_KEY_ID"], "SecretAccessKey": os.environ["AWS_SECRET_ACCESS_KEY"]})
        # The root user may not assume roles, here as at AWS: an administrator can.
        everything = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
        self.admin = root.user("administrator", everything, path="/")
        self.organization = self.admin.cli("organizations", "describe-organization")["Organization"]["Id"]
        self.top = self.admin.cli("organizations", "list-roots")["Roots"][0]["Id"]
        self.dev, self.prod = (
            self.admin.cli("organizations", "create-organizational-unit", "--parent-id", self.top, "--name", name)
            ["OrganizationalUnit"]["Id"] for name in ("Dev", "Prod")
        )
        self.shared_id, self.shared = self.account("shared", self.dev)
        self.dev_id, self.dev_account = self.account("dev-publisher", self.dev)
        self.prod_id, self.prod_account = self.account("prod-publisher", self.prod)
        self.outside_id, self.outside_account = self.account("outside", None)
        self.share()
        self.people()

    def account(self, name: str, unit: str | None) -> tuple[str, Principal]:
        """A new member account, entered by the role that Organizations makes in it."""
        organizations = self.admin.client("organizations")
        status = organizations.create_account(AccountName=name, Email=f"{name}@example.com")["CreateAccountStatus"]
        while status["State"] == "IN_PROGRESS":
            status = organizations.describe_create_account_status(CreateAccountRequestId=status["Id"])["CreateAccountStatus"]
        account = status["AccountId"]
        if unit:
            organizations.move_account(AccountId=account, SourceParentId=self.top, DestinationParentId=unit)
        return account, self.admin.assume(f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole", name)

    def share(self) -> None:
        """The key and the queues in the shared account."""
        values = {
            "SHARED_ACCOUNT": self.shared_id,
            "ORGANIZATION": self.organization,
            "DEV_PATH": f"{self.organization}/{self.top}/{self.dev}/*",
            "REGION": REGION,
        }
        self.key = self.shared.cli("kms", "create-key", "--policy", document("key", **values))["KeyMetadata"]["Arn"]
        self.shared.cli("kms", "create-alias", "--alias-name", "alias/shared-app", "--target-key-id", self.key)
        sqs = self.shared.client("sqs")
        self.arn = {name: f"arn:aws:sqs:{REGION}:{self.shared_id}:{name}" for name in ("shared-app-work", "plain-work")}
        self.queue = {
            name: sqs.create_queue(
                QueueName=name,
                Attributes={"Policy": document("queue", QUEUE_ARN=arn, **values)}
                | ({"KmsMasterKeyId": "alias/shared-app"} if name == "shared-app-work" else {"SqsManagedSseEnabled": "true"}),
            )["QueueUrl"]
            for name, arn in self.arn.items()
        }

    def people(self) -> None:
        """Who will try, each with exactly the permissions that the name tells."""
        values = {"QUEUE_ARN": self.arn["shared-app-work"], "KEY_ARN": self.key}
        plain = document("only-sqs", QUEUE_ARN=self.arn["plain-work"])
        send = document("publisher", **values)
        self.publisher = self.dev_account.user("publisher", send)
        self.prod_publisher = self.prod_account.user("publisher", send)
        self.no_data_key = self.dev_account.user("no-data-key", document("publisher-without-generate-data-key", **values))
        self.no_decrypt = self.dev_account.user("no-decrypt", document("publisher-without-decrypt", **values))
        self.not_named = self.dev_account.user("not-named", send, path="/")
        self.plain_publisher = self.dev_account.user("plain-publisher", plain)
        self.plain_nobody = self.dev_account.user("plain-nobody", None)
        self.consumer = self.shared.user("consumer", document("consumer", **values), path="/consumers/")
        self.stranger = self.shared.user("stranger", None, path="/")
        # Made while its account could still be entered, and then that account leaves the organization.
        self.outsider = self.outside_account.user("publisher", send)
        self.admin.cli("organizations", "remove-account-from-organization", "--account-id", self.outside_id)


def send_cli(who: Principal, queue: str, endpoint: str = HTTPS) -> str:
    return who.cli("sqs", "send-message", "--queue-url", queue, "--message-body", "hello", endpoint=endpoint)["MessageId"]


def send_boto3(who: Principal, queue: str, endpoint: str = HTTPS) -> str:
    return who.client("sqs", endpoint).send_message(QueueUrl=queue, MessageBody="hello")["MessageId"]


def take_cli(who: Principal, queue: str) -> None:
    found = who.cli("sqs", "receive-message", "--queue-url", queue, "--wait-time-seconds", "5")
    [message] = found["Messages"]
    assert message["Body"] == "hello", message
    who.cli("sqs", "delete-message", "--queue-url", queue, "--receipt-handle", message["ReceiptHandle"])


def take_boto3(who: Principal, queue: str) -> None:
    sqs = who.client("sqs")
    [message] = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=5)["Messages"]
    assert message["Body"] == "hello", message
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])


def attempts(world: World):
    """Who, what, how, and what must come of it."""
    work, plain = world.queue["shared-app-work"], world.queue["plain-work"]
    key, queue = "KMS.AccessDeniedException", "AccessDenied"
    yield "Dev publisher", "sends", "CLI", OK, lambda: send_cli(world.publisher, work)
    yield "Dev publisher", "sends", "boto3", OK, lambda: send_boto3(world.publisher, work)
    yield "Prod publisher (key policy: Dev only)", "sends", "CLI", key, lambda: send_cli(world.prod_publisher, work)
    yield "account outside the organization", "sends", "boto3", queue, lambda: send_boto3(world.outsider, work)
    yield "publisher without kms:GenerateDataKey", "sends", "CLI", key, lambda: send_cli(world.no_data_key, work)
    yield "publisher without kms:Decrypt", "sends", "boto3", key, lambda: send_boto3(world.no_decrypt, work)
    yield "publisher not named by the queue policy", "sends", "CLI", queue, lambda: send_cli(world.not_named, work)
    yield "Dev publisher over plain HTTP", "sends", "boto3", queue, lambda: send_boto3(world.publisher, work, HTTP)
    yield "Dev publisher over plain HTTP", "sends", "CLI", queue, lambda: send_cli(world.publisher, work, HTTP)
    yield "Dev publisher (not a consumer)", "receives", "CLI", queue, lambda: take_cli(world.publisher, work)
    yield "user of the shared account, not named", "receives", "boto3", queue, lambda: take_boto3(world.stranger, work)
    yield "consumer", "receives", "CLI", OK, lambda: take_cli(world.consumer, work)
    yield "consumer", "receives", "boto3", OK, lambda: take_boto3(world.consumer, work)
    # With SSE-SQS no key policy and no permission on a key is involved.
    yield "SSE-SQS: publisher with sqs:SendMessage only", "sends", "CLI", OK, lambda: send_cli(world.plain_publisher, plain)
    yield "SSE-SQS: publisher without permissions", "sends", "boto3", queue, lambda: send_boto3(world.plain_nobody, plain)
    yield "SSE-SQS: publisher over plain HTTP", "sends", "CLI", queue, lambda: send_cli(world.plain_publisher, plain, HTTP)


def main() -> int:
    world = World()
    rows = [("who", "tries", "by", "expected", "actual", "")]
    for who, what, client, expected, attempt in attempts(world):
        try:
            attempt()
            actual = OK
        except (ClientError, CliError) as fault:
            actual = code(fault)
        rows.append((who, what, client, expected, actual, "" if actual == expected else "<-- MISMATCH"))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths)).rstrip())
    wrong = sum(bool(row[-1]) for row in rows)
    print(f"{len(rows) - 1 - wrong} passed, {wrong} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
