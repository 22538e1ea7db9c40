//! Removes secrets from the words of an error and bounds their length.

use crate::{http::truncate, redact::redact};
use mmd_elevate_core::{CallError, Disposition, ErrorCode, RequestIds, Untrusted, visible};

/// The hint after a transient failure of a list.
const LOOK_AGAIN: &str = "look again a little later";

/// Removes secrets from the service's texts and truncates them: a service may repeat what it was sent. Truncation comes second,
/// because a truncated secret might not be found.
pub(super) fn sanitize(mut error: CallError) -> CallError {
    let text = |text: &str| truncate(redact(text).into_owned());
    error.service_message =
        error.service_message.map(|message| Untrusted::new(text(message.raw()))).filter(|message| !message.is_blank());
    error.ids = sanitize_ids(error.ids);
    error.problem.what = visible(&text(&error.problem.what)).into_owned();
    error
}

/// Sanitizes the error of a read, which has changed nothing, so that the hint is to try again.
pub(super) fn sanitize_read(error: CallError) -> CallError {
    let error = sanitize(error);
    if error.disposition == Disposition::Repeat(None) && error.code == Some(ErrorCode::NotConnected) {
        return error.with_hint("check the network and the base URL, then look again");
    }
    if error.disposition == Disposition::Unknown || error.code == Some(ErrorCode::Throttled) {
        return error.with_hint(LOOK_AGAIN);
    }
    error
}

/// Sanitizes the ids, which a successful answer has too.
pub(super) fn sanitize_ids(ids: RequestIds) -> RequestIds {
    let service = ids.service.map(|id| Untrusted::new(truncate(redact(id.raw()).into_owned())));
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
            service_message: Some(Untrusted::new(&echo)),
            ids: RequestIds { client: None, service: Some(Untrusted::new(&echo)) },
            ..CallError::broken_answer(&format!("its id is \x1b{echo}"))
        };
        let error = sanitize(error);
        assert!(!format!("{error:?}").contains("zan"), "{error:?}");
        assert_eq!(error.service_message.unwrap().raw().chars().count(), LONGEST_TEXT + 1);
    }
}
