"""Generates the policies, attaches them, then lets everybody try; of each refusal the statement that decided is shown.

Reads the endpoints and the root access key of a fresh server from the environment (see run.sh).
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

REGION = os.environ["AWS_REGION"]
HTTPS, HTTP = os.environ["AWS_ENDPOINT_URL"], os.environ["HTTP_ENDPOINT_URL"]
POLICIES = Path(os.environ["POLICIES"])
EVERYTHING = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
ROLES = ("deployer", "shop", "worker", "stranger")


def client(service: str, keys: dict, endpoint: str = HTTPS):
    return boto3.client(
        service,
        endpoint_url=endpoint,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys.get("SessionToken"),
        config=Config(retries={"total_max_attempts": 1}),
    )


def cli(keys: dict, *arguments: str):
    """Runs `aws`; what it prints, as JSON."""
    environment = os.environ | {
        "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
        "AWS_SESSION_TOKEN": keys.get("SessionToken", ""),
    }
    command = ["aws", "--endpoint-url", HTTPS, "--output", "json", *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    return json.loads(ended.stdout) if ended.stdout.strip() else {}


class World:
    """The account with its roles, the key and the queues; and an account that has left the organization."""

    def __init__(self):
        root = {"AccessKeyId": os.environ["AWS_ACCESS_KEY_ID"], "SecretAccessKey": os.environ["AWS_SECRET_ACCESS_KEY"]}
        # The root user may not assume roles, here as at AWS: an administrator can.
        cli(root, "iam", "create-user", "--user-name", "administrator")
        cli(root, "iam", "put-user-policy", "--user-name", "administrator", "--policy-name", "all", "--policy-document", EVERYTHING)
        self.admin = cli(root, "iam", "create-access-key", "--user-name", "administrator")["AccessKey"]
        self.account = client("sts", self.admin).get_caller_identity()["Account"]
        self.organization = client("organizations", self.admin).describe_organization()["Organization"]["Id"]
        for role in ROLES:
            self.make_role(self.admin, self.account, role)
        self.outside, left = self.leave_organization()
        self.make_role(left, self.outside, "worker")
        self.key = cli(self.admin, "kms", "create-key")["KeyMetadata"]["Arn"]
        self.arn = {name: f"arn:aws:sqs:{REGION}:{self.account}:{name}" for name in ("orders", "orders-dead")}
        self.endpoint, self.url_of_endpoint = self.make_endpoint()
        self.generate()
        client("iam", self.admin).put_role_policy(RoleName="stranger", PolicyName="all", PolicyDocument=EVERYTHING)
        client("iam", left).put_role_policy(RoleName="worker", PolicyName="all", PolicyDocument=EVERYTHING)
        self.keys = {role: self.assume(self.admin, self.account, role) for role in ROLES}
        self.keys["worker outside"] = self.assume(left, self.outside, "worker")
        self.deploy()

    def make_role(self, keys: dict, account: str, role: str) -> None:
        trust = {"Effect": "Allow", "Principal": {"AWS": account}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        client("iam", keys).create_role(RoleName=role, AssumeRolePolicyDocument=document)

    def assume(self, keys: dict, account: str, role: str) -> dict:
        arn = f"arn:aws:iam::{account}:role/{role}"
        return client("sts", keys).assume_role(RoleArn=arn, RoleSessionName="example")["Credentials"]

    def leave_organization(self) -> tuple[str, dict]:
        """An account that was a member once, and its administrator."""
        organizations = client("organizations", self.admin)
        status = organizations.create_account(AccountName="outside", Email="outside@example.com")["CreateAccountStatus"]
        account = status["AccountId"]
        entered = self.assume(self.admin, account, "OrganizationAccountAccessRole")
        client("iam", entered).create_user(UserName="administrator")
        client("iam", entered).put_user_policy(UserName="administrator", PolicyName="all", PolicyDocument=EVERYTHING)
        keys = client("iam", entered).create_access_key(UserName="administrator")["AccessKey"]
        organizations.remove_account_from_organization(AccountId=account)
        return account, keys

    def make_endpoint(self) -> tuple[str, str]:
        """A VPC endpoint to SQS: a listener of its own, whose address a tag says."""
        options = ["--vpc-endpoint-type", "Interface", "--vpc-id", os.environ["VPC_ID"]]
        options += ["--service-name", f"com.amazonaws.{REGION}.sqs"]
        made = cli(self.admin, "ec2", "create-vpc-endpoint", *options)["VpcEndpoint"]
        urls = [tag["Value"] for tag in made["Tags"] if tag["Key"].startswith("bulla:url:")]
        return made["VpcEndpointId"], urls[0]

    def generate(self) -> None:
        """The intent, as flags; the proof is printed."""
        role = lambda name, account=self.account: f"arn:aws:iam::{account}:role/{name}"
        command = [os.environ["BULLA_BIN"], "policy", "generate", "--to", str(POLICIES), "--organization", self.organization]
        command += ["--endpoint", self.endpoint]
        command += ["--queue", self.arn["orders"], "--dead-letter-queue", self.arn["orders-dead"], "--key", self.key]
        command += ["--administrator", role("deployer"), "--producer", role("shop")]
        command += ["--consumer", role("worker"), "--consumer", role("worker", self.outside)]
        subprocess.run(command, check=True)

    def deploy(self) -> None:
        """Attaches what was generated: identity policies by the administrator, the rest by the deployer."""
        for what, role in (("administrator", "deployer"), ("producer", "shop"), ("consumer", "worker")):
            document = (POLICIES / f"identity-policy-{what}-{role}.json").read_text()
            client("iam", self.admin).put_role_policy(RoleName=role, PolicyName="generated", PolicyDocument=document)
        deployer = self.keys["deployer"]
        cli(deployer, "kms", "put-key-policy", "--key-id", self.key, "--policy", (POLICIES / "key-policy.json").read_text())
        sqs = client("sqs", deployer)
        encrypted = {"KmsMasterKeyId": self.key}
        redrive = {"RedrivePolicy": json.dumps({"deadLetterTargetArn": self.arn["orders-dead"], "maxReceiveCount": 1})}
        self.url = {
            name: sqs.create_queue(QueueName=name, Attributes={"Policy": (POLICIES / f"{file}.json").read_text()} | encrypted | more)["QueueUrl"]
            for name, file, more in (("orders-dead", "dead-letter-queue-policy", {}), ("orders", "queue-policy", redrive))
        }

    def deciding(self, request: str) -> str:
        """The statement that denied, as the owner's account may know it; empty when none did."""
        decoded = client("sts", self.admin).decode_authorization_message(EncodedMessage=request)["DecodedMessage"]
        layers = json.loads(decoded)["layers"]
        statements = [statement for layer in layers for policy in layer["policies"] for statement in policy["statements"]]
        return next((found["sid"] for found in statements if found["applies"] and found["effect"] == "Deny"), "")


class Attempts:
    """What everybody tries, and what comes of it."""

    def __init__(self, world: World):
        self.world, self.wrong = world, 0

    def attempt(self, who: str, what: str, expected: str, call, **parameters) -> dict:
        """Expected is `ok`, or the statement that denies; `nothing allows` when none does."""
        try:
            answer, found = call(**parameters), "ok"
        except ClientError as refused:
            answer, request = {}, refused.response["ResponseMetadata"]["RequestId"]
            found = self.world.deciding(request) or "nothing allows"
        mark = " " if found == expected else "!"
        self.wrong += found != expected
        print(f"{mark} {who:15} {what:40} {found}" + ("" if found == expected else f"   expected: {expected}"))
        return answer

    def sqs(self, who: str, call: str, expected: str, queue: str = "orders", endpoint: str = HTTPS, **parameters) -> dict:
        sqs = client("sqs", self.world.keys[who], endpoint)
        url = self.world.url[queue].replace(HTTPS, endpoint)
        how = {HTTP: " without TLS", self.world.url_of_endpoint: " by the endpoint"}
        words = f"{call} {queue}" + how.get(endpoint, "")
        return self.attempt(who, words, expected, getattr(sqs, call), QueueUrl=url, **parameters)

    def kms(self, who: str, call: str, expected: str, **parameters) -> None:
        kms = client("kms", self.world.keys[who])
        self.attempt(who, f"{call} directly", expected, getattr(kms, call), KeyId=self.world.key, **parameters)

    def run(self) -> int:
        setting = {"Attributes": {"VisibilityTimeout": "30"}}
        self.sqs("deployer", "set_queue_attributes", "ok", **setting)
        self.sqs("stranger", "set_queue_attributes", "RestrictAdminQueueActions", **setting)
        self.sqs("stranger", "purge_queue", "RestrictAdminQueueActions")
        self.sqs("shop", "send_message", "ok", MessageBody="one order")
        self.sqs("shop", "send_message", "DenyUnsecureTransport", endpoint=HTTP, MessageBody="x")
        self.sqs("stranger", "send_message", "DenyOtherProducersFromSending", MessageBody="x")
        self.sqs("shop", "send_message", "DenyAnyProducersExceptSQS", queue="orders-dead", MessageBody="x")
        for who in ("stranger", "deployer", "shop"):
            self.sqs(who, "receive_message", "DenyOtherConsumersFromReceiving")
        self.sqs("worker outside", "receive_message", "DenyQueueActionsOutsideOrg")
        self.sqs("worker", "receive_message", "DenyUnsecureTransport", endpoint=HTTP)
        self.sqs("worker", "receive_message", "DenyReceivingIfNotThroughVPCE")
        by_endpoint = {"endpoint": self.world.url_of_endpoint}
        self.sqs("stranger", "receive_message", "DenyOtherConsumersFromReceiving", **by_endpoint)
        first = self.sqs("worker", "receive_message", "ok", VisibilityTimeout=0, WaitTimeSeconds=2, **by_endpoint)
        self.see(first, "one order")
        self.see(self.dead_letter(), "one order")
        self.kms("deployer", "describe_key", "ok")
        self.kms("shop", "generate_data_key", "nothing allows", KeySpec="AES_256")
        self.kms("deployer", "generate_data_key", "nothing allows", KeySpec="AES_256")
        self.kms("stranger", "schedule_key_deletion", "nothing allows")
        return self.wrong

    def dead_letter(self) -> dict:
        """What was received once too often is moved when it would be received again."""
        deadline = time.monotonic() + 10
        sqs = client("sqs", self.world.keys["worker"], self.world.url_of_endpoint)
        url = {name: url.replace(HTTPS, self.world.url_of_endpoint) for name, url in self.world.url.items()}
        while time.monotonic() < deadline:
            sqs.receive_message(QueueUrl=url["orders"])
            moved = sqs.receive_message(QueueUrl=url["orders-dead"], WaitTimeSeconds=1)
            if moved.get("Messages"):
                return moved
        return {}

    def see(self, received: dict, body: str) -> None:
        found = [message["Body"] for message in received.get("Messages", [])]
        if found != [body]:
            self.wrong += 1
            print(f"! received {found}, expected {body!r}")


if __name__ == "__main__":
    wrong = Attempts(World()).run()
    print(f"\n{wrong} attempts ended otherwise than expected" if wrong else "\nevery attempt ended as expected")
    sys.exit(bool(wrong))
