# What a hostile client does to the panel's port: smuggled requests, slow connections, old TLS, guessed passwords.
# Runs alone: it measures how long answers take.
need sslscan
use_fresh "$suite-panel"
doors=$here/doors.py
echo 'mauve otter tin sky' | on lalapanel account create mara --password-file - >/dev/null
# An ordinary client, and four addresses that attack.
attackers=("$net4.241" "$net4.242" "$net4.243" "$net4.244")
for a in "${attackers[@]}"; do outside ip addr add "$a/24" dev br0 2>/dev/null || true; done
web_pid() { on systemctl show -p MainPID --value lalapanel-web; }
web_kib() { on awk '/^VmRSS/ { print $2 }' "/proc/$(web_pid)/status"; }
outside curl -sk -o /dev/null "https://$address:8443/login"
began_as=$(web_pid)

smuggling() {
    local out
    out=$(outside timeout 300 python3 "$doors" requests "$address" 8443 "$panel_name")
    matches "$out" '^[0-9]{2,} requests, 0 wrong$' || { echo "$out"; return 1; }
}
check "no request is read in two ways, and none gets two answers" smuggling
framed() {
    local out
    out=$(outside timeout 300 python3 "$here/h2.py" "$address" 8443 "$panel_name")
    matches "$out" '^[0-9]{2,} attacks, 0 wrong$' || { echo "$out"; return 1; }
}
check "nor over HTTP/2; floods of frames end their own connection only" framed
plain() { is "$(outside curl -s --max-time 5 -o - -w '|%{http_code}|%{size_download}' "http://$address:8443/" || true)" "|000|0"; }
check "plain HTTP on the panel's port gets no bytes" plain

# Four addresses may hold 200 connections; a fifth client must not notice. One late answer of twenty is let pass: the
# machine that runs the tests is busy.
# The clients share two processors with the host: where they themselves were too slow, a further try counts.
slow() { slow_once "$@" || { sleep 5; slow_once "$@"; } || { sleep 20; slow_once "$@"; }; }
slow_once() {
    local out
    out=$(outside timeout 120 python3 "$doors" slow "$address" 8443 "$panel_name" "$1" "${attackers[@]}")
    echo "$out" >>"$logs/$suite.doors.txt"
    echo "$out"
    matches "$out" 'held=(1[5-9][0-9]|200) median=0\.[0-9]+ slowest=[0-9.]+ late=[01] failed=0$'
}
: >"$logs/$suite.doors.txt"
for kind in head body read tls; do
    check "beside 200 slow connections ($kind) another client is served within a second" slow "$kind"
done
crowd() { # 100 from one address: it gets 64
    local out
    out=$(outside timeout 120 python3 "$doors" slow "$address" 8443 "$panel_name" head "${attackers[0]}" "${attackers[0]}")
    echo "$out"
    matches "$out" 'held=([45][0-9]|6[0-4]) median=0\.[0-9]+ slowest=[0-9.]+ late=[01] failed=0$'
}
check "one address holds 64 connections at most" crowd
small() { local kib; kib=$(web_kib); echo "$kib KiB"; [ "$kib" -lt 131072 ]; }
check "after all that the web process is below 128 MiB" small
survived() { is "$(web_pid)" "$began_as"; }
check "it is the same process as before" survived

scan=$(outside sslscan --no-colour "$address:8443" 2>&1 || true)
echo "$scan" >"$logs/$suite.sslscan.txt"
protocols() {
    local p
    for p in SSLv2 SSLv3 TLSv1.0 TLSv1.1; do matches "$scan" "$p +disabled"; done
    for p in TLSv1.2 TLSv1.3; do matches "$scan" "$p +enabled"; done
}
check "TLS is 1.2 or 1.3" protocols
ciphers() {
    local line count=0
    while read -r line; do
        matches "$line" '(TLS_(AES|CHACHA20)[A-Z0-9_]+|ECDHE-[A-Z]+-(AES(128|256)-GCM|CHACHA20)-[A-Z0-9]+)( |$)'
        count=$((count + 1))
    done < <(grep -E '^(Preferred|Accepted) ' <<<"$scan")
    [ $count -ge 5 ]
}
check "every cipher has forward secrecy and is authenticated" ciphers
extras() {
    lacks "$scan" "Compression enabled"
    matches "$scan" "Session renegotiation not supported"
    lacks "$scan" "TLSv1.[0-9] vulnerable to heartbleed"
}
check "no compression, no renegotiation" extras

alike() { alike_once || { sleep 5; alike_once; }; }
alike_once() {
    local out
    out=$(outside python3 "$doors" alike "$address" 8443 "$panel_name" mara otto)
    is "$out" "the same bytes
HTTP/1.1 401 Unauthorized" || { echo "$out"; return 1; }
}
check "a wrong name and a wrong password get the same bytes" alike
storm() { # 401: compared, 429: told to wait; a browser without the cookie may have to wait as well
    local out
    out=$(outside timeout 300 python3 "$doors" storm "$address" 8443 "$panel_name" mara 'mauve otter tin sky' "${attackers[@]}")
    echo "$out" >>"$logs/$suite.doors.txt"
    echo "$out"
    matches "$out" '^first=303 owner_median=[0-2]\.[0-9]+ owner_slowest=[0-9.]+ owner_times=[0-9]+ guesses=401:[0-9]{1,2} 429:9[0-9]{2} stranger=(429|303)$'
}
# One suite is enough for what follows: it is the same binary, and the machine that runs the tests is busy.
[ "$suite" != trixie ] || check "a thousand bad sign-ins from elsewhere do not keep the owner's browser out" storm
told_of() { # the guesses that were not compared are few entries and a number
    local entries
    entries=$(panel_json '[.entries[] | select(.action == "login" and .result == "session.limited")] | length' audit list)
    [ "$entries" -ge 1 ] && [ "$entries" -le 60 ]
}
[ "$suite" != trixie ] || check "the audit trail tells of them in few entries" told_of
unban() { on lalapanel admin unban; alike; } # compared again, and not told to wait
check "root ends the waiting" unban
# The machine's root is the host's root too, and has Python. Further tries where the machine was busy: a name that costs
# no work is nine tenths apart every time.
timing() { timed || timed || timed; }
timed() {
    local out
    out=$(python3 "$doors" timing "/proc/$("$here/host" pid "$host")/root/run/lalapanel/agent.sock" mara 200)
    echo "$out" >>"$logs/$suite.doors.txt"
    echo "$out"
    matches "$out" 'apart_percent=[0-9]\.[0-9]+ answers=1$'
}
[ "$suite" != trixie ] || check "200 wrong names take as long as 200 wrong passwords, within a tenth" timing
