use super::*;
use crate::root::MemoryRootKey;
use bulla_runtime::SystemEntropy;
use tempfile::TempDir;

struct World {
    folder: TempDir,
    instance: InstanceKey,
    runtime: Runtime,
}

impl World {
    fn new() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
            instance: instance(),
            runtime: Runtime::manual(1).0,
        }
    }

    fn keyring(&self) -> PathBuf {
        self.folder.path().join("keyring")
    }

    fn open(&self) -> Result<KeyringFolder, ErasureError> {
        let data = self.folder.path().join("data");
        KeyringFolder::open(&self.keyring(), &data, &self.instance, &self.runtime)
    }
}

fn instance() -> InstanceKey {
    let root = MemoryRootKey::generate(&SystemEntropy).unwrap();
    InstanceKey::create(&root, &SystemEntropy).unwrap().0
}

fn name(text: &str) -> ErasureName {
    ErasureName::new(text).unwrap()
}

fn now() -> Timestamp {
    Timestamp::from_millis(1_795_239_000_123)
}

async fn made(keys: &KeyringFolder, text: &str) -> Arc<SecretKey> {
    keys.create(vec![name(text)]).await.unwrap().remove(0)
}

async fn state(keys: &KeyringFolder, text: &str) -> ErasureState {
    keys.load(vec![name(text)]).await.unwrap().remove(0)
}

async fn is_present(keys: &KeyringFolder, text: &str, key: &SecretKey) -> bool {
    matches!(state(keys, text).await, ErasureState::Present(found) if *found == *key)
}

async fn is_missing(keys: &KeyringFolder, text: &str) -> bool {
    matches!(state(keys, text).await, ErasureState::Missing { .. })
}

fn tombstone() -> Tombstone {
    Tombstone {
        begun: now(),
        had_key: true,
    }
}

#[tokio::test]
async fn a_key_is_there_after_a_restart_and_never_made_twice() {
    let world = World::new();
    let keys = world.open().unwrap();
    assert!(keys.is_new().await.unwrap());
    let key = made(&keys, "a").await;
    assert!(*made(&keys, "a").await == *key);
    drop(keys);
    let keys = world.open().unwrap();
    assert!(is_present(&keys, "a", &key).await);
    assert!(is_missing(&keys, "b").await);
    assert!(!keys.is_new().await.unwrap());
}

#[tokio::test]
async fn a_destroyed_key_is_gone_its_bytes_too_and_never_comes_back() {
    let world = World::new();
    let keys = world.open().unwrap();
    made(&keys, "a").await;
    let kept = made(&keys, "b").await;
    assert_eq!(keys.destroy(name("a"), now()).await, Ok(tombstone()));
    let later = now().after(std::time::Duration::from_secs(9));
    assert_eq!(
        keys.destroy(name("a"), later).await,
        Ok(tombstone()),
        "the first time counts"
    );
    assert!(keys.create(vec![name("a")]).await.is_err());
    drop(keys);
    let keys = world.open().unwrap();
    assert!(matches!(state(&keys, "a").await, ErasureState::Destroyed(found) if found == tombstone()));
    assert!(!keys.folder.key_file(&name("a")).exists());
    assert!(is_present(&keys, "b", &kept).await);
}

/// The tombstone as it is, the tombstone being written, the key.
type Files<'a> = (Option<&'a [u8]>, Option<Vec<u8>>, Option<&'a [u8]>);

/// Every state that a power cut can leave, made by hand from what was before and after.
#[tokio::test]
async fn a_destruction_that_was_interrupted_anywhere_ends_the_same() {
    let world = World::new();
    let keys = world.open().unwrap();
    let key = made(&keys, "a").await;
    let (key_file, grave) = (
        keys.folder.key_file(&name("a")),
        keys.folder.tombstone_file(&name("a")),
    );
    let key_text = fs::read(&key_file).unwrap();
    keys.destroy(name("a"), now()).await.unwrap();
    let grave_text = fs::read(&grave).unwrap();
    let half = |text: &[u8]| text[..text.len() / 2].to_vec();
    let noise = vec![7; key_text.len()];
    let states: [(Files, bool); 6] = [
        ((None, None, Some(&key_text)), false),
        ((None, Some(half(&grave_text)), Some(&key_text)), false),
        ((None, Some(grave_text.clone()), Some(&key_text)), false),
        ((Some(&grave_text), None, Some(&key_text)), true),
        ((Some(&grave_text), None, Some(&noise)), true),
        ((Some(&grave_text), None, None), true),
    ];
    drop(keys);
    for ((grave_now, unfinished, key_now), is_destroyed) in states {
        let put = |path: &Path, text: Option<&[u8]>| match text {
            Some(text) => fs::write(path, text).unwrap(),
            None => drop(fs::remove_file(path)),
        };
        put(&grave, grave_now);
        put(&grave.with_extension("destroyed.new"), unfinished.as_deref());
        put(&key_file, key_now);
        let keys = world.open().unwrap();
        if is_destroyed {
            assert!(matches!(state(&keys, "a").await, ErasureState::Destroyed(_)));
        } else {
            assert!(is_present(&keys, "a", &key).await);
        }
        assert_eq!(keys.destroy(name("a"), now()).await, Ok(tombstone()));
        assert!(!key_file.exists());
        assert!(matches!(state(&keys, "a").await, ErasureState::Destroyed(_)));
    }
}

#[tokio::test]
async fn a_copy_of_the_keyring_alone_is_of_no_use() {
    let world = World::new();
    let keys = world.open().unwrap();
    let key = made(&keys, "a").await;
    let text = fs::read_to_string(keys.folder.key_file(&name("a"))).unwrap();
    assert!(!text.contains(&*crate::hex::hex(key.expose())));
    let other = World {
        instance: instance(),
        ..World::new()
    };
    let others = other.open().unwrap();
    made(&others, "b").await;
    fs::write(others.folder.key_file(&name("a")), &text).unwrap();
    assert!(is_missing(&others, "a").await);
}

#[tokio::test]
async fn a_file_in_anothers_place_is_reported_and_not_taken() {
    let world = World::new();
    let keys = world.open().unwrap();
    made(&keys, "a").await;
    made(&keys, "b").await;
    fs::copy(keys.folder.key_file(&name("a")), keys.folder.key_file(&name("b"))).unwrap();
    assert!(is_missing(&keys, "b").await);
    let text = fs::read_to_string(keys.folder.key_file(&name("a"))).unwrap();
    fs::write(keys.folder.key_file(&name("b")), text.replace("name a", "name b")).unwrap();
    assert!(is_missing(&keys, "b").await);
    assert!(
        keys.create(vec![name("b")]).await.is_err(),
        "nothing is put over it"
    );
}

#[tokio::test]
async fn a_tombstone_that_was_not_made_here_destroys_nothing() {
    let world = World::new();
    let keys = world.open().unwrap();
    made(&keys, "a").await;
    made(&keys, "b").await;
    keys.destroy(name("a"), now()).await.unwrap();
    let text = fs::read_to_string(keys.folder.tombstone_file(&name("a"))).unwrap();
    let forged = text.replace("name a", "name b");
    fs::write(keys.folder.tombstone_file(&name("b")), forged).unwrap();
    assert!(is_missing(&keys, "b").await);
    assert!(keys.folder.key_file(&name("b")).exists());
    assert!(keys.destroy(name("b"), now()).await.is_err());
}

#[tokio::test]
async fn a_changed_byte_of_a_key_is_reported() {
    let world = World::new();
    let keys = world.open().unwrap();
    let key = made(&keys, "a").await;
    let file = keys.folder.key_file(&name("a"));
    let text = fs::read(&file).unwrap();
    for at in 0..text.len() {
        let mut changed = text.clone();
        changed[at] ^= 1;
        fs::write(&file, &changed).unwrap();
        let found = keys.folder.load(&name("a"));
        // Another case of a digit is the same number.
        assert!(!matches!(found, ErasureState::Present(found) if *found != *key));
    }
}

#[tokio::test]
async fn two_servers_do_not_share_a_keyring() {
    let world = World::new();
    let keys = world.open().unwrap();
    made(&keys, "a").await;
    let error = world.open().unwrap_err();
    assert!(error.what().ends_with("is in use"), "{error}");
    drop(keys);
    world.open().unwrap();
}

#[test]
fn a_keyring_in_the_data_folder_is_refused() {
    let world = World::new();
    let data = world.folder.path().join("data");
    let error =
        KeyringFolder::open(&data.join("keyring"), &data, &world.instance, &world.runtime).unwrap_err();
    assert!(error.fix().contains("--keyring"));
}

#[tokio::test]
async fn files_are_the_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new();
    let keys = world.open().unwrap();
    made(&keys, "a").await;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&keys.folder.key_file(&name("a"))), MODE);
    assert_eq!(mode(keys.path()), FOLDER_MODE);
}

#[test]
fn names_are_plain() {
    assert!(ErasureName::new("111122223333-us-east-1-1234abcd-12ab-34cd-56ef-1234567890ab").is_some());
    for text in ["", "../a", "a/b", "A", "a.b", &"a".repeat(129)] {
        assert!(ErasureName::new(text).is_none(), "{text}");
    }
}
