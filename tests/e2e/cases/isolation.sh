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
    case "setuid": echo posix_setuid(0) || posix_seteuid(0) ? "YES" : "no"; break;
    default: echo "ready";
}
EOF
chown "$1" /var/www/a.example/htdocs/probe.php' "$user_a"
probe() { visit a.example /probe.php -G --data-urlencode "do=${1:-}" --data-urlencode "p=${2:-}"; }
check "the probe runs" is "$(probe)" ready
check "it runs as the site's user" matches "$(probe who)" "^$user_a "
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
