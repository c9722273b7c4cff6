#!/usr/bin/env bats
# kandil-collab join as processes, through a hub that stores nothing: order, exact
# accounting over kills of everybody, --log, full disks, slow readers, ways to leave.
# The protocol itself is tests/unit/session.c, over thousands of histories.
load lib/common
load lib/servers

# Nothing here takes so long; what hangs must not hang the rest.
export BATS_TEST_TIMEOUT=600

setup() {
	common_setup
	export XDG_STATE_HOME=$PWD/state
}

teardown() {
	touch over
	stop_hubs
}

join() {
	kandil-collab join standup "$@"
}

# listen NAME OPTION...: joins in the background, with no input that ends; out in NAME.out.
listen() {
	local name=$1 before
	before=$(ups "$name")
	shift
	# What a kill has cut off is no record, and comes again.
	[ -z "$(tail -c 1 "$name.out" 2>/dev/null)" ] || sed -i '$d' "$name.out"
	[ -p never ] || mkfifo never
	# Somebody has it open for writing, so that it does not end.
	exec 7<>never
	# Not by the function: the number must be the program's.
	kandil-collab join standup --as="$name" "$@" <never >>"$name.out" 2>>"$name.err" 3>&- 4>&- 7>&- &
	echo $! >>pids
	LISTENER=$!
	# Some join where nobody is who could be waited for.
	[ -z "${NEED_UP-1}" ] || wait_for 20 has_joined "$name" "$before"
}

# ups NAME: how often it has come in.
ups() {
	grep -c '"state":"up"' "$1.out" 2>/dev/null || true
}

has_joined() {
	[ "$(ups "$1")" -gt "${2:-0}" ]
}

# lines FROM TO: records that are numbered.
lines() {
	seq "$1" "$2" | sed 's/.*/{"n":&}/'
}

# saying COMMAND...: amira says what it writes, in the background, and leaves then: $AMIRA. Whose
# test has failed must not wait for it.
saying() {
	"$@" 3>&- 4>&- |
		kandil-collab join standup --as=amira --once 2>amira.err 3>&- 4>&- 7>&- &
	AMIRA=$!
	echo $AMIRA >>pids
}

# paced FROM TO: lines with pauses between them, which end when there is a file `over`: who
# has said all leaves when all who are here have it, and somebody may be away just then.
paced() {
	lines "$1" "$2" | while read -r line; do
		echo "$line"
		[ $((RANDOM % 40)) -ne 0 ] || sleep 0.02
	done
	until [ -e over ]; do sleep 0.05; done
}

# channels: how many are on the topic.
channels() {
	curl -s --noproxy '*' "$KANDIL_COLLAB_URL/metrics" | sed -n 's/^kandil_collab_channels //p'
}

here() {
	[ "$(channels)" = "$1" ]
}

# settle NAME...: they have been here and gone again, so that they are no newcomers, whose
# first second decides where they begin.
settle() {
	local name pid pids=() before
	before=$(channels)
	for name; do
		join --as="$name" --once </dev/null &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do wait "$pid"; done
	wait_for 10 here "$before"
}

# until_ended FILE: there are more messages until it has been written.
until_ended() {
	local tries=600
	until [ -s "$1" ]; do
		[ $((tries -= 1)) -gt 0 ] || return 1
		lines 1 5 | kandil-collab send standup
		sleep 0.05
	done
}

messages() {
	grep '"kind":"message"' "$1"
}

count_is() {
	[ "$(messages "$2" | wc -l)" -ge "$1" ]
}

# exactly N FILE: messages 1 to N, in order, each once but for those marked as replayed.
exactly() {
	messages "$2" | jq -r 'select(.replayed | not) | .payload.n' >got
	seq "$1" | cmp - got || { diff <(seq "$1") got | head -5 >&2; return 1; }
}

# The same where a copy that a kill made is the one without a mark.
once_each() {
	messages "$2" | jq -r '[.from, .seq, .payload.n] | @tsv' | awk '!seen[$1, $2]++ { print $3 }' >got
	seq "$1" | cmp - got || { diff <(seq "$1") got | head -5 >&2; return 1; }
}

@test "two members hear each other, in order, byte for byte" {
	hub
	listen bob --status
	listen amira --status
	printf '%s\n' '{"a" : 1.10,"b":"\u0041","a":2}' '{ }' >in
	join --as=carol --once in
	lines 1 300 | join --as=carol --once
	wait_for 10 count_is 302 bob.out
	wait_for 10 count_is 302 amira.out
	cmp <(messages bob.out) <(messages amira.out)
	messages bob.out | head -2 | sed 's/.*"payload":\(.*\)}$/\1/' | cmp - in
	messages bob.out | jq -r .seq | cmp - <(seq 302)
	same 'standup message' "$(messages bob.out | jq -r '"\(.topic) \(.event)"' | sort -u)"
	same 1 "$(messages bob.out | jq -r .from | sort -u | grep -c '^carol\.[a-z2-7]\{26\}$')"
}

@test "--once leaves when all who are here have it, also when the hub comes late" {
	kandil-collab serve --listen=127.0.0.1:0 2>hub.err 3>&- 4>&- &
	echo $! >>pids
	wait_for 20 grep -q 'listening on' hub.err
	PORT=$(sed -n 's,.*listening on [a-z]*://[^ ]*:\([0-9]*\).*,\1,p' hub.err)
	kill -KILL $!
	wait $! || true # its port is free then
	export KANDIL_COLLAB_URL=http://127.0.0.1:$PORT
	saying lines 1 50
	sleep 0.5
	hub "$PORT"
	wait $AMIRA
}

@test "what could not be sent waits in the outbox, with status 1, and goes later" {
	export KANDIL_COLLAB_URL=http://127.0.0.1:9
	lines 1 10 >in
	run -3 --separate-stderr join --as=amira --for=500ms in
	[[ $stderr == *"10 lines wait in the outbox"* ]]
	hub
	# Another hub is another place.
	join --as=amira --for=0s in || same 3 $?
	listen bob --status --since=all
	join --as=amira --once </dev/null
	wait_for 10 count_is 10 bob.out
	exactly 10 bob.out
}

@test "--for and --until end it with status 0" {
	hub
	[ -p never ] || mkfifo never
	exec 7<>never
	join --as=bob --for=5s <never
	join --as=bob --status --until='.payload.n == 3' <never >bob.out 7>&- &
	BOB=$!
	wait_for 10 has_joined bob
	lines 1 5 | join --as=amira --once
	wait $BOB
	exactly 3 bob.out
	run -2 join --until='.payload.' <never
	run -2 join --for=soon <never
	run -2 join --event=kandil <never
	run -2 join --meta='[]' <never
}

@test "the receiver is killed, again and again: nothing missing, copies are marked" {
	hub
	listen bob --status
	# It has heard something, so that it counts from there when it comes back.
	lines 1 1 | join --as=amira --once
	wait_for 20 count_is 1 bob.out
	saying paced 2 4000
	for n in 1 2 3 4 5; do
		sleep 0.4
		kill -KILL $LISTENER
		wait $LISTENER || true
		NEED_UP=${n#[1-4]} listen bob --status
	done
	touch over
	wait $AMIRA
	wait_for 20 sh -c 'grep -q "\"n\":4000}" bob.out'
	once_each 4000 bob.out
	# A copy is marked, and there are no more of them than kills.
	messages bob.out | jq -r '[.from, .seq] | @tsv' | sort | uniq -d | wc -l >copies
	[ "$(cat copies)" -le 5 ]
	[ "$(messages bob.out | grep -c '"replayed":true')" -ge "$(cat copies)" ]
	run ! grep -q '"kind":"gap"' bob.out
}

# taken: bytes in amira's outbox.
taken() {
	cat state/kandil/collab/*/*/amira/out/*.seg1 2>/dev/null | wc -c
}

takes() {
	[ "$(taken)" -gt "$1" ]
}

@test "the sender is killed: all that was taken arrives, once and in order" {
	hub
	listen bob --status
	for n in 1 2 3 4; do
		before=$(taken)
		# One each: what is on its way to a life must not come to the next.
		mkfifo endless$n
		kandil-collab join standup --as=amira --once <endless$n 2>>amira.err 3>&- 4>&- &
		AMIRA=$!
		echo $AMIRA >>pids
		exec 8>endless$n # so its input does not end before it is killed
		lines 1 20000 >&8 2>/dev/null 3>&- 4>&- &
		wait_for 20 takes "$before"
		sleep "0.$((RANDOM % 3))"
		kill -KILL $AMIRA
		exec 8>&-
		wait $AMIRA 2>/dev/null || true
	done
	echo '{"n":1,"end":true}' | join --as=amira --once
	wait_for 20 grep -q '"end":true' bob.out
	messages bob.out | jq -r .seq >got
	seq "$(wc -l <got)" | cmp - got
	# Each run said its lines from 1 on, without holes.
	messages bob.out | jq -r .payload.n | awk '$1 != 1 && $1 != last + 1 { print "hole at", NR; exit 1 } { last = $1 }'
}

@test "the hub is killed and comes back, with everybody who was there" {
	hub
	settle bob carol
	listen bob --status
	listen carol --status
	saying paced 1 3000
	for _ in 1 2 3; do
		sleep 0.5
		kill -KILL "$HUB"
		wait "$HUB" || true
		sleep 0.3
		hub "$PORT"
	done
	wait_for 20 here 3
	touch over
	wait $AMIRA
	wait_for 20 count_is 3000 bob.out
	wait_for 20 count_is 3000 carol.out
	exactly 3000 bob.out
	exactly 3000 carol.out
}

@test "a member who was away gets it from another, when the sender has gone" {
	hub
	listen bob --status
	listen carol --status
	lines 1 10 | join --as=amira --once
	wait_for 10 count_is 10 carol.out
	kill -TERM $LISTENER
	wait $LISTENER || true
	lines 11 500 | join --as=amira --once
	NEED_UP='' listen carol --status
	wait_for 10 count_is 500 carol.out
	exactly 500 carol.out
}

@test "--log cuts off nothing that may be somebody else's text" {
	printf 'To do: call Eve' >notes
	run -2 join --as=bob --url=http://127.0.0.1:1 --for=1s --log=notes
	same "kandil-collab: --log: 'notes' is no log of ours: its last line has no end: take another name" "$output"
	same 'To do: call Eve' "$(cat notes)"
}

@test "--log has each once: kills, a torn end, a lost state folder" {
	hub
	listen bob --status --log=log
	# As above: who is killed before it has anything on disk is new when it comes back.
	lines 1 1 | join --as=amira --once
	wait_for 20 count_is 1 log
	saying paced 2 2000
	for n in 1 2 3; do
		sleep 0.4
		kill -KILL $LISTENER
		wait $LISTENER || true
		printf '{"kind":"message","topic":"stand' >>log
		NEED_UP=${n#[12]} listen bob --status --log=log
	done
	# Where all this takes longer than one who has gone is waited for, amira must not leave before.
	wait_for 20 count_is 2000 log
	touch over
	wait $AMIRA
	kill -KILL $LISTENER
	wait $LISTENER || true
	exactly 2000 log
	same 2000 "$(wc -l <log)"
	grep -q 'no whole record: cut off' bob.err
	# Its content is the state.
	rm -r state/kandil/collab/*/*/bob
	listen bob --status --log=log
	lines 2001 2100 | join --as=amira --once
	wait_for 10 count_is 2100 log
	exactly 2100 log
	# Who writes it is alone with it.
	run -2 join --as=dora --log=log --for=1s </dev/null
	[[ $output == *"being written by another process"* ]]
}

@test "an outbox is one process's" {
	hub
	listen bob --status
	run -2 join --as=bob </dev/null
	[[ $output == *"in use"*"--as=NAME"* ]]
}

@test "bad lines and a record that is too large are errors, and the rest flows" {
	hub
	listen bob --status
	{
		echo '{"n":1}'
		echo 'no record'
		printf '{"big":"%s"}\n' "$(head -c 10000000 /dev/zero | tr '\0' x)"
		echo '{"n":2}'
	} >in
	run -1 --separate-stderr join --as=amira --once in
	same 'not_json too_large' "$(jq -r '.error.code // empty' <<<"$output" | paste -sd' ')"
	wait_for 10 count_is 2 bob.out
	exactly 2 bob.out
	# The bound is the relay's, with what a message grows by.
	printf '{"n":3,"x":"%s"}\n' "$(head -c 255800 /dev/zero | tr '\0' x)" >in
	join --as=amira --once in
	wait_for 10 count_is 3 bob.out
}

@test "what is over the hub's own limit is an error record with the line, also in a later run" {
	hub 0 --max-payload=2000
	printf '{"n":1,"x":"%s"}\n{"n":2}\n' "$(head -c 3000 /dev/zero | tr '\0' x)" >in
	run -1 --separate-stderr join --as=amira --once in
	same '' "$stderr"
	same "$(head -n 1 in)" "$(jq -c 'del(.error)' <<<"$output")"
	same 'kandil-collab too_large false' "$(jq -r '.error | "\(.tool) \(.code) \(.retryable)"' <<<"$output")"
	same "the hub does not take its 3014 bytes (payload_size_exceeded), and for the others message 1 of ours is missing: give less, or raise --max-payload of the hub" \
		"$(jq -r .error.message <<<"$output")"
	# Diverted: the line as it was, and why.
	run -1 --separate-stderr join --as=amira --once --rejects=rej in
	same '' "$output$stderr"
	head -n 1 in | cmp - rej
	same '<outbox> 3 too_large' "$(jq -r '"\(.source) \(.line) \(.error.code)"' rej.why)"
	# With --strict nothing more is read.
	mkfifo slow
	exec 8<>slow
	head -n 1 in >slow
	run -1 --separate-stderr timeout 60 kandil-collab join standup --as=amira --once --strict <slow 8>&-
	exec 8<&-
	same too_large "$(jq -r .error.code <<<"$output")"
	[[ $stderr == *"stopped at the first failure (--strict)" ]]
	run -1 --separate-stderr join --as=carol --strict --for=0s <<<$'{"n":1}\nno record\n{"n":2}'
	same not_json "$(jq -r .error.code <<<"$output")"
	[[ $stderr == *"stopped at the first failure (--strict)"*"1 line waits in the outbox"* ]]
	# What was taken while the hub was away is refused when it is there.
	kill -KILL "$HUB"
	join --as=dora --for=0s in || true
	hub "$PORT" --max-payload=2000
	listen bob --status --since=all
	run -1 --separate-stderr join --as=dora --once </dev/null
	same 1 "$(jq 'select(.error.code == "too_large") | .n' <<<"$output")"
	wait_for 10 grep -q '"n":2' bob.out
}

@test "a damaged outbox is said with the place where what was damaged is found" {
	local segment
	hub
	lines 1 3 | join --as=amira --once
	segment=$(echo state/kandil/collab/*/standup/amira/out/*seg1)
	truncate -s -5 "$segment"
	run -1 --separate-stderr join --as=amira --once </dev/null
	[[ ${stderr_lines[0]} == *"1 lines of it are damaged and set aside in '"*"': they may not have been sent"* ]]
	segment=${stderr_lines[0]#*"set aside in '"}
	[ -s "${segment%%"'"*}" ]
}

@test "a full disk under the outbox holds the input back, and is said once" {
	hub
	listen bob --status
	lines 1 400 | sed "s/}/,\"x\":\"$(head -c 1000 /dev/zero | tr '\0' x)\"}/" >in
	# Files of at most 100 KiB; SIGXFSZ, ignored, makes that an error.
	run -3 --separate-stderr bash -c "trap '' XFSZ; ulimit -f 100
		while read -r line; do echo \"\$line\"; ((++n % 20)) || sleep 0.05; done <in |
			kandil-collab join standup --as=amira --for=10s"
	[[ $stderr == *"lines were not taken: the disk is full"* ]]
	[ "$(grep -c 'nothing more is taken until there is room' <<<"$stderr")" -eq 1 ]
	# What was taken has arrived, without holes.
	messages bob.out | jq -r .payload.n >got
	[ "$(wc -l <got)" -ge 20 ]
	[ "$(wc -l <got)" -lt 400 ]
	seq "$(wc -l <got)" | cmp - got
}

@test "a reader who stops, and a member who is stopped, lose nothing and hold up nobody" {
	hub
	listen bob --status --presence
	listen carol --status
	settle dora
	mkfifo slow
	kandil-collab join standup --as=dora <never >slow 2>dora.err 3>&- 4>&- &
	echo $! >>pids
	exec 8<slow
	wait_for 20 here 3
	kill -STOP $LISTENER
	lines 1 20000 | join --as=amira --once --for=90s &
	wait_for 20 count_is 20000 bob.out
	kill -CONT $LISTENER
	timeout 60 head -n 20000 <&8 >dora.out
	exec 8<&-
	wait_for 20 count_is 20000 carol.out
	exactly 20000 bob.out
	exactly 20000 carol.out
	exactly 20000 dora.out
}

@test "what is written and then not read ends it quietly; a full stdout is status 3" {
	hub
	listen bob --status
	settle carol dora
	(join --as=carol <never 2>carol.err || echo $? >carol.status) | head -n 1 >carol.out &
	wait_for 20 here 2
	until_ended carol.status
	same 141 "$(cat carol.status)"
	# That the hub was slow to answer may be said: the machine was.
	same '' "$(grep -v ': the hub does not answer yet' carol.err)"
	(join --as=dora <never >/dev/full 2>dora.err || echo $? >dora.status) &
	until_ended dora.status
	same 3 "$(cat dora.status)"
	grep -q 'cannot write standard output' dora.err
}

@test "--self, --presence and a signal" {
	hub
	listen bob --status --presence
	lines 1 20 | join --as=amira --self --once >amira.out
	exactly 20 amira.out
	wait_for 10 count_is 20 bob.out
	wait_for 10 grep -q '"event":"leave"' bob.out
	same 'join leave' "$(jq -r 'select(.kind == "presence" and (.from | startswith("amira."))).event' bob.out |
		paste -sd' ')"
	kill -TERM $LISTENER
	status=0
	wait $LISTENER || status=$?
	same 143 $status
	jq -es 'all(.[]; .topic == "standup")' bob.out >/dev/null
}

@test "without a session that can be joined: one line, status 3 or 2" {
	hub
	kill -KILL "$HUB"
	wait "$HUB" || true # its port is free then
	printf 'key a 0123456789abcdef\n' >keys
	chmod 600 keys
	kandil-collab serve --listen=127.0.0.1:"$PORT" --key-file=keys 2>hub.err 3>&- 4>&- &
	echo $! >>pids
	wait_for 20 grep -q 'listening on' hub.err
	KANDIL_COLLAB_KEY=0123456789abcdeX run -3 --separate-stderr join --as=bob --for=10s </dev/null
	same 1 "$(grep -vc ': the hub does not answer yet' <<<"$stderr")"
	run -2 join --url=ftp://example.org </dev/null
	run -2 join --vsn=3 </dev/null
}

@test "who is refused is told what to do about it" {
	local kind
	umask 077
	printf 'key a 0123456789abcdef\n' >keys
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=x -addext subjectAltName=IP:127.0.0.1 \
		-keyout key.pem -out cert.pem 2>/dev/null
	for kind in join send; do
		stop_hubs
		hub 0 --key-file=keys
		run -3 --separate-stderr kandil-collab "$kind" t <<<'{"n":1}'
		[[ $stderr == *": set KANDIL_COLLAB_KEY, or --key-file=FILE"* ]]
		export KANDIL_COLLAB_KEY=0123456789abcdeX
		run -3 --separate-stderr kandil-collab "$kind" t <<<'{"n":1}'
		[[ $stderr == *"(HTTP 401)"*": give a"* ]]
		run -3 --separate-stderr kandil-collab "$kind" t --url="$URL/nosuch" <<<'{"n":1}'
		[[ $stderr == *"HTTP 404"*": no hub is there: look at the URL"* ]]
		hub 0 --key-file=keys --cert=cert.pem --tls-key=key.pem
		run -3 --separate-stderr kandil-collab "$kind" t <<<'{"n":1}'
		[[ $stderr == *": self-signed certificate: if it is the hub's, trust it by --ca-file=FILE"* ]]
		unset KANDIL_COLLAB_KEY
	done
}

@test "usage says the reason first, with what was given and where" {
	while IFS='|' read -r want command text; do
		status=0
		eval "kandil-collab $command" </dev/null >out 2>err || status=$?
		same "$want kandil-collab: $text" "$status $(head -n 1 err)"
		same '' "$(cat out)"
	done <<-'END'
		2|sync --state=s.json|no topic is named
		2|sync a b --state=s.json --once|sync takes one topic, and 'b' is another
		2|serve foo|serve takes no operand: 'foo'
		3|serve --key-file=none|cannot open 'none': No such file or directory
		3|join t --once --key-file=none|cannot open 'none': No such file or directory
		3|join t --once --token-file=none|cannot open 'none': No such file or directory
		3|send t --key-file=none|cannot open 'none': No such file or directory
		3|token --key-file=none|--key-file: cannot open 'none': No such file or directory
		3|serve --cert=none --tls-key=/dev/null|--cert: cannot read 'none': No such file or directory
		3|serve --cert=/dev/null --tls-key=none|--tls-key: cannot read 'none': No such file or directory
		3|serve --cert=/dev/null --tls-key=/dev/null --listen=127.0.0.1:0|'/dev/null': no certificate in PEM: no start line
		2|join t --url=ftp://x|--url: 'ftp://x' begins with none of http, https, ws, wss
		2|send t --url=http://127.0.0.1:99999|--url: 'http://127.0.0.1:99999' has no valid port: 1 to 65535
		2|join t --until='.a +'|--until: '.a +': the program ends too early
	END
	KANDIL_COLLAB_URL=garbage run -2 kandil-collab join t
	same "kandil-collab: environment variable 'KANDIL_COLLAB_URL': 'garbage' begins with none of http, https, ws, wss" "$output"
	SUPABASE_URL=garbage run -2 kandil-collab join t
	same "kandil-collab: environment variable 'SUPABASE_URL': 'garbage' begins with none of http, https, ws, wss" "$output"
}

@test "who is ended while its reader is slow finishes the record, and does not repeat it" {
	hub
	listen bob --status
	settle dora
	mkfifo slow
	exec 8<>slow
	kandil-collab join standup --as=dora <never >slow 2>dora.err 7>&- 8>&- 3>&- 4>&- &
	DORA=$!
	echo $DORA >>pids
	wait_for 20 here 2
	# More than a pipe takes at once.
	for n in 1 2 3; do
		printf '{"n":%d,"x":"%s"}\n' "$n" "$(head -c 100000 /dev/zero | tr '\0' x)"
	done | join --as=amira --once
	# Room for what it writes and its signal come at once, whoever is first.
	kill -STOP $DORA
	kill -TERM $DORA
	timeout 60 head -n 1 <&8 >dora.out 3>&- 4>&- &
	HEAD=$!
	sleep 0.3
	kill -CONT $DORA
	wait $HEAD
	status=0
	wait $DORA || status=$?
	same 143 $status
	exec 8<&-
	timeout 60 kandil-collab join standup --as=dora --until='.payload.n == 3' <never >>dora.out
	same '1 null 2 null 3 null' "$(jq -r '"\(.payload.n) \(.replayed)"' dora.out | paste -sd' ')"
}

@test "what --for cuts short is said, with status 1" {
	hub
	# Somebody who is here and does not answer.
	listen carol --status
	kill -STOP $LISTENER
	lines 1 10 >in
	run -1 --separate-stderr join --as=amira --once --for=2s in
	[[ $stderr == *"--for is over before all who are here have everything"* ]]
	run -0 --separate-stderr join --as=bob --for=5s in
	# An outbox that is full takes no more, and the rest of the input is not passed over in silence.
	lines 1 20000 >in
	run -3 --separate-stderr join --url=http://127.0.0.1:9 --as=amira --keep=64K --for=3s in
	[[ $stderr == *"the input was not read to its end"* ]]
}

@test "a topic that was never joined in the time of --for is status 3, and it is said why" {
	local options
	export KANDIL_COLLAB_URL=http://127.0.0.1:9
	for options in '' --listen --once '--listen --once' --until=.x; do
		# shellcheck disable=SC2086 # several options
		run -3 --separate-stderr join --as=amira -q --for=500ms $options </dev/null
		same 1 "${#stderr_lines[@]}"
		[[ $stderr == *": the topic was not joined: "* ]]
	done
	# Refused all the time: too many are there.
	hub 0 --max-connections=1
	unset KANDIL_COLLAB_URL
	NEED_UP='' listen bob --url="$URL" --status
	wait_for 10 has_joined bob 0
	run -3 --separate-stderr join --url="$URL" --as=amira -q --for=3s </dev/null
	[[ $stderr == *"the time of --for is over: the topic was not joined: "*429* ]]
}

@test "a slow reader on a pipe of another user's holds up nobody" {
	hub
	listen bob --status
	settle dora
	mkfifo slow
	exec 8<>slow
	# What is open already, and cannot be opened once more; root can without this, too.
	chmod 000 slow
	as=()
	[ "$(id -u)" != 0 ] || as=(setpriv --bounding-set=-dac_override)
	"${as[@]}" kandil-collab join standup --as=dora <never >&8 2>dora.err 3>&- 4>&- 7>&- 8>&- &
	echo $! >>pids
	wait_for 20 here 2
	for n in 1 2 3; do
		printf '{"n":%d,"x":"%s"}\n' "$n" "$(head -c 100000 /dev/zero | tr '\0' x)"
	done >in
	join --as=amira --once --for=60s in
	timeout 60 head -n 3 <&8 >dora.out
	exactly 3 dora.out
	exec 8<&-
}

@test "--until that nothing was true for is status 1, and a person may type" {
	hub
	run -1 --separate-stderr timeout 30 kandil-collab join standup --as=amira --for=5s \
		--until=.payload.ok </dev/null
	[[ $stderr == *"nothing came for which --until is true"* ]]
	script -qec "kandil-collab join standup --as=amira --status --until='.state == \"up\"'" /dev/null >typed
	grep -q '"state":"up"' typed
	run -2 --separate-stderr kandil-collab join
	[[ $stderr == *"no topic is named"* ]]
}

# said FILE TEXT: it is there within half a minute.
said() {
	wait_for 30 grep -qF -- "$2" "$1" || { cat "$1" >&2; return 1; }
}

@test "what is given empty is refused, and a name says what it may be" {
	while IFS='|' read -r command option text; do
		# shellcheck disable=SC2086 # a command and its topic
		run -2 --separate-stderr kandil-collab $command "--$option=" </dev/null
		same "kandil-collab: --$option: an empty $text" "$stderr"
	done <<-'END'
		join t|as|NAME: a name has 1 to 64 bytes of UTF-8 and no control characters
		sync t|as|NAME: a name has 1 to 64 bytes of UTF-8 and no control characters
		join t|url|URL: give one, or leave the option out
		send t|url|URL: give one, or leave the option out
		send t|event|NAME: an event has a name of 1 to 255 bytes
		join t|event|NAME: an event has a name of 1 to 255 bytes
		join t|ca-file|FILE: give one, or leave the option out
		join t|state-dir|DIR: give one, or leave the option out
		join t|log|FILE: give one, or leave the option out
		join t|for|LENGTH: give one, or leave the option out
		sync t|state|FILE: give one, or leave the option out
		send t|token-command|COMMAND: give one, or leave the option out
		serve|history|N|LENGTH: give one, or leave the option out
		token|sub|ID: give one, or leave the option out
	END
	KANDIL_COLLAB_AS='' run -2 --separate-stderr join --for=1s </dev/null
	[[ $stderr == *"environment variable 'KANDIL_COLLAB_AS': an empty NAME"* ]]
	run -2 --separate-stderr kandil-collab send '' </dev/null
	[[ $stderr == *"no topic is named"* ]]
}

@test "a key that may only read a private topic ends it at once, with status 3" {
	(umask 077; printf 'key r 0123456789abcdef-r read=standup\nkey w 0123456789abcdef-w write=standup\n' >keys)
	hub 0 --key-file=keys
	KANDIL_COLLAB_KEY=0123456789abcdef-r run -3 --separate-stderr join --as=bob --private --status <<<'{"n":1}'
	[[ $stderr == *"may not write to the private topic 'standup': to hear it only, add --listen"* ]]
	same 'connecting ended permission' \
		"$(jq -r 'select(.state | IN("connecting", "down", "ended")) | .state, .code // empty' <<<"$output" | xargs)"
	KANDIL_COLLAB_KEY=0123456789abcdef-w run -3 --separate-stderr join --as=bob --private --status </dev/null
	[[ $stderr == *"do not have permissions to read"* ]]
	KANDIL_COLLAB_KEY=0123456789abcdef-r run -3 --separate-stderr kandil-collab send standup --private <<<'{"n":1}'
	same permission "$(jq -r .error.code <<<"$output")"
}

@test "messages that nobody here has: said of whom, which, until when; -q is silent" {
	hub 0 --history=3
	listen bob --status
	lines 1 2 | join --as=amira --once
	wait_for 10 count_is 2 bob.out
	kill -TERM $LISTENER
	wait $LISTENER || true
	lines 3 9 | join --as=amira --once
	cp -r state quiet
	NEED_UP='' listen bob --status
	said bob.err "messages 3 to 6 of 'amira."
	grep -q "nobody who is here has given them: waiting for it to come back, about [0-9]* s: then they are a gap" bob.err
	wait_for 30 grep -q '"state":"waiting"' bob.out
	jq -e 'select(.state == "waiting") | .seq == 3 and .last == 6 and (.from | startswith("amira.")) and
		.retry_ms <= 60000 and (.reason | test("gap"))' bob.out
	# It is the sender that is waited for.
	join --as=amira --once </dev/null
	wait_for 30 count_is 9 bob.out
	exactly 9 bob.out
	same 1 "$(grep -c nobody bob.err)"
	run ! grep -q '"kind":"gap"' bob.out
	XDG_STATE_HOME=$PWD/quiet run -0 --separate-stderr timeout 60 kandil-collab join standup -q --as=bob \
		--status --until='.state == "waiting"' <never
	same '' "$stderr"
}

@test "--once says for whom it waits, and that it waits for a hub that is away" {
	hub
	listen carol --status
	kill -STOP $LISTENER
	lines 1 10 >in
	kandil-collab join standup --as=amira --once in 2>amira.err 3>&- 4>&- 7>&- &
	echo $! >>pids
	AMIRA=$!
	said amira.err "--once waits for 'carol."
	kill -CONT $LISTENER
	wait $AMIRA
	kill -KILL "$HUB"
	# Not by the function: the number must be the program's.
	kandil-collab join standup --as=dora --once in 2>dora.err 3>&- 4>&- 7>&- &
	echo $! >>pids
	said dora.err "--once waits until the hub is there (10 lines wait in the outbox): --for=LENGTH bounds it"
	# Once in a minute.
	sleep 1
	same 1 "$(grep -c -- --once dora.err)"
}

@test "--once says that it is standard output that it waits for" {
	local start=$SECONDS
	hub 0 --history=2000
	jq -cn 'range(1000) | {n: ., text: ("x" * 200)}' | join --as=amira --once
	kandil-collab join standup --as=dora --since=all --once </dev/null 2>dora.err 3>&- 4>&- 7>&- | {
		said dora.err '--once waits until standard output is read: --for=LENGTH bounds it'
		wc -l >dora.lines
	}
	same 1000 "$(tr -d ' ' <dora.lines)"
	same 1 "$(grep -c 'standard output is read' dora.err)"
	# A line a minute: where there are more, the machine was busy with what comes before.
	[ "$(grep -c -- --once dora.err)" -le $((1 + (SECONDS - start) / 60)) ]
}

@test "send says that it tries again, and that an answer is awaited" {
	local quiet
	echo '{"n":1}' >in
	kandil-collab send -q t --url=http://127.0.0.1:9 in >/dev/null 2>quiet.err &
	quiet=$!
	run -3 --separate-stderr kandil-collab send t --url=http://127.0.0.1:9 in
	same 2 "$(wc -l <<<"$stderr")"
	[[ $stderr == *"127.0.0.1"*": trying again 7 times, with waits of 13 s together at most"*"given up after 8 tries" ]]
	same cannot_connect "$(jq -r .error.code <<<"$output")"
	# -q silences what is information, not why the status is 3.
	wait $quiet && false || same 3 $?
	same 1 "$(wc -l <quiet.err)"
	grep -q '127.0.0.1.*: given up after 8 tries' quiet.err
	# Who takes the connection and says nothing.
	hub
	kill -STOP "$HUB"
	kandil-collab send t in 2>send.err 3>&- 4>&- &
	SEND=$!
	said send.err "waiting for the answer of '$KANDIL_COLLAB_URL', 30 s at most"
	kill -CONT "$HUB"
	wait $SEND
}

@test "a hub that takes the connection and does not answer is said" {
	hub
	kill -STOP "$HUB"
	NEED_UP='' listen bob --status
	said bob.err 'the hub does not answer yet: trying on'
	kill -CONT "$HUB"
	wait_for 30 has_joined bob 0
}

@test "a key or token is the command line's, then the environment's, then the configuration's" {
	umask 077
	printf '%s\n' 'key a 0123456789abcdef-a' 'secret - a-secret-that-is-long-enough-to-be-one' >keys
	hub 0 --key-file=keys
	echo 0123456789abcdef-x >wrong
	mkdir -p "$XDG_CONFIG_HOME/kandil"
	printf '[collab]\nkey-file = %s\n' "$PWD/wrong" >"$XDG_CONFIG_HOME/kandil/config"
	export KANDIL_COLLAB_KEY=0123456789abcdef-a
	run -0 kandil-collab send t <<<'{"n":1}'
	run -3 kandil-collab send t --key-file=wrong <<<'{"n":1}'
	unset KANDIL_COLLAB_KEY
	run -3 kandil-collab send t <<<'{"n":1}'
	kandil-collab token --key-file=keys >good
	printf '[collab]\ntoken-command = echo wrong\n' >"$XDG_CONFIG_HOME/kandil/config"
	run -0 kandil-collab send t --token-file=good <<<'{"n":1}'
	KANDIL_COLLAB_TOKEN=$(cat good) run -0 kandil-collab send t <<<'{"n":1}'
	run -3 kandil-collab send t <<<'{"n":1}'
}

@test "send says why its key or token is not taken; over a hub's rate join says which option keeps below it" {
	umask 077
	printf '%s\n' 'key amira 0123456789abcdef-a' 'key bob 0123456789abcdef-b read=*' \
		'secret - a-secret-that-is-long-enough-to-be-one' >keys
	hub 0 --key-file=keys --max-rate=10
	kandil-collab token --key-file=keys --for=1s -o expired
	KANDIL_COLLAB_KEY=0123456789abcdef-x run -3 kandil-collab send t <<<'{"n":1}'
	[[ $output == *"Unauthorized: it does not know this key or token"* ]]
	run -3 kandil-collab send t <<<'{"n":1}'
	[[ $output == *"Unauthorized: it wants a key: "* ]]
	KANDIL_COLLAB_KEY=0123456789abcdef-b run -3 kandil-collab send t --private <<<'{"n":1}'
	[[ $output == *"Unauthorized: this key or token may not write to the private topic 't'"* ]]
	has_expired() {
		run kandil-collab send t --token-file=expired <<<'{"n":1}'
		[[ $output == *'"token_expired"'* ]]
	}
	wait_for 30 has_expired
	same 3 $status
	[[ $output == *"Unauthorized: the token has expired, and what --token-command or --token-file gives is no better"* ]]
	export KANDIL_COLLAB_KEY=0123456789abcdef-a
	lines 1 60 | join --as=amira --for=30s --until='.code == "rate_limited"' --status >out 2>err || same 1 $?
	grep -q 'Too many messages per second: slower from now on; --rate=N keeps below it' err
}

# spoil FOLDER TEXT: one byte of TEXT in the only segment there.
spoil() {
	local file at
	file=$(find "$1" -name '*.seg1')
	at=$(grep -abo -F "$2" "$file" | head -n 1 | cut -d: -f1)
	printf '#' | dd of="$file" bs=1 seek="$((at + 5))" conv=notrunc status=none
}

@test "a line of the outbox goes bad before it is sent: it is a gap, the rest comes, status 1" {
	hub 0 --history=1000
	settle amira bob
	kill "$HUB"
	wait "$HUB" || true
	(lines 1 20; until [ -e over ]; do sleep 0.05; done) 3>&- 4>&- |
		kandil-collab join standup --as=amira --once 2>amira.err 3>&- 4>&- &
	AMIRA=$!
	echo $AMIRA >>pids
	wait_for 20 grep -rqF '{"n":20}' state/kandil/collab/*/standup/amira/out
	spoil state/kandil/collab/*/standup/amira/out '{"n":7}'
	hub "$PORT" --history=1000
	listen bob --status --until='.payload.n == 20'
	touch over
	status=0
	wait "$LISTENER" || status=$?
	same 1 "$status"
	status=0
	wait "$AMIRA" || status=$?
	same 1 "$status"
	jq -c 'select(.kind == "message" or .kind == "gap") | .payload.n // [.seq, .last]' bob.out >got
	(seq 6 && echo '[7,7]' && seq 8 20) | cmp - got
	grep -q 'set aside.*who lacks them is told that they are missing (7 of' amira.err
}

@test "a message goes bad before a slow reader has it: a gap, behind the others" {
	hub
	settle amira bob
	mkfifo slow
	exec 8<>slow
	kandil-collab join standup --as=bob </dev/null >slow 2>bob.err 3>&- 4>&- 8>&- &
	echo $! >>pids
	BOB=$!
	wait_for 20 here 1
	seq 300 | sed "s/.*/{\"n\":&,\"x\":\"$(printf %01000d 0)\"}/" | join --as=amira --once
	spoil state/kandil/collab/*/standup/bob/in '{"n":250,'
	cat <&8 >got 8>&- &
	echo $! >>pids
	exec 8>&-
	wait_for 30 grep -q '"kind":"gap"' got
	kill "$BOB"
	same 299 "$(messages got | wc -l)"
	same '[250,250]' "$(jq -c 'select(.kind == "gap") | [.seq, .last]' got)"
	grep -q 'set aside' bob.err
}

@test "a log that has come to know more senders, and then a new identity" {
	hub
	settle amira
	cp -a state old
	listen bob --status
	lines 1 5 | join --as=amira --once
	kill "$LISTENER"
	wait "$LISTENER" || true
	# The sixteen that are read leave no room for one more.
	for n in {1..16}; do
		echo "{\"kind\":\"message\",\"topic\":\"standup\",\"from\":\"s$n.aaaaaaaaaaaaaaaaaaaaaaaaaa\",\"seq\":3}"
	done >log
	rm -r state/kandil/collab/*/standup/amira
	cp -a old/kandil/collab/*/standup/amira state/kandil/collab/*/standup/
	listen amira --status --log=log
	AMIRA=$LISTENER
	lines 1 1 | join --as=carol --once
	wait_for 20 grep -q '"from":"carol' log
	# Who knows that amira had said more.
	listen bob --status
	wait_for 20 grep -q 'under a new name' amira.err
	lines 2 2 | join --as=carol --once
	wait_for 20 count_is 2 amira.out
	kill "$AMIRA"
	status=0
	wait "$AMIRA" || status=$?
	same 143 "$status"
}
