//! Destroyed keys stay destroyed, over real folders: what a copy of the data folder opens before and after.

use super::{DAY, OWNER, encrypt, text};
use crate::kms::Kms;
use crate::kms::operations::OPERATIONS;
use crate::testing::{Refused, World, ask};
use bulla_envelope::{
    ErasureError, ErasureKeys, ErasureName, ErasureState, KeyringFolder, SecretKey, Tombstone,
};
use bulla_gate::Gate;
use bulla_runtime::BoxFuture;
use bulla_storage::{DirectoryWriter, Released, open_embedded};
use bulla_types::Timestamp;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tempfile::TempDir;

/// A place with data folders and a keyring, and a server that can be started on them.
struct Place {
    folder: TempDir,
    world: World,
    root: String,
}

/// A running server.
struct Running {
    kms: Arc<Kms>,
    gate: Arc<Gate>,
    released: Released,
    root: String,
}

impl Place {
    fn new() -> Self {
        let world = World::new();
        Self {
            folder: TempDir::new().unwrap(),
            root: world.people.root(OWNER),
            world,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn keyring(&self, name: &str, data: &str) -> Arc<KeyringFolder> {
        let (keyring, data) = (self.path(name), self.path(data));
        let opened = KeyringFolder::open(&keyring, &data, &self.world.instance, &self.world.runtime);
        Arc::new(opened.unwrap())
    }

    /// The files of erasure keys and tombstones in a keyring.
    fn files(&self, keyring: &str) -> Vec<String> {
        let instance = self.path(keyring).join(self.world.instance.name().unwrap());
        let names = fs::read_dir(instance).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.filter(|name| name.contains('.')).collect();
        names.sort();
        names
    }

    async fn start(&self, data: &str) -> Running {
        let erasure = self.keyring("keyring", data);
        self.start_with(data, erasure).await.unwrap()
    }

    async fn start_with(&self, data: &str, erasure: Arc<dyn ErasureKeys>) -> Result<Running, String> {
        fs::create_dir_all(self.path(data)).unwrap();
        let tasks = &*self.world.runtime.tasks;
        let stores = open_embedded(&self.path(data), tasks).unwrap();
        let released = stores.released.clone();
        let records = DirectoryWriter::open(&*stores.directory, "test", tasks)
            .await
            .unwrap();
        drop(stores);
        let kms = Kms::open(self.world.runtime.clone(), records, &self.world.instance, erasure);
        let kms = kms.await.map_err(|error| error.to_string())?;
        let mut gate = self.world.gate();
        gate.serve(Arc::clone(&kms), OPERATIONS);
        Ok(Running {
            kms,
            gate: Arc::new(gate),
            released,
            root: self.root.clone(),
        })
    }

    /// Copies a folder of a stopped server.
    fn copy(&self, from: &str, to: &str) {
        copy(&self.path(from), &self.path(to));
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

impl Running {
    async fn ask(&self, operation: &str, input: Value) -> Result<Value, Refused> {
        let target = format!("TrentService.{operation}");
        ask(&self.gate, &self.root, "kms/us-east-1", &target, input).await
    }

    async fn done(&self, operation: &str, input: Value) -> Value {
        self.ask(operation, input).await.unwrap()
    }

    async fn error(&self, operation: &str, input: Value) -> String {
        self.ask(operation, input).await.unwrap_err().code
    }

    /// A key, and something that it encrypted.
    async fn key_and_secret(&self) -> (Value, Value) {
        let key = self.done("CreateKey", json!({})).await["KeyMetadata"]["KeyId"].clone();
        let blob = self.done("Encrypt", encrypt(&key)).await["CiphertextBlob"].clone();
        (
            key,
            json!({"CiphertextBlob": blob, "EncryptionContext": {"a": "1", "b": "2"}}),
        )
    }

    async fn schedule(&self, key: &Value) {
        let input = json!({"KeyId": key, "PendingWindowInDays": 7});
        self.done("ScheduleKeyDeletion", input).await;
    }

    async fn opens(&self, secret: &Value) -> bool {
        self.ask("Decrypt", secret.clone()).await.is_ok()
    }

    /// Stops the server; its folders can be copied and opened again.
    async fn stop(self) {
        let Self {
            kms, gate, released, ..
        } = self;
        // A sweep may be under way.
        let sweeping = Arc::downgrade(&kms);
        drop((gate, kms));
        while sweeping.upgrade().is_some() {
            tokio::task::yield_now().await;
        }
        released.wait().await;
    }
}

#[tokio::test]
async fn a_copy_of_the_data_opens_before_the_destruction_and_never_after() {
    let place = Place::new();
    let server = place.start("data").await;
    let (key, secret) = server.key_and_secret().await;
    let (_, other) = server.key_and_secret().await;
    server.stop().await;
    place.copy("data", "older");
    let server = place.start("older").await;
    assert!(
        server.opens(&secret).await,
        "the copy opens while the key is not destroyed"
    );
    server.stop().await;
    let server = place.start("data").await;
    server.schedule(&key).await;
    place.world.clock.advance(DAY * 7);
    server.kms.sweep().await;
    assert!(!server.opens(&secret).await);
    assert!(server.opens(&other).await);
    server.stop().await;
    let server = place.start("older").await;
    assert_eq!(
        server.error("DescribeKey", json!({"KeyId": key})).await,
        "NotFoundException"
    );
    assert!(
        !server.opens(&secret).await,
        "nothing of the older copy opens what was destroyed"
    );
    assert!(server.opens(&other).await);
    assert_eq!(
        server.kms.certificates().await.unwrap().certificates.len(),
        1,
        "it is certified there too"
    );
    server.stop().await;
    let files = place.files("keyring");
    let destroyed: Vec<_> = files.iter().filter(|name| name.contains(".destroyed")).collect();
    assert_eq!(destroyed.len(), 1);
    assert!(destroyed[0].contains(&text(&key)), "{files:?}");
    assert_eq!(files.len(), 2, "{files:?}");
}

#[tokio::test]
async fn an_older_copy_of_data_and_keyring_together_opens_again() {
    // The limit of the method: whoever kept a copy of the erasure key can bring the key back.
    let place = Place::new();
    let server = place.start("data").await;
    let (key, secret) = server.key_and_secret().await;
    server.stop().await;
    place.copy("data", "older");
    place.copy("keyring", "kept");
    let server = place.start("data").await;
    server.schedule(&key).await;
    place.world.clock.advance(DAY * 7);
    server.kms.sweep().await;
    server.stop().await;
    let kept = place.keyring("kept", "older");
    let server = place.start_with("older", kept).await.unwrap();
    assert!(server.opens(&secret).await);
    server.stop().await;
}

#[tokio::test]
async fn a_cancelled_deletion_destroys_nothing() {
    let place = Place::new();
    let server = place.start("data").await;
    let (key, secret) = server.key_and_secret().await;
    server.schedule(&key).await;
    place.world.clock.advance(DAY * 6);
    server.kms.sweep().await;
    server.done("CancelKeyDeletion", json!({"KeyId": key})).await;
    server.done("EnableKey", json!({"KeyId": key})).await;
    place.world.clock.advance(DAY * 60);
    server.kms.sweep().await;
    server.stop().await;
    let server = place.start("data").await;
    assert!(server.opens(&secret).await);
    server.stop().await;
}

#[tokio::test]
async fn a_key_without_its_erasure_key_is_unavailable_until_the_file_is_back() {
    let place = Place::new();
    let server = place.start("data").await;
    let (key, secret) = server.key_and_secret().await;
    let (_, other) = server.key_and_secret().await;
    server.stop().await;
    let file = place.path("keyring").join(place.world.instance.name().unwrap());
    let file = file.join(format!("{OWNER}-us-east-1-{}.key", text(&key)));
    let kept = fs::read(&file).unwrap();
    fs::remove_file(&file).unwrap();
    let server = place.start("data").await;
    let id = json!({"KeyId": key});
    assert_eq!(
        server.error("Decrypt", secret.clone()).await,
        "KMSInvalidStateException"
    );
    assert_eq!(
        server.error("Encrypt", encrypt(&key)).await,
        "KMSInvalidStateException"
    );
    assert_eq!(
        server.error("RotateKeyOnDemand", id.clone()).await,
        "KMSInvalidStateException"
    );
    let described = server.done("DescribeKey", id.clone()).await;
    assert_eq!(described["KeyMetadata"]["KeyState"], "Unavailable");
    assert_eq!(described["KeyMetadata"]["Enabled"], false);
    assert!(server.opens(&other).await, "one lost file is one lost key");
    let change = json!({"KeyId": key, "Description": "changed while it was unavailable"});
    server.done("UpdateKeyDescription", change).await;
    server.stop().await;
    fs::write(&file, kept).unwrap();
    let server = place.start("data").await;
    assert!(server.opens(&secret).await);
    let described = server.done("DescribeKey", id).await;
    assert_eq!(
        described["KeyMetadata"]["Description"],
        "changed while it was unavailable"
    );
    server.stop().await;
}

#[tokio::test]
async fn a_server_does_not_start_without_its_keyring() {
    let place = Place::new();
    let server = place.start("data").await;
    server.key_and_secret().await;
    server.stop().await;
    let elsewhere = place.keyring("elsewhere", "data");
    let error = place.start_with("data", elsewhere).await.err().unwrap();
    assert!(error.contains("erasure key file"), "{error}");
    assert!(!place.path("elsewhere").exists(), "nothing is made there");
}

#[tokio::test]
async fn a_destruction_is_certified_in_a_chain_that_outlives_a_restart() {
    let place = Place::new();
    let server = place.start("data").await;
    let mut arns = Vec::new();
    for _ in 0..2 {
        let (key, _) = server.key_and_secret().await;
        server.schedule(&key).await;
        arns.push(format!("arn:aws:kms:us-east-1:{OWNER}:key/{}", text(&key)));
    }
    assert!(server.kms.certificates().await.unwrap().certificates.is_empty());
    place.world.clock.advance(DAY * 7);
    server.kms.sweep().await;
    server.stop().await;
    let server = place.start("data").await;
    let (key, _) = server.key_and_secret().await;
    arns.push(format!("arn:aws:kms:us-east-1:{OWNER}:key/{}", text(&key)));
    server.schedule(&key).await;
    place.world.clock.advance(DAY * 7);
    server.kms.sweep().await;
    let found = server.kms.certificates().await.unwrap();
    let mut previous = Value::Null;
    let mut certified = Vec::new();
    for (certificate, number) in found.certificates.iter().zip(1..) {
        let says: Value = serde_json::from_str(&certificate.certificate).unwrap();
        assert_eq!(says["number"], number);
        assert_eq!(says["previous"], previous);
        assert_eq!(says["instance"], place.world.instance.name().unwrap());
        assert_eq!(says["scheduledBy"], format!("arn:aws:iam::{OWNER}:root"));
        assert_eq!(says["keyMaterials"].as_array().unwrap().len(), 1);
        assert!(says["destroyed"].as_str().unwrap() >= says["deletionDate"].as_str().unwrap());
        previous = sha256_hex(&certificate.certificate).into();
        certified.push(text(&says["key"]));
    }
    arns.sort();
    certified.sort();
    assert_eq!(certified, arns);
    check_outside(&found);
    server.stop().await;
}

fn sha256_hex(text: &str) -> String {
    crate::kms::key::hex(&bulla_envelope::sha256(text.as_bytes()))
}

/// Checks the signatures with another program, if the machine has it.
fn check_outside(found: &crate::kms::Certificates) {
    const PROGRAM: &str = "\
import base64, json, sys
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import load_pem_public_key
given = json.load(sys.stdin)
key = load_pem_public_key(given['key'].encode())
for text, signature in given['certificates']:
    key.verify(base64.b64decode(signature), text.encode())
    try:
        key.verify(base64.b64decode(signature), text.encode() + b' ')
    except InvalidSignature:
        continue
    sys.exit(1)
";
    use std::io::Write;
    use std::process::{Command, Stdio};
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let python = project.join(".dev/venv/bin/python");
    let has_it = |python: &Path| {
        let asked = Command::new(python)
            .args(["-c", "import cryptography"])
            .stderr(Stdio::null())
            .status();
        asked.is_ok_and(|status| status.success())
    };
    let Some(python) = [python, "python3".into()]
        .into_iter()
        .find(|python| has_it(python))
    else {
        eprintln!("no Python with `cryptography`: the signatures are not checked from outside");
        return;
    };
    let certificates = found
        .certificates
        .iter()
        .map(|certificate| (&certificate.certificate, &certificate.signature));
    let given = json!({"key": found.public_key, "certificates": certificates.collect::<Vec<_>>()});
    let mut program = Command::new(python)
        .args(["-c", PROGRAM])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    program
        .stdin
        .take()
        .unwrap()
        .write_all(given.to_string().as_bytes())
        .unwrap();
    assert!(program.wait().unwrap().success());
}

/// A keyring whose destructions fail, before or after they are done.
struct Failing {
    keyring: Arc<KeyringFolder>,
    before: AtomicBool,
    after: AtomicBool,
}

impl ErasureKeys for Failing {
    fn create(&self, names: Vec<ErasureName>) -> BoxFuture<'_, Result<Vec<Arc<SecretKey>>, ErasureError>> {
        self.keyring.create(names)
    }

    fn load(&self, names: Vec<ErasureName>) -> BoxFuture<'_, Result<Vec<ErasureState>, ErasureError>> {
        self.keyring.load(names)
    }

    fn destroy(&self, name: ErasureName, now: Timestamp) -> BoxFuture<'_, Result<Tombstone, ErasureError>> {
        let failed = || ErasureError::new("the keyring failed", "the test wants it", "none");
        Box::pin(async move {
            if self.before.load(Ordering::Relaxed) {
                return Err(failed());
            }
            let destroyed = self.keyring.destroy(name, now).await;
            if self.after.load(Ordering::Relaxed) {
                return Err(failed());
            }
            destroyed
        })
    }

    fn is_new(&self) -> BoxFuture<'_, Result<bool, ErasureError>> {
        self.keyring.is_new()
    }

    fn describe(&self, name: &ErasureName) -> String {
        self.keyring.describe(name)
    }
}

#[tokio::test]
async fn a_destruction_that_stops_before_or_after_its_first_step_goes_on() {
    for after in [false, true] {
        for restart in [false, true] {
            let place = Place::new();
            let failing = Arc::new(Failing {
                keyring: place.keyring("keyring", "data"),
                before: (!after).into(),
                after: after.into(),
            });
            let erasure: Arc<dyn ErasureKeys> = Arc::<Failing>::clone(&failing);
            let server = place.start_with("data", erasure).await.unwrap();
            let (key, secret) = server.key_and_secret().await;
            server.schedule(&key).await;
            place.world.clock.advance(DAY * 7);
            server.kms.sweep().await;
            assert!(!server.opens(&secret).await, "refused from its date on");
            let is_left = |name: &String| name.contains(".key");
            assert_eq!(place.files("keyring").iter().any(is_left), !after);
            failing.before.store(false, Ordering::Relaxed);
            failing.after.store(false, Ordering::Relaxed);
            let server = if restart {
                server.stop().await;
                drop(failing);
                place.start("data").await
            } else {
                server
            };
            server.kms.sweep().await;
            assert!(!place.files("keyring").iter().any(is_left));
            assert_eq!(
                server.error("DescribeKey", json!({"KeyId": key})).await,
                "NotFoundException"
            );
            assert!(server.kms.view().all().next().is_none());
            assert_eq!(server.kms.certificates().await.unwrap().certificates.len(), 1);
            server.stop().await;
        }
    }
}
