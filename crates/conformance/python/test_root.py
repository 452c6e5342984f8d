"""The root key: who can hold it, how it is replaced under a running server, and what happens without it."""

import json
import os
import shutil
import socket
import subprocess
import threading
from pathlib import Path

import pytest

import bulla
from bulla import error_code, run

PASSPHRASE = "correct horse battery staple"


def secret_file(path, text):
    path.write_text(text)
    path.chmod(0o600)
    return path


def status(server):
    code, told = run("root", "status", "--data", str(server.data), "--output", "json")
    assert code == 0, told
    return json.loads(told)


def rotate(server, *settings, **rest):
    return run("root", "rotate", "--data", str(server.data), "--output", "json", *settings, **rest)


def attempt(server, *settings, **rest):
    """Starts a server that must refuse: what it says."""
    code, told = run("serve", "--listen", "127.0.0.1:0", "--data", str(server.data), *settings, **rest)
    assert code == 1, told
    return told


def send(server, body):
    sqs = server.client("sqs")
    queue = sqs.create_queue(QueueName="q")["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody=body)


def receive(server):
    sqs = server.client("sqs")
    queue = sqs.get_queue_url(QueueName="q")["QueueUrl"]
    [message] = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=2)["Messages"]
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return message["Body"]


def test_the_status_of_a_root_key_is_the_same_while_the_server_runs_and_when_it_is_stopped(fresh):
    server = fresh()
    running = status(server)
    assert (running["provider"], running["server"]) == ("file", "running")
    assert running["since"].endswith("Z") and len(running["id"]) == 16
    server.stop()
    stopped = status(server)
    assert stopped["server"] == "stopped"
    assert [stopped[name] for name in ("provider", "id", "since")] == [running[name] for name in ("provider", "id", "since")]


def test_a_data_folder_bound_to_a_passphrase_opens_with_it_and_with_no_other(fresh, tmp_path):
    server = fresh(start=False)
    right = secret_file(tmp_path / "right", PASSPHRASE + "\nnot part of it\n")
    wrong = secret_file(tmp_path / "wrong", PASSPHRASE + "!\n")
    server.root_settings = ["--root-passphrase-file", str(right)]
    server.start()
    send(server, "kept")
    assert status(server)["provider"] == "passphrase"
    assert server.stop() == 0
    told = attempt(server, "--root-passphrase-file", str(wrong))
    assert "BULLA-K018" in told and "passphrase is not the one" in told and PASSPHRASE not in told
    other = fresh()
    told = attempt(server, "--root-key-file", str(other.root_key))
    assert "BULLA-K016" in told and "passphrase" in told
    # From the environment, and from standard input.
    server.root_settings, server.environment = [], {"BULLA_ROOT_PASSPHRASE": PASSPHRASE}
    server.start()
    assert receive(server) == "kept"
    assert server.stop() == 0
    told = attempt(server, "--root-passphrase-file", "-", given="another passphrase\n")
    assert "BULLA-K018" in told
    assert bulla.traces(server.folder, PASSPHRASE.encode()) == []


def test_a_passphrase_file_that_others_may_read_is_refused(fresh, tmp_path):
    server = fresh(start=False)
    readable = secret_file(tmp_path / "passphrase", PASSPHRASE)
    readable.chmod(0o640)
    told = attempt(server, "--root-passphrase-file", str(readable))
    assert "chmod 600" in told and "0640" in told


def test_a_short_passphrase_is_refused_for_new_data(fresh):
    server = fresh(start=False)
    told = attempt(server, environment={"BULLA_ROOT_PASSPHRASE": "short"})
    assert "BULLA-K019" in told


def test_the_root_key_is_replaced_while_the_server_answers(fresh, tmp_path):
    server = fresh()
    send(server, "kept")
    before = status(server)
    sqs = server.client("sqs")
    queue = sqs.create_queue(QueueName="busy")["QueueUrl"]
    stop, sent, failed = threading.Event(), [], []

    def work():
        while not stop.is_set():
            try:
                sent.append(sqs.send_message(QueueUrl=queue, MessageBody="x")["MessageId"])
            except Exception as error:  # Any failure is a pause that must not be.
                failed.append(error)

    worker = threading.Thread(target=work)
    worker.start()
    second = tmp_path / "root-2.key"
    code, told = rotate(server, "--root-key-file", str(second))
    assert code == 0, told
    told = json.loads(told)
    assert (told["before_id"], told["provider"]) == (before["id"], "file") and told["id"] != before["id"]
    passphrase = secret_file(tmp_path / "passphrase", PASSPHRASE)
    code, told = rotate(server, "--root-passphrase-file", str(passphrase))
    assert code == 0, told
    now = status(server)
    assert now["provider"] == "passphrase" and now["id"] == json.loads(told)["id"]
    stop.set()
    worker.join(30)
    assert sent and not failed
    # Without a warning, right after the answer: what was answered is on disk.
    server.kill()
    assert status(server)["id"] == now["id"]
    server.root_key.unlink()
    second.unlink()
    server.root_settings = ["--root-passphrase-file", str(passphrase)]
    server.start()
    assert receive(server) == "kept"


def test_the_old_root_key_opens_nothing_any_more(fresh, tmp_path):
    server = fresh()
    assert rotate(server, "--root-key-file", str(tmp_path / "new"))[0] == 0
    server.stop()
    told = attempt(server, "--root-key-file", str(server.root_key))
    assert "BULLA-K010" in told and status(server)["id"] in told


def test_a_rotation_that_cannot_be_done_changes_nothing(fresh, tmp_path):
    server = fresh()
    before = status(server)
    damaged = secret_file(tmp_path / "damaged", "no key")
    for settings in (["--root-key-file", str(damaged)], ["--root-key-file", str(server.root_key)],
                     ["--root-key-file", "/proc/nothing/root.key"]):
        code, told = rotate(server, *settings)
        assert code != 0 and "error" in json.loads(told), told
    code, told = rotate(server, environment={"BULLA_ROOT_PASSPHRASE": "short"})
    assert code != 0 and "BULLA-K019" in told
    assert status(server) == before
    server.stop()
    server.start()


def test_a_rotation_needs_the_running_server(fresh, tmp_path):
    server = fresh()
    server.stop()
    code, told = rotate(server, "--root-key-file", str(tmp_path / "new"))
    assert code == 1 and "no server runs" in told
    assert not (tmp_path / "new").exists()


def test_a_server_killed_while_its_root_key_is_replaced_opens_with_the_old_or_the_new(fresh, tmp_path):
    import random

    seed = int(os.environ.get("BULLA_SEED", str(int.from_bytes(os.urandom(4)))))
    print(f"BULLA_SEED={seed}")
    chance = random.Random(seed)
    server = fresh()
    keys = [server.root_key]
    for n in range(int(os.environ.get("BULLA_ROTATIONS", "6"))):
        new = tmp_path / f"root-{n}.key"
        answer = []
        worker = threading.Thread(target=lambda: answer.append(rotate(server, "--root-key-file", str(new))))
        worker.start()
        worker.join(chance.random() * 0.06)
        server.kill()
        worker.join(30)
        bound = status(server)["id"]
        if answer and answer[0][0] == 0:
            assert json.loads(answer[0][1])["id"] == bound, "what was answered is durable"
        for candidate in [new, *reversed(keys)]:
            if not candidate.exists():
                continue
            server.root_settings = ["--root-key-file", str(candidate)]
            try:
                server.start()
            except RuntimeError as refused:
                assert "BULLA-K010" in str(refused)
                continue
            keys.append(candidate)
            break
        assert server.process.poll() is None, "neither the old nor the new root key opens the data"
        assert candidate in (new, keys[-2]), "an older root key opens the data"
        assert status(server)["id"] == bound


SOFTHSM = Path("/usr/lib/softhsm/libsofthsm2.so")
PIN = "4711-0815"


@pytest.fixture
def token(tmp_path):
    """A token of SoftHSM: settings that name it, and the environment that its module reads."""
    if not SOFTHSM.exists() or not shutil.which("softhsm2-util"):
        assert "CI" not in os.environ, "SoftHSM is not installed: apt-get install softhsm2"
        pytest.skip("SoftHSM is not installed, PKCS#11 is not tested: apt-get install softhsm2")
    (tmp_path / "tokens").mkdir()
    conf = tmp_path / "softhsm2.conf"
    conf.write_text(f"directories.tokendir = {tmp_path / 'tokens'}\nobjectstore.backend = file\nlog.level = ERROR\n")
    environment = {"SOFTHSM2_CONF": str(conf)}
    subprocess.run(["softhsm2-util", "--init-token", "--free", "--label", "bulla-token", "--pin", PIN, "--so-pin", "officer-pin"],
                   check=True, capture_output=True, env=os.environ | environment)
    pin = secret_file(tmp_path / "pin", PIN + "\n")
    settings = ["--root-pkcs11-module", str(SOFTHSM), "--root-pkcs11-token", "bulla-token", "--root-pkcs11-pin-file", str(pin)]
    return settings, environment


def test_data_bound_to_a_token_open_with_the_token_alone(fresh, tmp_path, token):
    settings, environment = token
    server = fresh(start=False, environment=environment)
    server.root_settings = settings
    server.start()
    send(server, "kept")
    assert status(server)["provider"] == "pkcs11"
    assert server.stop() == 0
    wrong = secret_file(tmp_path / "wrong", "0000-0000")
    told = attempt(server, *settings[:-1], str(wrong), environment=environment)
    assert "BULLA-K020" in told and "refuses the PIN" in told and PIN not in told
    told = attempt(server, *settings, "--root-pkcs11-key", "another", environment=environment)
    assert "BULLA-K010" in told
    server.start()
    assert receive(server) == "kept"
    # Out of the token again, and the token is not needed any more.
    assert rotate(server, "--root-key-file", str(server.root_key))[0] == 0
    assert server.stop() == 0
    shutil.rmtree(tmp_path / "tokens")
    server.root_settings = None
    server.start()


def test_a_root_key_moves_into_a_token_and_the_server_waits_for_a_token_that_is_away(fresh, tmp_path, token):
    settings, environment = token
    server = fresh(environment=environment)
    send(server, "kept")
    code, told = rotate(server, *settings)
    assert code == 0, told
    assert server.stop() == 0
    server.root_key.unlink()
    (tmp_path / "tokens").rename(tmp_path / "away")
    (tmp_path / "tokens").mkdir()
    server.root_settings = settings
    server.start(until=bulla.WAITS)
    assert "bulla-token" in status(server)["why"]
    (tmp_path / "tokens").rmdir()
    (tmp_path / "away").rename(tmp_path / "tokens")
    server.read_until()
    assert receive(server) == "kept"


@pytest.fixture
def service(fresh, tmp_path):
    """A second server as key service, with a port that it keeps, and settings that name a key in it."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    upstream = fresh("--listen", f"127.0.0.1:{port}")
    key = upstream.client("kms").create_key()["KeyMetadata"]["Arn"]
    user = bulla.user(upstream, upstream.root, "bulla", bulla.allow(["kms:Encrypt", "kms:Decrypt"], key))
    credentials = secret_file(tmp_path / "credentials", f"[default]\naws_access_key_id = {user.id}\naws_secret_access_key = {user.secret}\n")
    settings = ["--root-kms-key", key, "--root-kms-endpoint", f"https://127.0.0.1:{port}", "--root-kms-ca-file", str(upstream.ca)]
    return upstream, settings, ["--root-kms-credentials-file", str(credentials)], user


def test_data_bound_to_a_key_service_open_with_it(fresh, service):
    upstream, settings, credentials, user = service
    server = fresh(start=False)
    server.root_settings = settings + credentials
    server.start()
    send(server, "kept")
    assert status(server)["provider"] == "kms"
    assert server.stop() == 0
    # Credentials from the environment.
    server.root_settings, server.environment = settings, user.environment()
    server.start()
    assert receive(server) == "kept"
    assert server.stop() == 0
    other = upstream.client("kms").create_key()["KeyMetadata"]["Arn"]
    allowed = bulla.user(upstream, upstream.root, "other", bulla.allow("kms:*", "*"))
    told = attempt(server, "--root-kms-key", other, *settings[2:], environment=allowed.environment())
    assert "BULLA-K010" in told
    missing = settings[1][:-1] + ("0" if settings[1][-1] != "0" else "1")
    told = attempt(server, "--root-kms-key", missing, *settings[2:], environment=allowed.environment())
    assert "BULLA-K021" in told and "NotFoundException" in told


def test_the_record_in_a_key_service_is_bound_by_its_encryption_context(fresh, service):
    upstream, settings, credentials, _ = service
    kms = upstream.client("kms")
    policy = json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:*", "Resource": "*",
         "Condition": {"StringEquals": {"kms:EncryptionContext:bulla:purpose": "instance-key"}}},
        {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:PutKeyPolicy", "Resource": "*"}]})
    kms.put_key_policy(KeyId=settings[1], Policy=policy, BypassPolicyLockoutSafetyCheck=True)
    server = fresh(start=False)
    server.root_settings = settings + credentials
    server.start()


def test_a_server_whose_root_key_is_away_refuses_keeps_its_data_and_recovers(fresh, tmp_path, service):
    upstream, settings, credentials, _ = service
    server = fresh()
    send(server, "kept")
    code, told = rotate(server, *settings, *credentials)
    assert code == 0, told
    server.root_key.unlink()
    upstream.stop()
    # The instance key is in memory: the root key is needed at start, not for each request.
    send(server, "also kept")
    assert server.stop() == 0
    server.root_settings = settings + credentials
    server.start(until=bulla.WAITS)
    health = bulla.http(server.http + "/_bulla/health", method="GET")
    assert (health.status, health.json()["status"]) == (503, "waiting for the root key")
    assert error_code(server.client("sqs").list_queues) == "ServiceUnavailable"
    assert error_code(server.client("kms").list_keys) == "KeyUnavailableException"
    assert error_code(server.client("iam").list_users) == "ServiceUnavailable"
    told = status(server)
    assert told["server"] == "waiting for the root key" and "BULLA-K017" in told["why"]
    assert rotate(server, "--root-key-file", str(tmp_path / "new"))[0] != 0
    code, told = run("backup", "--data", str(server.data), "--to", str(tmp_path / "backup"))
    assert code == 0, told
    upstream.start()
    server.read_until()
    assert bulla.http(server.http + "/_bulla/health", method="GET").status == 200
    assert {receive(server), receive(server)} == {"kept", "also kept"}
    # A key that is disabled is a root key that is away.
    upstream.client("kms").disable_key(KeyId=settings[1])
    server.stop()
    server.start(until=bulla.WAITS)
    assert "DisabledException" in status(server)["why"]
    upstream.client("kms").enable_key(KeyId=settings[1])
    server.read_until()
    assert server.client("kms").list_keys()["Keys"] == []


def test_a_waiting_server_stops_at_once(fresh, service):
    upstream, settings, credentials, _ = service
    server = fresh()
    assert rotate(server, *settings, *credentials)[0] == 0
    server.stop()
    upstream.stop()
    server.root_settings = settings + credentials
    server.start(until=bulla.WAITS)
    assert server.stop() == 0


def test_new_data_are_not_made_without_their_root_key(fresh, service):
    upstream, settings, credentials, _ = service
    upstream.stop()
    server = fresh(start=False)
    assert "BULLA-K017" in attempt(server, *settings, *credentials)
    upstream.start()
    server.root_settings = settings + credentials
    server.start()
    assert server.root


def test_a_key_service_without_tls_is_for_this_machine_only(fresh, service):
    _, settings, credentials, _ = service
    code, told = run("serve", "--data", str(fresh(start=False).data), *settings[:2], "--root-kms-endpoint", "http://kms.example.com",
                     *credentials)
    assert code == 2 and "TLS" in told


def test_the_memory_of_the_server_is_not_dumped(fresh):
    server = fresh()
    limits = Path(f"/proc/{server.process.pid}/limits").read_text()
    [core] = [line for line in limits.splitlines() if line.startswith("Max core file size")]
    assert core.split()[4:6] == ["0", "0"]
    # PR_SET_DUMPABLE 0 gives the process's files in /proc to root.
    assert os.stat(f"/proc/{server.process.pid}/environ").st_uid == 0


def test_the_memory_of_the_server_is_locked_where_any_amount_may_be(fresh):
    import resource

    before = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    try:
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    except (ValueError, PermissionError):
        pytest.skip("this user may not raise the limit on locked memory")
    try:
        server = fresh()
    finally:
        # A lower limit can always be set, also without privileges.
        resource.setrlimit(resource.RLIMIT_MEMLOCK, before)
    [locked] = [line for line in Path(f"/proc/{server.process.pid}/status").read_text().splitlines() if line.startswith("VmLck")]
    assert int(locked.split()[1]) > 1000


def test_a_rotation_to_the_passphrase_that_is_in_use_is_refused(fresh, tmp_path):
    server = fresh()
    passphrase = secret_file(tmp_path / "passphrase", PASSPHRASE)
    settings = ("--root-provider", "passphrase", "--root-passphrase-file", str(passphrase))
    code, told = rotate(server, *settings)
    assert code == 0, told
    before = status(server)
    code, told = rotate(server, *settings)
    assert code != 0 and "bound to that root key already" in told
    assert status(server)["id"] == before["id"]


def test_a_rotation_says_when_it_made_the_key_file(fresh, tmp_path):
    server = fresh()
    new = ("root", "rotate", "--data", str(server.data), "--root-key-file", str(tmp_path / "new.key"))
    code, told = run(*new)
    assert code == 0 and "It was made just now: keep a copy" in told
