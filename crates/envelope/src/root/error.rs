//! Why there is no usable root key: what happened, why it matters, how to fix it, and a code to search for.

use std::fmt;
use std::io;
use std::path::Path;

use super::format::Flaw;
use super::{RootKeyDescription, RootKeyId};
use crate::instance::Binding;
use crate::seal::{OpenError, SealError};

/// The stable code of a root-key error. A number is never used again for something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RootKeyErrorCode {
    /// `BULLA-K001`: the data folder exists, its root key file does not.
    Missing,
    /// `BULLA-K002`: the file cannot be read.
    Unreadable,
    /// `BULLA-K003`: the file cannot be created.
    NotCreated,
    /// `BULLA-K004`: the file belongs to another user.
    Owner,
    /// `BULLA-K005`: the file is inside the data folder.
    InsideDataFolder,
    /// `BULLA-K006`: the file is not a root key.
    NotARootKey,
    /// `BULLA-K007`: the file is damaged.
    Damaged,
    /// `BULLA-K008`: the key in the file has the wrong length.
    KeyLength,
    /// `BULLA-K009`: there is no default place for the file.
    NoLocation,
    /// `BULLA-K010`: the data folder is bound to another root key.
    WrongKey,
    /// `BULLA-K011`: the record that binds the data folder to its root key is damaged.
    BindingDamaged,
    /// `BULLA-K012`: the mode of the file is wider than 0600.
    Mode,
    /// `BULLA-K013`: the path is not a regular file.
    NotAFile,
    /// `BULLA-K014`: the root key did not wrap.
    CannotWrap,
    /// `BULLA-K015`: the root key did not unwrap.
    CannotUnwrap,
    /// `BULLA-K016`: the data folder is bound to a root key of another provider.
    OtherProvider,
    /// `BULLA-K017`: the provider of the root key cannot be reached now. The only one that may pass by itself.
    Unreachable,
    /// `BULLA-K018`: the passphrase is not the one of the data folder.
    WrongPassphrase,
    /// `BULLA-K019`: the passphrase cannot be used as one.
    UnusablePassphrase,
    /// `BULLA-K020`: the token behind PKCS#11 or what names it is not usable.
    Token,
    /// `BULLA-K021`: the key service refuses.
    KeyService,
}

impl RootKeyErrorCode {
    /// The code as it is printed, for instance `BULLA-K012`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "BULLA-K001",
            Self::Unreadable => "BULLA-K002",
            Self::NotCreated => "BULLA-K003",
            Self::Owner => "BULLA-K004",
            Self::InsideDataFolder => "BULLA-K005",
            Self::NotARootKey => "BULLA-K006",
            Self::Damaged => "BULLA-K007",
            Self::KeyLength => "BULLA-K008",
            Self::NoLocation => "BULLA-K009",
            Self::WrongKey => "BULLA-K010",
            Self::BindingDamaged => "BULLA-K011",
            Self::Mode => "BULLA-K012",
            Self::NotAFile => "BULLA-K013",
            Self::CannotWrap => "BULLA-K014",
            Self::CannotUnwrap => "BULLA-K015",
            Self::OtherProvider => "BULLA-K016",
            Self::Unreachable => "BULLA-K017",
            Self::WrongPassphrase => "BULLA-K018",
            Self::UnusablePassphrase => "BULLA-K019",
            Self::Token => "BULLA-K020",
            Self::KeyService => "BULLA-K021",
        }
    }
}

impl fmt::Display for RootKeyErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why there is no usable root key. Displayed, it is the whole report for the operator, in several lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootKeyError {
    code: RootKeyErrorCode,
    what: String,
    why: String,
    fix: String,
}

impl RootKeyError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> RootKeyErrorCode {
        self.code
    }

    /// What happened, one line.
    #[must_use]
    pub fn what(&self) -> &str {
        &self.what
    }

    /// Why it is refused, one line.
    #[must_use]
    pub fn why(&self) -> &str {
        &self.why
    }

    /// How to fix it, one line.
    #[must_use]
    pub fn fix(&self) -> &str {
        &self.fix
    }

    /// Whether it may pass without anybody changing a setting: then it is worth asking again.
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        self.code == RootKeyErrorCode::Unreachable
    }

    /// What a provider says: what happened, why, how to fix it; one line each, lower case, no secret.
    #[must_use]
    pub fn new(
        code: RootKeyErrorCode,
        what: impl Into<String>,
        why: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self {
            code,
            what: what.into(),
            why: why.into(),
            fix: fix.into(),
        }
    }

    pub(super) fn missing(path: &Path, data_folder: &Path) -> Self {
        Self::new(
            RootKeyErrorCode::Missing,
            format!(
                "root key file `{}` does not exist, but data folder `{}` does",
                path.display(),
                data_folder.display()
            ),
            "the data folder was sealed with a root key; a new one could not open anything in it",
            "put the root key file back from your copy, or name where it is; `bulla root status` shows what the data are bound to",
        )
    }

    pub(super) fn unreadable(path: &Path, error: &io::Error) -> Self {
        Self::new(
            RootKeyErrorCode::Unreadable,
            format!("root key file `{}` cannot be read", path.display()),
            error.to_string(),
            "make the file readable for the user that runs the server, and for nobody else",
        )
    }

    pub(super) fn not_created(path: &Path, error: &io::Error) -> Self {
        Self::new(
            RootKeyErrorCode::NotCreated,
            format!("root key file `{}` cannot be created", path.display()),
            error.to_string(),
            "let the user that runs the server write to that folder, or choose another with `--root-key-file`",
        )
    }

    pub(super) fn owner(path: &Path, owner: u32, user: u32) -> Self {
        Self::new(
            RootKeyErrorCode::Owner,
            format!(
                "root key file `{}` belongs to user {owner}, the server runs as user {user}",
                path.display()
            ),
            "that user could decrypt every stored key, or replace the root key",
            format!("chown {user} {}", path.display()),
        )
    }

    pub(super) fn inside_data_folder(path: &Path, data_folder: &Path) -> Self {
        Self::new(
            RootKeyErrorCode::InsideDataFolder,
            format!(
                "root key file `{}` is inside data folder `{}`",
                path.display(),
                data_folder.display()
            ),
            "whoever gets a copy of the data folder, for instance a backup, would have its key too",
            "choose a path outside the data folder with `--root-key-file`",
        )
    }

    pub(super) fn flawed(path: &Path, flaw: Flaw) -> Self {
        let shown = path.display();
        let (code, what, why) = match flaw {
            Flaw::NotARootKey => (
                RootKeyErrorCode::NotARootKey,
                format!("`{shown}` is not a root key file"),
                "its first line is not `bulla-root-key 1`",
            ),
            Flaw::KeyLength => (
                RootKeyErrorCode::KeyLength,
                format!("root key file `{shown}` has a key of the wrong length"),
                "a root key is 32 bytes, written as 64 hexadecimal digits",
            ),
            Flaw::Damaged => (
                RootKeyErrorCode::Damaged,
                format!("root key file `{shown}` is damaged"),
                "a line is missing, unreadable or too many",
            ),
            Flaw::Check => (
                RootKeyErrorCode::Damaged,
                format!("root key file `{shown}` is damaged"),
                "its check line does not belong to its key",
            ),
        };
        Self::new(code, what, why, "put the root key file back from your copy")
    }

    pub(super) fn no_location() -> Self {
        Self::new(
            RootKeyErrorCode::NoLocation,
            "there is no default place for the root key file".to_owned(),
            "neither `XDG_CONFIG_HOME` nor `HOME` is set to an absolute path",
            "name a path outside the data folder with `--root-key-file` or `BULLA_ROOT_KEY_FILE`",
        )
    }

    /// What was wrapped by another root key than the one described.
    #[must_use]
    pub fn wrong_key(given: &RootKeyDescription, bound_to: RootKeyId) -> Self {
        let id = given.id.map_or_else(|| "another".to_owned(), |id| id.to_string());
        Self::new(
            RootKeyErrorCode::WrongKey,
            format!(
                "the root key ({} {}) is not the one of this data folder",
                given.provider, given.place
            ),
            format!("the data folder is bound to root key {bound_to}, this is root key {id}"),
            "name the root key of this data folder; `bulla root status` shows what it is bound to",
        )
    }

    pub(crate) fn other_provider(given: &RootKeyDescription, bound_to: &Binding) -> Self {
        Self::new(
            RootKeyErrorCode::OtherProvider,
            format!(
                "the root key of this data folder is held by another provider than {}",
                given.provider
            ),
            format!(
                "the data folder is bound to root key {} of provider {}",
                bound_to.id, bound_to.provider
            ),
            format!("give the settings of provider {}", bound_to.provider),
        )
    }

    pub(crate) fn binding_damaged() -> Self {
        Self::new(
            RootKeyErrorCode::BindingDamaged,
            "the record that binds the data folder to its root key is damaged".to_owned(),
            "without the key in it nothing in the data folder can be decrypted",
            "restore the data folder from a backup",
        )
    }

    pub(super) fn mode(path: &Path, mode: u32) -> Self {
        let mode = mode & 0o7777;
        let (bits, who, whom) = match (mode & 0o007, mode >> 3 & 0o007) {
            (0, 0) => (
                0,
                "",
                "that mode gives more than reading and writing by the owner",
            ),
            (0, group) => (
                group,
                "group",
                "anyone in that group could decrypt every stored key",
            ),
            (others, _) => (
                others,
                "everyone",
                "anyone on this machine could decrypt every stored key",
            ),
        };
        let what = if bits == 0 {
            format!("root key file `{}` has mode {mode:04o}", path.display())
        } else {
            let verb = if bits & 4 != 0 {
                "readable"
            } else if bits & 2 != 0 {
                "writable"
            } else {
                "executable"
            };
            format!(
                "root key file `{}` is {verb} by {who} (mode {mode:04o})",
                path.display()
            )
        };
        Self::new(
            RootKeyErrorCode::Mode,
            what,
            whom,
            format!("chmod 600 {}", path.display()),
        )
    }

    pub(super) fn not_a_file(path: &Path) -> Self {
        Self::new(
            RootKeyErrorCode::NotAFile,
            format!("root key file `{}` is not a regular file", path.display()),
            "its mode and owner would say nothing about who can read the key",
            "name a regular file with `--root-key-file`",
        )
    }

    pub(super) fn cannot_wrap(error: SealError) -> Self {
        Self::new(
            RootKeyErrorCode::CannotWrap,
            "the root key did not wrap a key".to_owned(),
            error.to_string(),
            "report it; no input is known that leads here",
        )
    }

    pub(super) fn cannot_unwrap(id: RootKeyId, error: OpenError) -> Self {
        Self::new(
            RootKeyErrorCode::CannotUnwrap,
            format!("a stored key does not open with root key {id}"),
            error.to_string(),
            "restore the data folder from a backup, or name the root key that it is bound to",
        )
    }
}

impl fmt::Display for RootKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "error: {}\n  why: {}\n  fix: {}\n  code: {}",
            self.what, self.why, self.fix, self.code
        )
    }
}

impl std::error::Error for RootKeyError {}
