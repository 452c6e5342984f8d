"""Starts the server binary as an operator would, and makes clients for it.

Nothing here knows the inside of the server: it reads what the server prints and talks to its port.
"""

import base64
import hashlib
import json
import os
import queue
import re
import shutil
import signal
import struct
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

import botocore.session
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

REGION = "us-east-1"
START_SECONDS_MAX = 30
STOP_SECONDS_MAX = 20
READY = re.compile(r"bulla is ready on (https://\S+) and (http://\S+)")
WAITS = re.compile(r"bulla waits for its root key on (https://\S+) and (http://\S+)")
EXPORT = re.compile(r"export (AWS_\w+)=(\S+)")
PROJECT = Path(__file__).resolve().parents[3]

_session = botocore.session.Session()


def binary() -> Path:
    """The server to test: `BULLA_BIN`, else what cargo built last without options."""
    named = os.environ.get("BULLA_BIN")
    found = Path(named) if named else PROJECT / "target" / "debug" / "bulla"
    if not found.exists():
        raise FileNotFoundError(f"`{found}` does not exist: `cargo build -p bulla-server` makes it")
    return found


def clean_environment() -> dict[str, str]:
    """The caller's environment without settings of AWS clients or of the server."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "BULLA_"))}


@dataclass(frozen=True)
class Keys:
    """An access key and, of a role session, its token."""

    id: str
    secret: str
    token: str | None = None

    def environment(self) -> dict[str, str]:
        found = {"AWS_ACCESS_KEY_ID": self.id, "AWS_SECRET_ACCESS_KEY": self.secret}
        return found | ({"AWS_SESSION_TOKEN": self.token} if self.token else {})

    def botocore(self) -> Credentials:
        return Credentials(self.id, self.secret, self.token)


class Server:
    """A server process with a data folder and a root key of its own."""

    def __init__(self, *arguments: str, folder: Path | None = None, environment: dict[str, str] | None = None):
        self.folder = folder or Path(tempfile.mkdtemp(prefix="bulla-test-"))
        self.owns_folder = folder is None
        self.arguments = arguments
        self.environment = environment or {}
        self.root: Keys | None = None
        self.root_settings: list[str] | None = None
        self.ca: Path | None = None
        self.https = ""
        self.http = ""
        self.output: list[str] = []
        self.process: subprocess.Popen | None = None
        self.lines: queue.Queue[str | None] = queue.Queue()

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def root_key(self) -> Path:
        return self.folder / "keys" / "root.key"

    @property
    def keyring(self) -> Path:
        return self.folder / "keys" / "keyring"

    def command(self) -> list[str]:
        command = [str(binary()), "serve", "--listen", "127.0.0.1:0", *self.arguments]
        if "--ephemeral" not in self.arguments:
            self.root_key.parent.mkdir(mode=0o700, exist_ok=True)
            command += ["--data", str(self.data), *self.root_arguments()]
            if "--keyring" not in self.arguments:
                command += ["--keyring", str(self.keyring)]
        return command

    def root_arguments(self) -> list[str]:
        """The settings of the root key: a file, unless a test chose another."""
        return self.root_settings if self.root_settings is not None else ["--root-key-file", str(self.root_key)]

    def launch(self) -> None:
        """Starts the process and does not wait for it."""
        self.log = open(self.folder / "server.log", "ab")
        self.process = subprocess.Popen(
            self.command(),
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
            env=clean_environment() | self.environment,
            cwd=self.folder,
        )

    def start(self, until: re.Pattern = READY) -> "Server":
        """Starts the server and waits until it says that it is ready, or something else."""
        self.launch()
        self.lines = queue.Queue()
        threading.Thread(target=self._read, args=(self.process.stdout, self.lines), daemon=True).start()
        self.read_until(until)
        return self

    def read_until(self, until: re.Pattern = READY) -> None:
        """Reads what the server says until it says this."""
        deadline = time.monotonic() + START_SECONDS_MAX
        found: dict[str, str] = {}
        while True:
            try:
                line = self.lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                self.kill()
                raise TimeoutError(f"not ready within {START_SECONDS_MAX} s:\n{self.report()}") from None
            if line is None:
                raise RuntimeError(f"the server ended with status {self.process.wait()}:\n{self.report()}")
            if export := EXPORT.search(line):
                found[export[1]] = export[2].strip("'\"")
            if said := until.search(line):
                self.https, self.http = said[1].rstrip("/"), said[2].rstrip("/")
                break
        if "AWS_ACCESS_KEY_ID" in found and "AWS_SECRET_ACCESS_KEY" in found:
            self.root = Keys(found["AWS_ACCESS_KEY_ID"], found["AWS_SECRET_ACCESS_KEY"])
        if "AWS_CA_BUNDLE" in found:
            self.ca = Path(found["AWS_CA_BUNDLE"])
        elif self.ca is None:
            # Without a data folder the authority is in memory, and can be asked for.
            self.ca = self.folder / "ca.pem"
            self.ca.write_bytes(http(self.http + "/_bulla/ca.pem", method="GET").body)

    def _read(self, stream, lines: queue.Queue) -> None:
        for line in stream:
            self.output.append(line)
            lines.put(line)
        lines.put(None)

    def report(self) -> str:
        self.log.flush()
        logged = (self.folder / "server.log").read_text(errors="replace")
        return "".join(self.output[-40:]) + logged[-4000:]

    def kill(self) -> None:
        """As the kernel's out-of-memory killer would do it: no warning, no chance to write."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.log.close()

    def stop(self) -> int:
        """Asks to end, as a service manager does, and returns the exit status."""
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(timeout=STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.kill()
            raise TimeoutError(f"the server did not stop within {STOP_SECONDS_MAX} s:\n{self.report()}") from None
        self.log.close()
        return status

    def remove(self) -> None:
        if self.owns_folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    def client(self, service: str, keys: Keys | None = None, *, http: bool = False, region: str = REGION, url: str = "",
               **config):
        """A botocore client that verifies the server's certificate, does not retry, and has its own connections."""
        keys = keys or self.root
        return _session.create_client(
            service,
            region_name=region,
            endpoint_url=url or (self.http if http else self.https),
            verify=str(self.ca) if self.ca else None,
            aws_access_key_id=keys.id,
            aws_secret_access_key=keys.secret,
            aws_session_token=keys.token,
            config=Config(**({"retries": {"total_max_attempts": 1}, "connect_timeout": 5, "read_timeout": 40} | config)),
        )

    def client_environment(self, keys: Keys | None = None, *, http: bool = False) -> dict[str, str]:
        """What to export before an AWS client is run as a program."""
        found = clean_environment() | (keys or self.root).environment()
        found |= {"AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION}
        found |= {"AWS_ENDPOINT_URL": self.http if http else self.https, "AWS_EC2_METADATA_DISABLED": "true"}
        found |= {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_PAGER": ""}
        return found | ({"AWS_CA_BUNDLE": str(self.ca)} if self.ca else {})


def run(*arguments: str, environment: dict[str, str] | None = None, given: str = "") -> tuple[int, str]:
    """Runs a command of the binary to its end: its status, and what it said."""
    done = subprocess.run([str(binary()), *arguments], capture_output=True, text=True, timeout=60, input=given,
                          env=clean_environment() | (environment or {}))
    return done.returncode, done.stdout + done.stderr


@dataclass
class Answer:
    """An HTTP answer, read to the end."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self):
        return json.loads(self.body)

    def xml(self) -> ElementTree.Element:
        """The document with the namespaces taken off its names."""
        root = ElementTree.fromstring(self.body)
        for element in root.iter():
            element.tag = element.tag.rpartition("}")[2]
        return root


def http(url: str, *, method: str = "POST", headers: dict[str, str] | None = None, body: bytes = b"", ca=None) -> Answer:
    """One request as given: unsigned unless the headers carry a signature, and an error status is an answer too."""
    import ssl

    context = ssl.create_default_context(cafile=str(ca)) if url.startswith("https") else None
    request = urllib.request.Request(url, data=body or None, headers=headers or {}, method=method)
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), *([urllib.request.HTTPSHandler(context=context)] if context else [])
    )
    try:
        with opener.open(request, timeout=40) as answer:
            return Answer(answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read())
    except urllib.error.HTTPError as answer:
        return Answer(answer.code, {k.lower(): v for k, v in answer.headers.items()}, answer.read())


def signed(server: Server, service: str, *, keys: Keys | None = None, path: str = "/", headers=None, body=b"",
           region: str = REGION, tls: bool = False, method: str = "POST", change=None) -> Answer:
    """One request signed by botocore; `change` may alter the signed headers before they are sent."""
    url = (server.https if tls else server.http) + path
    request = AWSRequest(method=method, url=url, data=body, headers=dict(headers or {}))
    SigV4Auth((keys or server.root).botocore(), service, region).add_auth(request)
    sent = {name: value for name, value in request.headers.items()}
    if change:
        change(sent)
    return http(url, method=method, headers=sent, body=body if isinstance(body, bytes) else body.encode(), ca=server.ca)


def query(server: Server, service: str, action: str, version: str, parameters: dict[str, str] | None = None, **rest) -> Answer:
    """A call in the AWS Query protocol."""
    body = urllib.parse.urlencode({"Action": action, "Version": version} | (parameters or {})).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    return signed(server, service, headers=headers, body=body, **rest)


def sqs_query(server: Server, action: str, parameters: dict[str, str] | None = None, **rest) -> Answer:
    return query(server, "sqs", action, "2012-11-05", parameters, **rest)


def sqs_json(server: Server, action: str, body, **rest) -> Answer:
    """A call in the AWS JSON 1.0 protocol; `body` is a value or raw bytes."""
    headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": f"AmazonSQS.{action}"}
    return signed(server, "sqs", headers=headers, body=body if isinstance(body, bytes) else json.dumps(body).encode(), **rest)


def error_code(call, *arguments, **parameters) -> str:
    """The code of the error that the call must end with."""
    return error(call, *arguments, **parameters).response["Error"]["Code"]


def error(call, *arguments, **parameters) -> ClientError:
    try:
        answer = call(*arguments, **parameters)
    except ClientError as found:
        return found
    raise AssertionError(f"an error was expected, the call answered {answer}")


def policy(*statements: dict) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action, resource="*", **rest) -> dict:
    return {"Effect": "Allow", "Action": action, "Resource": resource} | rest


def deny(action, resource="*", **rest) -> dict:
    return {"Effect": "Deny", "Action": action, "Resource": resource} | rest


def user(server: Server, account: Keys, name: str, *statements: dict, path: str = "/", tags: dict[str, str] | None = None) -> Keys:
    """A new IAM user of the account of these keys, with one inline policy."""
    iam = server.client("iam", account)
    iam.create_user(UserName=name, Path=path, Tags=[{"Key": k, "Value": v} for k, v in (tags or {}).items()])
    if statements:
        iam.put_user_policy(UserName=name, PolicyName="inline", PolicyDocument=policy(*statements))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return Keys(key["AccessKeyId"], key["SecretAccessKey"])


def assume(server: Server, keys: Keys, role: str, session: str = "test", **rest) -> Keys:
    """A session of the role with this ARN."""
    found = server.client("sts", keys).assume_role(RoleArn=role, RoleSessionName=session, **rest)["Credentials"]
    return Keys(found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"])


def new_account(server: Server, admin: Keys, name: str, parent: str | None = None) -> tuple[str, Keys]:
    """A new member account: its id and an administrator's session in it."""
    organizations = server.client("organizations", admin)
    status = organizations.create_account(AccountName=name, Email=f"{name}@example.com")["CreateAccountStatus"]
    deadline = time.monotonic() + START_SECONDS_MAX
    while status["State"] == "IN_PROGRESS" and time.monotonic() < deadline:
        status = organizations.describe_create_account_status(CreateAccountRequestId=status["Id"])["CreateAccountStatus"]
    assert status["State"] == "SUCCEEDED", status
    account = status["AccountId"]
    if parent:
        root = organizations.list_roots()["Roots"][0]["Id"]
        organizations.move_account(AccountId=account, SourceParentId=root, DestinationParentId=parent)
    return account, assume(server, admin, f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole", name)


def attributes_md5(attributes: dict[str, dict]) -> str:
    """MD5 of message attributes as the SQS Developer Guide defines it."""

    def sized(value: bytes) -> bytes:
        return struct.pack(">I", len(value)) + value

    encoded = b""
    for name in sorted(attributes):
        attribute = attributes[name]
        encoded += sized(name.encode()) + sized(attribute["DataType"].encode())
        if attribute["DataType"].startswith("Binary"):
            encoded += b"\x02" + sized(attribute["BinaryValue"])
        else:
            encoded += b"\x01" + sized(attribute["StringValue"].encode())
    return hashlib.md5(encoded).hexdigest()


def traces(folder: Path, plain: bytes) -> list[str]:
    """Files under the folder that contain the bytes: as they are, in hex, or in Base64 at any of its three offsets."""
    wanted = {plain, plain.hex().encode(), plain.hex().upper().encode()}
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + plain)
        # The first and last characters depend on the neighbours, so they are left out.
        wanted.add(encoded[4 if offset else 0 : len(encoded) // 4 * 4 - 4])
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            found += [str(path) for form in wanted if form in content]
    return found
