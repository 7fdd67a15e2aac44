# Certificates from an authority (Pebble), ordered by the panel itself, installed, served and renewed.
use_fresh "$suite-panel"
. "$here/ca.sh"
settings() { # settings LINE...: the section [acme], and a panel that has read it
    sh_on '
        sed -i "/^\[acme\]/,\$d" /etc/lalapanel/config.toml
        { echo "[acme]"; printf "%s\n" "$@"; } >>/etc/lalapanel/config.toml
        systemctl restart lalapanel-agent
    ' "$@"
    soon panel status
}
long() { # like soon, for up to three minutes: the next try is one minute away, and other things may go slowly
    local i
    for i in $(seq 180); do "$@" && return; sleep 1; done
    return 1
}
# No name here is known to the host's own resolver, so a look from the host finds nothing and only takes its time.
ours=('directory = "https://ca.example:14000/dir"' 'ca_file = "/etc/lalapanel/test-root.pem"' 'skip_preflight = true')
on cp /root/ca/root.pem /etc/lalapanel/test-root.pem # the agent sees no home
ca_up plain PEBBLE_AUTHZREUSE=0
settings "${ours[@]}"
panel site create shop.example --type static --www add >/dev/null 2>&1
panel site create late.example --type static >/dev/null 2>&1

served() { # served NAME: the issuer of what nginx shows
    outside sh -c 'echo | openssl s_client -connect "$1:443" -servername "$2" 2>/dev/null | openssl x509 -noout -issuer -ext subjectAltName' sh "$address" "$1"
}
serial() { outside sh -c 'echo | openssl s_client -connect "$1:443" -servername "$2" 2>/dev/null | openssl x509 -noout -serial' sh "$address" "$1"; }
key_of() { outside sh -c 'echo | openssl s_client -connect "$1:443" -servername "$2" 2>/dev/null | openssl x509 -noout -pubkey' sh "$address" "$1"; }
shows_pebble() { matches "$(served shop.example)" 'Pebble Intermediate' && matches "$(served shop.example)" 'DNS:shop.example, DNS:www.shop.example'; }
issue() {
    panel cert issue shop.example >"$logs/$suite.cert.txt" 2>&1 || { cat "$logs/$suite.cert.txt"; return 1; }
    shows_pebble
}
check "cert issue: a name and its www have a certificate of the authority" issue
to_https() { soon answers shop.example 301; }
check "visitors are led to HTTPS after that" to_https

down() {
    local out s code=0
    s=$(serial shop.example)
    on systemctl stop pebble
    out=$(panel cert renew shop.example --force --json 2>/dev/null) || code=$?
    is "$code" 1
    is "$(jq -r .error.code <<<"$out")" certificate.unissued
    matches "$(jq -r .error.title <<<"$out")" 'does not answer'
    is "$(serial shop.example)" "$s"
    code=0
    panel cert issue late.example >/dev/null 2>&1 || code=$?
    is "$code" 1
    matches "$(panel cert show late.example)" 'last order +[^ ]+.*failed: ca.example:14000 does not answer'
    answers late.example 200
}
check "with the authority down the fault says so, and sites are served as before" down
warned() { # who has no certificate is told of, who has a good one is not
    local found
    found=$(panel_json '.findings[] | select(.check == "certificates") | .site + ": " + .title' doctor)
    is "$found" 'late.example: ca.example:14000 does not answer at the moment'
}
check "the doctor names the site that got none, and not the one that has a good one" warned
# Both go on by themselves a minute later; what is looked at until then orders for itself.
on systemctl is-active -q pebble || ca_up plain PEBBLE_AUTHZREUSE=0
forced() { # forced HOSTNAME: renewed now
    panel cert renew "$1" --force || { panel cert show "$1"; return 1; }
}
again() {
    local before_key before_serial
    before_serial=$(serial shop.example) before_key=$(key_of shop.example)
    forced shop.example
    shows_pebble
    [ "$before_serial" != "$(serial shop.example)" ]
    [ "$before_key" != "$(key_of shop.example)" ]
}
check "cert renew --force serves a new certificate with a new key" again
asked_when() { on sh -c 'journalctl --no-pager -u pebble | grep -qiE "renewal-?info/ -> "'; }
if [ "$suite" != bookworm ]; then # Debian 12's Pebble does not know how
    check "an authority that says when it would have a certificate renewed is asked" long asked_when
fi
nothing_due() { local s; s=$(serial shop.example); panel cert renew shop.example; is "$(serial shop.example)" "$s"; }
check "cert renew leaves alone what is not due" nothing_due
# The panel's own name.
own() { outside sh -c 'echo | openssl s_client -connect "$1:8443" -servername "$2" 2>/dev/null | openssl x509 -noout "$3"' sh "$address" "$panel_name" "${1:--issuer}"; }
own_shows() { matches "$(own)" 'Pebble Intermediate'; }
own_name() {
    long own_shows || { panel cert show "$panel_name"; return 1; }
    is "$(panel_json ".certificates[] | select(.panel) | .hostname + \" \" + .state" cert list)" "$panel_name issued"
    is "$(on stat -c '%U:%G %a' /var/lib/lalapanel/panel/issued.pem)" 'root:lalapanel 640'
    is "$(panel_json '.findings[] | select(.check == "panel.certificate") | .title' doctor)" ""
}
check "the panel's own name gets a certificate by itself" own_name
own_renewed() { # while one connection goes on
    local before
    before=$(own -serial)
    outside timeout 120 python3 -c '
import http.client, ssl, sys, time
tls = ssl._create_unverified_context()
panel = http.client.HTTPSConnection(sys.argv[1], 8443, context=tls, timeout=10)
panel.connect()
socket = panel.sock
for _ in range(int(sys.argv[2])):
    panel.request("GET", "/healthz", headers={"Host": sys.argv[3]})
    answer = panel.getresponse()
    assert answer.status == 200 and answer.read() and panel.sock is socket, answer.status
    time.sleep(0.2)
' "$address" 100 "$panel_name" &
    long_connection=$!
    forced "$panel_name"
    own_shows
    [ "$before" != "$(own -serial)" ]
    wait "$long_connection"
}
check "and is renewed while a connection to the panel goes on" own_renewed
own_kept() { # a broken file, or none: the panel is reached all the same
    local was code=0
    on systemctl stop pebble
    was=$(own -serial)
    panel cert renew "$panel_name" --force >/dev/null 2>&1 || code=$?
    is "$code" 1
    is "$(own -serial)" "$was"
    sh_on 'cd /var/lib/lalapanel/panel; cp -a issued.pem kept; echo broken >issued.pem; systemctl restart lalapanel-web'
    soon own_is_its_own
    sh_on 'cd /var/lib/lalapanel/panel; mv kept issued.pem'
    soon own_shows
    ca_up plain PEBBLE_AUTHZREUSE=0
}
own_is_its_own() { matches "$(own)" 'signed by this server itself'; }
check "what fails or breaks leaves the panel one that works" own_kept
not_in() { # no key of a certificate or an account in the state's logs or answers
    lacks "$(on sh -c 'journalctl --no-pager -u lalapanel-agent -u lalapanel-courier; lalapanel cert list --json; lalapanel op list --json')" 'PRIVATE KEY'
    is "$(on sh -c 'grep -al "PRIVATE KEY" /var/lib/lalapanel/state.redb || true')" ""
    is "$(on stat -c '%U %a' /var/lib/lalapanel/authorities)" 'root 700'
    is "$(on find /var/lib/lalapanel/authorities /var/lib/lalapanel/pairs -type f -printf '%u %m\n' | sort -u)" 'root 600'
}
check "no key is in a log, an answer or the state" not_in
tried() { # a certificate for trying never takes the place of a real one
    local s
    s=$(serial shop.example)
    matches "$(panel cert issue shop.example --staging)" 'would issue a certificate'
    is "$(serial shop.example)" "$s"
}
check "cert issue --staging only tries where browsers trust the present certificate" tried
auto() {
    panel site create auto.example --type static --tls auto >/dev/null 2>&1
    long shows auto.example || { panel cert show auto.example; return 1; }
}
shows() { matches "$(served "$1")" 'Pebble Intermediate'; }
check "a site made with --tls auto gets its certificate by itself" auto
dead_name() {
    on curl -s -d '{"host":"www.shop.example"}' http://127.0.0.1:8055/set-servfail >/dev/null
    forced shop.example
    on curl -s -d '{"host":"www.shop.example"}' http://127.0.0.1:8055/clear-servfail >/dev/null
    lacks "$(served shop.example)" 'www.shop.example'
    matches "$(served shop.example)" 'DNS:shop.example'
}
check "a dead name does not keep the others from their certificate" dead_name
by_itself() { long shows late.example || { panel cert show late.example; return 1; }; }
check "what failed while the authority was down goes on by itself" by_itself

elsewhere() { # a name that leads to another server: seen from here, and no order is wasted on it
    local before out code=0 server
    settings "${ours[@]:0:2}"
    panel site create elsewhere.example --type static >/dev/null 2>&1
    before=$(on journalctl --no-pager -u pebble | grep -c 'POST /order-plz' || true)
    # Another server beside the host, with an address for each suite.
    server=198.51.100.$([ "$suite" = trixie ] && echo 201 || echo 202)
    outside ip addr replace "$server/32" dev lo
    "$here/host" net -- python3 -c '
import http.server, sys
class Other(http.server.BaseHTTPRequestHandler):
    server_version, sys_version = "Other/1", ""
    def do_GET(self): self.send_error(404)
http.server.ThreadingHTTPServer((sys.argv[1], 80), Other).serve_forever()' "$server" &
    other=$! # the server itself: everything before it is replaced by it
    trap 'kill "$other"' EXIT
    sh_on 'echo "$1 elsewhere.example" >>/etc/hosts' "$server"
    soon on curl -s -o /dev/null "http://$server/"
    out=$(panel cert issue elsewhere.example --json 2>/dev/null) || code=$?
    is "$code" 1
    matches "$(jq -r .error.title <<<"$out")" 'Something else answered for elsewhere.example'
    matches "$(jq -r .error.detail <<<"$out")" 'answered 404, as "Other/1"'
    is "$(on journalctl --no-pager -u pebble | grep -c 'POST /order-plz' || true)" "$before"
    [ "$before" -gt 0 ]
    forced shop.example # whose name this resolver does not know: that is no reason to stop
    settings "${ours[@]}"
}
check "a name that leads to another server is seen before an order is placed" elsewhere

# Pebble looks after up to ten minutes: whoever is killed then has an order under way.
slow() { ca_up plain PEBBLE_VA_SLEEPTIME=600 PEBBLE_VA_NOSLEEP=0 PEBBLE_AUTHZREUSE=0; }
kill_during() { # kill_during UNIT: a few moments after the order has begun
    sh_on '
        for i in $(seq 600); do
            lalapanel cert show shop.example --json | grep -q "\"running\": *true" && break
            sleep 0.1
        done
        sleep 1
        kill -9 "$(systemctl show -p MainPID --value "$1")"
    ' "$1"
}
killed_agent() {
    local s
    s=$(serial shop.example)
    slow
    kill_during lalapanel-agent &
    not panel cert renew shop.example --force
    wait
    soon panel status
    is "$(serial shop.example)" "$s"
    ca_up plain
    forced shop.example
    [ "$(serial shop.example)" != "$s" ]
}
check "an agent killed during an order begins anew" killed_agent
killed_courier() {
    local s code=0
    s=$(serial shop.example)
    slow
    kill_during lalapanel-courier &
    panel cert renew shop.example --force || code=$?
    wait
    is "$code" 1
    is "$(serial shop.example)" "$s"
}
check "a courier killed during an order is told, and the present certificate stays" killed_courier

eab() { # an external account, by the settings
    local out code=0
    ca_up bound PEBBLE_AUTHZREUSE=0
    out=$(panel cert renew shop.example --force --json 2>/dev/null) || code=$?
    is "$code" 1
    matches "$(jq -r .error.title <<<"$out")" 'wants an external account'
    settings "${ours[@]}" 'email = "mara@shop.example"' 'eab_kid = "kid-1"' 'eab_hmac_key = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"'
    forced shop.example
    lacks "$(on sh -c 'journalctl --no-pager -u lalapanel-agent -u lalapanel-courier; lalapanel cert list --json; strings /var/lib/lalapanel/state.redb 2>/dev/null || cat -v /var/lib/lalapanel/state.redb')" 'zWNDZM6eQGHW'
}
check "an external account that the authority wants, and one that the settings name" eab
# Two authorities: the second has an external account, and an account of its own here.
second=('fallback_directory = "https://ca.example:14001/dir"' 'fallback_ca_file = "/etc/lalapanel/test-root.pem"' 'fallback_eab_kid = "kid-1"'
    'fallback_eab_hmac_key = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"')
authority_of() { panel_json .authority cert show "$1"; }
failed_over() {
    local code=0
    ca_up plain PEBBLE_AUTHZREUSE=0
    second_up
    settings "${ours[@]}" "${second[@]}"
    panel settings set acme.fallback_after=2
    panel site create over.example --type static >/dev/null 2>&1
    on systemctl stop pebble
    panel cert issue over.example >/dev/null 2>&1 || code=$?
    is "$code" 1
    # Of this site: another one whose order failed before may be at the second already.
    is "$(panel_json .order.last.authority cert show over.example)" https://ca.example:14000/dir
    is "$(authority_of over.example)" null
    issue_of over.example
    is "$(authority_of over.example)" ca.example:14001
    matches "$(served over.example)" 'DNS:over.example'
    matches "$(panel cert show over.example)" 'authority +ca.example:14001'
}
issue_of() { panel cert issue "$1" >"$logs/$suite.cert.txt" 2>&1 || { cat "$logs/$suite.cert.txt"; return 1; }; }
check "the first authority is down: the second issues with the second failure, not before" failed_over
stays() { # the first is down still: who issued it renews it, at once
    local s
    s=$(serial over.example)
    forced over.example
    [ "$(serial over.example)" != "$s" ]
    is "$(authority_of over.example)" ca.example:14001
}
check "while the first is down its issuer renews it" stays
back() {
    ca_up plain PEBBLE_AUTHZREUSE=0
    forced over.example
    is "$(authority_of over.example)" ca.example:14000
    matches "$(served over.example)" 'DNS:over.example'
    [ "$(on sh -c 'ls /var/lib/lalapanel/authorities | wc -l')" -ge 2 ]
    lacks "$(on sh -c 'journalctl --no-pager -u lalapanel-agent -u lalapanel-courier; lalapanel settings show --json')" 'zWNDZM6eQGHW'
}
check "once the first works again a renewal goes back to it" back
