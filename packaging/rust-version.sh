#!/usr/bin/env bash
# packaging/rust-version.sh: builds the program and its tests with the Rust version that Cargo.toml states, and runs the tests.
set -euo pipefail
cd "$(dirname "$0")/.."
version=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)

if ! rustup run "$version" rustc --version; then
    rustup toolchain install "$version" --profile minimal
fi
cargo "+$version" test --locked
