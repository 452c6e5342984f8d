"""Celery's SQS transport: a worker takes tasks from a queue that Celery made itself."""

import os
import signal
import subprocess
import sys
import time
import urllib.parse

import pytest

import bulla

SECONDS_MAX = 60

APP = '''
import os
from celery import Celery

app = Celery("tasks", broker=os.environ["BROKER"])
app.conf.update(
    task_default_queue=os.environ["QUEUE"],
    broker_connection_retry_on_startup=True,
    broker_transport_options={
        "region": "us-east-1", "is_secure": False, "wait_time_seconds": 2, "polling_interval": 0.1, "visibility_timeout": 30},
    worker_enable_remote_control=False,
    task_ignore_result=True,
    task_acks_late=True,
)

@app.task
def write(text):
    with open(os.environ["RESULTS"], "a") as results:
        results.write(text + "\\n")

@app.task(bind=True, max_retries=2)
def fail_once(self, text):
    if self.request.retries == 0:
        raise self.retry(countdown=1)
    write(text)
'''


@pytest.fixture
def environment(server, admin, name, tmp_path):
    (tmp_path / "tasks.py").write_text(APP)
    keys = bulla.user(server, server.root, name("celery"), bulla.allow("sqs:*"))
    host = server.http.removeprefix("http://")
    secret = urllib.parse.quote(keys.secret, safe="")
    found = server.client_environment(keys, http=True)
    # The transport makes an endpoint of the broker's address; the variable would reach only a part of its calls.
    del found["AWS_ENDPOINT_URL"]
    return found | {"BROKER": f"sqs://{keys.id}:{secret}@{host}//", "QUEUE": name("celery"), "RESULTS": str(tmp_path / "results")}


def results(environment):
    try:
        with open(environment["RESULTS"]) as found:
            return sorted(found.read().split())
    except FileNotFoundError:
        return []


def test_a_worker_does_what_was_sent_and_what_is_retried(environment, sqs, tmp_path):
    command = [sys.executable, "-m", "celery", "-A", "tasks", "worker", "--pool", "solo", "--loglevel", "INFO"]
    with open(tmp_path / "worker.log", "wb") as log:
        worker = subprocess.Popen(command, env=environment, cwd=tmp_path, stdout=log, stderr=subprocess.STDOUT)
    try:
        script = "from tasks import *\nfor n in range(5): write.delay(f'w{n}')\nfail_once.delay('retried')\n"
        subprocess.run([sys.executable, "-c", script], env=environment, cwd=tmp_path, check=True, timeout=SECONDS_MAX)
        wanted = ["retried", "w0", "w1", "w2", "w3", "w4"]
        deadline = time.monotonic() + SECONDS_MAX
        while results(environment) != wanted and time.monotonic() < deadline and worker.poll() is None:
            time.sleep(0.2)
        assert results(environment) == wanted, (tmp_path / "worker.log").read_text()
    finally:
        worker.send_signal(signal.SIGTERM)
        try:
            worker.wait(timeout=SECONDS_MAX)
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()
    # What was done is deleted, or is still being acknowledged by a worker that was told to stop: then it is in flight.
    queue = sqs.get_queue_url(QueueName=environment["QUEUE"])["QueueUrl"]
    found = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["ApproximateNumberOfMessages"])
    assert found["Attributes"] == {"ApproximateNumberOfMessages": "0"}
    assert os.path.exists(environment["RESULTS"])
