# Servers that the tests of kandil-ai and kandil-collab talk to. Sourced behind
# common.bash by bats files; what is started in setup_file ends in teardown_file, which is here.
# shellcheck shell=bash

# started FILE PID: waits until the server has written FILE.
started() {
	local tries=600
	while ! [ -s "$1" ]; do
		kill -0 "$2" 2>/dev/null && [ $((tries -= 1)) -gt 0 ] || return 1
		sleep 0.05
	done
}

# start_model FOLDER [CERTIFICATE KEY]: tests/servers/model.py; addresses are in FOLDER.
start_model() {
	mkdir -p "$1"
	# What bats listens at would never close.
	/usr/bin/env python3 "$ROOT/tests/servers/model.py" "$@" >"$1/out" 2>&1 3>&- 4>&- &
	echo $! >>"$BATS_FILE_TMPDIR/pids"
	started "$1/url" $!
}

# serve_model [CERTIFICATE KEY]: start_model for a whole file of tests, at $MODEL.
serve_model() {
	export MODEL
	start_model "$BATS_FILE_TMPDIR/model" "$@"
	MODEL=$(cat "$BATS_FILE_TMPDIR/model/url")
}

# make_certificate NAME: cert.pem and key.pem of a server of that name (DNS:x, IP:x).
make_certificate() {
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost \
		-addext "subjectAltName=$1" -keyout "$BATS_FILE_TMPDIR/key.pem" \
		-out "$BATS_FILE_TMPDIR/cert.pem" 2>/dev/null
}

# openai_setup: a test that asks $MODEL as OpenAI's, by $AI.
openai_setup() {
	common_setup
	export OPENAI_API_KEY=k OPENAI_BASE_URL=$MODEL/v1
	export AI="kandil-ai --prompt=.text --model=openai/m"
}

# providers_setup SERVER: a test that asks it as every provider, with $KEY, by $AI
# and the options of protocol.
providers_setup() {
	common_setup
	export OPENAI_API_KEY=$KEY ANTHROPIC_API_KEY=$KEY GEMINI_API_KEY=$KEY OLLAMA_API_KEY=$KEY
	export AI="kandil-ai --prompt=.text --no-cache" SERVER=$1
}

# start_aimock FOLDER: the address is in FOLDER/url. Status 1 where it is not installed.
start_aimock() {
	local program=$ROOT/tests/node_modules/@copilotkit/aimock/dist/cli.js pid
	[ -f "$program" ] && command -v node >/dev/null || return 1
	mkdir -p "$1"
	node "$program" -p 0 -f "$ROOT/tests/servers/aimock" --strict --journal-max 0 \
		>"$1/out" 2>&1 3>&- 4>&- &
	pid=$!
	echo $pid >>"$BATS_FILE_TMPDIR/pids"
	for _ in $(seq 600); do
		sed -n 's/.* listening on \(http:.*\)/\1/p' "$1/out" >"$1/url"
		[ ! -s "$1/url" ] || return 0
		kill -0 $pid || return
		sleep 0.05
	done
	return 1
}

# start_hub OPTION...: kandil-collab serve on a port of its own: $HUB, $PORT, $URL; err is what it
# says. The hubs of a test end with stop_hubs, in its teardown.
start_hub() {
	: >err
	kandil-collab serve --listen=127.0.0.1:0 "$@" 2>err 3>&- 4>&- &
	HUB=$!
	echo $HUB >>pids
	hub_listens
}

# hub [PORT [OPTION...]]: the same for members: $KANDIL_COLLAB_URL leads to it; it speaks to hub.err.
hub() {
	: >hub.err
	kandil-collab serve --listen=127.0.0.1:"${1:-0}" "${@:2}" 2>hub.err 3>&- 4>&- &
	HUB=$!
	echo $HUB >>pids
	hub_listens hub.err
	export KANDIL_COLLAB_URL=$URL
}

# hub_listens [FILE]: waits until $HUB has said in FILE (err) where.
hub_listens() {
	local tries=600 said=${1:-err}
	until URL=$(sed -n 's,.*listening on \([a-z]*://[^ ,]*\).*,\1,p' "$said" | tail -n 1) && [ -n "$URL" ]; do
		if ! kill -0 "$HUB" 2>/dev/null || [ $((tries -= 1)) -le 0 ]; then
			cat "$said" >&2
			return 1
		fi
		sleep 0.05
	done
	# shellcheck disable=SC2034 # the caller's
	PORT=${URL##*:}
}

# is_ours PID: it runs, and this file of tests has started it: where pids are few, the number
# of one that has ended is another's soon.
is_ours() {
	grep -qzxF "BATS_FILE_TMPDIR=$BATS_FILE_TMPDIR" "/proc/$1/environ" 2>/dev/null
}

# stop_hubs: ends all that is named in pids, stopped or not.
stop_hubs() {
	local pid
	[ -e pids ] || return 0
	while read -r pid; do
		! is_ours "$pid" || kill -KILL "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true # or bash says that it was killed
	done <pids
}

teardown_file() {
	local pid
	[ -e "$BATS_FILE_TMPDIR/pids" ] || return 0
	while read -r pid; do
		! is_ours "$pid" || kill "$pid" 2>/dev/null || true
	done <"$BATS_FILE_TMPDIR/pids"
}

# control JSON: what tests/servers/model.py does from now on; forgets what was.
control() {
	curl -fsS --noproxy '*' --data-binary "$1" "$MODEL/control"
}

# asked: the requests since control, an NDJSON line each.
asked() {
	curl -fsS --noproxy '*' "$MODEL/log"
}

# each_once IN OUT: every id of IN leaves exactly once in OUT, in whatever order.
each_once() {
	same "$(jq -c .id "$1" | sort)" \
		"$(jq -c 'select(.kind != "delta").id' "$2" | sort)"
}

# codes OUT: "text code retryable", a line each record, sorted; - for none.
codes() {
	jq -r 'select(.kind != "delta") |
		"\(.text) " + if .error then "\(.error.code) \(.error.retryable)" else "- -" end' "$1" | sort
}

# protocol NAME: the options that make kandil-ai speak it to $SERVER.
protocol() {
	case $1 in
	openai) echo "--model=openai/m --base-url=$SERVER/v1" ;;
	responses) echo "--model=openai/m --base-url=$SERVER/v1 --api=responses" ;;
	interactions) echo "--model=gemini/m --base-url=$SERVER --api=interactions" ;;
	*) echo "--model=$1/m --base-url=$SERVER" ;;
	esac
}

# records TEXT...: a record each, numbered.
records() {
	jq -nc '$ARGS.positional | to_entries[] | {id: .key, text: .value}' --args "$@"
}

# try COMMAND...: whatever its status is, it is in $status.
try() {
	# shellcheck disable=SC2034 # the caller's
	status=0
	# shellcheck disable=SC2034
	"$@" || status=$?
}
