"""Keys that AWS manages, and who holds data keys of a key."""

import json

import pytest

from bulla import allow, error_code, new_account, policy, run, user

ALIAS = "alias/aws/sqs"


@pytest.fixture
def owner(server, admin, name):
    """A new account: its id and credentials that may do anything there."""
    return new_account(server, admin, name("owner"))


def aliases(kms):
    return {entry["AliasName"]: entry.get("TargetKeyId") for entry in kms.list_aliases()["Aliases"]}


def test_the_first_send_makes_the_key_that_aws_manages(server, owner):
    _, keys = owner
    kms, sqs = server.client("kms", keys), server.client("sqs", keys)
    assert aliases(kms) == {"alias/aws/s3": None, "alias/aws/sns": None, ALIAS: None}
    queue = sqs.create_queue(QueueName="orders", Attributes={"KmsMasterKeyId": ALIAS})["QueueUrl"]
    assert aliases(kms)[ALIAS] is None
    sqs.send_message(QueueUrl=queue, MessageBody="secret")
    made = kms.describe_key(KeyId=ALIAS)["KeyMetadata"]
    assert (made["KeyManager"], made["KeyState"], made["KeyId"]) == ("AWS", "Enabled", aliases(kms)[ALIAS])
    assert [key["KeyId"] for key in kms.list_keys()["Keys"]] == [made["KeyId"]]
    assert sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=2)["Messages"][0]["Body"] == "secret"


def test_describing_the_alias_makes_the_key(server, owner):
    account, keys = owner
    kms = server.client("kms", keys)
    made = kms.describe_key(KeyId=f"arn:aws:kms:us-east-1:{account}:alias/aws/sns")["KeyMetadata"]
    assert (made["KeyManager"], made["AWSAccountId"]) == ("AWS", account)
    assert kms.describe_key(KeyId="alias/aws/sns")["KeyMetadata"]["KeyId"] == made["KeyId"]
    assert kms.get_key_rotation_status(KeyId=made["KeyId"])["KeyRotationEnabled"] is True


def test_a_managed_key_cannot_be_changed(server, owner):
    _, keys = owner
    kms = server.client("kms", keys)
    key = kms.describe_key(KeyId=ALIAS)["KeyMetadata"]["KeyId"]
    for refused in (
        error_code(kms.put_key_policy, KeyId=key, Policy=kms.get_key_policy(KeyId=key)["Policy"]),
        error_code(kms.disable_key, KeyId=key),
        error_code(kms.schedule_key_deletion, KeyId=key),
        error_code(kms.disable_key_rotation, KeyId=key),
        error_code(kms.tag_resource, KeyId=key, Tags=[{"TagKey": "a", "TagValue": "b"}]),
        error_code(kms.encrypt, KeyId=ALIAS, Plaintext=b"x"),
    ):
        assert refused == "AccessDeniedException"
    assert error_code(kms.delete_alias, AliasName=ALIAS) == "InvalidAliasNameException"


def test_another_account_is_refused_by_the_managed_key(server, admin, owner, name):
    account, keys = owner
    other, others = new_account(server, admin, name("other"))
    sqs = server.client("sqs", keys)
    shared = policy(allow("sqs:*", Principal={"AWS": other}))
    queue = sqs.create_queue(QueueName="shared", Attributes={"KmsMasterKeyId": ALIAS, "Policy": shared})["QueueUrl"]
    stranger = server.client("sqs", others)
    refused = "KMS.AccessDeniedException"
    assert error_code(stranger.send_message, QueueUrl=queue, MessageBody="x") == refused
    sqs.send_message(QueueUrl=queue, MessageBody="x")
    assert error_code(stranger.send_message, QueueUrl=queue, MessageBody="x") == refused
    assert error_code(stranger.receive_message, QueueUrl=queue, WaitTimeSeconds=1) == refused


def keys_command(server, command, key):
    code, told = run("keys", command, key, "--data", str(server.data), "--output", "json")
    return code, json.loads(told)


def test_the_operator_sees_who_holds_data_keys_and_takes_them_away(server, admin, kms, name):
    key = kms.create_key()["KeyMetadata"]
    alias = "alias/" + name("held")
    kms.create_alias(AliasName=alias, TargetKeyId=key["KeyId"])
    shop = name("shop")
    sqs = server.client("sqs", user(server, admin, shop, allow(["sqs:*", "kms:*"])))
    queue = sqs.create_queue(QueueName=name("held"), Attributes={"KmsMasterKeyId": alias})["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody="x")
    sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=2)
    for named in (key["KeyId"], key["Arn"], alias, key["Arn"].rsplit(":", 1)[0] + ":" + alias):
        code, held = keys_command(server, "holders", named)
        assert (code, held["key"], held["data_keys"]) == (0, key["Arn"], 1)
        assert [(holder["use"], holder["current"]) for holder in held["holders"]] == [("seals", True), ("opens", True)]
        assert all(holder["principal"].endswith(f":user/{shop}") for holder in held["holders"])
    code, told = run("keys", "holders", alias, "--data", str(server.data))
    assert code == 0 and "2 holders of data keys" in told and f"user/{shop}  seals  arn:aws:sqs:" in told
    code, dropped = keys_command(server, "revoke", alias)
    assert (code, dropped["holders"], dropped["data_keys"]) == (0, 2, 1)
    assert keys_command(server, "holders", alias)[1]["holders"] == []
    sqs.send_message(QueueUrl=queue, MessageBody="y")
    assert len(keys_command(server, "holders", alias)[1]["holders"]) == 1


def test_the_operator_sees_what_becomes_unreadable_with_a_key(server, sqs, kms, name):
    key = kms.create_key()["KeyMetadata"]["Arn"]
    assert keys_command(server, "impact", key)[1]["messages"] == 0
    queue = sqs.create_queue(QueueName=name("impact"), Attributes={"KmsMasterKeyId": key})["QueueUrl"]
    for body in ("a", "b"):
        sqs.send_message(QueueUrl=queue, MessageBody=body)
    code, told = keys_command(server, "impact", key)
    [row] = told["queues"]
    assert (code, told["messages"], row["messages"], row["uses_key"]) == (0, 2, 2, True)
    assert row["queue"].endswith(queue.rsplit("/", 1)[1])
    code, text = run("keys", "impact", key, "--data", str(server.data))
    assert code == 0 and "uses the key" in text and "backups: " in text


def test_a_name_of_no_key_or_of_many_is_refused(server, admin, kms, name):
    code, told = keys_command(server, "holders", "alias/" + name("none"))
    assert code == 1 and "there is no key" in told["error"]["what"]
    both = "alias/" + name("both")
    for region in ("us-east-1", "eu-west-1"):
        client = server.client("kms", admin, region=region)
        client.create_alias(AliasName=both, TargetKeyId=client.create_key()["KeyMetadata"]["KeyId"])
    code, told = keys_command(server, "holders", both)
    assert code == 1 and "names 2 keys" in told["error"]["what"] and told["error"]["why"].count("arn:aws:kms:") == 2
