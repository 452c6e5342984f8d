//! The access key for a key service: from the environment, or from a file in the form that AWS clients share.

use crate::secret_input;
use bulla_envelope::SecretBytes;
use std::path::PathBuf;
use zeroize::Zeroizing;

/// The profile that is read.
const PROFILE: &str = "[default]";

/// An access key, with the token of temporary credentials.
pub(crate) struct KmsCredentials {
    pub(crate) id: String,
    pub(crate) secret: Zeroizing<String>,
    pub(crate) token: Option<Zeroizing<String>>,
}

impl std::fmt::Debug for KmsCredentials {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "KmsCredentials({}, ..)", self.id)
    }
}

impl Clone for KmsCredentials {
    fn clone(&self) -> Self {
        Self {
            id: self.id.clone(),
            secret: self.secret.clone(),
            token: self.token.clone(),
        }
    }
}

/// Where the access key is found, each time it is needed.
#[derive(Clone, Debug)]
pub(crate) enum CredentialSource {
    /// A file, read anew each time, so that temporary credentials can be renewed in it.
    File(PathBuf),
    /// These.
    Given(KmsCredentials),
}

impl CredentialSource {
    /// A file, or the environment of this process.
    pub(crate) fn of(file: Option<&PathBuf>) -> Option<Self> {
        if let Some(file) = file {
            return Some(Self::File(
                std::path::absolute(file).unwrap_or_else(|_| file.clone()),
            ));
        }
        let text = |variable| text_of(&secret_input::of_environment(variable)?);
        Some(Self::Given(KmsCredentials {
            id: std::env::var("AWS_ACCESS_KEY_ID")
                .ok()
                .filter(|id| !id.is_empty())?,
            secret: text("AWS_SECRET_ACCESS_KEY")?,
            token: text("AWS_SESSION_TOKEN"),
        }))
    }

    /// The access key now, or why there is none.
    pub(crate) fn find(&self) -> Result<KmsCredentials, String> {
        match self {
            Self::Given(credentials) => Ok(credentials.clone()),
            Self::File(path) => {
                let text =
                    secret_input::whole_file(path, "the credentials").map_err(|error| error.to_string())?;
                let text = text_of(&text).ok_or("the file with the credentials is not UTF-8")?;
                parse(&text).ok_or_else(|| {
                    format!(
                        "`{}` has no access key under {PROFILE}: `aws_access_key_id`, `aws_secret_access_key` and, \
                         for temporary ones, `aws_session_token`",
                        path.display()
                    )
                })
            }
        }
    }
}

fn text_of(secret: &SecretBytes) -> Option<Zeroizing<String>> {
    std::str::from_utf8(secret.expose())
        .ok()
        .map(|text| Zeroizing::new(text.to_owned()))
}

/// The form of the shared credentials file (AWS SDKs and Tools Reference Guide, "Shared config and credentials files").
fn parse(text: &str) -> Option<KmsCredentials> {
    let mut in_profile = false;
    let (mut id, mut secret, mut token) = (None, None, None);
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') {
            in_profile = line == PROFILE;
        } else if let Some((name, value)) = line.split_once('=')
            && in_profile
            && !line.starts_with('#')
        {
            let value = value.trim();
            match name.trim() {
                "aws_access_key_id" => id = Some(value.to_owned()),
                "aws_secret_access_key" => secret = Some(Zeroizing::new(value.to_owned())),
                "aws_session_token" => token = Some(Zeroizing::new(value.to_owned())),
                _ => {}
            }
        }
    }
    Some(KmsCredentials {
        id: id?,
        secret: secret?,
        token,
    })
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn the_default_profile_of_a_shared_file_is_read() {
        let text = "# mine\n[other]\naws_access_key_id = AKIAOTHER\n[default]\naws_access_key_id=AKIAEXAMPLE\n\
                    aws_secret_access_key = a/b+c=\nregion = x\n[third]\naws_secret_access_key = no\n";
        let found = parse(text).unwrap();
        assert_eq!(
            (found.id.as_str(), found.secret.as_str()),
            ("AKIAEXAMPLE", "a/b+c=")
        );
        assert!(found.token.is_none());
        assert_eq!(format!("{found:?}"), "KmsCredentials(AKIAEXAMPLE, ..)");
        assert!(parse("[default]\naws_access_key_id = AKIAEXAMPLE\n").is_none());
    }
}
