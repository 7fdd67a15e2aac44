# Certificates of one's own: from upload to what a visitor's handshake sees, what is refused,
# a crash in the middle, and back to a machine without any.
need openssl sslscan
use_fresh "$suite-panel"
push_cutpoint
ca=$(mktemp -d)

root() { # root NAME: an authority of this test
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=$1" \
        -keyout "$ca/$1.key" -out "$ca/$1.pem" -addext basicConstraints=critical,CA:TRUE
}
# signed FILE AUTHORITY NAMES [openssl options]: FILE.pem and FILE.key
signed() {
    openssl req -new -newkey "${key_kind:-rsa:2048}" -nodes -subj "/CN=$1" -keyout "$ca/$1.key" -out "$ca/$1.csr"
    printf 'subjectAltName=%s\n%s\n' "$3" "${extensions:-}" >"$ca/$1.ext"
    openssl x509 -req -in "$ca/$1.csr" -CA "$ca/$2.pem" -CAkey "$ca/$2.key" -CAcreateserial \
        -extfile "$ca/$1.ext" -out "$ca/$1.pem" "${@:4}"
}
make_files() {
    root ca
    extensions='basicConstraints=critical,CA:TRUE' signed middle ca DNS:middle.invalid -days 30
    signed one middle DNS:shop.example,DNS:www.shop.example -days 20
    signed two middle DNS:shop.example,DNS:www.shop.example -days 25
    signed other middle DNS:other.example -days 20
    openssl rsa -aes256 -passout pass:secret -in "$ca/one.key" -out "$ca/locked.key"
    # Ended: signed to end before this second.
    signed ended middle DNS:shop.example -not_before 20200101000000Z -not_after 20200201000000Z ||
        signed ended middle DNS:shop.example -days -1
    cat "$ca/ca.pem" "$ca/middle.pem" "$ca/one.pem" >"$ca/backwards.pem"
    cat "$ca/two.pem" "$ca/middle.pem" >"$ca/two.chain.pem"
    local f
    for f in "$ca"/*.pem "$ca"/*.key; do put "/root/ca/$(basename "$f")" <"$f"; done
}
check "an authority, an intermediate and certificates are made" make_files

upload() { panel cert upload shop.example --chain "/root/ca/$1" --key "/root/ca/$2" "${@:3}"; }
shown() { # the subject of the certificate a visitor sees
    outside timeout 10 openssl s_client -connect "$address:443" -servername shop.example </dev/null 2>/dev/null |
        openssl x509 -noout -subject | sed 's/.*= *//'
}
shows() { is "$(shown)" "$1"; }
secure() { # secure PATH [curl options]
    outside curl -s --max-time 10 --cacert "$ca/ca.pem" --resolve "shop.example:443:$address" "${@:2}" "https://shop.example$1"
}
plain() { visit "${2:-shop.example}" "$1" -o /dev/null -w '%{http_code} %{redirect_url}'; }

panel site create shop.example --www add >/dev/null 2>&1
no_tls() { not outside curl -sk --max-time 5 "https://$address/"; }
check "without a certificate nothing listens on port 443" no_tls

self_signed() {
    panel site set shop.example tls=auto
    is "$(panel_json .tls.state site show shop.example)" placeholder
    patiently shows "Lala Panel placeholder"
    is "$(plain /)" "200 "
}
check "a site shows a placeholder first, and stays on plain HTTP" self_signed

refusals() {
    local before
    before=$(machine)
    refused 1 certificate.refused cert upload shop.example --chain /root/ca/two.chain.pem --key /root/ca/one.key
    not upload one.key one.key
    matches "$(upload backwards.pem locked.key 2>&1)" 'openssl pkey -in'
    matches "$(upload two.chain.pem one.key 2>&1)" 'does not belong'
    matches "$(upload ended.pem ended.key 2>&1)" 'ended on'
    matches "$(upload other.pem other.key 2>&1)" 'only for other.example'
    same "$before" "$(machine)"
    shows "Lala Panel placeholder"
}
check "another key, a locked key, an ended one, other names: refused, and nothing is changed" refusals
planned() {
    local before
    before=$(machine)
    matches "$(upload backwards.pem one.key --plan)" 'Point nginx at the certificate'
    lacks "$(upload backwards.pem one.key --plan --json)" 'PRIVATE KEY'
    same "$before" "$(machine)"
}
check "cert upload --plan changes nothing and shows no key" planned

installed() {
    upload backwards.pem one.key --json | jq -e '.tls.state == "uploaded" and (.tls.names | length) == 2 and (.tls.issuer | length) > 0'
    patiently shows one
    patiently secure / -f -o /dev/null
}
check "a file in the wrong order is put in order, and the whole chain is shown" installed
redirected() {
    is "$(plain '/a?b=c')" "301 https://shop.example/a?b=c"
    is "$(plain / www.shop.example)" "301 https://www.shop.example/"
    is "$(secure / -o /dev/null -w '%{http_version} %{http_code}')" "2 200"
}
check "visitors are sent to HTTPS, which is HTTP/2" redirected
php_knows() {
    local user
    user=$(panel_json .user site show shop.example)
    printf '<?php echo $_SERVER["HTTPS"] ?? "none", " ", $_SERVER["REQUEST_SCHEME"];' |
        on setpriv --reuid="$user" --regid="$user" --init-groups sh -c 'cat >/var/www/shop.example/htdocs/https.php'
    is "$(secure /https.php)" "on https"
}
check "PHP knows that the visitor came by HTTPS" php_knows
nobody() {
    not outside openssl s_client -connect "$address:443" -servername nobody.example </dev/null
    not outside openssl s_client -connect "$address:443" -noservername </dev/null
    is "$(secure / -H 'Host: nobody.example' -o /dev/null -w '%{http_code}')" 421
}
check "who asks for no site is shown no certificate" nobody
hsts() {
    lacks "$(secure / -o /dev/null -D - | tr 'A-Z' 'a-z')" strict-transport
    panel site set shop.example tls.hsts=on
    patiently hsts_is_on
}
hsts_is_on() { matches "$(secure / -o /dev/null -D - | tr 'A-Z' 'a-z')" 'strict-transport-security: max-age=31536000'; }
check "HSTS comes by the owner's own choice only" hsts
kept_close() {
    is "$(on find /var/lib/lalapanel/pairs /var/lib/lalapanel/certificates ! -user root -o ! -type l -perm /077)" ""
    is "$(on sh -c 'grep -al "PRIVATE KEY" /var/lib/lalapanel/state.redb /var/log/lalapanel/shop.example/* || true')" ""
    not sh_on 'journalctl -u lalapanel-agent -u lalapanel-web | grep -q "PRIVATE KEY"'
}
check "keys are root's alone, and in no log and no state" kept_close
scan() {
    local found
    found=$(outside sslscan --no-colour --no-failed --sni-name=shop.example "$address:443" | sed 's/not vulnerable//g')
    matches "$found" 'TLSv1\.3 +enabled'
    lacks "$found" '(SSLv[23]|TLSv1\.[01]) +enabled'
    lacks "$found" 'bits +[A-Z0-9-]*(RC4|DES|NULL|EXP|MD5|CBC|ADH)'
    lacks "$found" vulnerable
}
check "sslscan finds nothing old and nothing weak" scan

replaced() {
    upload two.chain.pem two.key
    patiently shows two
    is "$(panel_json '.certificates[0].days_left' cert list)" 24
}
check "a new certificate takes the place of the old one" replaced
aliases() {
    panel site set shop.example aliases=more.example
    is "$(panel_json '.uncovered[0]' cert show shop.example)" more.example
    patiently plain_stays
    panel site set shop.example aliases=www.shop.example
}
plain_stays() { is "$(plain / more.example)" "200 "; }
check "a name that it does not cover stays on plain HTTP" aliases
offline() {
    panel site set shop.example serving=maintenance
    patiently secure_is 503
    panel site set shop.example serving=live
    patiently secure_is 200
    panel site disable shop.example
    panel site enable shop.example
    patiently secure_is 200
    shows two
}
secure_is() { is "$(secure / -o /dev/null -w '%{http_code}')" "$1"; }
check "maintenance, offline and online keep the certificate" offline

ready() { panel site list >/dev/null 2>&1; }
loadable() {
    on nginx -t
    on systemctl reload nginx
    patiently is_whole
}
is_whole() { matches "$(shown)" '^(one|two)$'; }
crashes() {
    local n where new=one
    for n in 9 15 21; do
        where=$(stop_at before "$n" journal lalapanel cert upload shop.example \
            --chain "/root/ca/$([ $new = one ] && echo backwards || echo two.chain).pem" --key "/root/ca/$new.key")
        [ "$where" = finished ] || kill_held
        sh_on 'pkill -9 -f "^lalapanel cert" || true; systemctl start lalapanel-agent'
        patiently ready
        loadable
        [ "$(shown)" != one ] || new=two
        [ "$(shown)" != two ] || new=one
        is "$(panel_json '.certificate.names | length' cert show shop.example)" 2
    done
}
check "kill -9 of the agent at any moment leaves a pair that nginx loads" crashes

trash() {
    local was
    was=$(shown)
    panel site delete shop.example --yes
    not shows "$was"
    panel site restore "$(panel_json '.trash[0].id' site list --trash)"
    patiently shows "$was"
}
check "the certificate goes along to the trash and back" trash
renamed() {
    local was
    was=$(shown)
    matches "$(panel site rename shop.example moved.example --plan)" "not for moved.example"
    panel site rename shop.example moved.example --old alias
    patiently shows "$was"
    patiently moved_by_http
    panel site rename moved.example shop.example --old drop
    patiently shows "$was"
    patiently secure_is 200
}
moved_by_http() { is "$(plain / moved.example)" "200 "; }
check "a site is renamed with its certificate, which is shown for the names that it covers" renamed
removed() {
    panel cert remove shop.example
    patiently on_plain_http
    is "$(panel_json .tls.state site show shop.example)" off
    is "$(on ls /var/lib/lalapanel/certificates 2>/dev/null)" ""
}
on_plain_http() { is "$(plain /)" "200 "; }
check "taken away, the site answers by plain HTTP" removed
gone() {
    panel site delete shop.example --yes --now
    patiently sh_on '[ ! -e /var/lib/lalapanel/pairs ] && [ ! -e /var/lib/lalapanel/certificates ]'
    panel uninstall --purge --yes
    sh_on '[ ! -e /etc/nginx/conf.d/lalapanel-tls.conf ] && [ ! -e /etc/nginx/lalapanel ] && [ ! -e /var/lib/lalapanel ]'
}
check "uninstall --purge leaves nothing of it" gone
rm -rf "$ca"
