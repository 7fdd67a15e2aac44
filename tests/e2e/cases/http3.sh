# HTTP/3: a real visitor by QUIC where nginx can speak it, a plain refusal where it cannot, and a port that closes again.
# shellcheck disable=SC2154 # $suite, $address, $dir and $host come from checks.sh
need openssl
use_fresh "$suite-panel"
ca=$(mktemp -d)
made() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=ca -keyout "$ca/ca.key" -out "$ca/ca.pem" \
        -addext basicConstraints=critical,CA:TRUE
    openssl req -new -newkey rsa:2048 -nodes -subj /CN=shop.example -keyout "$ca/one.key" -out "$ca/one.csr"
    echo subjectAltName=DNS:shop.example,DNS:www.shop.example >"$ca/one.ext"
    openssl x509 -req -in "$ca/one.csr" -CA "$ca/ca.pem" -CAkey "$ca/ca.key" -CAcreateserial -extfile "$ca/one.ext" -days 20 -out "$ca/one.pem"
    local f
    for f in ca.pem one.pem one.key; do put "/root/ca/$f" <"$ca/$f"; done
    panel site create shop.example --www redirect
    panel cert upload shop.example --chain /root/ca/one.pem --key /root/ca/one.key
    user=$(panel_json .user site show shop.example)
    printf '<?php echo $_SERVER["SERVER_PROTOCOL"], " ", $_SERVER["HTTP_HOST"], " ", $_SERVER["HTTPS"], " ", strlen(file_get_contents("php://input"));' |
        on setpriv --reuid="$user" --regid="$user" --init-groups sh -c 'cat >/var/www/shop.example/htdocs/how.php'
}
check "a site with a certificate is there" made
rm -rf "$ca"
# by HOW PATH [curl options]: a visit from the host itself, whose curl may know HTTP/3
by() { on curl -s --max-time 10 "--$1" --cacert /root/ca/ca.pem --resolve "*:443:${at:-127.0.0.1}" "${@:3}" "https://${name:-shop.example}$2"; }
by_tcp() { is "$(by http2 /how.php)" "HTTP/2.0 shop.example on 0"; }
udp() { on sh -c "ss -Huln 'sport = :443' | wc -l"; }
check "visitors come by HTTP/2, and UDP port 443 is closed" patiently by_tcp
promised() { by http2 / -o /dev/null -D - | tr 'A-Z' 'a-z' | grep -q '^alt-svc: h3=":443"'; }

if [ "$(on sh -c 'nginx -V 2>&1 | grep -c http_v3_module || true')" = 0 ]; then
    refused_here() {
        local before
        before=$(machine)
        refused 1 site.setting_invalid site set shop.example tls.http3=on
        matches "$(panel site set shop.example tls.http3=on 2>&1 || true)" 'built without HTTP/3'
        same "$before" "$(machine)"
        by_tcp
    }
    check "where nginx was built without HTTP/3 that is said, and nothing is changed" refused_here
else
    before=$(machine)
    planned() {
        matches "$(panel site set shop.example tls.http3=on --plan)" 'let it in where a firewall stands'
        same "$before" "$(machine)"
        is "$(udp)" 0
        not promised
    }
    check "the plan tells of the firewall and changes nothing" planned
    by_quic() { is "$(by http3-only /how.php)" "HTTP/3.0 shop.example on 0"; }
    spoken() {
        panel site set shop.example tls.http3=on
        on nginx -t
        patiently by_quic
        is "$(by http3-only / -o /dev/null -w '%{http_version} %{http_code}')" "3 200"
        is "$(at='[::1]' by http3-only /how.php)" "HTTP/3.0 shop.example on 0"
        patiently promised
        by_tcp
    }
    check "a visitor comes by HTTP/3, of which others are told, and PHP knows the name and HTTPS" spoken
    sent() { is "$(sh_on 'head -c 3000000 /dev/zero | curl -s --max-time 20 --http3-only --cacert /root/ca/ca.pem --resolve "*:443:127.0.0.1" --data-binary @- https://shop.example/how.php')" "HTTP/3.0 shop.example on 3000000"; }
    check "an upload of 3 MB arrives whole" sent
    canonical() { is "$(name=www.shop.example by http3-only '/a?b=c' -o /dev/null -w '%{http_code} %{redirect_url}')" "301 https://shop.example/a?b=c"; }
    check "the other name leads to the first one by HTTP/3 as well" canonical
    nobody() {
        not env name=nobody.example by http3-only / -k
        is "$(by http3-only / -H 'Host: nobody.example' -o /dev/null -w '%{http_code}')" 421
    }
    check "who asks for no site is shown no certificate by HTTP/3 either" nobody
    logged() { on grep -q 'HTTP/3.0' /var/log/lalapanel/shop.example/access.log; }
    check "such visits are in the site's log" patiently logged
    several() { # a second site shares the port, and its end leaves it open
        panel site create more.example --type static --tls auto
        panel site set more.example tls.http3=on
        patiently by_quic
        is "$(name=more.example by http3-only / -k -o /dev/null -w '%{http_version}')" 3
        panel site delete more.example --yes --now
        patiently by_quic
    }
    check "a second site shares the port, and its end leaves it open" several
    closed() { is "$(udp)" 0; }
    off() {
        panel site set shop.example tls.http3=off
        patiently closed
        not promised
        patiently by_tcp
        machine_is "$before"
    }
    check "switched off, the port is closed and the machine as it was" off
    gone() {
        panel site set shop.example tls.http3=on
        patiently by_quic
        panel site delete shop.example --yes
        patiently closed
        panel site restore "$(panel_json '.trash[0].id' site list --trash)"
        patiently by_quic
        panel site delete shop.example --yes --now
        patiently closed
        on nginx -t
    }
    check "the port goes with the last site to the trash, and comes back with it" gone
fi
