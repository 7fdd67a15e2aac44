# The logs of a site: what is in them, who may write where, rotation, deletion, forged lines.
use_fresh "$suite-panel"
panel site create shop.example >/dev/null 2>&1
panel site create plain.example --type static >/dev/null 2>&1
site_user=$(panel_json .user site show shop.example)
logs=/var/log/lalapanel/shop.example
as_site() { on setpriv --reuid="$site_user" --regid="$site_user" --init-groups "$@"; }
page() { put "/var/www/shop.example/htdocs/$1"; }
log() { panel log shop.example "$@"; }
records() { log "$@" --json | jq -c '.records[]'; }
# nginx writes what visitors asked once a second.
told() { matches "$(log access --lines 200)" "$1"; }
page ok.php <<<'<?php echo "ok";'
page fatal.php <<<'<?php error_log("told by hand"); undefined_function_x();'
page slow.php <<<'<?php function deep() { sleep(7); } deep(); echo "slow";'
page status.php <<<'<?php http_response_code((int) $_GET["s"]);'

# A PHP that complained in a loop: the agent looks at sizes once a minute, so this one is looked at again at the end.
panel site create loud.example >/dev/null 2>&1
on truncate -s 101M /var/log/lalapanel/loud.example/php/error.log

# found CHECK: how bad the doctor finds it (its own exit code tells of problems).
found() { (panel doctor --json || true) | jq -r --arg c "$1" '.findings[] | select(.check == $c) | .level'; }

requests() {
    visit shop.example /ok.php?one=1 >/dev/null
    visit shop.example '/status.php?s=503' >/dev/null
    visit shop.example /nothing-there >/dev/null
    patiently told 'GET /ok.php\?one=1 HTTP/1.1'
    patiently told 'GET /nothing-there HTTP/1.1'
    is "$(records access --status 5xx | jq -r .status | sort -u)" 503
    is "$(records access --status 404 --text NOTHING-there | jq -r .text)" "GET /nothing-there HTTP/1.1"
    is "$(records access --lines 1 | wc -l)" 1
    lacks "$(log access --text one=1)" nothing-there
}
check "requests are in the access log, and filters find them" requests

php_errors() {
    visit shop.example /fatal.php >/dev/null
    soon sh_on "grep -q undefined_function_x $logs/php/error.log"
    is "$(records php --text undefined_function | jq -r .level)" "Fatal error"
    matches "$(records php --text 'told by hand' | jq -r .time)" '^[0-9]{2}-[A-Z]'
    is "$(on stat -c '%U:%G %a' "$logs/php/error.log")" "$site_user:adm 640"
}
check "a PHP error is in the site's own PHP log" php_errors

slow_requests() {
    is "$(visit shop.example /slow.php --max-time 20)" slow
    soon sh_on "grep -q deep $logs/php/slow.log"
    matches "$(log slow)" 'script_filename = /var/www/shop.example/htdocs/slow.php'
    matches "$(log slow)" 'sleep\(\)'
    matches "$(log slow)" 'deep\(\)'
    matches "$(log php --text 'executing too slow')" 'slow\.php'
}
check "a slow request is in the slow log, with where PHP was" slow_requests

none() {
    local out
    out=$(panel log plain.example php --json 2>/dev/null) && return 1
    is "$(jq -r .error.code <<<"$out")" log.none
    panel log plain.example access >/dev/null
    out=$(panel log none.example access --json 2>/dev/null) && return 1
    is "$(jq -r .error.code <<<"$out")" site.not_found
}
check "a site without PHP has no PHP log, and says so" none

# ---- what strangers write ---------------------------------------------------------------------

forged() { # by a visitor: the request line, headers, the name
    local out
    visit shop.example "/forged?%22,%22s%22:500%7D%0A%7B%22s%22:501" -A $'evil\x1b[2J\x1b]0;owned\x07","s":500}' -e $'\xe2\x80\xae reversed \xff' >/dev/null
    outside bash -c "printf 'GET /raw\x1b[31m\"\\\\\\n HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: a\x9bb\r\nConnection: close\r\n\r\n' >/dev/tcp/$address/80"
    patiently sh_on "grep -q forged $logs/access.log"
    out=$(log access --lines 50 | cat -v)
    lacks "$out" '\^\[|M-[B]M-\^'
    is "$(records access --text forged | wc -l)" 1
    is "$(records access --text forged | jq -r .status)" 404
    is "$(records access --status 501 | wc -l)" 0
    matches "$(records access --text forged | jq -r .note)" 'x1b\[2J'
    on cat "$logs/access.log" | iconv -cf utf-8 | jq -e . >/dev/null
}
check "a visitor forges no line and sends no escape sequence to a terminal" forged

forged_by_php() {
    page forge.php <<<'<?php error_log("a\x1b[2J\x1b]52;c;ZXZpbA==\x07b \u{202E}c <script>alert(1)</script>");'
    visit shop.example /forge.php >/dev/null
    soon sh_on "grep -q alert $logs/php/error.log"
    lacks "$(log php | cat -v)" '\^\[|\^G'
    matches "$(log php --text alert)" 'x1b\[2J'
}
check "neither does the site itself" forged_by_php

long_line() { # longer than anybody shows
    as_site sh -c "head -c 3000000 /dev/zero | tr '\\0' x >>$logs/php/error.log; echo >>$logs/php/error.log; echo '[23-Nov-2026 00:00:00 UTC] after' >>$logs/php/error.log"
    matches "$(log php --lines 1)" 'after'
    log php --lines 20 >/dev/null
}
check "a line of 3 MB does no harm" long_line

# ---- what the site may do with its own logs (CVE-2016-1247) ---------------------------------------

no_links() {
    local target
    for target in "$logs/php/new" "$logs/php/error.log.1" "$logs/new" "$logs/access.log.1"; do
        not as_site ln -s /etc/passwd "$target"
        not as_site touch "$target"
    done
    not as_site rm -f "$logs/php/error.log"
    not as_site mv "$logs/php/error.log" "$logs/php/other"
    not as_site rmdir "$logs/php"
    not as_site mv "$logs/php" "$logs/php2"
    not as_site ls "$logs"
    not as_site cat "$logs/access.log"
    not as_site cat "$logs/error.log"
    as_site sh -c "echo '[23-Nov-2026 00:00:01 UTC] by the site' >>$logs/php/error.log"
}
check "the site's user fills its PHP logs and can put no link in their place" no_links
page write.php <<'PHP'
<?php error_reporting(0);
$d = "/var/log/lalapanel/shop.example";
echo @symlink("/etc/shadow", "$d/php/x") ? "LINK " : "", @file_put_contents("$d/php/new", "x") ? "NEW " : "",
    @file_get_contents("$d/access.log") === false ? "" : "ACCESS ", @scandir("/var/log/lalapanel") ? "LIST " : "", "end";
PHP
check "nor can its PHP" is "$(visit shop.example /write.php)" end

# ---- rotation ---------------------------------------------------------------------------------------

rotate() { on logrotate --force /etc/logrotate.d/lalapanel; }
follow_on() { # follow_on NAME FILE: follows into /run/NAME.out
    sh_on "setsid lalapanel log shop.example $2 --follow --lines 1 >/run/$1.out 2>/run/$1.err </dev/null & echo \$! >/run/$1.pid; sleep 1"
}
follow_off() { sh_on "kill \$(cat /run/$1.pid) || true"; }
got() { sh_on "grep -q '$2' /run/$1.out"; }
got_soon() { local i; for i in $(seq 100); do got "$@" && return; sleep 0.1; done; return 1; }
followed() {
    local i
    follow_on rotated access
    for i in 1 2 3 4 5; do visit shop.example "/before$i" >/dev/null; done
    rotate
    sleep 1 # for a moment nginx's workers still write to the old file
    for i in 1 2 3 4 5; do visit shop.example "/after$i" >/dev/null; done
    got_soon rotated "/after5" # no log rotates twice within the second between two looks
    rotate
    sleep 1
    visit shop.example /twice >/dev/null
    got_soon rotated "/twice"
    follow_off rotated
    for i in before1 before5 after1 after5; do is "$(sh_on "grep -c '/$i ' /run/rotated.out")" 1; done
}
check "following goes on through two rotations and tells each request once" followed
after_rotation() {
    is "$(on stat -c '%U:%G %a' "$logs/access.log" "$logs/error.log" "$logs/php/error.log" "$logs/php/slow.log" | sort -u | tr '\n' ' ')" \
        "$site_user:adm 640 www-data:adm 640 "
    is "$(on stat -c '%U:%G %a' "$logs" "$logs/php" | sort -u)" "root:adm 751"
    visit shop.example /fatal.php >/dev/null
    soon sh_on "grep -q undefined_function_x $logs/php/error.log"
    patiently told /after1
    on pkill -SEGV -u "$site_user" -f 'php-fpm: pool'
    soon sh_on "grep -q 'exited on signal 11' $logs/php/error.log"
}
check "after a rotation owners are as before, PHP and PHP-FPM write on, and the rotated file is read too" after_rotation

# ---- deleted by hand --------------------------------------------------------------------------------

deleted() {
    follow_on deleted access
    on rm "$logs/access.log"
    sleep 2 # until the follower has looked again
    matches "$(panel log shop.example access 2>&1)" 'access.log. was deleted'
    on rm "$logs/access.log.1"
    not panel log shop.example access
    is "$(panel log shop.example access --json 2>/dev/null | jq -r .error.code || true)" log.missing
    is "$(found logs.files)" warning
    matches "$(panel doctor)" 'lalapanel log shop.example --restore'
    matches "$(panel log shop.example --restore --plan)" 'access.log'
    is "$(on stat -c %U "$logs/access.log")" root # made anew by the doctor's look at nginx, and not yet given back
    panel log shop.example --restore
    sleep 2
    visit shop.example /is-back >/dev/null
    got_soon deleted /is-back || { sh_on 'tail -3 /run/deleted.out /run/deleted.err'; return 1; }
    follow_off deleted
    sh_on 'grep -q "was deleted" /run/deleted.err || { cat /run/deleted.err; exit 1; }'
    is "$(on stat -c '%U:%G %a' "$logs/access.log")" "www-data:adm 640"
    patiently told /is-back
    is "$(found logs.files)" ok
}
check "a deleted log is told, found by the doctor, put back, and followed again" deleted

made_by_nginx() { # nginx -t makes it anew as root, readable for all
    visit shop.example /kept >/dev/null
    on rm "$logs/access.log"
    on nginx -t
    on systemctl reload nginx
    soon answers shop.example 200 /ok.php
    sleep 1
    visit shop.example /in-the-new-one >/dev/null
    is "$(found logs.files)" warning
    panel log shop.example --restore
    is "$(on stat -c '%U:%G %a' "$logs/access.log")" "www-data:adm 640"
    patiently told /in-the-new-one
}
check "one that nginx made anew gets its owner back and keeps what is in it" made_by_nginx

all_gone() {
    on rm -r "$logs"
    panel log shop.example --restore
    is "$(visit shop.example /ok.php)" ok
    visit shop.example /fatal.php >/dev/null
    soon sh_on "grep -q undefined_function_x $logs/php/error.log"
    patiently told fatal.php
    is "$(found logs.files)" ok
}
check "a deleted log directory is put back, and PHP writes into it" all_gone
slow_log_gone() { # PHP-FPM refuses to start without it
    on rm "$logs/php/slow.log" "$logs/php/error.log"
    on systemctl restart "lalapanel-php-$site_user.service"
    is "$(visit shop.example /ok.php)" ok
    is "$(on stat -c '%U:%G' "$logs/php/slow.log" "$logs/php/error.log" | sort -u)" "$site_user:adm"
}
check "PHP-FPM starts though its logs were deleted" slow_log_gone
again() { is "$(panel log shop.example --restore --json | jq -r .changed)" false; }
check "putting back what is there changes nothing" again

link_by_root() { # not even root's own link is followed
    on rm "$logs/php/error.log"
    on ln -s /etc/shadow "$logs/php/error.log"
    lacks "$(log php --json 2>&1 || true)" 'root:'
    not panel log shop.example --restore
    on rm "$logs/php/error.log"
    panel log shop.example --restore
}
check "a link in place of a log is not read" link_by_root

limits() {
    is "$(found nginx.open_files)" ok
    on rm /etc/systemd/system/nginx.service.d/lalapanel.conf
    on systemctl daemon-reload
    on systemctl restart nginx
    is "$(found nginx.open_files)" warning
    panel doctor --fix >/dev/null 2>&1 || true # the running nginx still has its old limit
    on systemctl restart nginx
    is "$(found nginx.open_files)" ok
}
check "the doctor knows how many files nginx may open" limits

large() {
    local i loud=/var/log/lalapanel/loud.example/php/error.log
    for i in $(seq 180); do
        ! on test -e "$loud.1" || break
        sleep 1
    done
    on test -e "$loud.1" # after $i looks
    is "$(on stat -c '%U:%G %a %s' "$loud")" "$(panel_json .user site show loud.example):adm 640 0"
}
check "a PHP log over 100 MiB is rotated before its day is over" large
seen() {
    local i figures='.samples[] | select(.cpu != null and .memory != null and .received != null)'
    for i in $(seq 90); do # it looks once a minute
        [ "$(panel_json "[$figures] | length" monitor)" -ge 1 ] && return
        sleep 1
    done
    echo "nothing after $i looks" && return 1
}
check "the machine is looked at every minute" seen

gone_with_the_site() {
    panel site delete shop.example --yes --now
    not on test -e "$logs"
    soon on sh -c '! ls -A /var/log/lalapanel/.deleted 2>/dev/null | grep -q .'
}
check "the logs go with the site" gone_with_the_site
