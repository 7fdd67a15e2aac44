# The trash: delete, names free for others, put back as it was, deleted for good.
# Runs on one suite.
use_fresh "$suite-panel"
panel site create first.example >/dev/null 2>&1
panel site delete first.example --yes --now >/dev/null 2>&1
empty=$(machine)
tree() { # every file below a directory with owner, mode and bytes
    on find "$1" -printf '%P %U:%G %m %y %l ' \( -type f -exec sha256sum {} \; -o -printf '\n' \) | sed "s# $1.*##" | sort
}

setup() {
    panel site create shop.example --alias www.shop.example
    user=$(panel_json .user site show shop.example)
    sh_on 'printf %s "$1" >/root/who.php; setpriv --reuid="$2" --regid="$2" --init-groups sh -c "cat >/var/www/shop.example/htdocs/who.php; mkdir /var/www/shop.example/htdocs/img; head -c 300000 /dev/urandom >/var/www/shop.example/htdocs/img/a.bin; ln -s a.bin /var/www/shop.example/htdocs/img/b.bin" </root/who.php' "$who_php" "$user"
    panel site set shop.example php.memory_limit=96M
    soon answers shop.example 200 /img/a.bin
    visit shop.example /marker-of-the-log
}
check "a site with files, an alias and a setting is there" setup
user=$(panel_json .user site show shop.example)
machine_with=$(machine)
tree_with=$(tree /var/www/shop.example)
bytes=$(visit shop.example /img/a.bin | sha256sum)

plan_changes_nothing() { panel site delete shop.example --plan; same "$machine_with" "$(machine)"; }
check "site delete --plan changes nothing" plan_changes_nothing
to_trash() {
    panel site delete shop.example --yes --json | jq -e '.hostname == "shop.example" and .trash.id == "'"$user"'" and .trash.days_left == 7'
    soon not answers shop.example 200
    is "$(status shop.example /img/a.bin)" 000
    panel site list --json | jq -e '.sites == []'
    panel site list --trash --json | jq -e '.trash | length == 1 and .[0].hostname == "shop.example" and (.[0].until | test("^20.*Z$"))'
    sh_on '! getent passwd "$1"; [ ! -e /var/www/shop.example ]; [ -z "$(pgrep -u "$2")" ]' "$user" "${user#s}"
}
check "a deleted site is offline, in the trash, and nothing of it runs" to_trash
closed() { is "$(on stat -c '%U %a' /var/www/.lalapanel-trash)" "root 700"; is "$(on stat -c '%U %a' /var/log/lalapanel/.trash)" "root 700"; }
check "the trash is closed to everybody but root" closed
named() { refused 1 site.not_found site show shop.example; matches "$(panel site enable shop.example 2>&1)" "in the trash"; }
check "verbs on it say where it is" named
kept() { sleep 65; on test -s "/var/www/.lalapanel-trash/$user/htdocs/img/a.bin"; }
check "the sweep leaves the trash alone" kept

reboot() { "$here/host" reboot "$host"; soon panel site list --trash; is "$(panel_json '.trash | length' site list --trash)" 1; }
check "it is there after a reboot" reboot
put_back() {
    panel site restore shop.example --json | jq -e '.hostname == "shop.example" and .user == "'"$user"'" and .enabled and .aliases == ["www.shop.example"] and (.settings["php.memory_limit"] | test("^96"))'
    same "$machine_with" "$(machine)"
    same "$tree_with" "$(tree /var/www/shop.example)"
    is "$(visit shop.example /img/a.bin | sha256sum)" "$bytes"
    matches "$(visit shop.example /who.php)" "as $user"
    on grep -q marker-of-the-log /var/log/lalapanel/shop.example/access.log
}
check "put back, it is the same site: user, bytes, logs, settings, machine" put_back

taken() {
    panel site delete shop.example --yes
    panel site create shop.example
    answers shop.example 200
    is "$(status shop.example /img/a.bin)" 404
    refused 1 site.hostname_taken site restore "$user"
    matches "$(panel site restore "$user" 2>&1)" "restore $user --as"
}
check "its names are free; taken meanwhile, putting back is refused and says how" taken
other_name() {
    panel site restore "$user" --as again.example
    is "$(visit again.example /img/a.bin | sha256sum)" "$bytes"
    matches "$(visit again.example /who.php)" "as $user"
    answers shop.example 200
}
check "under another name it is put back beside the new owner of the old one" other_name
number_taken() {
    panel site delete again.example --yes
    on useradd --no-create-home --uid "2${user#s}" guest
    refused 1 site.directory_exists site restore "$user"
    on userdel guest
    panel site restore "$user"
    answers again.example 200 /img/a.bin
}
check "a number that somebody else took is refused, and put back once it is free" number_taken
offline() {
    panel site disable again.example
    panel site delete again.example --yes
    panel site restore again.example
    is "$(panel site show again.example --json | jq .enabled)" false
    panel site enable again.example
    answers again.example 200 /img/a.bin
}
check "what was offline comes back offline, and goes online" offline

for_good() {
    panel site delete again.example --yes
    refused 1 site.confirmation site delete "$user" --yes
    panel site delete "$user" --now --yes
    panel site list --trash --json | jq -e '.trash == []'
    panel site delete shop.example --now --yes
    panel site list --trash --json | jq -e '.trash == []'
    refused 1 site.not_found site restore "$user"
    gone() { sh_on '[ ! -e /var/www/.lalapanel-deleted ]; [ ! -e /var/www/.lalapanel-trash ]'; }
    soon gone
    machine_is "$empty"
}
check "deleted for good, nothing is left" for_good
purge() {
    panel site create last.example
    panel site delete last.example --yes
    panel uninstall --purge --yes
    is "$(on find /var/www /var/log -iname '*lalapanel*' -not -path '*/e2e-mirror/*')" ""
}
check "uninstall --purge empties the trash" purge
