//! Whatever is pressed, pasted, answered and resized: nothing panics, no call is forgotten, no draft is lost.

use std::collections::BTreeSet;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEventKind};
use mmd_elevate::{
    dashboard::{
        CloseDialog, Closure, Message, Model, Overlay, Pane, PointerTarget, RowId, RowState, ScrollLimits, Subject,
        update,
    },
    keys::{Action, BINDINGS, TextEdit},
    terminal::Input,
};
use mmd_elevate_core::{
    Call, CallError, CallId, CallResult, CloseElevationRequest, Draft, DraftTarget, Event, Field, Gaps, MatchResult,
    Operation, Problem, Progress, ReadBack, Recovered, WriteId, WriteRecord, WriteState, is_edge_blank,
};
use proptest::prelude::*;

use crate::support::{
    dashboard::{DRAFT, Dashboard, closed, created, mouse, opened, start},
    keys::{event, events},
    record::{checked, draft as full_draft, held as request_held, lost_close, lost_create, saved, saved_close},
};

#[derive(Clone, Debug)]
enum Step {
    Press(KeyEvent),
    /// What an agent does as one: to get far in a few steps.
    Habit(&'static str),
    Paste(String),
    /// The mouse does this to one of the things on the screen, at a place between its ends, once or twice.
    Point(MouseEventKind, prop::sample::Index, (u16, u16), bool),
    /// The reply to one of the calls under way; `None` is success, of which there is more than one kind.
    Reply(prop::sample::Index, Option<CallError>, u8),
    /// One of the calls comes a step further.
    Progress(prop::sample::Index, u8, CallError),
    /// One of the lists or searches under way has a page, or ends.
    Read(prop::sample::Index, u8, Option<CallError>),
    /// What the record holds, said once by a worker that works; here it may come at any time and again.
    Recovered(u8),
    NotSaved,
    WrongAnswer(prop::sample::Index),
    LateReply(u64),
    Edited(String),
    Wait(i64),
    Resize(u16, u16),
    WorkerGone,
}

fn kinds() -> impl Strategy<Value = CallError> {
    prop::sample::select(vec![
        CallError::declined(),
        CallError::too_many_open(),
        CallError::absence_unproven(),
        CallError::no_such_device(),
        CallError::already_closed(),
        CallError::no_such_request(),
        CallError::not_accepted(400, None),
        CallError::not_signed_in(),
        CallError::sign_in_failed(&Problem::new("why", "fix it")),
        CallError::not_allowed(),
        CallError::throttled(None),
        CallError::redirected(301),
        CallError::redirected(303),
        CallError::not_reached("reason"),
        CallError::not_sent("reason"),
        CallError::not_recorded(Problem::new("reason", "reason")),
        CallError::abandoned(false),
        CallError::abandoned(true),
        CallError::timed_out(),
        CallError::connection_broken(),
        CallError::server_failed(500),
        CallError::broken_answer("reason"),
        CallError::crashed(),
    ])
}

/// Clicks most of all: two on one thing belong together.
fn pointed() -> impl Strategy<Value = MouseEventKind> {
    prop_oneof![
        4 => Just(MouseEventKind::Down(MouseButton::Left)),
        1 => Just(MouseEventKind::Down(MouseButton::Right)),
        1 => Just(MouseEventKind::ScrollUp),
        1 => Just(MouseEventKind::ScrollDown),
    ]
}

fn steps() -> impl Strategy<Value = Step> {
    let bound: Vec<KeyEvent> =
        BINDINGS.iter().flat_map(|binding| binding.keys).map(|key| event(key.parse().unwrap())).collect();
    let typed = any::<char>().prop_map(|c| KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE));
    let habits = [
        DRAFT,
        "ctrl-s",
        "esc n",
        "esc esc c Done",
        "esc esc q c",
        "esc 4",
        "n ctrl-x",
        "esc g enter",
        "esc esc g enter s ctrl-s",
        "esc esc enter a",
        "esc esc enter c",
        "esc esc enter d",
        "esc esc x",
        "esc esc r",
        "esc esc 2 c",
        "esc esc 2",
        "esc esc 3 d",
        "esc esc 4 enter",
        "n tab MMD tab",
        "n ctrl-g c",
        "esc esc !",
        "esc esc R s f",
        "esc esc q R enter",
        "esc esc ? a / s",
        "esc esc : clo enter",
        "esc esc : new enter",
        "esc esc : quit enter",
        "esc esc N x tab y",
        "esc esc * c ctrl-r Done ctrl-s",
        "esc esc space space c One tab Two ctrl-s",
        "esc esc v j u ctrl-s",
        "esc esc c ctrl-t enter ctrl-s",
        "esc esc n shift-tab ctrl-t down enter tab Ann",
    ];
    prop_oneof![
        8 => prop::sample::select(bound).prop_map(Step::Press),
        3 => typed.prop_map(Step::Press),
        6 => prop::sample::select(habits.to_vec()).prop_map(Step::Habit),
        2 => any::<String>().prop_map(Step::Paste),
        1 => "[a-z\r\n\t\u{1b}\u{301}\u{202e}👩\u{200d}🚒]{0,200}".prop_map(Step::Paste),
        6 => (pointed(), any::<prop::sample::Index>(), any::<(u16, u16)>(), prop::bool::weighted(0.3))
            .prop_map(|(kind, which, place, twice)| Step::Point(kind, which, place, twice)),
        4 => (any::<prop::sample::Index>(), prop::option::weighted(0.5, kinds()), any::<u8>())
            .prop_map(|(i, kind, which)| Step::Reply(i, kind, which)),
        3 => (any::<prop::sample::Index>(), any::<u8>(), kinds()).prop_map(|(i, which, kind)| Step::Progress(i, which, kind)),
        4 => (any::<prop::sample::Index>(), any::<u8>(), prop::option::weighted(0.2, kinds()))
            .prop_map(|(i, which, kind)| Step::Read(i, which, kind)),
        1 => any::<u8>().prop_map(Step::Recovered),
        1 => prop::bool::weighted(0.2).prop_map(|fails| if fails { Step::NotSaved } else { Step::Wait(1) }),
        1 => any::<prop::sample::Index>().prop_map(Step::WrongAnswer),
        1 => (0_u64..20).prop_map(Step::LateReply),
        1 => "\\PC{0,50}(\n\\PC{0,20}){0,3}".prop_map(Step::Edited),
        1 => (0_i64..100_000).prop_map(Step::Wait),
        2 => (1_u16..=300, 1_u16..=100).prop_map(|(columns, rows)| Step::Resize(columns, rows)),
        1 => (1_u16..=60, 1_u16..=25).prop_map(|(columns, rows)| Step::Resize(columns, rows)),
        1 => prop::bool::weighted(0.05).prop_map(|gone| if gone { Step::WorkerGone } else { Step::Wait(1) }),
    ]
}

/// Everything an agent has typed that the dashboard holds: drafts whole, and the texts of close dialogs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Typed {
    Draft([String; 6]),
    ActionsTaken(RowId, String),
}

/// Blanks around a line are dropped when its field is left, and are nothing that can be lost.
fn draft(draft: &Draft) -> Typed {
    Typed::Draft(Field::ALL.map(|field| {
        let text = draft.get(field);
        if field.is_one_line() { text.trim_matches(is_edge_blank) } else { text }.to_owned()
    }))
}

fn held(model: &Model) -> BTreeSet<Typed> {
    let mut held: BTreeSet<Typed> = model.requests.all().filter_map(|row| row.draft).map(draft).collect();
    if draft(&model.form.draft()) != draft(&Draft::default()) {
        held.insert(draft(&model.form.draft()));
    }
    for row in model.requests.all() {
        let typed = row.actions_taken.as_ref().map(|text| text.text());
        let stored = row.request.filter(|_| matches!(row.state, RowState::Closed(Closure::Verified)));
        let stored = stored.map(|request| request.actions_taken.raw().to_owned());
        held.extend(
            typed.or(stored).filter(|text| !text.trim().is_empty()).map(|text| Typed::ActionsTaken(row.id, text)),
        );
    }
    held
}

/// What a message may take away, because the agent is editing it: the draft in the form, or a dialog's text.
fn may_change(model: &Model, message: &Message) -> Option<Typed> {
    let edits = matches!(
        message,
        Message::Text(_)
            | Message::Paste(_)
            | Message::Edited { .. }
            | Message::Act(
                Action::Edit(_)
                    | Action::Discard
                    | Action::TakeSuggestion
                    | Action::TakeTemplate
                    | Action::CloseMistake
            )
            | Message::Mouse(PointerTarget::Suggestion(_), _)
    );
    if !edits {
        return None;
    }
    if matches!(message, Message::Act(Action::CloseMistake)) {
        let row = model.row_in_focus()?;
        return Some(Typed::ActionsTaken(row, model.requests.get(row)?.actions_taken?.text()));
    }
    // A template is inserted into the text beneath.
    let beneath = model.overlays.iter().rfind(|overlay| !matches!(overlay, Overlay::Templates(_)));
    let overlay = if matches!(message, Message::Act(Action::TakeTemplate)) { beneath } else { model.overlays.last() };
    match overlay {
        Some(Overlay::Close(CloseDialog { row, .. })) => {
            let text = model.requests.get(*row)?.actions_taken?.text();
            Some(Typed::ActionsTaken(*row, text))
        }
        None if model.pane == Pane::Form && !model.filtering => Some(draft(&model.form.draft())),
        _ => None,
    }
}

/// A step of one message, and what holds of it. An Alt chord that nothing binds is two: Esc, then the key.
fn take(dashboard: &mut Dashboard, input: Input) {
    let mut before = dashboard.model.clone();
    let meant = dashboard.batch(vec![input]);
    let message = match &meant[..] {
        [] => return,
        [message] => message,
        [escape @ Message::Act(Action::Back), message] => {
            let first = before.clone();
            update(&mut before, escape.clone(), ScrollLimits::default());
            assert_kept(&first, &before, None, escape);
            message
        }
        more => panic!("{more:?}"),
    };
    if dashboard.left() {
        let at_once = matches!(message, Message::Act(Action::LeaveThem | Action::Interrupt));
        assert!(at_once || dashboard.model.remains().nothing(), "{message:?} leaves something behind");
    }
    let changing = may_change(&before, message);
    assert_kept(&before, &dashboard.model, changing.as_ref(), message);
    if let (Some(Typed::Draft(was)), false) = (&changing, is_whole(message)) {
        let now = dashboard.form();
        let focused = before.form.focused as usize;
        let others = |texts: &[String; 6]| {
            let others = texts.iter().enumerate().filter(|(i, _)| *i != focused);
            others.map(|(_, text)| text.trim_matches(is_edge_blank).to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(others(was), others(&now), "one field changes at a time");
    }
    // What is typed over a blank of a template takes its place.
    let has_blanks = !before.form.field(before.form.focused).unfilled_blanks().is_empty();
    if let (Some(Typed::Draft(_)), Message::Text(text), false) = (&changing, message, has_blanks) {
        let (focused, was) = (before.form.focused as usize, before.form.field(before.form.focused).text());
        let visible = text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\r' | '\t')).count();
        assert_eq!(dashboard.form()[focused].chars().count(), was.chars().count() + visible, "{text:?}");
    }
}

/// Whether the message is about the whole draft.
fn is_whole(message: &Message) -> bool {
    matches!(message, Message::Act(Action::Discard | Action::TakeTemplate | Action::Edit(TextEdit::Undo)))
}

#[track_caller]
fn assert_kept(before: &Model, after: &Model, changing: Option<&Typed>, what: &Message) {
    let after = held(after);
    for typed in held(before) {
        assert!(after.contains(&typed) || changing == Some(&typed), "{typed:?} was lost by {what:?}");
    }
}

/// The same, for a record that has brought texts back: one may stand beside what was typed in the same dialog.
#[track_caller]
fn assert_kept_beside(before: &Model, after: &Model) {
    let after = held(after);
    let holds = |row: RowId, text: &str| {
        after.iter().any(|typed| matches!(typed, Typed::ActionsTaken(id, all) if *id == row && all.contains(text)))
    };
    for typed in held(before) {
        let is_beside = matches!(&typed, Typed::ActionsTaken(row, text) if holds(*row, text));
        assert!(after.contains(&typed) || is_beside, "{typed:?} was lost by what the record brought back");
    }
}

/// Each call on the wire is awaited by a row or asks for several, and no row awaits anything else. Two closes of one
/// request may have been left behind: both are looked up, and the row goes by the later.
fn assert_settled(dashboard: &Dashboard) {
    let on_the_wire: BTreeSet<CallId> = dashboard.calls().iter().chain(dashboard.reads()).map(|(id, _)| *id).collect();
    let awaited: BTreeSet<CallId> = dashboard.model.calls.keys().copied().collect();
    let by_rows: BTreeSet<CallId> = dashboard.model.requests.all().filter_map(|row| row.state.call()).collect();
    // At most four writes run at once: what waits is on no wire, and waits only as long as four run.
    let (waiting, running): (BTreeSet<CallId>, BTreeSet<CallId>) =
        awaited.iter().partition(|call| dashboard.model.is_waiting(**call));
    assert_eq!(on_the_wire, running);
    let writes = dashboard.calls().iter().filter(|(_, call)| matches!(call, Call::Send(_))).count();
    assert!(writes == 4 || writes < 4 && waiting.is_empty(), "{writes} run, {waiting:?} wait");
    assert!(by_rows.is_subset(&awaited), "{by_rows:?} {awaited:?}");
    for (id, call) in dashboard.model.calls.iter().filter(|(id, _)| !by_rows.contains(id)) {
        match call.subject {
            Subject::Requests(_)
            | Subject::Listing(_)
            | Subject::Device(_)
            | Subject::Search
            | Subject::History(_)
            | Subject::Word(_) => {}
            Subject::Row(row) => {
                let of_a_close = dashboard.model.requests.get(row).is_some_and(|row| row.request.is_some());
                assert!(call.is_lookup && of_a_close, "{id} {call:?}");
            }
        }
    }
}

/// What a worker may answer to this call.
fn answer(dashboard: &Dashboard, call_id: CallId, call: &Call, which: u8) -> CallResult {
    let named = dashboard.model.requests.all().find(|row| row.state.call() == Some(call_id));
    let request =
        || named.and_then(|row| row.draft?.validate().ok()).map(|new| created(&new, &format!("{call_id}"), start()));
    let looked = |seen| CallResult::Looked { seen, at: start(), error: CallError::timed_out() };
    match call {
        Call::Send(Operation::Create(new)) | Call::SendUnlessUnknown(new) => {
            let request = created(new, &format!("{call_id}"), start());
            match which % 4 {
                0 => looked(MatchResult::NotSeen),
                1 => looked(MatchResult::Possible(vec![request])),
                2 => CallResult::Created {
                    surplus: vec![created(new, &format!("{call_id} too"), start())],
                    request: Box::new(request),
                },
                _ => opened(request),
            }
        }
        Call::Send(Operation::Close(CloseElevationRequest { actions_taken, .. })) if which.is_multiple_of(2) => {
            let mut request = named.and_then(|row| row.request.cloned()).unwrap();
            request.actions_taken = mmd_elevate_core::Untrusted::new(actions_taken.clone());
            CallResult::Closed(ReadBack::Verified(Box::new(closed(request, "agent", start()))))
        }
        Call::Send(Operation::Close(_)) if which % 4 == 1 => {
            let request = named.and_then(|row| row.request.cloned()).unwrap();
            CallResult::Closed(ReadBack::PerhapsOurs(Box::new(closed(request, "another agent", start()))))
        }
        Call::Send(Operation::Close(_)) => CallResult::Closed(ReadBack::NotYetVisible),
        Call::Look(_) => match (request(), which % 3) {
            // Of two closes of one request, the row awaits the later.
            (None, 0) if named.is_some() => {
                CallResult::StillOpen(Box::new(named.and_then(|row| row.request.cloned()).unwrap()))
            }
            (None, _) => CallResult::Closed(ReadBack::NotYetVisible),
            (Some(request), 0) => opened(request),
            (Some(request), 1) => looked(MatchResult::Possible(vec![request])),
            (Some(_), _) => looked(MatchResult::NotSeen),
        },
        Call::SetAside(_) => CallResult::SetAside,
        Call::Adopt(_, request) => opened((**request).clone()),
        Call::Check(asked) => {
            let rows = asked.iter().filter_map(|(id, _)| dashboard.model.requests.find(id)?.request.cloned());
            let listed = rows.enumerate().filter_map(|(index, request)| match (index + usize::from(which)) % 3 {
                0 => None,
                1 => Some(closed(request, "another agent", start())),
                _ => Some(request),
            });
            checked(listed.collect(), &["id-1", "id-3"], start())
        }
        Call::List(_) => CallResult::Listed { gaps: Gaps::default(), at: start() },
        Call::SearchDevices(_) => CallResult::Devices(Vec::new()),
        Call::TakeAsClosed(_) => CallResult::TakenAsClosed,
        Call::History { .. } => CallResult::History(Vec::new()),
    }
}

/// What the service, or the record, may answer to a call that only looks.
fn read(dashboard: &mut Dashboard, index: usize, which: u8, fault: Option<CallError>) {
    let listed = |number: u8| {
        let request =
            request_held(&format!("INC-T{number} MMD-0369045768{} Tenant", number % 3), &format!("t-{number}"));
        if number.is_multiple_of(5) { closed(request, "another agent", start()) } else { request }
    };
    let answer = match &dashboard.reads()[index].1 {
        Call::List(_) if which.is_multiple_of(2) => {
            dashboard.page(index, (which..which.saturating_add(which % 16)).map(listed).collect());
            return;
        }
        Call::List(_) => {
            CallResult::Listed { gaps: Gaps { unreadable: usize::from(which % 3), cut: None }, at: start() }
        }
        Call::SearchDevices(_) => CallResult::Devices(Vec::new()),
        Call::History { .. } => CallResult::History(Vec::new()),
        other => panic!("{other:?}"),
    };
    dashboard.reply_to_read(index, fault.map_or(Ok(answer), Err));
}

/// What a record may hold.
fn some_record(which: u8) -> Recovered {
    let name = |what: &str| format!("{what}-{which}");
    let has = |bit: u8| which & (1 << bit) != 0;
    let one = |what: &str| format!("INC-{what}-{which} MMD-1 Title");
    let mut recovered = Recovered { unusable: has(5), others: usize::from(has(6)), ..Recovered::default() };
    if has(0) {
        recovered.unresolved.push(lost_create(i64::from(which), &one("lost")));
    }
    if has(1) {
        recovered.unresolved.push(lost_close(500 + i64::from(which), &name("id"), "MMD-1", "What I did"));
    }
    if has(2) {
        recovered.open.push(request_held(&one("open"), &name("id")));
    }
    if has(3) {
        recovered.drafts.push(saved(DraftTarget::Form, full_draft(&one("form"))));
        recovered.drafts.push(saved(DraftTarget::Refused(1), full_draft(&one("refused"))));
    }
    if has(4) {
        recovered.drafts.push(saved_close(&name("id"), "half a text"));
        let accepted = lost_close(600 + i64::from(which), &name("id"), "MMD-1", "What I had done");
        recovered.accepted.push(WriteRecord { state: WriteState::Done, ..accepted });
    }
    recovered
}

/// Points at one of the things on the screen.
fn point(
    dashboard: &mut Dashboard,
    kind: MouseEventKind,
    which: prop::sample::Index,
    (column, row): (u16, u16),
    twice: bool,
) {
    let regions: Vec<_> = dashboard.regions().iter().filter(|(area, _)| !area.is_empty()).collect();
    if regions.is_empty() {
        return;
    }
    let (area, _) = which.get(&regions);
    let input = mouse(kind, area.x + column % area.width, area.y + row % area.height);
    let calls = dashboard.calls().len();
    dashboard.take_effects();
    take(dashboard, input.clone());
    if !dashboard.left() && twice {
        let before = dashboard.model.clone();
        let meant = dashboard.at_once(input);
        let changing = meant.first().and_then(|message| may_change(&before, message));
        assert_kept(&before, &dashboard.model, changing.as_ref(), &Message::WorkerGone);
    }
    assert_eq!(dashboard.calls().len(), calls, "the mouse sent something");
    let effects = dashboard.take_effects();
    assert!(effects.is_empty(), "the mouse did {effects:?}");
}

fn happens(dashboard: &mut Dashboard, step: Step) {
    let before = dashboard.model.clone();
    match step {
        Step::Press(key) => return take(dashboard, Input::Key(key)),
        Step::Paste(text) => return take(dashboard, Input::Paste(text)),
        Step::Point(kind, which, place, twice) => return point(dashboard, kind, which, place, twice),
        Step::Habit(keys) => {
            for key in events(keys) {
                if !dashboard.left() {
                    take(dashboard, Input::Key(key));
                }
            }
            return;
        }
        Step::Reply(index, fault, which) => {
            let Some(index) = index_of(dashboard, index) else { return };
            let (call_id, call) = dashboard.calls()[index].clone();
            let answer = answer(dashboard, call_id, &call, which);
            dashboard.reply_to(index, fault.map_or(Ok(answer), Err));
        }
        Step::Progress(index, which, kind) => {
            let Some(index) = index_of(dashboard, index) else { return };
            let fault = kind;
            let closing = matches!(dashboard.calls()[index].1, Call::Send(Operation::Close(_)));
            let progress = match which % 4 {
                0 => Progress::Recorded(WriteId(i64::from(which))),
                1 => Progress::Waiting { until: start(), attempt: 2, error: fault },
                2 if closing => Progress::ReadingBack,
                _ => Progress::Looking(fault),
            };
            dashboard.progress(index, progress);
        }
        Step::Read(index, which, fault) => {
            if dashboard.reads().is_empty() {
                return;
            }
            let index = index.index(dashboard.reads().len());
            read(dashboard, index, which, fault);
            // A list that comes in while a dialog is open changes nothing of what it is about.
            if let Some(
                Overlay::Close(CloseDialog { row, .. }) | Overlay::SendAgain(row) | Overlay::TakeAsClosed(row),
            ) = before.overlays.last()
            {
                let after = dashboard.model.overlays.last();
                let is_same = matches!(
                    after,
                    Some(Overlay::Close(CloseDialog { row: now, .. }) | Overlay::SendAgain(now) | Overlay::TakeAsClosed(now)) if now == row
                );
                assert!(is_same, "{row:?} {after:?}");
            }
            let (was, now) = (before.requests.list(), dashboard.model.requests.list());
            let stays = was.selected().filter(|row| now.shown().contains(row));
            assert!(stays.is_none() || now.selected() == stays, "the selection was moved");
        }
        Step::Recovered(which) => {
            dashboard.recovered(some_record(which));
            return assert_kept_beside(&before, &dashboard.model);
        }
        Step::NotSaved => {
            dashboard.says(Event::NotSaved(Problem::new("The disk is full", "make room")));
        }
        Step::WrongAnswer(index) => {
            let Some(index) = index_of(dashboard, index) else { return };
            let wrong = match &dashboard.calls()[index].1 {
                Call::Send(Operation::Close(_)) => Err(CallError::no_such_device()),
                _ => Ok(CallResult::Closed(ReadBack::NotYetVisible)),
            };
            dashboard.reply_to(index, wrong);
        }
        Step::LateReply(id) => {
            if dashboard.calls().iter().chain(dashboard.reads()).all(|(call, _)| call.0 != id) {
                dashboard.reply(CallId(id), Ok(CallResult::SetAside));
            }
        }
        Step::Edited(text) => {
            // The editor was opened where a long text had the focus, and no key has come since.
            let target = match dashboard.model.overlays.last() {
                Some(Overlay::Close(CloseDialog { row, .. })) => mmd_elevate::dashboard::EditTarget::ActionsTaken(*row),
                None if dashboard.model.pane == Pane::Form && dashboard.model.takes_text() => {
                    mmd_elevate::dashboard::EditTarget::PlanOfAction
                }
                _ => return,
            };
            let message = Message::Edited { target, text };
            dashboard.happens(message.clone());
            return assert_kept(&before, &dashboard.model, may_change(&before, &message).as_ref(), &message);
        }
        Step::Wait(seconds) => _ = dashboard.after(seconds),
        Step::Resize(columns, rows) => _ = dashboard.resize(columns, rows),
        Step::WorkerGone => dashboard.worker_gone(),
    }
    assert_kept(&before, &dashboard.model, None, &Message::WorkerGone);
}

fn index_of(dashboard: &Dashboard, index: prop::sample::Index) -> Option<usize> {
    (!dashboard.calls().is_empty()).then(|| index.index(dashboard.calls().len()))
}

/// A dashboard that lists the tenant by itself, with the mouse on.
fn sweeping() -> Dashboard {
    let mut dashboard = Dashboard::new();
    dashboard.model.preferences.refresh = Some(std::time::Duration::from_secs(30));
    dashboard.says(Event::Ready).after(0).press("M");
    dashboard
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_of_events_is_survived(steps in prop::collection::vec(steps(), 1..60)) {
        let mut dashboard = sweeping();
        for step in steps {
            happens(&mut dashboard, step);
            if dashboard.left() {
                dashboard = sweeping();
            }
            assert_settled(&dashboard);
        }
        let is_settled = |dashboard: &Dashboard| dashboard.calls().is_empty() && dashboard.reads().is_empty();
        while !dashboard.left() && !is_settled(&dashboard) {
            if dashboard.calls().is_empty() {
                dashboard.reply_to_read(0, Err(CallError::timed_out()));
            } else {
                dashboard.fails(CallError::timed_out(), "");
            }
        }
        prop_assert!(dashboard.left() || dashboard.model.requests.all().all(|row| !row.state.in_flight()));
    }
}
