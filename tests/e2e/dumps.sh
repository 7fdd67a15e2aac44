# What the cases of dumps begin with: two databases, and in shop_db tables with keys, bytes and letters that are easily lost.
sql() { on mariadb -N -B -e "$1"; }
said() { is "$(panel "${@:2}" --json 2>/dev/null | jq -r .error.code || true)" "$1"; } # said CODE ARGUMENTS...
panel db create shop_db --json >/dev/null
panel db create shopxdb --json >/dev/null
on mariadb --default-character-set=utf8mb4 shop_db <<'SQL'
CREATE TABLE parent (id INT PRIMARY KEY, name VARCHAR(80)) ENGINE=InnoDB;
CREATE TABLE child (id INT PRIMARY KEY AUTO_INCREMENT, of INT, data BLOB, FOREIGN KEY (of) REFERENCES parent (id)) ENGINE=InnoDB;
CREATE TABLE old (x INT) ENGINE=MyISAM;
INSERT INTO parent VALUES (1, 'Grüße 😀 ''quoted'' \\ `ticked` \n%_');
INSERT INTO child (of, data) VALUES (1, UNHEX('00010203090A0D1A22275C60FF')), (1, NULL);
INSERT INTO old VALUES (7);
SQL
