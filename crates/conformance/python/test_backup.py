"""Backs up a server under load, several times, restores each backup and checks what it must and must not hold.

- A message whose send was acknowledged before the backup began, and that no delete was sent for, is there.
- A message whose delete was acknowledged before the backup began is not.
- Bodies are the ones that were sent; the restored server takes the same root key and makes no new access key.
"""

import json
import os
import random
import shutil
import subprocess
import threading
import time

import bulla
from bulla import Server

BACKUPS = int(os.environ.get("BULLA_BACKUPS", "3"))
SEED = int(os.environ.get("BULLA_SEED", str(int.from_bytes(os.urandom(4)))))
LOAD_SECONDS = 1.0
QUEUES = 2
WORKERS = 4


def command(*arguments: str) -> tuple[int, str]:
    done = subprocess.run([str(bulla.binary()), *arguments], capture_output=True, text=True, timeout=120,
                          env=bulla.clean_environment())
    return done.returncode, done.stdout + done.stderr


class Ledger:
    """What was sent and deleted, and what the server has acknowledged of it."""

    def __init__(self):
        self.lock = threading.Lock()
        self.sent: dict[str, str] = {}  # id → body
        self.delete_begun: set[str] = set()
        self.deleted: set[str] = set()
        self.turns = [0] * WORKERS

    def settled(self) -> set[str]:
        """What a delete was sent for, once every worker has ended the turn that it is in: what it received before this
        call is among them."""
        before = list(self.turns)
        deadline = time.monotonic() + 60
        while any(now == then for now, then in zip(self.turns, before)):
            assert time.monotonic() < deadline, "the load has stopped"
            time.sleep(0.01)
        with self.lock:
            return set(self.delete_begun)

    def snapshot(self) -> tuple[dict[str, str], set[str]]:
        with self.lock:
            return dict(self.sent), set(self.deleted)


def work(server: Server, queue: str, ledger: Ledger, stop: threading.Event, number: int) -> None:
    chance = random.Random(f"{SEED}-{number}")
    sqs = server.client("sqs", http=True)
    while not stop.is_set():
        body = f"{chance.random()} " + "x" * chance.choice([0, 100, 5000, 100_000])
        sent = sqs.send_message(QueueUrl=queue, MessageBody=body)["MessageId"]
        with ledger.lock:
            ledger.sent[sent] = body
        if chance.random() < 0.4:
            for message in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=3, VisibilityTimeout=600).get("Messages", []):
                with ledger.lock:
                    ledger.delete_begun.add(message["MessageId"])
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
                with ledger.lock:
                    ledger.deleted.add(message["MessageId"])
        ledger.turns[number] += 1


def drain(server: Server, keys, names: list[str]) -> dict[str, str]:
    sqs = server.client("sqs", keys, http=True)
    found = {}
    for name in names:
        queue = sqs.get_queue_url(QueueName=name)["QueueUrl"]
        empty = 0
        while empty < 3:
            messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=600).get("Messages", [])
            empty = 0 if messages else empty + 1
            found |= {message["MessageId"]: message["Body"] for message in messages}
    return found


def test_a_backup_under_load_holds_what_was_acknowledged(fresh, tmp_path):
    print(f"BULLA_SEED={SEED}")
    server = fresh()
    keys = server.root
    sqs, kms = server.client("sqs"), server.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    names = [f"q{n}" for n in range(QUEUES)]
    queues = [sqs.create_queue(QueueName=name, Attributes={"KmsMasterKeyId": key} if n else {})["QueueUrl"]
              for n, name in enumerate(names)]
    ledger, stop = Ledger(), threading.Event()
    workers = [threading.Thread(target=work, args=(server, queues[n % QUEUES], ledger, stop, n))
               for n in range(WORKERS)]
    for worker in workers:
        worker.start()
    backups = []
    try:
        for n in range(BACKUPS):
            time.sleep(LOAD_SECONDS)
            sent, deleted = ledger.snapshot()
            to = tmp_path / f"backup-{n}"
            status, told = command("backup", "--data", str(server.data), "--to", str(to), "--output", "json")
            assert status == 0, told
            assert json.loads(told)["damaged"] == [] and json.loads(told)["files"] > 2
            # What a delete was sent for until the backup had ended may or may not be in it.
            backups.append((to, sent, deleted, ledger.settled()))
    finally:
        stop.set()
        for worker in workers:
            worker.join(60)
    assert backups[-1][1], "there was a load"
    # Leases are restored as well: what was received and not deleted is hidden until its time is over; here none is,
    # as every received message had its delete begun.
    for n, (folder, sent, deleted, maybe_deleted) in enumerate(backups):
        restored = fresh(folder=tmp_path / f"restored-{n}", start=False)
        restored.folder.mkdir()
        (restored.folder / "keys").mkdir(mode=0o700)
        restored.root_key.write_bytes(server.root_key.read_bytes())
        restored.root_key.chmod(0o600)
        # Beside the original, which goes on: a copy of the keyring.
        shutil.copytree(server.keyring, restored.keyring)
        status, told = command("restore", "--from", str(folder), "--data", str(restored.data))
        assert status == 0, told
        restored.start()
        assert restored.root is None, "a restored server knows its principals"
        found = drain(restored, keys, names)
        must = set(sent) - maybe_deleted
        assert not must - set(found), f"{len(must - set(found))} messages are missing from backup {n}"
        assert not deleted & set(found), f"{len(deleted & set(found))} deleted messages are in backup {n}"
        assert all(ledger.sent.get(id, body) == body for id, body in found.items())
        restored.stop()


def test_a_backup_of_a_stopped_server_is_the_same(fresh, tmp_path):
    server = fresh()
    sqs = server.client("sqs")
    queue = sqs.create_queue(QueueName="q")["QueueUrl"]
    sent = sqs.send_message(QueueUrl=queue, MessageBody="still here")["MessageId"]
    server.stop()
    status, told = command("backup", "--data", str(server.data), "--to", str(tmp_path / "backup"))
    assert status == 0 and "root key is not in it" in told
    server.data.rename(server.folder / "lost")
    status, told = command("restore", "--from", str(tmp_path / "backup"), "--data", str(server.data))
    assert status == 0, told
    keys = server.root
    server.start()
    assert drain(server, keys, ["q"]) == {sent: "still here"}


def test_a_backup_tells_nothing_without_the_root_key(fresh, tmp_path):
    server = fresh()
    sqs = server.client("sqs")
    queue = sqs.create_queue(QueueName="q")["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody="PLAINTEXT-BODY")
    to = tmp_path / "backup"
    assert command("backup", "--data", str(server.data), "--to", str(to))[0] == 0
    for plain in (b"PLAINTEXT-BODY", server.root.secret.encode(), b"PRIVATE KEY", server.root_key.read_bytes().strip()):
        assert bulla.traces(to, plain) == [], plain


def test_a_changed_backup_is_not_restored(fresh, tmp_path):
    server = fresh()
    to = tmp_path / "backup"
    assert command("backup", "--data", str(server.data), "--to", str(to))[0] == 0
    directory = to / "directory.sqlite"
    content = bytearray(directory.read_bytes())
    content[len(content) // 2] ^= 1
    directory.write_bytes(content)
    status, told = command("restore", "--from", str(to), "--data", str(tmp_path / "data"))
    assert status == 1 and "damaged" in told and "directory.sqlite" in told
    assert not (tmp_path / "data").exists()
