//! The file of rules, and how often a rule strikes.

use std::{collections::HashSet, fs, time::Duration};

use mmd_elevate_practice::{Count, Endpoint, Misdeed, RetryAfter, Rule, Rules, Settings};
use rstest::rstest;

use super::serve;

const EXAMPLE: &str = include_str!("../../../assets/practice-rules.example.toml");

/// The example with its rules switched on: a line of a rule begins with a comment sign and no blank.
fn switched_on() -> String {
    let line = |line: &'static str| line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')).unwrap_or(line);
    EXAMPLE.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_example_is_harmless_as_it_stands_and_shows_every_rule() {
    assert_eq!(Rules::parse(EXAMPLE).unwrap(), Rules::default());
    let text = switched_on();
    let rules = Rules::parse(&text).unwrap();
    let deeds: HashSet<_> = rules.as_slice().iter().map(|rule| format!("{rule:?}")).collect();
    assert_eq!(deeds.len(), 38);
    let refused = Rules::parse("[[rules]]\non = 'any'\ndo = 'x'").unwrap_err();
    let known: Vec<_> = refused.what.split('`').skip(3).step_by(2).collect();
    assert_eq!(known.len(), 38, "{refused}");
    assert!(known.iter().all(|deed| text.contains(&format!("\ndo = \"{deed}\"\n"))), "{known:?}");
    let refused = Rules::parse("[[rules]]\non = 'x'\ndo = 'cut'").unwrap_err();
    assert!(refused.what.split('`').skip(3).step_by(2).all(|on| text.contains(&format!("\"{on}\""))), "{refused}");
}

#[test]
fn a_file_says_what_a_builder_says() {
    let text = "[[rules]]\non = 'create'\ndo = 'throttle'\nretry_after_date = 3\ndevice = 'D'\nticket = 'T'\nskip = 1\n\
                every = 2\ntimes = 3\nprobability = 0.5\nseed = 9\n[[rules]]\non = 'list'\ndo = 'hang'\nms = 40\n";
    let throttle = Rule::new(Endpoint::Create, Misdeed::Throttle(RetryAfter::Date(3)));
    let throttle = throttle.device("D").ticket("T").skip(1).every(2).times(3).probability(0.5, 9);
    let hang = Rule::new(Endpoint::List, Misdeed::Hang(Duration::from_millis(40)));
    assert_eq!(Rules::parse(text).unwrap(), Rules::from([throttle, hang]));
}

#[rstest]
#[case::no_toml("[[rules]]\non = ", 2, "")]
#[case::unknown_key(
    "[[rules]]\non = 'any'\ndo = 'cut'\noften = 3",
    4,
    "`often` is no key of a rule: use one of `on`, `do`, "
)]
#[case::unknown_table("[rule]", 1, "`rule` has no place in a file of rules: use one of `rules`")]
#[case::unknown_deed(
    "\n[[rules]]\non = 'any'\ndo = 'explode'",
    4,
    "`explode` is nothing that a rule can do: use one of `refuse`, "
)]
#[case::nothing_to_do("[[rules]]\non = 'any'", 1, "a rule needs `do`: what goes wrong")]
#[case::refuse("[[rules]]\non = 'create'\ndo = 'refuse'", 1, "only be on `any`")]
#[case::late("[[rules]]\non = 'list'\ndo = 'late'\nms = 1", 1, "`create`, `close` or `any`")]
#[case::twice("[[rules]]\non = 'close'\ndo = 'twice'", 1, "`create` or `any`")]
#[case::no_time("[[rules]]\non = 'any'\ndo = 'cut'\n\n[[rules]]\non = 'any'\ndo = 'delay'", 5, "needs `ms`")]
#[case::long("[[rules]]\non = 'any'\ndo = 'delay'\nms = 86400001", 1, "up to 86400000")]
#[case::negative("[[rules]]\non = 'any'\ndo = 'delay'\nms = -1", 4, "`ms` has to be a whole number from 0")]
#[case::not_a_text("[[rules]]\non = 'any'\ndo = 3", 3, "`do` has to be a text")]
#[case::one_rule("\n[rules]\non = 'any'\ndo = 'cut'", 2, "write `[[rules]]` above each rule")]
#[case::no_rule("rules = [3]", 1, "a rule is a table")]
#[case::time("[[rules]]\non = 'any'\ndo = 'cut'\nms = 1", 1, "cannot have `ms`")]
#[case::throttle("[[rules]]\non = 'any'\ndo = 'throttle'", 1, "`retry_after` or `retry_after_date`, in seconds")]
#[case::both("[[rules]]\non = 'any'\ndo = 'throttle'\nretry_after = 1\nretry_after_date = 1", 1, "not both")]
#[case::again("[[rules]]\non = 'any'\ndo = 'fail'\nretry_after = 1", 1, "cannot have `retry_after`")]
#[case::skew("[[rules]]\non = 'any'\ndo = 'skew'", 1, "needs `seconds`")]
#[case::seconds("[[rules]]\non = 'any'\ndo = 'fail'\nseconds = 1", 1, "cannot have `seconds`")]
#[case::skew_times("[[rules]]\non = 'create'\ndo = 'skew-times'", 1, "needs `seconds`")]
#[case::entries("[[rules]]\non = 'any'\ndo = 'shuffle'\nentries = 1", 1, "cannot have `entries`")]
#[case::no_entries("[[rules]]\non = 'list'\ndo = 'cap'", 1, "needs `entries`")]
#[case::endless("[[rules]]\non = 'list'\ndo = 'next-link'\nentries = 0", 1, "`entries` from 1")]
#[case::stale("[[rules]]\non = 'list'\ndo = 'stale'\nms = 3600001", 1, "`ms` up to 3600000")]
#[case::not_a_list("[[rules]]\non = 'create'\ndo = 'overlap'\nentries = 1", 1, "`list` or `any`")]
#[case::not_written("[[rules]]\non = 'close'\ndo = 'bare'", 1, "`create`, `list` or `any`")]
#[case::not_only_a_close("[[rules]]\non = 'any'\ndo = 'ignore'", 1, "only be on `close`")]
#[case::not_a_close("[[rules]]\non = 'create'\ndo = 'ignore'", 1, "only be on `close`")]
#[case::far("[[rules]]\non = 'any'\ndo = 'skew'\nseconds = 999999999", 1, "from -31622400 to 31622400")]
#[case::device("[[rules]]\non = 'devices'\ndo = 'fail'\ndevice = 'D'", 1, "cannot have a device")]
#[case::ticket("[[rules]]\non = 'list'\ndo = 'fail'\nticket = 'T'", 1, "`create`, `close` or `any`")]
#[case::never("[[rules]]\non = 'any'\ndo = 'fail'\nevery = 0", 1, "`every` from 1")]
#[case::probability("[[rules]]\non = 'any'\ndo = 'fail'\nprobability = 2", 1, "from 0 (never) to 1 (always)")]
#[case::seed("[[rules]]\non = 'any'\ndo = 'fail'\nseed = 2", 1, "needs a `probability`")]
fn what_cannot_be_is_told_with_its_place_and_what_can(#[case] text: &str, #[case] line: usize, #[case] words: &str) {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("rules.toml");
    fs::write(&path, text).unwrap();
    let refused = Rules::load(&path).unwrap_err();
    assert!(refused.what.contains(words), "{refused}");
    assert!(refused.to_string().starts_with(&format!("{}, line {line}: ", path.display())), "{refused}");
    assert!(refused.to_string().contains("\nhint: "));
}

#[rstest]
#[case::key("[[rules]]\non = 'any'\ndo = 'cut'\nevry = 3", "did you mean `every`? ")]
#[case::deed("[[rules]]\non = 'any'\ndo = 'dropafter'", "did you mean `drop-after`? ")]
#[case::call("[[rules]]\non = 'creates'\ndo = 'cut'", "did you mean `create`? ")]
#[case::table("[[rule]]\non = 'any'\ndo = 'cut'", "did you mean `rules`? ")]
#[case::nothing_like_it("[[rules]]\non = 'any'\ndo = 'explode'", "mmd-elevate practice --print-rules")]
fn a_name_that_is_nearly_right_is_told(#[case] text: &str, #[case] hint: &str) {
    let refused = Rules::parse(text).unwrap_err();
    assert!(refused.hint.starts_with(hint), "{refused}");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let refused = Rules::load("/nowhere/rules.toml".as_ref()).unwrap_err();
    assert!(refused.to_string().starts_with("/nowhere/rules.toml: the file of rules cannot be read"), "{refused}");
    assert!(Settings::in_folder("/state".as_ref(), false, Some("/nowhere/rules.toml".as_ref())).is_err());
}

/// Which of eight lists the rule fails.
async fn failed(rule: Rule) -> Vec<usize> {
    let served = serve(Settings { rules: Rules::from([rule]), ..Settings::default() }).await;
    let mut failed = Vec::new();
    for n in 1..=8 {
        if served.call("GET", "elevationRequests", "").await.status == 500 {
            failed.push(n);
        }
    }
    assert_eq!(served.observer.counts(), [Count { seen: 8, applied: failed.len() as u64 }]);
    failed
}

#[tokio::test]
async fn a_rule_strikes_as_often_as_it_says() {
    let fail = || Rule::new(Endpoint::List, Misdeed::Fail);
    assert_eq!(failed(fail()).await, [1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(failed(fail().times(2)).await, [1, 2]);
    assert_eq!(failed(fail().skip(3).times(1)).await, [4]);
    assert_eq!(failed(fail().every(3)).await, [1, 4, 7]);
    assert_eq!(failed(fail().skip(1).every(2).times(3)).await, [2, 4, 6]);
    assert_eq!(failed(fail().probability(0.0, 1)).await, [0; 0]);
    assert_eq!(failed(fail().probability(1.0, 1)).await.len(), 8);
    let seldom = failed(fail().probability(0.5, 4)).await;
    assert!((1..8).contains(&seldom.len()), "{seldom:?}");
    assert_eq!(failed(fail().probability(0.5, 4)).await, seldom, "the same seed strikes the same calls");
    assert_ne!(failed(fail().probability(0.5, 5)).await, seldom);
}

#[tokio::test]
async fn a_rule_is_for_its_operation_device_and_ticket() {
    let rules = [
        Rule::new(Endpoint::Any, Misdeed::Fail).device("mmd-03690457680"),
        Rule::new(Endpoint::Any, Misdeed::Html).ticket("T-1"),
        Rule::new(Endpoint::Devices, Misdeed::Unavailable(None)),
    ];
    let served = serve(Settings { rules: Rules::default(), ..Settings::default() }).await;
    let made = served.create("MMD-03690457680", "to close").await.json();
    served.observer.set_rules(rules);
    assert_eq!(served.create("DeviceName", "another").await.status, 201);
    assert_eq!(served.create("MMD-03690457680", "this").await.status, 500);
    let close = format!("elevationRequests/{}", made["id"].as_str().unwrap());
    assert_eq!(served.call("PATCH", &close, r#"{"ActionsTaken": "x"}"#).await.status, 500);
    let list = |device| format!("elevationRequests?{}", super::query(&[("$filter", device)]));
    assert_eq!(served.call("GET", &list("deviceName eq 'MMD-03690457680'"), "").await.status, 500);
    assert_eq!(served.call("GET", &list("deviceName eq 'DeviceName'"), "").await.status, 200);
    assert_eq!(served.call("GET", "devices/MMD-03690457680", "").await.status, 500);
    assert_eq!(served.call("GET", "devices", "").await.status, 503);
    let mut body = super::sample();
    body["PartnerTicketId"] = "T-1".into();
    let heard = served.call("POST", "elevationRequests", &body.to_string()).await;
    assert_eq!((heard.status, heard.head.contains("text/html")), (200, true));
    assert_eq!(served.observer.counts().iter().map(|count| count.applied).collect::<Vec<_>>(), [4, 1, 1]);
}
