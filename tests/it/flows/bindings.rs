//! The one table of what the keys do, each row of it tried.

use mmd_elevate::{
    dashboard::{Message, Model, Notices, TenantEntry, TenantNumber, TenantState, Tenants},
    keys::{BINDINGS, Key, Scope},
};
use mmd_elevate_core::{CallError, CallResult, MatchResult, Progress, Recovered, TicketUrl, WriteId};

use crate::support::{
    dashboard::{DRAFT, Dashboard, fault, start},
    record::held,
};

/// More tenants than have digits; the third is shown.
fn thirty_tenants() -> Tenants {
    let tenant = |number: usize| TenantEntry {
        name: format!("Tenant {number}"),
        id: String::new(),
        colour: None,
        state: TenantState::NotOpened,
    };
    Tenants { entries: (1..=30).map(tenant).collect(), present: TenantNumber(2), previous: None }
}

/// Dashboards in which each scope has something to act on, more than one where one cannot show all of its keys.
fn dashboards_in(scope: Scope) -> Vec<Dashboard> {
    let requests: Vec<String> = (10..35).map(|number| format!("INC-{number} MMD-1 Title")).collect();
    let mut many = Dashboard::with_open(&requests.iter().map(String::as_str).collect::<Vec<_>>());
    many.model.ticket_url = TicketUrl::parse("https://tickets.example.com/{ticket}").ok();
    many.happens(Message::Tenants(thirty_tenants()));
    let then = |dashboard: &Dashboard, keys: &str| {
        let mut dashboard = dashboard.clone();
        dashboard.press(keys);
        dashboard
    };
    // Three requests of others are open on the device of the draft.
    let on_device = |dashboard: &Dashboard| {
        let mut dashboard = dashboard.clone();
        let open = ["INC-1 MMD-03690457680 One", "INC-2 MMD-03690457680 Two", "INC-3 MMD-03690457680 Three"];
        let listed = open.iter().enumerate().map(|(index, request)| held(request, &format!("x-{index}")));
        dashboard.lists_of_device(Some(listed.collect()));
        dashboard
    };
    let mut unsent = then(&many, "c Done ctrl-s");
    unsent.fails(CallError::already_closed(), "");
    let mut accepted = then(&many, "c Done ctrl-s");
    accepted.accepted();
    let middle = "g j j j j j j j j j j j j j j";
    let text = "'one two' enter 'three four' enter 'five six' ctrl-z ctrl-z ctrl-y up ctrl-left";
    match scope {
        Scope::List | Scope::Panes | Scope::Anywhere => vec![
            then(&many, middle),
            then(&many, &format!("/ INC enter {middle}")),
            then(&unsent, "esc 4"),
            then(&accepted, "g"),
            then(&many, &format!("{middle} c Done ctrl-s j k")),
        ],
        Scope::Details => {
            let mut long = then(&many, "n x tab y tab x tab x tab x tab");
            long.paste(&"line\n".repeat(60)).press("ctrl-s").opened();
            vec![then(&long, "enter j j")]
        }
        Scope::Form => vec![then(&many, DRAFT), then(&on_device(&many), DRAFT)],
        Scope::Line => vec![then(&many, "n tab tab tab")],
        Scope::CloseDialog => {
            vec![then(&many, "c Done"), then(&many, "g space space c Done"), then(&many, "g v j c ctrl-r Done")]
        }
        Scope::Filter => vec![then(&many, "/ INC")],
        Scope::LongText | Scope::Text => vec![
            then(&many, &format!("n shift-tab {text}")),
            then(&many, &format!("n shift-tab {text} left left x ctrl-z")),
            then(&many, &format!("c {text}")),
        ],
        Scope::UnsentText => vec![unsent],
        Scope::UnknownOutcome => {
            let mut unknown = then(&many, &format!("{DRAFT} ctrl-s"));
            unknown.progress(0, Progress::Recorded(WriteId(1)));
            let seen = MatchResult::Possible(requests[..2].iter().map(|request| held(request, request)).collect());
            let looked = CallResult::Looked { seen, at: start(), error: fault(CallError::timed_out(), "") };
            unknown.reply_to(0, Ok(looked));
            vec![then(&unknown, "enter"), then(&unknown, "enter j")]
        }
        Scope::SendAgain => {
            let mut unknown = then(&many, &format!("{DRAFT} ctrl-s"));
            unknown.fails(CallError::timed_out(), "");
            vec![then(&unknown, "enter s")]
        }
        Scope::Recovery => {
            let mut narrow = Dashboard::opening(60, 20);
            let open = requests.iter().map(|request| held(request, request)).collect();
            narrow.recovered(Recovered { open, ..Recovered::default() });
            vec![then(&narrow, "j j")]
        }
        Scope::QuitQuestion => vec![then(&many, "q")],
        Scope::TakeAsClosed => {
            let mut accepted = then(&many, "c Done ctrl-s");
            accepted.accepted();
            vec![then(&accepted, "g d")]
        }
        Scope::DevicePanel => {
            vec![then(&on_device(&many), &format!("{DRAFT} ctrl-g j"))]
        }
        Scope::Tenants => vec![then(&many, "T j j j j j j j j")],
        Scope::TenantSearch => vec![then(&many, "T / 1 down down")],
        Scope::Notices => {
            let mut narrow = many;
            narrow.resize(60, 20);
            vec![then(&narrow, "! j j j j j j")]
        }
        Scope::Report => {
            let mut narrow = many;
            narrow.resize(60, 20);
            vec![then(&narrow, "R j j j j j j")]
        }
        Scope::Palette => vec![then(&many, ": down"), then(&many, ": pgdn pgdn")],
        Scope::Help => {
            let mut narrow = many;
            narrow.resize(60, 20);
            vec![then(&narrow, "? j j j j j j")]
        }
        Scope::Templates => {
            vec![then(&many, "n shift-tab ctrl-t down"), then(&many, "n shift-tab ctrl-t pgdn pgdn")]
        }
        Scope::HelpSearch => vec![then(&many, "? / abandon")],
    }
}

/// All that a key can change, other than what is said.
fn state(model: &Model) -> String {
    let mut model = model.clone();
    (model.notice, model.notices) = (None, Notices::default());
    format!("{model:?}")
}

#[test]
fn every_row_of_the_table_does_something_or_says_why_not_and_each_of_its_keys_does_the_same() {
    for scope in Scope::ALL {
        let dashboards = dashboards_in(scope);
        for binding in BINDINGS.iter().filter(|binding| binding.scope == scope) {
            let mut seen = false;
            for dashboard in &dashboards {
                let scopes = dashboard.model.scopes();
                assert!(scopes.contains(&scope), "{}: {scopes:?}", binding.id);
                let before = state(&dashboard.model);
                let pressed = binding.keys.iter().filter_map(|key| {
                    let reached = dashboard.model.keymap.action(scopes, key.parse().unwrap()) == Some(binding.action);
                    reached.then(|| {
                        let mut dashboard = dashboard.clone();
                        dashboard.press(key);
                        let effects = (dashboard.take_effects(), dashboard.calls().to_vec(), dashboard.left());
                        (dashboard.screen(), effects, state(&dashboard.model))
                    })
                });
                let pressed: Vec<_> = pressed.collect();
                assert!(
                    pressed.windows(2).all(|two| (&two[0].0, &two[0].1) == (&two[1].0, &two[1].1)),
                    "{}",
                    binding.id
                );
                for (_, (effects, calls, left), after) in pressed {
                    let acted = after != before || !effects.is_empty() || calls != dashboard.calls() || left;
                    match dashboard.model.unavailable(binding.action) {
                        Some(reason) => assert!(!acted, "{} acts, and is unavailable: {reason}", binding.id),
                        None => seen |= acted,
                    }
                }
            }
            assert!(seen, "{} does nothing that can be seen", binding.id);
        }
    }
}

#[test]
fn where_text_is_typed_no_plain_key_is_bound() {
    for scope in Scope::ALL {
        for dashboard in dashboards_in(scope) {
            if !dashboard.model.takes_text() {
                continue;
            }
            for typed in ' '..='~' {
                let key: Key = if typed == ' ' { "space".parse().unwrap() } else { typed.to_string().parse().unwrap() };
                assert_eq!(key.character(), Some(typed));
                assert_eq!(dashboard.model.keymap.action(dashboard.model.scopes(), key), None, "{scope:?}: {key}");
            }
        }
    }
}

#[test]
fn the_footer_shows_only_what_can_be_done_and_always_a_way_to_help() {
    for scope in Scope::ALL {
        for dashboard in dashboards_in(scope) {
            let footer = dashboard.footer();
            for (binding, keys) in dashboard.model.keymap.reachable(dashboard.model.scopes()) {
                let Some(label) = binding.footer else { continue };
                let entry = format!(" {} {label} ", keys[0]);
                if dashboard.model.unavailable(binding.action).is_some() {
                    assert!(!format!("{footer} ").contains(&entry), "{}: {footer}", binding.id);
                }
            }
            if scope != Scope::Help {
                assert!(footer.contains("? all keys") || footer.contains("F1 all keys"), "{scope:?}: {footer}");
            }
        }
    }
}

#[test]
fn help_lists_every_key_that_can_be_reached() {
    for scope in Scope::ALL.into_iter().filter(|scope| *scope != Scope::Help) {
        for mut dashboard in dashboards_in(scope) {
            let model = &dashboard.model;
            let rows: Vec<_> = model.keymap.reachable(model.scopes()).map(|(row, keys)| (row.help, keys)).collect();
            dashboard.resize(120, 100).press("f1");
            for (help, keys) in rows {
                let names: Vec<_> = keys.iter().map(ToString::to_string).collect();
                let names = names.join(", ");
                let line = |line: &str| line.contains(&names) && line.contains(help);
                assert!(dashboard.screen().lines().any(line), "{names} {help}\n{}", dashboard.screen());
            }
        }
    }
}

#[test]
fn help_goes_back_to_where_it_was_asked_for() {
    for keys in ["n INC-1", "c Done", "/ INC", "q", "tab"] {
        let mut dashboard = Dashboard::with_open(&["INC-1 MMD-1 Excel"]);
        dashboard.press(keys);
        let before = dashboard.screen();
        dashboard.press("f1");
        assert!(dashboard.shows("Help"));
        assert_eq!(dashboard.press("f1 esc").screen(), before, "{keys}");
    }
}
