"""The server as a program: starting, refusing to start, stopping, restarting, and open mode."""

import os
import stat
import subprocess

import pytest

import bulla
from bulla import Keys, error_code, http, traces


def attempt(*arguments, folder, environment=None):
    """Runs the server until it ends by itself, and returns status and output."""
    command = [str(bulla.binary()), "serve", "--listen", "127.0.0.1:0", *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=20, cwd=folder,
                           env=bulla.clean_environment() | (environment or {}))
    return ended.returncode, ended.stdout + ended.stderr


def test_the_root_access_key_is_printed_once(fresh):
    server = fresh()
    printed = "".join(server.output)
    assert server.root.id in printed and "export AWS_ENDPOINT_URL" in printed
    first = server.root
    assert server.stop() == 0
    server.output.clear()
    server.start()
    assert first.secret not in "".join(server.output)
    assert server.client("sts", first).get_caller_identity()["Account"]


def test_what_was_made_is_there_after_a_restart(fresh):
    server = fresh()
    sqs, kms = server.client("sqs"), server.client("kms")
    queue = sqs.create_queue(QueueName="kept", Attributes={"VisibilityTimeout": "7"}, tags={"a": "1"})["QueueUrl"]
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    blob = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    sent = sqs.send_message(QueueUrl=queue, MessageBody="still here")["MessageId"]
    assert server.stop() == 0
    server.start()
    sqs, kms = server.client("sqs"), server.client("kms")
    queue = sqs.get_queue_url(QueueName="kept")["QueueUrl"]
    assert sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["VisibilityTimeout"])["Attributes"] == {"VisibilityTimeout": "7"}
    assert sqs.list_queue_tags(QueueUrl=queue)["Tags"] == {"a": "1"}
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    [message] = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=2)["Messages"]
    assert (message["MessageId"], message["Body"]) == (sent, "still here")


def test_a_stop_ends_waiting_receives(fresh):
    import threading

    server = fresh()
    sqs = server.client("sqs")
    queue = sqs.create_queue(QueueName="q")["QueueUrl"]
    ended = threading.Event()

    def wait():
        try:
            sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=20)
        except Exception:  # The connection may end without an answer; that it ends is what counts.
            pass
        ended.set()

    thread = threading.Thread(target=wait)
    thread.start()
    thread.join(0.5)
    assert server.stop() == 0
    assert ended.wait(5)


def test_the_root_key_file_is_made_private(fresh):
    server = fresh()
    assert stat.S_IMODE(os.stat(server.root_key).st_mode) == 0o600


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_root_key_that_others_may_read_is_refused_with_the_remedy(fresh, mode):
    server = fresh()
    server.stop()
    os.chmod(server.root_key, mode)
    status, output = attempt("--data", str(server.data), "--root-key-file", str(server.root_key), folder=server.folder)
    assert status != 0
    assert str(server.root_key) in output and "chmod 600" in output


def test_another_root_key_does_not_open_the_data(fresh):
    server = fresh()
    server.stop()
    server.root_key.unlink()
    status, output = attempt("--data", str(server.data), "--root-key-file", str(server.root_key), folder=server.folder)
    assert status != 0, "a server must not make a new root key for data that is sealed under another"
    assert "root" in output and "key" in output


def test_a_data_folder_has_one_server_at_a_time(fresh):
    server = fresh()
    status, output = attempt("--data", str(server.data), "--root-key-file", str(server.root_key), folder=server.folder)
    assert status != 0 and output


def test_an_unknown_setting_is_refused(tmp_path):
    config = tmp_path / "bulla.toml"
    config.write_text("colour = 'red'\n")
    status, output = attempt("--config", str(config), "--data", str(tmp_path / "d"), "--root-key-file", str(tmp_path / "k"),
                             folder=tmp_path)
    assert status != 0 and "colour" in output


def test_help_tells_defaults_and_units(tmp_path):
    shown = subprocess.run([str(bulla.binary()), "serve", "--help"], capture_output=True, text=True, timeout=20).stdout
    for word in ("--listen", "--data", "--root-key-file", "--open", "--ephemeral", "127.0.0.1:4566", "BULLA_"):
        assert word in shown, word


def test_open_mode_is_for_loopback_only(tmp_path):
    command = [str(bulla.binary()), "serve", "--open", "--ephemeral", "--listen", "0.0.0.0:0"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=20, cwd=tmp_path, env=bulla.clean_environment())
    assert ended.returncode != 0


@pytest.fixture(scope="module")
def open_server():
    server = bulla.Server("--open", "--ephemeral").start()
    yield server
    server.stop()
    server.remove()


def test_open_mode_says_that_it_is_open(open_server):
    assert "open" in "".join(open_server.output).lower()


def test_open_mode_takes_any_key_for_the_default_account(open_server):
    for keys in (Keys("test", "test"), Keys("AKIAIOSFODNN7EXAMPLE", "wrong")):
        assert open_server.client("sts", keys).get_caller_identity()["Account"] == "000000000000"


def test_open_mode_takes_twelve_digits_for_an_account(open_server):
    one, two = Keys("111111111111", "x"), Keys("222222222222", "x")
    assert open_server.client("sts", one).get_caller_identity()["Arn"] == "arn:aws:iam::111111111111:root"
    first = open_server.client("sqs", one).create_queue(QueueName="mine")["QueueUrl"]
    assert "/111111111111/" in first
    assert error_code(open_server.client("sqs", two).get_queue_url, QueueName="mine") == "AWS.SimpleQueueService.NonExistentQueue"
    found = error_code(open_server.client("sqs", two).send_message, QueueUrl=first, MessageBody="x")
    assert found == "AccessDenied", "policies hold in open mode too"


def test_open_mode_has_an_account_of_its_own_choosing(fresh):
    server = fresh("--open", "--ephemeral", "--open-account", "123456789012")
    assert server.client("sts", Keys("x", "y")).get_caller_identity()["Account"] == "123456789012"


def test_reset_wipes_everything(open_server):
    keys = Keys("333333333333", "x")
    sqs = open_server.client("sqs", keys)
    sqs.create_queue(QueueName="gone")
    open_server.client("kms", keys).create_key()
    assert http(open_server.http + "/_bulla/reset").status in (200, 204)
    assert sqs.list_queues().get("QueueUrls", []) == []
    assert open_server.client("kms", keys).list_keys()["Keys"] == []
    sqs.create_queue(QueueName="gone")


def test_ephemeral_writes_nothing(fresh):
    server = fresh("--open", "--ephemeral")
    keys = Keys("x", "y")
    queue = server.client("sqs", keys).create_queue(QueueName="q")["QueueUrl"]
    server.client("sqs", keys).send_message(QueueUrl=queue, MessageBody="x")
    server.stop()
    found = [path for path in server.folder.rglob("*") if path.is_file() and path.suffix not in (".log", ".pem", ".crt")]
    assert found == []


def test_the_data_folder_holds_no_plaintext(fresh):
    """Bodies, attributes and secrets are searched for as they are, in hex and in Base64."""
    server = fresh()
    sqs, kms, iam = server.client("sqs"), server.client("kms"), server.client("iam")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    wanted = {"SSE-SQS": {}, "SSE-KMS": {"KmsMasterKeyId": key}}
    for kind, attributes in wanted.items():
        queue = sqs.create_queue(QueueName=kind, Attributes=attributes)["QueueUrl"]
        for n in range(20):
            sqs.send_message(QueueUrl=queue, MessageBody=f"PLAINTEXT-BODY-{kind}-{n}", MessageAttributes={
                "PLAINTEXT-NAME": {"DataType": "String", "StringValue": "PLAINTEXT-VALUE"},
                "binary": {"DataType": "Binary", "BinaryValue": b"PLAINTEXT-BINARY"}})
        sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
    data_key = kms.generate_data_key(KeyId=key, KeySpec="AES_256")["Plaintext"]
    iam.create_user(UserName="u")
    secret = iam.create_access_key(UserName="u")["AccessKey"]["SecretAccessKey"]
    searched = [b"PLAINTEXT-BODY", b"PLAINTEXT-NAME", b"PLAINTEXT-VALUE", b"PLAINTEXT-BINARY", data_key,
                secret.encode(), server.root.secret.encode()]
    for running in (True, False):
        if not running:
            server.stop()
        for plain in searched:
            assert traces(server.data, plain) == [], plain
    assert traces(server.data, server.root_key.read_bytes().strip()) == []
    assert traces(server.folder / "server.log", b"PLAINTEXT-BODY") == []


def test_secrets_and_bodies_are_not_logged(fresh):
    server = fresh(environment={"RUST_LOG": "trace", "BULLA_LOG": "trace"})
    sqs = server.client("sqs")
    queue = sqs.create_queue(QueueName="q")["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody="PLAINTEXT-BODY")
    sqs.receive_message(QueueUrl=queue)
    server.stop()
    logged = (server.folder / "server.log").read_bytes()
    assert b"PLAINTEXT-BODY" not in logged
    assert server.root.secret.encode() not in logged
