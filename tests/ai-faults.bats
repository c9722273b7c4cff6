#!/usr/bin/env bats
# kandil-ai against servers that fail: what is asked about leaves exactly once,
# with an answer or with the right error, and nobody is asked more than agreed.
# The server is tests/servers/model.py; its head says what it can do.
# shellcheck disable=SC2046,SC2086 # options are words
load lib/common
load lib/servers

KEY=sk-test-b51e0c0f7a4d9e26

setup_file() {
	make_certificate DNS:localhost
	serve_model "$BATS_FILE_TMPDIR"/{cert,key}.pem
}

setup() {
	providers_setup "$MODEL"
}

address() {
	cat "$BATS_FILE_TMPDIR/model/$1"
}

# requests TEXT: how many the server has had with it.
requests() {
	asked | jq -c --arg text "$1" 'select(.prompt == $text)' | wc -l
}

# faults: each fault, then the code that a whole reply and a streamed one end
# in; - is an answer. Ollama's stream is of lines: an end in the middle of one is garbage there.
faults() {
	cat <<-'END'
		ok            -           -
		hang          -           -
		plain         -           -
		twice         -           -
		stall-headers timeout     timeout
		stall-head    timeout     timeout
		stall-body    timeout     timeout
		stall-end     timeout     timeout
		reset-headers cut_off     cut_off
		reset-head    cut_off     cut_off
		reset-body    cut_off     cut_off
		reset-end     cut_off     cut_off
		close-headers cut_off     cut_off
		close-head    bad_reply   cut_off
		close-body    cut_off     cut_off
		close-end     cut_off     cut_off
		no-end        bad_reply   cut_off
		garbage       bad_reply   bad_reply
		html          bad_reply   cut_off|bad_reply
		empty         bad_reply   cut_off
		latin1        bad_reply   bad_reply
		noise         bad_reply   bad_reply
		sse-error     -           overloaded|server_error
		sse-garbage   -           bad_reply
	END
}

# matrix_run PROTOCOL "" | PROTOCOL --stream: into OUT. A model for each fault,
# for what is slow with one shall not slow down the others. Who stalls is not waited for as long
# as the others may take.
matrix_run() {
	local name=$1$2 options
	read -ra options <<<"$(protocol "$1") $2 --no-cache --retries=1"
	options+=(--request='{prompt: .text, model: ("'"${options[0]#--model=}"'" + .model)}')
	faults | awk -v name="$name" '$1 !~ /^sse/ || name ~ /stream/ {
		for (i = 1; i <= 2; i++)
			printf "{\"id\":%d,\"text\":\"%s %s %d\",\"model\":\"%s\"}\n", ++n, $1, name, i, $1 \
				>(name ($1 ~ /^stall/ ? ".stalls" : ".rest"))
	}'
	cat "$name".{stalls,rest} >"$name.in"
	matrix_part "$name.stalls" --timeout=1 &
	matrix_part "$name.rest" --timeout=5
	wait $!
	cat "$name".{stalls,rest}.out >"$name.out"
}

# matrix_part IN OPTION...: of matrix_run, with its options.
matrix_part() {
	local status=0
	/usr/bin/time -f %M -q -o "$1.memory" kandil-ai "${options[@]}" "${@:2}" "$1" >"$1.out" 2>"$1.err" ||
		status=$?
	echo $status >"$1.status"
}

matrix_check() {
	local name=$1$2 column=2
	[ -z "$2" ] || column=3
	each_once "$name.in" "$name.out"
	same '1 1' "$(cat "$name".{stalls,rest}.status | xargs)"
	codes "$name.out" | awk -v column=$column -v name="$name" '
		NR == FNR { want[$1] = "|" $column "|"; next }
		!index(want[$1], "|" $4 "|") || ($4 != "-" && $5 != "true") {
			print name ": " $0 ", and not " want[$1]
			bad = 1
		}
		END { exit bad }' <(faults) - >&2
	# An answer is that of its own question, and its deltas make it up.
	jq -ne '[inputs | select(.ai)] | length > 5 and all(.ai.text == "re: " + .text)' "$name.out"
	[ -z "$2" ] || jq -ne '[inputs] | map(select(.kind == "delta")) as $deltas |
		map(select(.ai)) | all(.id as $id | .ai.text ==
		([$deltas[] | select(.id == $id).text] | add))' "$name.out"
	sanitized || [ "$(sort -n "$name".{stalls,rest}.memory | tail -n 1)" -lt 20480 ]
}

@test "faults by stage, whole and streamed, over six protocols" {
	control "$(faults | jq -Rn '[inputs | split(" ")[0] | {(.): [.]}] | add')"
	local one protocols="openai responses anthropic gemini interactions ollama"
	for one in $protocols; do
		matrix_run "$one" "" &
		matrix_run "$one" --stream &
	done
	wait
	for one in $protocols; do
		matrix_check "$one" ""
		matrix_check "$one" --stream
	done
	# Each was asked at most 1 + retries times.
	asked | jq -r .prompt | sort | uniq -c | awk '$1 > 2 { print; bad = 1 } END { exit bad }' >&2
	# What has its answer was asked once.
	[ "$(requests "ok openai 1")" = 1 ]
}

@test "replies without end are given up, in bounded memory" {
	local words="big bomb lines long-head" stream one
	control "$(jq -n '$ARGS.positional | map({(.): [.]}) | add' --args $words)"
	for one in $words; do records "$one 1"; done | jq -c '.id = input_line_number' >in
	for stream in "" --stream; do
		run -1 --separate-stderr /usr/bin/time -q -f %M -o memory $AI $(protocol openai) \
			$stream --jobs=2 --retries=0 in
		echo "$output" >out
		each_once in out
		codes out
		[ "$(codes out | grep -Ec ' (reply_too_large|bad_reply) true$')" = 4 ]
		# Two in flight, 16 MiB each, in buffers that double.
		sanitized || [ "$(cat memory)" -lt 122880 ]
	done
	# Nothing is asked twice for it.
	[ "$(asked | wc -l)" = 8 ]
}

@test "a byte at a time is not for ever" {
	control '{"slow": ["slow"]}'
	records "slow $(printf '%0500d' 1)" >in
	local stream reason
	for stream in "" --stream; do
		drip $stream &
	done
	wait
	for stream in "" --stream; do
		same "timeout true" "$(jq -r 'select(.error).error | "\(.code) \(.retryable)"' out$stream)"
		reason=$(jq -r 'select(.error).error.message' out$stream)
		echo "$stream: $reason"
		# A server that was held up says nothing in time, which ends the run: that is another matter.
		case $reason in
		"not finished within 4800 ms" | "the reply stopped for 400 ms") same 1 "$(cat status$stream)" ;;
		*) same "no reply within 400 ms 3" "$reason $(cat status$stream)" ;;
		esac
	done
}

# drip "" | drip --stream: asks who replies so slowly, into out and status.
drip() {
	try timeout 120 $AI $(protocol anthropic) "$@" --timeout=0.4 --retries=0 in >out$1 2>err$1
	echo $status >status$1
}

# unreachable CODE OPTION...: nobody can be asked: status 3, and all records leave.
unreachable() {
	local code=$1
	shift
	records one two >in
	run -3 --separate-stderr timeout 120 $AI --jobs=1 --timeout=10 "$@" in
	echo "$output" >out
	each_once in out
	same 1 "$(codes out | grep -c " $code true$")"
	same 1 "$(codes out | grep -c " not_asked true$")"
	[ ${#stderr_lines[@]} -ge 1 ]
	[[ "$stderr" != *"$KEY"* && "$output" != *"$KEY"* ]]
}

@test "who cannot be reached at all stops the run, and nothing is lost" {
	unreachable cannot_connect --model=openai/m --base-url="$(address closed)/v1"
	[[ "$stderr" == *"cannot reach openai at $(address closed)"* ]]
	unreachable cut_off --model=openai/m --base-url="$(address reset)/v1" --retries=1
	unreachable timeout --model=openai/m --base-url="$(address stalled)/v1" --timeout=1 --retries=1
	unreachable unknown_host --model=openai/m --base-url=https://nowhere.invalid/v1
	[[ "$stderr" == *nowhere.invalid* ]]
}

# A reset is one whether it is seen while connecting, as here, or when reading.
@test "a connection that is reset as soon as it stands is not one that was refused" {
	sanitized && skip "sanitizers want to be loaded first"
	cat >late.c <<-'C'
		#define _GNU_SOURCE
		#include <dlfcn.h>
		#include <errno.h>
		#include <sys/socket.h>
		#include <unistd.h>

		int
		connect(int fd, const struct sockaddr *to, socklen_t len)
		{
			int (*real)(int, const struct sockaddr *, socklen_t);
			int result, error;

			*(void **)&real = dlsym(RTLD_NEXT, "connect");
			result = real(fd, to, len);
			error = errno;
			usleep(50000);
			errno = error;
			return result;
		}
	C
	cc -shared -fPIC -o late.so late.c -ldl
	LD_PRELOAD=$PWD/late.so unreachable cut_off --model=openai/m \
		--base-url="$(address reset)/v1" --retries=1
}

@test "a proxy that is down is named, and is not asked for loopback" {
	HTTPS_PROXY=$(address closed) unreachable proxy_failed \
		--model=openai/m --base-url=https://model.invalid/v1
	[[ "$stderr" == *"the proxy fails (see HTTPS_PROXY): "* ]]
	all_proxy=ht:/x unreachable proxy_failed --model=openai/m --base-url=https://model.invalid/v1
	[[ "$stderr" == *"the proxy fails (see all_proxy): "* && "$stderr" != *--proxy* ]]
	control '{}'
	records one >in
	HTTPS_PROXY=$(address closed) https_proxy=$(address closed) http_proxy=$(address closed) \
		run -0 $AI $(protocol openai) in
}

@test "TLS: a stranger's certificate is refused, a trusted one is not, nor one of another name" {
	local tls port
	tls=$(address tls)
	port=${tls##*:}
	unreachable bad_tls --model=openai/m --base-url="https://localhost:$port/v1"
	control '{}'
	records one >in
	SSL_CERT_FILE=$BATS_FILE_TMPDIR/cert.pem run -0 --separate-stderr $AI --model=openai/m \
		--base-url="https://localhost:$port/v1" in
	[[ "$output" == *"re: one"* ]]
	SSL_CERT_FILE=$BATS_FILE_TMPDIR/cert.pem unreachable bad_tls --model=openai/m \
		--base-url="https://127.0.0.1:$port/v1"
}

@test "connections that are reset now and then cost tries, not records" {
	control '{}'
	records $(seq 40) >in
	run -0 --separate-stderr $AI --model=openai/m --base-url="$(address flaky)/v1" in
	echo "$output" >out
	each_once in out
	[ "$(jq -r 'select(.ai.text == "re: " + .text).id' out | wc -l)" = 40 ]
}

@test "a reply that comes twice answers one question only" {
	control '{"twice-late": ["twice-late"], "twice": ["twice"]}'
	local kind stream twice=0
	has_come() { [ "$(curl -fsS --noproxy '*' "$MODEL/twice")" = "$twice" ]; }
	for kind in twice twice-late; do
		for stream in "" --stream; do
			# The next is asked when the second reply is there, on the connection of the first.
			twice=$((twice + 1))
			run -0 --separate-stderr $AI $(protocol openai) $stream --jobs=1 < <(
				records "$kind first"
				soon has_come
				records second third)
			same "re: $kind first re: second re: third" \
				"$(jq -rn '[inputs.ai // empty | .text] | join(" ")' <<<"$output")"
		done
	done
}

@test "a key does not follow a redirection" {
	local away before
	away=$(address away)
	before=$(curl -fs "$MODEL/away")
	control '{"go": [{"status": 307, "headers": {"Location": "'"$away"'/v1/chat/completions"}}]}'
	records "go there" >in
	run -1 --separate-stderr $AI $(protocol openai) in
	[[ "$output" == *'"retryable":false'* && "$output" == *"redirects"*"$away"* ]]
	same "$before" "$(curl -fs "$MODEL/away")"
	[ "$(asked | wc -l)" = 1 ]
}

# waited PROMPT: ms between the last two requests with it.
waited() {
	asked | jq -n --arg text "$1" '[inputs | select(.prompt == $text).ms] | .[-1] - .[-2]'
}

@test "who says how long to wait is not asked before" {
	local slow='{"error": {"code": "rate_limit_exceeded", "message": "slow"}}'
	control '{
	  "after": [{"status": 429, "headers": {"Retry-After": "1"}, "body": '"$slow"'}, "ok"],
	  "after-ms": [{"status": 503, "headers": {"retry-after-ms": "700"}, "body": '"$slow"'}, "ok"],
	  "info": [{"status": 429, "body": {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED",
	    "message": "quota", "details": [
	      {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations":
	        [{"quotaId": "GenerateRequestsPerMinutePerProject"}]},
	      {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "0.9s"}]}}}, "ok"]}'
	records "after 1" "after-ms 1" >in
	run -0 --separate-stderr $AI $(protocol openai) in
	[ "$(waited "after 1")" -ge 1000 ]
	[ "$(waited "after-ms 1")" -ge 700 ]
	records "info 1" >in
	run -0 --separate-stderr $AI $(protocol gemini) in
	[ "$(waited "info 1")" -ge 900 ]
	same 2 "$(jq .ai.attempts <<<"$output")"
}

@test "x-should-retry comes before the status" {
	control '{
	  "never": [{"status": 500, "headers": {"x-should-retry": "false"}, "body": "no"}],
	  "try": [{"status": 400, "headers": {"x-should-retry": "true"}, "body": "odd"}, "ok"]}'
	records "never 1" "try 1" >in
	run -1 --separate-stderr $AI $(protocol openai) in
	same $'never 1 server_error false\ntry 1 - -' "$(codes <(echo "$output"))"
	same "1 2" "$(requests "never 1") $(requests "try 1")"
}

@test "limits in headers hold back the next request" {
	local name headers
	records first second third >in
	for name in openai anthropic; do
		headers='{"x-ratelimit-limit-requests": "2", "x-ratelimit-remaining-requests": "0",
		          "x-ratelimit-reset-requests": "1.2s"}'
		[ $name = openai ] || headers='{"anthropic-ratelimit-requests-limit": "2",
		  "anthropic-ratelimit-requests-remaining": "0",
		  "anthropic-ratelimit-requests-reset": "'"$(date -u -d '+8 seconds' +%FT%TZ)"'"}'
		control '{"first": [{"headers": '"$headers"'}]}'
		run -0 --separate-stderr $AI $(protocol $name) --jobs=1 in
		# The first of two comes back after half the time.
		asked | jq -ne '[inputs.ms] | .[1] - .[0] >= 500'
	done
}

@test "storms of 429 and 5xx pass, or end in an error when they do not" {
	local error='"body": {"error": {"message": "no"}}'
	control '{
	  "pass": [{"status": 429, '"$error"'}, {"status": 503, '"$error"'}, {"status": 529,
	           '"$error"'}, "ok"],
	  "429": [{"status": 429, '"$error"'}], "500": [{"status": 500, '"$error"'}],
	  "502": [{"status": 502, "body": "<html>bad gateway</html>"}],
	  "503": [{"status": 503, '"$error"'}], "529": [{"status": 529, '"$error"'}]}'
	records "pass 1" "pass 2" "pass 3" >in
	run -0 --separate-stderr $AI $(protocol anthropic) in
	echo "$output" >out
	each_once in out
	same "4 4 4" "$(requests "pass 1") $(requests "pass 2") $(requests "pass 3")"
	records "429 1" "500 1" "502 1" "503 1" "529 1" fine >in
	run -1 --separate-stderr $AI $(protocol anthropic) --retries=0 in
	codes <(echo "$output") >got
	same "429 1 rate_limited true
500 1 server_error true
502 1 server_error true
503 1 overloaded true
529 1 overloaded true
fine - -" "$(cat got)"
	run -1 --separate-stderr $AI $(protocol openai) --retries=1 < <(records "500 1")
	same 3 "$(requests "500 1")"
}

# stops PROTOCOL CODE PLAN: the second record meets it; what follows is not asked.
stops() {
	local cache
	cache=$(mktemp -d -p .)
	control '{"end": ['"$3"']}'
	records first "end here" third fourth fifth >in
	run -3 --separate-stderr kandil-ai --prompt=.text --cache="$cache" $(protocol "$1") --jobs=1 in
	echo "$output" >out
	each_once in out
	same "end here $2 true
fifth not_asked true
first - -
fourth not_asked true
third not_asked true" "$(codes out)"
	[ "$(asked | wc -l)" = 2 ]
	same 0,1,2,3,4 "$(jq -r .id out | paste -sd ,)"
	[[ "$stderr" == *"kandil-ai: $1: "* ]]
	[[ "$output$stderr" != *"$KEY"* ]]
	# What came out asks for what is missing and nothing else.
	control '{}'
	run -0 --separate-stderr kandil-ai --prompt=.text --cache="$cache" $(protocol "$1") \
		--retry out
	each_once in <(echo "$output")
	[ "$(asked | wc -l)" = 4 ]
}

@test "no money and no admission end the run, whatever the status" {
	stops anthropic quota '{"status": 429, "body": {"type": "error", "error": {"type":
	  "rate_limit_error", "message": "no", "details":
	  {"error_code": "enforced_spend_limit_reached"}}}}'
	stops anthropic quota '{"status": 402, "body": {"type": "error", "error": {"type":
	  "billing_error", "message": "no"}}}'
	stops gemini quota '{"status": 429, "body": {"error": {"code": 429, "message": "no", "status":
	  "RESOURCE_EXHAUSTED", "details": [{"@type": "type.googleapis.com/google.rpc.QuotaFailure",
	  "violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel"}]},
	  {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "1s"}]}}}'
	stops openai quota '{"status": 429, "body": {"error": {"type": "insufficient_quota",
	  "code": "organization_spend_limit_exceeded", "message": "no"}}}'
	stops openai permission '{"status": 403, "body": {"error": {"message": "not yours"}}}'
	# The key that is refused comes back in the message, and goes no further.
	stops openai authentication '{"status": 401, "body": {"error": {"code": "invalid_api_key",
	  "message": "Incorrect API key provided: $KEY."}}}'
}

@test "a limit of the minute that is worded as quota is waited for" {
	control '{"odd": [{"status": 429, "body": {"error": {"message":
	  "insufficient quota: 3 requests per minute", "type": "requests", "code": null}}}, "ok"]}'
	run -0 --separate-stderr $AI $(protocol openai) < <(records "odd 1")
	same 2 "$(requests "odd 1")"
}

@test "--strict ends at the first failure, in the order of the input" {
	control '{"bad": [{"status": 400, "body": {"error": {"message": "no"}}}]}'
	records one two "bad 1" four five six >in
	run -1 --separate-stderr $AI $(protocol openai) --strict in
	same "0 1" "$(jq -rn '[inputs | select(.ai).id | tostring] | join(" ")' <<<"$output")"
	[[ "$output" != *"re: four"* ]]
}

# The prompts that a run had written, and that were asked again later.
paid_twice() {
	local run
	for run in killed.*.out; do
		jq -rR 'fromjson? | .text' "$run" | jq -Rn --argjson killed "$(cat "${run%.out}.ms")" \
			--slurpfile asked log '[inputs] as $had | $asked[] |
			select(.ms > $killed and (.prompt as $p | $had | index([$p]))).prompt'
	done
}

@test "kill -9 a hundred times: nothing lost, nothing doubled, nothing paid twice" {
	local round kill pid seed=$$ records=150 jobs=8
	echo "seed $seed"
	RANDOM=$seed
	control '{"delay": 8}'
	for round in 1 2 3 4; do
		records $(seq -f "r$round-%g" $records) >in
		for kill in $(seq 25); do
			kandil-ai --prompt=.text --cache=kept $(protocol openai) --jobs=$jobs in \
				>"killed.$round.$kill.out" 2>err &
			pid=$!
			# Every other one when it has said something, however slow the machine is.
			[ $((kill % 2)) = 0 ] || until [ -s "killed.$round.$kill.out" ] || ! kill -0 $pid; do sleep 0.005; done
			sleep "0.0$((RANDOM % 8 + 1))"
			kill -9 $pid || true
			wait $pid 2>/dev/null || true
			date +%s%3N >"killed.$round.$kill.ms"
		done
		run -0 kandil-ai --prompt=.text --cache=kept $(protocol openai) --jobs=$jobs in
		echo "$output" >out
		each_once in out
		jq -ne '[inputs] | all(.ai.text == "re: " + .text)' out
	done
	asked >log
	[ "$(jq -r .prompt log | sort -u | wc -l)" = $((4 * records)) ]
	# Again were asked, at most, those that were in flight.
	[ "$(wc -l <log)" -le $((4 * records + 100 * jobs)) ]
	# Of what had arrived, as the server can tell and as our own output tells: nothing.
	same "" "$(curl -fs "$MODEL/again")"
	same "" "$(paid_twice)"
	# And the killing was worth it: it did hit runs in the middle.
	[ "$(find . -name 'killed.*.out' -size +0 | wc -l)" -ge 20 ]
}

@test "the key goes to the provider and nowhere else" {
	local name pid
	control '{"echo": [{"status": 400, "body": {"error": {"message": "who is $KEY?"}}}],
	          "wait": ["stall-headers"]}'
	records fine "echo it" >in
	for name in openai anthropic gemini interactions responses ollama; do
		kandil-ai -v --prompt=.text --cache=cache --cassette=tape $(protocol $name) in \
			>>out 2>>err || [ $? = 1 ]
		kandil-ai -v --prompt=.text --cache=cache $(protocol $name) --stream in \
			>>out 2>>err || [ $? = 1 ]
		kandil-ai -v --prompt=.text $(protocol $name) --dry-run in >>out 2>>err || [ $? = 1 ]
	done
	[ "$(grep -c 'who is \*\*\*' out)" = 12 ]
	[ -n "$(find cache -type f)" ]
	[ -n "$(find tape -type f)" ]
	# Each was sent it, in a header alone.
	asked >"$BATS_TEST_TMPDIR/log"
	jq -ne --arg key $KEY '[inputs] | length > 10 and
		all([.headers[] | select(endswith($key))] | length == 1)' "$BATS_TEST_TMPDIR/log"
	jq -ne --arg key $KEY '[inputs | {path, body} | tostring] | all(contains($key) | not)' \
		"$BATS_TEST_TMPDIR/log"
	# Others can read the command line of what runs.
	echo $KEY >"$BATS_TEST_TMPDIR/key"
	chmod 600 "$BATS_TEST_TMPDIR/key"
	env -u OPENAI_API_KEY kandil-ai --prompt=.text --key-file="$BATS_TEST_TMPDIR/key" --no-cache \
		$(protocol openai) --timeout=20 < <(records "wait here") >>out 2>>err &
	pid=$!
	is_asked() { [ "$(requests "wait here")" = 1 ]; }
	soon is_asked
	tr '\0' ' ' </proc/$pid/cmdline >cmdline
	kill $pid
	wait $pid || true
	grep -q -- --key-file cmdline
	same "" "$(grep -rl "$KEY" . || true)"
}

@test "who asks the same at the same time asks once" {
	control '{"delay": 100}'
	records $(yes same | head -n 20) >in
	run -0 $AI $(protocol openai) in
	same 1 "$(asked | wc -l)"
	same 19 "$(jq -r 'select(.ai.cached).id' <<<"$output" | wc -l)"
}
