# Sites by the command line, seen from outside.
use_fresh "$suite-panel"
old=$(machine)

plan_changes_nothing() {
    matches "$(panel site create shop.example --plan)" "shop.example"
    panel site create shop.example --plan --json | jq -e . >/dev/null
    machine_is "$old"
}
check "site create --plan changes nothing" plan_changes_nothing

create() { panel site create shop.example --json | jq -e . >/dev/null; }
check "site create ends well" create
check "its default page answers from outside at once" answers shop.example 200
default_page() {
    local page
    page=$(visit shop.example /)
    matches "$page" "$(php_version)"
    lacks "$page" "/var/www|s[0-9]{4}|root@|DOCUMENT_ROOT"
}
check "the default page shows the PHP version and nothing secret" default_page

site_user=$(panel_json .user site show shop.example)
check "site show names its own user" matches "$site_user" '^s[0-9]{4}$'
as_site() { on setpriv --reuid="$site_user" --regid="$site_user" --init-groups env -C /var/www/shop.example "$@"; }

own_user() {
    sh_on 'printf %s "$1" >/root/who.php; setpriv --reuid="$2" --regid="$2" --init-groups sh -c "cat >/var/www/shop.example/htdocs/who.php" </root/who.php' "$who_php" "$site_user"
    is "$(visit shop.example /who.php)" "PHP $(on "php$(php_version)" -r 'echo PHP_VERSION;') as $site_user"
}
check "PHP runs as the site's own user" own_user

fields() {
    panel site show shop.example --json | jq -e '
        .hostname == "shop.example" and .type == "php" and .php == "'"$(php_version)"'" and .aliases == [] and .enabled == true
        and .document_root == "/var/www/shop.example/htdocs" and (.user | test("^s[0-9]{4}$"))
        and (.tls | has("state") and has("issuer") and has("not_after") and has("names"))
        and .databases == [] and (.created | test("^20[0-9-]+T[0-9:.]+Z$"))'
}
check "site show --json has the promised fields" fields
listed() { panel site list --json | jq -e '.sites | length == 1 and .[0].hostname == "shop.example"'; }
check "site list --json lists it" listed

sessions() { # its own session and upload folders, below its own tmp
    sh_on 'printf "<?php session_start(); echo session_save_path(), \" \", sys_get_temp_dir();" >/var/www/shop.example/htdocs/tmp.php'
    is "$(visit shop.example /tmp.php | tr ' ' '\n' | grep -vc '^/var/www/shop.example/tmp')" 0
}
check "sessions and uploads go to the site's own tmp" sessions

wakes() { # the master sleeps when nobody comes and wakes at the first visit
    local unit=lalapanel-php-$site_user.service
    on systemctl stop "$unit"
    check_state=$(on systemctl is-active "lalapanel-php-$site_user.socket")
    is "$check_state" active
    matches "$(visit shop.example /who.php)" "as $site_user"
}
check "a stopped PHP wakes up at the first visit" wakes

logs_written() { on grep -q who.php /var/log/lalapanel/shop.example/access.log; }
check "visits are in its access log" patiently logs_written

with_site=$(machine)
disable() {
    panel site disable shop.example
    soon not answers shop.example 200
    panel_json .enabled site show shop.example || is "$(panel site show shop.example --json | jq .enabled)" false
}
check "a disabled site is not served" disable
disable_twice() { panel site disable shop.example; }
check "disabling it again is nothing to do, exit 0" disable_twice
enable() { panel site enable shop.example; soon answers shop.example 200; same "$with_site" "$(machine)"; }
check "enabled again, the machine is what it was" enable

static_site() {
    panel site create static.example --type static --json | jq -e '.type == "static" or (.site.type == "static") or true' >/dev/null
    answers static.example 200
    sh_on 'echo "<?php echo 1+1;" >/var/www/static.example/htdocs/x.php'
    lacks "$(visit static.example /x.php)" "php echo|^2"
    is "$(panel_json .type site show static.example)" static
}
check "a static site is served and runs no PHP, nor shows its source" static_site
both_served() { answers shop.example 200; answers static.example 200; }
check "both sites are served beside each other" both_served

alias_site() {
    panel site create many.example --alias www.many.example --alias other.example
    answers many.example 200
    matches "$(status www.many.example /)" "200|301|308"
    panel site show many.example --json | jq -e '.aliases | length == 2'
}
check "aliases given at creation are served" alias_site
alias_taken() { refused 1 site.hostname_taken site create other.example; refused 1 site.hostname_taken site create new.example --alias shop.example; }
check "an alias is as taken as a name" alias_taken

reboot_keeps() { "$here/host" reboot "$host"; soon answers shop.example 200; matches "$(visit shop.example /who.php)" "as $site_user"; }
check "sites answer after a reboot" reboot_keeps

operations() {
    panel op list --json | jq -e 'type == "object" and ([.[] | arrays] | first | length > 3)' &&
        panel audit verify
}
check "operations are listed and the audit trail verifies" operations

delete_asks() { local code=0; on sh -c 'lalapanel site delete shop.example </dev/null' || code=$?; [ $code != 0 ]; answers shop.example 200; }
check "delete without --yes and without a terminal is refused" delete_asks
delete_all() {
    local name
    for name in shop.example static.example many.example; do panel site delete $name --yes --now; done
    soon not answers shop.example 200
    panel site list --json | jq -e '.sites == []'
    is "$(status shop.example /)" 000
    sh_on '! getent passwd "$1"; [ ! -e /var/www/shop.example ]; [ ! -e /etc/nginx/sites-enabled/shop.example ]' "$site_user"
    machine_is "$old"
}
check "after deleting all sites the machine is the one before" delete_all
again_same() { panel site create shop.example; answers shop.example 200; panel site delete shop.example --yes --now; machine_is "$old"; }
check "the same name can be created again" again_same
not_found() {
    refused 1 site.not_found site show shop.example
    refused 1 site.not_found site delete shop.example --yes --now
    refused 1 site.not_found site enable nobody.example
}
check "verbs on a site that is not there say so" not_found
