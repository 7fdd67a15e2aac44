# Programs: a token made by root, and what it opens at /api/v1 from outside.
use_fresh "$suite-panel"
account_with_password mara
api() { # METHOD PATH [BODY] → status in $status, document in $answer
    local method=$1 path=$2 body=${3:-}
    answer=$(outside curl -sk --max-time 30 -X "$method" -w '\n%{http_code}' -H "Authorization: Bearer $token" \
        ${body:+-H 'Content-Type: application/json' -d "$body"} "https://$panel_name:8443/api/v1/$path")
    status=${answer##*$'\n'} answer=${answer%$'\n'*}
}
