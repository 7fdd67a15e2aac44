# Beside an nginx that already serves sites, and by the one-line install with the
# real binary: the whole way on a fresh server, packages included.
use_fresh "$suite"
sh_on 'apt-get -qq update; DEBIAN_FRONTEND=noninteractive apt-get -qq -y install nginx busybox </dev/null >/dev/null 2>&1
    mkdir -p /srv/old; echo "an old site" >/srv/old/index.html
    printf "server {\n    listen 80;\n    server_name old.example;\n    root /srv/old;\n}\n" >/etc/nginx/sites-available/old
    ln -s ../sites-available/old /etc/nginx/sites-enabled/old
    printf "server { listen 80; server_name second.example; location / { return 200 second; } }\n" >/etc/nginx/conf.d/second.conf
    nginx -t 2>/dev/null; systemctl reload nginx'
theirs() { sh_on 'cd /etc/nginx; find nginx.conf sites-available sites-enabled conf.d -not -type d -not -name "*lalapanel*" -printf "%p %u:%g %m %l %T@ " -exec sha256sum {} \;'; }
before=$(theirs)
packages_before=$(on dpkg-query -W -f '${Package}\n')
users_before=$(on getent passwd | grep -vE '^(mysql|www-data):')

release=$(mktemp -d)/release
"$here/../../packaging/release" "$release" --url http://127.0.0.1:8000 --binary "$LALAPANEL_BINARY" >/dev/null
"$here/host" push "$host" "$release" /srv/release
rm -rf "$(dirname "$release")"
(cd / && on sh -c 'setsid busybox httpd -p 127.0.0.1:8000 -h /srv/release </dev/null >/dev/null 2>&1 &')

one_line() {
    sh_on 'curl -fsSL http://127.0.0.1:8000/install.sh | sh -s -- --yes --hostname "$1"' "$panel_name" >"$logs/$suite.one-line.txt" 2>&1 || { tail -30 "$logs/$suite.one-line.txt"; return 1; }
    matches "$(cat "$logs/$suite.one-line.txt")" "https://$panel_name:8443/start"
}
check "curl | sh on a fresh server ends with a panel" one_line
still_theirs() { same "$before" "$(theirs)"; soon answers old.example 200; is "$(visit old.example /)" "an old site"; is "$(visit second.example /)" second; }
check "sites that were there are byte for byte the same, and served" still_theirs
ours() { panel site create shop.example; answers shop.example 200; same "$before" "$(theirs | grep -v shop.example)"; still_served; }
still_served() { is "$(visit old.example /)" "an old site"; is "$(visit second.example /)" second; }
check "a new site is served beside them" ours
check "an old site's name is refused" refused 1 site.hostname_foreign site create old.example

uninstall_plan() {
    local m
    m=$(machine)
    [ -n "$(panel uninstall --plan)" ]
    machine_is "$m"
}
check "uninstall --plan changes nothing" uninstall_plan
uninstalls() {
    panel uninstall --yes >"$logs/$suite.uninstall.txt" 2>&1 || { cat "$logs/$suite.uninstall.txt"; return 1; }
    soon answers shop.example 200
    still_served
    is "$(outside curl -sk --max-time 3 -o /dev/null -w '%{http_code}' "https://$address:8443/healthz" || true)" 000
    sh_on '! systemctl is-active lalapanel-agent.service lalapanel-web.service lalapanel.socket'
}
check "uninstall takes the panel away and leaves its sites served" uninstalls
served_after_reboot() { "$here/host" reboot "$host"; soon answers shop.example 200; }
check "the sites are served after a reboot without the panel" served_after_reboot
back_again() {
    push_binary
    panel install --yes --hostname "$panel_name"
    panel site list --json | jq -e .sites
}
check "installing again works" back_again
purges() {
    panel uninstall --purge --yes >"$logs/$suite.purge.txt" 2>&1 || { cat "$logs/$suite.purge.txt"; return 1; }
    is "$(on find /etc /var /usr/local /usr/lib/systemd /run -iname '*lalapanel*' -not -path '/var/lib/e2e-mirror/*' -not -path '/var/log/journal/*')" ""
    is "$(on sh -c 'ls -d /var/www/shop.example /etc/nginx/sites-available/shop.example 2>/dev/null')" ""
    same "$before" "$(theirs)"
    still_served
    same "$users_before" "$(on getent passwd | grep -vE '^(mysql|www-data):')"
}
check "uninstall --purge leaves no file, no user and no unit of ours" purges
added_packages() { # what stays of packages is told; nothing that was there is gone
    same "" "$(comm -23 <(sort <<<"$packages_before") <(on dpkg-query -W -f '${Package}\n' | sort))"
}
check "no package that was there before is gone" added_packages
