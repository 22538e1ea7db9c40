//! The question for the background of the terminal: when it is asked, and which answer counts. It writes nothing.

use std::time::{Duration, Instant};

use crate::terminal::{Background, Input, InputBatch, TerminalReply};

/// How long an answer may take. A later one changes nothing, because the colours would change while the agent reads.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(200);

/// The state of the question, which is asked once. No timer is needed: a batch of inputs says when it was read.
#[derive(Debug, Default)]
pub(super) enum BackgroundQuestion {
    /// It is not asked, or no longer answered.
    #[default]
    Closed,
    /// It is asked after the first frame.
    Due,
    /// When it was asked.
    Asked(Instant),
}

impl BackgroundQuestion {
    /// Returns the background that these inputs say, if they come in time.
    pub(super) fn answer(&mut self, batch: &InputBatch) -> Option<Background> {
        let Self::Asked(at) = *self else { return None };
        if batch.at.saturating_duration_since(at) > ANSWER_TIMEOUT {
            *self = Self::Closed;
            return None;
        }
        let background = batch.inputs.iter().find_map(|input| match input {
            Input::Reply(TerminalReply::Background(red, green, blue)) => {
                Some(Background::from_rgb(*red, *green, *blue))
            }
            _ => None,
        })?;
        *self = Self::Closed;
        Some(background)
    }

    /// Returns how long an answer may still come, or `None` if none is expected.
    pub(super) fn time_left(&self) -> Option<Duration> {
        let Self::Asked(at) = self else { return None };
        ANSWER_TIMEOUT.checked_sub(at.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHITE: Input = Input::Reply(TerminalReply::Background(255, 255, 255));
    const BLACK: Input = Input::Reply(TerminalReply::Background(0, 0, 0));

    fn answers(mut question: BackgroundQuestion, batches: &[(Instant, &[Input])]) -> Vec<Option<Background>> {
        let batch = |(at, inputs): &(Instant, &[Input])| InputBatch { at: *at, inputs: inputs.to_vec() };
        batches.iter().map(|item| question.answer(&batch(item))).collect()
    }

    #[test]
    fn first_answer_in_time_counts_and_no_other() {
        let asked = Instant::now();
        let after = |millis| asked + Duration::from_millis(millis);
        let question = || BackgroundQuestion::Asked(asked);
        let text_colour = Input::Reply(TerminalReply::Foreground(255, 255, 255));
        assert_eq!(
            answers(
                question(),
                &[(after(1), &[text_colour]), (after(200), &[Input::NotUtf8, WHITE]), (after(3), &[BLACK])]
            ),
            [None, Some(Background::Light), None]
        );
        assert_eq!(answers(question(), &[(after(201), &[WHITE]), (after(3), &[BLACK])]), [None, None]);
        for question in [BackgroundQuestion::Due, BackgroundQuestion::Closed] {
            assert_eq!(answers(question, &[(asked, &[WHITE])]), [None], "nobody has asked");
        }
    }
}
