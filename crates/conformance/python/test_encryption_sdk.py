"""The AWS Encryption SDK for Python: envelope encryption in the client, under keys that are here.

It runs as a program of its own, because it takes endpoint and credentials from the environment.
"""

import subprocess
import sys

import pytest

import bulla

CONTEXT = {"purpose": "test", "tenant": "blue"}
SCRIPT = """
import sys
import aws_encryption_sdk
from aws_encryption_sdk import CommitmentPolicy
from aws_encryption_sdk.identifiers import Algorithm
from aws_encryption_sdk.key_providers import kms as providers

client = aws_encryption_sdk.EncryptionSDKClient(commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT)
context = {context!r}
work, kind, keys = sys.argv[1], getattr(providers, sys.argv[2]), sys.argv[3:]
if work == "encrypt":
    sealed, header = client.encrypt(source=sys.stdin.buffer.read(), key_provider=kind(key_ids=keys), encryption_context=context)
    assert header.algorithm == Algorithm.AES_256_GCM_HKDF_SHA512_COMMIT_KEY_ECDSA_P384
    sys.stdout.buffer.write(sealed)
else:
    provider = kind(key_ids=keys) if keys else kind()
    opened, header = client.decrypt(source=sys.stdin.buffer.read(), key_provider=provider)
    assert context.items() <= header.encryption_context.items()
    sys.stdout.buffer.write(opened)
"""
STRICT = "StrictAwsKmsMasterKeyProvider"
DISCOVERY = "DiscoveryAwsKmsMasterKeyProvider"
MRK_AWARE = "MRKAwareStrictAwsKmsMasterKeyProvider"
SECRET = b"a secret, " * 1000


@pytest.fixture(scope="module")
def user(server):
    """A user with no more than what the library needs."""
    return bulla.user(server, server.root, "encryption-sdk", bulla.allow(["kms:GenerateDataKey", "kms:Encrypt", "kms:Decrypt"]))


@pytest.fixture(scope="module")
def sdk(server, user, tmp_path_factory):
    folder = tmp_path_factory.mktemp("encryption-sdk")

    def run(*arguments, given, keys=user):
        command = [sys.executable, "-c", SCRIPT.format(context=CONTEXT), *arguments]
        return subprocess.run(command, input=given, capture_output=True, env=server.client_environment(keys), cwd=folder, timeout=60)

    return run


def succeeded(ended):
    assert ended.returncode == 0, ended.stderr.decode()
    return ended.stdout


def test_what_it_encrypts_it_decrypts(kms, sdk):
    arn = kms.create_key()["KeyMetadata"]["Arn"]
    sealed = succeeded(sdk("encrypt", STRICT, arn, given=SECRET))
    assert SECRET[:10] not in sealed
    assert succeeded(sdk("decrypt", STRICT, arn, given=sealed)) == SECRET
    assert succeeded(sdk("decrypt", DISCOVERY, given=sealed)) == SECRET
    kms.rotate_key_on_demand(KeyId=arn)
    assert succeeded(sdk("decrypt", STRICT, arn, given=sealed)) == SECRET


def test_each_of_two_keys_opens_it(kms, sdk):
    first, second = (kms.create_key()["KeyMetadata"]["Arn"] for _ in range(2))
    sealed = succeeded(sdk("encrypt", STRICT, first, second, given=SECRET))
    kms.disable_key(KeyId=first)
    assert succeeded(sdk("decrypt", STRICT, second, given=sealed)) == SECRET
    assert sdk("decrypt", STRICT, first, given=sealed).returncode != 0


def test_a_changed_message_and_a_caller_who_may_not_are_refused(server, kms, sdk):
    arn = kms.create_key()["KeyMetadata"]["Arn"]
    sealed = succeeded(sdk("encrypt", STRICT, arn, given=SECRET))
    changed = sealed.replace(b"blue", b"gold")
    assert changed != sealed
    assert sdk("decrypt", STRICT, arn, given=changed).returncode != 0
    stranger = bulla.user(server, server.root, "encryption-sdk-stranger", bulla.allow(["kms:Encrypt", "kms:GenerateDataKey"]))
    refused = sdk("decrypt", STRICT, arn, given=sealed, keys=stranger)
    assert b"AccessDeniedException" in refused.stderr


def test_a_replica_in_another_region_opens_it(server, kms, admin, sdk):
    here = kms.create_key(MultiRegion=True)["KeyMetadata"]["Arn"]
    there = kms.replicate_key(KeyId=here, ReplicaRegion="eu-west-1")["ReplicaKeyMetadata"]["Arn"]
    sealed = succeeded(sdk("encrypt", MRK_AWARE, here, given=SECRET))
    assert succeeded(sdk("decrypt", MRK_AWARE, there, given=sealed)) == SECRET
    # Without the knowledge of multi-Region keys it is another key.
    assert sdk("decrypt", STRICT, there, given=sealed).returncode != 0
    server.client("kms", admin, region="eu-west-1").disable_key(KeyId=there)
    assert sdk("decrypt", MRK_AWARE, there, given=sealed).returncode != 0
    assert succeeded(sdk("decrypt", MRK_AWARE, here, given=sealed)) == SECRET
