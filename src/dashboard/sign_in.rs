//! Signing in, as the agent sees it: the header says where it stands, and a notice what went wrong and that it is well
//! again.

use super::{Effect, Model, Notice, Tone};
use crate::keys::{Action, Scope};
use mmd_elevate_core::{CallError, SignIn};

/// The worker has told where signing in stands.
pub(super) fn told(model: &mut Model, sign_in: SignIn) {
    let told = |tone, text: String, fault: &CallError| Some(Notice { tone, text, hint: Some(and_again(model, fault)) });
    let notice = match &sign_in {
        SignIn::SignedOut(fault) => told(Tone::Failure, format!("Signed out: {}", why(fault)), fault),
        SignIn::NotRenewed { until, error: fault } => {
            let lasts = until.map_or_else(String::new, |until| format!("; it lasts until {}", model.clock_time(until)));
            told(Tone::Doubt, format!("The sign-in was not renewed{lasts}: {}", why(fault)), fault)
        }
        SignIn::SignedIn { .. } if model.tells_sign_in => Some(Notice::success("Signed in again")),
        SignIn::SignedIn { .. } | SignIn::SigningIn | SignIn::Renewing { .. } => None,
    };
    match &sign_in {
        SignIn::SignedOut(_) | SignIn::NotRenewed { .. } => model.tells_sign_in = true,
        SignIn::SignedIn { .. } => model.tells_sign_in = false,
        SignIn::SigningIn | SignIn::Renewing { .. } => {}
    }
    if let Some(notice) = notice.filter(|_| model.sign_in.as_ref() != Some(&sign_in)) {
        model.notice = Some(notice);
    }
    model.sign_in = Some(sign_in);
}

/// The agent wants a new token.
pub(super) fn again(model: &mut Model) -> Effect {
    model.tells_sign_in = true;
    Effect::SignIn
}

/// Why there is no token, without saying again that there is none.
fn why(fault: &CallError) -> String {
    let what = fault.what();
    what.strip_prefix("Not signed in: ").map_or_else(|| what.clone(), str::to_owned)
}

fn and_again(model: &Model, fault: &CallError) -> String {
    let (first, key) = (fault.hint(), model.keymap.name(Scope::Panes, Action::SignIn));
    format!("{}; {key} signs in again", first.strip_suffix(", then sign in again").unwrap_or(first))
}
