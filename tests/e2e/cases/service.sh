# Services: stopped, started, restarted; never with a configuration that the program refuses.
use_fresh "$suite-panel"
panel site create shop.example >/dev/null 2>&1

main_process() { on systemctl show --property=MainPID --value "$1"; }
state_of() { panel_json ".services[] | select(.name == \"$1\") | .state" service list; }

restarted() { # NAME: another process, and it answers
    local before
    before=$(main_process "$1")
    matches "$(panel service restart "$1" --plan 2>&1)" "Restart $1"
    is "$(main_process "$1")" "$before"
    is "$(panel_json .name service restart "$1")" "$1"
    not is "$(main_process "$1")" "$before"
    is "$(state_of "$1")" active
}
check "nginx is restarted, and the site answers" restarted nginx
check "it does" patiently answers shop.example 200
check "MariaDB is restarted" restarted mariadb

stopped() {
    matches "$(panel service stop mariadb --plan 2>&1)" "show an error until"
    panel service stop mariadb
    is "$(state_of mariadb)" inactive
    is "$(panel_json .changed service stop mariadb)" false
    panel service start mariadb
    is "$(state_of mariadb)" active
    is "$(panel_json .changed service start mariadb)" false
}
check "MariaDB is stopped and started, once each" stopped

refuses() { # NAME FILE TEXT: says the line, and what runs goes on
    local before
    before=$(main_process "$1")
    put "$2" <<<"$3"
    refused 1 service.refused service restart "$1"
    matches "$(panel service restart "$1" 2>&1)" 'no_such_thing'
    is "$(main_process "$1")" "$before"
    panel service stop "$1"
    refused 1 service.refused service start "$1"
    on rm "$2"
    panel service start "$1"
}
check "nginx is not restarted with a broken configuration" refuses nginx /etc/nginx/conf.d/broken.conf 'no_such_thing on;'
check "neither is MariaDB" refuses mariadb /etc/mysql/mariadb.conf.d/99-broken.cnf $'[mariadbd]\nno_such_thing=1'

others() {
    refused 1 service.refused service restart lalapanel-agent
    refused 1 service.refused service stop ssh
    refused 1 service.refused service stop ../nginx
    on systemctl mask --now mariadb
    refused 1 service.refused service start mariadb
    on systemctl unmask mariadb
    panel service start mariadb
}
check "the agent, foreign and masked services are refused" others

itself() {
    outside curl -sk --max-time 10 "https://$address:8443/healthz" >/dev/null
    patiently matches "$(main_process lalapanel-web)" '^[1-9]'
    restarted lalapanel-web
    is "$(outside curl -sk --max-time 10 "https://$address:8443/healthz")" ok
}
check "the panel restarts itself" itself
