"""Managed policies, groups, permissions boundaries and control policies, as real clients use them."""

import json

import pytest

from bulla import allow, deny, error, error_code, new_account, policy, user


@pytest.fixture
def ann(server, admin, name):
    """A user without permissions: the name, and an SQS client."""
    wanted = name("user")
    return wanted, server.client("sqs", user(server, admin, wanted))


def attached(iam, name, *statements):
    return iam.create_policy(PolicyName=name("policy"), PolicyDocument=policy(*statements))["Policy"]["Arn"]


def test_an_attached_policy_binds_the_next_call(iam, ann, queue, name):
    wanted, client = ann
    arn = attached(iam, name, allow("sqs:SendMessage"))
    assert error_code(client.send_message, QueueUrl=queue, MessageBody="x") == "AccessDenied"
    iam.attach_user_policy(UserName=wanted, PolicyArn=arn)
    client.send_message(QueueUrl=queue, MessageBody="x")
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=policy(deny("sqs:*")), SetAsDefault=True)
    assert error_code(client.send_message, QueueUrl=queue, MessageBody="x") == "AccessDenied"
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v1")
    client.send_message(QueueUrl=queue, MessageBody="x")
    iam.detach_user_policy(UserName=wanted, PolicyArn=arn)
    assert error_code(client.send_message, QueueUrl=queue, MessageBody="x") == "AccessDenied"


def test_a_policy_is_read_back_with_its_versions(iam, name):
    arn = attached(iam, name, allow("sqs:*"))
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=policy(allow("sns:*")))
    found = iam.get_policy(PolicyArn=arn)["Policy"]
    assert (found["DefaultVersionId"], found["AttachmentCount"], found["IsAttachable"]) == ("v1", 0, True)
    versions = iam.list_policy_versions(PolicyArn=arn)["Versions"]
    assert [(version["VersionId"], version["IsDefaultVersion"]) for version in versions] == [("v2", False), ("v1", True)]
    document = iam.get_policy_version(PolicyArn=arn, VersionId="v2")["PolicyVersion"]["Document"]
    assert document["Statement"][0]["Action"] == "sns:*"
    assert error_code(iam.delete_policy, PolicyArn=arn) == "DeleteConflict"
    iam.delete_policy_version(PolicyArn=arn, VersionId="v2")
    iam.delete_policy(PolicyArn=arn)
    assert error_code(iam.get_policy, PolicyArn=arn) == "NoSuchEntity"


def test_policies_of_aws_are_there(iam, ann, queue):
    wanted, client = ann
    iam.attach_user_policy(UserName=wanted, PolicyArn="arn:aws:iam::aws:policy/AmazonSQSReadOnlyAccess")
    client.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])
    assert error_code(client.send_message, QueueUrl=queue, MessageBody="x") == "AccessDenied"
    names = [found["PolicyName"] for page in iam.get_paginator("list_policies").paginate(Scope="AWS") for found in page["Policies"]]
    assert "AWSLambdaSQSQueueExecutionRole" in names


def test_what_a_group_has_its_users_have(iam, ann, queue, name):
    wanted, client = ann
    group = name("group")
    iam.create_group(GroupName=group)
    iam.put_group_policy(GroupName=group, PolicyName="p", PolicyDocument=policy(allow("sqs:SendMessage")))
    iam.add_user_to_group(GroupName=group, UserName=wanted)
    client.send_message(QueueUrl=queue, MessageBody="x")
    assert [found["UserName"] for found in iam.get_group(GroupName=group)["Users"]] == [wanted]
    iam.remove_user_from_group(GroupName=group, UserName=wanted)
    assert error_code(client.send_message, QueueUrl=queue, MessageBody="x") == "AccessDenied"


def test_a_boundary_is_the_most_that_a_user_may_do(server, admin, iam, queue, name):
    wanted = name("user")
    client = server.client("sqs", user(server, admin, wanted, allow("sqs:*")))
    client.send_message(QueueUrl=queue, MessageBody="x")
    iam.put_user_permissions_boundary(UserName=wanted, PermissionsBoundary="arn:aws:iam::aws:policy/IAMReadOnlyAccess")
    message = error(client.send_message, QueueUrl=queue, MessageBody="x").response["Error"]["Message"]
    assert "permissions boundary" in message
    iam.delete_user_permissions_boundary(UserName=wanted)
    client.send_message(QueueUrl=queue, MessageBody="x")


def test_a_service_control_policy_forbids_what_is_not_encrypted(server, admin, organization, name):
    organizations = server.client("organizations", admin)
    account, session = new_account(server, admin, name("account"))
    if not organizations.list_roots()["Roots"][0]["PolicyTypes"]:
        organizations.enable_policy_type(RootId=organization["root"], PolicyType="SERVICE_CONTROL_POLICY")
    content = policy(deny("sqs:*", Sid="OnlyEncrypted", Condition={"Bool": {"aws:SecureTransport": "false"}}))
    made = organizations.create_policy(
        Content=content, Description="", Name=name("policy"), Type="SERVICE_CONTROL_POLICY")["Policy"]["PolicySummary"]
    plain = server.client("sqs", session, http=True)
    plain.list_queues()
    organizations.attach_policy(PolicyId=made["Id"], TargetId=account)
    message = error(plain.list_queues).response["Error"]["Message"]
    assert "with an explicit deny in a service control policy" in message
    server.client("sqs", session).list_queues()
    assert json.loads(organizations.describe_policy(PolicyId=made["Id"])["Policy"]["Content"]) == json.loads(content)
    organizations.detach_policy(PolicyId=made["Id"], TargetId=account)
    plain.list_queues()


def test_a_tag_at_creation_needs_the_permission_to_tag(server, admin, name):
    client = server.client("iam", user(server, admin, name("user"), allow("iam:*"), deny("iam:TagRole")))
    trust = policy({"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"})
    client.create_role(RoleName=name("role"), AssumeRolePolicyDocument=trust)
    tagged = {"AssumeRolePolicyDocument": trust, "Tags": [{"Key": "team", "Value": "payroll"}]}
    assert error_code(client.create_role, RoleName=name("role"), **tagged) == "AccessDenied"
