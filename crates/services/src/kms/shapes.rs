//! Structures that several operations share.

use super::key::{Key, KeyState};
use super::words::{Word, words};
use bulla_envelope::SecretBytes;
use bulla_types::Timestamp;
use bulla_wire::{Blob, Kind, Malformed, Node, Shape, Value, Writer};

/// A plaintext or a data key on its way in or out: wiped when dropped, never printed.
pub struct Plaintext(SecretBytes);

impl Plaintext {
    /// Takes the bytes over.
    #[must_use]
    pub fn new(bytes: SecretBytes) -> Self {
        Self(bytes)
    }

    /// The bytes. The name says at the call that a secret leaves its type.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        self.0.expose()
    }
}

impl std::fmt::Debug for Plaintext {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Plaintext(..)")
    }
}

impl Value for Plaintext {
    const KIND: Kind = Kind::Blob;

    fn read(node: Node<'_>) -> Result<Self, Malformed> {
        Blob::read(node).map(|Blob(bytes)| Self(SecretBytes::new(bytes)))
    }

    fn write(&self, out: &mut dyn Writer) {
        out.blob(self.expose());
    }
}

/// A tag of a key.
#[derive(Debug, Shape)]
pub(crate) struct Tag {
    /// 1 to 128 characters, unique in the key.
    pub(crate) tag_key: String,
    /// 0 to 256 characters.
    pub(crate) tag_value: String,
}

/// An enclave's attestation; not built.
#[derive(Debug, Shape)]
pub struct RecipientInfo {
    /// `RSAES_OAEP_SHA_256`.
    pub key_encryption_algorithm: Option<String>,
    /// The signed document.
    pub attestation_document: Option<Blob>,
}

/// What `DescribeKey` and `CreateKey` tell about a key.
#[derive(Debug, Shape)]
pub(crate) struct KeyMetadata {
    #[member(name = "AWSAccountId")]
    pub(crate) aws_account_id: String,
    pub(crate) key_id: String,
    pub(crate) arn: String,
    pub(crate) creation_date: Timestamp,
    pub(crate) enabled: bool,
    pub(crate) description: String,
    pub(crate) key_usage: String,
    pub(crate) key_state: String,
    pub(crate) deletion_date: Option<Timestamp>,
    pub(crate) valid_to: Option<Timestamp>,
    pub(crate) origin: String,
    pub(crate) custom_key_store_id: Option<String>,
    pub(crate) cloud_hsm_cluster_id: Option<String>,
    pub(crate) expiration_model: Option<String>,
    pub(crate) key_manager: String,
    pub(crate) customer_master_key_spec: String,
    pub(crate) key_spec: String,
    /// Of keys that encrypt.
    pub(crate) encryption_algorithms: Option<Vec<String>>,
    pub(crate) signing_algorithms: Option<Vec<String>>,
    pub(crate) key_agreement_algorithms: Option<Vec<String>>,
    pub(crate) encapsulation_algorithms: Option<Vec<String>>,
    pub(crate) multi_region: bool,
    pub(crate) multi_region_configuration: Option<MultiRegionConfiguration>,
    pub(crate) pending_deletion_window_in_days: Option<i32>,
    pub(crate) mac_algorithms: Option<Vec<String>>,
    pub(crate) xks_key_configuration: Option<XksKeyConfigurationType>,
    /// Of symmetric encryption keys.
    pub(crate) current_key_material_id: Option<String>,
}

/// Which keys a multi-Region key consists of.
#[derive(Debug, Shape)]
pub(crate) struct MultiRegionConfiguration {
    /// `PRIMARY` or `REPLICA`.
    pub(crate) multi_region_key_type: Option<String>,
    pub(crate) primary_key: Option<MultiRegionKey>,
    pub(crate) replica_keys: Option<Vec<MultiRegionKey>>,
}

/// One key of a multi-Region key.
#[derive(Debug, Shape)]
pub(crate) struct MultiRegionKey {
    pub(crate) arn: Option<String>,
    pub(crate) region: Option<String>,
}

/// A key outside of KMS; not built.
#[derive(Debug, Shape)]
pub(crate) struct XksKeyConfigurationType {
    pub(crate) id: Option<String>,
}

/// The words of algorithms that a key has; absent when it has none of that sort.
pub(crate) fn listed<W: Word>(algorithms: &[W]) -> Option<Vec<String>> {
    (!algorithms.is_empty()).then(|| words(algorithms))
}

/// All but the other keys of a multi-Region key, which the key does not know.
impl From<&Key> for KeyMetadata {
    fn from(key: &Key) -> Self {
        let spec = key.kind.spec().word();
        Self {
            aws_account_id: key.owner.as_str().to_owned(),
            key_id: key.id.as_str().to_owned(),
            arn: key.arn.to_string(),
            creation_date: key.created,
            enabled: key.state == KeyState::Enabled && !key.is_locked(),
            description: key.description.clone(),
            key_usage: key.kind.usage().word().to_owned(),
            key_state: key.state_name().to_owned(),
            deletion_date: key.state.deletion(),
            valid_to: key.expires(),
            origin: key.origin().to_owned(),
            custom_key_store_id: None,
            cloud_hsm_cluster_id: None,
            expiration_model: key.expiration_model().map(str::to_owned),
            key_manager: if key.is_aws_managed() { "AWS" } else { "CUSTOMER" }.to_owned(),
            customer_master_key_spec: spec.to_owned(),
            key_spec: spec.to_owned(),
            encryption_algorithms: listed(key.kind.encryption_algorithms()),
            signing_algorithms: listed(key.kind.signing_algorithms()),
            key_agreement_algorithms: listed(key.kind.agreement_algorithms()),
            encapsulation_algorithms: None,
            multi_region: key.primary.is_some(),
            multi_region_configuration: None,
            pending_deletion_window_in_days: key.state.deletion_window(),
            mac_algorithms: listed(key.kind.mac_algorithms()),
            xks_key_configuration: None,
            current_key_material_id: key.current_material_id(),
        }
    }
}
