# A real certificate authority (Pebble) asks port 80 of a real nginx: orders, and what goes wrong with them.
use_fresh "$suite-panel"
"$here/host" push "$host" "$here/errand.py" /root/errand.py

. "$here/ca.sh"
# order [--kid KID --mac KEY] NAME...: hands it to the courier as the agent does.
order() {
    sh_on '
        cd /root/ca
        names=() all=("$@")
        [ "$1" != --kid ] || shift 4
        for name; do names+=("DNS:$name"); done
        list=$(IFS=,; echo "${names[*]}")
        openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout site.key -out site.csr \
            -subj / -addext "subjectAltName=$list" 2>/dev/null
        python3 /root/errand.py order https://ca.example:14000/dir root.pem account.key site.csr "${all[@]}"
    ' "$@"
}
issues() { local out; out=$(order "$@"); matches "$out" '^issued' || { echo "$out"; return 1; }; }
fails() { # fails KIND NAME...
    local out kind=$1
    shift
    out=$(order "$@")
    matches "$out" "^failed $kind" || { echo "$out"; return 1; }
}

panel site create shop.example --type static --www add >/dev/null 2>&1
ca_up plain
issued_chain() {
    local out
    out=$(order shop.example www.shop.example)
    matches "$out" '^issued' || { echo "$out"; return 1; }
    grep -q 'BEGIN CERTIFICATE' <<<"$out"
    sed -n '/BEGIN CERTIFICATE/,$p' <<<"$out" | on tee /root/ca/site.pem >/dev/null
    matches "$(on openssl x509 -in /root/ca/site.pem -noout -ext subjectAltName)" 'DNS:shop.example, DNS:www.shop.example'
    matches "$(on openssl x509 -in /root/ca/site.pem -noout -issuer)" 'Pebble Intermediate'
    same "$(on openssl x509 -in /root/ca/site.pem -noout -pubkey)" "$(on openssl pkey -in /root/ca/site.key -pubout)"
}
check "a name and its www are proved through nginx on port 80" issued_chain
check "a name without a site is proved as well" issues nobody.example

# Whatever a site says about its visitors, the authority gets its answer.
own() { # own WHAT SETTING...: with that setting visitors are treated so, and the authority is answered
    local want=$1
    shift
    panel site set shop.example "$@" >/dev/null
    soon answers shop.example "$want"
    issues shop.example
}
check "a site that lets nobody in by address" own 403 access.allow=203.0.113.7
panel site set shop.example access.allow= >/dev/null
check "a site that turns programs away" own 403 'web.blocked_agents=curl,Mozilla,Pebble,Go-http'
panel site set shop.example web.blocked_agents= >/dev/null
password() {
    echo 'mauve otter tin sky' | on lalapanel site visitor add shop.example mara --password-file - >/dev/null
    own 401 access.protected=/
}
check "a site that asks for a password" password
panel site set shop.example access.protected= >/dev/null
check "a site in maintenance" own 503 serving=maintenance
check "a suspended site" own 503 serving=suspended
panel site set shop.example serving=live >/dev/null
redirects() {
    panel site create old.example --type redirect --target https://shop.example >/dev/null 2>&1
    soon answers old.example 301 /x
    issues old.example
}
check "a site that only redirects" redirects
front() {
    panel site create app.example --type wordpress >/dev/null 2>&1
    issues app.example
}
check "a site with a front controller" front
strangers() { # a token nobody offered, a path that is none, a method that is none: 404, and nothing of the host
    is "$(status shop.example /.well-known/acme-challenge/abcdefghijklmnop)" 404
    is "$(status shop.example /.well-known/acme-challenge/../../etc/passwd)" 404
    is "$(status shop.example /.well-known/acme-challenge/abcdefghijklmnop -X POST -d x)" 404
}
check "a stranger's question is answered as unknown" strangers

dead() {
    on curl -s -d '{"host":"gone.example"}' http://127.0.0.1:8055/set-servfail >/dev/null
    fails dns gone.example
}
check "a name that DNS does not know is told as such" dead

eab() {
    ca_up bound
    fails binding_missing shop.example
    fails binding_refused --kid kid-1 --mac d3Jvbmctd3Jvbmctd3Jvbmctd3Jvbmctd3Jvbmctd3Jvbmc shop.example
    issues --kid kid-1 --mac zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W shop.example
}
check "an external account: missing, wrong and right" eab
nonces() {
    local i
    ca_up plain PEBBLE_WFE_NONCEREJECT=50
    for i in 1 2 3 4 5; do issues shop.example www.shop.example; done
}
check "half of all numbers used once refused: five of five orders are issued" nonces
down() { on systemctl stop pebble; fails unreachable shop.example; }
check "an authority that is down is told as such" down
untrusted() {
    ca_up plain
    on cp /root/ca/root.pem /root/ca/kept.pem
    sh_on 'cd /root/ca; openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null -out root.pem -days 30 -subj "/CN=other root" 2>/dev/null'
    fails untrusted shop.example
    on mv /root/ca/kept.pem /root/ca/root.pem
}
check "an authority whose own certificate is not trusted is told as such" untrusted

killed() {
    # It waits up to a minute before it looks at each of two names.
    ca_up plain PEBBLE_VA_SLEEPTIME=60 PEBBLE_VA_NOSLEEP=0
    sh_on 'sleep 2; kill -9 "$(systemctl show -p MainPID --value lalapanel-courier)"' &
    local out
    out=$(order shop.example www.shop.example)
    wait
    is "$(head -1 <<<"$out")" closed
    ca_up plain
    issues shop.example
}
check "a courier killed in the middle costs one order, and the next is issued" killed

process() {
    local pid
    panel doctor --json >/dev/null
    pid=$(on systemctl show -p MainPID --value lalapanel-courier)
    [ "$pid" -gt 1 ]
    lacks "$(on ps -o user= -p "$pid")" '^(root|lalapanel)$'
    is "$(on awk '/^Cap(Prm|Eff|Bnd|Amb)/ { print $2 }' "/proc/$pid/status" | sort -u)" 0000000000000000
    is "$(on stat -c '%U %a' /run/lalapanel/courier.sock)" 'root 600'
    is "$(on stat -c '%U:%G %a' /run/lalapanel/challenge.sock)" 'root:www-data 660'
}
check "the courier has a user of its own and no capabilities" process
leaves() {
    local i
    for i in $(seq 60); do
        on systemctl is-active lalapanel-courier >/dev/null || return 0
        sleep 1
    done
    return 1
}
check "with nothing to do it ends" leaves
answers_again() { is "$(panel_json '.findings[] | select(.check == "courier.answers") | .level' doctor)" ok; }
check "and is there for the next errand" answers_again
