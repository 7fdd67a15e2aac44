# Dumps read in on the real MariaDB: whole or not at all, and nothing of them outside of their database.
use_fresh "$suite-panel"
. "$here/dumps.sh"
held() { sql "SELECT CONCAT(User, '@', Host) FROM mysql.global_priv ORDER BY 1; SHOW DATABASES; SELECT Db, User FROM mysql.db ORDER BY 1, 2; SELECT COUNT(*) FROM mysql.proc"; }
on mariadb --default-character-set=utf8mb4 shop_db <<'SQL'
CREATE TABLE `odd ``name``` (x INT) ENGINE=InnoDB;
CREATE SEQUENCE numbers;
SQL
everything() { sh_on 'mariadb-dump --no-defaults --skip-comments --skip-dump-date --hex-blob --skip-extended-insert "$1"' "$1"; }
first=$(everything shop_db)
is "$(sql "SELECT COUNT(*) FROM shop_db.child")" 2 || exit 1 # all of it was taken
for f in sql sql.gz sql.zst; do panel db export shop_db "/root/a.$f"; done
changed() { sql "DROP TABLE shop_db.child; ALTER TABLE shop_db.parent ADD more INT; CREATE TABLE shop_db.newer AS SELECT 1 AS x"; }
changed
held=$(held)
second=$(everything shop_db)
# The former tables are dropped in the background; what a sweep misses, that of the next minute finds.
nothing_beside() { [ "$(held)" = "$held" ]; }
swept() {
    local i
    for i in $(seq 90); do nothing_beside && return; sleep 1; done
    same "$held" "$(held)"
}
untouched() { swept && same "$second" "$(everything shop_db)"; }

plan_only() {
    matches "$(panel db import shop_db /root/a.sql --plan)" "Put the 5 tables that were loaded in the place of the 5 of shop_db"
    untouched
}
check "db import --plan loads, shows, and forgets" plan_only
formats() {
    local f
    for f in sql sql.gz sql.zst; do
        panel db import shop_db "/root/a.$f" --json >"$logs/$suite.import.json"
        jq -e '.changed and .name == "shop_db" and .tables == 5' "$logs/$suite.import.json"
        same "$first" "$(everything shop_db)"
        swept
        sql "INSERT INTO shop_db.child (of) VALUES (1)"
        not sql "INSERT INTO shop_db.child (of) VALUES (99)"
        changed
    done
    sh_on 'cp /root/a.sql.zst /root/a.bin; lalapanel db import shop_db - </root/a.bin'
    same "$first" "$(everything shop_db)"
    changed
}
check "what was exported comes back the same: plain, gzip, zstd, from standard input" formats
second=$(everything shop_db)

hostile() { # hostile NUMBER LINE...: refused, with the number of the line, and nothing is changed
    local number=$1
    shift
    printf '%s\n' 'CREATE TABLE fine (x INT);' "$@" '-- Dump completed' | put /root/bad.sql
    said database.unloaded db import shop_db /root/bad.sql
    matches "$(panel db import shop_db /root/bad.sql --json 2>/dev/null | jq -r .error.detail || true)" "at line $number:"
}
evil() {
    hostile 2 '\! touch /tmp/evil'
    hostile 2 'system touch /tmp/evil'
    hostile 2 'source /etc/passwd'
    hostile 2 '\. /etc/passwd'
    hostile 2 'tee /tmp/evil'
    hostile 3 'SELECT 1;' 'USE mysql;'
    hostile 2 'USE shop_db;'
    hostile 2 'CREATE DATABASE evil;'
    hostile 2 "GRANT ALL ON *.* TO 'shop_db'@'localhost';"
    hostile 2 "CREATE USER evil@localhost;"
    hostile 2 'DROP TABLE shop_db.parent;'
    hostile 2 'INSERT INTO shopxdb.t VALUES (1);'
    hostile 2 'CREATE DEFINER=root@localhost VIEW v AS SELECT 1;'
    hostile 2 'CREATE DEFINER=root@localhost TRIGGER t BEFORE INSERT ON fine FOR EACH ROW SET NEW.x = 1;'
    hostile 2 'CREATE DEFINER=root@localhost PROCEDURE p() SELECT 1;'
    hostile 2 'CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO SELECT 1;'
    hostile 2 "PREPARE s FROM CONCAT('CREATE DEF', 'INER=root@localhost PROCEDURE p() SELECT 1'); EXECUTE s;"
    hostile 2 "SELECT 1 INTO OUTFILE '/tmp/evil';"
    hostile 2 "LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE fine;"
    hostile 2 "SET GLOBAL general_log = 1;"
    hostile 3 'CREATE TABLE c (x VARCHAR(9)) CHARACTER SET utf8mb4;' "INSERT INTO c VALUES ('$(printf '\344')');"
    sh_on '[ ! -e /tmp/evil ] && ! ls /tmp/systemd-private-*-lalapanel-agent*/tmp/evil 2>/dev/null'
    untouched
}
check "a hostile dump changes nothing outside, and the line is named" evil
cut() {
    sh_on 'head -c $(($(stat -c %s /root/a.sql) - 20)) /root/a.sql >/root/cut.sql; head -c 200 /root/a.sql.gz >/root/cut.sql.gz; head -c 200 /root/a.sql.zst >/root/cut.sql.zst; : >/root/empty.sql'
    said database.unloaded db import shop_db /root/cut.sql
    said database.file db import shop_db /root/cut.sql.gz
    said database.file db import shop_db /root/cut.sql.zst
    said database.unloaded db import shop_db /root/empty.sql
    said database.file db import shop_db /nowhere/a.sql
    said database.not_found db import nobody /root/a.sql
    untouched
}
check "a dump that is cut off, empty or not there changes nothing" cut
endless() {
    sh_on 'panel=$(systemctl show -p MainPID --value lalapanel-agent)
        (printf "INSERT INTO t VALUES (\""; head -c 200000000 /dev/zero | tr "\0" x) | lalapanel db import shop_db - --json >/root/out 2>/dev/null || true
        awk "/^VmHWM/ { print \$2 }" /proc/$panel/status >/root/memory'
    is "$(on cat /root/out | jq -r .error.title)" "line 1 of the dump is longer than 64 MiB"
    [ "$(on cat /root/memory)" -lt 100000 ]
    untouched
}
check "one endless line is refused, in little memory" endless
jar=$logs/$suite.import.jar
door() { outside curl -sk --max-time 60 -H 'Accept: text/html' -H 'Sec-Fetch-Site: same-origin' -b "$jar" -c "$jar" "$@"; }
field() { sed -n "s/.*name=\"$1\" value=\"\([^\"]*\)\".*/\1/p" <<<"$2" | head -n 1; }
imports=https://$address:8443/databases/shop_db/import
# sent FILE CURL-ARGUMENT...: the form as a browser sends it; the place of what was loaded, or the page with what is wrong
sent() {
    local file=$1 page
    shift
    page=$(door "$imports")
    door "$@" -w '%{redirect_url}\n' -F "token=$(field token "$page")" -F "file=@$file" "$imports"
}
put_in_place() { # put_in_place ADDRESS: as the person who read the plan and typed the name
    local page
    page=$(door "$1")
    matches "$page" 'tables that were loaded in the place of'
    door -o /dev/null -w '%{redirect_url}' -d "token=$(field token "$page")" -d "operation=$(field operation "$page")" -d "plan=$(field plan "$page")" -d "seen=$(field seen "$page")" \
        -d confirm=shop_db "$1"
}
is_first() { [ "$(everything shop_db)" = "$first" ]; }
uploaded() {
    local file place came
    on lalapanel account create mara --password-file - <<<'mauve otter tin sky'
    place=https://$address:8443/login
    door -o /dev/null --data-urlencode "token=$(field token "$(door "$place")")" -d name=mara --data-urlencode 'password=mauve otter tin sky' "$place"
    for file in a.sql a.sql.gz a.sql.zst; do
        on cat "/root/$file" >"$logs/$suite.$file"
        came=$(sent "$logs/$suite.$file")
        matches "$came" "$imports/[0-9a-f]+"
        same "$second" "$(everything shop_db)" # an upload alone changes nothing
        matches "$(put_in_place "$came")" "/operations/"
        soon is_first
        swept
        changed
    done
    { printf 'CREATE TABLE fine (x INT);\nGRANT ALL ON *.* TO x;\n'; head -c 20000000 /dev/urandom | base64; } >"$logs/$suite.bad.sql"
    matches "$(sent "$logs/$suite.bad.sql")" 'at line 2:'
    matches "$(sent "$logs/$suite.bad.sql" --http1.1)" 'at line 2:'
    head -c 200 "$logs/$suite.a.sql.gz" >"$logs/$suite.cut.sql.gz"
    matches "$(sent "$logs/$suite.cut.sql.gz")" 'cannot be read to its end'
    rm "$logs/$suite.bad.sql"
    untouched
}
check "a dump is uploaded, looked at and put in place in the browser; a hostile or damaged one is said so" uploaded
second=$(everything shop_db)
large() { # more than a form may be, by both versions of HTTP
    local way came page
    { printf 'CREATE TABLE large (x LONGTEXT);\n'; for _ in $(seq 60); do printf "INSERT INTO large VALUES ('%s');\n" "$(head -c 50000 /dev/urandom | base64 -w 0)"; done; echo '-- Dump completed'; } >"$logs/$suite.large.sql"
    for way in --http1.1 --http2; do
        came=$(sent "$logs/$suite.large.sql" "$way" --limit-rate 2M)
        matches "$came" '/import/[0-9a-f]+'
        page=$(door "$came")
        door -o /dev/null -d "token=$(field token "$page")" "$came/forget"
        swept
    done
    (sent "$logs/$suite.large.sql" --limit-rate 200k --max-time 2 || true) >/dev/null
    untouched
}
check "a large one comes by either version of HTTP, and one that breaks off leaves nothing" large
besides() {
    sql "CREATE VIEW shop_db.seen AS SELECT 1"
    said database.unloaded db import shop_db /root/a.sql
    sql "DROP VIEW shop_db.seen"
    untouched
}
check "what is more than tables is not lost by an import" besides
answering() { panel op list --json >/dev/null 2>&1; }
killed() { # the agent dies: while it loads, and while it puts in place; the database is the old or the new one
    local i now
    for i in 1 2 3 4 5 6; do
        sh_on 'lalapanel db import shop_db /root/a.sql --json >/dev/null 2>&1 & sleep "0.$((RANDOM % 3))$((RANDOM % 9))"; systemctl kill -s KILL lalapanel-agent; wait || true'
        patiently answering
        panel op list --json | jq -e '[.operations[] | select(.state == "stuck")] == []'
        now=$(everything shop_db)
        [ "$now" = "$first" ] || [ "$now" = "$second" ] || { same "$second" "$now"; return 1; }
        swept
        [ "$now" = "$second" ] || changed
        second=$(everything shop_db)
    done
}
check "an agent that is killed leaves the old or the new tables, and nothing beside" killed
second=$(everything shop_db)
used() { # somebody reads one of the tables in a long transaction
    sh_on 'mariadb shop_db -e "START TRANSACTION; SELECT * FROM parent; SELECT SLEEP(20)" >/dev/null 2>&1 & sleep 2; lalapanel db import shop_db /root/a.sql.gz; wait'
    same "$first" "$(everything shop_db)"
}
check "a table that is in use is waited for" used
