#!/usr/bin/env bats
# kandil-collab join --listen as processes: who may only read hears all the same, unseen, and
# is told what it missed. The protocol is tests/unit/session.c; what a hub answers
# tests/unit/hub/listen.dialog.
load lib/common
load lib/servers

READ=0123456789abcdef-read WRITE=0123456789abcdef-write
export BATS_TEST_TIMEOUT=600

setup() {
	common_setup
	export XDG_STATE_HOME=$PWD/state
	(
		umask 077
		printf '%s\n' "key r $READ read=news,news:state" "key w $WRITE read=* write=*" \
			'secret - the-secret-without-a-kid-of-32-characters' >keys
	)
}

teardown() {
	stop_hubs
}

# say FROM TO: lines that are numbered, by a member that stays until who is here has them.
say() {
	seq "$1" "$2" | sed 's/.*/{"n":&}/' |
		KANDIL_COLLAB_KEY=$WRITE kandil-collab join news --private --as=amira --once
}

# listen OPTION...: listens in the background, as ci; out in ci.out, its number $LISTENER.
listen() {
	local before
	before=$(grep -c '"state":"up"' ci.out 2>/dev/null) || true
	KANDIL_COLLAB_KEY=${KEY-$READ} kandil-collab join news --private --as=ci --listen --status "$@" \
		>>ci.out 2>>ci.err 3>&- 4>&- &
	echo $! >>pids
	LISTENER=$!
	wait_for 20 up_again "${before:-0}"
}

up_again() {
	[ "$(grep -c '"state":"up"' ci.out)" -gt "$1" ]
}

has() {
	wait_for 30 grep -q -- "$2" "$1"
}

# heard FILE: what came, without what names it: numbers, and gaps.
heard() {
	jq -r 'select(.kind == "message" or .kind == "gap") |
		if .kind == "gap" then "gap \(.seq)-\(.last)" else .payload.n end' "$1" | xargs
}

@test "a read-only key hears every message, unseen, and the sender does not wait" {
	hub 0 --key-file=keys
	listen --until='.payload.n == 25' --presence
	KANDIL_COLLAB_KEY=$WRITE kandil-collab join news --private --as=bob --presence --log=bob.log </dev/null \
		>bob.out 2>bob.err 3>&- 4>&- &
	echo $! >>pids
	has ci.out '"event":"join","from":"bob\.'
	say 1 25
	wait $LISTENER
	same "$(seq 25 | xargs)" "$(heard ci.out)"
	has bob.log '"n":25'
	# As bob heard it, byte for byte; of ci nobody knows.
	jq -c 'select(.kind == "message")' ci.out | cmp - bob.log
	run ! grep -q '"from":"ci\.' bob.out
	same '' "$(cat ci.err)"
}

@test "a token that may only read; what was said before comes from the history, with --since=all" {
	hub 0 --key-file=keys --history=100
	say 1 40
	kandil-collab token --key-file=keys --read=news -o token
	unset KANDIL_COLLAB_KEY
	run -0 --separate-stderr kandil-collab join news --private --as=ci --listen --once --since=all --key-file=token
	same "$(seq 40 | xargs)" "$(heard - <<<"$output")"
	same '' "$stderr"
	# Again: nothing is new, and then what is.
	run -0 kandil-collab join news --private --as=ci --listen --once --key-file=token
	same '' "$output"
	say 41 42
	run -0 kandil-collab join news --private --as=ci --listen --once --key-file=token
	same '41 42' "$(heard - <<<"$output")"
	# Who is new begins now; version 1 of the protocol, and a key that may write, are no other.
	KANDIL_COLLAB_KEY=$WRITE run -0 kandil-collab join news --private --as=new --listen --once
	same '' "$output"
	KANDIL_COLLAB_KEY=$WRITE run -0 kandil-collab join news --private --as=old --vsn=1 --listen --once --since=all
	same "$(seq 42 | xargs)" "$(heard - <<<"$output")"
	# No topic but those that it names.
	KANDIL_COLLAB_KEY=$READ run -3 kandil-collab join elsewhere --private --as=ci --listen --once
	[[ $output == *"do not have permissions to read"* ]]
}

@test "over a hub without a history: what was said while it was away is a gap, and status 1" {
	hub 0 --key-file=keys
	listen --until='.payload.n == 9'
	say 1 3
	has ci.out '"n":3'
	# The hub restarts, and all is said before it is back.
	kill -STOP $LISTENER
	kill -KILL "$HUB"
	wait "$HUB" || true
	hub "$PORT" --key-file=keys
	say 4 8
	kill -CONT $LISTENER
	wait_for 30 up_again 1
	say 9 9
	# Why nothing comes is said while it waits.
	has ci.err "messages 4 to 8 of 'amira"
	has ci.out '"kind":"gap"'
	has ci.out '"n":9'
	same '1 2 3 gap 4-8 9' "$(heard ci.out)"
	jq -se 'map(select(.state == "waiting")) | .[0] | .seq == 4 and .last == 8 and .retry_ms <= 15000' ci.out
	run -1 wait $LISTENER
}

@test "with a history nothing is missing, over restarts of the hub" {
	hub 0 --key-file=keys --history=1000 --history-dir=kept
	listen
	say 1 3
	has ci.out '"n":3'
	kill -STOP $LISTENER
	say 4 300
	kill -TERM "$HUB"
	wait "$HUB" || true
	hub "$PORT" --key-file=keys --history=1000 --history-dir=kept
	say 301 600
	kill -CONT $LISTENER
	wait_for 30 up_again 1
	say 601 601
	has ci.out '"n":601'
	same "$(seq 601 | xargs)" "$(heard ci.out)"
}

# killed FILE N: kill -9 when there are that many lines in it.
killed() {
	wait_for 30 lines_are "$2" "$1"
	kill -KILL $LISTENER
	wait $LISTENER || true
}

lines_are() {
	[ "$(wc -l <"$2")" -ge "$1" ]
}

@test "--log has each message once, over kills" {
	hub 0 --key-file=keys --history=1000
	touch ci.log
	for i in 1 2 3 4; do
		listen --log=ci.log
		say $((i * 100 - 99)) $((i * 100 - 50)) &
		killed ci.log $((i * 100 - 70))
		wait $!
		say $((i * 100 - 49)) $((i * 100))
	done
	listen --log=ci.log
	say 401 401
	has ci.log '"n":401'
	same "$(seq 401 | xargs)" "$(heard ci.log)"
}

@test "what was asked goes on when more is asked, by a further join" {
	local join='{"topic":"realtime:news","event":"phx_join","ref":"%s","payload":{"config":%s}}\n' want
	hub 0 --key-file=keys --history=9000
	say 1 5000
	from=$(KANDIL_COLLAB_KEY=$READ kandil-collab join news --private --as=ci --listen --since=all \
		--until=true | jq -r .from)
	want='{"kandil":1,"from":"me","type":"want","to":"hub"'
	# shellcheck disable=SC2059 # it is the format
	printf "$join" \
		1 "{\"private\":true,\"kandil\":[$want,\"of\":\"$from\",\"first\":1,\"last\":5000}]}" \
		2 "{\"private\":true,\"kandil\":[$want,\"of\":\"nobody\",\"first\":1,\"last\":1}]}" |
		"$ROOT/tests/lib/ws" --seconds=60 --until='"of":"nobody"' \
			"ws://127.0.0.1:$PORT/realtime/v1/websocket?vsn=1.0.0&apikey=$READ" >frames
	same 5000 "$(grep -c '"again":true' frames)"
}

@test "what has to be sent is a usage error; without --listen it is said that there is one" {
	hub 0 --key-file=keys
	export KANDIL_COLLAB_KEY=$READ
	while IFS='|' read -r options words; do
		eval "run -2 kandil-collab join news --private --listen --for=1s $options"
		[[ $output == *"$words"* ]]
	done <<-'END'
		--event=other|--event: nothing is sent with --listen
		--event=message|--event: nothing is sent with --listen
		--meta={}|--meta: nothing is sent with --listen
		--self|--self: nothing is sent with --listen
		keys|'keys' is not read: leave out the files, or --listen
	END
	# What all programs on this machine are given is for those that send; the hub's own option is no flag.
	KANDIL_COLLAB_EVENT=e KANDIL_COLLAB_META={} KANDIL_COLLAB_SELF=1 KANDIL_COLLAB_LISTEN=127.0.0.1:1 \
		run -0 kandil-collab join news --private --listen --as=ci --status --until='.state == "up"'
	export XDG_CONFIG_HOME=$PWD/config
	mkdir -p config/kandil
	printf '[collab]\nlisten = 127.0.0.1:1\n' >config/kandil/config
	KANDIL_COLLAB_LISTEN=1 run -3 kandil-collab join news --private --as=ci --for=1m </dev/null
	[[ $output == *"may not write to the private topic 'news': to hear it only, add --listen to join;"* ]]
	run -3 kandil-collab sync news --private --as=ci --once
	[[ $output == *"may not write to the private topic 'news:state': to hear it only, add --listen to join;"* ]]
	run -2 kandil-collab sync news --listen
}

@test "what --for cuts short, and lines of an outbox that wait, are told as they are to a listener" {
	export KANDIL_COLLAB_KEY=$READ KANDIL_COLLAB_URL=http://127.0.0.1:1
	run -3 --separate-stderr kandil-collab join news --private --as=ci --listen --once --for=100ms
	[[ $stderr == *"--for is over before what the hub's history has is here"* ]]
	run -3 kandil-collab join news --private --as=ci --for=100ms <<<'{}'
	run -3 --separate-stderr kandil-collab join news --private --as=ci --listen --for=100ms
	[[ $stderr == *"1 line waits in the outbox: it is sent when this topic is joined without --listen"* ]]
}

# posts FROM TO: lines of no kandil client.
posts() {
	seq "$1" "$2" | sed "s/.*/{\"n\":&,\"x\":\"$(printf %0600d 0)\"}/" |
		KANDIL_COLLAB_KEY=$WRITE kandil-collab send news --private
}

logged() {
	[ "$(wc -l <log)" -ge "$1" ]
}

@test "--log has each message of other clients once, ahead of a reader, over kills" {
	hub 0 --key-file=keys
	mkfifo slow
	exec 8<>slow
	# Nobody reads: the log runs ahead.
	stalled() {
		KANDIL_COLLAB_KEY=$READ kandil-collab join news --private --as=ci --listen --log="$1" \
			>slow 2>>ci.err 3>&- 4>&- 8>&- &
		LISTENER=$!
		echo $LISTENER >>pids
	}
	here() {
		curl -s --noproxy '*' "$KANDIL_COLLAB_URL/metrics" | grep -q '^kandil_collab_channels 1$'
	}
	for n in 0 1 2 3 4; do
		stalled log
		wait_for 20 here
		# A kill in the middle of it loses what the hub alone had, and doubles nothing.
		posts $((n * 300 + 1)) $((n * 300 + 200))
		wait_for 20 grep -q "\"n\":$((n * 300 + 200))," log
		posts $((n * 300 + 201)) $((n * 300 + 300))
		kill -KILL "$LISTENER"
		wait "$LISTENER" || true
	done
	jq .payload.n log >numbers
	sort -n numbers | uniq -d >twice
	cmp twice /dev/null
	sort -nc numbers
	for n in 0 1 2 3 4; do
		same 200 "$(awk -v n=$n '$1 > n * 300 && $1 <= n * 300 + 200' numbers | wc -l)"
	done
	# One that was deleted, or is another file, begins with what was not read.
	rm log
	stalled log
	wait_for 20 logged 1000
	kill -KILL "$LISTENER"
	wait "$LISTENER" || true
	jq .payload.n log >numbers
	sort -nc numbers
	sort -n numbers | uniq -d | cmp - /dev/null
	exec 8>&-
}

@test "a log that is killed while it is written is told by its own lines what it has" {
	hub 0 --key-file=keys
	mkfifo slow
	exec 8<>slow
	KANDIL_COLLAB_KEY=$READ kandil-collab join news --private --as=ci --listen --log=log \
		>slow 2>>ci.err 3>&- 4>&- 8>&- &
	LISTENER=$!
	echo $LISTENER >>pids
	here() {
		curl -s --noproxy '*' "$KANDIL_COLLAB_URL/metrics" | grep -q '^kandil_collab_channels 1$'
	}
	wait_for 20 here
	posts 1 200
	wait_for 20 logged 200
	# The mark as it was then; what comes is written, and a kill leaves it unmarked.
	folder=$(dirname "$(find state -name in)")
	cp "$folder/logged" before
	posts 201 400
	wait_for 20 logged 400
	kill -KILL "$LISTENER"
	wait "$LISTENER" || true
	cp before "$folder/logged"
	listen --log=log --for=2s
	wait "$LISTENER"
	jq .payload.n log >numbers
	seq 400 | cmp - numbers
	# One of before the mark was made: what the reader has had is not written again.
	rm "$folder/logged"
	listen --log=log --for=2s
	wait "$LISTENER"
	same 400 "$(wc -l <log)"
	exec 8>&-
}

# until_heard FILE: a line of no kandil client again and again, until somebody leaves FILE.
until_heard() {
	local tries=300
	until [ -e "$1" ]; do
		[ $((tries -= 1)) -gt 0 ] || return 1
		posts 1 1
		sleep 0.1
	done
}

@test "a log that is new is brought to the disk, with its name" {
	sanitized && skip 'the leak checker and strace cannot watch one program'
	command -v strace >/dev/null || skip 'strace is not installed'
	hub 0 --key-file=keys
	mkdir there
	for n in 1 2; do
		{
			KANDIL_COLLAB_KEY=$READ strace -f -qq -y -e trace=fsync,fdatasync -o "calls$n" \
				kandil-collab join news --private --as=ci --listen --log=there/log \
				--until=.payload >/dev/null 2>&1
			touch "over$n"
		} 3>&- 4>&- &
		until_heard "over$n"
	done
	grep -q 'fdatasync([0-9]*<[^>]*/there/log>' calls1
	grep -q 'fsync([0-9]*<[^>]*/there>' calls1
	grep -q 'fdatasync([0-9]*<[^>]*/there/log>' calls2
	run grep 'fsync([0-9]*<[^>]*/there>' calls2
	same 1 "$status"
}
