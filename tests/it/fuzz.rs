//! What the fuzz targets throw bytes at, with the seeds and with bytes that are drawn at random, for a bounded while.
//! `fuzz/README.md` says how to go on without a bound.

use std::{fs, path::Path};

use proptest::prelude::*;
use rstest::rstest;

#[path = "../../fuzz/bodies/answers.rs"]
mod answers;
#[path = "../../fuzz/bodies/keys.rs"]
mod keys;
#[path = "../../fuzz/bodies/list_pages.rs"]
mod list_pages;
#[path = "../../fuzz/bodies/record.rs"]
mod record;
#[path = "../../fuzz/bodies/settings.rs"]
mod settings;
#[path = "../../fuzz/bodies/terminal.rs"]
mod terminal;
#[path = "../../fuzz/bodies/token_answer.rs"]
mod token_answer;

type Body = fn(&[u8]);

fn service_json(data: &[u8]) {
    answers::answers(true, data);
}

fn error_envelope(data: &[u8]) {
    answers::answers(false, data);
}

/// The seeds of a target.
fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let files = fs::read_dir(folder).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap());
    files.collect()
}

/// A seed with some of its bytes replaced, taken out or put in, or bytes of nobody's.
fn data(target: &str) -> impl Strategy<Value = Vec<u8>> + use<> {
    let seeds = seeds(target);
    let edit = (any::<prop::sample::Index>(), any::<u8>(), 0..3_u8);
    let edited = (prop::sample::select(seeds), prop::collection::vec(edit, 0..8)).prop_map(|(mut seed, edits)| {
        for (at, byte, how) in edits {
            let at = at.index(seed.len() + 1);
            match (seed.get_mut(at), how) {
                (Some(old), 0) => *old = byte,
                (Some(_), 1) => drop(seed.remove(at)),
                _ => seed.insert(at, byte),
            }
        }
        seed
    });
    prop_oneof![3 => edited, 1 => prop::collection::vec(any::<u8>(), 0..400)]
}

#[rstest]
#[case("service_json", service_json, 300)]
#[case("error_envelope", error_envelope, 100)]
#[case("list_pages", list_pages::list_pages, 200)]
#[case("keys", keys::keys, 100)]
#[case("terminal", terminal::terminal, 2_000)]
#[case("settings", settings::settings, 300)]
#[case("record", record::record, 60)]
#[case("token_answer", token_answer::token_answer, 300)]
fn no_bytes_break_it(#[case] target: &str, #[case] body: Body, #[case] cases: u32) {
    let all = seeds(target);
    assert!(!all.is_empty(), "fuzz/seeds/{target} is empty");
    for seed in &all {
        body(seed);
    }
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let drawn = data(target);
    proptest!(config, |(bytes in drawn)| body(&bytes));
}

#[test]
fn every_target_has_seeds_and_is_run_here() {
    let names = |folder: &str| {
        let entries = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    };
    let targets = names("fuzz/fuzz_targets");
    assert_eq!(names("fuzz/seeds"), targets);
    for target in targets {
        assert!(include_str!("fuzz.rs").contains(&format!("#[case(\"{target}\"")), "{target} is not run");
    }
}
