//! What comes into the program from others: `deny.toml` is held here as far as nothing but cargo can hold it.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::Path,
    process::Command,
};

use spdx::{Expression, ParseMode};
use toml::{Table, Value};

const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

fn table(name: &str) -> Table {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    fs::read_to_string(path).unwrap().parse().unwrap()
}

fn list<'a>(table: &'a Table, section: &str, key: &str) -> &'a [Value] {
    table[section][key].as_array().unwrap()
}

/// A version of a package, written as `deny.toml` writes it.
fn named(package: &Table) -> String {
    format!("{}@{}", package["name"].as_str().unwrap(), package["version"].as_str().unwrap())
}

fn locked(lock: &Table) -> impl Iterator<Item = &Table> {
    lock["package"].as_array().unwrap().iter().map(|package| package.as_table().unwrap())
}

/// Which of the packages are there in more than one version.
fn duplicates<'a>(packages: impl IntoIterator<Item = &'a str>) -> BTreeSet<&'a str> {
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for package in packages {
        versions.entry(package.split('@').next().unwrap()).or_default().insert(package);
    }
    versions.into_values().filter(|versions| versions.len() > 1).flatten().collect()
}

/// The packages that this machine builds, tests and build scripts included, each with its licence. They are on the disk
/// by now, so that cargo asks no network for them.
fn built() -> BTreeMap<String, String> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments = ["tree", "--locked", "--offline", "--edges", "normal,build,dev", "--prefix", "none"];
    let output = Command::new(cargo)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(arguments)
        .args(["--format", "{p} | {l}"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let of_line = |line: &str| {
        // `name v1.2.3 (proc-macro) | MIT`; a package that was told before ends in ` (*)`.
        let (package, licence) = line.split_once(" | ").unwrap();
        let (name, version) = package.split_once(" v").unwrap();
        let version = version.split(' ').next().unwrap();
        (format!("{name}@{version}"), licence.trim_end_matches(" (*)").to_owned())
    };
    String::from_utf8(output.stdout).unwrap().lines().map(of_line).collect()
}

#[test]
fn every_package_comes_from_the_one_registry_and_has_a_checksum() {
    for lock in ["Cargo.lock", "fuzz/Cargo.lock"] {
        let lock = table(lock);
        for package in locked(&lock) {
            let name = named(package);
            if name.starts_with("mmd-elevate") {
                assert!(!package.contains_key("source"), "{name} is this program");
                continue;
            }
            assert_eq!(package.get("source").and_then(Value::as_str), Some(REGISTRY), "{name}");
            assert!(package.contains_key("checksum"), "{name}");
        }
    }
}

#[test]
fn every_licence_is_allowed() {
    let deny = table("deny.toml");
    let allowed: Vec<&str> = list(&deny, "licenses", "allow").iter().map(|licence| licence.as_str().unwrap()).collect();
    let built = built();
    assert!(built.len() > 100, "{built:?}");
    for (package, licence) in built {
        let expression = Expression::parse_mode(&licence, ParseMode::LAX).unwrap_or_else(|e| panic!("{package}: {e}"));
        let is_allowed = expression.evaluate(|requirement| allowed.contains(&requirement.to_string().as_str()));
        assert!(is_allowed, "{package} asks for {licence}: allow it in deny.toml, or do without the package");
    }
}

#[test]
fn no_package_is_there_twice_without_a_reason() {
    let deny = table("deny.toml");
    let skipped: BTreeMap<&str, &str> = list(&deny, "bans", "skip")
        .iter()
        .map(|entry| (entry["crate"].as_str().unwrap(), entry["reason"].as_str().unwrap()))
        .collect();
    assert!(skipped.values().all(|reason| !reason.is_empty()));
    let built = built();
    let excused = |name: &str| skipped.contains_key(name);
    let left = duplicates(built.keys().map(String::as_str).filter(|name| !excused(name)));
    assert!(left.is_empty(), "these are there twice; do without one, or say in deny.toml why not: {left:?}");

    let lock = table("Cargo.lock");
    let names: Vec<String> = locked(&lock).map(named).collect();
    let twice = duplicates(names.iter().map(String::as_str));
    let needless: Vec<_> = skipped.keys().filter(|name| !twice.contains(*name)).collect();
    assert!(needless.is_empty(), "deny.toml excuses what is not there twice: {needless:?}");
}
