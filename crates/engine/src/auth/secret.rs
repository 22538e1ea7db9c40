//! Reading secrets: from memory, a private file, or a command. Nothing that may be a secret is named in an error, not even
//! a path that leads nowhere: somebody may have put the secret where its file's name belongs.

use std::{path::Path, time::Duration};

use secrecy::SecretString;

use super::{SecretFrom, SignInError, command, text};
use crate::redact::{self, Kind};
use mmd_elevate_core::visible;
use mmd_elevate_files::SecretFileError;

/// The longest file of a secret, in bytes: certificates with their whole chain fit.
const LONGEST: usize = 64 << 10;

/// The client secret, as it is now.
pub(super) async fn client_secret(from: &SecretFrom, limit: Duration) -> Result<SecretString, SignInError> {
    let secret = match from {
        SecretFrom::Memory(secret) => return Ok(secret.clone()),
        SecretFrom::Command { program, arguments } => return command::secret(program, arguments, limit).await,
        SecretFrom::File(path) => read_secret_text(path, "the file of the client secret").await?,
    };
    match text::client_secret(&secret) {
        Ok(secret) => {
            redact::register(Kind::Secret, secret);
            Ok(secret.into())
        }
        Err(unfit) => {
            Err(SignInError::permanent(format!("the file of the client secret cannot be used: {unfit}"), unfit.hint()))
        }
    }
}

/// The text of a file that only the user can read. `what` is what it is called in an error.
pub(super) async fn read_secret_text(path: &Path, what: &'static str) -> Result<String, SignInError> {
    read(path, what, |path| mmd_elevate_files::read_secret(path, LONGEST)).await
}

/// The text of a file that anybody may read.
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
    // The disk may never answer: it is asked on a thread of its own.
    let failed = || SignInError::permanent(format!("{what} cannot be read: the program failed"), "sign in again");
    tokio::task::spawn_blocking(read).await.unwrap_or_else(|_| Err(failed()))
}

fn decoded(bytes: &[u8], path: &Path, what: &str) -> Result<String, SignInError> {
    text::decoded(bytes).map(str::to_owned).map_err(|unfit| {
        SignInError::permanent(format!("{what}, {}, cannot be used: {unfit}", shown(path)), unfit.hint())
    })
}

fn refused(path: &Path, what: &str, error: &SecretFileError) -> SignInError {
    let hint = match error {
        SecretFileError::Open => format!("run: chmod 600 {}", quoted(path)),
        SecretFileError::NotOurs => "copy it to a file of your own that only you can read".to_owned(),
        SecretFileError::Io(_) => "correct the path, and see to it that you may read the file".to_owned(),
        SecretFileError::NotAFile | SecretFileError::TooLong => "correct the path".to_owned(),
    };
    let why = match error {
        SecretFileError::Io(error) => format!("it cannot be read ({error})"),
        other => other.to_string(),
    };
    SignInError::permanent(format!("{what}, {}, is not used: {why}", shown(path)), hint)
}

/// A path that is there is one, and is shown. Of another the folders that are there are shown, and no more.
fn shown(path: &Path) -> String {
    let exists = |path: &&Path| path.symlink_metadata().is_ok();
    let shown = |path: &Path| visible(&path.to_string_lossy()).into_owned();
    if exists(&path) {
        return shown(path);
    }
    match path.ancestors().skip(1).filter(|path| !path.as_os_str().is_empty()).find(exists) {
        Some(folder) => format!("which should be in {}", shown(folder)),
        None => "which should be in the folder of the settings file".to_owned(),
    }
}

/// For a shell.
fn quoted(path: &Path) -> String {
    let path = shown(path);
    shlex::try_quote(&path).map_or_else(|_| path.clone(), std::borrow::Cow::into_owned)
}
