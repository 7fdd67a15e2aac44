# Types and settings of sites on the real nginx and PHP, seen from outside.
use_fresh "$suite-panel"
php=$(php_version)
other_name=second.example

put_page() { # put_page SITE PATH <text: as the site's own user
    local user
    user=$(panel_json .user site show "$1")
    on setpriv --reuid="$user" --regid="$user" --init-groups sh -c \
        'mkdir -p "$(dirname "$1")" && cat >"$1"' sh "/var/www/$1/htdocs/$2"
}
header() { visit "$1" "$2" -o /dev/null -D - "${@:4}" | tr -d '\r' | sed -n "s/^$3: //Ip"; }
set_() { panel site set shop.example "$@"; }
get() { panel_json ".settings.\"$1\"" site show shop.example; }

panel site create shop.example >/dev/null 2>&1
old=$(machine)
printf '<?php echo ini_get($_GET["k"]);' | put_page shop.example ini.php
printf '<?php header("X-Run: " . bin2hex(random_bytes(4))); echo "made ", microtime(true);' | put_page shop.example page.php
printf 'front %s' '<?php echo $_SERVER["REQUEST_URI"];' | put_page shop.example front/index.php
printf 'a picture' | put_page shop.example logo.png
printf 'not there' | put_page shop.example 404.html
printf 'secret' | put_page shop.example .env
printf 'secret' | put_page shop.example .git/config
printf '<?php echo "ran";' | put_page shop.example wp-content/uploads/x.php
printf '<?php echo "ran";' | put_page shop.example members/index.php
printf '<?php echo "login";' | put_page shop.example wp-login.php

ini() { visit shop.example "/ini.php?k=$1"; }
php_settings() {
    set_ php.memory_limit=333 php.max_input_vars=4321 php.timezone=Europe/Berlin php.session_lifetime=3600
    is "$(ini memory_limit)" 333M
    is "$(ini max_input_vars)" 4321
    is "$(ini date.timezone)" Europe/Berlin
    is "$(ini session.gc_maxlifetime)" 3600
    is "$(get php.memory_limit)" 333
}
check "settings of PHP reach PHP" php_settings
survive() { set_ web.cache=micro; set_ web.cache=off; is "$(ini memory_limit)" 333M; }
check "and survive another change" survive
functions() {
    set_ php.functions=shell
    matches "$(ini disable_functions)" shell_exec
    set_ php.functions=none
    is "$(ini disable_functions)" ""
}
check "forbidden functions come and go" functions
without() { # (xdebug is not installed: nothing is hidden, and nothing fails)
    printf '<?php echo implode(" ", array_filter(["mbstring", "simplexml", "intl", "mysqli"], "extension_loaded"));' | put_page shop.example has.php
    is "$(visit shop.example /has.php)" "mbstring simplexml intl mysqli"
    set_ php.without=intl,xml,xdebug
    is "$(visit shop.example /has.php)" "mbstring mysqli"
    is "$(ini memory_limit)" 333M
    set_ php.without=
    is "$(visit shop.example /has.php)" "mbstring simplexml intl mysqli"
}
check "a site does without the extensions that are named, and has them again" without
uploads() {
    set_ web.upload_max=3
    is "$(ini upload_max_filesize) $(ini post_max_size)" "3M 11M"
    head -c 12000000 /dev/zero >"$dir/big"
    is "$(visit shop.example /ini.php -o /dev/null -w '%{http_code}' --data-binary "@$dir/big")" 413
    set_ web.upload_max=64
    is "$(visit shop.example /ini.php -o /dev/null -w '%{http_code}' --data-binary "@$dir/big")" 200
    rm "$dir/big"
}
check "the largest upload is one limit in three places" uploads
bad_values() {
    local bad
    for bad in php.memory_limit=banana php.memory_limit=1 'web.blocked_agents=a"b;}' web.real_ip_from=0.0.0.0/0 \
        access.allow=198.51.100.7/24 'redirects=/a$b /c' 'type=proxy localhost:3000' web.directory=../.. no.such=1 \
        'type=proxy unix:/run/lalapanel/agent.sock' aliases=panel.example; do
        not panel site set shop.example "$bad"
    done
    is "$(ini memory_limit)" 333M
}
check "values that are none are refused" bad_values
limits() {
    local unit
    unit=lalapanel-php-$(panel_json .user site show shop.example).service
    set_ limits.memory=512 limits.cpu=50 limits.tasks=40
    is "$(on systemctl show -P MemoryMax "$unit")" $((512 * 1048576))
    is "$(on systemctl show -P CPUQuotaPerSecUSec "$unit")" 500ms
    is "$(on systemctl show -P TasksMax "$unit")" 40
    set_ limits.memory=1024 limits.cpu=0 limits.tasks=64
}
check "limits of a site are its unit's" limits

limits_under_load() { # another PHP-FPM takes over behind the same socket
    local load=$logs/$suite.settings-load.json opcache
    rm -f "$load.end"
    outside "$here/load.py" "$address" shop.example /page.php 500 4 "$load.end" >"$load" &
    sleep 0.5
    set_ limits.memory=768 limits.tasks=48 php.memory_limit=300
    opcache=$(get php.opcache_memory)
    set_ php.opcache_memory=$((opcache + 16))
    touch "$load.end"
    wait $!
    jq -c 'del(.bodies)' "$load"
    jq -e '.failed == 0' "$load"
    is "$(ini memory_limit) $(ini opcache.memory_consumption)" "300M $((opcache + 16))"
    is "$(on sh -c 'ls /etc/systemd/system | grep -c next || true')" 0
    set_ limits.memory=1024 limits.tasks=64 php.memory_limit=333 php.opcache_memory="$opcache"
}
check "limits and OPcache change while visitors come, and no request fails" limits_under_load

dies_again() { # as where the kernel ends it for its memory: no start limit closes the site for good
    local unit n
    unit=lalapanel-php-$(panel_json .user site show shop.example).service
    for n in 1 2 3 4 5 6 7; do
        on systemctl kill --kill-whom=main --signal=KILL "$unit"
        is "$n $(visit shop.example /page.php -m 10 -o /dev/null -w '%{http_code}')" "$n 200"
    done
}
check "PHP that is killed again and again comes back each time" dies_again

walls() { # behaviour that no setting opens
    local path
    for path in /.env /.git/config /logo.png/x.php /page.php/x /wp-config.php.bak; do
        is "$(status shop.example "$path")" 404
    done
    is "$(header shop.example /page.php X-Powered-By)" ""
    is "$(header shop.example /page.php X-Content-Type-Options)" nosniff
    is "$(status nobody.example /)" 000
}
check "dotfiles, path-info and unknown names stay closed" walls

names() {
    set_ www=redirect "aliases=alias.example,*.shop.example"
    is "$(header www.shop.example '/a?b=c' Location)" 'http://shop.example/a?b=c'
    is "$(status alias.example /page.php)" 200
    is "$(status any.shop.example /page.php)" 200
    panel site create own.shop.example --type static >/dev/null 2>&1
    matches "$(visit own.shop.example /)" "own.shop.example"
    panel site delete own.shop.example --yes --now
    set_ www=none aliases=
    is "$(status alias.example /)" 000
}
check "names: www, aliases, a wildcard with an exact name in it" names
redirects() {
    printf '/old /new 301\n/blog/* https://blog.example/archive 308\n' | panel site set shop.example redirects=@-
    is "$(status shop.example /old) $(header shop.example /old Location)" '301 /new'
    is "$(status shop.example /blog/x) $(header shop.example /blog/x Location)" '308 https://blog.example/archive'
    is "$(status shop.example /older)" 404
    set_ redirects=
    is "$(status shop.example /old)" 404
}
check "redirects, exact and by prefix" redirects

cache() {
    set_ web.cache=micro web.cache_seconds=60
    local first second
    first=$(visit shop.example /page.php)
    second=$(visit shop.example /page.php)
    is "$first" "$second"
    is "$(header shop.example /page.php X-Cache)" HIT
    not is "$(visit shop.example /page.php -H 'Cookie: a=b')" "$first"
    panel site purge shop.example
    not is "$(visit shop.example /page.php)" "$first"
    set_ web.cache=off
    not is "$(visit shop.example /page.php)" "$(visit shop.example /page.php)"
}
check "the page cache keeps pages, not for visitors with cookies, and is emptied" cache

access() {
    local me
    me=$(outside ip -4 -o addr show br0 | awk '{ sub("/.*", "", $4); print $4 }')
    set_ access.deny="$me"
    is "$(status shop.example /page.php)" 403
    set_ access.deny= access.allow="$me"
    is "$(status shop.example /page.php)" 200
    set_ access.allow=203.0.113.7
    is "$(status shop.example /page.php)" 403
    set_ access.allow= web.real_ip_from="$me" access.deny=203.0.113.9
    is "$(status shop.example /page.php -H 'X-Forwarded-For: 203.0.113.9')" 403
    is "$(status shop.example /page.php -H 'X-Forwarded-For: 203.0.113.10')" 200
    set_ web.real_ip_from= access.deny=
    is "$(status shop.example /page.php -H 'X-Forwarded-For: 203.0.113.9')" 200
}
check "addresses are let in and kept out; a forged X-Forwarded-For is dropped" access
protected() {
    not panel site set shop.example access.protected=/members/
    echo 'mauve otter river' | panel site visitor add shop.example mara --password-file -
    set_ access.protected=/members/
    is "$(status shop.example /members/) $(status shop.example /page.php)" "401 200"
    is "$(status shop.example /members/ -u mara:wrong) $(status shop.example /members/ -u 'mara:mauve otter river')" "401 200"
    is "$(status shop.example /membership)" 404
    not on grep -rq 'mauve otter' /etc/nginx /var/lib/lalapanel /var/log/lalapanel
    is "$(on stat -c '%U:%G %a' "/etc/nginx/lalapanel/visitors-$(panel_json .user site show shop.example)")" "root:www-data 640"
    set_ access.protected=
    is "$(status shop.example /members/)" 200
    panel site visitor remove shop.example mara
}
check "a path asks for a name and a password" protected
agents() {
    set_ web.blocked_agents=AhrefsBot
    is "$(status shop.example /page.php -A 'Mozilla AhrefsBot/7')" 403
    is "$(status shop.example /page.php)" 200
    set_ web.blocked_agents=
}
check "programs are sent away by name" agents
hotlinks() {
    set_ web.hotlink_protection=on web.hotlink_allowed=partner.example
    is "$(status shop.example /logo.png)" 200
    is "$(status shop.example /logo.png -e http://thief.example/)" 403
    is "$(status shop.example /logo.png -e http://www.partner.example/)" 200
    set_ web.hotlink_protection=off
}
check "images are not shown by other sites" hotlinks
errors() {
    set_ 'web.error_pages=404 /404.html'
    is "$(visit shop.example /nothing)" "not there"
    is "$(status shop.example /nothing)" 404
    set_ web.error_pages=
}
check "a site shows its own error page" errors
headers() {
    set_ web.headers=strict
    is "$(header shop.example /page.php X-Frame-Options)" DENY
    set_ web.headers=off
    is "$(header shop.example /page.php X-Frame-Options)" ""
    set_ web.headers=standard
}
check "security headers" headers
gzip() {
    head -c 20000 /dev/zero | tr '\0' a | put_page shop.example long.html
    is "$(header shop.example /long.html Content-Encoding -H 'Accept-Encoding: gzip')" gzip
    set_ web.gzip=off
    is "$(header shop.example /long.html Content-Encoding -H 'Accept-Encoding: gzip')" ""
    set_ web.gzip=on
}
check "texts are compressed" gzip

sign_ins() {
    local n codes=
    for n in $(seq 12); do codes="$codes $(status shop.example /wp-login.php -d x=y)"; done
    matches "$codes" '200.* 429'
    is "$(status shop.example /wp-login.php)" 200
    set_ access.login_limit=off
    is "$(status shop.example /wp-login.php -d x=y)" 200
    set_ access.login_limit=on
}
check "a login page answers one address a few times a minute" sign_ins

closed() {
    set_ serving=suspended
    is "$(status shop.example /page.php) $(header shop.example / Retry-After)" "503 3600"
    matches "$(visit shop.example /)" "not available"
    local me
    me=$(outside ip -4 -o addr show br0 | awk '{ sub("/.*", "", $4); print $4 }')
    set_ serving=maintenance
    matches "$(visit shop.example /)" "being worked on"
    set_ access.maintenance_allow="$me"
    is "$(status shop.example /page.php)" 200
    set_ access.maintenance_allow=203.0.113.1
    is "$(status shop.example /page.php)" 503
    set_ serving=live access.maintenance_allow=
    is "$(status shop.example /page.php)" 200
}
check "a site is suspended, worked on, and back" closed

types() {
    set_ "type=wordpress $php"
    is "$(status shop.example /wp-content/uploads/x.php) $(status shop.example /xmlrpc.php) $(status shop.example /members/)" "403 403 200"
    matches "$(visit shop.example /any/thing)" "PHP"
    set_ "type=laravel" web.directory=front
    is "$(visit shop.example /some/page)" "front /some/page"
    is "$(status shop.example /page.php)" 404
    set_ type=static web.directory=
    is "$(status shop.example /page.php) $(visit shop.example /logo.png)" "404 a picture"
    not on test -e "/run/lalapanel/php/$(panel_json .user site show shop.example).sock"
    set_ type=spa
    printf 'the app' | put_page shop.example index.html
    is "$(visit shop.example /deep/link)" "the app"
    set_ 'type=redirect https://new.example 308'
    is "$(status shop.example /x) $(header shop.example '/x?y' Location)" '308 https://new.example/x?y'
    set_ "type=php $php"
    is "$(ini memory_limit)" 333M
}
check "the type changes through all kinds and back, and the settings stay" types

proxied() {
    on systemd-run --quiet --unit=app python3 -c '
import http.server
class App(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
        seen = self.headers
        self.wfile.write(" ".join([self.path, seen["Host"], seen["X-Forwarded-For"], str(seen["Proxy"]), str(seen["Upgrade"])]).encode())
    def log_message(self, *a): pass
http.server.HTTPServer(("127.0.0.1", 3000), App).serve_forever()'
    panel site create "$other_name" --type proxy --target 127.0.0.1:3000
    local me
    me=$(outside ip -4 -o addr show br0 | awk '{ sub("/.*", "", $4); print $4 }')
    soon matches "$(visit "$other_name" '/a/b?c' -H 'X-Forwarded-For: 1.2.3.4' -H 'Proxy: evil' -H 'Upgrade: websocket' -H 'Connection: Upgrade')" \
        "^/a/b\?c $other_name $me None websocket$"
    on systemctl stop app
    is "$(status "$other_name" /)" 502
    panel site set "$other_name" web.upload_max=5
    panel site delete "$other_name" --yes --now
}
if on test -x /usr/bin/python3; then check "a proxy passes requests on and tells the truth about the visitor" proxied; fi

static_to() { # a foreign link is followed to nobody
    panel site create "$other_name" --type static >/dev/null 2>&1
    local user
    user=$(panel_json .user site show "$other_name")
    on setpriv --reuid="$user" --regid="$user" --init-groups ln -s /var/www/shop.example/htdocs/logo.png "/var/www/$other_name/htdocs/stolen.png"
    is "$(status "$other_name" /stolen.png)" 404
    panel site delete "$other_name" --yes --now
}
check "a link into another site is not found" static_to

many_edits() { # each edit is confirmed by itself
    local n t
    t=$(now)
    for n in $(seq 20); do panel site set shop.example web.cache_seconds=$((n + 100)) web.cache=micro >/dev/null; done
    is "$(get web.cache_seconds)" 120
    echo "20 edits in $(since "$t") s"
    set_ web.cache=off
}
check "twenty edits one after the other" many_edits

edits_at_once() { # five a second are asked for; each waits for its turn and is confirmed by itself
    local t
    t=$(now)
    sh_on 'for n in $(seq 60); do echo "$n"; done | xargs -P 6 -I{} sh -c "lalapanel site set shop.example web.cache_seconds=\$((200 + {})) >/dev/null 2>/run/edit.{} || echo {} >>/run/edits.failed"'
    echo "60 edits by 6 callers in $(since "$t") s"
    if on test -e /run/edits.failed; then sh_on 'for n in $(cat /run/edits.failed); do cat /run/edit.$n; done'; return 1; fi
    is "$(panel_json '[.operations[:60][] | select(.change == "site set" and .state == "done")] | length' op list)" "$(panel_json '.operations[:60] | length' op list)"
    on grep -q "fastcgi_cache_valid 200 301 $(get web.cache_seconds)s;" /etc/nginx/sites-available/shop.example
}
set_ web.cache=micro
check "sixty edits by six callers at once" edits_at_once
set_ web.cache=off
