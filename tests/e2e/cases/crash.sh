# kill -9 of the agent, and power cuts of the whole host, at the journal's events (the
# durable writes to the state file) of "site create" and "site delete": afterwards the
# machine is exactly the old or exactly the new one, and the same operation succeeds.
#
# Odd events are taken as their write begins (the step before has acted), even ones when
# they are on the disk (their own step has not). The suites share the work: what the one
# kills, the other cuts the power of. LALAPANEL_E2E_EVERY_POINT=1: each suite does all.
stride=2
[ -z "${LALAPANEL_E2E_EVERY_POINT:-}" ] || stride=1
create=(lalapanel site create shop.example)
delete=(lalapanel site delete shop.example --yes --now)
report=$logs/$suite.crash.txt
: >"$report"
: >"$report.looks"

ready() { panel site list >/dev/null 2>&1; }
up_again() { # systemd would start it again after a second
    on systemctl start lalapanel-agent
    soon ready
}
fresh() {
    use_fresh "$suite-panel"
    push_cutpoint
    soon ready
}

# which OLD NEW: is the machine of now the old or the new one?
# What a deletion left is destroyed in the background, so a second look counts as well.
which() {
    local m i
    for i in $(seq 6); do
        m=$(machine)
        if [ "$m" = "$1" ]; then
            echo old
            return
        elif [ "$m" = "$2" ]; then
            echo new
            return
        fi
        echo "look $i: $(diff <(echo "$1") <(echo "$m") | head -5)" >>"$report.looks"
        sleep 0.5
    done
    echo "neither old nor new; against the old:"
    diff <(echo "$1") <(echo "$m") | head -10
    echo "against the new:"
    diff <(echo "$2") <(echo "$m") | head -10
    return 1
}

# one_point OPERATION SIDE N WAY: prints "finished" past the last event, else "old" or
# "new". Afterwards the operation is done in any case.
one_point() {
    local side=$2 n=$3 way=$4 where state from=$without to=$with
    local -a operation=("${create[@]}")
    if [ "$1" = delete ]; then
        operation=("${delete[@]}") from=$with to=$without
    fi
    where=$(stop_at "$side" "$n" journal "${operation[@]}")
    [ "$where" != finished ] || { echo finished; return; }
    [ "$where" = reached ] || { echo "$where"; return 1; }
    if [ "$way" = kill ]; then
        kill_held
        up_again || { echo "the agent does not come back"; return 1; }
    else
        "$here/host" powercut "$host"
        "$here/host" boot "$host" || { echo "the host does not boot"; return 1; }
        soon ready || { echo "the agent does not come back"; return 1; }
    fi
    state=$(which "$from" "$to") || { echo "$state"; return 1; }
    # The same again: to the new machine, or refused because it is the new one.
    if [ "$state" = old ]; then
        on "${operation[@]}" >/dev/null 2>&1 || { echo "the same operation fails"; return 1; }
    elif on "${operation[@]}" >/dev/null 2>&1; then
        echo "done twice"
        return 1
    fi
    echo "$state"
}

# points before|after kill|powercut: create and delete in turn, so that the one is the
# other's way back.
points() {
    local side=$1 way=$2 n=1 said operation bad=0 old=0 new=0 t over=
    [ "$side" = before ] || n=$stride
    t=$(now)
    while [ $n -lt 200 ] && [ "$over" != createdelete ] && [ "$over" != deletecreate ]; do
        for operation in create delete; do
            case $over in *$operation*)
                if [ $operation = create ]; then on "${create[@]}"; else on "${delete[@]}"; fi >/dev/null 2>&1
                continue
                ;;
            esac
            if said=$(one_point $operation "$side" $n "$way"); then
                case $said in
                    old) old=$((old + 1)) ;;
                    new) new=$((new + 1)) ;;
                    finished) over=$over$operation ;;
                esac
                continue
            fi
            printf '%s, event %s: %s\n' $operation $n "$said"
            on lalapanel op list 2>&1 | head -5
            [ $((bad += 1)) -lt 3 ] || break 2
            fresh
            [ $operation = delete ] || on "${create[@]}" >/dev/null 2>&1
        done
        n=$((n + stride))
    done
    machine_is "$without"
    echo "$way $side: $((old + new + bad)) events, $old ended old, $new new, $bad wrong, $(since "$t") s" | tee -a "$report"
    [ $bad = 0 ] && [ $((old + new)) -gt 20 ]
}

fresh
without=$(machine)
on "${create[@]}" >/dev/null 2>&1
with=$(machine)
on "${delete[@]}" >/dev/null 2>&1
before=kill after=powercut
[ "$suite" = bookworm ] || before=powercut after=kill
both="every other journal event of site create and site delete: the old or the new machine"
check "$before before $both" points before $before
check "$after after $both" points after $after
if [ $stride = 1 ]; then
    check "$after before $both" points before $after
    check "$before after $both" points after $before
fi
sed 's/^/      /' "$report"
