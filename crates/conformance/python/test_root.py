"""The root key: who can hold it, how it is replaced under a running server, and what happens without it."""

import json
import os
import threading

import bulla
from bulla import run

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
