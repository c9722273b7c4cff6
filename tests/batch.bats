#!/usr/bin/env bats
# kandil-ai --batch against servers/batch.py: what is submitted, found again,
# paid for once, and written in input order. The server says what it saw.
# shellcheck disable=SC2154 # stderr is set by run --separate-stderr

load lib/common

PYTHON=/usr/bin/python3

setup() {
	common_setup
	command -v $PYTHON >/dev/null || skip "python3 is not installed"
	mkdir server
	$PYTHON "$ROOT/tests/servers/batch.py" server 2>server/errors 3>&- &
	SERVER=$!
	soon [ -s server/url ]
	URL=$(cat server/url)
	export OPENAI_API_KEY=test-key ANTHROPIC_API_KEY=test-key GEMINI_API_KEY=test-key
}

teardown() {
	[ -z "${SERVER-}" ] || kill "$SERVER" 2>/dev/null || true
	[ ! -s server/errors ] || cat server/errors >&2
}

# ask PROVIDER ARGUMENT...: the command whose state is always the same.
ask() {
	local provider=$1
	shift
	case $provider in
	responses) set -- --model=openai/m-1 --api=responses "$@" ;;
	anthropic) set -- --model=anthropic/m-1 --max-tokens=50 "$@" ;;
	*) set -- --model="$provider/m-1" "$@" ;;
	esac
	${RUN-} kandil-ai --batch --base-url="$URL" --prompt=.t "$@"
}

# start ARGUMENT...: the same in the background, its own process in $pid.
start() {
	: >err # waits must not find what the one before said
	RUN='exec' ask "$@" >out 2>err 3>&- &
	pid=$!
}

# Until the one in the background says that it waits for its batches.
waits() {
	soon grep -q waiting err
}

# lines WORD...: a record a word.
lines() {
	printf '%s\n' "$@" | sed 's/.*/{"t":"&"}/'
}

# Every request was paid for as often as the count says (default 1).
paid_once() {
	same "$(sort -u server/paid)" "$(sort server/paid)"
}

PROVIDERS="openai responses anthropic gemini"

@test "replies come back in input order, whatever the order of the results" {
	for provider in $PROVIDERS; do
		seq 40 | sed 's/.*/{"n":&,"t":"'"$provider"' &"}/' >in
		run -0 --separate-stderr ask "$provider" in
		printf '%s\n' "$output" >out
		jq -c 'del(.ai)' out | cmp - in
		same "$(seq 40 | sed "s/^/reply to $provider /")" "$(jq -r .ai.text out)"
		[ "$(jq -r .ai.model out | sort -u)" = m-1 ]
		[ "$(jq -r .ai.usage.output out | sort -u)" = 5 ]
		# They were asked for by this run.
		[ "$(jq -c '[.ai.cached, .ai.attempts]' out | sort -u)" = '[false,1]' ]
	done
	paid_once
	run ! grep refused server/log
	# The state is gone with its last batch; again, nothing is asked.
	[ -z "$(ls "$XDG_CACHE_HOME"/kandil/ai/batch)" ]
	cp server/log before
	run -0 --separate-stderr ask gemini in
	cmp before server/log
	[ "$(jq -c '[.ai.cached, .ai.attempts]' <<<"$output" | sort -u)" = '[true,0]' ]
}

@test "what expired, failed for a while or got lost is submitted again, and nothing else" {
	for provider in $PROVIDERS; do
		rm -f server/paid
		lines "$provider a" "$provider expires-once" "$provider busy-once" "$provider lost-once" "$provider z" >in
		run -0 --separate-stderr ask "$provider" in
		[ "$(grep -c '"reply to' <<<"$output")" = 5 ]
		same "$(printf "$provider %s\n" a busy-once busy-once expires-once expires-once lost-once lost-once z)" \
			"$(sort server/paid)"
	done
}

@test "what failed for good is an error of its record alone" {
	for provider in $PROVIDERS; do
		rm -f server/paid
		lines "$provider a" "$provider bad" "$provider cancelled" "$provider z" >in
		run -1 --separate-stderr ask "$provider" in
		[ "$(jq -r '.ai.text // .error.code' <<<"$output" | sed 's/reply to //' | paste -sd,)" = \
			"$provider a,bad_request,not_asked,$provider z" ]
		[ "$(sed -n 2p <<<"$output" | jq -r .error.retryable)" = false ]
		paid_once
	done
}

@test "replies that do not fit the schema are asked for again in the next round" {
	for provider in openai anthropic gemini; do
		lines "$provider shaped 1" "$provider shaped 2" >in
		run -0 --separate-stderr ask "$provider" \
			--schema='{"type":"object","properties":{"ok":{"type":"boolean"}},"required":["ok"],"additionalProperties":false}' in
		[ "$(jq -c .ai.json <<<"$output" | sort -u)" = '{"ok":true}' ]
		[ "$(grep -c "^$provider" server/paid)" = 4 ]
	done
}

@test "--batch-size makes several batches, files and inline requests alike" {
	seq 25 | sed 's/.*/{"t":"r &"}/' >in
	run -0 --separate-stderr ask openai --batch-size=10 in
	[ "$(grep -c 'POST /v1/batches' server/log)" = 3 ]
	paid_once
	# More than goes inline at once is uploaded.
	rm server/paid
	seq 1001 | sed 's/.*/{"t":"g &"}/' >in
	run -0 --separate-stderr ask gemini in
	[ "$(jq -r .ai.text <<<"$output" | tail -n 1)" = "reply to g 1001" ]
	grep -q 'POST /upload-here' server/log
	paid_once
	run ! grep refused server/log
}

@test "standard input may be a pipe" {
	run -0 --separate-stderr bash -c "printf '{\"t\":\"x\"}\n\n{\"t\":\"y\"}' |
		kandil-ai --batch --model=openai/m-1 --base-url=$URL --prompt=.t"
	[ "$(jq -r .ai.text <<<"$output" | paste -sd,)" = "reply to x,reply to y" ]
	mkfifo pipe
	run -2 --separate-stderr ask openai pipe
	[[ $stderr == *"'pipe' is no regular file"* ]]
}

@test "an answer that is lost makes no second batch" {
	for provider in $PROVIDERS; do
		for word in create-cut create-500; do
			lines "$provider $word 1" "$provider $word 2" >in
			echo $word >server/faults
			run -0 --separate-stderr ask "$provider" in
			[ "$(grep -c '"reply to' <<<"$output")" = 2 ]
		done
		# One that was certainly not made is made again.
		lines "$provider limited" >in
		echo "create-429" >server/faults
		run -0 --separate-stderr ask "$provider" in
	done
	paid_once
}

@test "cuts and refusals on the way to results cost nothing" {
	for provider in $PROVIDERS; do
		seq 30 | sed 's/.*/{"t":"'"$provider"' &"}/' >in
		echo "upload-cut poll-503 results-cut poll-503" >server/faults
		run -0 --separate-stderr ask "$provider" in
		[ "$(grep -c '"reply to' <<<"$output")" = 30 ]
	done
	paid_once
}

@test "no money stops it: what was taken is written, the rest is not_asked, status 3" {
	seq 20 | sed 's/.*/{"t":"r &"}/' >in
	echo 1 >server/polls
	# The second batch is refused.
	echo create-good create-quota >server/faults
	run -3 --separate-stderr ask openai --batch-size=10 in
	[ "$(jq -r '.ai.text // .error.code' <<<"$output" | sed 's/ .*//' | uniq -c | xargs)" = \
		"10 reply 10 not_asked" ]
	[ "$(jq -r 'select(.error) | .error.retryable' <<<"$output" | sort -u)" = true ]
	[[ $stderr == *"no money"* ]]
	run -0 --separate-stderr ask openai --batch-size=10 in
	paid_once
}

@test "too many waiting tokens: the same batch goes again" {
	lines a b >in
	echo create-tokens >server/faults
	run -0 --separate-stderr ask openai in
	[ "$(grep -c 'POST /v1/batches' server/log)" = 2 ]
}

@test "a wrong key stops before anything is kept" {
	lines a >in
	OPENAI_API_KEY=wrong run -3 --separate-stderr ask openai in
	[ "$(jq -r .error.code <<<"$output")" = not_asked ]
	[ ! -e server/paid ]
	run ! grep -r wrong "$XDG_CACHE_HOME"
}

@test "interrupted, the batch goes on, and the same command takes its results up" {
	for provider in openai anthropic gemini; do
		echo 1000 >server/polls
		rm -f server/paid
		lines "$provider a" "$provider b" >in
		start "$provider" in
		waits
		# The same command at the same time is told so.
		run -3 --separate-stderr ask "$provider" in
		[[ $stderr == *"another kandil-ai"* ]]
		kill -TERM "$pid"
		wait "$pid" || status=$?
		[ "$status" = 143 ]
		[ ! -s out ]
		grep -q "the same command again" err || { cat err >&2; false; }
		echo 1 >server/polls
		run -0 --separate-stderr ask "$provider" in
		[ "$(grep -c '"reply to' <<<"$output")" = 2 ]
		paid_once
	done
}

@test "killed at any moment, nothing is paid for twice" {
	echo 0.15 >server/slow
	for provider in openai anthropic gemini; do
		seq 30 | sed 's/.*/{"t":"'"$provider"' &"}/' >in
		echo 2 >server/polls
		for _ in $(seq 8); do
			start "$provider" --batch-size=10 in
			sleep "0.$((RANDOM % 90 + 10))"
			kill -KILL "$pid" 2>/dev/null || break
			wait "$pid" 2>/dev/null || true
		done
		run -0 --separate-stderr ask "$provider" --batch-size=10 in
		[ "$(grep -c '"reply to' <<<"$output")" = 30 ]
	done
	paid_once
}

@test "a batch that only looks like ours is told by its results" {
	# Anthropic's have no name. Ours was never made; somebody else's is as large and as new.
	echo 1000 >server/polls
	lines a b >in
	start anthropic --state=state in
	waits
	kill -KILL "$pid"
	wait "$pid" || true
	grep -v created state >intent
	mv intent state
	echo forget >server/faults
	lines c d >other
	echo 1 >server/polls
	run -0 --separate-stderr ask anthropic --state=others other
	run -0 --separate-stderr ask anthropic --state=state in
	[ "$(jq -r .ai.text <<<"$output" | paste -sd,)" = "reply to a,reply to b" ]
	[[ $stderr == *"batch 'msgbatch_2' was found"* ]]
	same "$(printf '%s\n' a a b b c d)" "$(sort server/paid)"
}

@test "what spans lines on the command line is one line of a batch" {
	printf '{\n"type": "object",\n"properties": {\n"a b": {"type": "string"}\n}\n}\n' >schema
	for provider in $PROVIDERS; do
		lines "$provider json" >in
		run -0 --separate-stderr ask "$provider" --body=$'{"metadata": {\n"a b":\n"c"}}' in
		[ "$(jq -r .ai.text <<<"$output")" = "reply to $provider json" ]
		run -1 --separate-stderr ask "$provider" --schema=schema --repairs=0 in
		[ "$(jq -r .error.code <<<"$output")" = invalid_reply ]
	done
}

@test "a torn state is cut, a damaged one is told" {
	echo 1000 >server/polls
	lines a >in
	start openai --state=state in
	waits
	kill -KILL "$pid"
	wait "$pid" || true
	echo 1 >server/polls
	cp state whole
	printf '{"event":"done","ba' >>state
	run -0 --separate-stderr ask openai --state=state in
	[ ! -e state ]
	paid_once
	{
		head -n 1 whole
		echo nonsense
		tail -n 1 whole
	} >state
	lines b >in
	run -3 --separate-stderr ask openai --state=state in
	[[ $stderr == *"damaged in line 2"* ]]
}

@test "the budget is kept" {
	printf 'openai\tm-*\t-\t-\t1\t1\t1\t0.5\ttest\n' >prices.tsv
	seq 9 | sed 's/.*/{"t":"r &"}/' >in
	run -3 --separate-stderr ask openai --max-tokens=1000000 --max-cost=2.1 --prices=prices.tsv in
	[ "$(jq -r '.ai.text // .error.code' <<<"$output" | sed 's/ .*//' | uniq -c | xargs)" = \
		"4 reply 5 budget" ]
}

@test "what is tried again is said at the first failure, once, and not with -q" {
	lines a >in
	URL=http://127.0.0.1:1
	run -3 --separate-stderr ask openai --retries=2 in
	same "kandil-ai: openai: cannot connect" "$(head -n 1 <<<"$stderr" | grep -o '^.*cannot connect')"
	same 1 "$(grep -c ': tried up to 2 times more$' <<<"$stderr")"
	run -3 --separate-stderr ask openai --retries=2 -q in
	same 0 "$(grep -c tried <<<"$stderr")"
	# The line on a terminal goes on saying it.
	"$ROOT/tests/lib/terminal" sh -c \
		"kandil-ai --batch --base-url=$URL --prompt=.t --model=openai/m-1 --retries=3 in >out" \
		</dev/null >shown || same 3 $?
	grep -q 'next try in .*: openai: cannot connect' shown
}

@test "an operand that cannot be opened is said once" {
	lines a >in
	run -3 --separate-stderr ask openai in nofile
	same 1 "$(grep -c "cannot open 'nofile'" <<<"$stderr")"
	same "reply to a" "$(jq -r .ai.text <<<"$output")"
}

@test "without a batch API, or a cache, it says so" {
	local none="has no batches that are known here: leave out --batch"
	lines a >in
	mkfifo unread # whoever opens it waits
	run -2 --separate-stderr timeout 30 kandil-ai --batch --model=exec:cat --prompt=.t unread
	same "kandil-ai: --model: 'exec' $none" "$stderr"
	same '' "$output"
	run -2 --separate-stderr timeout 30 kandil-ai --batch --model=llama:none.gguf --prompt=.t unread
	same "kandil-ai: --model: 'llama' $none" "$stderr"
	KANDIL_AI_MODEL=ollama/m run -2 --separate-stderr timeout 30 kandil-ai --batch --prompt=.t unread
	same "kandil-ai: environment variable 'KANDIL_AI_MODEL': 'ollama' $none" "$stderr"
	run -2 --separate-stderr timeout 30 kandil-ai --batch --model=gemini/m --api=interactions \
		--base-url="$URL" --prompt=.t unread
	same "kandil-ai: --model: 'gemini' $none" "$stderr"
	# What one record names does not end the others.
	lines ollama openai >in
	run -1 --separate-stderr kandil-ai --batch --model=openai/m --base-url="$URL" \
		--request='{model: (.t + "/m"), prompt: .t}' in
	same 'bad_request 1' "$(jq -r '.error.code // .ai.attempts' <<<"$output" | xargs)"
	lines a >in
	run -2 --separate-stderr ask openai --no-cache in
	[[ $stderr == *"leave out --no-cache"* ]]
}

@test "an upload goes to no other host" {
	echo 1 >server/elsewhere
	seq 1001 | sed 's/.*/{"t":"g &"}/' >in
	run -1 --separate-stderr ask gemini in
	[ "$(jq -r .error.code <<<"$output" | sort -u)" = bad_request ]
	run ! grep upload-here server/log
}

@test "many different errors: each record has its own kind" {
	# More than are remembered; the last may pass, and is asked again.
	{
		seq 4200 | sed 's/.*/{"t":"bad &"}/'
		lines busy-once fine
	} >in
	run -1 --separate-stderr ask openai in
	[ "$(jq -r '.ai.text // .error.code' <<<"$output" | sort | uniq -c | xargs)" = \
		"4200 bad_request 1 reply to busy-once 1 reply to fine" ]
}

@test "a batch holds one model where the API wants that, and as many files are open as may be" {
	seq 100 | sed 's/.*/{"m":"m-&","t":"r &"}/' >in
	run -0 --separate-stderr bash -c "ulimit -n 80; exec kandil-ai --batch --base-url=$URL \
		--model=openai/m-1 --request='{model: (\"openai/\" + .m), messages: [{role: \"user\", content: .t}]}' in"
	[ "$(grep -c 'POST /v1/batches' server/log)" = 100 ]
	same "$(seq 100 | sed 's/^/reply to r /')" "$(jq -r .ai.text <<<"$output")"
	run ! grep refused server/log
}

@test "a batch is found again behind any number of others" {
	seq 50 | sed 's/.*/{"t":"r &"}/' >in
	run -0 --separate-stderr ask gemini --batch-size=1 in
	lines last >in
	echo create-cut >server/faults
	run -0 --separate-stderr ask gemini in
	paid_once
}

@test "what passes ends no wait" {
	for provider in openai anthropic gemini; do
		lines "$provider a" >in
		echo "poll-503 poll-503 poll-503 poll-503 poll-503" >server/faults
		run -0 --separate-stderr ask "$provider" --retries=1 in
		same 1 "$(grep -c 'tried again for an hour' <<<"$stderr")"
	done
	paid_once
}

@test "a batch that another key's owner has is not paid for again, one that is gone is" {
	for provider in openai anthropic gemini; do
		rm -f server/paid server/hidden
		echo 1000 >server/polls
		lines "$provider a" >in
		start "$provider" --state=state in
		waits
		kill -KILL "$pid"
		wait "$pid" || true
		echo 1 >server/polls
		jq -r 'select(.event == "created").id' state >server/hidden
		run -3 --separate-stderr ask "$provider" --state=state in
		[[ $stderr == *"is not known to this key"*"'state'"* ]]
		[ "$(jq -r .error.code <<<"$output")" = not_asked ]
		paid_once
		sed -i 's/"time":[0-9]*/"time":1000/' state
		run -0 --separate-stderr ask "$provider" --state=state in
		[[ $stderr == *"is gone"* ]]
		[ "$(jq -r .ai.text <<<"$output")" = "reply to $provider a" ]
	done
}

@test "results that are not named yet are waited for" {
	lines a b bad >in
	echo "output-late output-late output-late" >server/faults
	run -1 --separate-stderr ask openai in
	[ "$(grep -c '"reply to' <<<"$output")" = 2 ]
	paid_once
}

@test "asked anew with --retry, a killed run's replies are taken up all the same" {
	lines a b | sed 's/}/,"error":{"tool":"kandil-ai","code":"x","message":"y","retryable":true}}/' >in
	echo batch_4 >server/hidden
	run -3 --separate-stderr ask openai --batch-size=1 --retry --state=state in
	rm server/hidden
	run -0 --separate-stderr ask openai --batch-size=1 --retry --state=state in
	[ "$(grep -c '"reply to' <<<"$output")" = 2 ]
	paid_once
}

@test "one that only looks like ours is doubted by the next run as well" {
	echo 1000 >server/polls
	lines a b >in
	lines c d >other
	start anthropic --state=state in
	waits
	kill -KILL "$pid"
	wait "$pid" || true
	start anthropic --state=others other
	waits
	kill -KILL "$pid"
	wait "$pid" || true
	grep -v created state >intent
	mv intent state
	start anthropic --state=state in
	waits
	grep -q msgbatch_2 err
	kill -KILL "$pid"
	wait "$pid" || true
	echo 1 >server/polls
	run -0 --separate-stderr ask anthropic --state=state in
	[ "$(jq -r .ai.text <<<"$output" | paste -sd,)" = "reply to a,reply to b" ]
	paid_once
}

@test "--state never harms a file that is none" {
	lines a >in
	printf 'one line of mine, without its end' >mine
	printf '{"event":"party"}\n' >calendar
	printf '{"t":"b"}' >input
	for file in mine calendar input; do
		cp "$file" before
		run -3 --separate-stderr ask openai --state="$file" in
		cmp before "$file"
	done
	[ ! -e server/paid ]
}

@test "rounds after failures keep their distance" {
	lines a b >in
	echo "create-tokens create-tokens" >server/faults
	run -0 --separate-stderr ask openai -v in
	[ "$(grep -c 'once more in' <<<"$stderr")" = 2 ]
}

@test "a state leads the key to no other host" {
	echo 1000 >server/polls
	lines a >in
	start anthropic --state=state in
	waits
	kill -KILL "$pid"
	wait "$pid" || true
	sed -i 's,"url":"/v1,"url":"@localhost:1/v1,' state
	run -3 --separate-stderr ask anthropic --state=state in
	[[ $stderr == *"damaged in line 1"* ]]
}

@test "a signal ends it while it reads" {
	mkfifo pipe
	# It reads what no pipe holds, and waits for more.
	{ head -c 1000000 /dev/zero | tr '\0' '\n'; : >fed; exec sleep 600; } >pipe 3>&- &
	holder=$!
	RUN='exec' ask openai <pipe >out 2>err 3>&- &
	pid=$!
	soon [ -e fed ]
	kill -TERM "$pid"
	status=0
	timeout 60 tail --pid="$pid" -f /dev/null || status=hangs
	kill "$holder"
	[ "$status" = 0 ]
	wait "$pid" || status=$?
	[ "$status" = 143 ]
	grep -q "no batch of this input" err
}
