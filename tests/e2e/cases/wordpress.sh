# WordPress to its first page, from an archive and from a mirror, with real PHP and MariaDB: nobody but the panel meets the installer.
use_fresh "$suite-panel"
on apt-get -qq -y install openssl python3 >/dev/null 2>&1
held() { on mariadb -N -B -e "SELECT CONCAT(User, '@', Host) FROM mysql.global_priv ORDER BY 1; SHOW DATABASES; SELECT Db, User FROM mysql.db ORDER BY 1, 2"; }
old=$(machine)
old_mariadb=$(held)
"$here/host" push "$host" "$("$here/wordpress" "$suite")" /root/wordpress.tar.gz
create() { panel site create "$1" --type wordpress --install --archive "${2:-/root/wordpress.tar.gz}" --admin-email mara@wp.example "${@:3}" --json; }
undone() { # undone CODE ARGUMENTS...: it ends with that error, and machine and MariaDB are as before
    local out
    out=$(create "${@:2}" 2>/dev/null) && return 1
    is "$(jq -r .error.code <<<"$out")" "$1"
    soon machine_is "$old"
    is "$(held)" "$old_mariadb"
}

checksums() {
    sh_on 'sha1sum </root/wordpress.tar.gz | cut -d" " -f1 >/root/wordpress.tar.gz.sha1; echo x | sha1sum >/root/wrong
        cp /root/wordpress.tar.gz /root/bad.tar.gz; cp /root/wrong /root/bad.tar.gz.sha1; head -c 100000 /root/wordpress.tar.gz >/root/cut.tar.gz
        mkdir -p /root/x/wordpress; ln -s /etc/passwd /root/x/wordpress/readme; tar -C /root/x -czf /root/link.tar.gz wordpress'
    undone wordpress.archive wp.example /root/bad.tar.gz
    undone wordpress.archive wp.example /root/wordpress.tar.gz --sha256 "$(printf '0%.0s' $(seq 64))"
    undone wordpress.archive wp.example /root/bad.tar.gz.sha1
    undone wordpress.archive wp.example /root/nothing
}
check "an archive that is not what its checksum says is refused, and nothing changes" checksums
hostile() {
    undone host.failed wp.example /root/cut.tar.gz
    undone host.failed wp.example /root/link.tar.gz
    on rm -rf /root/x /root/bad.tar.gz /root/bad.tar.gz.sha1 /root/cut.tar.gz /root/link.tar.gz /root/wrong
}
check "a damaged archive, or one with a link in it, is undone to the last file" hostile
stopped() {
    on systemctl stop mariadb
    local code
    code=$(create wp.example 2>/dev/null | jq -r .error.code || true)
    on systemctl start mariadb
    is "$code" mariadb.silent
    machine_is "$old"
}
check "while MariaDB is stopped nothing is begun" stopped

installs() {
    create wp.example /root/wordpress.tar.gz --title "Mara's <Shop> & more" --admin-name mara >"$logs/$suite.wordpress.made"
    jq -e '.type == "wordpress" and .databases == ["wp_example"] and .wordpress.admin == "mara" and (.wordpress.password | length == 32)
        and (.wordpress.archive_check | test("wordpress.tar.gz.sha1"))' "$logs/$suite.wordpress.made"
}
check "site create --install ends well and says what the archive was checked against" installs
password=$(jq -r .wordpress.password "$logs/$suite.wordpress.made")
site_user=$(panel_json .user site show wp.example)
home() {
    local page
    answers wp.example 200
    page=$(visit wp.example /)
    matches "$page" "<title>Mara(&#0?39;|&#8217;)s &lt;Shop&gt; &amp; more"
    matches "$page" "wp-content/themes/"
    lacks "$page" "Fatal error|Warning:|Deprecated:"
}
check "its home page is WordPress's own, with the title as it was typed" home
permalinks() { soon answers wp.example 200 "/$(date -u +%Y)/"; matches "$(visit wp.example '/?p=1' -o /dev/null -w '%{redirect_url}')" "/hello-world/"; }
check "its pages have addresses that people can read" permalinks
installer_says() { matches "$(visit wp.example /wp-admin/install.php)" "already installed|Already Installed"; }
installer_closed() {
    soon installer_says || { visit wp.example /wp-admin/install.php -D - | tail -n 30; return 1; }
    lacks "$(visit wp.example '/wp-admin/install.php?step=2' -d 'user_name=eve&weblog_title=x')" "Success"
}
check "the installer is closed to everybody" installer_closed
sign_in() { visit wp.example /wp-login.php -o /dev/null -w '%{http_code} %{redirect_url}' --data-urlencode "log=mara" --data-urlencode "pwd=$1" -d 'wp-submit=x&testcookie=1' -b 'wordpress_test_cookie=WP%20Cookie%20check'; }
signs_in() { matches "$(sign_in "$password")" "^302 .*/wp-admin/"; matches "$(sign_in wrong)" "^200 "; }
check "the administrator signs in with the password that was shown, and nobody without" signs_in
private() {
    is "$(on stat -c '%a %U' /var/www/wp.example/htdocs/wp-config.php)" "600 $site_user"
    is "$(status wp.example /wp-config.php)" "$(status wp.example /wp-config-none.php)" || is "$(visit wp.example /wp-config.php)" ""
    is "$(on find /var/www/wp.example/htdocs ! -user "$site_user" | wc -l)" 0
    is "$(on find /var/www/wp.example/htdocs -perm /o=rwx | wc -l)" 0
    is "$(on sh -c "grep -c '_KEY\|_SALT' /var/www/wp.example/htdocs/wp-config.php")" 8
    is "$(on sh -c "grep '_KEY\|_SALT' /var/www/wp.example/htdocs/wp-config.php | cut -d\\' -f4 | sort -u | wc -l")" 8
}
check "wp-config.php is the site's alone, with eight keys of its own" private
config=/var/www/wp.example/htdocs/wp-config.php
in_file() { on sh -c "grep \"'DB_PASSWORD'\" $config | head -n 1 | cut -d\\' -f4"; }
database_password=$(in_file)
known() { on mariadb -N -B -e "SELECT JSON_VALUE(Priv, '$.authentication_string') FROM mysql.global_priv WHERE User = 'wp_example'"; }
rotates() {
    local rest
    rest=$(on sh -c "grep -v \"'DB_PASSWORD'\" $config | sha256sum")
    matches "$(panel db password wp_example --edit-site --plan)" "write it into htdocs/wp-config.php as the site's user"
    is "$(in_file)" "$database_password"
    panel db password wp_example --edit-site --json | jq -e '.changed and (has("password") | not)'
    matches "$(in_file)" '^[a-z2-9]{32}$'
    [ "$(in_file)" != "$database_password" ]
    is "$(on sh -c "grep -v \"'DB_PASSWORD'\" $config | sha256sum")" "$rest"
    is "$(on stat -c '%a %U' $config)" "600 $site_user"
    is "$(sh_on 'MYSQL_PWD="$1" mariadb -N -B -u wp_example wp_example -e "SELECT COUNT(*) > 5 FROM wp_options"' "$(in_file)")" 1
    answers wp.example 200
    matches "$(visit wp.example /)" "wp-content/themes/"
    soon on test ! -e /var/www/wp.example/former
}
check "db password --edit-site changes the one literal in wp-config.php, and the site goes on" rotates
worse() { # a site that minds the change
    local out before hash
    sh_on 'cp -p "$1" /root/config && sed -i "/define(.*DB_PASSWORD/a if (md5(DB_PASSWORD) !== \"$(printf %s "$2" | md5sum | cut -d" " -f1)\") { http_response_code(500); exit(1); }" "$1"' "$config" "$(in_file)"
    soon answers wp.example 200
    before=$(on sha256sum $config) hash=$(known)
    out=$(panel db password wp_example --edit-site --json 2>/dev/null) && return 1
    is "$(jq -r .error.code <<<"$out")" site.unhealthy
    is "$(on sha256sum $config)" "$before"
    is "$(on stat -c '%a %U' $config)" "600 $site_user"
    is "$(known)" "$hash"
    soon answers wp.example 200
    soon on test ! -e /var/www/wp.example/former
    on mv /root/config $config
}
check "where the home page answers worse then, file and password are as before" worse
refused_file() { # refused_file WORDS
    local out
    out=$(panel db password wp_example --edit-site --json 2>/dev/null) && return 1
    is "$(jq -r .error.code <<<"$out")" database.site_file
    matches "$(jq -r .error.title <<<"$out")" "$1"
}
links() {
    local hash
    hash=$(known)
    sh_on 'mv "$1" /root/config; ln -s /etc/passwd "$1"' $config
    refused_file 'wp-config.php is a symbolic link'
    sh_on 'rm "$1"; cp /root/config "$1"; chmod 644 "$1"' $config
    refused_file 'wp-config.php is a file of another user'
    sh_on 'rm "$1"' $config
    refused_file 'no wp-config.php and no .env'
    on mv /root/config $config
    is "$(known)" "$hash"
    answers wp.example 200
}
check "a link, a file of another user and no file are refused" links
nowhere() {
    local word
    for word in "$password" "$database_password" "$(on sh -c "grep DB_PASSWORD /var/www/wp.example/htdocs/wp-config.php | cut -d\\' -f4")"; do
        [ -n "$word" ]
        sh_on '! grep -rqF -- "$1" /var/lib/lalapanel /etc/lalapanel /var/log 2>/dev/null
            ! journalctl --no-pager | grep -qF -- "$1"' "$word"
    done
    on sh -c '[ ! -e /var/lib/lalapanel/archives ]'
}
check "no password is in the state, the journal or a log, and no archive is left" nowhere

left_over() { # as a command that was killed leaves it
    sh_on 'mkdir -m 700 /var/lib/lalapanel/archives; echo x >/var/lib/lalapanel/archives/0123
        systemctl restart lalapanel-agent'
    soon on sh -c '[ ! -e /var/lib/lalapanel/archives ]'
}
check "an archive that a killed command left is gone once the agent starts" left_over

renamed() {
    panel site rename wp.example new.example
    soon answers new.example 200
    matches "$(visit new.example /)" "http://new.example/"
    lacks "$(visit new.example / | grep -o '<link[^>]*>')" "http://wp.example/"
    matches "$(visit wp.example / -o /dev/null -w '%{redirect_url}')" "^http://new.example/"
}
check "under another name it goes on" renamed

for_good() {
    panel site delete new.example --yes --now
    on rm -f /root/wordpress.tar.gz.sha1
    soon machine_is "$old"
    is "$(held)" "$old_mariadb"
}
check "deleted for good, no file, database or user is left" for_good

on mv /root/wordpress.tar.gz /root/archive.tar.gz
. "$here/mirror.sh"
with_mirror=$(machine)
fetch() { panel site create "$1" --type wordpress --install --admin-email mara@wp.example "${@:2}" --json; }
fails() { # fails CODE WORDS: fetching ends with that error, and nothing is left of it
    local out
    sleep 0.1
    out=$(fetch far.example 2>/dev/null) && return 1
    is "$(jq -r .error.code <<<"$out")" "$1"
    matches "$(jq -r '.error.title' <<<"$out")" "$2"
    [ "$1" != wordpress.unfetched ] || matches "$(jq -r .error.hint <<<"$out")" "$3"
    on sh -c '[ ! -e /var/lib/lalapanel/archives ]'
}
mode() { sh_on 'echo "$1" >/root/mirror/mode' "$1"; }
bad_mirrors() {
    mode wrong && fails wordpress.archive 'not the one its checksum is of' archive
    mode cut && fails wordpress.unfetched 'broke off before the archive was whole' '--archive FILE'
    mode large && fails wordpress.unfetched 'larger than 100 MB' 'archive_url'
    mode page && fails wordpress.unfetched 'is no .tar.gz' '--archive FILE'
    mode bare && fails wordpress.unfetched 'There is no checksum' '--archive FILE'
    mode elsewhere && fails wordpress.unfetched 'leads to another server' '--archive FILE'
    mode good
    soon machine_is "$with_mirror"
}
check "a mirror that lies, breaks off, sends too much or elsewhere is told in a sentence, and nothing is left" bad_mirrors
away() {
    on systemctl stop mirror
    fails wordpress.unfetched 'mirror.example:9443. cannot be reached' '--archive FILE'
    on cp /root/mirror/hosts /etc/hosts
    fails wordpress.unfetched 'mirror.example:9443. cannot be reached' '--archive FILE'
    sh_on 'echo "127.0.0.1 mirror.example" >>/etc/hosts
        systemd-run -q --unit=mirror python3 /root/mirror/mirror.py /root/mirror 9443'
    soon mirror_serves >/dev/null
}
check "with the mirror away, or unknown to DNS, the error names the other way" away
plan_first() {
    local out sum
    sum=$(on sha256sum /root/mirror/archive.tar.gz | cut -d' ' -f1)
    out=$(fetch far.example --plan)
    matches "$(jq -r '.notes[]' <<<"$out")" "WordPress [0-9.]+ was fetched from https://mirror.example:9443/latest.tar.gz .*SHA-1 is the one in latest.tar.gz.sha1 there.*$sum"
    matches "$(jq -r '.steps[].title' <<<"$out")" "Unpack WordPress [0-9]+[.]"
    is "$(on find /var/lib/lalapanel/archives ! -user root -o -perm /077)" ""
    is "$(on sh -c 'cd /var/lib/lalapanel/archives && ls | sort')" "$(printf '%s\nfetched.json' "$sum" | sort)"
}
check "the plan says which version is fetched, from where, and what it was compared with" plan_first
kept() {
    on systemctl stop mirror
    on systemctl restart lalapanel-agent
    soon panel status >/dev/null
    fetch far.example >"$logs/$suite.wordpress.fetched"
    jq -e '.databases == ["far_example"] and (.wordpress.archive_check | test("latest.tar.gz.sha1 there"))' "$logs/$suite.wordpress.fetched"
    soon answers far.example 200
    matches "$(visit far.example /)" "wp-content/themes/"
}
check "an archive that was fetched is used for a day, without the mirror and after a restart" kept
courier_saw_nothing() { lacks "$(on journalctl --no-pager -u lalapanel-courier -o cat)" 'panicked'; is "$(on sh -c 'journalctl --no-pager -k -g "lalapanel.*(segfault|oom)" -o cat || true' | grep -v 'No entries' || true)" ""; }
check "the process with a network did it without a fault" courier_saw_nothing
as_before() {
    panel site delete far.example --yes --now
    sh_on 'cp /root/mirror/config.toml /etc/lalapanel/config.toml; cp /root/mirror/hosts /etc/hosts
        rm -rf /root/mirror /etc/lalapanel/test-root.pem
        systemctl restart lalapanel-agent'
    soon panel status >/dev/null
    soon machine_is "$old"
    is "$(held)" "$old_mariadb"
}
check "with another address in the settings the archive goes, and all is as before" as_before
