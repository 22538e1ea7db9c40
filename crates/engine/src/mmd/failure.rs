//! Taking secrets out of the words of a fault.

use crate::{http::bounded, redact::redact};
use mmd_elevate_core::{CallError, Disposition, ErrorCode, RequestIds, Untrusted, visible};

/// What to do after a list that failed in passing.
const LOOK_AGAIN: &str = "look again a little later";

/// Takes the secrets out of everything that came from elsewhere, for a service may repeat what it was sent, and bounds
/// it. In this order: a secret that is cut in two would not be found.
pub(super) fn presentable(mut fault: CallError) -> CallError {
    let text = |text: &str| bounded(redact(text).into_owned());
    fault.words = fault.words.map(|words| Untrusted::new(text(words.raw()))).filter(|words| !words.is_blank());
    fault.ids = presentable_ids(fault.ids);
    fault.problem.what = visible(&text(&fault.problem.what)).into_owned();
    fault
}

/// The same for a call that only reads: nothing can have been done, so that it is harmless to ask again.
pub(super) fn presentable_for_reading(fault: CallError) -> CallError {
    let fault = presentable(fault);
    if fault.disposition == Disposition::Repeat(None) && fault.code == Some(ErrorCode::NotConnected) {
        return fault.with_hint("check the network and the base URL, then look again");
    }
    if fault.disposition == Disposition::Unknown || fault.code == Some(ErrorCode::Throttled) {
        return fault.with_hint(LOOK_AGAIN);
    }
    fault
}

/// The same for the ids alone: an answer that is no fault has them too.
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
        crate::redact::register(crate::redact::Kind::Token, "canary-token");
        let echo = format!("{}canary-token", "x".repeat(LONGEST_TEXT - 3));
        let fault = CallError {
            words: Some(Untrusted::new(&echo)),
            ids: RequestIds { client: None, service: Some(Untrusted::new(&echo)) },
            ..CallError::broken_answer(&format!("its id is \x1b{echo}"))
        };
        let fault = presentable(fault);
        assert!(!format!("{fault:?}").contains("can"), "{fault:?}");
        assert_eq!(fault.words.unwrap().raw().chars().count(), LONGEST_TEXT + 1);
    }
}
