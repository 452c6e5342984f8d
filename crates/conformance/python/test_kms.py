"""KMS symmetric keys."""

import base64
import json

import pytest

from bulla import error, error_code, policy, allow, user


@pytest.fixture
def key(kms):
    """The metadata of a new key."""
    return kms.create_key(Description="test")["KeyMetadata"]


def test_a_new_key_is_described_as_aws_does(kms, account):
    made = kms.create_key(Description="mine", Tags=[{"TagKey": "a", "TagValue": "1"}])["KeyMetadata"]
    described = kms.describe_key(KeyId=made["KeyId"])["KeyMetadata"]
    assert described == made
    assert made["Arn"] == f"arn:aws:kms:us-east-1:{account}:key/{made['KeyId']}"
    wanted = {"AWSAccountId": account, "Enabled": True, "Description": "mine", "KeyUsage": "ENCRYPT_DECRYPT", "KeyState": "Enabled",
              "Origin": "AWS_KMS", "KeyManager": "CUSTOMER", "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
              "KeySpec": "SYMMETRIC_DEFAULT", "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"], "MultiRegion": False}
    assert {name: made[name] for name in wanted} == wanted
    assert made["CurrentKeyMaterialId"]


def test_encrypting_and_decrypting_need_the_same_context(kms, key):
    context = {"purpose": "test", "more": "x"}
    sealed = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"secret", EncryptionContext=context)
    assert sealed["KeyId"] == key["Arn"]
    assert sealed["EncryptionAlgorithm"] == "SYMMETRIC_DEFAULT"
    assert b"secret" not in sealed["CiphertextBlob"]
    opened = kms.decrypt(CiphertextBlob=sealed["CiphertextBlob"], EncryptionContext=context)
    assert (opened["Plaintext"], opened["KeyId"]) == (b"secret", key["Arn"])
    for wrong in ({}, {"purpose": "test"}, context | {"more": "y"}):
        found = error(kms.decrypt, CiphertextBlob=sealed["CiphertextBlob"], EncryptionContext=wrong).response["Error"]
        assert found["Code"] == "InvalidCiphertextException"
        assert found["Message"] == ""


def test_the_same_plaintext_never_gives_the_same_ciphertext(kms, key):
    blobs = {kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"] for _ in range(5)}
    assert len(blobs) == 5


def test_a_changed_ciphertext_is_refused(kms, key):
    blob = bytearray(kms.encrypt(KeyId=key["KeyId"], Plaintext=b"secret")["CiphertextBlob"])
    for place in {0, 1, len(blob) // 2, len(blob) - 1}:
        changed = bytes(blob[:place]) + bytes([blob[place] ^ 1]) + bytes(blob[place + 1 :])
        assert error_code(kms.decrypt, CiphertextBlob=changed) == "InvalidCiphertextException"
    assert error_code(kms.decrypt, CiphertextBlob=b"garbage") == "InvalidCiphertextException"


def test_decrypting_with_another_key_than_named_is_an_incorrect_key(kms, key):
    other = kms.create_key()["KeyMetadata"]["KeyId"]
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    assert error_code(kms.decrypt, CiphertextBlob=blob, KeyId=other) == "IncorrectKeyException"


@pytest.mark.parametrize(("parameters", "length"), [({"KeySpec": "AES_256"}, 32), ({"KeySpec": "AES_128"}, 16),
                                                    ({"NumberOfBytes": 1024}, 1024), ({"NumberOfBytes": 1}, 1)])
def test_data_keys_have_the_size_asked_for_and_decrypt(kms, key, parameters, length):
    made = kms.generate_data_key(KeyId=key["KeyId"], EncryptionContext={"a": "b"}, **parameters)
    assert len(made["Plaintext"]) == length
    assert made["KeyId"] == key["Arn"]
    assert made["KeyMaterialId"] == key["CurrentKeyMaterialId"]
    assert kms.decrypt(CiphertextBlob=made["CiphertextBlob"], EncryptionContext={"a": "b"})["Plaintext"] == made["Plaintext"]
    bare = kms.generate_data_key_without_plaintext(KeyId=key["KeyId"], **parameters)
    assert "Plaintext" not in bare
    assert len(kms.decrypt(CiphertextBlob=bare["CiphertextBlob"])["Plaintext"]) == length


@pytest.mark.parametrize("parameters", [{}, {"KeySpec": "AES_256", "NumberOfBytes": 32}, {"NumberOfBytes": 0}, {"NumberOfBytes": 1025}])
def test_a_data_key_needs_exactly_one_size_within_bounds(server, admin, key, parameters):
    kms = server.client("kms", admin, parameter_validation=False)
    assert error_code(kms.generate_data_key, KeyId=key["KeyId"], **parameters) == "ValidationException"


def test_a_plaintext_has_at_most_4096_bytes(kms, key):
    assert kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x" * 4096)["CiphertextBlob"]
    assert error_code(kms.encrypt, KeyId=key["KeyId"], Plaintext=b"x" * 4097) == "ValidationException"


def test_keys_are_listed_by_pages(kms, key):
    found, marker = set(), {}
    while True:
        page = kms.list_keys(Limit=2, **marker)
        assert len(page["Keys"]) <= 2
        found |= {entry["KeyArn"] for entry in page["Keys"]}
        if not page["Truncated"]:
            break
        marker = {"Marker": page["NextMarker"]}
    assert key["Arn"] in found


def test_an_alias_names_a_key_and_can_move(kms, key, account, name):
    alias = "alias/" + name("alias")
    kms.create_alias(AliasName=alias, TargetKeyId=key["KeyId"])
    assert error_code(kms.create_alias, AliasName=alias, TargetKeyId=key["KeyId"]) == "AlreadyExistsException"
    blob = kms.encrypt(KeyId=alias, Plaintext=b"x")
    assert blob["KeyId"] == key["Arn"]
    listed = [entry for entry in kms.list_aliases(KeyId=key["KeyId"])["Aliases"]]
    assert [(entry["AliasName"], entry["TargetKeyId"]) for entry in listed] == [(alias, key["KeyId"])]
    assert listed[0]["AliasArn"] == f"arn:aws:kms:us-east-1:{account}:{alias}"
    assert kms.describe_key(KeyId=listed[0]["AliasArn"])["KeyMetadata"]["KeyId"] == key["KeyId"]
    other = kms.create_key()["KeyMetadata"]
    kms.update_alias(AliasName=alias, TargetKeyId=other["KeyId"])
    assert kms.encrypt(KeyId=alias, Plaintext=b"x")["KeyId"] == other["Arn"]
    assert kms.decrypt(CiphertextBlob=blob["CiphertextBlob"])["KeyId"] == key["Arn"]
    kms.delete_alias(AliasName=alias)
    assert error_code(kms.describe_key, KeyId=alias) == "NotFoundException"


@pytest.mark.parametrize("alias", ["noprefix", "alias/aws/mine", "alias/with space", "alias/"])
def test_a_wrong_alias_is_refused(kms, key, alias):
    found = error_code(kms.create_alias, AliasName=alias, TargetKeyId=key["KeyId"])
    assert found in ("InvalidAliasNameException", "ValidationException", "NotAuthorizedException")


def test_a_disabled_key_does_nothing_until_it_is_enabled(kms, key):
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    kms.disable_key(KeyId=key["KeyId"])
    described = kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
    assert (described["KeyState"], described["Enabled"]) == ("Disabled", False)
    assert error_code(kms.encrypt, KeyId=key["KeyId"], Plaintext=b"x") == "DisabledException"
    assert error_code(kms.decrypt, CiphertextBlob=blob) == "DisabledException"
    assert error_code(kms.generate_data_key, KeyId=key["KeyId"], KeySpec="AES_256") == "DisabledException"
    kms.enable_key(KeyId=key["KeyId"])
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"


def test_a_key_that_awaits_deletion_does_nothing_until_that_is_cancelled(kms, key):
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    scheduled = kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
    assert (scheduled["KeyId"], scheduled["KeyState"], scheduled["PendingWindowInDays"]) == (key["Arn"], "PendingDeletion", 7)
    described = kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
    assert described["KeyState"] == "PendingDeletion" and described["DeletionDate"]
    assert error_code(kms.encrypt, KeyId=key["KeyId"], Plaintext=b"x") == "KMSInvalidStateException"
    assert error_code(kms.decrypt, CiphertextBlob=blob) == "KMSInvalidStateException"
    assert error_code(kms.enable_key, KeyId=key["KeyId"]) == "KMSInvalidStateException"
    assert error_code(kms.schedule_key_deletion, KeyId=key["KeyId"]) == "KMSInvalidStateException"
    assert kms.cancel_key_deletion(KeyId=key["KeyId"])["KeyId"] == key["Arn"]
    assert kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"] == "Disabled"
    kms.enable_key(KeyId=key["KeyId"])
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"


@pytest.mark.parametrize("days", [6, 31])
def test_the_deletion_window_has_bounds(kms, key, days):
    assert error_code(kms.schedule_key_deletion, KeyId=key["KeyId"], PendingWindowInDays=days) == "ValidationException"


def test_the_default_key_policy_lets_the_account_delegate(kms, key, account):
    found = kms.get_key_policy(KeyId=key["KeyId"], PolicyName="default")
    [statement] = json.loads(found["Policy"])["Statement"]
    assert statement["Principal"] == {"AWS": f"arn:aws:iam::{account}:root"}
    assert (statement["Effect"], statement["Action"], statement["Resource"]) == ("Allow", "kms:*", "*")


def test_the_key_policy_is_the_root_of_trust(server, admin, kms, account, name):
    """An identity policy alone opens nothing when the key policy does not let the account delegate."""
    insider = user(server, admin, name("user"), allow("kms:*"))
    caller = server.client("sts", admin).get_caller_identity()["Arn"]
    only_me = policy({"Effect": "Allow", "Principal": {"AWS": caller}, "Action": "kms:*", "Resource": "*"})
    key = kms.create_key(Policy=only_me)["KeyMetadata"]["KeyId"]
    theirs = server.client("kms", insider)
    assert error_code(theirs.encrypt, KeyId=key, Plaintext=b"x") == "AccessDeniedException"
    delegating = policy({"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "kms:*", "Resource": "*"})
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=delegating)
    assert theirs.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]


def test_a_key_policy_that_locks_its_author_out_is_refused(server, kms, key, account):
    locked = policy({"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "kms:DescribeKey", "Resource": "*"})
    assert error_code(kms.put_key_policy, KeyId=key["KeyId"], PolicyName="default", Policy=locked) == "MalformedPolicyDocumentException"


@pytest.mark.parametrize("document", ["{", "[]", "{}", '{"Version": "2012-10-17", "Statement": [{"Effect": "Maybe"}]}',
                                      policy({"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*",
                                              "Condition": {"StringResembles": {"aws:PrincipalAccount": "1"}}})])
def test_a_key_policy_that_is_not_understood_is_refused(kms, key, document):
    assert error_code(kms.put_key_policy, KeyId=key["KeyId"], PolicyName="default", Policy=document) == "MalformedPolicyDocumentException"
    assert json.loads(kms.get_key_policy(KeyId=key["KeyId"])["Policy"])["Statement"][0]["Effect"] == "Allow"


@pytest.mark.parametrize("missing", ["1234abcd-12ab-34cd-56ef-1234567890ab", "alias/never-made",
                                     "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"])
def test_a_key_that_does_not_exist_is_not_found(kms, missing):
    found = error_code(kms.encrypt, KeyId=missing, Plaintext=b"x")
    assert found == "NotFoundException" or (missing.startswith("arn") and found == "AccessDeniedException")


def test_keys_of_kinds_that_are_not_built_say_so(kms):
    for spec, usage in (("SM2", "SIGN_VERIFY"), ("ML_KEM_768", "ENCAPSULATE_DECAPSULATE")):
        assert error_code(kms.create_key, KeySpec=spec, KeyUsage=usage) == "UnsupportedOperationException"


def test_keys_of_another_region_are_not_found(server, admin, key):
    elsewhere = server.client("kms", admin, region="eu-west-1")
    assert error_code(elsewhere.describe_key, KeyId=key["KeyId"]) == "NotFoundException"


def test_blobs_are_base64_on_the_wire(server, admin, key):
    from bulla import signed

    answer = signed(server, "kms", keys=admin, body=json.dumps({"KeyId": key["KeyId"], "Plaintext": "eA=="}).encode(),
                    headers={"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "TrentService.Encrypt"})
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/x-amz-json-1.1"
    assert base64.b64decode(answer.json()["CiphertextBlob"], validate=True)


def test_a_grant_opens_a_key_until_it_is_revoked(server, admin, kms, key, account, name):
    who = name("grantee")
    grantee = server.client("kms", user(server, admin, who))
    arn = f"arn:aws:iam::{account}:user/{who}"
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x", EncryptionContext={"team": "blue"})["CiphertextBlob"]
    opening = {"CiphertextBlob": blob, "EncryptionContext": {"team": "blue"}}
    assert error_code(grantee.decrypt, **opening) == "AccessDeniedException"
    wanted = {"KeyId": key["KeyId"], "GranteePrincipal": arn, "Operations": ["Decrypt"], "Name": "reader",
              "Constraints": {"EncryptionContextSubset": {"team": "blue"}}, "RetiringPrincipal": arn}
    made = kms.create_grant(**wanted)
    assert kms.create_grant(**wanted)["GrantId"] == made["GrantId"]
    assert grantee.decrypt(**opening, GrantTokens=[made["GrantToken"]])["Plaintext"] == b"x"
    [listed] = kms.list_grants(KeyId=key["KeyId"])["Grants"]
    assert (listed["GrantId"], listed["GranteePrincipal"], listed["Name"]) == (made["GrantId"], arn, "reader")
    assert listed["Constraints"] == {"EncryptionContextSubset": {"team": "blue"}}
    assert [grant["GrantId"] for grant in kms.list_retirable_grants(RetiringPrincipal=arn)["Grants"]] == [made["GrantId"]]
    kms.revoke_grant(KeyId=key["KeyId"], GrantId=made["GrantId"])
    assert error_code(grantee.decrypt, **opening) == "AccessDeniedException"
    made = kms.create_grant(**wanted)
    grantee.retire_grant(GrantToken=made["GrantToken"])
    assert kms.list_grants(KeyId=key["KeyId"])["Grants"] == []


def test_ciphertext_moves_to_another_key_without_its_plaintext(kms, key):
    other = kms.create_key()["KeyMetadata"]
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x", EncryptionContext={"a": "1"})["CiphertextBlob"]
    moved = kms.re_encrypt(CiphertextBlob=blob, SourceEncryptionContext={"a": "1"}, DestinationKeyId=other["KeyId"],
                           DestinationEncryptionContext={"b": "2"})
    assert (moved["SourceKeyId"], moved["KeyId"]) == (key["Arn"], other["Arn"])
    assert kms.decrypt(CiphertextBlob=moved["CiphertextBlob"], EncryptionContext={"b": "2"})["Plaintext"] == b"x"
    assert error_code(kms.re_encrypt, CiphertextBlob=blob, DestinationKeyId=other["KeyId"]) == "InvalidCiphertextException"


def test_a_rotated_key_opens_what_it_encrypted_before(kms, key):
    before = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    kms.enable_key_rotation(KeyId=key["KeyId"], RotationPeriodInDays=180)
    status = kms.get_key_rotation_status(KeyId=key["KeyId"])
    assert (status["KeyRotationEnabled"], status["RotationPeriodInDays"], status["KeyId"]) == (True, 180, key["Arn"])
    assert (status["NextRotationDate"] - key["CreationDate"]).days in (179, 180)
    assert kms.rotate_key_on_demand(KeyId=key["KeyId"])["KeyId"] == key["Arn"]
    [rotation] = kms.list_key_rotations(KeyId=key["KeyId"])["Rotations"]
    assert (rotation["RotationType"], rotation["KeyMaterialState"]) == ("ON_DEMAND", "CURRENT")
    opened = kms.decrypt(CiphertextBlob=before)
    assert (opened["Plaintext"], opened["KeyMaterialId"]) == (b"x", key["CurrentKeyMaterialId"])
    assert kms.generate_data_key(KeyId=key["KeyId"], KeySpec="AES_256")["KeyMaterialId"] == rotation["KeyMaterialId"]
    kms.disable_key_rotation(KeyId=key["KeyId"])
    assert kms.get_key_rotation_status(KeyId=key["KeyId"])["KeyRotationEnabled"] is False


def test_a_queue_is_readable_across_the_rotation_of_its_key(kms, key, sqs, name):
    url = sqs.create_queue(QueueName=name("queue"), Attributes={"KmsMasterKeyId": key["Arn"]})["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="before")
    kms.rotate_key_on_demand(KeyId=key["KeyId"])
    sqs.send_message(QueueUrl=url, MessageBody="after")
    bodies = set()
    while len(bodies) < 2:
        bodies |= {message["Body"] for message in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1)["Messages"]}
    assert bodies == {"before", "after"}
