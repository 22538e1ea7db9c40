//! Removes secrets from the words of an error and bounds their length.

use crate::{http::bounded, redact::redact};
use mmd_elevate_core::{CallError, Disposition, ErrorCode, RequestIds, Untrusted, visible};

/// What to do after a list that failed in passing.
const LOOK_AGAIN: &str = "look again a little later";

/// Takes the secrets out of everything that came from elsewhere, for a service may repeat what it was sent, and bounds
/// it. In this order: a secret that is cut in two would not be found.
pub(super) fn presentable(mut error: CallError) -> CallError {
    let text = |text: &str| bounded(redact(text).into_owned());
    error.words = error.words.map(|words| Untrusted::new(text(words.raw()))).filter(|words| !words.is_blank());
    error.ids = presentable_ids(error.ids);
    error.problem.what = visible(&text(&error.problem.what)).into_owned();
    error
}

/// The same for a call that only reads: nothing can have been done, so that it is harmless to ask again.
pub(super) fn presentable_for_reading(error: CallError) -> CallError {
    let error = presentable(error);
    if error.disposition == Disposition::Repeat(None) && error.code == Some(ErrorCode::NotConnected) {
        return error.with_hint("check the network and the base URL, then look again");
    }
    if error.disposition == Disposition::Unknown || error.code == Some(ErrorCode::Throttled) {
        return error.with_hint(LOOK_AGAIN);
    }
    error
}

/// The same for the ids alone: an answer that is no error has them too.
pub(super) fn presentable_ids(ids: RequestIds) -> RequestIds {
    let service = ids.service.map(|id| Untrusted::new(bounded(redact(id.raw()).into_owned())));
    RequestIds { service: service.filter(|id| !id.is_blank()), ..ids }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::LONGEST_TEXT;

    #[test]
    fn a_service_that_repeats_the_token_does_not_put_it_on_the_screen() {
        crate::redact::register(crate::redact::Kind::Token, "zanary-token");
        let echo = format!("{}zanary-token", "x".repeat(LONGEST_TEXT - 3));
        let error = CallError {
            words: Some(Untrusted::new(&echo)),
            ids: RequestIds { client: None, service: Some(Untrusted::new(&echo)) },
            ..CallError::broken_answer(&format!("its id is \x1b{echo}"))
        };
        let error = presentable(error);
        assert!(!format!("{error:?}").contains("zan"), "{error:?}");
        assert_eq!(error.words.unwrap().raw().chars().count(), LONGEST_TEXT + 1);
    }
}
