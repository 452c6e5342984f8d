//! Condition keys: names resolved once, when a policy is parsed.
//!
//! The keys AWS documents are numbered by [`KnownKey`], so that a context answers with a `match` and no text is
//! compared per request. Any other well-formed name is accepted, as AWS does, and is simply absent from contexts
//! that do not know it. Key names are case-insensitive, including the tag key after `aws:PrincipalTag/`.

use std::fmt;

/// How many values a key can have in one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cardinality {
    /// At most one value: set operators are a trap.
    Single,
    /// Several values: needs `ForAllValues` or `ForAnyValue`.
    Many,
}

macro_rules! known_keys {
    ($($variant:ident $name:literal $cardinality:ident,)*) => {
        /// A condition key that AWS documents.
        ///
        /// A name that ends in `/` or `:` is a family: the rest of the key is [`ConditionKey::suffix`].
        /// Source: IAM User Guide, "AWS global condition context keys"; Service Authorization Reference.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum KnownKey {
            $(#[doc = concat!("`", $name, "`")] $variant,)*
            /// Any other key.
            Other,
        }

        impl KnownKey {
            const ALL: &'static [(Self, &'static str, Cardinality)] =
                &[$((Self::$variant, $name, Cardinality::$cardinality),)*];
        }
    };
}

known_keys! {
    AwsAssumedRoot "aws:AssumedRoot" Single,
    AwsCalledVia "aws:CalledVia" Many,
    AwsCalledViaFirst "aws:CalledViaFirst" Single,
    AwsCalledViaLast "aws:CalledViaLast" Single,
    AwsChatbotSourceArn "aws:ChatbotSourceArn" Single,
    AwsCurrentTime "aws:CurrentTime" Single,
    AwsEc2InstanceSourcePrivateIpv4 "aws:Ec2InstanceSourcePrivateIPv4" Single,
    AwsEc2InstanceSourceVpc "aws:Ec2InstanceSourceVpc" Single,
    AwsEpochTime "aws:EpochTime" Single,
    AwsFederatedProvider "aws:FederatedProvider" Single,
    AwsMultiFactorAuthAge "aws:MultiFactorAuthAge" Single,
    AwsMultiFactorAuthPresent "aws:MultiFactorAuthPresent" Single,
    AwsPrincipalAccount "aws:PrincipalAccount" Single,
    AwsPrincipalArn "aws:PrincipalArn" Single,
    AwsPrincipalIsAwsService "aws:PrincipalIsAWSService" Single,
    AwsPrincipalOrgId "aws:PrincipalOrgID" Single,
    AwsPrincipalOrgPaths "aws:PrincipalOrgPaths" Many,
    AwsPrincipalServiceName "aws:PrincipalServiceName" Single,
    AwsPrincipalServiceNamesList "aws:PrincipalServiceNamesList" Many,
    AwsPrincipalTag "aws:PrincipalTag/" Single,
    AwsPrincipalType "aws:PrincipalType" Single,
    AwsReferer "aws:referer" Single,
    AwsRequestTag "aws:RequestTag/" Single,
    AwsRequestedRegion "aws:RequestedRegion" Single,
    AwsResourceAccount "aws:ResourceAccount" Single,
    AwsResourceOrgId "aws:ResourceOrgID" Single,
    AwsResourceOrgPaths "aws:ResourceOrgPaths" Many,
    AwsResourceTag "aws:ResourceTag/" Single,
    AwsSecureTransport "aws:SecureTransport" Single,
    AwsSourceAccount "aws:SourceAccount" Single,
    AwsSourceArn "aws:SourceArn" Single,
    AwsSourceIdentity "aws:SourceIdentity" Single,
    AwsSourceIp "aws:SourceIp" Single,
    AwsSourceOrgId "aws:SourceOrgID" Single,
    AwsSourceOrgPaths "aws:SourceOrgPaths" Many,
    AwsSourceOwner "aws:SourceOwner" Single,
    AwsSourceVpc "aws:SourceVpc" Single,
    AwsSourceVpcArn "aws:SourceVpcArn" Single,
    AwsSourceVpce "aws:SourceVpce" Single,
    AwsTagKeys "aws:TagKeys" Many,
    AwsTokenIssueTime "aws:TokenIssueTime" Single,
    AwsUserAgent "aws:UserAgent" Single,
    AwsUserId "aws:userid" Single,
    AwsUsername "aws:username" Single,
    AwsViaAwsService "aws:ViaAWSService" Single,
    AwsVpcSourceIp "aws:VpcSourceIp" Single,
    AwsVpceAccount "aws:VpceAccount" Single,
    AwsVpceOrgId "aws:VpceOrgID" Single,
    AwsVpceOrgPaths "aws:VpceOrgPaths" Many,
    Ec2RoleDelivery "ec2:RoleDelivery" Single,
    Ec2SourceInstanceArn "ec2:SourceInstanceArn" Single,
    IamAssociatedResourceArn "iam:AssociatedResourceArn" Single,
    IamAwsServiceName "iam:AWSServiceName" Single,
    IamPassedToService "iam:PassedToService" Single,
    IamPermissionsBoundary "iam:PermissionsBoundary" Single,
    IamPolicyArn "iam:PolicyARN" Single,
    IamResourceTag "iam:ResourceTag/" Single,
    KmsBypassPolicyLockoutSafetyCheck "kms:BypassPolicyLockoutSafetyCheck" Single,
    KmsCallerAccount "kms:CallerAccount" Single,
    KmsDataKeyPairSpec "kms:DataKeyPairSpec" Single,
    KmsEncryptionAlgorithm "kms:EncryptionAlgorithm" Single,
    KmsEncryptionContext "kms:EncryptionContext:" Single,
    KmsEncryptionContextKeys "kms:EncryptionContextKeys" Many,
    KmsExpirationModel "kms:ExpirationModel" Single,
    KmsGrantConstraintType "kms:GrantConstraintType" Single,
    KmsGrantIsForAwsResource "kms:GrantIsForAWSResource" Single,
    KmsGrantOperations "kms:GrantOperations" Many,
    KmsGranteePrincipal "kms:GranteePrincipal" Single,
    KmsKeyAgreementAlgorithm "kms:KeyAgreementAlgorithm" Single,
    KmsKeyOrigin "kms:KeyOrigin" Single,
    KmsKeySpec "kms:KeySpec" Single,
    KmsKeyUsage "kms:KeyUsage" Single,
    KmsMacAlgorithm "kms:MacAlgorithm" Single,
    KmsMessageType "kms:MessageType" Single,
    KmsMultiRegion "kms:MultiRegion" Single,
    KmsMultiRegionKeyType "kms:MultiRegionKeyType" Single,
    KmsPrimaryRegion "kms:PrimaryRegion" Single,
    KmsReEncryptOnSameKey "kms:ReEncryptOnSameKey" Single,
    KmsReplicaRegion "kms:ReplicaRegion" Single,
    KmsRequestAlias "kms:RequestAlias" Single,
    KmsResourceAliases "kms:ResourceAliases" Many,
    KmsRetiringPrincipal "kms:RetiringPrincipal" Single,
    KmsRotationPeriodInDays "kms:RotationPeriodInDays" Single,
    KmsScheduleKeyDeletionPendingWindowInDays "kms:ScheduleKeyDeletionPendingWindowInDays" Single,
    KmsSigningAlgorithm "kms:SigningAlgorithm" Single,
    KmsValidTo "kms:ValidTo" Single,
    KmsViaService "kms:ViaService" Single,
    KmsWrappingAlgorithm "kms:WrappingAlgorithm" Single,
    KmsWrappingKeySpec "kms:WrappingKeySpec" Single,
    S3AccessGrantsInstanceArn "s3:AccessGrantsInstanceArn" Single,
    S3AccessPointNetworkOrigin "s3:AccessPointNetworkOrigin" Single,
    S3AccessPointTag "s3:AccessPointTag/" Single,
    S3AuthType "s3:authType" Single,
    S3BucketTag "s3:BucketTag/" Single,
    S3DataAccessPointAccount "s3:DataAccessPointAccount" Single,
    S3DataAccessPointArn "s3:DataAccessPointArn" Single,
    S3Delimiter "s3:delimiter" Single,
    S3ExistingObjectTag "s3:ExistingObjectTag/" Single,
    S3IfMatch "s3:if-match" Single,
    S3IfNoneMatch "s3:if-none-match" Single,
    S3InventoryAccessibleOptionalFields "s3:InventoryAccessibleOptionalFields" Many,
    S3LocationConstraint "s3:LocationConstraint" Single,
    S3MaxKeys "s3:max-keys" Single,
    S3ObjectCreationOperation "s3:ObjectCreationOperation" Single,
    S3ObjectLockRemainingRetentionDays "s3:object-lock-remaining-retention-days" Single,
    S3ObjectLockRetainUntilDate "s3:object-lock-retain-until-date" Single,
    S3ObjectLockMode "s3:object-lock-mode" Single,
    S3ObjectLockLegalHold "s3:object-lock-legal-hold" Single,
    S3Prefix "s3:prefix" Single,
    S3RequestObjectTag "s3:RequestObjectTag/" Single,
    S3RequestObjectTagKeys "s3:RequestObjectTagKeys" Many,
    S3ResourceAccount "s3:ResourceAccount" Single,
    S3SignatureAge "s3:signatureAge" Single,
    S3SignatureVersion "s3:signatureversion" Single,
    S3TlsVersion "s3:TlsVersion" Single,
    S3VersionId "s3:VersionId" Single,
    S3XAmzAcl "s3:x-amz-acl" Single,
    S3XAmzContentSha256 "s3:x-amz-content-sha256" Single,
    S3XAmzCopySource "s3:x-amz-copy-source" Single,
    S3XAmzGrantFullControl "s3:x-amz-grant-full-control" Single,
    S3XAmzGrantRead "s3:x-amz-grant-read" Single,
    S3XAmzGrantReadAcp "s3:x-amz-grant-read-acp" Single,
    S3XAmzGrantWrite "s3:x-amz-grant-write" Single,
    S3XAmzGrantWriteAcp "s3:x-amz-grant-write-acp" Single,
    S3XAmzMetadataDirective "s3:x-amz-metadata-directive" Single,
    S3XAmzObjectOwnership "s3:x-amz-object-ownership" Single,
    S3XAmzServerSideEncryptionCustomerAlgorithm "s3:x-amz-server-side-encryption-customer-algorithm" Single,
    S3XAmzServerSideEncryption "s3:x-amz-server-side-encryption" Single,
    S3XAmzServerSideEncryptionAwsKmsKeyId "s3:x-amz-server-side-encryption-aws-kms-key-id" Single,
    S3XAmzStorageClass "s3:x-amz-storage-class" Single,
    S3XAmzWebsiteRedirectLocation "s3:x-amz-website-redirect-location" Single,
    SnsEndpoint "sns:Endpoint" Single,
    SnsProtocol "sns:Protocol" Single,
    StsAwsServiceName "sts:AWSServiceName" Single,
    StsDurationSeconds "sts:DurationSeconds" Single,
    StsExternalId "sts:ExternalId" Single,
    StsRequestContextProviders "sts:RequestContextProviders" Many,
    StsRoleSessionName "sts:RoleSessionName" Single,
    StsSourceIdentity "sts:SourceIdentity" Single,
    StsTaskPolicyArn "sts:TaskPolicyArn" Single,
    StsTransitiveTagKeys "sts:TransitiveTagKeys" Many,
}

/// A condition key as a policy names it.
#[derive(Clone, PartialEq, Eq)]
pub struct ConditionKey {
    known: KnownKey,
    name: Box<str>,
    lower: Box<str>,
    suffix: Box<str>,
    cardinality: Option<Cardinality>,
}

/// Longer key names are refused: a tag key has 128 characters at most, an encryption context key some more.
const KEY_CHARACTERS_MAX: usize = 512;

impl ConditionKey {
    /// Reads a name such as `aws:SourceIp` or `aws:PrincipalTag/team`.
    ///
    /// `None` when it is not `prefix:name`, is too long or holds control characters.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let (prefix, rest) = name.split_once(':')?;
        let prefix_is_plain = !prefix.is_empty()
            && prefix
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'/'));
        let fits = name.chars().count() <= KEY_CHARACTERS_MAX && !name.chars().any(char::is_control);
        if !prefix_is_plain || rest.is_empty() || !fits {
            return None;
        }
        let (known, suffix, cardinality) = Self::resolve(name);
        if known != KnownKey::Other && suffix.is_empty() && name.ends_with(['/', ':']) {
            return None;
        }
        Some(Self {
            known,
            name: name.into(),
            lower: name.to_lowercase().into(),
            suffix: suffix.into(),
            cardinality,
        })
    }

    fn resolve(name: &str) -> (KnownKey, &str, Option<Cardinality>) {
        for (known, spelled, cardinality) in KnownKey::ALL {
            let (head, tail) = match name.get(..spelled.len()) {
                Some(head) => (head, name.get(spelled.len()..).unwrap_or_default()),
                None => continue,
            };
            let family = spelled.ends_with(['/', ':']);
            if head.eq_ignore_ascii_case(spelled) && (family || tail.is_empty()) {
                return (*known, tail, Some(*cardinality));
            }
        }
        (KnownKey::Other, "", None)
    }

    /// Which documented key this is.
    #[must_use]
    pub const fn known(&self) -> KnownKey {
        self.known
    }

    /// The name as the policy spells it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name in lower case: what to look up, since key names are case-insensitive.
    #[must_use]
    pub fn lower(&self) -> &str {
        &self.lower
    }

    /// The part after the family's name, as the policy spells it; empty for a key that is not of a family.
    #[must_use]
    pub fn suffix(&self) -> &str {
        &self.suffix
    }

    /// Whether the key can have several values; `None` for a key that is not documented.
    #[must_use]
    pub const fn cardinality(&self) -> Option<Cardinality> {
        self.cardinality
    }
}

impl fmt::Debug for ConditionKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ConditionKey({})", self.name)
    }
}

impl fmt::Display for ConditionKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.name)
    }
}
