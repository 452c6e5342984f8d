"""Why a call was denied: to whom it is told, by the command, by STS and in the message."""

import json

import pytest

from bulla import allow, deny, error, run, user


@pytest.fixture
def denied(server, admin, queue, name):
    """Makes a user with these statements be denied a send; answers its credentials and the error."""

    def attempt(*statements, account=None):
        credentials = user(server, account or admin, name("user"), *statements)
        return credentials, error(server.client("sqs", credentials).send_message, QueueUrl=queue, MessageBody="x").response

    return attempt


def request_id(found):
    return found["ResponseMetadata"]["RequestId"]


def explain(server, *arguments):
    return run("explain", "--data", str(server.data), *arguments)


def decode(server, credentials, message):
    sts = server.client("sts", credentials)
    return json.loads(sts.decode_authorization_message(EncodedMessage=message)["DecodedMessage"])


def test_the_operator_is_told_the_statement_and_the_condition_that_decided(server, denied):
    statement = deny("sqs:SendMessage") | {"Sid": "OnlyTls", "Condition": {"StringEquals": {"aws:PrincipalType": "User"}}}
    _, found = denied(allow("*"), statement)
    code, told = explain(server, request_id(found))
    assert code == 0, told
    assert request_id(found) in told and "DENY (explicit)" in told
    assert "OnlyTls" in told and "aws:PrincipalType" in told


def test_the_last_denial_needs_no_id(server, denied):
    _, found = denied()
    code, told = explain(server, "--last", "--output", "json")
    told = json.loads(told)
    assert (code, told["id"], told["service"], told["operation"]) == (0, request_id(found), "sqs", "SendMessage")
    assert told["reasons"]["decision"] == "implicit_deny" and "sqs:SendMessage" in told["reasons"]["hint"]


def test_a_call_that_was_not_denied_has_no_reasons(server, sqs, queue):
    answer = sqs.send_message(QueueUrl=queue, MessageBody="x")
    code, told = explain(server, request_id(answer))
    assert code == 1 and "no such denial is known" in told


def test_what_is_no_id_is_refused(server):
    code, told = explain(server, "nonsense")
    assert code == 2 and "this is no id of a call" in told


def test_a_user_who_may_decode_is_told_the_decision_and_reads_the_same_reasons(server, denied):
    credentials, found = denied(allow("sts:DecodeAuthorizationMessage"))
    assert found["Error"]["Message"].endswith(f" Decision id: {request_id(found)}.")
    _, told = explain(server, request_id(found), "--output", "json")
    assert decode(server, credentials, request_id(found)) == json.loads(told)["reasons"]


def test_a_user_who_may_not_decode_is_told_what_aws_tells(server, denied):
    credentials, found = denied()
    assert "Decision id" not in found["Error"]["Message"]
    refused = error(decode, server, credentials, request_id(found)).response
    assert refused["Error"]["Code"] == "AccessDenied"


def test_a_caller_of_another_account_is_told_what_aws_tells(server, dev_account, denied):
    credentials, found = denied(allow("*"), account=dev_account[1])
    assert found["Error"]["Code"] == "AccessDenied" and "Decision id" not in found["Error"]["Message"]
    refused = error(decode, server, credentials, request_id(found)).response
    assert refused["Error"]["Code"] == "InvalidAuthorizationMessageException"


def test_the_owner_does_not_learn_the_policies_of_a_caller_of_another_account(server, dev_account, admin, denied):
    _, found = denied(allow("sqs:*") | {"Sid": "OfTheCaller"}, account=dev_account[1])
    decoded = decode(server, admin, request_id(found))
    assert {layer["layer"] for layer in decoded["layers"]} <= {"resource", "resource_control"}
    assert "OfTheCaller" not in json.dumps(decoded)
    assert "OfTheCaller" in explain(server, request_id(found))[1]
