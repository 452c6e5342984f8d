"""Kills the server under load, many times, and checks what it had acknowledged.

Several threads send, receive and delete, alone and in batches, on queues under the service's key and under a KMS key,
while another makes keys, queues and policies and purges. At a random moment the process is killed; it is started again on the same
folder, at times killed once more before it is ready, and then holds:

- a message whose send was acknowledged is there, unless a delete of it was sent;
- a message whose delete was acknowledged never comes back, nor does one that a purge was acknowledged for; some deletes
  are sent twice at once, as clients do that try again;
- a body is the body that was sent: it carries its own checksum;
- every key, queue and policy that was acknowledged is there;
- no byte of the data folder tells a body, an attribute or a secret.

`BULLA_SEED` replays the random choices (the moment at which the kernel kills is not among them), `BULLA_ROUNDS` sets
the number of kills.
"""

import hashlib
import json
import os
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import botocore.exceptions

from bulla import Keys, Server, allow, policy, traces, user

ROUNDS = int(os.environ.get("BULLA_ROUNDS", "50"))
SEED = int(os.environ.get("BULLA_SEED", str(int.from_bytes(os.urandom(4)))))
LOAD_SECONDS_MIN, LOAD_SECONDS_MAX = 0.05, 0.6
START_KILL_SHARE, START_KILL_SECONDS_MAX = 0.3, 0.1
VERIFY_EVERY_ROUNDS = 10
VERIFY_SECONDS_MAX = 60
WORKERS = 4
MARKER = "PLAINTEXT-MARKER"
BROKEN = (botocore.exceptions.HTTPClientError, botocore.exceptions.ConnectionError)


class Ledger:
    """What the server has acknowledged, and what it may or may not have done when it was killed."""

    def __init__(self):
        self.lock = threading.Lock()
        self.sent: dict[str, str] = {}  # id → queue
        self.deleted: set[str] = set()
        self.maybe_deleted: set[str] = set()
        self.keys: dict[str, bytes] = {}  # key id → a ciphertext under it
        self.policies: dict[str, str] = {}  # queue name → its policy
        self.faults: list[str] = []
        self.received = 0

    def check(self, message: dict) -> None:
        """Called with every message that any receive returns."""
        digest, _, rest = message["Body"].partition(" ")
        with self.lock:
            self.received += 1
            if hashlib.sha256(rest.encode()).hexdigest() != digest:
                self.faults.append(f"the body of {message['MessageId']} is corrupt")
            if message["MessageId"] in self.deleted:
                self.faults.append(f"{message['MessageId']} was deleted and came back")


def body(chance: random.Random) -> str:
    rest = f"{MARKER} " + "x" * chance.choice([0, 10, 1000, 5000]) + str(chance.random())
    return hashlib.sha256(rest.encode()).hexdigest() + " " + rest


ATTRIBUTES = {"kind": {"DataType": "String", "StringValue": f"{MARKER}-ATTRIBUTE"}}


def work(server: Server, keys: Keys, queue: str, ledger: Ledger, seed: str) -> None:
    """Sends, receives and deletes until the server is gone."""
    chance = random.Random(seed)
    sqs = server.client("sqs", keys, http=chance.random() < 0.5, read_timeout=10, max_pool_connections=4)
    try:
        while True:
            if chance.random() < 0.5:
                answer = sqs.send_message(QueueUrl=queue, MessageBody=body(chance), MessageAttributes=ATTRIBUTES)
                sent = [answer["MessageId"]]
            else:
                entries = [{"Id": str(n), "MessageBody": body(chance)} for n in range(10)]
                sent = [entry["MessageId"] for entry in sqs.send_message_batch(QueueUrl=queue, Entries=entries)["Successful"]]
            with ledger.lock:
                ledger.sent |= dict.fromkeys(sent, queue)
            if chance.random() < 0.7:
                take(sqs, queue, ledger, chance.choice([delete_in_a_batch, delete_one_by_one, delete_twice_at_once]))
    except BROKEN:
        pass
    except Exception as fault:  # A thread's failure must reach the test.
        with ledger.lock:
            ledger.faults.append(f"{type(fault).__name__}: {fault}")


def take(sqs, queue: str, ledger: Ledger, delete, wait: int = 0) -> list[str]:
    """Receives and deletes; what the server does not acknowledge is noted as perhaps deleted."""
    messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=2, WaitTimeSeconds=wait).get("Messages", [])
    for message in messages:
        ledger.check(message)
    ids = [message["MessageId"] for message in messages]
    with ledger.lock:
        ledger.maybe_deleted |= set(ids)
    if messages:
        delete(sqs, queue, ledger, messages)
    return ids


def delete_in_a_batch(sqs, queue: str, ledger: Ledger, messages: list[dict]) -> None:
    entries = [{"Id": str(n), "ReceiptHandle": message["ReceiptHandle"]} for n, message in enumerate(messages)]
    done = sqs.delete_message_batch(QueueUrl=queue, Entries=entries)["Successful"]
    with ledger.lock:
        ledger.deleted |= {messages[int(entry["Id"])]["MessageId"] for entry in done}


def delete_one_by_one(sqs, queue: str, ledger: Ledger, messages: list[dict]) -> None:
    for message in messages:
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        with ledger.lock:
            ledger.deleted.add(message["MessageId"])


def delete_twice_at_once(sqs, queue: str, ledger: Ledger, messages: list[dict]) -> None:
    """Either answer is a promise, also that of the one that came second."""
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(delete_one_by_one, sqs, queue, ledger, messages) for _ in range(2)]:
            done.result()


def govern(server: Server, keys: Keys, ledger: Ledger, round_: int) -> None:
    """Makes keys, queues and policies, and purges, until the server is gone."""
    sqs, kms = server.client("sqs", keys, read_timeout=10), server.client("kms", keys, read_timeout=10)
    try:
        for n in range(1000):
            made = kms.create_key()["KeyMetadata"]["KeyId"]
            blob = kms.encrypt(KeyId=made, Plaintext=made.encode())["CiphertextBlob"]
            name = f"governed-{round_}-{n}"
            document = policy({"Sid": name, "Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"})
            queue = sqs.create_queue(QueueName=name, Attributes={"KmsMasterKeyId": made})["QueueUrl"]
            sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": document})
            sqs.send_message(QueueUrl=queue, MessageBody=MARKER)
            sqs.purge_queue(QueueUrl=queue)
            with ledger.lock:
                ledger.keys[made] = blob
                ledger.policies[name] = document
    except BROKEN:
        pass
    except Exception as fault:
        with ledger.lock:
            ledger.faults.append(f"{type(fault).__name__}: {fault}")


def load(server: Server, keys: Keys, queues: list[str], ledger: Ledger, round_: int, chance: random.Random) -> None:
    threads = [
        threading.Thread(target=work, args=(server, keys, queues[n % len(queues)], ledger, f"{SEED}-{round_}-{n}"))
        for n in range(WORKERS)
    ]
    threads.append(threading.Thread(target=govern, args=(server, keys, ledger, round_)))
    for thread in threads:
        thread.start()
    killed = threading.Timer(chance.uniform(LOAD_SECONDS_MIN, LOAD_SECONDS_MAX), server.kill)
    killed.start()
    killed.join()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive(), "a client did not notice that the server is gone"


def drain(sqs, queue: str, ledger: Ledger) -> set[str]:
    """Takes all messages of a queue and returns their ids."""
    seen: set[str] = set()
    deadline, empty = time.monotonic() + VERIFY_SECONDS_MAX, 0
    # What an earlier receive hid may take its visibility timeout to show up again.
    while empty < 2 and time.monotonic() < deadline:
        found = take(sqs, queue, ledger, delete_in_a_batch, wait=2)
        seen |= set(found)
        empty = 0 if found else empty + 1
    return seen


def verify(server: Server, keys: Keys, queues: list[str], ledger: Ledger) -> None:
    """Drains the queues: every acknowledged message that nobody may have deleted must come."""
    sqs, kms = server.client("sqs", keys), server.client("kms", keys)
    with ThreadPoolExecutor(len(queues)) as pool:
        seen = set().union(*pool.map(lambda queue: drain(server.client("sqs", keys), queue, ledger), queues))
    due = set(ledger.sent) - (ledger.maybe_deleted - seen)
    lost = due - seen
    assert not lost, f"{len(lost)} acknowledged messages are lost, such as {sorted(lost)[:3]}"
    ledger.sent.clear()
    for made, blob in ledger.keys.items():
        assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == made.encode()
    for name, document in ledger.policies.items():
        queue = sqs.get_queue_url(QueueName=name)["QueueUrl"]
        found = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["Policy"])["Attributes"]["Policy"]
        assert json.loads(found) == json.loads(document)
        assert "Messages" not in sqs.receive_message(QueueUrl=queue), "a purge was undone"
        sqs.delete_queue(QueueUrl=queue)
    ledger.keys.clear()
    ledger.policies.clear()


def test_nothing_acknowledged_is_lost_when_the_server_is_killed(fresh):
    print(f"\nBULLA_SEED={SEED} BULLA_ROUNDS={ROUNDS}", flush=True)
    chance = random.Random(SEED)
    server = fresh()
    secrets = [server.root.secret]
    keys = user(server, server.root, "loader", allow("*"))
    secrets.append(keys.secret)
    sqs, kms = server.client("sqs", keys), server.client("kms", keys)
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    encryption = [{}, {"KmsMasterKeyId": key}]
    queues = [sqs.create_queue(QueueName=f"q{n}", Attributes=encryption[n % 2])["QueueUrl"] for n in range(WORKERS)]
    paths = [queue.split("/", 3)[3] for queue in queues]
    ledger = Ledger()
    total = 0
    for round_ in range(ROUNDS):
        before = len(ledger.sent)
        load(server, keys, queues, ledger, round_, chance)
        total += len(ledger.sent) - before
        assert not ledger.faults, ledger.faults[:5]
        if chance.random() < START_KILL_SHARE:
            server.launch()
            time.sleep(chance.uniform(0, START_KILL_SECONDS_MAX))
            server.kill()
        server.start()
        queues = [f"{server.https}/{path}" for path in paths]  # The port is another one each time.
        if (round_ + 1) % VERIFY_EVERY_ROUNDS == 0 or round_ + 1 == ROUNDS:
            verify(server, keys, queues, ledger)
            assert not ledger.faults, ledger.faults[:5]
            print(f"round {round_ + 1}: {total} sent, {ledger.received} received, {len(ledger.deleted)} deleted", flush=True)
    assert total >= ROUNDS and len(ledger.deleted) >= ROUNDS, "too little load to prove anything"
    assert server.stop() == 0
    for plain in [MARKER, *secrets]:
        assert traces(server.data, plain.encode()) == [], plain
