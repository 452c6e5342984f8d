"""IAM, STS and Organizations as far as principals need them."""

import json

import pytest

from bulla import Keys, allow, assume, error, error_code, new_account, policy, user


def trust(*arns):
    return policy({"Effect": "Allow", "Principal": {"AWS": list(arns)}, "Action": "sts:AssumeRole"})


def document(found):
    """botocore decodes the percent-encoding of policy documents; before that it is text."""
    return json.loads(found) if isinstance(found, str) else found


def test_the_root_user_is_the_account(server, account):
    found = server.client("sts").get_caller_identity()
    assert (found["Arn"], found["Account"], found["UserId"]) == (f"arn:aws:iam::{account}:root", account, account)


def test_a_user_is_made_read_listed_and_deleted(iam, account, name):
    wanted = name("user")
    made = iam.create_user(UserName=wanted, Path="/team/", Tags=[{"Key": "a", "Value": "1"}])["User"]
    assert made["Arn"] == f"arn:aws:iam::{account}:user/team/{wanted}"
    assert made["UserId"].startswith("AIDA")
    read = iam.get_user(UserName=wanted)["User"]
    assert (read["Arn"], read["Tags"]) == (made["Arn"], [{"Key": "a", "Value": "1"}])
    assert error_code(iam.create_user, UserName=wanted) == "EntityAlreadyExists"
    assert wanted in [found["UserName"] for found in iam.list_users(PathPrefix="/team/")["Users"]]
    iam.delete_user(UserName=wanted)
    found = error(iam.get_user, UserName=wanted).response
    assert (found["Error"]["Code"], found["ResponseMetadata"]["HTTPStatusCode"]) == ("NoSuchEntity", 404)


def test_a_user_with_keys_or_policies_cannot_be_deleted(iam, name):
    wanted = name("user")
    iam.create_user(UserName=wanted)
    iam.put_user_policy(UserName=wanted, PolicyName="p", PolicyDocument=policy(allow("sqs:*")))
    found = error(iam.delete_user, UserName=wanted).response
    assert (found["Error"]["Code"], found["ResponseMetadata"]["HTTPStatusCode"]) == ("DeleteConflict", 409)
    iam.delete_user_policy(UserName=wanted, PolicyName="p")
    key = iam.create_access_key(UserName=wanted)["AccessKey"]["AccessKeyId"]
    assert error_code(iam.delete_user, UserName=wanted) == "DeleteConflict"
    iam.delete_access_key(UserName=wanted, AccessKeyId=key)
    iam.delete_user(UserName=wanted)


def test_a_user_has_at_most_two_access_keys(iam, name):
    wanted = name("user")
    iam.create_user(UserName=wanted)
    made = [iam.create_access_key(UserName=wanted)["AccessKey"] for _ in range(2)]
    assert all(key["AccessKeyId"].startswith("AKIA") and len(key["AccessKeyId"]) == 20 for key in made)
    assert all(key["Status"] == "Active" and len(key["SecretAccessKey"]) == 40 for key in made)
    found = error(iam.create_access_key, UserName=wanted).response
    assert (found["Error"]["Code"], found["ResponseMetadata"]["HTTPStatusCode"]) == ("LimitExceeded", 409)
    listed = iam.list_access_keys(UserName=wanted)["AccessKeyMetadata"]
    assert {key["AccessKeyId"] for key in listed} == {key["AccessKeyId"] for key in made}
    assert all("SecretAccessKey" not in key for key in listed)


def test_a_key_tells_when_it_was_last_used(server, admin, iam, name):
    wanted = name("user")
    keys = user(server, admin, wanted)
    ask = lambda: iam.get_access_key_last_used(AccessKeyId=keys.id)
    assert ask()["AccessKeyLastUsed"] == {"ServiceName": "N/A", "Region": "N/A"}
    server.client("sts", keys).get_caller_identity()
    found = ask()
    assert (found["UserName"], found["AccessKeyLastUsed"]["ServiceName"]) == (wanted, "sts")
    assert "LastUsedDate" in found["AccessKeyLastUsed"]


def test_everything_of_an_account_is_told_in_pages(iam, name):
    wanted = name("user")
    iam.create_user(UserName=wanted)
    iam.put_user_policy(UserName=wanted, PolicyName="p", PolicyDocument=policy(allow("sqs:*")))
    pages = iam.get_paginator("get_account_authorization_details").paginate(Filter=["User"], PaginationConfig={"PageSize": 1})
    users = [found for page in pages for found in page["UserDetailList"]]
    [found] = [found for found in users if found["UserName"] == wanted]
    assert document(found["UserPolicyList"][0]["PolicyDocument"])["Statement"][0]["Action"] == "sqs:*"


def test_a_service_linked_role_is_made_guarded_and_deleted(iam):
    made = iam.create_service_linked_role(AWSServiceName="organizations.amazonaws.com")["Role"]
    assert made["Path"] == "/aws-service-role/organizations.amazonaws.com/"
    assert error_code(iam.delete_role, RoleName=made["RoleName"]) == "UnmodifiableEntity"
    task = iam.delete_service_linked_role(RoleName=made["RoleName"])["DeletionTaskId"]
    assert iam.get_service_linked_role_deletion_status(DeletionTaskId=task)["Status"] == "SUCCEEDED"


@pytest.mark.parametrize("kind", ["user", "role"])
def test_inline_policies_are_stored_listed_and_deleted(iam, account, name, kind):
    wanted = name(kind)
    key = {f"{kind.capitalize()}Name": wanted}
    if kind == "user":
        iam.create_user(UserName=wanted)
    else:
        iam.create_role(RoleName=wanted, AssumeRolePolicyDocument=trust(f"arn:aws:iam::{account}:root"))
    put, get, listing, delete = (getattr(iam, f"{verb}_{kind}_{noun}") for verb, noun in (
        ("put", "policy"), ("get", "policy"), ("list", "policies"), ("delete", "policy")))
    text = policy(allow("sqs:SendMessage", Sid="One"))
    put(**key, PolicyName="p", PolicyDocument=text)
    assert document(get(**key, PolicyName="p")["PolicyDocument"]) == json.loads(text)
    assert listing(**key)["PolicyNames"] == ["p"]
    delete(**key, PolicyName="p")
    assert listing(**key)["PolicyNames"] == []
    assert error_code(get, **key, PolicyName="p") == "NoSuchEntity"


@pytest.mark.parametrize("text", [
    "{", "[]", '"x"', "{}",
    '{"Version": "2012-10-18", "Statement": []}',
    policy({"Effect": "allow", "Action": "*", "Resource": "*"}),
    policy({"Effect": "Allow", "Action": "*"}),
    policy({"Effect": "Allow", "Action": "*", "NotAction": "*", "Resource": "*"}),
    policy({"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": "*"}),
    policy({"Effect": "Allow", "Action": "*", "Resource": "*", "Colour": "red"}),
    policy(allow("*", Condition={"StringResembles": {"aws:PrincipalAccount": "1"}})),
    policy(allow("*", Condition={"StringEquals": "aws:PrincipalAccount"})),
], ids=range(12))
def test_a_policy_that_is_not_understood_is_refused(iam, name, text):
    wanted = name("user")
    iam.create_user(UserName=wanted)
    found = error(iam.put_user_policy, UserName=wanted, PolicyName="p", PolicyDocument=text).response
    assert (found["Error"]["Code"], found["ResponseMetadata"]["HTTPStatusCode"]) == ("MalformedPolicyDocument", 400)
    assert iam.list_user_policies(UserName=wanted)["PolicyNames"] == []


@pytest.mark.parametrize("text", ["{", policy({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}),
                                  policy({"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole", "Resource": "*"})],
                         ids=["not json", "no principal", "a resource"])
def test_a_wrong_trust_policy_is_refused(iam, name, text):
    assert error_code(iam.create_role, RoleName=name("role"), AssumeRolePolicyDocument=text) == "MalformedPolicyDocument"


def test_a_trust_policy_must_name_principals_that_exist(iam, account, name):
    text = trust(f"arn:aws:iam::{account}:user/never-made")
    assert error_code(iam.create_role, RoleName=name("role"), AssumeRolePolicyDocument=text) == "MalformedPolicyDocument"


def test_tags_of_users_and_roles(iam, account, name):
    wanted = name("user")
    iam.create_user(UserName=wanted)
    iam.tag_user(UserName=wanted, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}])
    iam.untag_user(UserName=wanted, TagKeys=["a"])
    assert iam.list_user_tags(UserName=wanted)["Tags"] == [{"Key": "b", "Value": ""}]
    role = name("role")
    iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust(f"arn:aws:iam::{account}:root"))
    iam.tag_role(RoleName=role, Tags=[{"Key": "c", "Value": "2"}])
    assert iam.list_role_tags(RoleName=role)["Tags"] == [{"Key": "c", "Value": "2"}]
    iam.untag_role(RoleName=role, TagKeys=["c"])
    assert iam.list_role_tags(RoleName=role)["Tags"] == []


def test_a_role_is_assumed_and_is_somebody_else(server, admin, iam, account, name):
    role = name("role")
    made = iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust(f"arn:aws:iam::{account}:root"))["Role"]
    assert made["RoleId"].startswith("AROA") and made["Arn"] == f"arn:aws:iam::{account}:role/{role}"
    answer = server.client("sts", admin).assume_role(RoleArn=made["Arn"], RoleSessionName="me", DurationSeconds=900)
    assert answer["AssumedRoleUser"] == {
        "AssumedRoleId": f"{made['RoleId']}:me", "Arn": f"arn:aws:sts::{account}:assumed-role/{role}/me"}
    found = answer["Credentials"]
    assert found["AccessKeyId"].startswith("ASIA")
    session = Keys(found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"])
    caller = server.client("sts", session).get_caller_identity()
    assert (caller["Arn"], caller["UserId"]) == (answer["AssumedRoleUser"]["Arn"], answer["AssumedRoleUser"]["AssumedRoleId"])
    assert error_code(server.client("sqs", session).list_queues) == "AccessDenied"
    iam.put_role_policy(RoleName=role, PolicyName="p", PolicyDocument=policy(allow("sqs:ListQueues")))
    server.client("sqs", session).list_queues()


def test_a_role_that_does_not_trust_the_caller_is_refused(server, admin, iam, account, name):
    insider = user(server, admin, name("user"), allow("sts:AssumeRole"))
    other = name("user")
    user(server, admin, other)
    role = iam.create_role(RoleName=name("role"), AssumeRolePolicyDocument=trust(f"arn:aws:iam::{account}:user/{other}"))["Role"]["Arn"]
    found = error(server.client("sts", insider).assume_role, RoleArn=role, RoleSessionName="test").response
    assert (found["Error"]["Code"], found["ResponseMetadata"]["HTTPStatusCode"]) == ("AccessDenied", 403)


def test_the_root_user_may_not_assume_roles(server, iam, account, name):
    role = iam.create_role(RoleName=name("role"), AssumeRolePolicyDocument=trust(f"arn:aws:iam::{account}:root"))["Role"]["Arn"]
    assert error_code(server.client("sts").assume_role, RoleArn=role, RoleSessionName="test") == "AccessDenied"


def test_a_session_policy_can_only_narrow(server, admin, iam, account, name):
    role = name("role")
    arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust(f"arn:aws:iam::{account}:root"))["Role"]["Arn"]
    iam.put_role_policy(RoleName=role, PolicyName="p", PolicyDocument=policy(allow("sqs:*")))
    narrow = assume(server, admin, arn, Policy=policy(allow(["sqs:ListQueues", "kms:*"])))
    server.client("sqs", narrow).list_queues()
    assert error_code(server.client("sqs", narrow).create_queue, QueueName=name("queue")) == "AccessDenied"
    assert error_code(server.client("kms", narrow).list_keys) == "AccessDeniedException"


@pytest.mark.parametrize("parameters", [{"DurationSeconds": 899}, {"DurationSeconds": 43201}, {"RoleSessionName": "a b"},
                                        {"RoleSessionName": "x"}])
def test_assume_role_parameters_have_bounds(server, admin, iam, account, name, parameters):
    role = iam.create_role(RoleName=name("role"), AssumeRolePolicyDocument=trust(f"arn:aws:iam::{account}:root"))["Role"]["Arn"]
    call = server.client("sts", admin, parameter_validation=False).assume_role
    assert error_code(call, **({"RoleArn": role, "RoleSessionName": "me"} | parameters)) == "ValidationError"


def test_the_organization_is_there_from_the_first_start(server, admin, account):
    organizations = server.client("organizations", admin)
    found = organizations.describe_organization()["Organization"]
    assert found["Id"].startswith("o-") and found["MasterAccountId"] == account
    assert found["FeatureSet"] == "ALL"
    assert found["MasterAccountArn"] == f"arn:aws:organizations::{account}:account/{found['Id']}/{account}"
    assert error_code(organizations.create_organization, FeatureSet="ALL") == "AlreadyInOrganizationException"


def test_units_and_accounts_make_a_tree(server, admin, organization, dev_account):
    organizations = server.client("organizations", admin)
    assert organization["root"].startswith("r-")
    dev = organizations.describe_organizational_unit(OrganizationalUnitId=organization["Dev"])["OrganizationalUnit"]
    assert dev["Name"] == "Dev"
    assert dev["Id"].startswith("ou-" + organization["root"][2:] + "-")
    names = {unit["Name"] for unit in organizations.list_organizational_units_for_parent(ParentId=organization["root"])["OrganizationalUnits"]}
    assert {"Dev", "Prod"} <= names
    assert error_code(organizations.create_organizational_unit, ParentId=organization["root"], Name="Dev") == "DuplicateOrganizationalUnitException"
    account, _ = dev_account
    assert organizations.list_parents(ChildId=account)["Parents"] == [{"Id": organization["Dev"], "Type": "ORGANIZATIONAL_UNIT"}]
    assert account in [found["Id"] for found in organizations.list_accounts_for_parent(ParentId=organization["Dev"])["Accounts"]]
    children = organizations.list_children(ParentId=organization["Dev"], ChildType="ACCOUNT")["Children"]
    assert {"Id": account, "Type": "ACCOUNT"} in children
    described = organizations.describe_account(AccountId=account)["Account"]
    assert (described["Name"], described["Email"], described["Status"]) == ("dev", "dev@example.com", "ACTIVE")
    assert account in [found["Id"] for page in organizations.get_paginator("list_accounts").paginate() for found in page["Accounts"]]


def test_an_account_moves_between_units(server, admin, organization, name):
    organizations = server.client("organizations", admin)
    account, _ = new_account(server, admin, name("moved"), organization["Dev"])
    wrong = {"AccountId": account, "SourceParentId": organization["Prod"], "DestinationParentId": organization["Dev"]}
    assert error_code(organizations.move_account, **wrong) in ("AccountNotFoundException", "SourceParentNotFoundException")
    organizations.move_account(AccountId=account, SourceParentId=organization["Dev"], DestinationParentId=organization["Prod"])
    assert organizations.list_parents(ChildId=account)["Parents"][0]["Id"] == organization["Prod"]


def test_a_member_account_may_not_change_the_organization(server, dev_account, organization):
    _, session = dev_account
    organizations = server.client("organizations", session)
    assert organizations.describe_organization()["Organization"]["Id"] == organization["id"]
    found = error_code(organizations.create_organizational_unit, ParentId=organization["root"], Name="Mine")
    assert found == "AccessDeniedException"


def test_accounts_are_entered_by_their_access_role(server, dev_account):
    account, session = dev_account
    caller = server.client("sts", session).get_caller_identity()
    assert caller["Account"] == account
    assert caller["Arn"] == f"arn:aws:sts::{account}:assumed-role/OrganizationAccountAccessRole/dev"


def test_only_the_management_account_is_trusted_by_the_access_role(server, dev_account, prod_account):
    account, _ = dev_account
    _, outside = prod_account
    role = f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole"
    assert error_code(server.client("sts", outside).assume_role, RoleArn=role, RoleSessionName="test") == "AccessDenied"


def test_users_of_one_account_are_unknown_in_another(server, iam, dev_account, name):
    wanted = name("user")
    iam.create_user(UserName=wanted)
    _, session = dev_account
    assert error_code(server.client("iam", session).get_user, UserName=wanted) == "NoSuchEntity"
