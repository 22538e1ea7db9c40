//! Answers of a token endpoint: a token that can be sent and has an end, or an error in words without the secret.

use jiff::Timestamp;
use mmd_elevate_core::invisible_characters;
use mmd_elevate_engine::auth::read_token_answer;

/// The body of an answer, with every status that means something of its own.
pub(crate) fn token_answer(data: &[u8]) {
    for status in [200, 302, 400, 401, 408, 429, 500, 503] {
        match read_token_answer(status, data) {
            Ok(token) => {
                assert_eq!(status, 200);
                assert!(token.ends().is_some_and(|ends| ends > Timestamp::UNIX_EPOCH));
            }
            Err(error) => {
                let told = error.to_string();
                assert_eq!(invisible_characters(&told), 0, "{told:?}");
                assert!(!format!("{told} {error:?}").contains("canary-secret"), "{told:?}");
                assert!(told.chars().count() < 4_000, "{} characters", told.chars().count());
            }
        }
    }
}
