# What one site's code, and a visitor, must not reach.
use_fresh "$suite-panel"
panel site create a.example >/dev/null 2>&1
panel site create b.example >/dev/null 2>&1
user_a=$(panel_json .user site show a.example)
user_b=$(panel_json .user site show b.example)
sh_on 'cd /var/www/b.example/htdocs; echo secret-of-b >secret.txt; chown "$1" secret.txt; chmod 600 secret.txt
    echo "<?php \$password = 42;" >config.php; chown "$1" config.php' "$user_b"
# The probe tries what its query says and prints what came of it.
sh_on 'cat >/var/www/a.example/htdocs/probe.php <<"EOF"
<?php
header("Content-Type: text/plain"); error_reporting(0);
$p = $_GET["p"] ?? "";
switch ($_GET["do"] ?? "") {
    case "read": $r = file_get_contents($p); echo $r === false ? "no" : "YES " . substr($r, 0, 60); break;
    case "list": $r = scandir($p); echo $r === false ? "no" : "YES " . implode(" ", $r); break;
    case "write": echo file_put_contents($p, "x") === false ? "no" : "YES"; break;
    case "unix": $r = stream_socket_client("unix://$p", $n, $e, 2); echo $r ? "YES" : "no $e"; break;
    case "bind": $r = stream_socket_server("tcp://0.0.0.0:$p", $n, $e); echo $r ? "YES" : "no $e"; break;
    case "link": @unlink("link"); echo symlink($p, "link") ? "linked" : "no"; break;
    case "kill": $c = 0; foreach (glob("/proc/[0-9]*") as $d) if ((int) basename($d) !== getmypid() && fileowner($d) !== posix_geteuid() && posix_kill((int) basename($d), 0)) $c++; echo $c; break;
    case "who": echo posix_getpwuid(posix_geteuid())["name"], " ", implode(",", posix_getgroups()); break;
    case "sh": exec($p . " 2>&1", $o, $c); echo $c === 0 ? "YES" : "no", " ", implode(" ", $o); break;
    case "env": echo var_export(getenv($p), true); break;
    case "set": echo ini_get($p); break;
    case "accel": header("X-Accel-Redirect: $p"); echo "accel"; break;
    case "scripts": echo implode(" ", array_keys(opcache_get_status()["scripts"] ?? [])); break;
    case "session": session_start(); $_SESSION["x"] = 1; echo session_id(); break;
    case "many": for ($h = []; count($h) < 300 && $r = proc_open(["sleep", "30"], [], $io); $h[] = $r); echo count($h); if ($p) sleep((int) $p); foreach ($h as $r) { proc_terminate($r); proc_close($r); } break;
    case "setuid": echo posix_setuid(0) || posix_seteuid(0) ? "YES" : "no"; break;
    default: echo "ready";
}
EOF
chown "$1" /var/www/a.example/htdocs/probe.php' "$user_a"
probe() { visit a.example /probe.php -G --data-urlencode "do=${1:-}" --data-urlencode "p=${2:-}"; }
check "the probe runs" is "$(probe)" ready
check "it runs as the site's user" matches "$(probe who)" "^$user_a "
quiet_journal() { # one of 8 MB for each site would fill a disk with 400 of them
    sh_on '[ -d /var/log/journal ]' && not sh_on 'ls /var/log/journal/*/user-$(id -u "$1").journal 2>/dev/null | grep .' "$user_a"
}
check "a site that runs has no journal of its own" quiet_journal
check "it can read its own file" matches "$(probe read /var/www/a.example/htdocs/probe.php)" "^YES"

denied() { matches "$(probe "$@")" '^no'; }
for f in /var/www/b.example/htdocs/secret.txt /var/www/b.example/htdocs/config.php /var/www/b.example/htdocs/index.php \
    /var/lib/lalapanel/state.redb /etc/shadow /var/log/lalapanel/b.example/access.log /var/log/lalapanel/a.example/../b.example/error.log; do
    check "a site cannot read $f" denied read "$f"
done
for f in /var/www/b.example/htdocs /var/www/b.example/tmp /var/lib/lalapanel /var/log/lalapanel/b.example; do
    check "a site cannot list $f" denied list "$f"
done
for f in /var/www/b.example/htdocs/new.php /var/www/a.example/new /var/www/new /etc/nginx/sites-enabled/new /var/log/lalapanel/a.example/new \
    /usr/local/bin/lalapanel /run/lalapanel/new /etc/cron.d/new /etc/systemd/system/new.service; do
    check "a site cannot write $f" denied write "$f"
done
agent_socket() { sh_on '[ -S /run/lalapanel/agent.sock ]'; denied unix /run/lalapanel/agent.sock; }
check "a site cannot speak to the agent" agent_socket
all_sockets() {
    local s count=0
    for s in $(on sh -c 'find /run/lalapanel /run/php -type s 2>/dev/null'); do
        case $s in *"$user_a"*) continue ;; esac
        denied unix "$s" || { echo "it reached $s"; return 1; }
        count=$((count + 1))
    done
    [ $count -ge 2 ]
}
message_bus() { # it is there for root, and hidden from the site
    sh_on '[ -S /run/dbus/system_bus_socket ]'
    denied unix /run/dbus/system_bus_socket
    denied unix /var/run/dbus/system_bus_socket
    denied unix /run/systemd/private
}
check "a site cannot speak to the message bus or to systemd" message_bus
check "a site reaches no other site's PHP and no socket of the panel" all_sockets
bind() {
    on systemctl stop lalapanel-web.service
    denied bind 8443
    denied bind 80
    denied bind 443
    on systemctl start lalapanel-web.service
}
check "a site cannot take the panel's port while the web process is stopped" bind
check "a site cannot signal anybody else's process" is "$(probe kill)" 0
many() { # 300 at most, by a user whose number no other host of this machine uses: the kernel counts them together
    local out count user
    [ "$suite" = bookworm ] || panel site create spare.example --type static
    panel site create many.example
    user=$(panel_json .user site show many.example)
    sh_on 'cp /var/www/a.example/htdocs/probe.php /var/www/many.example/htdocs/; chown "$1" /var/www/many.example/htdocs/probe.php' "$user"
    panel site set many.example limits.tasks=24
    on systemctl restart "lalapanel-php-$user.service"
    count=$(mktemp)
    visit many.example '/probe.php?do=many&p=4' --max-time 60 >"$count" 2>&1 &
    out=$!
    sleep 2
    is "$(visit b.example / -o /dev/null -w '%{http_code}')" 200
    wait "$out"
    echo "$(cat "$count") at once"
    [ "$(cat "$count")" -gt 4 ]
    [ "$(cat "$count")" -lt 48 ]
    panel site delete many.example --yes --now
    [ "$suite" = bookworm ] || panel site delete spare.example --yes --now
}
check "a site starts no more processes than it may, and the others answer meanwhile" many
check "a site cannot become root" is "$(probe setuid)" no

hidden() { # hidden PATH: neither served nor executed
    matches "$(status a.example "$1")" '^40[034]$'
}
link_to() { probe link "$1"; matches "$(status a.example /link)" '^40[34]$'; matches "$(status a.example /link/)" '^40[34]$'; }
for f in /etc/passwd /var/www/b.example/htdocs/secret.txt /var/www/b.example/htdocs/config.php /var/www/b.example/htdocs /var/log/lalapanel/a.example/access.log /; do
    check "a link to $f is not served" link_to "$f"
done
linked_php() { # PHP of the other site's, by a link of our own
    sh_on 'ln -sfn /var/www/b.example/htdocs/config.php /var/www/a.example/htdocs/linked.php; chown -h "$1" /var/www/a.example/htdocs/linked.php' "$user_a"
    not answers a.example 200 /linked.php
}
check "a link to another site's script does not run it" linked_php
sh_on 'cd /var/www/a.example/htdocs; mkdir -p .git .well-known up; echo x >.env; echo x >.git/config; echo x >.htaccess; echo ok >.well-known/ok.txt
    printf "<?php echo 1+1;" >x.jpg; echo x >dump.sql; cp x.jpg up/x.PHP; cp x.jpg up/x.phtml; chown -R "$1" .' "$user_a"
for f in /.env /.git/config /.git/ /.htaccess; do check "the dot file $f is not served" hidden $f; done
check "/.well-known is served" answers a.example 200 /.well-known/ok.txt
not_run() { local f; for f in /x.jpg/y.php /x.jpg%00.php /x.jpg/.php /nothing.php /probe.php/x.php; do hidden "$f" || is "$(visit a.example "$f")" ""; lacks "$(visit a.example "$f")" '^2$'; done; }
check "a picture is not executed by a path after it" not_run
traversal() { local p; for p in /../b.example/htdocs/secret.txt /%2e%2e/%2e%2e/etc/passwd /..%2f..%2fetc/passwd //etc/passwd; do hidden "$p"; lacks "$(visit a.example "$p")" "secret-of-b|root:"; done; }
check "paths with dots stay inside the site" traversal
other_name() { # the name decides, whatever the path or a second header says
    lacks "$(visit a.example /secret.txt)" secret-of-b
    lacks "$(outside curl -s --max-time 5 -H 'Host: a.example' -H 'X-Forwarded-Host: b.example' "http://$address/secret.txt")" secret-of-b
}
check "one site's name never answers with another's file" other_name
quiet_headers() { lacks "$(outside curl -sI --max-time 5 -H 'Host: a.example' "http://$address/probe.php")" 'X-Powered-By|nginx/[0-9]'; }
check "headers tell no version" quiet_headers
trace_free() { # a fatal error must not show paths to the visitor
    sh_on 'printf "<?php undefined_function_x();" >/var/www/a.example/htdocs/err.php'
    lacks "$(visit a.example /err.php)" "/var/www|undefined_function"
    soon on grep -q undefined_function_x -r /var/log/lalapanel/a.example/
}
check "a PHP error goes to the site's log and not to the visitor" trace_free

# ---- the matrix: A's PHP, past its own open_basedir, and A's user in a shell; each against B, the panel and the host ----
cell=$(cat <<'EOF'
<?php switch ($_GET["do"] ?? "") {
    case "session": session_start(); $_SESSION["x"] = 1; echo session_id(); break;
    case "tmp": exec("echo of-b >/tmp/of-b; cat /tmp/of-b", $o); echo $o[0]; break;
    case "sleep": sleep(600); break;
    default: echo posix_getpwuid(posix_geteuid())["name"];
}
EOF
)
put /var/www/b.example/htdocs/own.php <<<"$cell"
session_b=$(visit b.example '/own.php?do=session')
visit b.example '/own.php?do=sleep' --max-time 600 >/dev/null 2>&1 &
sleeper=$!
visit a.example /probe.php >/dev/null
pid_b=
worker_of_b() { pid_b=$(on pgrep -u "$user_b" -f 'php-fpm: pool' | head -n 1); [ -n "$pid_b" ]; }
soon worker_of_b
is "$(visit b.example '/own.php?do=tmp')" of-b >&2
cache=/var/cache/lalapanel
panel site set b.example web.cache=micro >/dev/null 2>&1
key=$(on sh -c 'find /var/lib/lalapanel -name "*key*" -type f | head -n 1')
in_php() { matches "$(probe sh "$1")" '^YES'; }
in_shell() { on setpriv --reuid="$user_a" --regid="$user_a" --init-groups sh -c "$1" >/dev/null 2>&1; }
both_can() { in_php "$1"; in_shell "$1"; }
check "the matrix looks: both reach what is their own" both_can "cat /var/www/a.example/htdocs/probe.php && touch /var/www/a.example/htdocs/own && ls /var/www/a.example/tmp"
nobody_can() { # of A: neither its PHP nor its user; root can, where it only looks
    local command
    for command; do
        ! in_php "$command" || { echo "PHP could: $command"; return 1; }
        ! in_shell "$command" || { echo "the user could: $command"; return 1; }
    done
}
root_can() { local command; for command; do on sh -c "$command" >/dev/null 2>&1 || { echo "not even root: $command"; return 1; }; done; }
cannot() { root_can "$@"; nobody_can "$@"; }
b=/var/www/b.example
logs_b=/var/log/lalapanel/b.example
check "nobody of A reads B's files" cannot "cat $b/htdocs/secret.txt" "cat $b/htdocs/config.php" "ls $b" "ls $b/htdocs" "ls $b/tmp" \
    "ls $b/tmp/sessions" "cat $b/tmp/sessions/sess_$session_b"
check "nobody of A writes to B's files" nobody_can "touch $b/htdocs/new" "touch $b/new" "touch $b/tmp/new" "echo x >>$b/htdocs/config.php" \
    "ln $b/htdocs/config.php /var/www/a.example/tmp/hard" "mv $b/htdocs $b/moved" "rm -r $b/htdocs/secret.txt" "chmod 777 $b/htdocs"
check "nobody of A reads B's processes" cannot "cat /proc/$pid_b/environ" "ls /proc/$pid_b/fd" "cat /proc/$pid_b/maps" "ls /proc/$pid_b/root/" "ls /proc/$pid_b/cwd/"
check "nobody of A ends or traces B's processes" nobody_can "kill -0 $pid_b" "kill -9 $pid_b" "echo x >/proc/$pid_b/mem"
check "nobody of A reads B's logs" cannot "cat $logs_b/access.log" "cat $logs_b/error.log" "cat $logs_b/php/error.log" "ls $logs_b" "ls $logs_b/php"
check "nobody of A writes to logs, not even beside its own" nobody_can "echo x >>$logs_b/access.log" "echo x >>$logs_b/php/error.log" "touch $logs_b/new" \
    "touch /var/log/lalapanel/a.example/new" "touch /var/log/lalapanel/a.example/php/new" "rm /var/log/lalapanel/a.example/php/error.log" "touch /var/log/lalapanel/new"
check "nobody of A reads the panel's state and keys" cannot "cat /var/lib/lalapanel/state.redb" "ls /var/lib/lalapanel" "cat $key" "cat /etc/shadow"
check "nobody of A reads what nginx knows of B, nor kept pages" cannot "cat /etc/nginx/sites-available/b.example" "ls /etc/nginx/lalapanel/custom" "ls $cache"
check "nobody of A writes where root reads" nobody_can "touch /etc/nginx/sites-enabled/x" "touch /etc/nginx/conf.d/x" "touch /etc/lalapanel/x" "touch /etc/lalapanel/php/x" \
    "touch /etc/systemd/system/x.service" "touch /etc/cron.d/x" "touch /var/lib/lalapanel/x" "touch /usr/local/bin/x" "touch /var/www/x" "touch $cache/x" "touch /etc/logrotate.d/x"
connects() { echo "curl -s --max-time 3 --unix-socket $1 http://x/ -o /dev/null; [ \$? != 7 ]"; }
check "nobody of A speaks to the agent or to any PHP-FPM, its own by its file included" cannot "$(connects /run/lalapanel/agent.sock)" \
    "$(connects "/run/lalapanel/php/$user_b.sock")" "$(connects "/run/lalapanel/php/$user_a.sock")"
check "nobody of A changes the directory of the sockets" nobody_can "ls /run/lalapanel/php" "touch /run/lalapanel/php/x" "ln -sf /run/lalapanel/php/$user_b.sock /run/lalapanel/php/$user_a.sock" \
    "mv /run/lalapanel/php/$user_a.sock /run/lalapanel/php/x" "rm /run/lalapanel/agent.sock" "touch /run/lalapanel/x"
check "nobody of A is root in MariaDB" cannot "mariadb -u root -e 'SELECT 1'"
not_in_mariadb() { nobody_can "mariadb -e 'SELECT 1'" "mariadb -u $user_b -e 'SELECT 1'" "mariadb -u mysql -e 'SELECT 1'"; }
check "nor anybody else in it" not_in_mariadb
check "what B's PHP puts into /tmp is B's alone" nobody_can "cat /tmp/of-b" "cat /tmp/systemd-private-*/tmp/of-b" "ls /tmp/systemd-private-*/tmp"
walls_of_php() { # what a shell on a server may, and a site's PHP may not
    local command
    sh_on 'mkdir -p /home/somebody; echo x >/root/secret; chmod 755 /home/somebody /root; chmod 644 /root/secret'
    for command in "cat /root/secret" "ls /home/somebody" "unshare -r true" "unshare -m true" "ls /proc/1" "cat /proc/1/cmdline" "cat /etc/nginx/nginx.conf" "mount -t tmpfs none /tmp" "ls /var/www/b.example" "ls /sys/fs/cgroup/system.slice && touch /sys/fs/cgroup/x"; do
        ! in_php "$command" || { echo "PHP could: $command"; return 1; }
    done
    is "$(probe sh 'ls /var/www')" "YES a.example"
}
check "A's PHP sees no other site, no other process, and makes no namespace" walls_of_php
kill $sleeper 2>/dev/null || true

# ---- users, FPM, settings ----
own_users() {
    local u ids=''
    for u in "$user_a" "$user_b"; do
        is "$(on id -Gn "$u")" "$u"
        ids="$ids $(on id -u "$u")"
    done
    [ "$(tr ' ' '\n' <<<"$ids" | sort -u | grep -c .)" = 2 ]
    is "$(on getent group www-data | cut -d: -f4)" ""
    is "$(on stat -c '%U:%G %a' /var/www/a.example /var/www/a.example/htdocs /var/www/a.example/tmp | tr '\n' ' ')" "root:root 711 $user_a:www-data 2750 $user_a:$user_a 700 "
    probe write /var/www/a.example/htdocs/made >/dev/null
    is "$(on stat -c '%U:%G %a' /var/www/a.example/htdocs/made)" "$user_a:www-data 640"
}
check "each site has a user and a group of its own and no other; what its PHP makes is read by nginx alone besides" own_users
own_masters() {
    ! on pgrep -u 0 php-fpm
    is "$(visit a.example /probe.php?do=who | cut -d' ' -f1) $(visit b.example /own.php)" "$user_a $user_b"
    lacks "$(probe scripts)" b.example
    is "$(probe set session.save_path) $(probe set upload_tmp_dir) $(probe set cgi.fix_pathinfo) $(probe set allow_url_include)" \
        "/var/www/a.example/tmp/sessions /var/www/a.example/tmp 0 0"
    matches "$(probe set open_basedir)" '^/var/www/a.example:'
    is "$(probe session | grep -c .)" 1
    sh_on 'ls /var/www/a.example/tmp/sessions | grep -q ^sess_'
}
check "no PHP-FPM is root's; each has its own memory, sessions and limits of paths" own_masters
confined() {
    local path
    for path in /secret.txt /.env /../b.example/htdocs/secret.txt /var/www/b.example/htdocs/secret.txt; do
        is "$(probe accel "$path")" accel
    done
    is "$(visit a.example '/probe.php?do=env&p=HTTP_PROXY' -H 'Proxy: http://evil.example')" false
}
check "X-Accel-Redirect of a script and Proxy of a visitor have no effect" confined
strangers() {
    local place
    for place in "http://$address/" "http://[$net6:$("$here/host" ip "$host" | cut -d. -f4)]/"; do
        is "$(outside curl -s --max-time 5 -o /dev/null -w '%{http_code}' "$place" || true)" 000
        is "$(outside curl -s --max-time 5 -o /dev/null -w '%{http_code}' -H 'Host: nobody.example' "$place" || true)" 000
    done
    ! panel site create "$panel_name"
    ! panel site create "$address"
}
check "a name that is nobody's and the bare address get no bytes; the panel's own name is no site" strangers

# ---- what is left of a deleted site ----
gone() {
    local before uid
    uid=$(on id -u "$user_b")
    sh_on 'setsid setpriv --reuid="$1" --regid="$1" --init-groups sh -c "echo left >/tmp/left-of-b; chmod 666 /tmp/left-of-b; exec sleep 900" >/dev/null 2>&1 </dev/null &' "$user_b"
    soon on pgrep -u "$uid" sleep
    panel site delete b.example --yes --now
    not on pgrep -u "$uid"
    not on id "$user_b"
    is "$(on sh -c "ls /etc/systemd/system /etc/lalapanel/php /etc/nginx/sites-available /run/lalapanel/php /var/www /var/log/lalapanel | grep -cE '$user_b|b\.example'")" 0
    panel site create b.example
    before=$(panel_json .user site show b.example)
    [ "$before" != "$user_b" ]
    not is "$(on id -u "$before")" "$uid"
    is "$(visit b.example /own.php -o /dev/null -w '%{http_code}')" 404
}
check "with a site its processes and its user end, and the next of its name has another number" gone
