"""Who may speak at all: signatures in headers and presigned, clocks, tokens, and the errors AWS gives."""

import datetime
import urllib.parse

import pytest
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest

from bulla import Keys, REGION, assume, error, error_code, http, policy, signed, sqs_json, sqs_query

LIST = {"headers": {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "AmazonSQS.ListQueues"}, "body": b"{}"}


def code(answer):
    """The error's name in whichever protocol it came; SQS has both in JSON."""
    if answer.body.lstrip().startswith(b"<"):
        return answer.xml().find(".//Code").text
    return answer.json()["__type"].rpartition("#")[2]


def test_a_wrong_secret_is_a_signature_that_does_not_match(server, admin):
    wrong = Keys(admin.id, admin.secret[:-1] + ("a" if admin.secret[-1] != "a" else "b"))
    for service, call in (("sqs", "list_queues"), ("kms", "list_keys"), ("sts", "get_caller_identity"), ("iam", "list_users")):
        found = error(getattr(server.client(service, wrong), call)).response
        assert found["Error"]["Code"] in ("SignatureDoesNotMatch", "InvalidSignatureException"), service
        assert found["ResponseMetadata"]["HTTPStatusCode"] in (400, 403)
    assert error_code(server.client("sts", wrong).get_caller_identity) == "SignatureDoesNotMatch"
    assert error_code(server.client("kms", wrong).list_keys) == "InvalidSignatureException"


def test_an_unknown_access_key_is_an_invalid_client_token_id(server, admin):
    unknown = Keys("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    assert error_code(server.client("sts", unknown).get_caller_identity) == "InvalidClientTokenId"
    assert error_code(server.client("sqs", unknown).list_queues) == "InvalidClientTokenId"
    assert error_code(server.client("kms", unknown).list_keys) == "UnrecognizedClientException"


def test_a_changed_body_does_not_match_its_signature(server, admin):
    answer = signed(server, "sts", keys=admin, body="Action=GetCallerIdentity&Version=2011-06-15",
                    headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert answer.status == 200
    changed = {"headers": dict(LIST["headers"])}
    altered = signed(server, "sqs", keys=admin, headers=changed["headers"], body=b"{}",
                     change=lambda headers: headers.update({"X-Amz-Target": "AmazonSQS.CreateQueue"}))
    assert altered.status == 403 or altered.status == 400
    assert code(altered) in ("SignatureDoesNotMatch", "InvalidSignatureException")


def test_a_request_without_a_signature_is_missing_its_authentication_token(server):
    body = b"Action=ListQueues&Version=2012-11-05"
    answer = http(server.http + "/", body=body, headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert (answer.status, code(answer)) == (403, "MissingAuthenticationToken")
    answer = http(server.http + "/", **LIST)
    assert answer.status in (400, 403)
    assert code(answer) in ("MissingAuthenticationToken", "MissingAuthenticationTokenException")


@pytest.mark.parametrize("authorization", ["AWS4-HMAC-SHA256 Credential=x", "AWS4-HMAC-SHA256", "Basic dXNlcjpwYXNz",
                                           "AWS4-HMAC-SHA256 Credential=a/b/c, SignedHeaders=host, Signature=00"])
def test_half_a_signature_is_an_incomplete_signature(server, authorization):
    body = b"Action=ListQueues&Version=2012-11-05"
    answer = http(server.http + "/", body=body, headers={
        "Content-Type": "application/x-www-form-urlencoded", "Authorization": authorization})
    assert answer.status in (400, 403)
    assert code(answer) in ("IncompleteSignature", "MissingAuthenticationToken")


@pytest.mark.parametrize("minutes", [-20, 20])
def test_a_clock_that_is_off_by_more_than_15_minutes_is_refused(server, admin, monkeypatch, minutes):
    import botocore.auth

    skewed = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=minutes)
    patched = "get_current_datetime" if hasattr(botocore.auth, "get_current_datetime") else None
    assert patched, "botocore changed how it reads the clock"
    monkeypatch.setattr(botocore.auth, patched, lambda *_, **__: skewed.replace(tzinfo=None))
    answer = sqs_query(server, "ListQueues", keys=admin)
    assert answer.status == 403
    assert code(answer) in ("SignatureDoesNotMatch", "RequestExpired", "InvalidSignatureException")


def presigned(server, keys, expires, parameters=None, service="sqs"):
    query = urllib.parse.urlencode({"Action": "ListQueues", "Version": "2012-11-05"} | (parameters or {}))
    request = AWSRequest(method="GET", url=f"{server.http}/?{query}")
    SigV4QueryAuth(keys.botocore(), service, REGION, expires=expires).add_auth(request)
    return request.url


def test_a_presigned_url_is_good_for_its_time(server, admin):
    url = presigned(server, admin, 60)
    assert http(url, method="GET").status == 200
    assert http(url.replace("X-Amz-Expires=60", "X-Amz-Expires=3600"), method="GET").status == 403
    assert http(url.replace("ListQueues", "CreateQueue"), method="GET").status == 403


def test_a_presigned_url_may_not_ask_for_more_than_a_week(server, admin):
    answer = http(presigned(server, admin, 604_801), method="GET")
    assert answer.status in (400, 403)


def test_a_session_needs_its_token(server, admin, account, iam, name):
    role = name("role")
    trust = policy({"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "sts:AssumeRole"})
    arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    iam.put_role_policy(RoleName=role, PolicyName="p", PolicyDocument=policy({"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}))
    session = assume(server, admin, arn)
    assert sqs_json(server, "ListQueues", {}, keys=session).status == 200
    for token in (None, "FwoGZXIvYXdzENot-a-token", session.token[:-4] + "AAAA"):
        answer = sqs_json(server, "ListQueues", {}, keys=Keys(session.id, session.secret, token))
        assert answer.status in (400, 403), token
        assert code(answer) in ("InvalidClientTokenId", "UnrecognizedClientException", "InvalidSecurity", "ExpiredToken")


def test_the_scope_must_name_the_service_that_is_called(server, admin):
    answer = signed(server, "kms", keys=admin, **LIST)
    assert answer.status in (400, 403)
    assert code(answer) in ("SignatureDoesNotMatch", "InvalidSignatureException", "CredentialScopeMismatch")


def test_an_inactive_access_key_is_refused(server, admin, iam, name):
    user = name("user")
    iam.create_user(UserName=user)
    made = iam.create_access_key(UserName=user)["AccessKey"]
    keys = Keys(made["AccessKeyId"], made["SecretAccessKey"])
    sts = server.client("sts", keys)
    assert sts.get_caller_identity()["Arn"].endswith(f":user/{user}")
    iam.update_access_key(UserName=user, AccessKeyId=keys.id, Status="Inactive")
    assert error_code(sts.get_caller_identity) == "InvalidClientTokenId"
    iam.update_access_key(UserName=user, AccessKeyId=keys.id, Status="Active")
    assert sts.get_caller_identity()["Account"]
    iam.delete_access_key(UserName=user, AccessKeyId=keys.id)
    assert error_code(sts.get_caller_identity) == "InvalidClientTokenId"


def test_the_health_path_needs_no_signature(server):
    answer = http(server.http + "/_bulla/health", method="GET")
    assert answer.status == 200


def test_reset_does_not_exist_outside_open_mode(server):
    assert http(server.http + "/_bulla/reset").status in (403, 404, 405)


def test_one_port_speaks_tls_and_plain_http(server):
    assert server.https.rpartition(":")[2] == server.http.rpartition(":")[2]
    assert http(server.https + "/_bulla/health", method="GET", ca=server.ca).status == 200
