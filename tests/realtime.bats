#!/usr/bin/env bats
# The official clients and ours, unmodified, on kandil-collab serve: the matrix of
# tests/clients/matrix.js, run once; each test here is one group of its cases.
load lib/common
load lib/servers

KEY=0123456789abcdef-admin

setup_file() {
	common_setup
	cd "$BATS_FILE_TMPDIR" || return
	(
		umask 077
		printf '%s\n' "key admin $KEY role=service_role" \
			'secret - the-secret-without-a-kid-of-32-characters' >keys
	)
	TOKEN=$(kandil-collab token --key-file=keys --role=service_role)
	EXPIRED=$(kandil-collab token --key-file=keys --for=1s)
	export TOKEN EXPIRED URL
	start_hub --key-file=keys
	# What expires in a second has expired when its case is run.
	sleep 1
	node "$ROOT/tests/clients/matrix.js" "$URL" "$KEY" >cases 2>notes 3>&- 4>&- || true
}

teardown_file() {
	cd "$BATS_FILE_TMPDIR" && stop_hubs
}

# group NAME COUNT: so many cases of it have run, and none has failed.
group() {
	cd "$BATS_FILE_TMPDIR" || return
	awk -v name="$1" 'index($0, "not ok " name ": ") == 1 { shown = 1 } /^(ok|not ok) / && index($0, "not ok " name ": ") != 1 { shown = 0 } shown' cases
	same "$2 of $2" "$(grep -c "^ok $1: " cases) of $(grep -cE "^(not )?ok $1: " cases)" || {
		cat notes err
		return 1
	}
}

@test "each official client is heard by each" {
	group pairs 9
}

@test "realtime-js, version 1 of the protocol" {
	group 'realtime-js 1.0.0' 11
}

@test "realtime-js, version 2" {
	group 'realtime-js 2.0.0' 11
}

@test "phoenix.js" {
	group phoenix.js 11
}

@test "bytes" {
	group bytes 4
}

@test "joins, subprotocols, keys" {
	group joins 8
}

@test "broadcasts over HTTP" {
	group REST 3
}

@test "order" {
	group order 1
}

@test "no key is in what the hub says" {
	cd "$BATS_FILE_TMPDIR"
	run ! grep -E "$KEY|eyJ" err
}

@test "kandil-collab join, with all of them" {
	cd "$BATS_FILE_TMPDIR"
	node "$ROOT/tests/clients/matrix.js" "$URL" "$KEY" kandil >>cases 2>>notes || true
	group kandil 8
}
