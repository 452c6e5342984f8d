"""Queues under keys: who can send and receive depends on the key, and a key that is off stops the queue."""

import json
import time

import pytest

from bulla import allow, error, error_code, policy, user

VIA = {"StringEquals": {"kms:ViaService": "sqs.us-east-1.amazonaws.com"}}


@pytest.fixture
def key(kms):
    return kms.create_key()["KeyMetadata"]


@pytest.fixture
def sealed(sqs, name, key):
    """The URL of a queue under the key."""
    return sqs.create_queue(QueueName=name("sealed"), Attributes={"KmsMasterKeyId": key["KeyId"]})["QueueUrl"]


def one(sqs, queue, **rest):
    messages = sqs.receive_message(QueueUrl=queue, **({"WaitTimeSeconds": 2} | rest)).get("Messages", [])
    assert len(messages) == 1
    return messages[0]


def sse(sqs, queue):
    """The attributes of the queue that say how it is encrypted."""
    found = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
    return {name: value for name, value in found.items() if name.startswith("Kms") or name == "SqsManagedSseEnabled"}


@pytest.mark.parametrize("form", ["id", "arn", "alias", "alias arn"])
def test_a_queue_s_key_is_named_in_four_ways(sqs, kms, name, key, account, form):
    alias = "alias/" + name("key")
    kms.create_alias(AliasName=alias, TargetKeyId=key["KeyId"])
    named = {"id": key["KeyId"], "arn": key["Arn"], "alias": alias, "alias arn": f"arn:aws:kms:us-east-1:{account}:{alias}"}[form]
    queue = sqs.create_queue(QueueName=name("sealed"), Attributes={"KmsMasterKeyId": named})["QueueUrl"]
    assert sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["KmsMasterKeyId"])["Attributes"]["KmsMasterKeyId"] == named
    sqs.send_message(QueueUrl=queue, MessageBody="secret")
    assert one(sqs, queue)["Body"] == "secret"
    kms.disable_key(KeyId=key["KeyId"])
    assert error_code(sqs.send_message, QueueUrl=queue, MessageBody="x") == "KMS.DisabledException"


def test_attributes_of_encryption_follow_each_other(sqs, key, queue):
    assert sse(sqs, queue) == {"SqsManagedSseEnabled": "true"}
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"KmsMasterKeyId": key["KeyId"]})
    assert sse(sqs, queue) == {
        "SqsManagedSseEnabled": "false", "KmsMasterKeyId": key["KeyId"], "KmsDataKeyReusePeriodSeconds": "300"}
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"KmsDataKeyReusePeriodSeconds": "60"})
    assert sse(sqs, queue)["KmsDataKeyReusePeriodSeconds"] == "60"
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"KmsMasterKeyId": ""})
    assert sse(sqs, queue) == {"SqsManagedSseEnabled": "false"}


def test_a_queue_cannot_have_both_encryptions(sqs, name, key):
    attributes = {"KmsMasterKeyId": key["KeyId"], "SqsManagedSseEnabled": "true"}
    found = error_code(sqs.create_queue, QueueName=name("sealed"), Attributes=attributes)
    assert found in ("InvalidAttributeValue", "InvalidParameterValue")


@pytest.mark.parametrize(("change", "code"), [("disable_key", "KMS.DisabledException"),
                                              ("schedule_key_deletion", "KMS.InvalidStateException")])
def test_a_key_that_is_off_stops_send_and_receive_at_once(sqs, kms, key, sealed, change, code):
    sqs.send_message(QueueUrl=sealed, MessageBody="before")
    getattr(kms, change)(KeyId=key["KeyId"])
    assert error_code(sqs.send_message, QueueUrl=sealed, MessageBody="x") == code
    found = error(sqs.send_message_batch, QueueUrl=sealed, Entries=[{"Id": "a", "MessageBody": "x"}])
    assert found.response["Error"]["Code"] == code
    assert found.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert error_code(sqs.receive_message, QueueUrl=sealed) == code
    if change == "schedule_key_deletion":
        kms.cancel_key_deletion(KeyId=key["KeyId"])
    kms.enable_key(KeyId=key["KeyId"])
    assert one(sqs, sealed)["Body"] == "before"


def test_a_key_that_does_not_exist_is_reported(sqs, name):
    attributes = {"KmsMasterKeyId": "1234abcd-12ab-34cd-56ef-1234567890ab"}
    queue = sqs.create_queue(QueueName=name("sealed"), Attributes=attributes)["QueueUrl"]
    assert error_code(sqs.send_message, QueueUrl=queue, MessageBody="x") == "KMS.NotFoundException"


def test_messages_stay_readable_when_the_key_of_the_queue_changes(sqs, kms, key, sealed):
    sqs.send_message(QueueUrl=sealed, MessageBody="under the first key")
    second = kms.create_key()["KeyMetadata"]["KeyId"]
    sqs.set_queue_attributes(QueueUrl=sealed, Attributes={"KmsMasterKeyId": second})
    sqs.send_message(QueueUrl=sealed, MessageBody="under the second key")
    sqs.set_queue_attributes(QueueUrl=sealed, Attributes={"KmsMasterKeyId": "", "SqsManagedSseEnabled": "true"})
    sqs.send_message(QueueUrl=sealed, MessageBody="under the service's key")
    found = set()
    deadline = time.monotonic() + 10
    while len(found) < 3 and time.monotonic() < deadline:
        for message in sqs.receive_message(QueueUrl=sealed, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", []):
            found.add(message["Body"])
    assert found == {"under the first key", "under the second key", "under the service's key"}


ROLES = [
    (["kms:GenerateDataKey", "kms:Decrypt"], True, True),
    (["kms:GenerateDataKey"], False, False),
    (["kms:Decrypt"], False, True),
    ([], False, False),
]


@pytest.mark.parametrize(("actions", "sends", "receives"), ROLES, ids=["both", "only GenerateDataKey", "only Decrypt", "neither"])
def test_a_producer_needs_both_permissions_and_a_consumer_decrypt(server, admin, sqs, key, sealed, name, actions, sends, receives):
    sqs.send_message(QueueUrl=sealed, MessageBody="x")
    statements = [allow("sqs:*")] + ([allow(actions, key["Arn"], Condition=VIA)] if actions else [])
    theirs = server.client("sqs", user(server, admin, name("user"), *statements))
    if sends:
        theirs.send_message(QueueUrl=sealed, MessageBody="y")
    else:
        found = error(theirs.send_message, QueueUrl=sealed, MessageBody="y").response
        assert (found["Error"]["Code"], found["ResponseMetadata"]["HTTPStatusCode"]) == ("KMS.AccessDeniedException", 400)
    if receives:
        assert one(theirs, sealed)["Body"] in ("x", "y")
    else:
        assert error_code(theirs.receive_message, QueueUrl=sealed) == "KMS.AccessDeniedException"


def test_a_data_key_of_one_principal_does_not_serve_another(server, admin, sqs, key, sealed, name):
    """The cache must not turn one principal's permission into everyone's."""
    sqs.send_message(QueueUrl=sealed, MessageBody="x")
    theirs = server.client("sqs", user(server, admin, name("user"), allow("sqs:*")))
    assert error_code(theirs.send_message, QueueUrl=sealed, MessageBody="y") == "KMS.AccessDeniedException"
    assert error_code(theirs.receive_message, QueueUrl=sealed) == "KMS.AccessDeniedException"


def test_the_encryption_context_is_the_queue_s_arn(server, admin, sqs, key, sealed, name):
    arn = sqs.get_queue_attributes(QueueUrl=sealed, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

    def sender(wanted):
        condition = {"StringEquals": {"kms:EncryptionContext:aws:sqs:arn": wanted}}
        return server.client("sqs", user(server, admin, name("user"), allow("sqs:*"), allow("kms:*", Condition=condition)))

    sender(arn).send_message(QueueUrl=sealed, MessageBody="x")
    assert error_code(sender(arn + "x").send_message, QueueUrl=sealed, MessageBody="x") == "KMS.AccessDeniedException"


def test_via_service_is_true_only_through_sqs(server, admin, kms, key, sealed, name):
    keys = user(server, admin, name("user"), allow("sqs:*"), allow("kms:*", Condition=VIA))
    server.client("sqs", keys).send_message(QueueUrl=sealed, MessageBody="x")
    assert error_code(server.client("kms", keys).generate_data_key, KeyId=key["KeyId"], KeySpec="AES_256") == "AccessDeniedException"


def test_a_change_of_the_key_policy_takes_effect_on_the_next_call(server, admin, kms, key, sealed, account, name):
    wanted = name("user")
    keys = user(server, admin, wanted, allow("sqs:*"), allow("kms:*"))
    theirs = server.client("sqs", keys)
    theirs.send_message(QueueUrl=sealed, MessageBody="x")
    document = json.loads(kms.get_key_policy(KeyId=key["KeyId"])["Policy"])
    document["Statement"].append({"Sid": "Stop", "Effect": "Deny", "Principal": {"AWS": f"arn:aws:iam::{account}:user/{wanted}"},
                                  "Action": "kms:*", "Resource": "*"})
    kms.put_key_policy(KeyId=key["KeyId"], Policy=json.dumps(document))
    assert error_code(theirs.send_message, QueueUrl=sealed, MessageBody="x") == "KMS.AccessDeniedException"
    assert error_code(theirs.receive_message, QueueUrl=sealed) == "KMS.AccessDeniedException"


@pytest.mark.parametrize("form", ["arn", "alias arn"])
def test_a_queue_may_use_a_key_of_another_account(server, sqs, name, account, dev_account, form):
    """The key's account allows by key policy, the sender's account by identity policy (admin has `*`)."""
    other, session = dev_account
    theirs = server.client("kms", session)
    root = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{other}:root"}, "Action": "kms:*", "Resource": "*"}
    guests = {"Sid": "Guests", "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
              "Action": ["kms:GenerateDataKey", "kms:Decrypt"], "Resource": "*", "Condition": VIA}
    key = theirs.create_key(Policy=policy(root, guests))["KeyMetadata"]
    alias = "alias/" + name("shared")
    theirs.create_alias(AliasName=alias, TargetKeyId=key["KeyId"])
    named = key["Arn"] if form == "arn" else f"arn:aws:kms:us-east-1:{other}:{alias}"
    queue = sqs.create_queue(QueueName=name("sealed"), Attributes={"KmsMasterKeyId": named})["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody="across")
    assert one(sqs, queue)["Body"] == "across"
    theirs.put_key_policy(KeyId=key["KeyId"], Policy=policy(root))
    assert error_code(sqs.send_message, QueueUrl=queue, MessageBody="x") == "KMS.AccessDeniedException"


def test_with_the_service_s_own_key_no_permission_on_keys_is_needed(server, admin, queue, name):
    theirs = server.client("sqs", user(server, admin, name("user"), allow("sqs:*")))
    theirs.send_message(QueueUrl=queue, MessageBody="x")
    assert one(theirs, queue)["Body"] == "x"
