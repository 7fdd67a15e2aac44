# A host whose PID 1 is not systemd: the same panel by way of init scripts.
use_fresh "$suite-stack" "$case_name" --no-systemd
push_binary
installs() { panel install --yes --hostname "$panel_name" >"$logs/$suite.no-systemd.txt" 2>&1 || { tail -20 "$logs/$suite.no-systemd.txt"; return 1; }; }
check "install ends well without systemd" installs
healthz() { is "$(outside curl -sk --max-time 5 "https://$address:8443/healthz" | tr -d '\n')" ok; }
check "the panel answers" soon healthz
create() { panel site create shop.example; soon answers shop.example 200; }
check "a site is created and served" create
user=$(panel_json .user site show shop.example)
own_user() {
    sh_on 'printf %s "$1" >/var/www/shop.example/htdocs/who.php; chown "$2:" /var/www/shop.example/htdocs/who.php' "$who_php" "$user"
    matches "$(visit shop.example /who.php)" " as $user$"
}
check "PHP runs as the site's own user" own_user
doctor() { panel doctor --json | jq -e .; }
check "doctor answers" doctor
lost() { matches "$(panel doctor 2>&1)" "systemd"; }
check "doctor says what is lost without systemd" lost
again() { matches "$(panel install --yes --hostname "$panel_name" 2>&1 | tr '[:upper:]' '[:lower:]')" "nothing|already"; answers shop.example 200; }
check "a second install changes nothing" again
reboot_keeps() {
    "$here/host" stop "$host"
    "$here/host" boot "$host" --no-systemd
    soon healthz
    soon answers shop.example 200
    matches "$(visit shop.example /who.php)" " as $user$"
}
check "panel and site come back with the machine" reboot_keeps
killed() { # (nobody restarts it here: the init script does)
    on sh -c 'kill -9 $(cat /run/lalapanel/agent.pid)' || on sh -c 'kill -9 $(pgrep -f "lalapanel agent")'
    on service lalapanel-agent restart || on service lalapanel restart
    soon panel site list
}
check "a killed agent is started again by its init script" killed
renames() {
    panel site rename shop.example new.example
    soon answers new.example 200
    matches "$(visit new.example /who.php)" " as $user$"
    is "$(status shop.example /)" 301
    panel site rename new.example shop.example --old drop
    matches "$(visit shop.example /who.php)" " as $user$"
}
check "the site is renamed, there and back" renames
clones() { # with its own pool in the shared master, and offline where it is offline
    local own
    panel site clone shop.example copy.example
    own=$(panel_json .user site show copy.example)
    soon answers copy.example 200
    matches "$(visit copy.example /who.php)" " as $own$"
    matches "$(visit shop.example /who.php)" " as $user$"
    panel site disable copy.example
    panel site clone copy.example second.example
    is "$(status second.example /)" 000
    panel site enable second.example
    soon answers second.example 200
    panel site delete copy.example --yes --now
    panel site delete second.example --yes --now
}
check "the site is cloned, online and offline" clones
deletes() { panel site delete shop.example --yes --now; soon not answers shop.example 200; sh_on '! getent passwd "$1"' "$user"; }
check "the site is deleted" deletes
purges() { panel uninstall --purge --yes; is "$(on find /etc /var /usr/local -iname '*lalapanel*' -not -path '/var/lib/e2e-mirror/*')" ""; }
check "uninstall --purge leaves nothing" purges
