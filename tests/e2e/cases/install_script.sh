# install.sh by itself, with a stand-in for the binary, and once with the real one.
use_fresh "$suite"
release=$(mktemp -d)
cat >"$release/fake" <<'EOF'
#!/bin/sh
[ "$1" != --version ] || { echo "lalapanel 0"; exit; }
echo "$*" >/root/ran
cat >/root/ran.stdin
case $* in *--refuse*) exit 1 ;; esac
EOF
# packaging/release tells architectures apart by the file itself, so lay this out by hand.
install -D -m 755 "$release/fake" "$release/lalapanel-x86_64-linux"
(cd "$release" && sha256sum lalapanel-x86_64-linux >SHA256SUMS)
cp "$here/../../install.sh" "$release/install.sh"
"$here/host" push "$host" "$release" /srv/release
rm -rf "$release"
sh_on 'apt-get -qq update; DEBIAN_FRONTEND=noninteractive apt-get -qq -y install busybox </dev/null >/dev/null
    (cd /srv/release && setsid busybox httpd -p 127.0.0.1:8000 -h . </dev/null >/dev/null 2>&1 &)' >/dev/null 2>&1

# What is not there before and must not be there after a refusal.
nothing_done() { sh_on '[ ! -e /usr/local/bin/lalapanel ] && [ ! -e /root/ran ] && [ -z "$(ls /tmp | grep lalapanel)" ]'; }
piped() { # piped URL ARGUMENTS...: as a person would, with that release address
    sh_on 'url=$1; shift; curl -fsS http://127.0.0.1:8000/install.sh | LALAPANEL_RELEASE_URL=$url sh -s -- "$@"' "$@"
}
fails() { local code=0; "$@" || code=$?; [ $code != 0 ]; }

plan_only() {
    piped http://127.0.0.1:8000 --plan
    is "$(on cat /root/ran)" "install --plan"
    on rm /root/ran /root/ran.stdin
    nothing_done
}
check "with --plan it runs the binary and installs nothing" plan_only

from_checkout() { # this server has no network, so the compilers themselves cannot come
    local out packages
    on mkdir -p /root/clone
    "$here/host" push "$host" "$here/../../packaging" /root/clone/packaging
    "$here/host" push "$host" "$here/../../install.sh" /root/clone/install.sh
    "$here/host" push "$host" "$here/../../Cargo.toml" /root/clone/Cargo.toml
    sh_on 'rm -rf /var/lib/apt/lists/*'
    packages=$(on dpkg-query -W)
    out=$(on /root/clone/install.sh --yes 2>&1) && return 1
    matches "$out" 'installing .*rustc-web'
    matches "$out" 'error: the build failed'
    is "$(on dpkg-query -W)" "$packages"
    nothing_done
}
check "from a checkout it asks for the compiler Debian keeps current, and a build that fails installs nothing" from_checkout

truncated() { # at every line, and at every byte of the last ones
    sh_on 'cd /tmp; n=$(wc -c </srv/release/install.sh)
        { awk "{ n += length(\$0) + 1; print n - 1; print n - 8 }" /srv/release/install.sh | awk -v n=$n "\$1 > 0 && \$1 < n - 2"
            seq $((n - 60)) $((n - 2)); } >/root/cuts
        while read -r cut; do
            head -c "$cut" /srv/release/install.sh >/root/cut.sh
            LALAPANEL_RELEASE_URL=http://127.0.0.1:8000 sh /root/cut.sh </dev/null >/dev/null 2>&1 || true
            [ ! -e /usr/local/bin/lalapanel ] && [ ! -e /root/ran ] || { echo "cut at $cut ran"; exit 1; }
        done </root/cuts; [ "$(wc -l </root/cuts)" -gt 250 ]'
}
check "a script cut off anywhere does nothing" truncated

flipped() {
    sh_on 'cp -p /srv/release/lalapanel-x86_64-linux /root/good
        printf X | dd of=/srv/release/lalapanel-x86_64-linux bs=1 seek=40 conv=notrunc status=none'
    fails piped http://127.0.0.1:8000 --yes
    nothing_done
    sh_on 'cp -p /root/good /srv/release/lalapanel-x86_64-linux'
}
check "a flipped byte in the binary stops it before anything is installed" flipped

no_sums() {
    sh_on 'mv /srv/release/SHA256SUMS /root/'
    fails piped http://127.0.0.1:8000 --yes
    sh_on ': >/srv/release/SHA256SUMS'
    fails piped http://127.0.0.1:8000 --yes
    sh_on 'mv /root/SHA256SUMS /srv/release/'
    nothing_done
}
check "a missing or empty checksum file stops it" no_sums

plain_http() {
    local url
    for url in "http://$address:8000" http://127.0.0.1@"$address":8000 http://127.0.0.1:8000@"$address"/ \
        http://127.0.0.1.example/ ftp://127.0.0.1/ file:///srv/release 127.0.0.1:8000; do
        fails piped "$url" --yes
    done
    nothing_done
}
check "an address that is neither https nor this machine is refused" plain_http

not_root() {
    fails sh_on 'curl -fsS http://127.0.0.1:8000/install.sh | LALAPANEL_RELEASE_URL=http://127.0.0.1:8000 setpriv --reuid=nobody --regid=nogroup --clear-groups sh -s -- --yes'
    nothing_done
}
check "without root it is refused" not_root

refused_install() {
    fails piped http://127.0.0.1:8000 --refuse
    sh_on 'rm /root/ran /root/ran.stdin'
    nothing_done
}
check "when the install is refused, no binary is left behind" refused_install

whole() {
    piped http://127.0.0.1:8000 --yes --hostname panel.example
    is "$(on cat /root/ran)" "install --yes --hostname panel.example"
    is "$(on cat /root/ran.stdin)" ""
    is "$(on stat -c '%a %U:%G' /usr/local/bin/lalapanel)" "755 root:root"
    is "$(on sh -c 'ls /tmp | grep lalapanel || true')" ""
}
check "curl | sh puts the binary in place and passes its arguments on" whole

spaces() {
    sh_on 'LALAPANEL_BINARY=/root/good sh /srv/release/install.sh --email "a b" "c  d" "" "\$x"'
    is "$(on cat /root/ran)" 'install --email a b c  d  $x'
}
check "arguments with spaces arrive unbroken" spaces

keeps_previous() {
    sh_on 'echo old >/usr/local/bin/lalapanel; rm -f /root/ran'
    fails sh_on 'LALAPANEL_BINARY=/root/good sh /srv/release/install.sh --refuse'
    is "$(on cat /usr/local/bin/lalapanel)" old
}
check "a refused upgrade leaves the old binary in place" keeps_previous
