# Databases of sites on the real MariaDB: made, shown once, kept apart, given another password, deleted.
use_fresh "$suite-panel"
sql() { on mariadb -N -B -e "$1"; }
held() { sql "SELECT CONCAT(User, '@', Host) FROM mysql.global_priv ORDER BY 1; SHOW DATABASES; SELECT Db, User FROM mysql.db ORDER BY 1, 2"; }
mariadb_is() { is "$(held)" "$1"; }
old=$(machine)
old_mariadb=$(held)

plan_only() {
    matches "$(panel db create shop_db --plan)" "GRANT ALL PRIVILEGES ON .shop..db..\* TO 'shop_db'@'localhost'"
    lacks "$(panel db create shop_db --plan --json)" '\*[0-9A-F]{40}'
    mariadb_is "$old_mariadb"
}
check "db create --plan shows the grant, no hash, and changes nothing" plan_only

create_with_site() {
    panel site create a.example --database --json >"$logs/$suite.database.a"
    jq -e '.databases == ["a_example"] and .database.name == "a_example" and .database.user == "a_example"
        and .database.host == "localhost" and (.database.password | test("^[a-z2-9]{32}$"))' "$logs/$suite.database.a"
    answers a.example 200
}
check "site create --database makes both and prints the password" create_with_site
password_a=$(jq -r .database.password "$logs/$suite.database.a")
create_alone() {
    panel site create b.example
    panel db create b_db --site b.example --json >"$logs/$suite.database.b"
    is "$(panel_json '.databases[0]' site show b.example)" b_db
    is "$(panel_json '.databases | map(.name) | join(" ")' db list)" "a_example b_db"
    is "$(panel_json .site db show b_db)" b.example
}
check "db create --site adds one to a site; list and show know it" create_alone
password_b=$(jq -r .password "$logs/$suite.database.b")

# A page that signs in as it is told and does what it is told.
sh_on 'for h in a b; do cat >/var/www/$h.example/htdocs/db.php <<"EOF"
<?php
mysqli_report(MYSQLI_REPORT_OFF);
$c = @mysqli_connect("localhost", $_POST["u"], $_POST["w"], $_POST["d"]);
if (!$c) { echo "no ", mysqli_connect_errno(); exit; }
$r = @mysqli_query($c, $_POST["q"]);
if ($r === false) { echo "no ", mysqli_errno($c); exit; }
echo "YES ", is_bool($r) ? "" : json_encode(mysqli_fetch_all($r));
EOF
done'
ask() { visit "$1" /db.php --data-urlencode "u=$2" --data-urlencode "w=$3" --data-urlencode "d=$4" --data-urlencode "q=$5"; }
as_a() { ask a.example a_example "$password_a" a_example "$1"; }
as_b() { ask b.example b_db "$password_b" "${2:-b_db}" "$1"; }
works() {
    is "$(as_a 'CREATE TABLE t (x VARCHAR(20))')" "YES "
    is "$(as_a "INSERT INTO t VALUES ('secret-of-a')")" "YES "
    is "$(as_a 'SELECT x FROM t')" 'YES [["secret-of-a"]]'
    is "$(as_b 'CREATE TABLE t (x INT)')" "YES "
    is "$(sql "SELECT DEFAULT_CHARACTER_SET_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = 'a_example'")" utf8mb4
}
check "a site's PHP uses its database" works
apart() {
    is "$(as_b 'SELECT 1' a_example)" "no 1044"
    is "$(as_b 'SELECT x FROM a_example.t')" "no 1142"
    is "$(as_b 'SELECT 1' bxdb)" "no 1044"
    is "$(as_b 'CREATE DATABASE bxdb')" "no 1044"
    is "$(ask b.example a_example wrong a_example 'SELECT 1')" "no 1045"
    is "$(ask b.example root '' mysql 'SELECT 1')" "no 1698"
    is "$(as_b 'SHOW DATABASES')" 'YES [["b_db"],["information_schema"]]'
}
check "a site reaches no database but its own" apart
powers() {
    matches "$(as_b "SELECT 1 INTO OUTFILE '/tmp/x'")" "^no (1045|1227)$" # 11.8 says the one, 10.11 the other
    is "$(as_b "SELECT LOAD_FILE('/etc/passwd')")" 'YES [[null]]'
    is "$(as_b "GRANT ALL ON b_db.* TO 'a_example'@'localhost'")" "no 1044"
    is "$(as_b "CREATE USER x@localhost")" "no 1227"
    is "$(as_b "SELECT User FROM mysql.global_priv")" "no 1142"
    is "$(sql "SHOW GRANTS FOR b_db@localhost" | tail -1)" 'GRANT ALL PRIVILEGES ON `b\\_db`.* TO `b_db`@`localhost`'
}
check "its user may do nothing beyond: no files, no users, no grants" powers

sized() { [ "$(panel_json '.databases[] | select(.name == "a_example") | .bytes >= 10000000' db list)" = true ]; }
inside() { # sizes are those of the files, right after a load; tables of both kinds; what was granted beside the panel
    sql "USE a_example; CREATE TABLE big ENGINE=InnoDB AS SELECT seq AS id, REPEAT(MD5(seq), 10) AS x FROM seq_1_to_40000;
        CREATE TABLE \`odd name\` (x INT) ENGINE=InnoDB; CREATE TABLE old (x INT) ENGINE=MyISAM; CREATE VIEW seen AS SELECT 1 AS x"
    panel db show a_example --json >"$logs/$suite.database.inside"
    jq -e '.mariadb == "answers" and .charset == "utf8mb4" and (.tables | map(.name)) == ["big", "odd name", "old", "seen", "t"]
        and (.tables[0] | .engine == "InnoDB" and .bytes >= 10000000 and .rows > 10000 and (.collation | startswith("utf8mb4")))
        and .tables[1].bytes > 0 and .tables[2].engine == "MyISAM" and .tables[3].kind == "view" and .tables[3].bytes == null
        and .grants_differ == []' "$logs/$suite.database.inside"
    is "$(jq .bytes "$logs/$suite.database.inside")" "$(sh_on 'cd /var/lib/mysql/a_example; stat -c %s ./*.ibd ./*.MYD ./*.MYI | awk "{ s += \$1 } END { print s }"')"
    matches "$(panel db show a_example)" "big +InnoDB +utf8mb4"
    sql "GRANT SELECT ON \`b%\`.* TO a_example@localhost; REVOKE ALL ON \`a\\_example\`.* FROM a_example@localhost"
    panel db show a_example --json | jq -e '.grants_differ[0] | .user == "a_example" and (.missing | length) == 1 and (.more | length) == 1 and (.more[0] | contains("GRANT SELECT ON b%"))'
    lacks "$(panel db show a_example)" '\*[0-9A-F]{40}'
    panel doctor --json | jq -r '.findings[] | select(.check == "databases" and .level == "warning") | .hint' >"$logs/$suite.database.hint"
    sql "GRANT SELECT (x), INSERT ON a_example.t TO a_example@localhost; GRANT FILE ON *.* TO a_example@localhost WITH GRANT OPTION
        MAX_USER_CONNECTIONS 3; CREATE ROLE boss; GRANT boss TO a_example@localhost; SET DEFAULT ROLE boss FOR a_example@localhost"
    panel db repair a_example --plan --json | jq -r '.steps[].command' >"$logs/$suite.database.repair"
    matches "$(cat "$logs/$suite.database.repair")" '^GRANT ALL PRIVILEGES ON `a.?_example`[.][*] TO .*REVOKE SELECT ON `b%`[.][*] FROM '
    matches "$(cat "$logs/$suite.database.repair")" 'REVOKE FILE ON [*][.][*] FROM '
    sh_on "$(sed 's/.*put right with `//; s/`.*//' "$logs/$suite.database.hint")" # what the doctor says puts it right
    sql "DROP ROLE boss"
    is "$(sql "SHOW GRANTS FOR a_example@localhost" | wc -l)" 2
    matches "$(panel db repair a_example --plan)" "Nothing would change"
    is "$(as_a 'SELECT x FROM t')" 'YES [["secret-of-a"]]'
    panel doctor --json | jq -e '[.findings[] | select(.check == "databases") | .level] == ["ok"]'
    is "$(panel_json '.grants_differ | length' db show a_example)" 0
    sql "USE a_example; DROP TABLE \`odd name\`, old; DROP VIEW seen"
}
check "db show tells sizes on disk, tables, engine and charset, and grants that somebody changed" inside

said() { is "$(panel "${@:2}" --json 2>/dev/null | jq -r .error.code || true)" "$1"; } # said CODE ARGUMENTS...
as_reader() { ask b.example reader "$reader" "${2:-b_db}" "$1"; }
further() { # one that reads: it changes nothing, sees nothing of a database whose name differs at `_`, and goes with its own
    local before
    before=$(held)
    panel db user add b_db reader --rights read-only --max-connections 2 --json >"$logs/$suite.database.reader"
    reader=$(jq -r .password "$logs/$suite.database.reader")
    sql "CREATE DATABASE bxdb; CREATE TABLE bxdb.t (x INT); INSERT INTO b_db.t VALUES (7)"
    is "$(as_reader 'SELECT x FROM t')" 'YES [["7"]]'
    is "$(as_reader 'INSERT INTO t VALUES (1)')" "no 1142"
    is "$(as_reader 'SELECT x FROM bxdb.t')" "no 1142"
    is "$(as_reader 'SELECT 1' bxdb)" "no 1044"
    is "$(as_reader 'SHOW DATABASES')" 'YES [["b_db"],["information_schema"]]'
    matches "$(sql "SHOW GRANTS FOR reader@localhost" | head -1)" "MAX_USER_CONNECTIONS 2$"
    is "$(sql "SHOW GRANTS FOR reader@localhost" | tail -1)" 'GRANT SELECT, SHOW VIEW ON `b\\_db`.* TO `reader`@`localhost`'
    is "$(panel_json '.users, [.access[] | "\(.user) \(.rights) \(.max_connections)"], .grants_differ | join(" ")' db show b_db | tr '\n' '|')" "b_db reader|b_db all 0 reader read-only 2||"
    said database.name_taken db user add b_db a_example
    said database.own_user db user remove b_db b_db
    panel db user set b_db reader --rights select,insert,create-view --max-connections 0
    is "$(as_reader 'INSERT INTO t VALUES (1)')" "YES "
    is "$(as_reader 'DELETE FROM t')" "no 1142"
    is "$(panel_json '.grants_differ | length' db show b_db)" 0
    panel db user set b_db reader --rights read-write
    is "$(as_reader 'DELETE FROM t')" "YES "
    is "$(panel_json '.grants_differ | length' db show b_db)" 0
    panel db user password b_db reader --json >"$logs/$suite.database.reader"
    is "$(as_reader 'SELECT 1')" "no 1045"
    reader=$(jq -r .password "$logs/$suite.database.reader")
    panel db delete b_db --yes
    is "$(as_reader 'SELECT 1')" "no 4151"
    panel db restore b_db
    is "$(as_reader 'SELECT 1')" 'YES [["1"]]'
    panel db user remove b_db reader
    matches "$(as_reader 'SELECT 1')" "^no (1045|1698)$" # nobody of that name: which of the two it says differs
    sql "DROP DATABASE bxdb"
    mariadb_is "$before"
}
check "a further user may do what was asked for, in this database alone, and goes with it" further

nowhere() {
    local word
    for word in "$password_a" "$password_b"; do
        sh_on '! grep -rqF -- "$1" /var/lib/lalapanel /etc/lalapanel /var/log 2>/dev/null
            ! journalctl --no-pager | grep -qF -- "$1"' "$word"
    done
}
check "no password is in the state, the journal or a log" nowhere

new_password() {
    panel db password b_db --json >"$logs/$suite.database.new"
    is "$(as_b 'SELECT 1')" "no 1045"
    is "$(ask b.example b_db "$(jq -r .password "$logs/$suite.database.new")" b_db 'SELECT 1')" 'YES [["1"]]'
}
check "a new password works and the old one does not" new_password
given() {
    local word="a'b\\c\"d%;é is mine"
    printf '%s\n' "$word" | put /root/given
    panel db password b_db --password-file /root/given
    is "$(ask b.example b_db "$word" b_db 'SELECT 1')" 'YES [["1"]]'
}
check "a password of one's own may hold quotes, backslash and umlauts" given

taken() {
    local before
    refused 1 database.name_taken db create a_example
    before=$(held)
    said database.name_invalid db create 'a`b'
    said database.name_invalid db create mysql
    said database.not_found db delete nobody --yes
    said database.confirmation db delete b_db
    sql "CREATE DATABASE legacy; CREATE USER other@localhost; GRANT ALL ON \`wild%\`.* TO other@localhost"
    said database.name_taken db create legacy
    said database.name_taken db create other
    said database.name_taken db create wild_west
    sql "DROP DATABASE legacy; DROP USER other@localhost"
    mariadb_is "$before"
}
check "names that are taken, foreign, or covered by somebody's grant are refused" taken

stopped() {
    on systemctl stop mariadb
    refused 1 mariadb.silent site create more.example --database
    said mariadb.silent db create more
    said mariadb.silent db delete b_db --yes
    is "$(panel_json '.databases | length' db list)" 2
    is "$(panel_json '.mariadb, .tables' db show b_db | tr '\n' ' ')" "silent null "
    on systemctl start mariadb
    mariadb_is "$1"
}
check "while MariaDB is stopped nothing is begun, and nothing is lost" stopped "$(held)"

answering() { panel op list --json >/dev/null 2>&1; }
killed() { # the agent dies in the middle; what it began is taken back
    local before
    before=$(held)
    sh_on 'lalapanel db create half --json >/dev/null 2>&1 & sleep "0.0$((RANDOM % 9 + 1))"; systemctl kill -s KILL lalapanel-agent; wait || true'
    soon answering
    if panel db show half >/dev/null 2>&1; then panel db delete half --yes --now; fi
    soon mariadb_is "$before"
}
check "an agent that is killed in the middle leaves no half database" killed

in_trash() {
    panel site delete a.example --yes
    is "$(panel_json .locked db show a_example)" true
    matches "$(on mariadb -ua_example "-p$password_a" -e 'SELECT 1' 2>&1 || true)" "ERROR 4151"
    panel site restore a.example
    soon answers a.example 200
    is "$(as_a 'SELECT x FROM t')" 'YES [["secret-of-a"]]'
}
check "a site in the trash keeps its database closed, and brings it back" in_trash

signed_in_is() { is "$(sql "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = 'b_db'")" "$1"; }
trashed() { # closed at once, its connections too; it comes back with all that is in it and the password it had
    local word
    panel db password b_db --json >"$logs/$suite.database.new"
    word=$(jq -r .password "$logs/$suite.database.new")
    sh_on 'MYSQL_PWD=$1 setsid mariadb --no-defaults -ub_db -e "SELECT SLEEP(300)" >/dev/null 2>&1 </dev/null &' "$word"
    soon signed_in_is 1
    matches "$(panel db delete b_db --plan)" "ACCOUNT LOCK"
    signed_in_is 1
    panel db delete b_db --yes
    soon signed_in_is 0
    is "$(ask b.example b_db "$word" b_db 'SELECT 1')" "no 4151"
    is "$(panel_json '.databases | map(.name) | join(" ")' db list)" a_example
    is "$(panel_json '.trash | map("\(.name) \(.trash.days_left)") | join(" ")' db list --trash)" "b_db 7"
    is "$(panel site show b.example --json | jq -c .databases)" '[]'
    said database.name_taken db create b_db
    said database.not_found db export b_db /root/b.sql
    said database.confirmation db delete b_db --yes
    panel db restore b_db
    is "$(ask b.example b_db "$word" b_db 'SHOW TABLES')" 'YES [["t"]]'
    is "$(panel_json '.trash | length' db list --trash)" 0
    patiently sized # what was loaded further above, by a look that is at most half a minute old
}
check "db delete moves to the trash, which keeps it closed, and db restore brings it back" trashed

for_good() {
    panel db create c_db
    panel db delete c_db --yes --now
    panel db delete b_db --yes
    is "$(panel site show b.example --json | jq -c .databases)" '[]'
    panel site delete a.example --yes --now
    panel site delete b.example --yes --now
    soon mariadb_is "$old_mariadb"
    on rm /root/given
    machine_is "$old"
}
check "deleted for good, no database, user or grant is left" for_good
