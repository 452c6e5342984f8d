"""Who may do what: identity and queue policies, of one account and across accounts, and where context comes from."""

import json

import pytest

from bulla import Keys, allow, deny, error, error_code, http, new_account, policy, signed, user


def arn(sqs, queue):
    return sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def share(sqs, queue, *statements):
    """Stores a queue policy; statements without a resource get the queue's ARN."""
    filled = [{"Resource": arn(sqs, queue)} | statement for statement in statements]
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy(*filled)})


def entry(effect, principal, action="sqs:SendMessage", **rest):
    return {"Effect": effect, "Principal": principal, "Action": action} | rest


@pytest.fixture
def sender(server, admin, name):
    """Makes clients of new users of the management account with the given statements."""
    return lambda *statements, **rest: server.client("sqs", user(server, admin, name("user"), *statements, **rest))


@pytest.fixture
def guest(server, dev_account, name):
    """Makes clients of new users of the account in Dev with the given statements."""
    return lambda *statements, **rest: server.client("sqs", user(server, dev_account[1], name("user"), *statements, **rest))


def send(client, queue):
    return client.send_message(QueueUrl=queue, MessageBody="x")


def denied(client, queue):
    found = error(send, client, queue).response
    assert (found["Error"]["Code"], found["ResponseMetadata"]["HTTPStatusCode"]) == ("AccessDenied", 403)
    return found["Error"]["Message"]


def test_nothing_is_allowed_without_a_policy(sender, queue):
    message = denied(sender(), queue)
    assert "is not authorized to perform: sqs:sendmessage" in message.lower()
    assert "because no identity-based policy allows the sqs:sendmessage action" in message.lower()


def test_an_identity_policy_alone_suffices_within_the_account(sqs, sender, queue):
    send(sender(allow("sqs:SendMessage", arn(sqs, queue))), queue)
    denied(sender(allow("sqs:SendMessage", arn(sqs, queue) + "-other")), queue)
    denied(sender(allow("sqs:ReceiveMessage", arn(sqs, queue))), queue)
    send(sender(allow("sqs:Send*", arn(sqs, queue)[:-2] + "*")), queue)


def test_a_batch_needs_the_permission_of_the_single_call(sqs, sender, queue):
    entries = [{"Id": "a", "MessageBody": "x"}]
    assert sender(allow("sqs:SendMessage")).send_message_batch(QueueUrl=queue, Entries=entries)["Successful"]
    assert error_code(sender(allow("sqs:SendMessageBatch")).send_message_batch, QueueUrl=queue, Entries=entries) == "AccessDenied"


def test_a_queue_policy_alone_suffices_within_the_account(server, admin, sqs, queue, account, name):
    wanted = name("user")
    client = server.client("sqs", user(server, admin, wanted))
    denied(client, queue)
    share(sqs, queue, entry("Allow", {"AWS": f"arn:aws:iam::{account}:user/{wanted}"}))
    send(client, queue)


def federated(server, keys, **rest):
    """A client of somebody for whom the principal of these keys vouches."""
    made = server.client("sts", keys).get_federation_token(Name="bob", **rest)["Credentials"]
    return server.client("sqs", Keys(made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"]))


def test_a_federated_user_has_what_its_user_and_its_session_policy_allow(server, admin, queue):
    denied(federated(server, admin), queue)
    send(federated(server, admin, Policy=policy(allow("sqs:SendMessage"))), queue)
    denied(federated(server, admin, Policy=policy(allow("sqs:ReceiveMessage"))), queue)


def test_a_queue_policy_can_name_a_federated_user(server, admin, sqs, queue, account):
    client = federated(server, admin)
    share(sqs, queue, entry("Allow", {"AWS": f"arn:aws:sts::{account}:federated-user/eve"}))
    denied(client, queue)
    share(sqs, queue, entry("Allow", {"AWS": f"arn:aws:sts::{account}:federated-user/bob"}))
    send(client, queue)


def test_a_session_of_a_user_sends_as_the_user_and_cannot_call_iam(server, admin, queue):
    made = server.client("sts", admin).get_session_token()["Credentials"]
    keys = Keys(made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"])
    send(server.client("sqs", keys), queue)
    assert error_code(server.client("iam", keys).list_users) == "InvalidClientTokenId"


def test_naming_the_account_is_not_naming_its_users(sqs, sender, queue, account):
    share(sqs, queue, entry("Allow", {"AWS": account}))
    denied(sender(), queue)


def test_an_explicit_deny_anywhere_wins(sqs, sender, queue, account):
    message = denied(sender(allow("*"), deny("sqs:SendMessage")), queue)
    assert "with an explicit deny in an identity-based policy" in message
    client = sender(allow("*"))
    send(client, queue)
    share(sqs, queue, entry("Deny", "*"))
    assert "with an explicit deny in a resource-based policy" in denied(client, queue)


def test_across_accounts_both_sides_must_allow(sqs, guest, queue, dev_account):
    both, only_queue, only_identity = guest(allow("sqs:*")), guest(), guest(allow("sqs:*"))
    denied(only_identity, queue)
    share(sqs, queue, entry("Allow", {"AWS": f"arn:aws:iam::{dev_account[0]}:root"}))
    send(both, queue)
    denied(only_queue, queue)


def test_across_accounts_everyone_is_everyone_whose_own_account_allows(sqs, guest, queue):
    share(sqs, queue, entry("Allow", "*"))
    send(guest(allow("sqs:SendMessage")), queue)
    denied(guest(), queue)


def test_across_accounts_most_operations_are_not_to_be_had(sqs, guest, queue):
    share(sqs, queue, entry("Allow", "*", "sqs:*"))
    client = guest(allow("sqs:*"))
    send(client, queue)
    for call, parameters in ((client.delete_queue, {}), (client.tag_queue, {"Tags": {"a": "b"}}),
                             (client.set_queue_attributes, {"Attributes": {"DelaySeconds": "1"}})):
        assert error_code(call, QueueUrl=queue, **parameters) == "AccessDenied"


def test_organization_and_path_of_the_principal(server, sqs, queue, guest, prod_account, name, organization):
    prod = server.client("sqs", user(server, prod_account[1], name("user"), allow("sqs:*")))
    dev = guest(allow("sqs:*"))
    share(sqs, queue, entry("Allow", "*", Condition={"StringEquals": {"aws:PrincipalOrgID": organization["id"]}}))
    send(dev, queue)
    send(prod, queue)
    paths = {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": organization["paths"]["Dev"] + "*"}}
    share(sqs, queue, entry("Allow", "*", Condition=paths))
    send(dev, queue)
    denied(prod, queue)
    share(sqs, queue, entry("Allow", "*", Condition={"StringEquals": {"aws:PrincipalOrgID": "o-somebodyelse"}}))
    denied(dev, queue)


def test_moving_an_account_moves_its_permissions(server, admin, sqs, queue, organization, name):
    account, session = new_account(server, admin, name("mover"), organization["Dev"])
    client = server.client("sqs", user(server, session, name("user"), allow("sqs:*")))
    paths = {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": organization["paths"]["Dev"] + "*"}}
    share(sqs, queue, entry("Allow", "*", Condition=paths))
    send(client, queue)
    server.client("organizations", admin).move_account(
        AccountId=account, SourceParentId=organization["Dev"], DestinationParentId=organization["Prod"])
    denied(client, queue)


def test_principal_tags_decide(sqs, queue, guest):
    share(sqs, queue, entry("Allow", "*", Condition={"StringEquals": {"aws:PrincipalTag/team": "blue"}}))
    send(guest(allow("sqs:*"), tags={"team": "blue"}), queue)
    denied(guest(allow("sqs:*"), tags={"team": "red"}), queue)
    denied(guest(allow("sqs:*")), queue)


CONDITIONS = [
    ({"StringLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/writers/*"}}, True),
    ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/writers/*"}}, True),
    ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/readers/*"}}, False),
    ({"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/readers/*"}}, True),
    ({"StringEqualsIgnoreCase": {"aws:principaltag/Team": "BLUE"}}, True),
    ({"StringNotEquals": {"aws:PrincipalTag/team": "red"}}, True),
    ({"Null": {"aws:PrincipalTag/team": "false"}}, True),
    ({"Null": {"aws:PrincipalTag/absent": "true"}}, True),
    ({"Null": {"aws:PrincipalTag/team": "true"}}, False),
    ({"StringEquals": {"aws:PrincipalTag/absent": "x"}}, False),
    ({"StringEqualsIfExists": {"aws:PrincipalTag/absent": "x"}}, True),
    ({"StringEqualsIfExists": {"aws:PrincipalTag/team": "x"}}, False),
    ({"ForAllValues:StringEquals": {"aws:SourceArn": "x"}}, True),
    ({"ForAnyValue:StringEquals": {"aws:SourceArn": "x"}}, False),
    ({"Bool": {"aws:SecureTransport": "true"}}, True),
    ({"Bool": {"aws:SecureTransport": "false"}}, False),
    ({"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}, True),
    ({"NotIpAddress": {"aws:SourceIp": "127.0.0.1"}}, False),
    ({"StringEquals": {"aws:PrincipalTag/team": ["red", "blue"], "aws:PrincipalTag/tier": "1"}}, False),
    ({"StringEquals": {"aws:PrincipalTag/team": ["red", "blue"]}}, True),
]


@pytest.fixture(scope="module")
def writer(server, dev_account):
    return server.client("sqs", user(server, dev_account[1], "writer", allow("sqs:*"), path="/writers/", tags={"team": "blue"}))


@pytest.mark.parametrize(("condition", "allowed"), CONDITIONS, ids=[json.dumps(row[0]) for row in CONDITIONS])
def test_a_condition_holds_or_not(sqs, queue, writer, condition, allowed):
    share(sqs, queue, entry("Allow", "*", Condition=condition))
    send(writer, queue) if allowed else denied(writer, queue)


def test_the_forms_with_not(sqs, queue, writer, dev_account):
    share(sqs, queue, {"Effect": "Allow", "Principal": "*", "NotAction": "sqs:DeleteMessage"})
    send(writer, queue)
    share(sqs, queue, {"Effect": "Allow", "Principal": "*", "NotAction": "sqs:Send*"})
    denied(writer, queue)
    share(sqs, queue, entry("Allow", "*"), {"Effect": "Deny", "NotPrincipal": {"AWS": [
        f"arn:aws:iam::{dev_account[0]}:root", f"arn:aws:iam::{dev_account[0]}:user/writers/writer"]}, "Action": "sqs:SendMessage"})
    send(writer, queue)


def test_plain_http_is_not_secure_transport(server, admin, sqs, queue):
    share(sqs, queue, entry("Deny", "*", "sqs:*", Condition={"Bool": {"aws:SecureTransport": "false"}}))
    send(server.client("sqs", admin), queue)
    denied(server.client("sqs", admin, http=True), queue)


@pytest.mark.parametrize("header", [
    {"X-Forwarded-Proto": "https"}, {"X-Forwarded-For": "10.1.2.3"}, {"Forwarded": "for=10.1.2.3;proto=https"},
    {"X-Forwarded-Port": "443"}, {"X-Amz-Source-Vpce": "vpce-1"}, {"aws:SecureTransport": "true"}])
def test_nothing_a_client_sends_changes_transport_or_address(server, admin, sqs, queue, header):
    share(sqs, queue, entry("Deny", "*", Condition={"Bool": {"aws:SecureTransport": "false"}}),
          entry("Deny", "*", "sqs:ReceiveMessage", Condition={"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}))
    name, value = next(iter(header.items()))
    if ":" in name:
        name = "X-" + name.replace(":", "-")
    for target, body in (("SendMessage", {"QueueUrl": queue, "MessageBody": "x"}), ("ReceiveMessage", {"QueueUrl": queue})):
        answer = signed(server, "sqs", keys=admin, body=json.dumps(body).encode(), headers={
            "Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": f"AmazonSQS.{target}", name: value})
        assert answer.status == 403, (target, answer.body)


@pytest.mark.parametrize("document", [
    "{", "[]", "{}", '"text"',
    policy({"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*", "Colour": "red"}),
    policy({"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*",
            "Condition": {"StringResembles": {"aws:PrincipalOrgID": "o-x"}}}),
    policy({"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}),
    policy({"Effect": "Perhaps", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}),
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": "*",}]}',
    '{"Version": "2012-10-17", /* comment */ "Statement": []}',
], ids=range(10))
def test_a_queue_policy_that_is_not_understood_is_refused(sqs, queue, document):
    found = error(sqs.set_queue_attributes, QueueUrl=queue, Attributes={"Policy": document}).response
    assert (found["Error"]["Code"], found["ResponseMetadata"]["HTTPStatusCode"]) == ("InvalidAttributeValue", 400)
    assert "Policy" not in sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]


def test_a_queue_policy_with_too_many_statements_is_refused(sqs, queue):
    statements = [entry("Allow", "*", Sid=f"s{n}", Resource=arn(sqs, queue)) for n in range(21)]
    found = error_code(sqs.set_queue_attributes, QueueUrl=queue, Attributes={"Policy": policy(*statements)})
    assert found in ("InvalidAttributeValue", "OverLimit")


def test_a_queue_that_one_may_not_see_does_not_exist(server, dev_account, sqs, queue, account, name):
    client = server.client("sqs", user(server, dev_account[1], name("user"), allow("sqs:*")))
    found = error(client.get_queue_url, QueueName=queue.rsplit("/", 1)[1], QueueOwnerAWSAccountId=account).response["Error"]
    assert found["Code"] in ("AWS.SimpleQueueService.NonExistentQueue", "AccessDenied")
    absent = error(client.get_queue_url, QueueName="never-made", QueueOwnerAWSAccountId=account).response["Error"]
    assert absent["Code"] in (found["Code"], "AWS.SimpleQueueService.NonExistentQueue")


def test_a_denial_is_logged_with_the_policy_that_decided(server, sqs, queue, sender, account):
    share(sqs, queue, entry("Deny", "*", Sid="NobodySends"))
    denied(sender(allow("*")), queue)
    assert "NobodySends" in server.report()


def test_a_stored_policy_that_lets_everybody_in_by_a_set_operator_is_warned_of(server, sqs, queue):
    share(sqs, queue, entry("Allow", "*", Condition={"ForAllValues:StringEquals": {"aws:PrincipalOrgID": "o-abcdefghij"}}))
    [line] = [line for line in server.report().splitlines() if "FORALLVALUES_WITH_SINGLE_VALUED_KEY" in line and arn(sqs, queue) in line]
    assert "WARN" in line


def test_a_stored_role_policy_with_an_action_that_does_not_exist_is_warned_of(server, iam, name):
    role = name("role")
    iam.create_role(RoleName=role, AssumeRolePolicyDocument=policy({"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}))
    iam.put_role_policy(RoleName=role, PolicyName="p", PolicyDocument=policy(allow("sqs:NoSuchAction")))
    assert any("INVALID_ACTION" in line and role in line for line in server.report().splitlines())


def test_no_policy_stands_between_anyone_and_the_health_path(server):
    assert http(server.https + "/_bulla/health", method="GET", ca=server.ca).status == 200
