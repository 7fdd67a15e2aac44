# lalapanel install on a server that has the packages already (image SUITE-stack).
use_fresh "$suite-stack"
push_binary
before=$(machine)

plan_changes_nothing() {
    local out
    out=$(panel install --plan)
    [ -n "$out" ]
    machine_is "$before"
    sh_on '[ ! -e /var/lib/lalapanel/state.redb ]'
}
check "install --plan says what it would do and changes nothing" plan_changes_nothing

installs() { panel install --yes --hostname "$panel_name" >"$logs/$suite.install.txt" 2>&1 || { cat "$logs/$suite.install.txt"; return 1; }; }
check "install --yes ends well" installs
output=$(cat "$logs/$suite.install.txt")
check "it prints the panel's address" matches "$output" "https://$panel_name:8443"
check "it prints a one-time first-run link" matches "$output" "https://[^ ]+:8443/start"

fingerprint() {
    local shown real
    real=$(outside sh -c 'echo | openssl s_client -connect "$0:8443" 2>/dev/null | openssl x509 -noout -fingerprint -sha256' "$address" | cut -d= -f2)
    [ -n "$real" ]
    shown=$(tr -d ': \n' <<<"$output" | tr '[:lower:]' '[:upper:]')
    matches "$shown" "${real//:/}"
}
check "the printed fingerprint is that of the certificate on 8443" fingerprint

healthz() { is "$(outside curl -sk --max-time 5 "https://$address:8443/healthz" | tr -d '\n')" ok; }
check "/healthz answers ok from outside" healthz

after=$(machine)
again() {
    local out
    out=$(panel install --yes --hostname "$panel_name" --json 2>/dev/null)
    is "$(jq -r type <<<"$out")" object
    machine_is "$after"
    out=$(panel install --yes --hostname "$panel_name" 2>&1)
    matches "${out,,}" "nothing|already"
    machine_is "$after"
}
check "a second install changes nothing and says so" again

open_ports() {
    # IPv4 and IPv6, whatever the address: what a visitor could reach.
    is "$(on ss -Hltn | awk '$4 !~ /^(127\.|\[::1\])/ { sub(/.*:/, "", $4); print $4 }' | sort -nu | xargs)" "22 80 8443"
    is "$(on ss -Hlun | awk '$4 !~ /^(127\.|\[::1\])/ { print $4 }')" ""
}
check "the open ports are 22, 80 and 8443" open_ports
no_mariadb_port() { lacks "$(on ss -Hltnp)" ":3306|mariadbd|mysqld"; }
check "MariaDB listens on no TCP port" no_mariadb_port
no_fpm_port() { lacks "$(on ss -Hltnp)" "php-fpm"; }
check "PHP-FPM listens on no TCP port" no_fpm_port

catch_all() {
    local name out
    for name in nobody.example "$address" localhost _ 'a"b'; do
        out=$(outside curl -s --max-time 5 -o - -w '|%{http_code}|%{size_download}' -H "Host: $name" "http://$address/" || true)
        is "$out" "|000|0"
    done
    is "$(outside sh -c 'printf "GET / HTTP/1.0\r\n\r\n" | timeout 3 nc -q2 "$0" 80 2>/dev/null || printf "GET / HTTP/1.0\r\n\r\n" | timeout 3 python3 -c "
import socket,sys
s=socket.create_connection((sys.argv[1],80)); s.sendall(sys.stdin.buffer.read()); print(s.recv(99).decode(), end=str())" "$0"' "$address")" ""
}
check "a hostname nobody knows gets no bytes on port 80" catch_all

state_file() { is "$(on stat -c '%a %U:%G' /var/lib/lalapanel/state.redb)" "600 root:root"; }
check "the state file is root's alone" state_file
private() {
    local f
    for f in $(on find /var/lib/lalapanel /etc/lalapanel -type f); do
        lacks "$(on stat -c '%A %n' "$f")" "^.......[rw]..*(state|key|secret|password)"
    done
}
check "no key and no secret is readable by others" private

unit_pid() { on systemctl show -p MainPID --value "$1"; }
agent_sockets() {
    local pid
    pid=$(unit_pid lalapanel-agent)
    [ "$pid" -gt 1 ]
    lacks "$(on ss -Hapn -A inet,inet6,raw,packet)" "pid=$pid,"
    is "$(on ps -o user= -p "$pid")" root
}
check "the agent runs as root and has no internet socket" agent_sockets
agent_families() { matches "$(on systemctl show -p RestrictAddressFamilies --value lalapanel-agent)" "AF_UNIX"; lacks "$(on systemctl show -p RestrictAddressFamilies --value lalapanel-agent)" "AF_INET"; }
check "systemd keeps the agent from internet sockets" agent_families
web_process() {
    local pid
    pid=$(unit_pid lalapanel-web)
    [ "$pid" -gt 1 ]
    is "$(on ps -o user= -p "$pid")" lalapan+ || is "$(on ps -o user= -p "$pid")" lalapanel
    is "$(on awk '/^Cap(Prm|Eff|Bnd|Amb)/ { print $2 }' "/proc/$pid/status" | sort -u)" 0000000000000000
    is "$(on awk '/^NoNewPrivs/ { print $2 }' "/proc/$pid/status")" 1
}
check "the web process is not root and has no capabilities" web_process
can_bind() { # can_bind PORT: as somebody with a shell and no rights
    on setpriv --reuid=www-data --regid=www-data --clear-groups \
        perl -MSocket -e 'socket(S, PF_INET, SOCK_STREAM, 0) && bind(S, pack_sockaddr_in($ARGV[0], INADDR_ANY)) or exit 9' "$1"
}
stopped_port() { # PID 1 holds the port: nobody else can take it
    on systemctl stop lalapanel-web.service
    on systemctl start lalapanel.socket
    can_bind 18443
    not can_bind 8443
    soon healthz
}
check "while the web process is stopped the port stays ours, and a visit starts it" stopped_port

doctor() {
    local out
    out=$(panel doctor --json) || { echo "$out"; return 1; }
    is "$(jq -r type <<<"$out")" object
}
check "doctor finds nothing wrong" doctor
panel_status() { panel status --json | jq -e . >/dev/null; }
check "status --json is one document" panel_status

handbook() {
    local script=/usr/local/share/bash-completion/completions/lalapanel page=/usr/local/share/man/man8/lalapanel.8
    sh_on "lalapanel completions bash | cmp - $script && lalapanel man | cmp - $page"
    is "$(on stat -c '%a %U:%G' $script $page | sort -u)" "644 root:root"
    # As bash does it at <TAB>.
    is "$(on bash -c ". $script; COMP_WORDS=(lalapanel site cr); COMP_CWORD=2; _lalapanel lalapanel cr site; echo \${COMPREPLY[*]}")" create
    # A minimal server has no man.
    is "$(sh_on "! command -v man >/dev/null || man -w lalapanel")" "$(sh_on "! command -v man >/dev/null || echo $page")"
}
check "the manual page and bash's completion of the commands are in place" handbook

survives_reboot() {
    "$here/host" reboot "$host"
    soon healthz
    machine_is "$after"
}
check "after a reboot the panel answers and the machine is the same" survives_reboot
