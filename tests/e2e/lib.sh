# Settings and functions that host, repo and run share (sourced, never run).
# shellcheck shell=bash
set -euo pipefail
export LC_ALL=C.UTF-8
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# All state is under one folder, and its last name marks our namespaces and
# cgroups: two values of LALAPANEL_E2E_DIR never touch each other.
dir=${LALAPANEL_E2E_DIR:-/tmp/lalapanel-e2e}
label=$(basename "$dir")

# Addresses of the documentation ranges: they can never be a real server's, and
# they exist only in network namespaces that lead nowhere.
net4=198.51.100
net6=2001:db8:51:

# Where a host sees the package mirror (read-only).
guest_mirror=/var/lib/e2e-mirror

# "A fresh server": all packages of priority required and important, and what
# any rented server has on top of that.
fresh_packages=systemd-sysv,dbus,libpam-systemd,ca-certificates,curl,openssh-server
disk_size=${LALAPANEL_E2E_DISK:-6G}

die() { echo "${0##*/}: $*" >&2; exit 1; }
say() { echo "${0##*/}: $*" >&2; }
now() { date +%s.%N; }
since() { awk -v a="$1" -v b="$(now)" 'BEGIN { printf "%.1f", b - a }'; }

[ "$(id -u)" = 0 ] || die "must run as root"
PATH=$PATH:/usr/sbin:/sbin
mkdir -p "$dir"

# locked COMMAND...: one builder at a time; a second one waits and then finds the
# work done. What runs under the lock knows it by the variable and does not wait.
locked() {
    if [ -n "${LALAPANEL_E2E_LOCKED:-}" ]; then "$@"; return; fi
    exec 9>"$dir/lock"
    flock -w 1800 9 || die "another run has held $dir/lock for half an hour"
    export LALAPANEL_E2E_LOCKED=1
    "$@" 9>&-
    unset LALAPANEL_E2E_LOCKED
    exec 9>&-
}

apt_update() { # the machine's own lists; apt does not wait for this lock by itself
    local i
    for i in $(seq 60); do
        apt-get -qq update && return
        sleep 5
    done
    die "apt-get update keeps failing ($i attempts)"
}

need() { # need PACKAGE...: install what this machine lacks
    local p missing=()
    for p; do
        dpkg-query -W -f '${Status}\n' "$p" 2>/dev/null | grep -q 'ok installed' || missing+=("$p")
    done
    [ ${#missing[@]} = 0 ] && return
    say "installing on this machine: ${missing[*]}"
    apt_update
    DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -qq -y \
        --no-install-recommends install "${missing[@]}" >&2
}

# registries: set E2E_MAIN and E2E_SECURITY to the base addresses that the machine's
# own apt uses; exported, because asking apt takes a second or two.
registries() {
    local codename list
    [ -z "${E2E_MAIN:-}" ] || return 0
    codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
    apt_sources() { apt-get indextargets --format '$(CODENAME) $(REPO_URI)' 'Created-By: Packages'; }
    list=$(apt_sources)
    grep -q "^$codename " <<<"$list" || { apt_update; list=$(apt_sources); }
    address_of() { awk -v w="$1" '$1 == w { sub("/$", "", $2); print $2; exit }' <<<"$list"; }
    E2E_MAIN=$(address_of "$codename") E2E_SECURITY=$(address_of "$codename-security")
    [ -n "$E2E_MAIN" ] && [ -n "$E2E_SECURITY" ] || die "apt has no source for $codename"
    export E2E_MAIN E2E_SECURITY
}

# sources SUITE: one-line apt sources of that suite at the machine's registry.
sources() {
    local key=/usr/share/keyrings/debian-archive-keyring.gpg
    registries
    echo "deb [signed-by=$key] $E2E_MAIN $1 main"
    echo "deb [signed-by=$key] $E2E_MAIN $1-updates main"
    echo "deb [signed-by=$key] $E2E_SECURITY $1-security main"
}

# suite_apt SUITE COMMAND...: apt-get or apt-cache for another suite, with lists,
# cache and package state of its own. Index files stay as downloaded, or their
# signed hashes would not match.
suite_apt() {
    local a=$dir/apt/$1 command=$2
    shift 2
    APT_CONFIG=$a/apt.conf "$command" -o Acquire::GzipIndexes=true \
        -o Acquire::IndexTargets::deb::Packages::KeepCompressedAs=xz \
        -o Acquire::Languages=none -o Acquire::Check-Valid-Until=false \
        -o Dir::Cache::pkgcache=pkgcache.bin -o Dir::Cache::srcpkgcache=srcpkgcache.bin \
        -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false "$@"
}
