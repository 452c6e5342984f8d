"""Servers and principals that tests share."""

import itertools

import pytest

import bulla


@pytest.fixture(scope="session")
def server():
    """One server for all tests that do not change what others rely on."""
    running = bulla.Server().start()
    yield running
    running.stop()
    running.remove()


@pytest.fixture
def fresh():
    """Makes servers that belong to one test; they are stopped at its end."""
    made = []

    def make(*arguments, start=True, **rest) -> bulla.Server:
        made.append(bulla.Server(*arguments, **rest))
        return made[-1].start() if start else made[-1]

    yield make
    for server in made:
        if server.process and server.process.poll() is None:
            server.kill()
        server.remove()


@pytest.fixture(scope="session")
def admin(server):
    """An administrator of the management account. Not its root, which may not assume roles."""
    return bulla.user(server, server.root, "admin", bulla.allow("*"))


@pytest.fixture(scope="session")
def sqs(server, admin):
    return server.client("sqs", admin)


@pytest.fixture(scope="session")
def kms(server, admin):
    return server.client("kms", admin)


@pytest.fixture(scope="session")
def iam(server, admin):
    return server.client("iam", admin)


@pytest.fixture(scope="session")
def account(server, admin):
    """The management account's id."""
    return server.client("sts", admin).get_caller_identity()["Account"]


@pytest.fixture(scope="session")
def name():
    """Makes names that no other test uses."""
    numbers = itertools.count(1)
    return lambda kind: f"{kind}-{next(numbers)}"


@pytest.fixture
def queue(sqs, name):
    """The URL of a new queue with default attributes."""
    return sqs.create_queue(QueueName=name("queue"))["QueueUrl"]


@pytest.fixture(scope="session")
def organization(server, admin):
    """An organization with the units Dev and Prod: ids by name, and path prefixes as aws:PrincipalOrgPaths has them."""
    client = server.client("organizations", admin)
    described = client.describe_organization()["Organization"]["Id"]
    root = client.list_roots()["Roots"][0]["Id"]
    units = {
        unit: client.create_organizational_unit(ParentId=root, Name=unit)["OrganizationalUnit"]["Id"]
        for unit in ("Dev", "Prod")
    }
    paths = {unit: f"{described}/{root}/{units[unit]}/" for unit in units}
    return {"id": described, "root": root, "paths": paths, **units}


@pytest.fixture(scope="session")
def dev_account(server, admin, organization):
    """A member account in Dev: its id and an administrator's session."""
    return bulla.new_account(server, admin, "dev", organization["Dev"])


@pytest.fixture(scope="session")
def prod_account(server, admin, organization):
    return bulla.new_account(server, admin, "prod", organization["Prod"])
