# The power is cut while dpkg unpacks and configures: a second install completes it.
use_fresh "$suite"
push_binary
on sync
install=(lalapanel install --yes --hostname "$panel_name")
cut_once() {
    sh_on '(setsid "$@" >/root/first.txt 2>&1 </dev/null &)
        for i in $(seq 600); do ! dpkg -l | grep -qE "^.[UF] " || break; sleep 0.1; done; sleep 3' "${install[@]}"
    "$here/host" powercut "$host"
    "$here/host" boot "$host" || true
    on test -x /usr/local/bin/lalapanel
}
cut_in_dpkg() { # some packages are unpacked, and not all of them configured; the moment is short and may be missed
    local try
    for try in 1 2 3 4; do
        cut_once
        [ -z "$(on dpkg --audit)" ] || return 0
        use_fresh "$suite"
        push_binary
        on sync
    done
    return 1
}
check "the power is cut while packages are half-configured" cut_in_dpkg
healthz() { is "$(outside curl -sk --max-time 5 "https://$address:8443/healthz" | tr -d '\n')" ok; }
completes() {
    on "${install[@]}"
    is "$(on dpkg --audit)" ""
    soon healthz
    panel site create shop.example
    soon answers shop.example 200
}
check "a second install completes it" completes
nothing_left() { matches "$(panel install --yes --hostname "$panel_name" 2>&1)" "Nothing to do"; }
check "and leaves nothing to do" nothing_left
purges() {
    panel uninstall --purge --yes
    is "$(on sh -c 'dpkg -l | grep -E "nginx|php|mariadb" || true')" ""
    is "$(on find /etc /var /usr/local /run -iname '*lalapanel*' -not -path '/var/lib/e2e-mirror/*' -not -path '/var/log/journal/*')" ""
}
check "uninstall --purge takes the packages away again" purges
