# Databases written out and read in on the real MariaDB: whole or not at all, by users that may do nothing else.
use_fresh "$suite-panel"
. "$here/dumps.sh"
users() { sql "SELECT CONCAT(User, '@', Host) FROM mysql.global_priv ORDER BY 1; SELECT Db, User FROM mysql.db ORDER BY 1, 2"; }
users_are() { is "$(users)" "$1"; }
on mariadb --default-character-set=utf8mb4 shop_db <<'SQL'
CREATE TABLE log (what VARCHAR(80)) ENGINE=InnoDB;
CREATE VIEW seen AS SELECT p.name, c.data FROM parent p JOIN child c ON c.of = p.id;
CREATE VIEW again AS SELECT COUNT(*) AS n FROM seen;
CREATE TRIGGER noted AFTER INSERT ON parent FOR EACH ROW INSERT INTO log VALUES (CONCAT('new; ', NEW.name));
CREATE EVENT tidy ON SCHEDULE EVERY 1 DAY DO DELETE FROM log;
DELIMITER //
CREATE PROCEDURE both_of() BEGIN SELECT 'a;b'; SELECT 2; END//
CREATE FUNCTION five() RETURNS INT DETERMINISTIC RETURN 5//
DELIMITER ;
SQL
# Everything that is in a database, as a text: rows, and how each thing was made, but for who defined it.
everything() {
    sh_on 'mariadb-dump --no-defaults --skip-comments --skip-dump-date --routines --events --triggers --hex-blob --skip-extended-insert "$1" |
        sed -E "s/DEFINER=\`[^\`]*\`@\`[^\`]*\`//g; s/ AUTO_INCREMENT=[0-9]+//"' "$1"
}
held=$(users)
is "$(sql "SELECT COUNT(*) FROM shop_db.again")$(sql "SELECT shop_db.five()")" 15 || exit 1 # all of it was taken

whole() {
    panel db export shop_db /root/a.sql --json >"$logs/$suite.dump.json" 2>/dev/null
    jq -e '.name == "shop_db" and .format == "plain" and .bytes == .sql_bytes and .beside == ["old"]' "$logs/$suite.dump.json"
    is "$(on stat -c '%s %a %U' /root/a.sql)" "$(jq .bytes "$logs/$suite.dump.json") 600 root"
    is "$(on tail -n 1 /root/a.sql)" "-- Dump completed"
    sql "CREATE DATABASE plain"
    sh_on 'mariadb plain </root/a.sql'
    same "$(everything shop_db)" "$(everything plain)"
    sql "DROP DATABASE plain"
    users_are "$held"
}
check "an export holds everything: rows, views, routines, triggers, events" whole
unimported() { # what an import would lose is named when it is copied and when it is refused
    local kind before
    panel db export shop_db /root/u.sql --json >"$logs/$suite.unimported.json" 2>/dev/null
    is "$(jq -c '.unimported | sort' "$logs/$suite.unimported.json")" '["event tidy","function five","procedure both_of","trigger noted","view again","view seen"]'
    before=$(everything shop_db)
    for kind in 'CREATE VIEW v AS SELECT 1 AS x' 'CREATE TRIGGER t BEFORE INSERT ON fine FOR EACH ROW SET NEW.x = 1' 'CREATE PROCEDURE p() SELECT 1' 'DROP PROCEDURE IF EXISTS p' \
        'CREATE FUNCTION f() RETURNS INT DETERMINISTIC RETURN 1' 'CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO SELECT 1' 'DROP EVENT IF EXISTS e'; do
        printf '%s\n' 'CREATE TABLE fine (x INT);' "$kind;" '-- Dump completed' | put /root/u1.sql
        matches "$(panel db import shopxdb /root/u1.sql --json 2>/dev/null | jq -r .error.hint || true)" "^views, triggers, routines and events are not imported"
    done
    matches "$(panel db import shopxdb /root/u.sql --json 2>/dev/null | jq -r .error.hint || true)" "^views, triggers, routines and events are not imported"
    is "$(sql "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'shopxdb'")" 0
    same "$before" "$(everything shop_db)"
    users_are "$held"
}
check "views, triggers, routines and events are named when copied, and refused by name, not lost" unimported
formats() {
    panel db export shop_db /root/a.sql.gz
    sh_on 'zcat /root/a.sql.gz | cmp - /root/a.sql'
    panel db export shop_db /root/a.sql.zst
    is "$(on head -c 4 /root/a.sql.zst | od -An -tx1)" " 28 b5 2f fd"
    sh_on 'lalapanel db export shop_db - 2>/dev/null | cmp - /root/a.sql'
}
check "packed by gzip or zstd, or on standard output, it is the same" formats
files() {
    local before
    before=$(sh_on 'cd /root; sha256sum a.sql; ls -A')
    said database.file db export shop_db /root/a.sql
    said database.file db export shop_db /root/a.txt
    said database.file db export shop_db /nowhere/a.sql
    said database.file db export shop_db -
    said database.not_found db export nobody /root/b.sql
    said database.name_invalid db export 'a`b' /root/b.sql
    is "$(sh_on 'cd /root; sha256sum a.sql; ls -A')" "$before"
    sh_on 'echo old >/root/c.sql; ln -s c.sql /root/d.sql'
    panel db export shop_db /root/d.sql --force
    is "$(on cat /root/c.sql)" old
    on cmp /root/a.sql /root/d.sql
    on rm /root/c.sql /root/d.sql
}
check "no file is replaced unasked, and none is left that is not whole" files

big() { sql "USE shop_db; CREATE TABLE big AS SELECT seq AS id, REPEAT(MD5(seq), 30) AS x FROM seq_1_to_60000"; }
check "a larger table is made" big
# The dump waits while nobody takes its output: then it can be looked at.
reader() {
    local out
    out=$(sh_on '
        { lalapanel db export shop_db - 2>/dev/null; } | (sleep 4; tail -n 1) >/root/tail &
        for i in $(seq 100); do pid=$(pgrep -x mariadb-dump) && break; sleep 0.05; done
        for i in $(seq 100); do user=$(mariadb -N -e "SELECT DISTINCT USER FROM information_schema.PROCESSLIST WHERE USER LIKE \"lalapanel-export-%\"") && [ -n "$user" ] && break; sleep 0.05; done
        stat -c "uid %u" /proc/$pid
        tr "\0" " " </proc/$pid/cmdline; echo
        password=$(tr "\0" "\n" </proc/$pid/environ | sed -n s/^MYSQL_PWD=//p)
        [ ${#password} = 32 ] && echo "a password"
        as() { MYSQL_PWD=$password mariadb --no-defaults -u"$user" -N -e "$1" 2>&1 | grep -oE "^(ERROR )?[0-9]+" | head -n 1; }
        as "SELECT COUNT(*) FROM shop_db.old"
        as "INSERT INTO shop_db.old VALUES (8)"
        as "DROP TABLE shop_db.old"
        as "SELECT 1 FROM shopxdb.x"
        as "SELECT User FROM mysql.global_priv"
        as "SELECT 1 INTO OUTFILE \"/tmp/x\""
        wait
        cat /root/tail')
    matches "$out" "uid 2000[1-4]"
    lacks "$out" "password="
    lacks "$out" "MYSQL_PWD"
    # 11.8 refuses to write files with the one number, 10.11 with the other.
    matches "$(tail -n 8 <<<"$out" | tr '\n' '|')" '^a password\|1\|(ERROR 1142\|){4}ERROR (1045|1227)\|-- Dump completed\|$'
    users_are "$held"
}
check "it runs with a uid of its own, as a user that reads this database and nothing else" reader
gone() { users_are "$held" && not on pgrep -x mariadb-dump; }
killed() {
    sh_on '(timeout -s KILL 0.3 lalapanel db export shop_db /root/k.sql || true) >/dev/null 2>&1
        lalapanel db export shop_db - 2>/dev/null | head -c 100000 >/dev/null || true'
    is "$(sh_on 'ls /root/k.sql 2>/dev/null || true; rm -f /root/.k.sql.*.partial')" ""
    patiently gone
}
check "where nobody takes it any more it ends, and its user goes" killed
answering() { panel op list --json >/dev/null 2>&1; }
agent_killed() {
    sh_on 'rm -f /root/e.sql
        { lalapanel db export shop_db - 2>/dev/null || echo "failed" >/root/ended; } | (sleep 3; cat >/dev/null) &
        for i in $(seq 100); do pgrep -x mariadb-dump >/dev/null && break; sleep 0.05; done
        systemctl kill -s KILL lalapanel-agent; wait; cat /root/ended; rm /root/ended'
    patiently answering
    patiently gone
}
check "an agent that is killed meanwhile makes no whole export, and leaves no user" agent_killed
bad() {
    sql "CREATE TABLE shop_db.lost (x INT); CREATE VIEW shop_db.broken AS SELECT x FROM shop_db.lost; DROP TABLE shop_db.lost"
    said database.unexported db export shop_db /root/f.sql
    matches "$(panel db export shop_db /root/f.sql 2>&1 || true)" "broken"
    sql "DROP VIEW shop_db.broken"
    on systemctl stop mariadb
    said mariadb.silent db export shop_db /root/f.sql
    on systemctl start mariadb
    is "$(sh_on 'ls -A /root | grep -c "f.sql" || true')" 0
    users_are "$held"
}
check "what cannot be written out whole leaves no file: a broken view, a stopped MariaDB" bad
noted() {
    local results
    results=$(panel audit list --json | jq -r '[.entries[] | select(.action == "db export" and .object == "shop_db") | .result] | unique | join(" ")')
    matches " $results " " ok "
    matches " $results " " mariadb.silent "
    matches " $results " " database.unexported "
}
check "the audit trail says who took a copy" noted
