use std::os::unix::fs::{PermissionsExt, symlink};

use DataFolderState::{Existing, New};
use bulla_runtime::SystemEntropy;

use super::*;
use crate::root::RootKeyErrorCode;

const NOW: u64 = 1_795_239_000;

/// A folder of its own for a test, removed afterwards.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let name = format!(
            "bulla-root-key-{}-{:016x}",
            std::process::id(),
            SystemEntropy.number()
        );
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Loads or creates `name` for the data folder `data`.
    fn open(&self, name: &str, state: DataFolderState) -> Result<(FileRootKey, RootKeyOrigin), RootKeyError> {
        self.open_for(name, state, false)
    }

    fn open_for(
        &self,
        name: &str,
        state: DataFolderState,
        may_hold_root_key: bool,
    ) -> Result<(FileRootKey, RootKeyOrigin), RootKeyError> {
        let path = self.path(name);
        let location = RootKeyLocation::choose(Some(&path), |_| None, false).unwrap();
        let data = self.path("data");
        let data_folder = DataFolder {
            path: &data,
            state,
            may_hold_root_key,
        };
        FileRootKey::load_or_create(&location, &data_folder, NOW, &SystemEntropy)
    }

    fn refused(&self, name: &str, state: DataFolderState) -> RootKeyError {
        self.open(name, state).map(drop).unwrap_err()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_new_data_folder_gets_a_key_that_the_next_start_loads() {
    let folder = Folder::new();
    let (made, origin) = folder.open("config/bulla/root.key", New).unwrap();
    assert_eq!(origin, RootKeyOrigin::Created);
    let wrapped = made.wrap(b"key", b"aad", &SystemEntropy).unwrap();
    for state in [Existing, New] {
        let (loaded, origin) = folder.open("config/bulla/root.key", state).unwrap();
        assert_eq!(origin, RootKeyOrigin::Loaded);
        assert_eq!(loaded.unwrap(&wrapped, b"aad").unwrap().expose(), b"key");
        assert_eq!(loaded.describe(), made.describe());
        assert_eq!(loaded.describe().since_epoch_seconds, Some(NOW));
    }
}

#[test]
fn a_new_key_file_and_its_folder_are_for_their_owner_only() {
    let folder = Folder::new();
    folder.open("config/root.key", New).unwrap();
    let mode = |name: &str| fs::metadata(folder.path(name)).unwrap().mode() & 0o777;
    assert_eq!((mode("config/root.key"), mode("config")), (0o600, 0o700));
    assert_eq!(fs::read_dir(folder.path("config")).unwrap().count(), 1);
}

#[test]
fn a_missing_key_of_existing_data_is_an_error_and_is_not_made() {
    let folder = Folder::new();
    let error = folder.refused("root.key", Existing);
    assert_eq!(error.code(), RootKeyErrorCode::Missing);
    assert!(!folder.path("root.key").exists());
}

#[test]
fn every_mode_wider_than_0600_is_refused() {
    let folder = Folder::new();
    folder.open("root.key", New).unwrap();
    for mode in 0..=0o7777 {
        // Files without the owner's right to read cannot be opened, unless by root; both are not the question here.
        if mode & 0o400 == 0 {
            continue;
        }
        fs::set_permissions(folder.path("root.key"), fs::Permissions::from_mode(mode)).unwrap();
        let opened = folder
            .open("root.key", Existing)
            .map(drop)
            .map_err(|error| error.code());
        let allowed = mode & !0o600 == 0;
        assert_eq!(
            opened,
            if allowed {
                Ok(())
            } else {
                Err(RootKeyErrorCode::Mode)
            },
            "{mode:o}"
        );
    }
}

#[test]
fn a_refused_mode_is_reported_with_why_and_fix() {
    let folder = Folder::new();
    folder.open("root.key", New).unwrap();
    let path = folder.path("root.key");
    let shown = path.display();
    let report = |mode| {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        folder.refused("root.key", Existing).to_string()
    };
    assert_eq!(
        report(0o640),
        format!(
            "error: root key file `{shown}` is readable by group (mode 0640)\n  \
             why: anyone in that group could decrypt every stored key\n  fix: chmod 600 {shown}\n  code: BULLA-K012"
        )
    );
    assert!(report(0o602).contains("is writable by everyone (mode 0602)"));
    assert!(report(0o700).contains("has mode 0700"));
}

#[test]
fn a_key_inside_the_data_folder_is_refused_unless_chosen() {
    let folder = Folder::new();
    for name in ["data/root.key", "data/keys/root.key", "other/../data/root.key"] {
        assert_eq!(
            folder.refused(name, New).code(),
            RootKeyErrorCode::InsideDataFolder,
            "{name}"
        );
    }
    assert!(!folder.path("data").exists());
    folder.open_for("data/root.key", New, true).unwrap();
    folder.open("database/root.key", New).unwrap();
}

#[test]
fn a_link_into_the_data_folder_is_seen() {
    let folder = Folder::new();
    fs::create_dir(folder.path("data")).unwrap();
    symlink(folder.path("data"), folder.path("elsewhere")).unwrap();
    assert_eq!(
        folder.refused("elsewhere/root.key", New).code(),
        RootKeyErrorCode::InsideDataFolder
    );
    folder.open_for("data/root.key", New, true).unwrap();
    symlink(folder.path("data/root.key"), folder.path("root.key")).unwrap();
    assert_eq!(
        folder.refused("root.key", Existing).code(),
        RootKeyErrorCode::InsideDataFolder
    );
}

#[test]
fn damaged_files_and_other_files_are_refused() {
    let folder = Folder::new();
    folder.open("root.key", New).unwrap();
    let text = fs::read_to_string(folder.path("root.key")).unwrap();
    let with = |text: &str| {
        fs::write(folder.path("root.key"), text).unwrap();
        folder.refused("root.key", Existing).code()
    };
    assert_eq!(with(""), RootKeyErrorCode::NotARootKey);
    assert_eq!(with("secret"), RootKeyErrorCode::NotARootKey);
    assert_eq!(with(&"#\n".repeat(4000)), RootKeyErrorCode::NotARootKey);
    assert_eq!(
        with(&text.replace("\nkey ", "\nkey 0")),
        RootKeyErrorCode::KeyLength
    );
    assert_eq!(
        with(&text.replace("created ", "created 1")),
        RootKeyErrorCode::Damaged
    );
    assert_eq!(
        with(text.split("check").next().unwrap()),
        RootKeyErrorCode::Damaged
    );
}

#[test]
fn folders_and_devices_are_no_key_files() {
    let folder = Folder::new();
    fs::create_dir(folder.path("root.key")).unwrap();
    assert_eq!(
        folder.refused("root.key", Existing).code(),
        RootKeyErrorCode::NotAFile
    );
    symlink("/dev/zero", folder.path("zero")).unwrap();
    assert_eq!(
        folder.refused("zero", Existing).code(),
        RootKeyErrorCode::NotAFile
    );
}

#[test]
fn a_file_of_another_user_is_refused() {
    if !rustix::process::geteuid().is_root() {
        return; // Only root can give a file away.
    }
    let folder = Folder::new();
    folder.open("root.key", New).unwrap();
    std::os::unix::fs::chown(folder.path("root.key"), Some(12_345), None).unwrap();
    let error = folder.refused("root.key", Existing);
    assert_eq!(error.code(), RootKeyErrorCode::Owner);
    assert!(error.what().contains("belongs to user 12345"), "{error}");
}

#[test]
fn a_path_that_cannot_be_made_is_reported() {
    let folder = Folder::new();
    fs::write(folder.path("file"), "").unwrap();
    let error = folder.refused("file/root.key", New);
    assert!([RootKeyErrorCode::NotCreated, RootKeyErrorCode::Unreadable].contains(&error.code()));
}

#[test]
fn debug_shows_the_id_and_not_the_key() {
    let folder = Folder::new();
    let (key, _) = folder.open("root.key", New).unwrap();
    let text = fs::read_to_string(folder.path("root.key")).unwrap();
    let secret = text.lines().find_map(|line| line.strip_prefix("key ")).unwrap();
    let debug = format!("{key:?}");
    assert!(debug.contains(&key.describe().id.unwrap().to_string()));
    assert!(!secret.contains(&key.describe().id.unwrap().to_string()) && !debug.contains(secret));
}

#[test]
fn an_existing_file_is_never_replaced() {
    let folder = Folder::new();
    let (key, _) = folder.open("root.key", New).unwrap();
    create(&folder.path("root.key"), NOW, &SystemEntropy).unwrap();
    let (again, _) = folder.open("root.key", New).unwrap();
    assert_eq!(key.describe(), again.describe());
    assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 1);
}
