# Warnings by mail and webhook: told once when they begin and once when they are over, later where nobody listened.
# Runs on one suite.
use_fresh "$suite-panel"
on apt-get -qq -y install openssl python3 >/dev/null 2>&1
on mkdir -p /root/sink
"$here/host" push "$host" "$here/sink.py" /root/sink/sink.py
sh_on '
    cd /root/sink
    echo canary-smtp-word >password
    echo canary-hook-word >secret
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout root.key -out root.pem -days 30 -subj "/CN=test root" 2>/dev/null
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout server.key -out server.csr -subj "/CN=sink.example" 2>/dev/null
    printf "subjectAltName=DNS:sink.example\n" >server.ext
    openssl x509 -req -in server.csr -CA root.pem -CAkey root.key -CAcreateserial -out server.pem -days 30 -extfile server.ext 2>/dev/null
    cp root.pem /etc/lalapanel/test-root.pem # the agent sees no home
    cp /etc/lalapanel/config.toml config.toml
    echo "127.0.0.1 sink.example" >>/etc/hosts
'
serve() { sh_on 'systemctl reset-failed "sink-$1" 2>/dev/null || true; systemd-run -q --unit="sink-$1" python3 /root/sink/sink.py /root/sink "$1" "$2"' "$@"; }
settings() { # settings [SED EXPRESSION]: as below, with something changed
    sh_on '
        cp /root/sink/config.toml /root/sink/new.toml
        sed "$1" >>/root/sink/new.toml <<-"END"

	[notify]
	mail_to = "ops@sink.example, o.n@sink.example"
	mail_from = "lala@sink.example"
	smtp_host = "sink.example"
	smtp_port = 2525
	smtp_user = "ops"
	smtp_password = "canary-smtp-word"
	smtp_ca_file = "/etc/lalapanel/test-root.pem"
	webhook_url = "https://sink.example:2443/hooks/canary-path"
	webhook_secret = "canary-hook-word"
	webhook_ca_file = "/etc/lalapanel/test-root.pem"
	after_seconds = 5
	END
        cat /root/sink/new.toml >/etc/lalapanel/config.toml
    ' "${1:-}"
}
in_time() { # what is told within two minutes, on a busy machine as well
    local i
    for i in $(seq 120); do "$@" >/dev/null 2>&1 && return; sleep 1; done
    "$@"
}
number() { on sh -c 'ls /root/sink | grep -c "^$1[.]" || true' sh "$1"; }
counts() { is "$(number mail) $(number hook)" "$1"; }
mail() { on sed -z 's/\r//g; s/\n[ \t]/ /g' "/root/sink/mail.$1"; }
hook() { on cat "/root/sink/hook.$1" | jq -er "$2"; }

nobody() {
    matches "$(panel notify status 2>&1)" 'nobody is told'
    is "$(panel notify test --json 2>/dev/null | jq -r .error.code)" notify.unset
}
check "without settings nobody is told, and that is said" nobody

# Roots of the sink's own stand in the file already, with words of the owner's; everything else is set on the command line.
sh_on 'printf "\n# mine\n[notify]\nsmtp_ca_file = \"/etc/lalapanel/test-root.pem\" # the sink\nwebhook_ca_file = \"/etc/lalapanel/test-root.pem\"\n" >>/etc/lalapanel/config.toml
    echo https://sink.example:2443/hooks/canary-path >/root/sink/url'
first() {
    local out
    out=$(panel notify set --mail-to ops@sink.example --json) && return 1
    is "$(jq -r .error.code <<<"$out")" site.setting_invalid
    matches "$(jq -r .error.title <<<"$out")" 'notify.smtp_host'
    lacks "$(on cat /etc/lalapanel/config.toml)" mail_to
    panel notify set --mail-to 'ops@sink.example, o.n@sink.example' --mail-from lala@sink.example --smtp-host sink.example \
        --smtp-port 2525 --smtp-user ops --smtp-password-file /root/sink/password --webhook-url-file /root/sink/url \
        --webhook-secret-file /root/sink/secret --after-seconds 5
    local file
    file=$(on cat /etc/lalapanel/config.toml)
    matches "$file" '# mine'
    matches "$file" 'smtp_ca_file = "/etc/lalapanel/test-root.pem" # the sink'
    matches "$file" 'smtp_password = "canary-smtp-word"'
    matches "$file" 'after_seconds = 5'
    is "$(on stat -c %a /etc/lalapanel/config.toml)" 600
    matches "$(panel notify set --smtp-host mail.example 2>&1 || true)" 'type it again'
}
check "who is told is set on the command line, wholly or not at all" first
serve hook 2443
away() {
    local out
    out=$(panel notify test) && return 1
    matches "$out" 'cannot be reached at port 2525'
    matches "$out" 'webhook to sink.example:2443 was taken: 204'
    hook 1 '.test == true and .begun == []'
}
check "a try says who took it, and who could not be reached" away
on systemctl restart lalapanel-agent # looks at once, not within a minute
soon panel status >/dev/null

on systemctl stop mariadb
waits() { panel_json '[.ways[] | select(.way == "mail")][0] | .waiting == 1 and (.failure | test("cannot be reached")) and .again != null' notify status; }
begun() {
    in_time counts "0 2"
    hook 2 '.begun[0].key == "service.mariadb" and .over == [] and .test == false and (.text | test("systemctl start mariadb"))'
    in_time waits
}
check "a service that stops is told by a signed webhook, while mail waits for its server" begun
serve mail 2525
later() {
    local text
    in_time counts "1 2"
    text=$(mail 1)
    matches "$text" 'MAIL FROM:<lala@sink.example>'
    matches "$text" 'RCPT TO:<ops@sink.example>'
    matches "$text" 'RCPT TO:<o.n@sink.example>'
    matches "$text" 'Subject: .*mariadb is stopped'
    matches "$text" 'Needs somebody:'
    matches "$text" 'see `systemctl status mariadb`, then start it'
    panel_json '.ways | length == 2 and all(.failure == null and .waiting == 0)' notify status
}
check "once the mail server is there the mail comes, with TLS and a password" later
once() {
    on systemctl restart lalapanel-agent
    soon panel status >/dev/null
    sleep 15
    counts "1 2"
}
check "after a restart nothing is told twice" once
on systemctl start mariadb
over() {
    in_time counts "2 3"
    matches "$(mail 2)" 'Subject: .*Over: mariadb is stopped'
    hook 3 '.begun == [] and .over[0].key == "service.mariadb" and .over[0].gone != null'
    is "$(panel_json '.matters | length' notify status)" 0
}
check "that it is over is told once, too" over

tries() {
    matches "$(panel notify test)" 'mail to .* was taken: 250 .*taken as letter 3'
    settings '/smtp_password/s/canary/wrong/; /webhook_secret/s/canary/wrong/'
    local out
    out=$(panel notify test) && return 1
    matches "$out" 'refuses the user name or the password'
    matches "$out" 'answered with status 403'
    settings '/ca_file/d'
    out=$(panel notify test) && return 1
    matches "$out" 'The certificate of the mail server `sink.example` is not trusted'
    matches "$out" 'The certificate of `sink.example:2443` is not trusted'
    settings '/^smtp_host/s/$/\nsmtp_security = "none"/'
    out=$(panel notify test --json) && return 1
    is "$(jq -r .error.code <<<"$out")" config.invalid
    settings
}
check "a wrong password, an unknown root and a way without TLS are told in a sentence" tries
nowhere() {
    is "$(sh_on 'grep -ral canary /var/lib/lalapanel --exclude-dir=notify; find /var/lib/lalapanel/notify ! -user root -o -perm /077; grep -ral canary /var/log /run/lalapanel || true; journalctl --no-pager -o cat -u "lalapanel*" | grep canary || true')" ""
    lacks "$(panel notify status --json; panel notify test --json)" 'canary'
    lacks "$(panel audit list; panel op list --json)" 'canary'
}
check "no password and no secret is in the state, a log or an answer" nowhere
off() {
    panel notify off
    matches "$(panel notify status 2>&1)" 'nobody is told'
    lacks "$(on cat /etc/lalapanel/config.toml)" 'smtp_host|canary|mail_to'
    matches "$(on cat /etc/lalapanel/config.toml)" 'smtp_ca_file'
}
check "turned off, nobody is told and no secret is left in the settings" off
