//! What an agent does, at random, through what the dashboard offers.

use mmd_elevate::{
    dashboard::{Message, Overlay, Pane, RowState},
    keys::{Action, Motion, Tab},
};
use mmd_elevate_core::Field;

use super::{
    chance::{LIMITED, TWICE},
    world::{Key, World},
};

/// Of the practice tenant.
const DEVICES: [&str; 3] = ["MMD-03690457680", "MMD-00000000001", "mmd-00000000005"];

impl World {
    fn act(&mut self, action: Action) {
        self.process.apply(Message::Act(action));
    }

    /// Back to the list, with nothing before it.
    fn goes_home(&mut self) {
        for _ in 0..20 {
            if self.process.model.overlays.is_empty() && self.process.model.pane == Pane::List {
                return;
            }
            self.act(Action::Back);
        }
        panic!("no way back to the list: {:?}", self.process.model.overlays);
    }

    /// A text that nobody has typed yet.
    fn types_something(&mut self) {
        self.typed += 1;
        let text = format!("text-{}-{}.", self.seed, self.typed);
        self.process.apply(Message::Text(text.clone()));
        self.texts.insert(text, super::world::Text::by(self.process.agent));
    }

    pub(super) fn writes_in_the_form(&mut self) {
        self.goes_home();
        self.act(Action::NewRequest);
        if self.process.model.form.is_empty() {
            let again = self.chance.one_in(3).then(|| self.confirmed.keys().cloned().collect::<Vec<_>>());
            if let Some(known) = again.filter(|known| !known.is_empty()) {
                // Word for word as one before, on purpose.
                let key = known[self.chance.below(known.len())].clone();
                for text in [&key.ticket, &key.device, &key.title, "Office", "Excel", &key.plan] {
                    self.process.apply(Message::Paste(text.to_owned()));
                    self.act(Action::NextField);
                }
            } else {
                let ticket = self.chance.of(&["INC-1", "INC-2", TWICE, LIMITED]);
                let device = self.chance.of(&DEVICES);
                for text in [ticket, device, "Excel crashes", "Office", "Excel"] {
                    self.process.apply(Message::Text(text.to_owned()));
                    self.act(Action::NextField);
                }
                self.types_something();
            }
        } else {
            for _ in 0..Field::ALL.len() {
                if self.process.model.form.focused == Field::PlanOfAction {
                    break;
                }
                self.act(Action::NextField);
            }
            match self.chance.below(6) {
                0 => {
                    let draft = self.process.model.form.draft();
                    self.lets_go(draft.get(Field::PlanOfAction));
                    self.act(Action::Discard);
                }
                1 => self.types_something(),
                _ => {}
            }
        }
        if !self.chance.one_in(4) {
            self.act(Action::Submit);
        }
        self.notes_calls();
    }

    /// Does something about one of the rows.
    pub(super) fn turns_to_a_row(&mut self) {
        self.goes_home();
        // Mostly one's own; at times whatever the tenant has open, somebody else's too.
        let tab = if self.chance.one_in(8) { Tab::Tenant } else { Tab::Mine };
        self.act(Action::ShowTab(tab));
        let count = self.process.model.requests.list().shown().len();
        if count == 0 {
            return;
        }
        self.act(Action::Move(Motion::First));
        for _ in 0..self.chance.below(count) {
            self.act(Action::Move(Motion::Down));
        }
        let Some(row) = self.process.model.requests.selected() else { return };
        let (id, state) = (row.id, row.state);
        match state {
            RowState::Open | RowState::CloseUnknown | RowState::Accepted => {
                self.act(Action::CloseRequest);
                self.answers_the_dialog();
            }
            RowState::Checking(_) | RowState::Sending(_) | RowState::Looking(_) | RowState::Closing(_) => {
                self.act(Action::Abandon);
            }
            RowState::Refused | RowState::Draft => self.act(Action::Open),
            RowState::Unknown => {
                self.act(Action::Open);
                assert!(matches!(self.process.model.overlays.last(), Some(Overlay::Unknown(it, _)) if *it == id));
                self.decides();
            }
            RowState::SetAside | RowState::Closed(_) => {}
        }
        self.notes_calls();
    }

    fn answers_the_dialog(&mut self) {
        if !matches!(self.process.model.overlays.last(), Some(Overlay::Close { .. })) {
            return;
        }
        if self.chance.one_in(2) {
            self.types_something();
        }
        let answer = if self.chance.one_in(4) { Action::Back } else { Action::Submit };
        self.act(answer);
    }

    fn decides(&mut self) {
        let row = self.process.model.requests.selected().unwrap();
        let (draft, is_recorded, has_matches) =
            (row.draft.unwrap().clone(), row.write.is_some(), !row.possible().is_empty());
        match self.chance.below(6) {
            0 if is_recorded => {
                self.told.set_aside += 1;
                self.sets_aside(&draft);
                self.act(Action::SetAside);
            }
            1 => {
                self.act(Action::SendAgain);
                if self.chance.one_in(3) {
                    self.act(Action::Back);
                } else {
                    // What the first may have made stays in sight, and the second has the text: if it is refused, that has
                    // a second to be saved.
                    self.told.sent_again += 1;
                    self.again.insert(Key::of(&draft));
                    self.is_unsafe(draft.get(Field::PlanOfAction));
                    self.act(Action::Submit);
                }
            }
            2 if has_matches => {
                self.told.adopted += 1;
                self.act(Action::Move(Motion::Down));
                let chosen = self.process.model.chosen_match().unwrap();
                if Key::of_request(chosen) != Key::of(&draft) {
                    // Who says that another text is the one asks no more for this one, wherever it is.
                    self.sets_aside(&draft);
                }
                self.act(Action::Adopt);
            }
            3 if has_matches => {
                self.act(Action::CloseMatch);
                self.answers_the_dialog();
            }
            4 => self.act(Action::Back),
            _ => self.act(Action::LookAgain),
        }
    }

    pub(super) fn refreshes(&mut self) {
        self.goes_home();
        self.act(Action::Refresh);
    }

    /// Looks again for everything that is unknown.
    pub(super) fn looks_for_all(&mut self) {
        self.goes_home();
        self.act(Action::ShowTab(Tab::Mine));
        let unknown = |world: &Self| {
            let rows = world.process.model.requests.all();
            rows.filter(|row| row.state == RowState::Unknown).map(|row| row.id).collect::<Vec<_>>()
        };
        for id in unknown(self) {
            self.act(Action::Move(Motion::First));
            for _ in 0..self.process.model.requests.list().shown().len() {
                if self.process.model.requests.selected().is_some_and(|row| row.id == id) {
                    break;
                }
                self.act(Action::Move(Motion::Down));
            }
            self.act(Action::Open);
            self.act(Action::LookAgain);
        }
        self.goes_home();
        self.notes_calls();
    }
}
