#!/usr/bin/env bats
# kandil-ai against a real inference server: Debian's llama-server with half a
# megabyte of random weights (tests/servers/llama). What it says is noise by
# nature: it conforms where its grammar makes it, else it is hostile for free.
# shellcheck disable=SC2046,SC2086 # options are words
load lib/common
load lib/servers

setup_file() {
	export LLAMA="$ROOT/build/llama" URL="" SMALL="" WHY=""
	if ! WHY=$("$ROOT/tests/servers/llama/setup" -d "$LLAMA" 2>&1); then
		return 0
	fi
	start_llama URL -- --cache-ram 0
	start_llama SMALL -- -c 1024 -np 1 --cache-ram 0 --api-key sk-test-llama-0123456789
}

# start_llama VARIABLE [-- OPTION...]
start_llama() {
	local variable=$1 url
	shift
	url=$("$ROOT/tests/servers/llama/start" -d "$LLAMA" "$@" 3>&- 4>&-)
	cat "$LLAMA/run/${url##*:}.pid" >>"$BATS_FILE_TMPDIR/pids"
	printf -v "$variable" %s "$url"
}

setup() {
	common_setup
	[ -n "$URL" ] || skip "no llama-server: ${WHY##*$'\n'}"
	export LLAMA_SERVER_URL=$URL
	export AI="kandil-ai --no-cache --model=llamacpp/tiny --jobs=4"
}

# asks N SCHEMA: records that bring what they want along.
asks() {
	jq -nc --argjson n "$1" --argjson schema "$2" \
		'range($n) | {id: ., prompt: "say \(.)", schema: $schema, max_tokens: 200}'
}

object() {
	echo '{"type":"object","properties":{"x":'"$1"'},"required":["x"],"additionalProperties":false}'
}

@test "a grammar makes every kind of value conform" {
	local kind
	while read -r kind; do
		asks 8 "$(object "$kind")"
	done <<-'END' | jq -c '.id = input_line_number' >in
		{"type":"string","enum":["red","green","blue"]}
		{"type":"integer"}
		{"type":"number"}
		{"type":"boolean"}
		{"type":"array","items":{"type":"string","enum":["a","b"]},"minItems":1,"maxItems":3}
		{"type":"string","pattern":"^[a-z]{2,5}$"}
	END
	run -0 $AI in
	echo "$output" >out
	each_once in out
	jq -ne '[inputs] | length == 48 and all(.ai.json.x != null and .ai.attempts == 1 and
		.ai.finish == "stop" and .ai.usage.output > 0 and .ai.cost == "0")' out
	same "array boolean number string" "$(jq -r '.ai.json.x | type' out | sort -u | paste -sd ' ')"
}

@test "what the grammar lets through and the schema does not is repaired or told" {
	asks 70 "$(object '{"type":"string","maxLength":12}')" >in
	try $AI --retries=8 in >out
	each_once in out
	jq -ne '[inputs] | all(if .ai then .ai.json.x | length <= 12 else
		.error.code == "invalid_reply" and (.error.reply | type) == "string" end)' out
	jq -ne '[inputs | select(.ai.attempts > 1 or .error)] | length >= 1' out # one of four: but for 1 in 10^7
}

@test "a failure that another seed avoids is asked again, one that the seed makes is given up" {
	asks 20 "$(object '{"type":"string"}')" >in # two of three fail at first
	try $AI --retries=4 in >out
	each_once in out
	jq -ne '[inputs] | any(.ai.attempts > 1 or .error.attempts > 1) and
		all(.ai or (.error.code | IN("truncated", "server_error", "invalid_reply")))' out
	asks 24 "$(object '{"type":"string"}')" | jq -c '.seed = .id' >seeded
	try $AI seeded >first
	try $AI seeded >second
	# The same seed fails the same way: once is enough.
	jq -ne '[inputs.error // empty | select(.code == "server_error")] |
		length >= 1 and all(.retryable == false and .attempts == null)' first
	same "$(jq -c '[.id, .error.code, .ai.json]' first)" \
		"$(jq -c '[.id, .error.code, .ai.json]' second)"
}

@test "noise comes through as valid records, whole and streamed" {
	local stream
	jq -nc 'range(30) | {id: ., prompt: "sing \(.)", max_tokens: 64, seed: .}' >in
	for stream in "" --stream; do
		try $AI $stream in >"out$stream"
		each_once in "out$stream"
		python3 -c '
import json, sys
for line in open(sys.argv[1], "rb"):
    json.loads(line.decode("utf-8"))' "out$stream"
		jq -ne '[inputs | select(.kind != "delta")] | all(.error.code == "truncated" or .ai)' \
			"out$stream"
		# There is something in it that a careless writer would have broken.
		LC_ALL=C grep -q '\\u00[01]\|\xef\xbf\xbd' "out$stream"
	done
	# The same seed says the same, by either way.
	same "$(jq -c '.ai.text // .error.reply' out)" \
		"$(jq -c 'select(.kind != "delta") | .ai.text // .error.reply' out--stream)"
	# Deltas are what the reply begins with: all of an answer, some of what was cut.
	jq -ne '[inputs] | map(select(.kind == "delta")) as $d | map(select(.kind != "delta")) |
		($d | length) > 3 and all(.id as $id | ([$d[] | select(.id == $id).text] | add // "") as $said |
		if .ai then .ai.text == $said else .error.reply | startswith($said) end)' out--stream
}

@test "a stream that fails in the middle is an error and no short answer" {
	asks 24 "$(object '{"type":"string"}')" | jq -c '.seed = .id' >in
	try $AI --stream --retries=0 in >out
	each_once in out
	jq -ne '[inputs | select(.kind != "delta")] |
		(map(select(.error.code == "server_error")) | length >= 1) and
		all(.error or (.ai.json.x | type) == "string")' out
}

@test "a prompt beyond the context is that record's error, a wrong key everybody's" {
	export LLAMA_SERVER_URL=$SMALL
	jq -nc '{id: 1, prompt: "short", max_tokens: 4}, {id: 2, prompt: ("long " * 400)}' >in
	LLAMA_API_KEY=sk-test-llama-0123456789 run -1 --separate-stderr $AI --jobs=1 in
	jq -ne --argjson e "$(jq -c 'select(.id == 2).error' <<<"$output")" \
		'$e.code == "too_large" and $e.retryable == false and ($e.message | contains("context"))'
	LLAMA_API_KEY=sk-test-wrong-0123456789 run -3 --separate-stderr $AI --jobs=1 in
	same "authentication not_asked" "$(jq -rn '[inputs.error.code] | join(" ")' <<<"$output")"
	[[ "$output$stderr" != *sk-test-wrong* ]]
}

@test "a connection that is closed after a hundred replies costs nothing" {
	jq -nc 'range(220) | {id: ., prompt: "p\(.)", max_tokens: 1}' >in
	try $AI --jobs=1 in >out
	each_once in out
	jq -ne '[inputs] | all(.error.code == "truncated" or .ai)' out
}

@test "a server that ignores the schema is not trusted" {
	asks 6 "$(object '{"type":"boolean"}')" | jq -c '.max_tokens = 20' >in
	try $AI --api=anthropic --repairs=1 in >out
	each_once in out
	jq -ne '[inputs] | all((.ai.json.x | type) == "boolean" or
		(.error.code | IN("invalid_reply", "truncated", "too_large", "server_error")))' out
}

# A program as KANDIL_LLAMA_SERVER names it: the unpacked one, under its own loader.
wrapper() {
	cat >llama-server <<-END
		#!/bin/sh
		echo \$\$ >"$PWD/pid"
		cd "$LLAMA" || exit
		libraries=\$(dirname root/usr/lib/*/libc.so.6)
		set -- "\$@" -t 1 --offline
		export GGML_BACKEND_PATH="\$(ls "$LLAMA/\$libraries"/ggml/backends*/libggml-cpu-x64.so \\
			"$LLAMA/\$libraries"/ggml/backends*/libggml-cpu*.so 2>/dev/null | head -n 1)"
		unset LD_PRELOAD LD_LIBRARY_PATH
		exec root/usr/lib*/ld-linux-*.so.* --library-path "\$libraries:\$libraries/llama" \\
			root/usr/bin/llama-server "\$@"
	END
	chmod +x llama-server
	export KANDIL_LLAMA_SERVER=$PWD/llama-server
}

# gone: the server that the wrapper started has ended.
gone() {
	local tries=600 state
	[ -s pid ] || return
	while state=$(sed 's/.*) //' "/proc/$(cat pid)/stat" 2>/dev/null) && [ "${state%% *}" != Z ]; do
		[ $((tries -= 1)) -gt 0 ] || return 1
		sleep 0.05
	done
}

@test "a model of a file is served for as long as it is needed" {
	local pid feeder
	wrapper
	jq -nc 'range(5) | {id: ., prompt: "p\(.)", max_tokens: 4, seed: .}' >in
	try kandil-ai --no-cache --model="llama:$LLAMA/tiny.gguf" in >out
	each_once in out
	jq -ne '[inputs] | all(.error.code == "truncated" or (.ai.provider == "llama" and
		.ai.model == "tiny.gguf"))' out
	gone
	# Interrupted, it goes as well.
	rm pid out
	mkfifo feed
	{ cat in; exec sleep 60; } >feed 3>&- &
	feeder=$!
	kandil-ai --no-cache --model="llama:$LLAMA/tiny.gguf" <feed >out 2>err 3>&- &
	pid=$!
	soon [ -s out ]
	kill -TERM $pid
	wait $pid || true
	kill $feeder
	gone
	# One that is none says so.
	echo "no model" >bad.gguf
	run -2 --separate-stderr kandil-ai --no-cache --model="llama:$PWD/bad.gguf" --prompt=.p in
	[[ "$stderr" == *"llama-server does not come up with"* ]]
	gone
}
