//! Whoever builds the program from its packages has what it takes: every file that is compiled in.

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Component, Path, PathBuf},
    process::{Command, Output},
};

use rstest::rstest;

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
