//! Taking secrets out of the words of a fault.

use crate::{http::bounded, redact::redact};
use mmd_elevate_core::{CallError, CallErrorKind, RequestIds, Untrusted, visible};

/// Takes the secrets out of everything that came from elsewhere, for a service may repeat what it was sent, and bounds
/// it. In this order: a secret that is cut in two would not be found.
pub(super) fn presentable(mut fault: CallError) -> CallError {
    let text = |text: &str| bounded(redact(text).into_owned());
    fault.words = fault.words.map(|words| Untrusted::new(text(words.raw()))).filter(|words| !words.is_blank());
    fault.ids = presentable_ids(fault.ids);
    if let CallErrorKind::BrokenAnswer { reason }
    | CallErrorKind::NotReached { reason }
    | CallErrorKind::NotConnected { reason, .. }
    | CallErrorKind::NotSent { reason } = &mut fault.kind
    {
        *reason = visible(&text(reason)).into_owned();
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
            kind: CallErrorKind::BrokenAnswer { reason: format!("its id is \x1b{echo}") },
            words: Some(Untrusted::new(&echo)),
            ids: RequestIds { client: None, service: Some(Untrusted::new(&echo)) },
        };
        let fault = presentable(fault);
        assert!(!format!("{fault:?}").contains("can"), "{fault:?}");
        assert_eq!(fault.words.unwrap().raw().chars().count(), LONGEST_TEXT + 1);
    }
}
