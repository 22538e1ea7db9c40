//! Taking secrets out of what came from elsewhere.

use secrecy::{ExposeSecret, SecretString};

use crate::{
    domain::{Untrusted, visible},
    http::bounded,
    port::{Fault, FaultKind, RequestIds},
};

/// Takes the tokens out of everything that came from elsewhere, for a service may repeat what it was sent, and bounds
/// it. In this order: a token that is cut in two would not be found.
pub(super) fn presentable(mut fault: Fault, tokens: &[SecretString]) -> Fault {
    let text = |text: &str| without(text, tokens);
    fault.words = fault.words.map(|words| Untrusted::new(text(words.raw()))).filter(|words| !words.is_blank());
    fault.ids = presentable_ids(fault.ids, tokens);
    if let FaultKind::BrokenAnswer { reason }
    | FaultKind::NotReached { reason }
    | FaultKind::NotConnected { reason, .. }
    | FaultKind::NotSent { reason } = &mut fault.kind
    {
        *reason = visible(&text(reason)).into_owned();
    }
    fault
}

/// The same for the ids alone: an answer that is no fault has them too.
pub(super) fn presentable_ids(ids: RequestIds, tokens: &[SecretString]) -> RequestIds {
    let service = ids.service.map(|id| Untrusted::new(without(id.raw(), tokens)));
    RequestIds { service: service.filter(|id| !id.is_blank()), ..ids }
}

fn without(text: &str, tokens: &[SecretString]) -> String {
    let without = |text: String, token: &SecretString| text.replace(token.expose_secret(), "[token]");
    bounded(tokens.iter().fold(text.to_owned(), without))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::LONGEST_TEXT;

    #[test]
    fn a_service_that_repeats_the_token_does_not_put_it_on_the_screen() {
        let echo = format!("{}canary-token", "x".repeat(LONGEST_TEXT - 3));
        let fault = Fault {
            kind: FaultKind::BrokenAnswer { reason: format!("its id is \x1b{echo}") },
            words: Some(Untrusted::new(&echo)),
            ids: RequestIds { client: None, service: Some(Untrusted::new(&echo)) },
        };
        let fault = presentable(fault, &["another".into(), "canary-token".into()]);
        assert!(!format!("{fault:?}").contains("can"), "{fault:?}");
        assert_eq!(fault.words.unwrap().raw().chars().count(), LONGEST_TEXT + 1);
    }
}
