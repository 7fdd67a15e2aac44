#!/bin/sh
# Installs Lala Panel on this server:
#
#     curl -fsSL <release address>/install.sh | sh -s -- --yes
#     ./install.sh --yes              (from a source checkout: builds first)
#
# Every argument goes on to `lalapanel install`; `--plan` changes nothing.
#
#   LALAPANEL_RELEASE_URL   folder with install.sh, SHA256SUMS and the binaries
#   LALAPANEL_BINARY        install this file; nothing is fetched or built
#
# All of it is one function, called on the last line in braces: a download that
# breaks off anywhere is a syntax error and does nothing.
set -eu

# Written in by packaging/release.
release_url_of_this_script=""

main() {
    binary_path=/usr/local/bin/lalapanel
    [ "$(id -u)" = 0 ] || fail "this needs root" "run it with sudo, or in a root shell"
    work=$(mktemp -d "${TMPDIR:-/tmp}/lalapanel.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    trap 'exit 130' INT TERM HUP

    checkout=$(source_checkout)
    if [ -n "${LALAPANEL_BINARY:-}" ]; then
        [ -f "$LALAPANEL_BINARY" ] || fail "LALAPANEL_BINARY is not a file: $LALAPANEL_BINARY" "give the path of a lalapanel binary"
        cp "$LALAPANEL_BINARY" "$work/lalapanel"
    elif [ -n "$checkout" ] && [ -z "${LALAPANEL_RELEASE_URL:-}" ]; then
        build "$checkout"
    else
        download "${LALAPANEL_RELEASE_URL:-$release_url_of_this_script}"
    fi
    chmod 755 "$work/lalapanel"
    "$work/lalapanel" --version >/dev/null || fail "the binary does not start on this machine" "is it for $(uname -m)?"

    if wants_plan_only "$@"; then
        run_install "$work/lalapanel" "$@"
        exit
    fi
    put_in_place
    code=0
    run_install "$binary_path" "$@" || code=$?
    # Code 1 is "refused or failed, nothing changed": then the binary goes as well.
    [ "$code" != 1 ] || put_back
    exit "$code"
}

say() { printf '%s\n' "$*" >&2; }

fail() {
    printf 'error: %s\n' "$1" >&2
    printf '  hint: %s\n' "$2" >&2
    exit 1
}

# The folder this script lies in, if that is the project's source tree.
source_checkout() {
    case $0 in install.sh | */install.sh) ;; *) return 0 ;; esac
    folder=$(cd "$(dirname "$0")" && pwd)
    if grep -qs '^name = "lalapanel"' "$folder/Cargo.toml" && [ -x "$folder/packaging/build-static" ]; then
        printf '%s\n' "$folder"
    fi
}

build() {
    say "building lalapanel from $1 (some minutes)"
    "$1/packaging/build-static" >"$work/built" || fail "the build failed" "its messages are above"
    cp "$(tail -n 1 "$work/built")" "$work/lalapanel"
}

download() {
    base=${1%/}
    [ -n "$base" ] || fail "no release address is known" "set LALAPANEL_RELEASE_URL=https://…"
    command -v curl >/dev/null || fail "curl is missing" "apt-get install curl"
    protocol=$(allowed_protocol "$base") || exit 1
    case $(uname -m) in
        x86_64 | amd64) name=lalapanel-x86_64-linux ;;
        aarch64 | arm64) name=lalapanel-aarch64-linux ;;
        *) fail "there is no build for $(uname -m)" "x86_64 and aarch64 are supported; others build from source" ;;
    esac
    fetch SHA256SUMS
    fetch "$name"
    wanted=$(awk -v name="$name" '$2 == name || $2 == "*" name { print $1 }' "$work/SHA256SUMS")
    [ "${#wanted}" = 64 ] || fail "SHA256SUMS has no line for $name" "the release at $base is not complete"
    printf '%s  %s\n' "$wanted" "$work/$name" | sha256sum -c --status ||
        fail "the checksum of $name is wrong: nothing was installed" "try again; if it stays so, do not install from $base"
    mv "$work/$name" "$work/lalapanel"
}

# Only https; plain http only to this very machine. A name before an @ is not a host.
allowed_protocol() {
    case $1 in
        https://*) echo https; return ;;
        http://*) ;;
        *) fail "not an https address: $1" "LALAPANEL_RELEASE_URL must begin with https://" ;;
    esac
    host=${1#http://}
    host=${host%%/*}
    case $host in
        *@*) ;;
        127.0.0.1 | 127.0.0.1:* | localhost | localhost:* | '[::1]' | '[::1]:'*) echo http; return ;;
    esac
    fail "not an https address: $1" "LALAPANEL_RELEASE_URL must begin with https://"
}

fetch() {
    curl -fsSL --proto "=$protocol" --retry 3 --connect-timeout 20 -o "$work/$1" "$base/$1" ||
        fail "cannot fetch $base/$1" "check the address and this server's network"
}

wants_plan_only() {
    for argument; do
        [ "$argument" != --plan ] || return 0
    done
    return 1
}

# Written beside and renamed, so that a running panel never sees half a file.
put_in_place() {
    [ ! -e "$binary_path" ] || cp -p "$binary_path" "$work/previous"
    mkdir -p "$(dirname "$binary_path")"
    cp "$work/lalapanel" "$binary_path.new"
    chmod 755 "$binary_path.new"
    mv "$binary_path.new" "$binary_path"
}

put_back() {
    if [ -e "$work/previous" ]; then
        cp -p "$work/previous" "$binary_path.new"
        mv "$binary_path.new" "$binary_path"
    else
        rm -f "$binary_path"
    fi
}

# When this script came through a pipe, questions are asked at the terminal.
run_install() {
    program=$1
    shift
    if [ -t 0 ]; then
        "$program" install "$@"
    elif (: </dev/tty) 2>/dev/null; then
        "$program" install "$@" </dev/tty
    else
        "$program" install "$@" </dev/null
    fi
}

{ main "$@"; }
