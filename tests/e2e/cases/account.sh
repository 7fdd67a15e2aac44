# Accounts of people: made, disabled, let in again, deleted, each seen at the panel's door.
# Runs on one suite.
use_fresh "$suite-panel"
word='mauve otter tin sky'
jar=$logs/$suite.account.jar

say() { on lalapanel account "$@" --password-file - <<<"$word"; }
door() { outside curl -sk --max-time 40 -b "$jar" -c "$jar" "$@"; }
# comes_in NAME: the form is sent as a browser does; what the first page then answers
comes_in() {
    rm -f "$jar"
    local form token
    form=$(door "https://$address:8443/login")
    token=$(sed -n 's/.*name="token" value="\([^"]*\)".*/\1/p' <<<"$form" | head -n 1)
    door -o /dev/null -H 'Sec-Fetch-Site: same-origin' -H "Origin: https://$address:8443" \
        --data-urlencode "token=$token" --data-urlencode "name=$1" --data-urlencode "password=$word" "https://$address:8443/login"
    door -o /dev/null -w '%{http_code}' "https://$address:8443/"
}
still_in() { door -o /dev/null -w '%{http_code}' "https://$address:8443/"; }

made() {
    say create mara
    say create ivo
    is "$(panel_json '[.accounts[].name] | sort | join(" ")' account list)" "ivo mara"
    is "$(comes_in ivo)" 200
}
check "an account that was made comes in" made
disabled() {
    panel account disable ivo
    is "$(panel_json '.accounts[] | select(.name == "ivo") | .disabled' account list)" true
    not is "$(still_in)" 200
    not is "$(comes_in ivo)" 200
    is "$(comes_in mara)" 200
}
check "a disabled one is out at once, and the other comes in" disabled
last() {
    local out
    out=$(panel account disable mara --json 2>/dev/null) && return 1
    is "$(jq -r .error.code <<<"$out")" account.last_owner
    out=$(panel account delete mara --json 2>/dev/null) && return 1
    is "$(jq -r .error.code <<<"$out")" account.last_owner
    is "$(still_in)" 200
}
check "the last one that may come in stays" last
again() {
    panel account enable ivo
    is "$(comes_in ivo)" 200
    panel account delete ivo
    not is "$(still_in)" 200
    matches "$(panel audit list)" 'account disable'
    panel audit verify
}
check "let in again it comes in, deleted it does not" again
