# The panel's own settings: a new address is tried beside the former one, kept by who came by it, and goes back by itself.
# Runs on one suite.
use_fresh "$suite-panel"
jar=$logs/$suite.address.jar
door() { outside curl -sk --max-time 20 -b "$jar" -c "$jar" --resolve "panel.test.example:9443:$address" "$@"; }
healthy() { is "$(outside curl -sk --max-time 5 -o /dev/null -w '%{http_code}' "https://$address:$1/healthz")" 200; }
listens() { on sh -c 'ss -Hltn "sport = :$1" | grep -q .' sh "$1"; }
on lalapanel account create mara --password-file - <<<'mauve otter tin sky'
sh_on 'sed -i "1i # a note of mine" /etc/lalapanel/config.toml; systemctl restart lalapanel-agent'
soon panel status
refuses() {
    refused 1 site.setting_invalid settings set panel.port=443
    on systemd-run -q --unit taken systemd-socket-activate -l 9555 /bin/cat
    soon listens 9555
    refused 1 install.port_taken settings set panel.port=9555
    on systemctl stop taken
    refused 1 site.setting_invalid settings keep
    healthy 8443
}
check "a port that is taken, and one that is no panel's, are refused" refuses
plain() {
    panel settings set acme.email=new@panel.example
    is "$(panel_json .email settings show)" new@panel.example
    matches "$(on cat /etc/lalapanel/config.toml)" '# a note of mine'
}
check "a setting changes, and what somebody wrote into the file stays" plain
both() {
    panel settings set panel.port=9443 panel.hostname=panel.test.example
    healthy 8443
    healthy 9443
    refused 1 site.setting_invalid settings set panel.port=9444
    matches "$(panel_json .trial.port settings show)" 9443
}
check "a new address is tried beside the former one" both
form() { sed -n 's/.*name="token" value="\([^"]*\)".*/\1/p' <<<"$1" | head -n 1; }
from_here() { # from_here BASE PATH DATA…: a form is sent as a browser does
    local base=$1 path=$2
    shift 2
    door -o /dev/null -w '%{redirect_url}' -H 'Sec-Fetch-Site: same-origin' -H "Origin: $base" "$@" "$base$path"
}
sign_in() { # sign_in BASE
    rm -f "$jar"
    from_here "$1" /login --data-urlencode "token=$(form "$(door "$1/login")")" --data-urlencode name=mara \
        --data-urlencode 'password=mauve otter tin sky' >/dev/null
}
kept() {
    local base=https://$address:8443 page
    sign_in "$base"
    page=$(door "$base/settings")
    matches "$page" 'https://panel.test.example:9443/settings'
    lacks "$page" 'action="/settings/keep"'
    from_here "$base" /settings/keep --data-urlencode "token=$(form "$page")" >/dev/null
    is "$(panel_json .port settings show)" 8443
    base=https://panel.test.example:9443
    sign_in "$base"
    page=$(door "$base/settings")
    matches "$page" 'action="/settings/keep"'
    matches "$(from_here "$base" /settings/keep --data-urlencode "token=$(form "$page")")" '/operations/'
    moved() { is "$(panel_json '[.port, .hostname, .trial] | map(tostring) | join(" ")' settings show)" "9443 panel.test.example null"; }
    patiently moved
    soon healthy 9443
    not healthy 8443
    not listens 8443
    matches "$(on cat /etc/lalapanel/config.toml)" 'port = 9443'
    matches "$(panel install --yes 2>/dev/null)" 'Nothing to do'
}
check "who came by the new address keeps it, and the former one is closed" kept
back() { # a minute nobody says anything, while the agent is killed
    panel settings set panel.port=8443
    healthy 8443
    on systemctl kill -s KILL lalapanel-agent
    local i
    for i in $(seq 100); do
        ! listens 8443 && break
        sleep 1
    done
    not listens 8443
    healthy 9443
    is "$(panel_json '[.port, .trial] | map(tostring) | join(" ")' settings show)" "9443 null"
    is "$(panel_json '.operations[0] | .change + " " + .state' op list)" "settings back done"
}
check "what nobody keeps goes back by itself, also when the agent is killed meanwhile" back
