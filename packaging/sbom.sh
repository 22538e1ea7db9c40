#!/usr/bin/env bash
# packaging/sbom.sh [TARGET]: writes what the program for TARGET (default: this machine's) is made of into target/dist, as
# CycloneDX in JSON. Needs cargo-cyclonedx (cargo install cargo-cyclonedx --locked).
set -euo pipefail
cd "$(dirname "$0")/.."
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
target=${1:-$(rustc -vV | sed -n 's/^host: //p')}

# It writes a file beside each Cargo.toml; the one of the program has all of the others in it.
name=sbom-$$
trap 'rm -f "$name.json" crates/*/"$name.json"' EXIT
cargo cyclonedx --format json --spec-version 1.5 --target "$target" --override-filename "$name" --quiet
mkdir -p target/dist
# Where the sources stood is nobody's business.
sbom=target/dist/mmd-elevate-$version-$target.cdx.json
sed "s|path+file://$PWD|path+file:///mmd-elevate|g" "$name.json" >"$sbom"

for component in mmd-elevate-core mmd-elevate-engine mmd-elevate-files mmd-elevate-practice ratatui rusqlite rustls; do
    grep -q "\"name\": \"$component\"" "$sbom" || { echo "packaging/sbom.sh: $sbom leaves out $component" >&2; exit 1; }
done
if grep -q "$PWD" "$sbom"; then
    echo "packaging/sbom.sh: $sbom names a place of this machine" >&2
    exit 1
fi
echo "$sbom"
