//! Signing in, as the agent sees it: a notice says what went wrong, and that signing in works again.

use super::{Effect, Model, Notice, Tone};
use crate::keys::{Action, Scope};
use mmd_elevate_core::{CallError, SignIn};

/// Applies where signing in stands.
pub(super) fn apply(model: &mut Model, sign_in: SignIn) {
    let failed = |tone, text: String, error: &CallError| Some(Notice { tone, text, hint: Some(hint(model, error)) });
    let notice = match &sign_in {
        SignIn::SignedOut(error) => failed(Tone::Failure, format!("Signed out: {}", reason(error)), error),
        SignIn::NotRenewed { until, error } => {
            let lasts = until.map_or_else(String::new, |until| format!("; it lasts until {}", model.clock_time(until)));
            failed(Tone::Doubt, format!("The sign-in was not renewed{lasts}: {}", reason(error)), error)
        }
        SignIn::SignedIn { .. } if model.announces_sign_in => Some(Notice::success("Signed in again")),
        SignIn::SignedIn { .. } | SignIn::SigningIn | SignIn::Renewing { .. } => None,
    };
    match &sign_in {
        SignIn::SignedOut(_) | SignIn::NotRenewed { .. } => model.announces_sign_in = true,
        SignIn::SignedIn { .. } => model.announces_sign_in = false,
        SignIn::SigningIn | SignIn::Renewing { .. } => {}
    }
    if let Some(notice) = notice.filter(|_| model.sign_in.as_ref() != Some(&sign_in)) {
        model.notice = Some(notice);
    }
    model.sign_in = Some(sign_in);
}

/// Asks for a new token.
pub(super) fn request_token(model: &mut Model) -> Effect {
    model.announces_sign_in = true;
    Effect::SignIn
}

/// Why there is no token, without saying again that there is none.
fn reason(error: &CallError) -> String {
    let what = error.what();
    what.strip_prefix("Not signed in: ").map_or_else(|| what.clone(), str::to_owned)
}

/// What to do about it, ending with the key that signs in again.
fn hint(model: &Model, error: &CallError) -> String {
    let (first, key) = (error.hint(), model.keymap.name(Scope::Panes, Action::SignIn));
    format!("{}; {key} signs in again", first.strip_suffix(", then sign in again").unwrap_or(first))
}
