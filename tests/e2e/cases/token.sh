# Programs: a token that root made, and what it opens at /api/v1 from outside.
# Runs on one suite.
use_fresh "$suite-panel"
on lalapanel account create mara --password-file - <<<'mauve otter tin sky'
api() { # api METHOD PATH [BODY]: the status stands in $code, the document in $told
    local all
    all=$(outside curl -sk --max-time 30 -X "$1" -w '\n%{http_code}' -H "Authorization: Bearer $token" \
        ${3:+-H 'Content-Type: application/json' -d "$3"} "https://$address:8443/api/v1/$2")
    code=${all##*$'\n'} told=${all%$'\n'*}
}
field() { jq -er "$1" <<<"$told"; }
ended() { api GET "operations/$1"; [[ $(field .summary.state) =~ ^(done|undone|stuck)$ ]]; }
follows() { # what the last answer began comes to this end
    local id
    id=$(field .operation)
    soon ended "$id"
    is "$(field .summary.state)" "$1"
}

is "$(panel_json '.tokens | length' token list)" 0
token=$(panel_json .token token create ci --scope write)
reader=$(panel token create stats --days 30 2>/dev/null)
made() {
    matches "$token" '^lala_[0-9a-f]{64}$'
    matches "$reader" '^lala_[0-9a-f]{64}$'
    refused 1 token.taken token create ci
    is "$(panel_json '[.tokens[] | .name + " " + .scope] | join(", ")' token list)" "ci write, stats read"
    lacks "$(panel token list --json)" 'lala_'
}
check "tokens are made by root and shown once" made
looks() {
    api GET status
    is "$code $(field .sites)" "200 0"
    is "$(outside curl -sk -o /dev/null -w '%{http_code}' "https://$address:8443/api/v1/status")" 401
    is "$(outside curl -sk "https://$address:8443/api/v1/openapi.json" | jq -r '.paths | has("/sites/{host}")')" true
}
check "with it the server is looked at, without it not" looks
changes() {
    api POST 'sites?plan=true' '{"hostname":"shop.example"}'
    is "$code $(panel_json '.sites | length' site list)" "200 0"
    api POST sites '{"hostname":"shop.example","database":true}'
    is "$code" 202
    matches "$(field .database_password)" '^[a-z2-9]{32}$'
    follows "done"
    answers shop.example 200
    api PATCH sites/shop.example '{"php.memory_limit":"300M"}'
    follows "done"
    api GET sites/shop.example
    is "$(field '.settings["php.memory_limit"]')" "$(panel_json '.settings["php.memory_limit"]' site show shop.example)"
    api GET sites/shop.example/log/access
    is "$code" 200
    api DELETE sites/shop.example
    follows "done"
    api GET trash
    is "$(field '.trash | length')" 1
    matches "$(panel audit list)" 'mara by token ci'
}
check "a site is made, changed and deleted by it, and the trail says so" changes
same_document() { # sites listed by the command line and by the interface are the same document
    api GET sites
    is "$(jq -S .sites <<<"$told")" "$(panel site list --json | jq -S .sites)"
    api GET php
    is "$(jq -S 'keys' <<<"$told")" "$(panel php list --json | jq -S 'keys')"
}
metrics() {
    is "$(outside curl -sk -o /dev/null -w '%{http_code}' "https://$address:8443/metrics")" 401
    matches "$(outside curl -sk -H "Authorization: Bearer $reader" "https://$address:8443/metrics")" 'lalapanel_service_healthy\{service="nginx"\} 1'
}
check "Prometheus reads the figures with a token that may look" metrics
check "its documents are those of the command line" same_document
limits() {
    local own=$token
    token=$reader
    api GET sites
    is "$code" 200
    api POST sites '{"hostname":"other.example"}'
    is "$code $(field .error.code)" "403 token.scope"
    token=$own
    panel token revoke stats
    token=$reader
    api GET sites
    is "$code $(field .error.code)" "401 token.refused"
    token=$own
    panel account create ivo --password-file - <<<'mauve otter tin sky'
    panel account disable mara
    api GET sites
    is "$code" 401
    panel account enable mara
    panel admin unban
    api GET sites
    is "$code" 200
}
check "one that may look changes nothing; revoked, or of a disabled account, it is nobody's" limits
guesses() {
    local own=$token n codes=
    for n in 1 2 3 4 5 6 7 8 9 10 11 12; do
        token=lala_$(printf '%064d' "$n")
        api GET sites
        codes="$codes $code"
    done
    matches "$codes" '^( 401){8,10}( 429)+$'
    token=$own
    api GET sites
    is "$code" 200
    panel admin unban
}
check "guesses are limited, and who has a right one is let in meanwhile" guesses
nowhere() {
    local word=${token#lala_}
    sh_on '! grep -raqF -- "$1" /var/lib/lalapanel /etc/lalapanel /var/log /run/lalapanel && ! journalctl --no-pager | grep -qF -- "$1"' "$word"
}
check "a token is in no file and in no log" nowhere
