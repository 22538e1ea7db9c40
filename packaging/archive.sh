#!/usr/bin/env bash
# packaging/archive.sh [TARGET]: builds the program for TARGET (default: this machine's) and packs it with man pages,
# completions, example settings, README and LICENSE into target/dist. The program has to run here: it writes its own pages.
set -euo pipefail
cd "$(dirname "$0")/.."
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
host=$(rustc -vV | sed -n 's/^host: //p')
target=${1:-$host}

# The build for this machine is also that of the Debian package.
options=(--target "$target")
program=target/$target/release/mmd-elevate
if [ "$target" = "$host" ]; then
    options=()
    program=target/release/mmd-elevate
fi
cargo build --release --locked --package mmd-elevate ${options[@]+"${options[@]}"}
if ! "$program" --version >/dev/null; then
    echo "packaging/archive.sh: the program for $target does not run here" >&2
    echo "hint: build it on a machine of that kind, as .github/workflows/release.yml does" >&2
    exit 1
fi

name=mmd-elevate-$version-$target
folder=target/archive/$name
rm -rf "$folder"
mkdir -p "$folder" target/dist
packaging/generate.sh "$program" "$folder"
cp "$program" README.md CHANGELOG.md LICENSE config.example.toml "$folder"

# The same sources give the same archive, where tar is GNU's.
options=()
if tar --version | grep -q GNU; then
    epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
    options=(--sort=name --owner=0 --group=0 --numeric-owner --mtime="@$epoch")
fi
tar -C target/archive ${options[@]+"${options[@]}"} -cf - "$name" | gzip -9n >"target/dist/$name.tar.gz"

# What is in the archive works.
unpacked=$(mktemp -d)
trap 'rm -rf "$unpacked"' EXIT
tar -C "$unpacked" -xzf "target/dist/$name.tar.gz"
[ "$("$unpacked/$name/mmd-elevate" --version)" = "mmd-elevate $version" ]
for file in man/mmd-elevate.1 completions/mmd-elevate.bash completions/_mmd-elevate completions/mmd-elevate.fish LICENSE; do
    [ -s "$unpacked/$name/$file" ]
done
HOME=$unpacked "$unpacked/$name/mmd-elevate" --practice list --plain | grep -q .
echo "target/dist/$name.tar.gz"
