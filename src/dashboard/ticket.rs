//! The ticket of a request in the agent's own ticket system: its address, and what is said of opening it.

use super::{Effect, HandedOver, Model, Notice, clipboard};
use mmd_elevate_core::visible;

/// How much of an address a notice shows, in characters.
const LONGEST_SHOWN: usize = 60;

impl Model {
    /// The address of the ticket of the row in focus, or why there is none.
    pub(super) fn ticket_address(&self) -> Result<String, &'static str> {
        let form = self.ticket_url.as_ref().ok_or("`ticket_url` is not set in the settings file")?;
        let row = self.row_in_focus().and_then(|id| self.requests.get(id)).ok_or("no request is selected")?;
        form.address(&row.ticket())
    }
}

/// Has the ticket opened in the browser.
pub(super) fn open(model: &Model) -> Vec<Effect> {
    model.ticket_address().map(Effect::OpenAddress).into_iter().collect()
}

/// Says what became of an address, and never that a browser shows it: that is not known.
pub(super) fn notice(how: HandedOver, address: &str) -> Notice {
    match how {
        HandedOver::Asked(program) => {
            let mut shown: String = address.chars().take(LONGEST_SHOWN).collect();
            if shown.len() < address.len() {
                shown.push('…');
            }
            Notice::info(format!("Asked {} to open {}", visible(&program), visible(&shown)))
        }
        HandedOver::CopiedWithoutBrowser(to) => {
            let copied = clipboard::described(to, address, LONGEST_SHOWN);
            let hint = "open it by hand, or name a program that opens addresses in BROWSER";
            Notice::info(format!("{}; there is no browser or no display here", copied.text)).hint(hint)
        }
        HandedOver::CopiedAfterFailure(to, program) => {
            let copied = clipboard::described(to, address, LONGEST_SHOWN);
            Notice::doubt(format!("{}; {} did not open it", copied.text, visible(&program))).hint("open it by hand")
        }
    }
}
