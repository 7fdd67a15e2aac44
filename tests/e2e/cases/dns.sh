# Names proved in DNS: a real bind9 that lets a key change TXT records alone, a real authority that asks it.
# Runs on one suite.
use_fresh "$suite-panel"
. "$here/ca.sh"
sh_on '
    apt-get -qq -y install bind9 bind9-dnsutils >/dev/null 2>&1
    tsig-keygen -a hmac-sha256 lala-key >/etc/bind/lala.key
    tsig-keygen -a hmac-sha256 lala-key >/root/other.key
    chown bind /etc/bind/lala.key; chmod 600 /etc/bind/lala.key /root/other.key
    cat >/etc/bind/named.conf <<-END
	include "/etc/bind/lala.key";
	options { directory "/var/cache/bind"; listen-on { 127.0.0.1; }; listen-on-v6 { none; }; recursion yes; dnssec-validation no; };
	zone "shop.example" { type primary; file "/var/lib/bind/shop.example"; update-policy { grant lala-key wildcard *.shop.example. TXT; }; };
	zone "old.example" { type primary; file "/var/lib/bind/old.example"; };
	END
    for zone in shop old; do
        printf "\$TTL 60\n@ SOA ns.shop.example. root.shop.example. 1 60 60 600 60\n@ NS ns.shop.example.\n@ A 127.0.0.1\n* A 127.0.0.1\n" >/var/lib/bind/$zone.example
    done
    echo "ns A 127.0.0.1" >>/var/lib/bind/shop.example
    printf "no A 127.0.0.1\nno CAA 0 issue \"other.example\"\na.no A 127.0.0.1\n" >>/var/lib/bind/shop.example
    printf "yes A 127.0.0.1\nyes CAA 0 issue \"other.example\"\nyes CAA 0 issue \"ca.example\"\nyes CAA 0 issuewild \";\"\n" >>/var/lib/bind/shop.example
    echo "_acme-challenge CNAME old.proof.shop.example." >>/var/lib/bind/old.example
    chown -R bind: /var/lib/bind
    systemctl restart named
    echo "nameserver 127.0.0.1" >/etc/resolv.conf
    sed -i "/^\[acme\]/,\$d" /etc/lalapanel/config.toml
    cp /root/ca/root.pem /etc/lalapanel/test-root.pem
    printf "[acme]\ndirectory = \"https://ca.example:14000/dir\"\nca_file = \"/etc/lalapanel/test-root.pem\"\nskip_preflight = true\n" >>/etc/lalapanel/config.toml
    systemctl restart lalapanel-agent
'
ca_dns=127.0.0.1:53
ca_up plain PEBBLE_AUTHZREUSE=0
soon panel status
panel site create shop.example --type static --alias '*.shop.example' >/dev/null 2>&1
panel site create old.example --type static >/dev/null 2>&1

served() { outside sh -c 'echo | openssl s_client -connect "$1:443" -servername "$2" 2>/dev/null | openssl x509 -noout -ext subjectAltName' sh "$address" "$1"; }
proofs() { on dig +short @127.0.0.1 TXT "${1:-_acme-challenge.shop.example}"; }
gone() { is "$(proofs "$@")" ""; }
there() { matches "$(proofs)" '"'; }
long() { # like patiently, for up to two minutes: the agent looks once a minute
    local i
    for i in $(seq 120); do "$@" && return; sleep 1; done
    return 1
}
issue() { # issue NAME [OPTION...]: with what was said where it failed
    panel cert issue "$@" >"$logs/$suite.dns.txt" 2>&1 || { cat "$logs/$suite.dns.txt"; return 1; }
}
named() {
    issue shop.example
    matches "$(panel cert show shop.example)" '\*\.shop\.example has to be proved in DNS.*cert dns add'
}
check "over port 80 a name with a star stays out, and what is missing is named" named
kept() {
    refused 1 dns.unknown cert issue shop.example --dns bind
    refused 1 dns.invalid cert dns add bind --server 'a b' --key-file /etc/bind/lala.key
    refused 1 dns.unknown site set shop.example tls.dns=bind
    panel cert dns add bind --server 127.0.0.1 --key-file /etc/bind/lala.key
    matches "$(panel cert issue shop.example --dns bind --plan)" 'Order a certificate from ca.example:14000 for shop.example, \*.shop.example'
    is "$(panel_json .dns cert show shop.example)" null
    is "$(panel_json '.dns[0].key.name' cert dns list)" lala-key
    is "$(on stat -c '%U %a' /var/lib/lalapanel/dns/bind.json)" 'root 600'
    lacks "$(on sh -c 'secret=$(sed -n "s/.*secret \"\(.*\)\".*/\1/p" /etc/bind/lala.key); { lalapanel cert dns list --json; journalctl --no-pager -u "lalapanel-*"; strings /var/lib/lalapanel/state.redb 2>/dev/null || cat -v /var/lib/lalapanel/state.redb; } | grep -cF "$secret"')" '[1-9]'
}
check "a way into DNS is kept for root alone, and its secret shown by nothing" kept
star() {
    issue shop.example --dns bind
    matches "$(served a.shop.example)" 'DNS:\*\.shop\.example'
    matches "$(served a.shop.example)" 'DNS:shop\.example'
    gone
}
check "by a signed update: a certificate for the name and its star, and no record stays" star
renewed() {
    panel cert renew shop.example --force >"$logs/$suite.dns.txt" 2>&1 || { cat "$logs/$suite.dns.txt"; return 1; }
    matches "$(cat "$logs/$suite.dns.txt")" '1 of 1 DNS servers show the record'
    gone
}
check "it is renewed in the same way" renewed
delegated() { # its zone takes no updates: an alias leads to one that does
    issue old.example --dns bind
    matches "$(served old.example)" 'DNS:old\.example'
    gone old.proof.shop.example
}
check "an alias of the record's name is followed" delegated
strange() { # the authority asks a resolver that knows nothing of the zone
    local out
    ca_dns=127.0.0.1:8053
    ca_up plain PEBBLE_AUTHZREUSE=0
    out=$(panel cert issue shop.example --json 2>/dev/null) && return 1
    matches "$(jq -r .error.title <<<"$out")" 'did not find the record'
    gone
    ca_dns=127.0.0.1:53
    ca_up plain PEBBLE_AUTHZREUSE=0
}
check "after an order that failed no record stays" strange
wrong() {
    local out
    panel cert dns add bind --server 127.0.0.1 --key-file /root/other.key
    out=$(panel cert issue shop.example --json 2>/dev/null) && return 1
    matches "$(jq -r .error.detail <<<"$out")" 'the secret of the key `lala-key` is another one there \(BADSIG\)'
    refused 1 dns.in_use cert dns remove bind
    panel cert dns add bind --server 127.0.0.1 --key-file - < <(on cat /etc/bind/lala.key)
}
check "a wrong secret is told as such, and a way that sites use stays" wrong
# A program of the owner's, with bind's own tool: its key may be read by the courier's user alone.
sh_on '
    mkdir -p /opt/hooks /etc/dns-hook
    install -o root -g lalapanel-courier -m 640 /etc/bind/lala.key /etc/dns-hook/lala.key
    cat >/opt/hooks/nsupdate <<-END
	#!/bin/sh
	# add|remove NAME VALUE
	[ "\$1" = add ] && verb="update add \$2. 60 TXT" || verb="update delete \$2. TXT"
	echo "\$1 \$2 \$(id -un) \$(env | cut -d= -f1 | sort | tr "\\n" " ")" >&2
	printf "server 127.0.0.1\\n%s \\"%s\\"\\nsend\\n" "\$verb" "\$3" | nsupdate -k /etc/dns-hook/lala.key
	END
    chmod 755 /opt/hooks/nsupdate
    printf "#!/bin/sh\\necho said no >&2\\nexit 3\\n" >/opt/hooks/refuses
    chmod 755 /opt/hooks/refuses
    cp /opt/hooks/nsupdate /tmp/hook; cp /opt/hooks/nsupdate /opt/hooks/open; chmod 777 /opt/hooks/open
'
guarded() {
    refused 1 dns.invalid cert dns add hook --program /tmp/hook
    refused 1 dns.invalid cert dns add hook --program /opt/hooks/open
    refused 1 dns.invalid cert dns add hook --program /opt/hooks/nothing
    is "$(panel_json '.dns | length' cert dns list)" 1
}
check "a program that others than root could change is refused" guarded
by_program() {
    panel cert dns add hook --program /opt/hooks/nsupdate
    is "$(panel_json '.dns[] | select(.name == "hook") | .program' cert dns list)" /opt/hooks/nsupdate
    issue shop.example --dns hook
    matches "$(served b.shop.example)" 'DNS:\*\.shop\.example'
    gone
}
check "by a program of the owner's: a certificate for the name and its star, and no record stays" by_program
refusing() { # what it says last is told; what has become writable to others is not run
    local out
    panel cert dns add hook --program /opt/hooks/refuses
    out=$(panel cert issue shop.example --json 2>/dev/null) && return 1
    is "$(jq -r .error.detail <<<"$out")" '/opt/hooks/refuses: it ended with 3: said no'
    on chmod 777 /opt/hooks
    out=$(panel cert issue shop.example --json 2>/dev/null) && return 1
    matches "$(jq -r .error.title <<<"$out")" '`/opt/hooks` may be changed by others than root'
    on chmod 755 /opt/hooks
    panel cert dns add hook --program /opt/hooks/nsupdate
    gone
}
check "a program that fails is told with its last words" refusing
panel site set shop.example tls.dns=bind >/dev/null
# What an authority is called in CAA records stands in its directory; Pebble, which reads no such records, leaves it out.
on tee /root/ca/named.py >/dev/null <<'END'
import http.server, json, ssl, urllib.request
trust = ssl.create_default_context(cafile="/root/ca/root.pem")
trust.verify_flags &= ~ssl.VERIFY_X509_STRICT # the root of these tests is a plain one
class Directory(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        directory = json.load(urllib.request.urlopen("https://ca.example:14000/dir", context=trust))
        directory.setdefault("meta", {})["caaIdentities"] = ["ca.example"]
        body = json.dumps(directory).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
server = http.server.ThreadingHTTPServer(("127.0.0.1", 14002), Directory)
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain("/root/ca/ca.pem", "/root/ca/ca.key")
server.socket = tls.wrap_socket(server.socket, server_side=True)
server.serve_forever()
END
forbidden() {
    local out before
    sh_on '
        systemd-run -q --unit=named-directory python3 /root/ca/named.py
        sed -i "/^skip_preflight/d; s/ca.example:14000/ca.example:14002/" /etc/lalapanel/config.toml
        systemctl restart lalapanel-agent
    '
    soon panel status
    panel site create a.no.shop.example --type static >/dev/null 2>&1
    panel site create yes.shop.example --type static >/dev/null 2>&1
    before=$(on journalctl --no-pager -u pebble | grep -c 'POST /order-plz' || true)
    out=$(panel cert issue a.no.shop.example --json 2>/dev/null) && return 1
    matches "$(jq -r .error.title <<<"$out")" 'The CAA record of a.no.shop.example does not allow'
    is "$(jq -r .error.detail <<<"$out")" 'the CAA record of no.shop.example is issue "other.example"; wanted is issue "ca.example"'
    is "$(on journalctl --no-pager -u pebble | grep -c 'POST /order-plz' || true)" "$before"
}
check "a CAA record above the name that names another authority is seen before an order is placed" forbidden
permitted() { # one of two records names it; for a star another record counts
    local out
    issue yes.shop.example
    panel site alias add yes.shop.example '*.yes.shop.example' >/dev/null
    out=$(panel cert issue yes.shop.example --dns bind 2>&1) || { echo "$out"; return 1; }
    matches "$out" 'CAA record of yes.shop.example is issuewild ";"; wanted is issuewild "ca.example"'
    lacks "$(served yes.shop.example)" '\*'
    sh_on 'echo "skip_preflight = true" >>/etc/lalapanel/config.toml; systemctl restart lalapanel-agent'
    soon panel status
    issue a.no.shop.example
    sh_on 'sed -i "s/ca.example:14002/ca.example:14000/" /etc/lalapanel/config.toml; systemctl restart lalapanel-agent'
    soon panel status
}
check "what the record permits is issued, a star by its own record, and the look can be left out" permitted
killed() { # killed SERVICE: in the middle of an order, while the authority waits before it looks
    ca_up plain PEBBLE_AUTHZREUSE=0 PEBBLE_VA_NOSLEEP=0 PEBBLE_VA_SLEEPTIME=60
    sh_on 'lalapanel cert issue shop.example >/dev/null 2>&1 &'
    patiently there
    sh_on 'kill -9 "$(systemctl show -p MainPID --value "$1")"' "$1"
    long gone
    ca_up plain PEBBLE_AUTHZREUSE=0
}
check "a courier killed in the middle: the agent has the record removed" killed lalapanel-courier
soon panel status
check "an agent killed in the middle: the courier removes it" killed lalapanel-agent
soon panel status
panel site set shop.example tls.dns=hook >/dev/null
check "a courier killed while a program has written: the agent has the program remove the record" killed lalapanel-courier
