#!/usr/bin/env bash
# packaging/try-deb.sh [PACKAGE]: installs the Debian package (default: the newest in target/dist) into a clean root, uses it,
# and removes it. With debootstrap, the root is a minimal Debian and apt fetches what the package depends on. Without, it is an
# empty folder with the libraries of this machine. Ends with 77 where neither can be had, and says why.
# SUITE and MIRROR name another Debian: SUITE=trixie packaging/try-deb.sh
set -euo pipefail
cd "$(dirname "$0")/.."

skip() {
    echo "skipped: $1"
    exit 77
}
fail() {
    echo "packaging/try-deb.sh: $1" >&2
    exit 1
}

package=${1:-$(ls -t target/dist/*.deb 2>/dev/null | head -n 1)}
[ -n "$package" ] || fail "there is no package in target/dist; run packaging/deb.sh first"
[ "$(id -u)" = 0 ] || skip "a root file system needs root"
for tool in dpkg dpkg-deb chroot; do
    command -v "$tool" >/dev/null || skip "there is no $tool"
done

root=$(mktemp -d)
log=$(mktemp)
trap 'rm -rf --one-file-system "$root" "$log"' EXIT
chmod 755 "$root"
run() { chroot "$root" /usr/bin/env -i HOME=/tmp/home LANG=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive "$@"; }

if command -v debootstrap >/dev/null; then
    suite=${SUITE:-$(. /etc/os-release && echo "${VERSION_CODENAME:-stable}")}
    echo "root: minimal Debian $suite"
    debootstrap --variant=minbase "$suite" "$root" ${MIRROR:+"$MIRROR"} >"$log" 2>&1 ||
        { tail -n 5 "$log"; skip "debootstrap cannot make a $suite"; }
    # Proxies and names of hosts are those of this machine.
    cp /etc/resolv.conf "$root/etc/" 2>/dev/null || true
    cp -r /etc/apt/apt.conf.d/. "$root/etc/apt/apt.conf.d/" 2>/dev/null || true
    cp "$package" "$root/tmp/package.deb"
    { run apt-get update && run apt-get install -y --no-install-recommends /tmp/package.deb; } >"$log" 2>&1 ||
        { tail -n 5 "$log"; fail "apt does not install $package"; }
    remove() { run dpkg --purge mmd-elevate >/dev/null; }
else
    echo "root: an empty folder with libraries of this machine (there is no debootstrap)"
    mkdir -p "$root"/{tmp,etc,usr/bin,var/lib/dpkg/{info,updates}}
    touch "$root/var/lib/dpkg/status"
    dpkg --root="$root" --force-depends --log=/dev/null -i "$package" >"$log" 2>&1 ||
        { tail -n 5 "$log"; fail "dpkg does not install $package"; }
    ldd /usr/bin/env "$root/usr/bin/mmd-elevate" | grep -o '/[^ ]*' | grep '\.so' | sort -u |
        while read -r library; do cp --parents -L "$library" "$root"; done
    cp --parents -L /usr/bin/env "$root"
    [ ! -d /etc/ssl/certs ] || cp -r --parents /etc/ssl/certs "$root"
    remove() { dpkg --root="$root" --log=/dev/null --purge mmd-elevate >/dev/null 2>&1; }
fi
mkdir -p "$root/tmp/home"

version=$(dpkg-deb --field "$package" Version)
[ "$(run mmd-elevate --version)" = "mmd-elevate ${version%-*}" ] || fail "--version does not say ${version%-*}"
echo "ok: $(run mmd-elevate --version)"

for file in \
    /usr/share/man/man1/mmd-elevate.1.gz \
    /usr/share/man/man1/mmd-elevate-create.1.gz \
    /usr/share/bash-completion/completions/mmd-elevate \
    /usr/share/zsh/vendor-completions/_mmd-elevate \
    /usr/share/fish/vendor_completions.d/mmd-elevate.fish \
    /usr/share/doc/mmd-elevate/examples/config.example.toml \
    /usr/share/doc/mmd-elevate/README.md \
    /usr/share/doc/mmd-elevate/changelog.gz \
    /usr/share/doc/mmd-elevate/copyright; do
    [ -s "$root$file" ] || fail "the package has no $file"
done
gzip -dc "$root/usr/share/man/man1/mmd-elevate.1.gz" | grep -q '^\.TH mmd-elevate 1' || fail "the man page is no man page"
bash -n "$root/usr/share/bash-completion/completions/mmd-elevate" || fail "bash does not read its completions"
echo "ok: man pages, completions and documents"

run mmd-elevate --config /usr/share/doc/mmd-elevate/examples/config.example.toml config check >/dev/null ||
    fail "the example settings have mistakes"
echo "ok: the example settings"

requests=$(run mmd-elevate --practice list --plain) || fail "the practice tenant cannot be listed"
[ -n "$requests" ] || fail "the practice tenant has no requests"
echo "ok: $(printf '%s\n' "$requests" | wc -l) requests of the practice tenant"

installed=$(grep -v "^/\.$" "$root/var/lib/dpkg/info/mmd-elevate.list")
remove || fail "dpkg does not remove the package"
rm -rf "$root/tmp/home"
while read -r path; do
    # A folder may be another package's too.
    if [ -f "$root$path" ] || [ -L "$root$path" ]; then fail "removal leaves $path"; fi
done <<<"$installed"
left=$(find "$root" -xdev -name '*mmd-elevate*' -not -path "$root/var/log/*")
[ -z "$left" ] || fail "removal leaves $left"
echo "ok: removal leaves nothing"
