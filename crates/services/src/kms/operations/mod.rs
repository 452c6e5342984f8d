//! One file per operation. What AWS has beyond the table answers `UnsupportedOperationException`.

mod cancel_key_deletion;
mod create_alias;
mod create_grant;
mod create_key;
mod decrypt;
mod delete_alias;
mod delete_imported_key_material;
mod derive_shared_secret;
mod describe_key;
mod disable_key;
mod disable_key_rotation;
mod enable_key;
mod enable_key_rotation;
mod encrypt;
mod generate_data_key;
mod generate_data_key_pair;
mod generate_data_key_pair_without_plaintext;
mod generate_data_key_without_plaintext;
mod generate_mac;
mod generate_random;
mod get_key_policy;
mod get_key_rotation_status;
mod get_parameters_for_import;
mod get_public_key;
mod import_key_material;
mod list_aliases;
mod list_grants;
mod list_key_policies;
mod list_key_rotations;
mod list_keys;
mod list_resource_tags;
mod list_retirable_grants;
mod probe_decrypt;
mod put_key_policy;
mod re_encrypt;
mod replicate_key;
mod retire_grant;
mod revoke_grant;
mod rotate_key_on_demand;
mod schedule_key_deletion;
mod sign;
mod tag_resource;
mod untag_resource;
mod update_alias;
mod update_key_description;
mod update_primary_region;
mod verify;
mod verify_mac;

use bulla_gate::Endpoint;

pub use decrypt::{Decrypt, DecryptInput, DecryptOutput};
pub use generate_data_key::{GenerateDataKey, GenerateDataKeyInput, GenerateDataKeyOutput};
pub use probe_decrypt::{ProbeDecrypt, ProbeDecryptInput, ProbeDecryptOutput};

/// What AWS has and Bulla has not built.
pub(super) const NOT_BUILT: &[&str] = &[
    // Custom key stores: keys live in the server itself.
    "ConnectCustomKeyStore",
    "CreateCustomKeyStore",
    "DeleteCustomKeyStore",
    "DescribeCustomKeyStores",
    "DisconnectCustomKeyStore",
    "UpdateCustomKeyStore",
    // ML-KEM.
    "Decapsulate",
    "Encapsulate",
    // When a key was last used is not recorded.
    "GetKeyLastUsage",
];

/// Everything that KMS answers to.
pub const OPERATIONS: &[Endpoint] = &[
    Endpoint::of::<cancel_key_deletion::CancelKeyDeletion>(),
    Endpoint::of::<create_alias::CreateAlias>(),
    Endpoint::of::<create_grant::CreateGrant>(),
    Endpoint::of::<create_key::CreateKey>(),
    Endpoint::of::<Decrypt>(),
    Endpoint::of::<delete_alias::DeleteAlias>(),
    Endpoint::of::<delete_imported_key_material::DeleteImportedKeyMaterial>(),
    Endpoint::of::<derive_shared_secret::DeriveSharedSecret>(),
    Endpoint::of::<describe_key::DescribeKey>(),
    Endpoint::of::<disable_key::DisableKey>(),
    Endpoint::of::<disable_key_rotation::DisableKeyRotation>(),
    Endpoint::of::<enable_key::EnableKey>(),
    Endpoint::of::<enable_key_rotation::EnableKeyRotation>(),
    Endpoint::of::<encrypt::Encrypt>(),
    Endpoint::of::<GenerateDataKey>(),
    Endpoint::of::<generate_data_key_pair::GenerateDataKeyPair>(),
    Endpoint::of::<generate_data_key_pair_without_plaintext::GenerateDataKeyPairWithoutPlaintext>(),
    Endpoint::of::<generate_data_key_without_plaintext::GenerateDataKeyWithoutPlaintext>(),
    Endpoint::of::<generate_mac::GenerateMac>(),
    Endpoint::of::<generate_random::GenerateRandom>(),
    Endpoint::of::<get_key_policy::GetKeyPolicy>(),
    Endpoint::of::<get_key_rotation_status::GetKeyRotationStatus>(),
    Endpoint::of::<get_parameters_for_import::GetParametersForImport>(),
    Endpoint::of::<get_public_key::GetPublicKey>(),
    Endpoint::of::<import_key_material::ImportKeyMaterial>(),
    Endpoint::of::<list_aliases::ListAliases>(),
    Endpoint::of::<list_grants::ListGrants>(),
    Endpoint::of::<list_key_policies::ListKeyPolicies>(),
    Endpoint::of::<list_key_rotations::ListKeyRotations>(),
    Endpoint::of::<list_keys::ListKeys>(),
    Endpoint::of::<list_resource_tags::ListResourceTags>(),
    Endpoint::of::<list_retirable_grants::ListRetirableGrants>(),
    Endpoint::of::<put_key_policy::PutKeyPolicy>(),
    Endpoint::of::<re_encrypt::ReEncrypt>(),
    Endpoint::of::<replicate_key::ReplicateKey>(),
    Endpoint::of::<retire_grant::RetireGrant>(),
    Endpoint::of::<revoke_grant::RevokeGrant>(),
    Endpoint::of::<rotate_key_on_demand::RotateKeyOnDemand>(),
    Endpoint::of::<schedule_key_deletion::ScheduleKeyDeletion>(),
    Endpoint::of::<sign::Sign>(),
    Endpoint::of::<tag_resource::TagResource>(),
    Endpoint::of::<untag_resource::UntagResource>(),
    Endpoint::of::<update_alias::UpdateAlias>(),
    Endpoint::of::<update_key_description::UpdateKeyDescription>(),
    Endpoint::of::<update_primary_region::UpdatePrimaryRegion>(),
    Endpoint::of::<verify::Verify>(),
    Endpoint::of::<verify_mac::VerifyMac>(),
];
