//! The report of a shift, read back by parsers of its formats: what they find is what is visible, and nothing of it acts.

use jiff::Timestamp;
use mmd_elevate::report::{Format, Reason, Report, ReportEntry, ReportGroup, ReportTenant, State};
use mmd_elevate_core::{Untrusted, visible};
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use crate::support::{corpus::corpus, harmless::assert_harmless_lines};

const STATES: [State; 10] = [
    State::Open,
    State::Closing,
    State::Accepted,
    State::CloseUnknown,
    State::Sending,
    State::Unknown,
    State::SetAside,
    State::Refused,
    State::Draft,
    State::Closed,
];

/// A blank that is seen, and that the check of what only stands there does not know.
const NO_BREAK: char = '\u{a0}';

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// An entry with this text in every field.
fn entry(state: State, text: &str) -> ReportEntry {
    let untrusted = || Untrusted::new(text);
    ReportEntry {
        state,
        mine: true,
        id: untrusted(),
        ticket: untrusted(),
        device: untrusted(),
        title: untrusted(),
        category: untrusted(),
        subcategory: untrusted(),
        plan: untrusted(),
        actions: untrusted(),
        opened_by: untrusted(),
        closed_by: untrusted(),
        opened: Some(at("2026-11-22T10:50:00.9Z")),
        closed: (state == State::Closed).then(|| at("2026-11-22T13:58:00.1Z")),
        as_of: at("2026-11-22T14:00:00Z"),
        reason: Some(Reason::at(visible(text), at("2026-11-22T13:59:59.9Z"))),
    }
}

/// A report with this text in every field of requests in every state, and in what it says of the tenant and the agent.
fn report(text: &str) -> Report {
    let untrusted = || Untrusted::new(text);
    let tenant = ReportTenant { name: Some(untrusted()), id: untrusted(), is_practice: true };
    let (since, until) = (Some(at("2026-11-22T00:00:00Z")), at("2026-11-22T14:02:00Z"));
    let entries = STATES.map(|state| entry(state, text)).to_vec();
    Report::new(tenant, Some(untrusted()), since, until, entries).with_note(text)
}

/// Texts that act in one of the formats, or are lost in it.
fn harmful() -> Vec<String> {
    let of_formats = [
        "",
        " ",
        "  two blanks  ",
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1:A9)",
        "\t=1",
        "\r=cmd",
        " =HYPERLINK(\"https://x.example\")",
        "＝1",
        "a,b;c\td",
        "say \"yes\"",
        "'=1",
        "line one\nline two\r\nline three",
        "\n\nfirst\n\n\nlast\n\n",
        "  \n  a\n  ",
        "# heading",
        "## a ##",
        "heading\n===",
        "heading\n---",
        "---",
        "***",
        "- item",
        "* item",
        "+ item",
        "1. item",
        "12) item",
        "123456789012. no item",
        "> quote",
        "    code",
        "```\nfence\n```",
        "~~~\nfence\n~~~",
        "`code`",
        "*em* **strong** ***both***",
        "_em_ __strong__ snake_case_name",
        "~~gone~~ ~sub~ ^sup^",
        "[link](https://x.example)",
        "![image](x.png)",
        "[ref]: https://x.example",
        "[^1]: note",
        "[^1]",
        "[[wiki]]",
        "[x] done",
        "[ ] to do",
        "<b>bold</b>",
        "<script>alert(1)</script>",
        "<!-- hidden -->",
        "<https://x.example>",
        "https://x.example/a_b_c?d=e&f www.x.example",
        "ana@partner.example",
        "&lt; &#60; &amp &nbsp;",
        "a | b | c\n---|---|---\n1 | 2 | 3",
        "| a |\n|:-:|",
        "back\\slash \\* \\",
        "ends with \\",
        "$math$ $$more$$",
        "{#id .class}",
        "term\n: definition",
        ":::note",
        "a\n:-:",
        "html\n<div>\nx",
        "\u{a0}nbsp\u{a0}",
        "Müller · 東京 – 🚒 e\u{301}",
        "{\"json\": [1, \"\\u0041\"]}",
        "\\u0041\\n",
    ];
    // The beginning of a long text does all that the whole would do.
    let hostile = corpus().into_iter().map(|specimen| specimen.text.chars().take(400).collect());
    of_formats.map(str::to_owned).into_iter().chain(hostile).collect()
}

/// The lines of a text as a person sees them, without empty ones at its end.
fn seen(text: &str) -> String {
    let lines = Untrusted::new(text).visible_lines().collect::<Vec<_>>().join("\n");
    lines.trim_end_matches('\n').to_owned()
}

#[test]
fn markdown_is_read_back_as_what_is_visible_and_nothing_of_it_acts() {
    let options = Options::all().difference(Options::ENABLE_SMART_PUNCTUATION);
    for text in harmful() {
        let markdown = report(&text).render(Format::Markdown);
        assert_harmless_lines(&markdown.replace(NO_BREAK, " "), &format!("{text:?}"));
        // The texts of all items and headings, each with its level.
        let mut found: Vec<String> = Vec::new();
        let mut open: Vec<usize> = Vec::new();
        let mut depth = 0;
        for event in Parser::new_ext(&markdown, options) {
            match event {
                Event::Start(Tag::Item | Tag::Heading { .. } | Tag::Paragraph) => {
                    if matches!(event, Event::Start(Tag::Item)) {
                        depth += 1;
                    }
                    open.push(found.len());
                    found.push(String::new());
                }
                Event::End(end) => {
                    if matches!(end, TagEnd::Item | TagEnd::Heading(_) | TagEnd::Paragraph) {
                        open.pop();
                    }
                    depth -= usize::from(matches!(end, TagEnd::Item));
                }
                Event::Start(Tag::List(None)) => assert!(depth < 2, "a list too deep: {text:?}\n{markdown}"),
                Event::Text(part) => found[*open.last().unwrap()].push_str(&part),
                Event::HardBreak => found[*open.last().unwrap()].push('\n'),
                other => panic!("{other:?} comes from {text:?}\n{markdown}"),
            }
        }
        let shown = visible(&text);
        let named = if shown.trim().is_empty() { "–".to_owned() } else { shown.clone().into_owned() };
        let by = if text.trim().is_empty() { String::new() } else { format!(" by {shown}") };
        let mut expected = vec![
            format!("Report of the shift: {shown}"),
            format!("Tenant: {shown}, {shown}, the practice tenant"),
            format!("Agent: {shown}"),
            "Period: 2026-11-22T00:00:00Z to 2026-11-22T14:02:00Z".to_owned(),
            "5 opened, 1 closed, 4 still open, 3 of unknown outcome, 2 not opened".to_owned(),
            shown.clone().into_owned(),
            "Times are UTC.".to_owned(),
        ];
        for (heading, states) in [
            ("Still open (4)", &STATES[..4]),
            ("Outcome unknown (3)", &STATES[4..7]),
            ("Not opened (2)", &STATES[7..9]),
            ("Closed (1)", &STATES[9..]),
        ] {
            expected.push(heading.to_owned());
            for state in states {
                expected.push(format!("{named} · {named} · {named}"));
                let opened = format!("opened 2026-11-22T10:50:00Z{by}");
                let reason = format!("{shown} at 2026-11-22T13:59:59Z");
                match state.group() {
                    ReportGroup::Closed => {
                        let closed = format!("request closed 2026-11-22T13:58:00Z{by}");
                        expected.extend([format!("{opened}, {closed}, open for 3 h 7 min"), reason]);
                    }
                    group => {
                        let duration = if group == ReportGroup::StillOpen { ", open for 3 h 11 min" } else { "" };
                        expected.extend([format!("{opened}{duration}"), format!("{}: {reason}", state.word())]);
                    }
                }
                if !seen(&text).is_empty() {
                    expected.extend(["plan", "actions taken"].map(|label| format!("{label}: {}", seen(&text))));
                }
                if !text.trim().is_empty() {
                    expected.push(format!("id: {shown}"));
                }
            }
        }
        assert_eq!(found, expected, "{text:?}\n{markdown}");
    }
}

#[test]
fn csv_is_read_back_as_what_is_visible_and_no_cell_is_a_formula() {
    for text in harmful() {
        let document = report(&text).render(Format::Csv);
        assert_harmless_lines(&document.replace(NO_BREAK, " "), &format!("{text:?}"));
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(document.as_bytes());
        let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
        assert_eq!(rows.len(), 1 + STATES.len(), "{document}");
        let lines = Untrusted::new(&text).visible_lines().collect::<Vec<_>>().join("\n");
        let column = |name: &str| rows[0].iter().position(|heading| heading == name).unwrap();
        for (row, state) in rows[1..].iter().zip(STATES) {
            assert_eq!(&row[column("state")], state.word());
            assert_eq!(&row[column("opened")], "2026-11-22T10:50:00Z");
            let minutes = match state.group() {
                ReportGroup::StillOpen => "191",
                ReportGroup::Closed => "187",
                ReportGroup::Unknown | ReportGroup::NotOpened => "",
            };
            assert_eq!(&row[column("minutes")], minutes);
            for name in [
                "ticket",
                "device",
                "title",
                "category",
                "subcategory",
                "plan of action",
                "actions taken",
                "opened by",
                "closed by",
                "id",
                "tenant",
                "tenant id",
                "agent",
            ] {
                let cell = &row[column(name)];
                let read = cell.strip_prefix('\'').filter(|rest| *rest == lines).unwrap_or(cell);
                assert_eq!(read, lines, "{name} of {text:?}");
            }
            for cell in row {
                let first = cell.trim_start().chars().next();
                assert!(!first.is_some_and(|c| "=+-@＝＋－＠".contains(c)), "{cell:?} is a formula");
                assert!(!cell.starts_with(['\t', '\r', '\n']), "{cell:?}");
            }
        }
    }
}

#[test]
fn json_is_read_back_whole_and_shows_nothing_that_acts_or_hides() {
    for text in harmful() {
        let document = report(&text).render(Format::Json);
        assert_harmless_lines(&document.replace(NO_BREAK, " "), &format!("{text:?}"));
        let value: serde_json::Value = serde_json::from_str(&document).unwrap();
        assert_eq!(value["schema"], 1);
        assert_eq!((value["tenant"]["name"].as_str(), value["agent"].as_str()), (Some(&*text), Some(&*text)));
        assert_eq!(value["since"], "2026-11-22T00:00:00Z");
        assert_eq!(value["counts"]["stillOpen"], 4);
        let requests = value["requests"].as_array().unwrap();
        assert_eq!(requests.len(), STATES.len());
        for (request, state) in requests.iter().zip(STATES) {
            assert_eq!(request["state"], state.word());
            assert_eq!(request["requestCreationTime"], "2026-11-22T10:50:00Z");
            assert_eq!(request["why"], format!("{} at 2026-11-22T13:59:59Z", visible(&text)));
            for name in [
                "id",
                "partnerTicketId",
                "deviceName",
                "title",
                "category",
                "subcategory",
                "planOfAction",
                "actionsTaken",
                "requestingAgentUpn",
                "closingAgentUpn",
            ] {
                assert_eq!(request[name].as_str().unwrap_or_default(), text, "{name} of {text:?}");
            }
        }
    }
}

#[test]
fn report_says_what_it_says_in_each_format() {
    let open = ReportEntry {
        id: Untrusted::new("3f2b0c5e-9a41-4d0e-8f77-00c0ffee0a1b"),
        ticket: Untrusted::new("INC-20005"),
        device: Untrusted::new("MMD-00000000020"),
        title: Untrusted::new("Time service does not start"),
        category: Untrusted::new("Windows"),
        subcategory: Untrusted::new("Services"),
        plan: Untrusted::new("Restart w32time.\nThen *resync*."),
        opened_by: Untrusted::new("ana@partner.example"),
        reason: Some(Reason::new("a text for its close is typed and not sent")),
        actions: Untrusted::default(),
        closed_by: Untrusted::default(),
        ..entry(State::Open, "")
    };
    let closed = ReportEntry {
        ticket: Untrusted::new("INC-20001"),
        actions: Untrusted::new("=Reset the add-in."),
        closed_by: Untrusted::new("ana@partner.example"),
        closed: Some(at("2026-11-22T13:58:00Z")),
        state: State::Closed,
        reason: None,
        ..open.clone()
    };
    let tenant = ReportTenant {
        name: Some(Untrusted::new("Contoso")),
        id: Untrusted::new("contoso.example"),
        is_practice: false,
    };
    let agent = Some(Untrusted::new("ana@partner.example"));
    let (since, until) = (Some(at("2026-11-22T00:00:00Z")), at("2026-11-22T14:02:00Z"));
    let report = Report::new(tenant, agent, since, until, vec![closed, open]);
    for format in Format::ALL {
        let mut settings = insta::Settings::clone_current();
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!(format!("report.{}", format.extension()), report.render(format)));
    }
}
