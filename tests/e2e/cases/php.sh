# PHP versions: listed, installed and removed with apt, switched under a site while visitors come.
# The second version is bookworm's 8.2 on trixie; bookworm has no second one (repo php).
# shellcheck disable=SC2154 # $suite, $address and $host come from checks.sh
use_fresh "$suite-panel"
own=$(php_version)

lists() {
    panel php list --json | jq -e --arg v "$own" '
        (.php == [$v]) and (.versions[] | select(.version == $v)
            | .installed and .available and .origin == "Debian" and (.distribution.words | test("^supported by Debian"))
              and (.upstream.words | test("php.net")) and .sites == [])
        and (.repository | (.enabled | not) and .possible and (.explanation | length > 2))'
    matches "$(panel php list)" "supported by Debian.* until"
}
check "php list says what is here and how long it is supported" lists
extensions() {
    panel php list --json | jq -e --arg v "$own" '.versions[] | select(.version == $v) | .extensions
        | (.installed | index("mysql") and index("xml")) and (.available | index("redis") or index("gmp"))
          and ((.installed - .available) == .installed)'
    matches "$(panel php list)" "PHP $own has .*mysql"
    is "$(panel_json ".versions[] | select(.version == \"$own\") | .extensions.installed[]" php list | while read -r one; do
        on dpkg-query -W -f '${db:Status-Status}\n' "php$own-$one" </dev/null; done | sort -u)" installed
}
check "it names the common extensions that are here, and those that apt could add" extensions
unknown() { refused 1 php.unavailable php install 7.3; refused 1 php.not_installed php remove 7.3; }
check "a version that apt does not know is refused" unknown
repository_away() { # (no way out of these hosts: fetching fails, and all of it is taken back)
    local before after out
    before=$(machine)
    ! out=$(panel php repository enable --json 2>/dev/null) || return 1
    matches "$(jq -r .error.code <<<"$out")" "install.(apt_lists|name_resolution)"
    after=$(machine)
    same "$before" "$after"
    panel php repository status --json | jq -e '.enabled | not'
}
check "an extra repository that cannot be fetched is taken back" repository_away
repository_told() { matches "$(panel php repository enable --plan)" "telemetry.sury.org.*15058500A0235D97F5D10063B188E2B695BD4743|15058500A0235D97F5D10063B188E2B695BD4743"; }
check "its plan says who signs it" repository_told

panel site create ext.example >&2
sh_on 'echo "<?php echo extension_loaded(\"bcmath\") ? \"has it\" : \"has it not\";" >/var/www/ext.example/htdocs/index.php'
extension_is() { is "$(visit ext.example /)" "$1"; }
extension_plan() {
    matches "$(panel php extension remove "$own" bcmath --plan)" "Remove the extension bcmath of PHP $own.*ext.example"
    panel php extension list "$own" --json | jq -e '(.installed | index("bcmath")) and (.available | index("bcmath") | not)'
    extension_is "has it"
}
check "the plan of an extension says whose PHP is reloaded and changes nothing" extension_plan
extension_changes() { # extension_changes VERB WHAT-THE-SITE-SAYS-THEN
    local load=$logs/$suite.php-extension-$1.json
    rm -f "$load.end"
    outside "$here/load.py" "$address" ext.example / 1000 4 "$load.end" >"$load" &
    local pid=$!
    sleep 1
    panel php extension "$1" "$own" bcmath
    patiently extension_is "$2"
    touch "$load.end"
    wait $pid
    cat "$load"
    jq -e '.failed == 0' "$load"
    is "$(on systemctl list-units --all --plain --no-legend 'lalapanel-php-*-trial*' | grep -c running)" 0
}
extension_goes() {
    extension_changes remove "has it not"
    panel php extension list "$own" --json | jq -e '(.available | index("bcmath")) and (.installed | index("bcmath") | not)'
    matches "$(panel php extension install "$own" bcmath --plan)" "apt would add 1 package: php$own-bcmath"
}
check "one is removed while requests come: none fails, and the site has it not" extension_goes
extension_comes() { extension_changes install "has it"; }
check "and it is installed again, under the same load" extension_comes
extension_needed() {
    [ "$own" = 8.5 ] || refused 1 php.in_use php extension remove "$own" opcache
    panel site create wp.example --type wordpress
    refused 1 php.in_use php extension remove "$own" mysql
    matches "$(panel php extension remove "$own" mysql 2>&1)" "wp.example"
    panel site delete wp.example --now --yes
}
check "what the version itself or a WordPress site needs stays" extension_needed
panel site delete ext.example --now --yes >&2

if [ "$suite" = trixie ]; then
    "$here/repo" php >&2
    sh_on 'cp /var/lib/e2e-mirror/php/php.sources /etc/apt/sources.list.d/ && apt-get -qq update'
    available() {
        panel php list --json | jq -e '.versions[] | select(.version == "8.2")
            | (.installed | not) and .available and .origin == "e2e-php" and .distribution == null'
    }
    check "a version of another repository is listed with its maker" available
    plan_only() { matches "$(panel php install 8.2 --plan)" "apt would add [0-9]+ packages: .*php8.2-fpm"; on test ! -e /usr/sbin/php-fpm8.2; }
    check "its plan names the packages and changes nothing" plan_only
    locked_apt() { # as the automatic upgrades do: apt's lock is held for some seconds
        local held
        # (struct flock of x86-64)
        put /root/hold.pl <<'PERL'
use Fcntl;
open(my $f, ">>", "/var/lib/dpkg/lock-frontend") or die $!;
my $lock = pack("ssx4qqix4", F_WRLCK, 0, 0, 0, 0);
fcntl($f, F_SETLK, $lock) or die $!;
sleep 12;
PERL
        on systemd-run --quiet perl /root/hold.pl
        sleep 1
        panel php install 8.2 2>/tmp/php-install.$$ || { cat /tmp/php-install.$$; return 1; }
        held=$(cat /tmp/php-install.$$); rm -f /tmp/php-install.$$
        echo "$held"
        matches "$held" "waited [0-9]+ s for process [0-9]+"
    }
    check "installed while another program holds apt's lock: it waits and says for whom" locked_apt
    beside() {
        is "$(panel php list --json | jq -c .php)" '["8.4","8.2"]'
        on test ! -e /usr/sbin/apache2
        is "$(on systemctl is-enabled php8.2-fpm 2>/dev/null)" masked
    }
    check "it stands beside the other, without Apache, its own service masked" beside

    panel site create shop.example --php 8.4 >&2
    sh_on 'cd /var/www/shop.example/htdocs
        echo "<?php echo PHP_MAJOR_VERSION.\".\".PHP_MINOR_VERSION;" >v.php
        echo "<?php sleep(4); echo PHP_MAJOR_VERSION.\".\".PHP_MINOR_VERSION;" >slow.php'
    before=$(machine)
    switch_under_load() { # switch_under_load OLD NEW
        local load=$logs/$suite.php-load-$2.json slow=$logs/$suite.php-slow-$2.txt t
        rm -f "$load.end"
        outside "$here/load.py" "$address" shop.example /v.php 10000 8 "$load.end" >"$load" &
        local pid=$!
        visit shop.example /slow.php --max-time 20 >"$slow" &
        local slow_pid=$!
        sleep 1
        t=$(now)
        panel site php shop.example "$2"
        echo "the switch took $(since "$t") s"
        sleep 0.5
        touch "$load.end"
        wait $pid $slow_pid
        cat "$load"
        printf '      %s: switch %s to %s: %s\n' "$suite" "$1" "$2" "$(jq -c 'del(.failures)' "$load")" >&2
        jq -e --arg old "$1" --arg new "$2" '.failed == 0 and .requests >= 10000 and (.bodies | keys == ([$old, $new] | sort))' "$load"
        is "$(cat "$slow")" "$1"
        is "$(visit shop.example /v.php)" "$2"
        is "$(panel_json .php site show shop.example)" "$2"
    }
    check "switched while 10000 requests come: none fails, and one that runs ends on the old version" switch_under_load 8.4 8.2
    check "and back again" switch_under_load 8.2 8.4
    unchanged() { machine_is "$before"; }
    check "switched there and back, the machine is what it was" unchanged

    worse() {
        sh_on 'echo "<?php if (PHP_VERSION_ID < 80400) { array_find([], 1); } echo \"fine\";" >/var/www/shop.example/htdocs/index.php'
        local out code=0
        out=$(panel site php shop.example 8.2 --json 2>/dev/null) || code=$?
        echo "$out"
        is $code 1
        is "$(jq -r .error.code <<<"$out")" php.worse
        matches "$(jq -r .error.title <<<"$out")" 'stays on PHP 8.4. With 8.2 the home page answered 500: .*array_find.* in index.php, line 1'
        is "$(visit shop.example /v.php)" 8.4
        same "$before" "$(machine | sed 's/^\(.*index.php\)$/\1/')" || same "$(panel_json .php site show shop.example)" 8.4
    }
    check "a home page that breaks on the other version keeps the old one, and says where" worse
    broken() { # (as an extension would: the other version's FPM dies at its start)
        sh_on 'echo "<?php echo \"fine\";" >/var/www/shop.example/htdocs/index.php
            echo "opcache.preload=/nonexistent/preload.php" >/etc/php/8.2/fpm/conf.d/99-broken.ini'
        local out code=0 load=$logs/$suite.php-load-broken.json
        outside "$here/load.py" "$address" shop.example /v.php 3000 4 >"$load" &
        out=$(panel site php shop.example 8.2 --json 2>/dev/null) || code=$?
        wait $!
        echo "$out"
        cat "$load"
        is $code 1
        is "$(jq -r .error.code <<<"$out")" php.silent
        jq -e '.failed == 0 and (.bodies | keys == ["8.4"])' "$load"
        is "$(on sh -c 'ls /etc/systemd/system | grep -cE "trial|next"')" 0
        sh_on 'rm /etc/php/8.2/fpm/conf.d/99-broken.ini'
    }
    check "a version whose FPM does not start keeps the old one, and nobody notices" broken

    in_use() {
        panel site php shop.example 8.2
        refused 1 php.in_use php remove 8.2
        matches "$(panel php remove 8.2 2>&1)" "shop.example"
        panel site php shop.example 8.4
    }
    check "a version that a site uses is not removed, and the site is named" in_use
    removes() {
        panel php remove 8.2
        on test ! -e /usr/sbin/php-fpm8.2
        is "$(panel php list --json | jq -c .php)" '["8.4"]'
        answers shop.example 200
    }
    check "once no site uses it, it is removed" removes
fi
