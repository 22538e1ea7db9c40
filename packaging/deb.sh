#!/usr/bin/env bash
# packaging/deb.sh: builds the Debian package into target/dist. Needs cargo-deb (cargo install cargo-deb --locked).
# What the package holds is in Cargo.toml under [package.metadata.deb].
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build --release --locked --package mmd-elevate
packaging/generate.sh target/release/mmd-elevate target/deb
gzip -9n target/deb/man/*.1
gzip -9nc CHANGELOG.md >target/deb/changelog.gz
mkdir -p target/dist
cargo deb --no-build --locked --package mmd-elevate --output target/dist/
