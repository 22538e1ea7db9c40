//! Reading secrets: from memory, a private file, or a command.

use std::{path::Path, time::Duration};

use secrecy::SecretString;

use super::{SecretFrom, SignInError, command};
use crate::{
    domain::visible,
    private::{SecretFileError, read_secret},
};

/// The longest file of a secret, in bytes: certificates with their whole chain fit.
const LONGEST: usize = 64 << 10;

/// The client secret, as it is now.
pub(super) async fn client_secret(from: &SecretFrom, limit: Duration) -> Result<SecretString, SignInError> {
    match from {
        SecretFrom::Memory(secret) => Ok(secret.clone()),
        SecretFrom::Command { program, arguments } => command::secret(program, arguments, limit).await,
        SecretFrom::File(path) => {
            let text = text_of(path, "the file of the client secret").await?;
            let text = text.trim();
            if text.is_empty() || text.contains(['\n', '\r']) {
                let what = format!("the file of the client secret, {}, does not hold one line", shown(path));
                return Err(SignInError::lasting(what, "put the secret's value into it, and nothing else"));
            }
            Ok(text.into())
        }
    }
}

/// The text of a file that only the user can read. `what` is what it is called in an error.
pub(super) async fn text_of(path: &Path, what: &str) -> Result<String, SignInError> {
    let read = {
        let path = path.to_owned();
        tokio::task::spawn_blocking(move || read_secret(&path, LONGEST)).await
    };
    let read = read.unwrap_or_else(|_| Err(SecretFileError::Io(std::io::Error::other("the program failed"))));
    let bytes = read.map_err(|error| refused(path, what, &error))?;
    String::from_utf8(bytes)
        .map_err(|_| SignInError::lasting(format!("{what}, {}, is not text", shown(path)), "name another file"))
}

fn refused(path: &Path, what: &str, error: &SecretFileError) -> SignInError {
    let hint = match error {
        SecretFileError::Open => format!("run: chmod 600 {}", quoted(path)),
        SecretFileError::NotOurs => "copy it to a file of your own that only you can read".to_owned(),
        SecretFileError::Io(_) => "correct the path, and see to it that you may read the file".to_owned(),
        SecretFileError::NotAFile | SecretFileError::TooLong => "correct the path".to_owned(),
    };
    let why = match error {
        SecretFileError::Io(error) => format!("it cannot be read ({})", error.kind()),
        other => other.to_string(),
    };
    SignInError::lasting(format!("{what}, {}, is not used: {why}", shown(path)), hint)
}

fn shown(path: &Path) -> String {
    visible(&path.to_string_lossy()).into_owned()
}

/// For a shell.
fn quoted(path: &Path) -> String {
    let path = shown(path);
    shlex::try_quote(&path).map_or_else(|_| path.clone(), std::borrow::Cow::into_owned)
}
