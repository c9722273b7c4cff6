#!/usr/bin/env bats
# kandil-collab sync as processes: files and patches that converge over a hub on loopback, through
# kills, cuts and what people do to files. The merging itself is tests/unit/converge.c.
load lib/common
load lib/servers

setup() {
	common_setup
	hub
}

teardown() {
	stop_hubs
}

# replica NAME [OPTION...]: keeps NAME.json; its messages are in NAME.err, its process in $PID.
replica() {
	local name=$1
	kandil-collab sync plan --as="$name" --state-dir="state.$name" --state="$name.json" --status "${@:2}" \
		</dev/null >"$name.status" 2>>"$name.err" 3>&- 4>&- &
	PID=$!
	echo $PID >>pids
	eventually test -s "$name.status"
}

# joined NAME: it is connected, and has a file.
joined() {
	eventually grep -q '"state":"up"' "$1.status"
	eventually test -e "$1.json"
}

# piped NAME: reads patches from descriptor 9, writes them to NAME.out.
piped() {
	rm -f "$1.in"
	mkfifo "$1.in"
	kandil-collab sync plan --as="$1" --state-dir="state.$1" --patches "${@:2}" \
		<"$1.in" >"$1.out" 2>>"$1.err" 3>&- 4>&- &
	PID=$!
	echo $PID >>pids
	exec 9>"$1.in"
}

# once NAME [OPTION...]: the same until all agree.
once() {
	timeout 120 kandil-collab sync plan --as="$1" --state-dir="state.$1" --state="$1.json" --once "${@:2}" \
		</dev/null
}

# eventually COMMAND...: within a minute it succeeds.
eventually() {
	local tries=1200
	until "$@" >/dev/null 2>&1; do
		[ $((tries -= 1)) -gt 0 ] || { echo "never: $*" >&2; tail -n +1 ./*.json ./*.err >&2; return 1; }
		sleep 0.05
	done
}

# holds FILE JSON: the file says that.
holds() {
	[ "$(jq -cS . "$1")" = "$(jq -cSn "$2")" ]
}

# edit FILE JQ: as an editor does it, by another file in its place.
edit() {
	jq "$2" "$1" >"$1.new" && mv "$1.new" "$1"
}

alike() {
	local file
	for file in "${@:2}"; do
		[ "$(jq -cS . "$file")" = "$(jq -cS . "$1")" ] || return 1
	done
}

@test "edits of files and patches come to all: members, deletions, arrays, numbers as they are" {
	echo '{"title":"Sprint","days":[1,2,3],"old":{"x":1}}' >amira.json
	replica amira
	joined amira
	replica bob
	joined bob
	piped carla
	eventually test -s carla.out # its first line has all, its own as well
	eventually holds bob.json '{title:"Sprint",days:[1,2,3],old:{x:1}}'
	echo '{"points":1e400,"old":{"y":9007199254740993}}' >&9
	eventually grep -q '"points": 1e400' bob.json
	eventually grep -q 9007199254740993 amira.json
	edit bob.json 'del(.old.x) | .days = [3] | del(.points)'
	eventually holds amira.json '{title:"Sprint",days:[3],old:{y:9007199254740993}}'
	# Written in place, not by another file.
	printf '{"title":"Sprint 2","days":[3],"old":{}}' >amira.json
	eventually holds bob.json '{title:"Sprint 2",days:[3],old:{}}'
	# What the pipe heard makes the same document; what it said itself is not among it.
	eventually eval "jq -cs 'def m(a; b): reduce (b | to_entries[]) as {\$key, \$value} (a | objects // {};
		if \$value == null then del(.[\$key]) elif (\$value | type) == \"object\"
		then .[\$key] = m(.[\$key]; \$value) else .[\$key] = \$value end);
		[reduce .[] as \$p ({}; m(.; \$p)) | .title, .days] == [\"Sprint 2\", [3]]' carla.out | grep true"
	run ! grep -q points.:1e400 carla.out
	same '' "$(cat ./*.err | grep -v listening)"
	exec 9>&-
}

@test "two who were apart: what each changed survives, of one member the later; bytes are the same" {
	once amira
	replica bob
	joined bob
	kill $PID && wait $PID || true
	kill -KILL "$HUB"
	echo '{"a":1,"both":"amira","amira":{"z":1,"a":[2]}}' >amira.json
	kandil-collab sync plan --as=amira --state-dir=state.amira --state=amira.json --for=500ms </dev/null ||
		same 3 $?
	sleep 0.1
	echo '{"both":"bob","bob":true,"amira":{"m":0}}' >bob.json
	kandil-collab sync plan --as=bob --state-dir=state.bob --state=bob.json --for=500ms </dev/null || same 3 $?
	hub "$PORT"
	replica amira
	joined amira
	once bob
	eventually holds amira.json '{a:1,both:"bob",bob:true,amira:{z:1,a:[2],m:0}}'
	rm bob.json
	kill $PID && wait $PID || true
	replica amira
	joined amira
	once bob
	cmp <(jq . bob.json) bob.json # members in the order of their names
	same '{"a":1,"amira":{"a":[2],"m":0,"z":1},"bob":true,"both":"bob"}' "$(jq -c . bob.json)"
}

@test "kill -9 at random, of all and of the hub, while all edit: nothing is lost, all agree" {
	local who n pids=() names=(amira bob carla)
	for who in 0 1 2; do
		replica "${names[who]}"
		pids[who]=$PID
	done
	for who in "${names[@]}"; do joined "$who"; done
	for n in $(seq 1 15); do
		# Whoever edits knows what there is: else the edit would take it back.
		eventually alike amira.json bob.json carla.json
		who=$((RANDOM % 3))
		edit "${names[who]}.json" ".${names[who]}.n$n = $n | .all = $n"
		sleep 0.0$((RANDOM % 10))
		case $((RANDOM % 3)) in
		0) who=$((RANDOM % 3)) ;&
		1)
			kill -KILL "${pids[who]}"
			wait "${pids[who]}" || true
			replica "${names[who]}"
			pids[who]=$PID
			;;
		2)
			kill -KILL "$HUB"
			wait "$HUB" || true
			hub "$PORT"
			;;
		esac
		eventually eval "[ \"\$(jq .all ${names[(who + 1) % 3]}.json)\" = $n ]"
	done
	eventually alike amira.json bob.json carla.json
	sleep 0.3
	alike amira.json bob.json carla.json
	same "$(seq 1 15)" "$(jq '.amira, .bob, .carla | .[]?' bob.json | sort -n)"
}

@test "somebody new gets a snapshot, larger than one message; also from a member that was new itself" {
	jq -n '[range(4000) | {("k\(.)"): {text: ("x" * 200)}}] | add' >amira.json
	once amira
	replica amira
	joined amira
	once bob
	cmp <(jq -cS . amira.json) <(jq -cS . bob.json)
	kill $PID && wait $PID || true
	replica bob
	joined bob
	once carla --max-payload=256000
	cmp <(jq -cS . bob.json) <(jq -cS . carla.json)
}

@test "a file that is there when somebody new comes: the session's members count, the rest is added" {
	echo '{"a":"old","list":[1],"deep":{"x":1}}' >amira.json
	once amira
	replica amira
	joined amira
	echo '{"a":"stale","deep":{"y":2},"new":{"b":1}}' >carla.json
	run once carla
	same 0 $status
	[[ $output == *"1 members of 'carla.json' differ"*"'carla.json.before'"* ]]
	same '{"a":"stale","deep":{"y":2},"new":{"b":1}}' "$(jq -c . carla.json.before)"
	holds carla.json '{a:"old",list:[1],deep:{x:1,y:2},new:{b:1}}'
	eventually holds amira.json '{a:"old",list:[1],deep:{x:1,y:2},new:{b:1}}'
}

@test "an empty object that is there when somebody new comes: --once ends" {
	echo '{}' >amira.json
	run -0 once amira
	same '' "$output"
	holds amira.json '{}'
	echo '{"a":1}' >bob.json
	once bob
	replica bob
	joined bob
	echo '{}' >carla.json
	run -0 once carla
	same '' "$output"
	holds carla.json '{a:1}'
}

@test "a file that a person broke is told once, left alone, and merged when it is mended" {
	echo '{"a":1}' >amira.json
	once amira
	replica amira
	joined amira
	piped bob
	eventually grep -q '"a":1' bob.out
	printf '{\n  "a": 2,\n  "b": oops\n}\n' >amira.json
	eventually grep -q 'amira.json:3:8: ' amira.err
	echo '{"c":3}' >&9
	sleep 0.8
	same "$(printf '{\n  "a": 2,\n  "b": oops\n}\n')" "$(cat amira.json)"
	same 1 "$(grep -c 'amira.json' amira.err)"
	printf '{\n  "a": 2,\n  "b": "mended"\n}\n' >amira.json
	eventually holds amira.json '{a:2,b:"mended",c:3}'
	eventually grep -q mended bob.out
	# Not an object, or null: likewise.
	echo '[1]' >amira.json
	eventually grep -q 'must hold a JSON object' amira.err
	echo '{"a":null}' >amira.json
	eventually grep -q "null at '/a'" amira.err
	echo '{"a":5}' >amira.json
	eventually grep -q '{"a":5,"b":null,"c":null}' bob.out
	# Gone is no edit.
	rm amira.json
	eventually holds amira.json '{a:5}'
	exec 9>&-
}

# keeper OPTION...: the hub anew, at the same address.
keeper() {
	kill "$HUB"
	wait "$HUB" || true
	: >hub.err
	kandil-collab serve --listen=127.0.0.1:"$PORT" "$@" 2>hub.err 3>&- 4>&- &
	HUB=$!
	echo $HUB >>pids
	hub_listens hub.err
}

# metric NAME: that counter of the hub's.
metric() {
	curl -sf "$KANDIL_COLLAB_URL/metrics" | awk -v name="kandil_collab_$1_total" '$1 == name { print $2 }'
}

# changes NAME FROM TO: says the members k0 to k9, over and over, each with the number of its change.
changes() {
	jq -cn "range($2; $3 + 1) | {(\"k\\(. % 10)\"): .}" |
		timeout 120 kandil-collab sync plan --as="$1" --state-dir="state.$1" --state="$1.json" --patches --once >/dev/null
}

@test "at different times of the day: the hub's history brings what a member did alone, to new ones and others" {
	keeper --history=1000
	echo '{"a":1,"deep":{"x":[1]},"gone":1}' >amira.json
	once amira
	once dora
	edit amira.json '.a = 2 | del(.gone) | .deep.y = "é"'
	once amira
	run -0 once bob
	same '' "$output"
	holds bob.json '{a:2,deep:{x:[1],y:"é"}}'
	echo '{"a":"stale","mine":1}' >carla.json
	run -0 once carla
	[[ $output == *"1 members of 'carla.json' differ"* ]]
	holds carla.json '{a:2,deep:{x:[1],y:"é"},mine:1}'
	run -0 once dora
	same '' "$output"
	run -0 once amira
	same '' "$output"
	alike amira.json carla.json dora.json
	# Two that are new at once are no company for each other.
	replica new1
	replica new2
	eventually alike carla.json new1.json new2.json
}

@test "a history in files: over a restart of the hub" {
	keeper --history=1h --history-dir=kept
	changes amira 1 40
	keeper --history=1h --history-dir=kept
	run -0 once bob
	same '' "$output"
	holds bob.json '[range(31; 41) | {("k\(. % 10)"): .}] | add'
	edit bob.json '.b = 1'
	once bob
	keeper --history=1h --history-dir=kept
	once amira
	alike amira.json bob.json
}

@test "a history that is short: a snapshot in it has what it forgot, for a new member and one that was away" {
	keeper --history=80
	once bob
	changes amira 1 300
	local who
	for who in bob carla; do
		run -0 once $who
		same '' "$output"
		holds $who.json '[range(291; 301) | {("k\(. % 10)"): .}] | add'
	done
	# Not each of many short runs says all of it.
	jq -cn '{big: ("x" * 20000)}' >amira.json
	once amira
	local before after n
	before=$(metric bytes_in)
	for n in 1 2 3 4 5 6 7 8; do
		edit amira.json ".n = $n"
		once amira
	done
	after=$(metric bytes_in)
	echo "$((after - before)) bytes"
	[ $((after - before)) -lt 40000 ]
}

# snapshots NAME: how many it said.
snapshots() {
	find "state.$1" -path '*/out/*.seg1' -exec cat {} + | grep -ao '"snapshot":\[[^]]*\],"part":0,' | wc -l
}

@test "snapshots for the history: of those here the first in order, once; the last to leave; after hours" {
	local before n
	keeper --history=30
	# TERM, too.
	piped amira
	jq -cn 'range(40) | {("k\(. % 10)"): .}' >&9
	eventually eval '[ "$(metric broadcasts)" -gt 40 ]'
	exec 9>&-
	kill $PID && wait $PID || true
	same 1 "$(snapshots amira)"
	run -0 once bob
	same '' "$output"
	holds bob.json '[range(30; 40) | {("k\(. % 10)"): .}] | add'
	# Three who are here.
	replica bob
	joined bob
	replica carla
	joined carla
	piped dora
	eventually grep -q k9 dora.out # she has theirs
	before=$(snapshots carla)
	n=$(snapshots bob)
	jq -cn 'range(100) | {("k\(. % 10)"): .}' >&9
	eventually holds carla.json '[range(90; 100) | {("k\(. % 10)"): .}] | add'
	eventually eval "[ \$(snapshots bob) -gt $n ]"
	same "$before 0" "$(snapshots carla) $(snapshots dora)"
	exec 9>&-
	while read -r n; do kill "$n" 2>/dev/null && wait "$n" || true; done < <(tail -n 3 pids)
	sanitized && return
	# A small change is not worth one, but after a day.
	jq '.big = ("x" * 5000)' bob.json >bob.new && mv bob.new bob.json
	once bob
	before=$(snapshots bob)
	edit bob.json '.n = 1'
	once bob
	same "$before" "$(snapshots bob)"
	edit bob.json '.n = 2'
	shifted 86400 once bob
	same $((before + 1)) "$(snapshots bob)"
}

@test "runs that change nothing do not push the state out of a history" {
	keeper --history=20
	jq -cn '[range(20) | {("k\(.)"): .}] | add' >amira.json
	local n
	for ((n = 0; n < 25; n++)); do
		once amira
	done
	run -0 once bob
	same '' "$output"
	holds bob.json "$(cat amira.json)"
	# It is not said each time.
	[ "$(snapshots amira)" -gt 2 ]
	[ "$(snapshots amira)" -lt 20 ]
}

@test "a history that is too short: what is missing is said once, and comes with a member that has it" {
	keeper --history=20
	jq -cn '[range(64) | {("k\(.)"): ("x" * 500)}] | add' >amira.json
	once amira
	jq -cn 'range(30) | {("n\(.)"): .}' |
		kandil-collab sync plan --as=amira --state-dir=state.amira --state=amira.json --patches --once >/dev/null
	run -1 once bob
	same 1 "${#lines[@]}"
	[[ $output == *"the hub's history does not reach back"*"--history"* ]]
	[ "$(jq length bob.json)" -gt 9 ]
	[ "$(jq length bob.json)" -lt 30 ]
	replica bob
	joined bob
	replica carla
	joined carla
	# Both have what there is, and wait.
	eventually alike bob.json carla.json
	replica amira
	eventually alike amira.json bob.json carla.json
	same 94 "$(jq length carla.json)"
	eventually grep -q 'what was missing has come' bob.err
	same 1 "$(grep -c 'does not reach back' bob.err)"
	kill $PID && wait $PID || true
	run -0 once dora
	holds dora.json "$(cat amira.json)"
}

@test "a folder that is not there is an error at once; one that goes is said once, and written when it is there" {
	local option
	for option in --once --patches; do
		run -3 timeout 30 kandil-collab sync plan --as=amira --state-dir=state.amira --state=new/a.json $option \
			</dev/null
		[[ $output == *"'new/a.json' cannot be kept: its folder 'new'"*"make it first"* ]]
	done
	[ ! -e state.amira ]
	mkdir new
	replica amira --state=new/a.json
	eventually holds new/a.json '{}'
	rm -r new
	eventually grep -q "new/a.json.*it is tried again" amira.err
	mkdir new
	eventually holds new/a.json '{}'
	same 1 "$(wc -l <amira.err)"
}

@test "--once with a file that cannot be written: all agree, the state is kept, status 3" {
	local long # there is no room for the name of the new one
	long=$(head -c 255 /dev/zero | tr '\0' x)
	echo '{"a":1}' >bob.json
	replica bob
	joined bob
	run -3 timeout 30 kandil-collab sync plan --as=amira --state-dir=state.amira --state="$long" --once </dev/null
	same 1 "${#lines[@]}"
	[[ $output == *"cannot write"*"the state is kept"* ]]
	grep -q '"/a",.*1' "$(find state.amira -name state -type f)"
	run -0 once amira
	holds amira.json '{a:1}'
}

@test "--once with a broken file says so at the end, and leaves it alone: status 1" {
	printf '{\n  "a": oops\n}\n' >amira.json
	run -1 once amira
	[[ $output == *"amira.json:2:8: "* ]]
	same 1 "${#lines[@]}"
	grep -q oops amira.json
	echo '[1]' >bob.json
	run -1 once bob
	[[ $output == *"'bob.json' is not written over until it is mended: it must hold a JSON object"* ]]
	same 1 "${#lines[@]}"
}

@test "--once that --for cuts short has agreed with nobody: status 3 where it never joined, and a line why" {
	local url=$KANDIL_COLLAB_URL
	KANDIL_COLLAB_URL=http://127.0.0.1:1
	run -3 once amira --for=500ms
	[[ ${lines[1]} == *"the time of --for is over before all who are here agree: the hub is not there" ]]
	# A file that waited for the others was not refused by the disk.
	echo '{"a":1}' >bob.json
	run -3 once bob --for=500ms -q
	same 1 "${#lines[@]}"
	[[ $output == *"the time of --for is over before all who are here agree: the hub is not there" ]]
	# Nor is it success without --once.
	run -3 kandil-collab sync plan --as=amira --state-dir=state.amira --state=amira.json --for=500ms -q
	same 1 "${#lines[@]}"
	[[ $output == *"the time of --for is over: the topic was not joined: "* ]]
	KANDIL_COLLAB_URL=$url
	run -0 once bob --for=30s
	same '' "$output"
}

@test "status records of sync say why as those of join do" {
	kandil-collab sync plan --url=http://127.0.0.1:1 --as=amira --state-dir=state.amira --patches --status --for=1s \
		</dev/null >out 2>/dev/null || same 3 $?
	same true "$(jq -s 'any(.[]; .state == "down" and (.reason | test("nobody answers")))' out)"
	same 0 "$(jq -s 'map(select(.kind == "status" and has("message"))) | length' out)"
}

@test "patches: the first line is the whole state, also of who is new here" {
	echo '{"a":1,"b":{"c":2}}' >amira.json
	replica amira
	joined amira
	# A file that is new here waits a while for what others have.
	told() { once carla && holds carla.json '{"a":1,"b":{"c":2}}'; }
	eventually told
	run -0 --separate-stderr kandil-collab sync plan --as=bob --state-dir=state.bob --patches --once </dev/null
	same '{"a":1,"b":{"c":2}}' "$output"
}

@test "a state that is no file is refused at once" {
	mkdir folder
	run -3 kandil-collab sync plan --url=http://127.0.0.1:1 --as=amira --state-dir=state.amira --state=folder --for=3s
	same "kandil-collab: --state: 'folder' is no regular file: name one, or one that is not there yet" "$output"
}

@test "patches: what is none is an error record, and the rest flows" {
	printf '%s\n' '{"a":1}' 'no json' '[1]' '{"b":2}' >in
	printf '{"big":"%s"}\n' "$(head -c 200000 /dev/zero | tr '\0' x)" >>in
	run -1 --separate-stderr kandil-collab sync plan --as=amira --state-dir=state.amira --patches --once <in
	same 'not_json
not_object
too_large' "$(printf '%s\n' "${lines[@]}" | jq -r 'select(.error) | .error.code')"
	run -0 --separate-stderr kandil-collab sync plan --as=amira --state-dir=state.amira --patches --once </dev/null
	same '{"a":1,"b":2}' "${lines[0]}"
}

@test "--once leaves alone at once, --for after its time, and a signal by the signal" {
	echo '{"a":1}' >amira.json
	once amira
	holds amira.json '{a:1}'
	run -0 kandil-collab sync plan --as=amira --state-dir=state.amira --state=amira.json --for=5s
	replica amira
	joined amira
	kill -TERM $PID
	wait $PID && false || same 143 $?
	run -2 kandil-collab sync
	run -2 kandil-collab sync plan --for=soon --patches
	run -2 kandil-collab sync plan --vsn=3 --patches
	[[ $output == *"the versions are 1 and 2"* ]]
}

@test "version 1 and version 2 of the protocol agree, as private topic and not" {
	printf '%s\n' '{"a":"é\n\"q\""}' >amira.json
	once amira
	replica amira --vsn=1
	joined amira
	once bob
	holds bob.json '{a:"é\n\"q\""}'
	echo '{"secret":1}' >carla.json
	once carla --private
	holds carla.json '{secret:1}'
	holds bob.json '{a:"é\n\"q\""}'
}

@test "one state folder, two processes: the second is refused" {
	replica amira
	run -2 kandil-collab sync plan --as=amira --state-dir=state.amira --patches </dev/null
	[[ $output == *"in use by process $PID"*"--as=NAME"* ]]
}

@test "a full disk: said, nothing is sent that is not stored, and it goes on" {
	mkdir -p state.amira
	(
		trap '' XFSZ
		ulimit -f 16
		exec kandil-collab sync plan --as=amira --state-dir=state.amira --patches --for=10s 3>&- 4>&- \
			< <(jq -cn 'range(200) | {"k\(.)": ("x" * 500)}' && sleep 11) >amira.out 2>amira.err
	) &
	echo $! >>pids
	local amira=$!
	eventually grep -q 'nothing more is taken until there is room' amira.err
	once bob
	wait $amira || true
	[ "$(jq length bob.json)" -lt 200 ]
	# What was said is a whole number of lines from the beginning, and comes once there is room.
	# What bob said meanwhile was not stored either: he is there to say it again.
	replica bob
	joined bob
	run timeout 120 kandil-collab sync plan --as=amira --state-dir=state.amira --state=amira.json --once \
		--patches < <(jq -cn 'range(200) | {"k\(.)": ("x" * 500)}')
	same 0 $status
	same 200 "$(jq length amira.json)"
	eventually sh -c 'jq -e "length == 200" bob.json'
}

@test "a damaged replica is set aside, and the others' is taken" {
	echo '{"a":1}' >amira.json
	replica amira
	joined amira
	once bob
	state=$(find state.bob -name state -type f)
	truncate -s -30 "$state"
	run once bob
	same 0 $status
	[[ $output == *"is damaged"*"set aside"* ]]
	ls "$state".damaged-*
	holds bob.json '{a:1}'
	holds amira.json '{a:1}'
}

@test "a new identity for a damaged outbox: its edits stay, once" {
	echo '{"a":1}' >amira.json
	once amira
	seg=$(find state.amira -path '*/out/*.seg1' | head -n 1)
	printf 'XXXX' | dd of="$seg" bs=1 seek=$(($(stat -c %s "$seg") - 20)) conv=notrunc 2>/dev/null
	edit amira.json '.b = 2'
	run once amira
	same 0 $status
	[[ $output == *"we are 'amira."* ]]
	replica amira
	joined amira
	once bob
	holds bob.json '{a:1,b:2}'
}

# Nobody waits a day for deletions to be forgotten: what a replica that did would say is put
# into its file.
@test "whose edits the others gave up says them again, under a new name" {
	echo '{"a":1,"b":{"c":[1]}}' >amira.json
	replica amira
	joined amira
	once bob
	store=$(find state.bob -name state -type f) from=$(sed -n 's/.*"from":"\(amira[^"]*\)".*/\1/p' amira.status | head -n 1)
	jq -c --arg from "$from" 'if .rows then (.nodes | index($from)) as $n
		| .rows |= map(if .[0] == "v" and .[1] == $n then ["c", $n, 0, 0, 0]
			elif .[0] == "r" then empty else . end) else .base = {} end' "$store" >changed
	mv changed "$store"
	rm bob.json
	once bob
	eventually grep -q 'we go on under a new name' amira.err
	eventually eval '[ "$(grep -c "\"state\":\"open\"" amira.status)" = 2 ]'
	once bob
	holds bob.json '{a:1,b:{c:[1]}}'
	holds amira.json '{a:1,b:{c:[1]}}'
	kill $PID && wait $PID || true
	once amira
	holds amira.json '{a:1,b:{c:[1]}}'
}

# says PATCH: carl, who has no state of his own, sends it.
says() {
	echo "{\"stamp\":[$(date +%s%3N),0],\"patch\":$1}" |
		timeout 60 kandil-collab join plan:state --as=carl --state-dir=state.carl --event=state --once
}

@test "what a member says whom the others gave up is seen at once, where it is not too old" {
	replica amira
	joined amira
	says '{"a":1}'
	eventually holds amira.json '{a:1}'
	kill $PID && wait $PID || true
	store=$(find state.amira -name state -type f)
	jq -c 'if .rows then (.nodes | map(startswith("carl.")) | index(true)) as $n
		| .rows |= map(if .[0] == "v" and .[1] == $n then ["c", $n] + .[2:] else . end) else . end' "$store" >changed
	grep -q '\["c",' changed
	mv changed "$store"
	replica amira
	eventually eval '[ "$(grep -c "\"state\":\"up\"" amira.status)" = 1 ]'
	says '{"b":2}'
	eventually holds amira.json '{a:1,b:2}'
}

# shifted SECONDS COMMAND...: its wall clock is ahead by so much.
shifted() {
	[ -e shift.so ] || cc -shared -fPIC -o shift.so -x c - -ldl <<-'C'
		#define _GNU_SOURCE
		#include <dlfcn.h>
		#include <stdlib.h>
		#include <time.h>

		int
		clock_gettime(clockid_t clock, struct timespec *ts)
		{
			int (*real)(clockid_t, struct timespec *);
			int rc;

			*(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
			rc = real(clock, ts);
			if (rc == 0 && clock == CLOCK_REALTIME && getenv("SHIFT"))
				ts->tv_sec += atol(getenv("SHIFT"));
			return rc;
		}
	C
	SHIFT=$1 LD_PRELOAD=$PWD/shift.so "${@:2}"
}

@test "a clock that is ahead: told once; what it wrote comes when ours is near, whoever brings it" {
	sanitized && skip "sanitizers want to be loaded first"
	replica bob
	joined bob
	shifted 70 replica carla
	joined carla
	edit carla.json '.a = 1'
	sleep 0.2
	edit carla.json '.a = 2 | .b = 1'
	eventually grep -q "'carla\..*s ahead of the clock here" bob.err
	holds bob.json '{}'
	eventually holds bob.json '{a:2,b:1}'
	same 1 "$(grep -c ahead bob.err)"
	# Somebody new takes it from a snapshot, once that is near.
	edit carla.json '.c = 1'
	replica dora
	eventually holds dora.json '{a:2,b:1,c:1}'
	eventually holds bob.json '{a:2,b:1,c:1}'
}

@test "a clock that is wrong by far: --once does not wait for it, and ends with 1; set right it says what to do" {
	sanitized && skip "sanitizers want to be loaded first"
	shifted 100000 replica carla
	joined carla
	edit carla.json '.a = 1'
	eventually grep -rqa '"a"' state.carla
	run once bob
	same 1 $status
	[[ $output == *"'carla."*"s ahead of the clock here: one of the two is wrong"* ]]
	holds bob.json '{}'
	kill $PID && wait $PID || true
	edit carla.json '.b = 1'
	run -3 kandil-collab sync plan --as=carla --state-dir=state.carla --state=carla.json --for=1s
	[[ $output == *"s behind what was stamped here: set it right, or wait so long, or begin anew without 'state.carla/"* ]]
	holds carla.json '{a:1,b:1}'
	rm -r state.carla
	once carla
	# 1 where he had not looked yet at all that came from the wrong clock.
	run once bob
	[ $status -le 1 ] || { echo "$output"; return 1; }
	replica bob
	joined bob
	replica carla
	eventually holds bob.json '{a:1,b:1}'
}

@test "what cannot be shared leaves the file, and is kept beside it" {
	echo '{"a":1}' >amira.json
	replica amira --max-payload=4000
	joined amira
	jq -n '{a: 2, deep: {big: ("x" * 5000), small: 3}}' >new.json
	cp new.json amira.json.new
	mv amira.json.new amira.json
	eventually holds amira.json '{a:2,deep:{small:3}}'
	cmp <(jq -S . new.json) <(jq -S . amira.json.before)
	grep -q "the member at '/deep/big' has 5002 bytes" amira.err
	grep -q "the file as it was is 'amira.json.before'" amira.err
}

@test "after kill -9 what came from others is no edit of the file" {
	local n
	echo '{"a":1,"gone":1}' >amira.json
	replica bob
	joined bob
	replica amira
	joined amira
	eventually holds bob.json '{a:1,gone:1}'
	sleep 1.2 # the replica is on disk
	edit bob.json '.x = 1'
	eventually holds amira.json '{a:1,gone:1,x:1}'
	edit bob.json '.a = 2 | .new = 1 | del(.gone)'
	eventually holds amira.json '{a:2,new:1,x:1}'
	kill -KILL $PID
	wait $PID || true
	edit bob.json '.a = 3 | del(.new) | .gone = 2'
	edit amira.json '.mine = 1'
	replica amira
	eventually holds bob.json '{a:3,gone:2,x:1,mine:1}'
	eventually holds amira.json '{a:3,gone:2,x:1,mine:1}'
}

@test "who moves the file away and writes another loses nothing, nor who empties it first" {
	replica amira
	joined amira
	replica bob
	joined bob
	edit amira.json '.a = 1 | .b = 1'
	eventually holds bob.json '{a:1,b:1}'
	# By the old descriptor after a while, as an editor with a backup does.
	mv amira.json amira.json~
	sleep 0.1
	[ ! -e amira.json ]
	echo '{"a":2,"b":1}' >amira.json
	eventually holds bob.json '{a:2,b:1}'
	# Cut, then written in two steps.
	{
		sleep 0.7
		printf '{"a":3,'
		sleep 0.7
		printf '"b":1}'
	} >amira.json
	eventually holds bob.json '{a:3,b:1}'
	same '' "$(kandil-collab sync plan --as=carla --state-dir=state.carla --patches --for=500ms </dev/null | grep null || true)"
	run ! grep -q null ./*.status
}

@test "a symbolic link stays one, and the file behind it keeps its mode" {
	mkdir real
	echo '{}' >real/file
	chmod 640 real/file
	ln -s real/file amira.json
	replica amira
	joined amira
	replica bob
	joined bob
	edit bob.json '.a = 1'
	eventually holds real/file '{a:1}'
	[ -L amira.json ]
	same 640 "$(stat -c %a real/file)"
	same file "$(ls -A real)"
}

@test "many members: patches, and a file that is there already, cost no more for each of them" {
	sanitized && skip "too slow to tell"
	jq -cn 'range(30000) | {"k\(.)": "xxxxxxxxxxxxxxxx"}' >in
	# Quadratic is minutes.
	timeout 120 kandil-collab sync plan --as=amira --state-dir=state.amira --patches --once <in >out
	jq -cn '[range(30000) | {("k\(.)"): "xxxxxxxxxxxxxxxx"}] | add' >bob.json
	replica amira
	joined amira
	once bob
	same 30000 "$(jq length bob.json)"
	[ ! -e bob.json.before ]
}
