"""Erasure keys: what lies in the keyring and nowhere else, through the real binary.

Deletions take seven days at least, so that a key is destroyed, its messages with it, and an older copy of the data opens
nothing any more is tested with a clock that can be moved, in `services/src/kms/tests/erasure.rs`.
"""

import json

from bulla import error_code, run


def attempt(server, *settings):
    """Starts a server that must refuse: what it says."""
    code, told = run("serve", "--listen", "127.0.0.1:0", "--data", str(server.data), "--root-key-file",
                     str(server.root_key), *settings)
    assert code == 1, told
    return told


def erasure_key(server, key):
    [found] = server.keyring.glob(f"*/*{key}.key")
    return found


def test_a_key_has_a_private_file_in_the_keyring_and_none_in_the_data_or_a_backup(fresh, tmp_path):
    server = fresh()
    key = server.client("kms").create_key()["KeyMetadata"]["KeyId"]
    file = erasure_key(server, key)
    assert file.stat().st_mode & 0o777 == 0o600
    code, told = run("backup", "--data", str(server.data), "--to", str(tmp_path / "backup"))
    assert code == 0 and "keyring" in told, told
    wrapped = file.read_text().split("wrapped ")[1].strip()
    for folder in (server.data, tmp_path / "backup"):
        for path in folder.rglob("*"):
            assert not path.is_file() or wrapped.encode() not in path.read_bytes(), path


def test_a_lost_erasure_key_is_one_unavailable_key_until_it_is_back(fresh):
    server = fresh()
    kms, sqs = server.client("kms"), server.client("sqs")
    lost, other = (kms.create_key()["KeyMetadata"]["KeyId"] for _ in range(2))
    blobs = {key: kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"] for key in (lost, other)}
    queue = sqs.create_queue(QueueName="q", Attributes={"KmsMasterKeyId": lost})["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody="hello")
    server.stop()
    file = erasure_key(server, lost)
    kept = file.read_text()
    file.unlink()
    server.start()
    kms, sqs = server.client("kms"), server.client("sqs")
    assert kms.describe_key(KeyId=lost)["KeyMetadata"]["KeyState"] == "Unavailable"
    assert error_code(kms.decrypt, CiphertextBlob=blobs[lost]) == "KMSInvalidStateException"
    assert error_code(sqs.send_message, QueueUrl=queue, MessageBody="no") == "KMS.InvalidStateException"
    assert kms.decrypt(CiphertextBlob=blobs[other])["Plaintext"] == b"x"
    assert file.name in server.report(), "the log names the file"
    server.stop()
    file.write_text(kept)
    server.start()
    assert server.client("kms").decrypt(CiphertextBlob=blobs[lost])["Plaintext"] == b"x"
    [message] = server.client("sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=2)["Messages"]
    assert message["Body"] == "hello"


def test_a_server_does_not_start_without_the_keyring_of_its_keys_and_says_where_it_was(fresh, tmp_path):
    server = fresh()
    server.client("kms").create_key()
    server.stop()
    told = attempt(server, "--keyring", str(tmp_path / "elsewhere"))
    assert str(server.keyring) in told and "--keyring" in told, told
    assert not (tmp_path / "elsewhere").exists()


def test_a_keyring_in_the_data_folder_is_refused(fresh):
    server = fresh()
    server.stop()
    assert "inside data folder" in attempt(server, "--keyring", str(server.data / "keyring"))


def test_certificates_can_be_asked_for_with_their_public_key(fresh):
    server = fresh()
    code, told = run("keys", "certificates", "--data", str(server.data), "--output", "json")
    assert code == 0, told
    found = json.loads(told)
    assert found["certificates"] == [] and found["public_key"].startswith("-----BEGIN PUBLIC KEY-----")
