# Another name for a site: what goes along, what the old name does, and what a crash leaves.
# Runs on one suite.
# shellcheck disable=SC2154 # $suite, $address and $host come from checks.sh
use_fresh "$suite-panel"
tree() { # every file below a directory with owner, mode and bytes
    on find "$1" -printf '%P %U:%G %m %y %l ' \( -type f -exec sha256sum {} \; -o -printf '\n' \) | sed "s# $1.*##" | sort
}
as_site() { sh_on 'u=$1; shift; exec setpriv --reuid="$u" --regid="$u" --init-groups sh -c "$1"' "$1" "$2"; }

setup() {
    panel site create shop.example --www redirect
    user=$(panel_json .user site show shop.example)
    sh_on 'printf %s "$1" | setpriv --reuid="$2" --regid="$2" --init-groups tee /var/www/shop.example/htdocs/who.php >/dev/null' "$who_php" "$user"
    as_site "$user" 'mkdir /var/www/shop.example/htdocs/img; head -c 300000 /dev/urandom >/var/www/shop.example/htdocs/img/a.bin'
    panel site set shop.example php.memory_limit=96M
    soon answers shop.example 200 /img/a.bin
    visit shop.example /line-of-before
}
check "a site with files, a second name and a setting is there" setup
user=$(panel_json .user site show shop.example)
machine_before=$(machine)
tree_before=$(tree /var/www/shop.example)

plan_changes_nothing() { matches "$(panel site rename shop.example new.example --plan)" "503"; same "$machine_before" "$(machine)"; }
check "site rename --plan says what visitors meet and changes nothing" plan_changes_nothing
taken() {
    panel site create other.example --type static --alias alias.example
    refused 1 site.hostname_taken site rename shop.example alias.example
    refused 1 site.hostname_reserved site rename shop.example "$panel_name"
    on mkdir /var/www/full.example
    refused 1 site.directory_exists site rename shop.example full.example
    on rmdir /var/www/full.example
    panel site delete other.example --yes --now
    machine_is "$machine_before"
}
check "a name of somebody else is refused" taken

under_load() {
    local load worst
    outside python3 "$here/load.py" "$address" shop.example /who.php 20 2 /tmp/rename-over."$suite" >/tmp/rename-load."$suite" &
    load=$!
    rm -f /tmp/rename-over."$suite"
    sleep 1
    panel site rename shop.example new.example --json | jq -e '.hostname == "new.example" and .user == "'"$user"'" and (.redirected_names | sort) == ["shop.example", "www.new.example", "www.shop.example"]' ||
        { touch /tmp/rename-over."$suite"; wait $load; return 1; } # else it goes on into the next try
    sleep 1
    touch /tmp/rename-over."$suite"
    wait $load
    cat /tmp/rename-load."$suite"
    # Before: the page; while it moves: 503 and nothing else; after: sent to the new name.
    worst=$(jq -r '.failures | keys[]' /tmp/rename-load."$suite" | grep -vE '^HTTP/1.1 (503|301)' || true)
    is "$worst" ""
    jq -e '.failures | keys | map(select(startswith("HTTP/1.1 301"))) | length == 1' /tmp/rename-load."$suite"
}
check "renamed under load, visitors get the page, 503, or the way to the new name, and nothing else" under_load
follows() {
    same "$tree_before" "$(tree /var/www/new.example)"
    matches "$(visit new.example /who.php)" "as $user"
    is "$(visit shop.example /img/a.bin -o /dev/null -w '%{http_code} %{redirect_url}')" "301 http://new.example/img/a.bin"
    is "$(status www.new.example /)" 301
    on grep -q line-of-before /var/log/lalapanel/new.example/access.log
    visit new.example /line-of-after
    patiently on grep -q line-of-after /var/log/lalapanel/new.example/access.log
    is "$(on getent passwd "$user" | cut -d: -f6)" /var/www/new.example
    is "$(sh_on 'ls -d /var/www/shop.example /var/log/lalapanel/shop.example /etc/nginx/*/shop.example 2>/dev/null || true')" ""
    is "$(sh_on 'grep -rlE "(www|lalapanel)/shop.example" /etc --exclude=*- || true')" ""
    matches "$(panel site set new.example)" "96"
    panel site show new.example --json | jq -e '.operations[] | select(.title == "Create shop.example")'
    panel doctor --json | jq -e '[.findings[]? | select(.title // "" | test("shop.example"))] == []'
}
check "files, bytes, user, home, logs, settings and history are those of before" follows
reboot() { "$here/host" reboot "$host"; soon answers new.example 200 /who.php; matches "$(visit new.example /who.php)" "as $user"; }
[ "$suite" = bookworm ] || check "it answers after a reboot" reboot # (there the power goes below)
and_back() {
    panel site rename new.example shop.example --old drop
    is "$(status new.example /)" 000
    same "$tree_before" "$(tree /var/www/shop.example)"
    machine_is "$machine_before"
}
check "renamed back and the other name given up, it is the machine of before" and_back
offline() {
    panel site disable shop.example
    panel site rename shop.example away.example --old alias
    is "$(status away.example /)" 000
    panel site enable away.example
    soon answers away.example 200 /who.php
    soon answers shop.example 200 /who.php
    panel site rename away.example shop.example --old drop
    answers shop.example 200 /who.php
}
check "what is offline is renamed offline; the old name can stay an alias" offline
worse() { # a directory in the way appears while the plan runs: everything goes back
    local before
    before=$(machine)
    sh_on 'printf "#!/bin/sh\nexit 1\n" >/usr/local/sbin/usermod-broken; chmod 755 /usr/local/sbin/usermod-broken
        mount --bind /usr/local/sbin/usermod-broken /usr/sbin/usermod'
    ! panel site rename shop.example new.example || return 1
    sh_on 'umount /usr/sbin/usermod; rm /usr/local/sbin/usermod-broken'
    machine_is "$before"
    answers shop.example 200 /who.php
}
check "where a step fails, the old machine is back and answers" worse

# Crash points: each seventeenth journal event, killed on one suite, without power on the other.
push_cutpoint
ready() { panel site list >/dev/null 2>&1; }
from=$(machine)
on lalapanel site rename shop.example new.example --old drop >/dev/null 2>&1
to=$(machine)
on lalapanel site rename new.example shop.example --old drop >/dev/null 2>&1
back() { on lalapanel site rename new.example shop.example --old drop; }
check "killed or without power in the middle: the old or the new machine" points 17 back lalapanel site rename shop.example new.example --old drop
