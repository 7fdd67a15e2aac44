# A site's own nginx directives, and nginx files changed by hand.
use_fresh "$suite-panel"
panel site create shop.example >/dev/null
panel site create other.example --type static >/dev/null
number=$(panel_json .user site show shop.example)
own=/etc/nginx/lalapanel/custom/$number.conf
file=/etc/nginx/sites-available/shop.example

snippet() { sh_on 'printf "%s\n" "$1" | lalapanel site snippet shop.example --file - "${@:2}"' "$@"; }

plan_only() {
    local before
    before=$(machine)
    matches "$(snippet 'expires 1d;' --plan)" '\+expires 1d;'
    machine_is "$before"
}
check "a plan shows the difference and changes nothing" plan_only

taken() {
    snippet 'location = /old {
    return 301 https://$host/new$is_args$args;
}
location ~* \.css$ {
    expires 1d;
    add_header X-Own yes always;
    try_files $uri =404;
}'
    matches "$(visit shop.example /old?a=b -i)" 'Location: https://shop.example/new\?a=b'
    matches "$(visit shop.example /none.css -i)" 'X-Own: yes'
    is "$(status other.example /old)" 404
    answers shop.example 200
}
check "directives work at once, for this site and no other" taken
roots_alone() {
    is "$(on stat -c '%U:%G %a' "$own")" "root:root 640"
    is "$(on stat -c '%U:%G %a' "$(dirname "$own")")" "root:root 750"
    not on setpriv --reuid="$number" --regid="$number" --init-groups cat "$own"
}
check "only root reads them" roots_alone
shown() { matches "$(panel site snippet shop.example)" 'return 301'; panel site snippet shop.example --json | jq -e '.snippet | contains("X-Own")'; }
check "they are shown again" shown

# refuses WORD TEXT: with the line, and nothing is another one afterwards.
refuses() {
    local before out code=0
    before=$(machine)
    out=$(snippet "$2" --json 2>/dev/null) || code=$?
    is "$code" 1
    is "$(jq -r .error.code <<<"$out")" site.snippet_refused
    matches "$(jq -r .error.detail <<<"$out")" "line [0-9]+: .*$1"
    machine_is "$before"
}
check "one that closes a brace is refused" refuses "not open" '} server { listen 80; server_name evil.example; location / { return 200 evil; } }'
check "one that opens a quote is refused" refuses "quote" 'add_header X "a;'
check "one that includes a file is refused" refuses "another file" 'include /etc/nginx/nginx.conf;'
check "one that opens a port is refused" refuses "opens a port" 'listen 8080;'
check "one that names another site's socket is refused" refuses "another site" "location /a { fastcgi_pass unix:/run/lalapanel/php/$number.sock; }"
check "one that names the agent's socket is refused" refuses "other programs" 'location /a { proxy_pass http://unix:/run/lalapanel/agent.sock; }'
check "one that reads another tree is refused" refuses "place of its own" 'location /etc { alias /etc; }'
check "one that would send PHP source is refused" refuses "PHP files as text" 'location ~ ^/admin { expires 1d; }'
check "one that stands before certificates is refused" refuses "certificates" 'location ^~ /.well-known/acme-challenge/ { return 404; }'

nginx_says_no() { # our reader takes it, nginx does not
    local before out code=0
    before=$(machine)
    out=$(snippet 'location = /a { return 204; }
location = /a { return 204; }' --json 2>/dev/null) || code=$?
    is "$code" 1
    is "$(jq -r .error.code <<<"$out")" nginx.rejected
    matches "$(jq -r .error.detail <<<"$out")" 'duplicate location "/a" in the site.s own directives, line 2'
    machine_is "$before"
}
check "what nginx itself refuses is told with nginx's line, and was never live" nginx_says_no

not_applied() { # both nginx -t and the reload say yes, and the old configuration stays
    local before out code=0
    sh_on 'echo "limit_req_zone \$binary_remote_addr zone=theirs:1m rate=9r/s;" >/etc/nginx/conf.d/zone.conf; nginx -t 2>/dev/null; systemctl reload nginx; sleep 1
        echo "limit_req_zone \$http_host zone=theirs:1m rate=9r/s;" >/etc/nginx/conf.d/zone.conf; nginx -t 2>/dev/null; systemctl reload nginx'
    before=$(machine)
    out=$(snippet 'expires 2d;' --json 2>/dev/null) || code=$?
    is "$code" 1
    is "$(jq -r .error.code <<<"$out")" nginx.unconfirmed
    machine_is "$before"
    on rm /etc/nginx/conf.d/zone.conf
    on systemctl restart nginx
}
check "a reload that applied nothing is found out, and the old directives are back" not_applied

by_hand() { # by_hand SED: somebody edits the site's file and reloads
    sh_on 'sed -i "$1" "$2"; nginx -t 2>/dev/null; systemctl reload nginx' "$1" "$file"
}
by_hand 's|^    location / {|    location = /mine { return 204; }\n    location / {|'
check "the edit by hand is in force" soon answers shop.example 204 /mine
told() {
    matches "$(panel site drift shop.example)" '\+    location = /mine'
    panel site show shop.example --json | jq -e --arg f "$file" '.drift[0].path == $f and (.drift[0].left | not)'
    matches "$(panel doctor 2>&1 || true)" "shop.example changed outside Lala"
}
check "an edit by hand is shown as a diff" told
check "no other change writes over it" refused 1 host.drift site set shop.example web.upload_max=100
leave() {
    local before
    before=$(on sha256sum "$file")
    panel site drift shop.example --leave
    is "$(on sha256sum "$file")" "$before"
    lacks "$(panel doctor 2>&1 || true)" "changed outside Lala"
    by_hand 's|/mine { return 204|/mine { return 403|'
    matches "$(panel doctor 2>&1 || true)" "changed outside Lala"
}
check "left as it is, it is silent until it changes again" leave
keep() {
    panel site drift shop.example --keep
    is "$(status shop.example /mine)" 403
    matches "$(visit shop.example /old -i)" 'Location: https://shop.example/new'
    lacks "$(on cat "$file")" mine
    matches "$(on cat "$own")" mine
    panel site show shop.example --json | jq -e '.drift == []'
    panel site set shop.example web.upload_max=100
    is "$(status shop.example /mine)" 403
}
check "kept, it is among the site's own directives and survives other changes" keep
unkept() {
    local out code=0
    by_hand 's|^    location / {|    lingering_timeout 7s;\n    location / {|'
    out=$(panel site drift shop.example --keep --json 2>/dev/null) || code=$?
    is "$code" 1
    matches "$(jq -r .error.detail <<<"$out")" 'line [0-9]+: `lingering_timeout`'
    matches "$(on cat "$file")" "lingering_timeout 7s"
}
check "a line that cannot be kept is named, and nothing changes" unkept
restore() {
    sh_on 'sed -i "s|^    location / {|    broken by hand\n    location / {|" "$1"; not() { ! "$@"; }; not nginx -t 2>/dev/null' "$file"
    panel site drift shop.example --restore
    lacks "$(on cat "$file")" "lingering_timeout|by hand"
    sh_on 'nginx -t 2>/dev/null'
    answers shop.example 200
    is "$(status shop.example /mine)" 403
}
check "Lala's text is put back, even where the edit broke nginx" restore

foreign() {
    sh_on 'printf "server {\n    listen 80;\n    server_name theirs.example;\n    location / { return 200 theirs; }\n}\n" >/etc/nginx/conf.d/theirs.conf; systemctl reload nginx; systemctl restart lalapanel-agent'
    soon sees_foreign
}
sees_foreign() { panel site list --json | jq -e '.foreign | any(.names == ["theirs.example"] and .file == "/etc/nginx/conf.d/theirs.conf")'; }
check "nginx sites of others are listed as such" foreign

removed() {
    snippet ''
    not on test -e "$own"
    is "$(status shop.example /old)" 404
    panel site delete shop.example --yes
    is "$(on ls /etc/nginx/lalapanel/custom)" ""
}
check "an empty text removes them" removed
check "the other site never noticed" answers other.example 200
