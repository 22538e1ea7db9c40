//! The stories of a shift, with their keys counted: what is typed as content does not count.

use jiff::ToSpan;
use mmd_elevate::dashboard::{Pane, RowState};
use mmd_elevate_core::{ElevationRequest, EndedRequest, Field, Recovered, RequestId, Untrusted};

use crate::support::{
    dashboard::{Dashboard, closed, start},
    keys::events,
    record::held,
};

/// A dashboard, and how many keys were pressed.
struct Story {
    dashboard: Dashboard,
    keys: usize,
}

impl Story {
    fn of(dashboard: Dashboard) -> Self {
        Self { dashboard, keys: 0 }
    }

    /// Presses keys that count, and looks after each.
    fn keys(mut self, keys: &str) -> Self {
        self.keys += events(keys).len();
        self.dashboard.press(keys);
        self
    }

    /// Types content, which does not count.
    fn types(mut self, text: &str) -> Self {
        self.dashboard.press(&format!("'{text}'"));
        self
    }

    fn takes_at_most(&self, keys: usize) {
        assert!(self.keys <= keys, "{} keys, and at most {keys} are allowed", self.keys);
    }
}

fn four() -> Dashboard {
    let mut dashboard = Dashboard::with_open(&["INC-1 MMD-1 A", "INC-2 MMD-2 B", "INC-3 MMD-3 C", "INC-4 MMD-4 D"]);
    dashboard.press("g");
    dashboard
}

#[test]
fn create_by_hand_takes_at_most_10_keys() {
    let story = Story::of(Dashboard::new()).keys("n").types("INC-10442").keys("tab").types("MMD-03690457680");
    let story = story.keys("tab").types("Excel crashes").keys("tab").types("off").keys("tab").types("ex").keys("tab");
    let story = story.types("Start Excel as administrator.").keys("ctrl-s");
    let sent = story.dashboard.create(0);
    assert_eq!((sent.get(Field::Category), sent.get(Field::Subcategory)), ("Office", "Excel"));
    story.takes_at_most(10);
}

#[test]
fn create_from_a_pasted_ticket_with_a_template_takes_at_most_8_keys() {
    let mut story = Story::of(Dashboard::new());
    story.dashboard.paste("INC-10442 Excel crashes\nDevice: MMD-03690457680");
    story.keys += 1; // The paste.
    let story = story.types("Excel crashes").keys("tab tab tab ctrl-t").types("add-in").keys("enter");
    let story = story.types("the finance add-in").keys("tab").types("Ann").keys("ctrl-s");
    let sent = story.dashboard.create(0);
    let texts = Field::ALL.map(|field| sent.get(field).to_owned());
    assert_eq!(texts[..5], ["INC-10442", "MMD-03690457680", "Excel crashes", "Office", "Excel"]);
    assert!(texts[5].contains("remove the finance add-in") && texts[5].contains("Test with Ann"), "{}", texts[5]);
    story.takes_at_most(8);
}

#[test]
fn close_takes_at_most_2_keys() {
    let story = Story::of(four()).keys("c").types("Done.").keys("ctrl-s");
    assert_eq!(story.dashboard.close(0), ("id-4", "Done."));
    story.takes_at_most(2);
}

#[test]
fn closing_four_with_one_text_takes_at_most_8_keys() {
    let story = Story::of(four()).keys("space space space space c ctrl-r").types("Done.").keys("ctrl-s");
    assert_eq!(story.dashboard.calls().len(), 4);
    story.takes_at_most(8);
    let story = Story::of(four()).keys("* c ctrl-r").types("Done.").keys("ctrl-s");
    assert_eq!((story.dashboard.calls().len(), story.keys), (4, 4), "and half of them where all are meant");
}

#[test]
fn what_is_open_on_the_device_takes_one_key_in_the_form_and_none_before_a_create() {
    let mut dashboard = Dashboard::new();
    dashboard.lists_of_device(Some(vec![held("INC-9 MMD-03690457680 Other", "id-9")]));
    dashboard.press("n INC-1 tab MMD-03690457680 tab");
    let story = Story::of(dashboard);
    assert!(story.dashboard.notice().contains("1 open on MMD-03690457680"), "{}", story.dashboard.notice());
    story.takes_at_most(0);
    let story = story.keys("ctrl-g");
    assert!(story.dashboard.shows("Already open on MMD-03690457680") && story.dashboard.shows("INC-9"));
    story.takes_at_most(1);
}

#[test]
fn what_was_closed_yesterday_takes_1_key() {
    let yesterday = start() - 20.hours();
    let request = ElevationRequest {
        actions_taken: Untrusted::new("Add-in removed."),
        ..closed(held("INC-7 MMD-7 Yesterday", "id-7"), "agent@partner.example", yesterday)
    };
    let mut dashboard = Dashboard::opening(120, 36);
    let ended = EndedRequest { request, at: yesterday, on_word: false };
    dashboard.recovered(Recovered { closed: vec![ended], ..Recovered::default() });
    let story = Story::of(dashboard).keys("4");
    for text in ["INC-7", "Nov 21", "Add-in removed."] {
        assert!(story.dashboard.shows(text), "{text}\n{}", story.dashboard.screen());
    }
    story.takes_at_most(1);
}

#[test]
fn what_was_opened_by_mistake_is_closed_with_2_keys() {
    let story = Story::of(four()).keys("u ctrl-s");
    assert_eq!(story.dashboard.close(0).0, "id-4");
    story.takes_at_most(2);
}

#[test]
fn shift_goes_from_a_paste_to_a_closed_request() {
    let mut dashboard = Dashboard::new();
    dashboard.paste("INC-10442 on MMD-03690457680");
    let story = Story::of(dashboard).types("Excel crashes").keys("tab tab tab ctrl-t").types("add-in").keys("enter");
    let mut story = story.types("x").keys("tab").types("Ann").keys("ctrl-s");
    story.dashboard.opened();
    let mut story = story.keys("c ctrl-t enter ctrl-s");
    story.dashboard.closed();
    let id = RequestId::new("id-1").unwrap();
    assert!(matches!(story.dashboard.model.requests.find(&id).unwrap().state, RowState::Closed(_)));
    assert_eq!(story.dashboard.model.pane, Pane::List);
    story.takes_at_most(11);
}
