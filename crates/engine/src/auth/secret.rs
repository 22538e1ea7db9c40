//! Reads secrets from memory, a private file, or a command. An error never shows a possible secret, not even a path that does
//! not exist: the user may have written the secret in place of the file's name.

use std::{path::Path, time::Duration};

use secrecy::SecretString;

use super::{ClientSecretSource, SignInError, command, text};
use crate::redact::{self, Kind};
use mmd_elevate_core::visible;
use mmd_elevate_files::SecretFileError;

/// The longest file of a secret, in bytes: enough for a certificate chain.
const LONGEST: usize = 64 << 10;

/// Returns the current client secret.
pub(super) async fn client_secret(from: &ClientSecretSource, limit: Duration) -> Result<SecretString, SignInError> {
    let secret = match from {
        ClientSecretSource::Memory(secret) => return Ok(secret.clone()),
        ClientSecretSource::Command { program, arguments } => return command::secret(program, arguments, limit).await,
        ClientSecretSource::File(path) => read_secret_text(path, "the file of the client secret").await?,
    };
    match text::parse_client_secret(&secret) {
        Ok(secret) => {
            redact::register(Kind::Secret, secret);
            Ok(secret.into())
        }
        Err(unfit) => {
            Err(SignInError::permanent(format!("the file of the client secret cannot be used: {unfit}"), unfit.hint()))
        }
    }
}

/// Reads the text of a file to which only the user has access. `what` names the file in errors.
pub(super) async fn read_secret_text(path: &Path, what: &'static str) -> Result<String, SignInError> {
    read(path, what, |path| mmd_elevate_files::read_secret(path, LONGEST)).await
}

/// Reads the text of a file that needs no protection.
pub(super) async fn read_public_text(path: &Path, what: &'static str) -> Result<String, SignInError> {
    read(path, what, |path| Ok(mmd_elevate_files::read_bounded(path, LONGEST)?)).await
}

async fn read(
    path: &Path,
    what: &'static str,
    read: impl FnOnce(&Path) -> Result<Vec<u8>, SecretFileError> + Send + 'static,
) -> Result<String, SignInError> {
    let path = path.to_owned();
    let read = move || {
        let bytes = read(&path).map_err(|error| refused(&path, what, &error))?;
        decoded(&bytes, &path, what)
    };
    // On a blocking thread, because a disk may never answer.
    let failed = || SignInError::permanent(format!("{what} cannot be read: the program failed"), "sign in again");
    tokio::task::spawn_blocking(read).await.unwrap_or_else(|_| Err(failed()))
}

fn decoded(bytes: &[u8], path: &Path, what: &str) -> Result<String, SignInError> {
    text::decode(bytes).map(str::to_owned).map_err(|unfit| {
        SignInError::permanent(format!("{what}, {}, cannot be used: {unfit}", display_path(path)), unfit.hint())
    })
}

fn refused(path: &Path, what: &str, error: &SecretFileError) -> SignInError {
    let hint = match error {
        SecretFileError::Open => format!("run: chmod 600 {}", shell_quoted(path)),
        SecretFileError::NotOurs => "copy it to a file of your own that only you can read".to_owned(),
        SecretFileError::Io(_) => "correct the path, and see to it that you may read the file".to_owned(),
        SecretFileError::NotAFile | SecretFileError::TooLong => "correct the path".to_owned(),
    };
    let why = match error {
        SecretFileError::Io(error) => format!("it cannot be read ({error})"),
        other => other.to_string(),
    };
    SignInError::permanent(format!("{what}, {}, is not used: {why}", display_path(path)), hint)
}

/// Formats a path for an error. Of a path that does not exist, only the existing folders are shown.
fn display_path(path: &Path) -> String {
    let exists = |path: &&Path| path.symlink_metadata().is_ok();
    let display = |path: &Path| visible(&path.to_string_lossy()).into_owned();
    if exists(&path) {
        return display(path);
    }
    match path.ancestors().skip(1).filter(|path| !path.as_os_str().is_empty()).find(exists) {
        Some(folder) => format!("which should be in {}", display(folder)),
        None => "which should be in the folder of the settings file".to_owned(),
    }
}

/// Quotes a path for a shell.
fn shell_quoted(path: &Path) -> String {
    let path = display_path(path);
    shlex::try_quote(&path).map_or_else(|_| path.clone(), std::borrow::Cow::into_owned)
}
