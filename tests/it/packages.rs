//! Whoever builds the program from its packages has what it takes: every file that is compiled in, and the stated Rust version.

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Component, Path, PathBuf},
    process::{Command, Output},
};

use rstest::rstest;
use serde_json::Value;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn cargo(arguments: &[&str]) -> Output {
    // Cargo names itself to the tests that it runs.
    let program = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    Command::new(program).args(arguments).args(["--locked", "--offline"]).current_dir(ROOT).output().unwrap()
}

/// The files that a source file compiles in, relative to the root of its package. One outside of it begins with `..`.
fn compiled_in(root: &Path, source: &Path) -> Vec<PathBuf> {
    let text = fs::read_to_string(root.join(source)).unwrap();
    let of = |opening: &str| -> Vec<PathBuf> {
        let targets = text.split(opening).skip(1).filter_map(|rest| rest.split('"').next());
        targets.map(|target| without_detours(&source.parent().unwrap().join(target))).collect()
    };
    [of("include_str!(\""), of("include_bytes!(\"")].concat()
}

/// The path with no `..` but at its beginning.
fn without_detours(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut path, component| {
        let back = component == Component::ParentDir && path.file_name().is_some();
        if !(back && path.pop()) {
            path.push(component);
        }
        path
    })
}

#[rstest]
#[case::program("mmd-elevate", ".", 9)]
#[case::core("mmd-elevate-core", "crates/core", 0)]
#[case::engine("mmd-elevate-engine", "crates/engine", 0)]
#[case::files("mmd-elevate-files", "crates/files", 0)]
#[case::practice("mmd-elevate-practice", "crates/practice", 2)]
fn package_holds_what_is_compiled_in_and_its_licence_and_no_tests(
    #[case] name: &str,
    #[case] folder: &str,
    #[case] at_least: usize,
) {
    let listed = cargo(&["package", "--list", "--allow-dirty", "--package", name]);
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    let listed = String::from_utf8(listed.stdout).unwrap();
    let files: BTreeSet<_> = listed.lines().map(Path::new).collect();
    for needed in ["LICENSE", "README.md", "src/lib.rs"] {
        assert!(files.contains(Path::new(needed)), "{name} leaves out {needed}");
    }
    let is = |file: &Path, extension: &str| file.extension().is_some_and(|found| found == extension);
    for file in &files {
        let needless =
            ["tests", "benches", "examples", "fuzz", "packaging"].iter().any(|folder| file.starts_with(folder));
        assert!(!needless && !is(file, "svg"), "{name} has {}", file.display());
    }
    let mut compiled = BTreeSet::new();
    for source in files.iter().filter(|file| is(file, "rs")) {
        for file in compiled_in(&Path::new(ROOT).join(folder), source) {
            assert!(
                files.contains(&*file),
                "{} compiles in {}, which {name} leaves out",
                source.display(),
                file.display()
            );
            compiled.insert(file);
        }
    }
    assert!(compiled.len() >= at_least, "{name} is known to compile in {at_least} files, and {compiled:?} were found");
}

/// Major and minor number of a Rust version.
fn rust_version(text: &str) -> (u32, u32) {
    let mut numbers = text.split('.').map(|number| number.parse().unwrap());
    (numbers.next().unwrap(), numbers.next().unwrap_or(0))
}

/// What Cargo knows of the dependencies for these systems.
fn metadata(targets: &[&str]) -> Output {
    let mut arguments = vec!["metadata", "--format-version", "1"];
    for target in targets {
        arguments.extend(["--filter-platform", target]);
    }
    cargo(&arguments)
}

/// The system that this machine builds for.
fn host() -> String {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let told = Command::new(rustc).arg("-vV").current_dir(ROOT).output().unwrap();
    let told = String::from_utf8(told.stdout).unwrap();
    told.lines().find_map(|line| line.strip_prefix("host: ")).unwrap().to_owned()
}

#[test]
fn no_dependency_needs_a_newer_rust_than_the_program_states() {
    let deny: toml::Value = toml::from_str(&fs::read_to_string(Path::new(ROOT).join("deny.toml")).unwrap()).unwrap();
    let targets = deny["graph"]["targets"].as_array().unwrap();
    let targets: Vec<_> = targets.iter().map(|target| target.as_str().unwrap()).collect();
    let is_missing = |metadata: &Output| String::from_utf8_lossy(&metadata.stderr).contains("--offline was specified");
    let mut found = metadata(&targets);
    if is_missing(&found) {
        println!("dependencies of other systems are not on this machine: only its own are looked at");
        found = metadata(&[&host()]);
    }
    let problem = String::from_utf8_lossy(&found.stderr);
    if is_missing(&found) {
        println!("skipped: dependencies are not on this machine: {problem}");
        return;
    }
    assert!(found.status.success(), "{problem}");
    let metadata: Value = serde_json::from_slice(&found.stdout).unwrap();
    let used: BTreeSet<_> =
        metadata["resolve"]["nodes"].as_array().unwrap().iter().map(|node| node["id"].as_str().unwrap()).collect();
    let packages = metadata["packages"].as_array().unwrap();
    let stated = env!("CARGO_PKG_RUST_VERSION");
    let mut known = 0;
    for package in packages.iter().filter(|package| used.contains(package["id"].as_str().unwrap())) {
        if let Some(needed) = package["rust_version"].as_str() {
            let (name, version) = (&package["name"], &package["version"]);
            assert!(
                rust_version(needed) <= rust_version(stated),
                "{name} {version} needs Rust {needed}, and Cargo.toml states {stated}"
            );
            known += 1;
        }
    }
    assert!(known > 100, "{known} of {} packages state a Rust version: too few to hold anything", used.len());
}
