# Things that go wrong beside the panel. Each refusal changes nothing.
use_fresh "$suite-panel"
panel site create first.example >/dev/null 2>&1

one_of_many() { # one_of_many NAME ARGUMENTS...: what it said and its exit code, in files
    local code=0
    panel "${@:2}" --json >"$logs/$suite.$1" 2>/dev/null || code=$?
    echo $code >"$logs/$suite.$1.code"
}
twice() {
    local i
    for i in 1 2 3; do one_of_many "twice.$i" site create twice.example & done
    wait
    is "$(cat "$logs/$suite".twice.[123].code | sort | xargs)" "0 1 1"
    is "$(cat "$logs/$suite".twice.[123] | jq -r '.error.code // "done"' | sort | xargs)" "done site.hostname_taken site.hostname_taken"
    is "$(panel site list --json | jq '[.sites[] | select(.hostname == "twice.example")] | length')" 1
    answers twice.example 200
    panel site delete twice.example --yes --now
}
check "of three creates of one name at the same moment one wins" twice
delete_twice() {
    local i
    panel site create gone.example
    for i in 1 2; do one_of_many "gone.$i" site delete gone.example --yes --now & done
    wait
    is "$(cat "$logs/$suite".gone.[12].code | sort | xargs)" "0 1"
    is "$(cat "$logs/$suite".gone.[12] | jq -r '.error.code // "done"' | sort | xargs)" "done site.not_found"
    is "$(status gone.example /)" 000
}
check "of two deletes of one site one wins, and the other says it is gone" delete_twice

doctor_names() { # a problem is exit code 1, a warning is not
    local out
    out=$(panel doctor --json 2>/dev/null || true)
    jq -e --arg what "$1" '[.. | objects | select(tostring | contains($what))] | length > 0' <<<"$out" || { echo "$out"; return 1; }
}
broken_nginx() {
    sh_on 'echo "this is not nginx" >/etc/nginx/conf.d/broken.conf'
    refused 1 nginx.broken site create new.example
    answers first.example 200
    is "$(on cat /etc/nginx/conf.d/broken.conf)" "this is not nginx"
    doctor_names broken.conf
    on rm /etc/nginx/conf.d/broken.conf
    panel site create new.example
    panel site delete new.example --yes --now
}
check "an nginx broken by somebody else's file is left alone and named" broken_nginx

stopped_nginx() {
    local before out code=0
    on systemctl stop nginx
    before=$(machine)
    out=$(panel site create new.example --json 2>/dev/null) || code=$?
    if [ $code = 0 ]; then # starting it is an answer as well
        answers new.example 200
        panel site delete new.example --yes --now
    else
        matches "$(jq -r .error.code <<<"$out")" '^nginx\.'
        [ -n "$(jq -r .error.hint <<<"$out")" ]
        machine_is "$before"
    fi
    on systemctl start nginx
    soon answers first.example 200
}
check "a stopped nginx is told, and nothing is left half done" stopped_nginx

web_killed() { # more often than systemd's start limit would bear
    local n
    ready() { is "$(outside curl -sk --max-time 2 "https://$address:8443/healthz" | tr -d '\n')" ok; }
    patiently ready
    for n in 1 2 3 4 5 6 7; do
        on systemctl kill --kill-whom=main --signal=KILL lalapanel-web
        patiently ready || { echo "gone after death $n"; return 1; }
    done
    answers first.example 200
}
check "a web process killed again and again comes back" web_killed
agent_killed() {
    local n
    ready() { panel site list --json | jq -e '.sites | length == 1'; }
    for n in 1 2 3 4 5 6 7 8 9 10 11 12; do
        on systemctl kill --kill-whom=main --signal=KILL lalapanel-agent
        patiently ready || { echo "gone after death $n"; return 1; }
    done
    answers first.example 200
}
check "an agent killed again and again comes back with its sites" agent_killed
killed_meanwhile() { # the one who watches is told how it ended
    local before said
    push_cutpoint
    before=$(machine)
    is "$(stop_at after 12 journal lalapanel site create new.example --json)" reached
    sh_on 'kill -9 $(sed -n "s/^watching //p" /run/cut.out); pkill -9 -x cutpoint'
    sh_on 'for i in $(seq 100); do pgrep -xf "lalapanel site create .*" >/dev/null || exit 0; sleep 0.1; done; exit 1'
    said=$(on sed -n '/^{/,$p' /run/op.out)
    is "$(jq -r .error.code <<<"$said")" host.failed
    matches "$(jq -r .error.hint <<<"$said")" 'undone'
    machine_is "$before"
    panel site create new.example
    answers new.example 200
    panel site delete new.example --yes --now
}
check "an agent killed while a create runs undoes it, and says so to who watches" killed_meanwhile
agent_stopped() {
    local code=0 out
    on systemctl stop lalapanel-agent.service
    out=$(panel site list --json 2>/dev/null) || code=$?
    if [ $code != 0 ]; then # (the web process may have called it back in the meantime)
        is $code 3
        is "$(jq -r .error.code <<<"$out")" agent.unreachable
    fi
    on systemctl start lalapanel-agent.service lalapanel-web.service
    answers first.example 200
}
check "without the agent the command line says so, exit code 3" agent_stopped

# page: the sign-in page as a browser asks for it, with its status at the end.
sign_in_page() { outside curl -sk --max-time 8 -H 'Accept: text/html' -w '\n%{http_code}' "https://$address:8443/login"; }
signs_in() { matches "$(sign_in_page)" '200$'; }
down_page() {
    matches "$(sign_in_page)" 'The Lala agent is not answering.*systemctl status lalapanel-agent.*503$'
    is "$(outside curl -sk --max-time 2 "https://$address:8443/healthz")" ok
}
never_there() { # a web process that starts without an agent, and lives to see it come and go
    local web
    # Not masked: the start of the web process asks for the agent's, which this skips.
    sh_on 'd=/run/systemd/system/lalapanel-agent.service.d; mkdir -p $d; printf "[Unit]\nConditionPathExists=/nowhere\n" >$d/off.conf
        systemctl daemon-reload; systemctl stop lalapanel-agent; systemctl restart lalapanel-web'
    down_page
    web=$(on systemctl show -p MainPID --value lalapanel-web)
    sh_on 'rm -r /run/systemd/system/lalapanel-agent.service.d; systemctl daemon-reload; systemctl start lalapanel-agent'
    signs_in
    on systemctl stop lalapanel-agent
    down_page
    on systemctl start lalapanel-agent
    signs_in
    is "$(on systemctl show -p MainPID --value lalapanel-web)" "$web"
}
check "without the agent the browser is told so, and is served again once it is back" never_there

# The panel's certificate as a browser gets it.
fingerprint() { outside openssl s_client -connect "$address:8443" </dev/null 2>/dev/null | openssl x509 -noout -fingerprint -sha256; }
renewed() { # the same process shows the new certificate, and no other user may read its key
    local before web t
    before=$(fingerprint)
    matches "$before" Fingerprint
    web=$(on systemctl show -p MainPID --value lalapanel-web)
    t=$(mktemp -d)
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=renewed -keyout "$t/panel.key" -out "$t/panel.crt" 2>/dev/null
    "$here/host" push "$host" "$t" /root/renewed
    sh_on 'cd /root/renewed; chown root:lalapanel panel.key; chmod 640 panel.key; mv panel.key panel.crt /var/lib/lalapanel/panel/'
    shows_it() { is "$(fingerprint)" "$(openssl x509 -noout -fingerprint -sha256 -in "$t/panel.crt")"; }
    soon shows_it
    is "$(on systemctl show -p MainPID --value lalapanel-web)" "$web"
    not on setpriv --reuid=www-data --regid=www-data --clear-groups cat /var/lib/lalapanel/panel/panel.key
    not on setpriv --reuid=lalapanel --regid=lalapanel --clear-groups cat /var/lib/lalapanel/state.redb
    rm -r "$t"
}
check "a renewed panel certificate is used without a restart" renewed

drift() { # somebody edited an owned file: never overwritten in silence
    sh_on 'echo "# by hand" >>/etc/nginx/sites-available/first.example'
    panel site disable first.example >/dev/null 2>&1 || true
    panel site enable first.example >/dev/null 2>&1 || true
    matches "$(on cat /etc/nginx/sites-available/first.example)" "# by hand"
    doctor_names first.example
    sh_on 'sed -i "/# by hand/d" /etc/nginx/sites-available/first.example'
    panel site enable first.example
    soon answers first.example 200
}
check "an owned file that was edited by hand is not overwritten, and doctor names it" drift

clock() { # the clock cannot be set here; a file from the future is what a jump leaves behind
    sh_on 'touch -d "+3 days" /var/lib/lalapanel/state.redb /etc/nginx/sites-available/first.example; systemctl restart lalapanel-agent'
    soon panel site list
    panel site create clock.example
    answers clock.example 200
    panel site delete clock.example --yes --now
}
check "files from the future disturb nothing" clock

# A state file whose schema number is one the binary does not know.
newer() {
    local out code=0 before
    on systemctl stop lalapanel-agent.service
    on cp -a /var/lib/lalapanel/state.redb /root/state.redb
    gzip -dc "$here/../fixtures/state/schema-99.redb.gz" | sh_on 'cat >/var/lib/lalapanel/state.redb'
    before=$(on sha256sum /var/lib/lalapanel/state.redb)
    on systemctl start lalapanel-agent.service 2>/dev/null || true
    out=$(panel site list --json 2>/dev/null) || code=$?
    [ $code != 0 ]
    matches "$(jq -r .error.code <<<"$out") $(on journalctl -u lalapanel-agent -n 30 --no-pager 2>/dev/null)" 'state\.newer'
    is "$(on sha256sum /var/lib/lalapanel/state.redb)" "$before"
    answers first.example 200
    on systemctl stop lalapanel-agent.service 2>/dev/null || true
    sh_on 'cp -a /root/state.redb /var/lib/lalapanel/state.redb; systemctl reset-failed lalapanel-agent.service || true; systemctl start lalapanel-agent.service'
    soon panel site list
}
check "a state file from a newer version is left alone, and sites stay served" newer

small_www() { # /var/www on a small file system with few inodes
    sh_on 'systemctl stop lalapanel-agent lalapanel-web
        truncate -s 120M /root/small.img; mkfs.ext4 -q -m 0 -N 200 /root/small.img; mkdir -p /mnt/small; mount -o loop /root/small.img /mnt/small
        cp -a /var/www/. /mnt/small/; umount /mnt/small; mount -o loop /root/small.img /var/www
        systemctl start lalapanel-agent lalapanel-web'
    soon panel site list
}
check "the agent works with /var/www on a file system of its own" small_www
full_disk() { # no byte is left: refused before anything is begun
    local before
    sh_on 'dd if=/dev/zero of=/var/www/filler bs=64k status=none 2>/dev/null || true'
    refused 1 host.disk_full site create full.example
    answers first.example 200
    on rm /var/www/filler
}
check "a full disk refuses the create before it begins" full_disk
full_midway() { # bytes enough, but a file too many: found out in the middle
    local before free
    before=$(machine)
    for free in 0 2 4; do
        sh_on 'mkdir /var/www/inodes; i=0
            while touch /var/www/inodes/$((i += 1)) 2>/dev/null; do :; done
            for j in $(seq "$1"); do rm /var/www/inodes/$j; done' "$free"
        refused 1 host.disk_full site create full.example
        matches "$(panel_json '.operations[0].title + .operations[0].state' op list)" 'full.example.*undone'
        answers first.example 200
        on rm -r /var/www/inodes
        machine_is "$before"
    done
    panel site create full.example
    answers full.example 200
    panel site delete full.example --yes --now
    machine_is "$before"
}
check "a disk that is full in the middle of a create: all undone, and space makes it work" full_midway
big_again() {
    sh_on 'systemctl stop "lalapanel-php-*" lalapanel-agent nginx; umount -l /var/www; systemctl start nginx lalapanel-agent lalapanel-php-s1001.socket'
    soon panel site list
    soon answers first.example 200
}
check "the sites answer from the large disk again" big_again
full_state() { # the state folder's disk is full: refused, and the state survives
    sh_on 'systemctl stop lalapanel-agent lalapanel-web
        truncate -s 160M /root/state.img; mkfs.ext4 -q -m 0 /root/state.img; mkdir -p /mnt/state; mount -o loop /root/state.img /mnt/state
        cp -a /var/lib/lalapanel/. /mnt/state/; umount /mnt/state; mount -o loop /root/state.img /var/lib/lalapanel
        systemctl start lalapanel-agent lalapanel-web
        dd if=/dev/zero of=/var/lib/lalapanel/filler bs=64k status=none 2>/dev/null || true'
    local out code=0 i
    for i in $(seq 12); do # some pages of the file are free: the first ones may still fit
        out=$(panel site create "f$i.example" --json 2>/dev/null) || { code=$?; break; }
    done
    is $code 1
    is "$(jq -r .error.code <<<"$out")" host.disk_full
    answers first.example 200
    on rm /var/lib/lalapanel/filler
    on systemctl restart lalapanel-agent
    soon panel site list
    panel site create g.example
    answers g.example 200
}
check "a full disk under the state file loses nothing" full_state
