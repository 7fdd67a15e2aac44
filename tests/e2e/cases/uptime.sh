# Sites looked at from outside: found up, found down and told, and never called failing before they were reached once.
# Runs on one suite.
use_fresh "$suite-panel"
sh_on '
    printf "\n[uptime]\nevery_seconds = 10\n" >>/etc/lalapanel/config.toml
    echo "$1 up.example never.example" >>/etc/hosts
    systemctl restart lalapanel-agent
' "$address"
soon panel status >/dev/null
panel site create up.example --type static >/dev/null 2>&1
panel site create never.example --type proxy --target 127.0.0.1:9 >/dev/null 2>&1
stands() { is "$(panel uptime --json | jq -r --arg h "$1" '.sites[] | select(.hostname == $h) | .standing')" "$2"; }
told() { panel doctor --json 2>/dev/null | jq -r '.findings[] | select(.check == "uptime") | .title'; }

reached() {
    patiently stands up.example up
    is "$(panel uptime up.example --json | jq -r '.sites[0] | "\(.last.status) \(.uptime.day)"')" '200 10000'
    patiently stands never.example waiting
    is "$(told)" ''
    matches "$(visit up.example / -o /dev/null -w '%{http_code}'; sh_on 'tail -n 20 /var/log/lalapanel/up.example/access.log')" 'uptime'
}
check "a site that answers is up; one that never did is not called failing" reached

gone() {
    on systemctl stop nginx
    patiently stands up.example down
    matches "$(told)" 'up.example is not reached from outside since .*: nobody takes the connection'
    lacks "$(told)" never.example
    on systemctl start nginx
    patiently stands up.example up
    is "$(told)" ''
    [ "$(panel uptime up.example --json | jq '.sites[0].uptime.day')" -lt 10000 ]
}
check "what stops answering is told until it answers again" gone

kept() {
    on systemctl restart lalapanel-agent
    soon panel status >/dev/null
    stands up.example up
    [ "$(panel uptime up.example --json | jq '.sites[0].looks | length')" -ge 1 ]
    [ "$(panel uptime up.example --json | jq '.sites[0].uptime.week')" -lt 10000 ]
    panel site set up.example web.uptime_path= >/dev/null 2>&1
    stands up.example off
    panel site set up.example web.uptime_path=/missing >/dev/null 2>&1
    missing() { is "$(panel uptime up.example --json | jq -r '.sites[0] | "\(.standing) \(.last.status)"')" 'up 404'; }
    patiently missing
}
check "what was seen outlives the agent, and a site may choose its page or none" kept
