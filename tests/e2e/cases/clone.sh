# A clone of a site: what it brings along, what it leaves out, whose rights it is made with, and what a crash leaves.
# shellcheck disable=SC2154 # $suite, $address and $host come from checks.sh
use_fresh "$suite-panel"
# Every thing below a directory with the bits of its user, its kind, its link and its bytes.
tree() { on sh -c 'cd "$1" && find . -mindepth 1 ! -type d ! -type p ! -type s -printf "%P %y %l " \( -type f -exec sha256sum {} \; -o -printf "\n" \) | sed "s# \./.*##" | sort' sh "$1"; }
stamps() { on find "$1" -printf '%P %U:%G %m %y %l %T@ %s\n' | sort; }
as_site() { sh_on 'u=$1; shift; exec setpriv --reuid="$u" --regid="$u" --init-groups sh -c "$1"' "$1" "$2"; }
files=/var/www/shop.example/htdocs
copy=/var/www/copy.example/htdocs

setup() {
    panel site create shop.example --alias alias.example --tls auto
    user=$(panel_json .user site show shop.example)
    panel site set shop.example php.memory_limit=96M
    sh_on 'printf %s "$1" | setpriv --reuid="$2" --regid="$2" --init-groups tee "$3/who.php" >/dev/null' "$who_php" "$user" "$files"
    as_site "$user" "cd $files; mkdir -p img/deep; head -c 300000 /dev/urandom >img/deep/a.bin; truncate -s 80M big.bin; printf end >>big.bin
        ln -s img/deep/a.bin inside; ln img/deep/a.bin second-name; printf x >'a name
of two lines'; printf secret >config.php; chmod 600 config.php; chmod 6755 img/deep/a.bin"
    patiently answers shop.example 200 /who.php
}
check "a site with files of many kinds is there" setup
user=$(panel_json .user site show shop.example)
tree_before=$(tree "$files")

left_out() {
    as_site "$user" "cd $files; ln -s /etc/shadow out; ln -s ../../other img/up; mkfifo pipe"
    sh_on 'cd "$1"; install -m 600 /etc/shadow roots; mkdir -m 700 closed; cp /etc/hostname closed/x' "$files"
    machine_before=$(machine)
    plan=$(panel site clone shop.example copy.example --plan)
    matches "$plan" "85 MB in"
    matches "$plan" "5 in all, among them closed, img/up, out"
    matches "$plan" "look there for shop.example"
    same "$machine_before" "$(machine)"
}
check "site clone --plan tells how much it is and what is left out, and changes nothing" left_out
machine_before=$(machine)
stamps_before=$(stamps "$files")

taken() {
    refused 1 site.hostname_taken site clone shop.example shop.example
    refused 1 site.hostname_taken site clone shop.example alias.example
    refused 1 site.hostname_reserved site clone shop.example "$panel_name"
    refused 1 site.not_found site clone nobody.example copy.example
    on truncate -s 3T "$files/huge"
    is "$(panel site clone shop.example copy.example --json 2>/dev/null | jq -r .error.code || true)" host.disk_full
    matches "$(panel site clone shop.example copy.example --plan 2>&1 || true)" "will not fit: they are 3.[34] TB"
    on rm "$files/huge"
    same "$machine_before" "$(machine)"
}
check "a name of somebody else is refused, and what will not fit with its numbers" taken
stamps_before=$(stamps "$files")

clones() {
    panel site clone shop.example copy.example --json >"$logs/$suite.clone.made"
    jq -e '.hostname == "copy.example" and .user != "'"$user"'" and .enabled and .aliases == [] and (.notes | length >= 2)' "$logs/$suite.clone.made"
    panel_json .steps op show "$(jq -r .operation "$logs/$suite.clone.made")" | jq -e '.[] | select(.note // "" | test("files and directories"))'
}
check "site clone makes another site with a user of its own and says how much was copied" clones
new=$(panel_json .user site show copy.example)
follows() {
    same "$tree_before" "$(tree $copy)"
    same "$stamps_before" "$(stamps "$files")"
    is "$(on find $copy ! -user "$new" -o -perm /6000 ! -type d)" ""
    is "$(on stat -c '%a %G' $copy/config.php $copy/img)" "$(printf '600 www-data\n2750 www-data')"
    patiently answers copy.example 200 /who.php
    matches "$(visit copy.example /who.php)" "as $new"
    matches "$(visit shop.example /who.php)" "as $user"
    is "$(visit copy.example /img/deep/a.bin | sha256sum)" "$(visit shop.example /img/deep/a.bin | sha256sum)"
    matches "$(panel site set copy.example)" "96"
    is "$(outside curl -sk --max-time 5 --resolve "copy.example:443:$address" https://copy.example/who.php -o /dev/null -w '%{http_code}')" 200
}
check "files, bytes and settings are those of the original, which is untouched; owners are the new user alone" follows
apart() {
    local out
    for out in out img/up pipe roots closed; do is "$(sh_on 'ls -d "$1" 2>/dev/null || true' "$copy/$out")" ""; done
    ! as_site "$new" "cat $files/config.php" || return 1
    ! as_site "$user" "cat $copy/config.php" || return 1
    ! as_site "$user" "touch $copy/x" || return 1
}
check "what leads out, what only root can read and what is no file is not in it; neither site reads the other" apart
swapped() { # directories that become links while they are copied lead nowhere
    local n
    panel site delete copy.example --yes --now
    as_site "$user" "cd $files; mkdir swap; for i in \$(seq 300); do echo \$i >swap/\$i; done
        (while [ ! -e stop ]; do mv swap real; ln -s /etc swap; rm swap; mv real swap; done) >/dev/null 2>&1 </dev/null &"
    for n in 1 2 3; do
        panel site clone shop.example "copy$n.example" || return 1
        is "$(sh_on 'cd "$1"; find swap/ -name passwd -o -name hostname 2>/dev/null || true' "/var/www/copy$n.example/htdocs")" ""
        panel site delete "copy$n.example" --yes --now
    done
    as_site "$user" "cd $files; touch stop; sleep 1; rm -rf swap real stop"
    machine_is "$machine_before"
}
check "a directory that is swapped for a link while it is copied leads nowhere" swapped

wordpress() {
    panel site create wp.example --type wordpress --database >/dev/null
    local wp
    wp=$(panel_json .user site show wp.example)
    as_site "$wp" "printf '<?php echo 1;' >/var/www/wp.example/htdocs/index.php; printf '<?php // the database of wp.example' >/var/www/wp.example/htdocs/wp-config.php"
    matches "$(panel site clone wp.example wpcopy.example)" "wp_example is not copied.*made offline"
    is "$(status wpcopy.example /)" 000
    is "$(panel_json .enabled site show wpcopy.example || true)" false
    panel site enable wpcopy.example
    patiently answers wpcopy.example 200
    panel site delete wpcopy.example --yes --now
    panel site delete wp.example --yes --now
}
check "a clone of WordPress does not touch the original's data: it is made offline, and says why" wordpress
sql() { on mariadb -N -B -e "$1"; }
sums() { sql "CHECKSUM TABLE $1.wp_options, $1.wp_posts, $1.wp_users" | sed "s/^$1\.//"; }
with_databases() { # a real WordPress, with an address of its own in its options
    local before hash password
    "$here/host" push "$host" "$("$here/wordpress" "$suite")" /root/wordpress.tar.gz
    panel site create wp.example --type wordpress --install --archive /root/wordpress.tar.gz --admin-email mara@wp.example --admin-name mara >/dev/null
    sql "CREATE VIEW wp_example.sold AS SELECT 1 AS x"
    refused 1 database.unloaded site clone wp.example wpcopy.example --databases
    sql "DROP VIEW wp_example.sold; UPDATE wp_example.wp_options SET option_value = 'http://wp.example' WHERE option_name IN ('siteurl', 'home')"
    on sed -i "/WP_HOME\|WP_SITEURL/d" /var/www/wp.example/htdocs/wp-config.php # so that the rows count
    patiently answers wp.example 200
    before=$(sums wp_example) hash=$(sql "SELECT Priv FROM mysql.global_priv WHERE User = 'wp_example'")
    matches "$(panel site clone wp.example wpcopy.example --databases --plan)" "Copy what is in the database wp_example into wpcopy_example: 12 tables"
    panel site clone wp.example wpcopy.example --databases --json | jq -e '.enabled and .databases == ["wpcopy_example"]'
    is "$(sums wp_example)" "$before"
    is "$(sql "SELECT Priv FROM mysql.global_priv WHERE User = 'wp_example'")" "$hash"
    is "$(sums wpcopy_example | sed 1d)" "$(sed 1d <<<"$before")"
    is "$(sql "SELECT option_value FROM wpcopy_example.wp_options WHERE option_name IN ('siteurl', 'home')" | sort -u)" http://wpcopy.example
    is "$(sql "SELECT COUNT(*) FROM mysql.global_priv WHERE User LIKE 'lalapanel-%'")" 0
    is "$(sql "SELECT Db FROM mysql.db WHERE User = 'wpcopy_example'")" 'wpcopy\\_example'
    password=$(on sh -c "grep \"'DB_PASSWORD'\" /var/www/wpcopy.example/htdocs/wp-config.php | cut -d\\' -f4")
    is "$(sh_on 'MYSQL_PWD="$1" mariadb -N -B -u wpcopy_example wpcopy_example -e "SELECT COUNT(*) FROM wp_posts WHERE post_name = \"hello-world\""' "$password")" 1
    ! sh_on 'MYSQL_PWD="$1" mariadb -u wpcopy_example wp_example -e "SELECT 1" 2>/dev/null' "$password" || return 1
}
check "site clone --databases gives a WordPress a database of its own, and the original's is as it was" with_databases
apart_in_data() {
    patiently answers wpcopy.example 200
    matches "$(visit wpcopy.example /)" 'http://wpcopy\.example'
    lacks "$(visit wpcopy.example /)" 'href=.http://wp\.example/'
    matches "$(visit wp.example /)" 'http://wp\.example'
    as_site "$(panel_json .user site show wpcopy.example)" 'cd /var/www/wpcopy.example/htdocs
        printf "%s" "<?php require \"wp-load.php\"; wp_insert_post([\"post_title\" => \"Only in the clone\", \"post_name\" => \"only\", \"post_status\" => \"publish\"]);" >post.php'
    visit wpcopy.example /post.php >/dev/null
    soon matches_page wpcopy.example 'Only in the clone'
    lacks "$(visit wp.example /)" 'Only in the clone'
    is "$(sql "SELECT COUNT(*) FROM wp_example.wp_posts WHERE post_name = 'only'")" 0
    is "$(sql "SELECT COUNT(*) FROM wpcopy_example.wp_posts WHERE post_name = 'only'")" 1
}
matches_page() { matches "$(visit "$1" /)" "$2" >/dev/null 2>&1; }
check "each WordPress answers under its own name, and a post of the one is not in the other" apart_in_data
data_undone() { # in the middle of the rows: neither database, user nor file stays
    local held
    held=$(sql "SELECT User FROM mysql.global_priv ORDER BY 1; SHOW DATABASES")
    sh_on 'mv "$1" "$1.away"; printf "#!/bin/sh\n/usr/bin/mariadb-dump.away \"\$@\" | head -c 20000\n" >"$1"; chmod 755 "$1"' /usr/bin/mariadb-dump
    refused 1 database.unexported site clone wp.example third.example --databases
    on mv /usr/bin/mariadb-dump.away /usr/bin/mariadb-dump
    is "$(sql "SELECT User FROM mysql.global_priv ORDER BY 1; SHOW DATABASES")" "$held"
    is "$(sh_on 'ls -d /var/www/third.example 2>/dev/null || true')" ""
    answers wp.example 200
    panel site delete wpcopy.example --yes --now
    panel site delete wp.example --yes --now
    patiently gone_databases
}
gone_databases() { ! sql "SHOW DATABASES" | grep -q '^wp'; }
check "a dump that breaks off leaves nothing of the clone" data_undone
worse() { # its PHP does not start: everything goes back
    sh_on 'printf "#!/bin/sh\nexit 1\n" >/root/broken; chmod 755 /root/broken; mount --bind /root/broken "/usr/sbin/php-fpm$1"' "$(php_version)"
    ! panel site clone shop.example copy.example || return 1
    sh_on 'umount "/usr/sbin/php-fpm$1"; rm /root/broken' "$(php_version)"
    machine_is "$machine_before"
    answers shop.example 200 /who.php
}
check "where a step fails, the old machine is back and answers" worse
killed() { # in the middle of the files: no worker goes on
    on truncate -s 500M "$files/huge"
    on chown "$user" "$files/huge"
    machine_before=$(machine)
    sh_on 'agent=$(systemctl show -p MainPID --value lalapanel-agent)
        setsid lalapanel site clone shop.example copy.example >/dev/null 2>&1 </dev/null &
        for i in $(seq 3000); do [ ! -s "$1/huge" ] || break; sleep 0.01; done
        [ -s "$1/huge" ]
        kill -9 "$agent"
        for i in $(seq 100); do pgrep -f "[e]xe worker" || exit 0; sleep 0.1; done; exit 1' "$copy"
    patiently panel site list
    patiently machine_is "$machine_before"
    on rm "$files/huge"
}
check "killed while files are copied: no worker goes on, and the old machine is back" killed

# Crash points: each twentieth journal event, killed on one suite, without power on the other.
push_cutpoint
ready() { panel site list >/dev/null 2>&1; }
on rm "$files/big.bin"
from=$(machine)
on lalapanel site clone shop.example copy.example >/dev/null 2>&1
to=$(machine)
on lalapanel site delete copy.example --yes --now >/dev/null 2>&1
back() { on lalapanel site delete copy.example --yes --now; }
check "killed or without power in the middle: the old or the new machine" points 20 back lalapanel site clone shop.example copy.example
