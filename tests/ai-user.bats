#!/usr/bin/env bats
# kandil-ai and kandil chat as a person meets them: terminals, slips of the
# finger, a second run over the first one's output.
# The server is tests/servers/model.py; its head says what it can do.
# shellcheck disable=SC2086,SC2154 # options are words; stderr is set by run --separate-stderr
load lib/common
load lib/servers

setup_file() {
	serve_model
}

setup() {
	openai_setup
}

# ---- kandil chat

@test "an answer that comes slowly is not drawn over" {
	control '{"delay": 700}'
	same $'re: one two\r' "$("$ROOT/tests/lib/terminal" kandil chat -m openai/m one two </dev/null)"
}

@test "in a conversation Ctrl-C ends an answer, and what was said of it stays" {
	# A conversation is told by its first question.
	control '{"one": ["stall-end", {"status": 400, "body": {"error": {"message": "No"}}}, "ok"]}'
	"$ROOT/tests/lib/terminal" kandil chat -m openai/m >shown <<-'END'
		> 	zero
		zero	\x03
		> 	one\n
		re: one	\x03
		> 	two\n
		kandil-ai: No
		> 	three\n
		re: one
		> 	\x04
	END
	run -1 grep -F records shown
	same '[["user","one"]]
[["user","one"],["assistant","re: one"],["user","two"]]
[["user","one"],["assistant","re: one"],["user","three"]]' \
		"$(asked | jq -c '.body.messages | map([.role, .content])')"
}

@test "an error is said once to a person, and without the words of records" {
	control '{"*": [{"status": 401, "body": {"error": {"message": "Bad key"}}}]}'
	run -3 --separate-stderr kandil chat -m openai/m hello
	same "kandil-ai: openai: Bad key: the key is from OPENAI_API_KEY" "$stderr"
	unset OPENAI_BASE_URL OPENAI_API_KEY
	run -2 --separate-stderr kandil chat hello
	same 3 "$(wc -l <<<"$stderr")"
}

@test "chat takes attached values and pipes, and names what it cannot read" {
	control '{}'
	run -0 kandil chat -mopenai/m --attach <(echo piped) hello
	same $'piped\n\n\nhello' "$(asked | jq -r '.body.messages[0].content')"
	run -2 --separate-stderr kandil chat -m openai/m hello < <(printf 'a\377b')
	same "kandil-chat: standard input is no text in UTF-8" "$stderr"
	run -2 --separate-stderr kandil chat -m openai/m --attach=. hello
	same "kandil-chat: cannot read '.'" "$stderr"
}

@test "chat that cannot print the answer says so" {
	control '{}'
	try kandil chat -m openai/m hello >/dev/full 2>err
	same "3 kandil-ai: cannot write standard output: No space left on device" "$status $(cat err)"
}

@test "chat -v says what it took, and without it nothing is said" {
	control '{"hello": ["reset-headers", "ok"]}'
	run -0 --separate-stderr kandil chat -v -m openai/m hello
	[[ $stderr == *"attempt 1: cut_off"* && $stderr == *"1 asked"*"tokens 10 in"*"5 out"* ]]
	run -0 --separate-stderr kandil chat -m openai/m hello
	same "re: hello" "$output$stderr"
}

# ---- the second run

@test "what has its answer is passed, what failed is asked with --retry, all with --force" {
	local before
	control '{"bad": [{"status": 400, "body": {"error": {"message": "No"}}}]}'
	records good bad fine "bad too" >in
	try $AI in >first
	same "1 2" "$status $(jq -c 'select(.ai).id' first | wc -l)"
	control '{}'
	run -1 --separate-stderr $AI -v first
	same "$(cat first)" "$output"
	[[ $stderr == *"4 records, 0 asked, 0 cached, 0 errors, 2 answered before, 2 failed before"* ]]
	run -0 --separate-stderr $AI -v --retry first
	echo "$output" >second
	same "$(jq -c 'select(.ai)' first)" "$(jq -c 'select(.text == "good" or .text == "fine")' second)"
	same $'bad\nbad too' "$(asked | jq -r .prompt | sort)"
	[[ $stderr == *"4 records, 2 asked, 0 cached, 0 errors, 2 answered before"* ]]
	control '{}'
	run -0 --separate-stderr $AI -f --no-cache second
	same 4 "$(asked | wc -l)"
	# Another's error is not ours to try again where the answer is there; it stays.
	before='{"text":"x","ai":{"text":"y","finish":"stop"},"error":{"tool":"kandil-check","code":"c"}}'
	run -1 --separate-stderr $AI --retry <<<"$before"
	same "$before" "$output"
	# An estimate is no answer.
	$AI -n -q in | $AI >out
	same 4 "$(jq -r .ai.text out | wc -l)"
}

@test "a member that is not ours is not replaced" {
	control '{}'
	run -1 --separate-stderr $AI --into=id < <(records one)
	same '[0,"member_taken",false]' "$(jq -c '[.id, .error.code, .error.retryable]' <<<"$output")"
	same 0 "$(asked | wc -l)"
	run -0 --separate-stderr $AI --into=id --force < <(records one)
	same "re: one" "$(jq -r .id.text <<<"$output")"
	run -0 --separate-stderr $AI <<<'{"text":"one","ai":null}'
}

# ---- slips of the finger

@test "a model that nobody has stops the run, a record's own does not" {
	local gone='{"status": 404, "body": {"error":
		{"code": "model_not_found", "message": "No such model"}}}'
	control '{"*": ['"$gone"']}'
	records $(seq 90) >in
	run -3 --separate-stderr $AI in
	[[ $stderr == "kandil-ai: openai: No such model"* ]]
	echo "$output" >out
	each_once in out
	same "no_model not_asked" "$(jq -rn '[inputs.error.code] | unique | join(" ")' out)"
	[ "$(asked | wc -l)" -le 16 ]
	control '{"b": ['"$gone"']}'
	jq -c '. + {prompt: (if .id % 3 == 0 then "b" else "a" end), model: "openai/\(.id)"}' in >named
	run -1 --separate-stderr kandil-ai named
	same 30 "$(jq -r 'select(.error.code == "no_model").id' <<<"$output" | wc -l)"
}

@test "what the command line or the environment gets wrong is one message, status 2" {
	local one
	control '{}'
	records 1 2 3 >in
	while read -r one; do
		run -2 --separate-stderr env $one in
		same 1 "$(wc -l <<<"$stderr")"
		same "" "$output"
	done <<-END
		kandil-ai --prompt=.text -H broken
		OPENAI_BASE_URL=localhost:1 kandil-ai --prompt=.text
		OPENAI_BASE_URL=http://model.example.com/v1 kandil-ai --prompt=.text
		kandil-ai --models
		kandil-ai --prompt=.text --model=
		kandil-ai --prompt=.text --base-url=ftp://x
	END
	[[ $stderr == "kandil-ai: --base-url: 'ftp://x"* ]]
	run -2 --separate-stderr $AI --api=foo in
	[[ $stderr == *"'foo' is none of"*chat* ]]
	same 0 "$(asked | wc -l)"
}

@test "a provider that is none gets nobody else's prompts" {
	unset OPENAI_BASE_URL
	run -2 --separate-stderr kandil-ai -p .text -m foo/bar < <(records one)
	[[ $stderr == "kandil-ai: unknown provider 'foo'"* ]]
	run -2 --separate-stderr kandil-ai -p .text -m opnai/m < <(records one)
	[[ $stderr == *"did you mean 'openai'?" ]]
	# A server of one's own has what names it likes.
	export OPENAI_BASE_URL=$MODEL/v1
	control '{}'
	run -0 --separate-stderr kandil-ai -p .text -m foo/bar < <(records one)
	same foo/bar "$(asked | jq -r .body.model)"
}

# key_sent OPTION...: the key that a request carries.
key_sent() {
	control '{}'
	kandil-ai --no-cache -p .text -m openai/m "$@" < <(records one) >/dev/null
	asked | jq -r .headers.authorization
}

@test "a key is the command line's, then the environment's, then the configuration's" {
	mkdir -p "$XDG_CONFIG_HOME/kandil"
	echo sk-file >key
	chmod 600 key
	export OPENAI_API_KEY=sk-env
	same "Bearer sk-cmd" "$(key_sent --key-command='echo sk-cmd')"
	same "Bearer sk-file" "$(key_sent --key-file=key)"
	same "Bearer sk-cmd" "$(KANDIL_AI_KEY_FILE=key key_sent --key-command='echo sk-cmd')"
	same "Bearer sk-file" "$(KANDIL_AI_KEY_FILE=key key_sent)"
	printf '[ai]\nkey-file = %s\n' "$PWD/key" >"$XDG_CONFIG_HOME/kandil/config"
	same "Bearer sk-env" "$(key_sent)"
	same "Bearer sk-file" "$(unset OPENAI_API_KEY && key_sent)"
	run -2 --separate-stderr $AI --key-command='exit 3' < <(records one)
	[[ $stderr == *"key-command 'exit 3'"* ]]
}

@test "a key that is refused says where it is from, and not what it is" {
	local option from
	control '{"*": [{"status": 401, "body": {"error": {"message": "Bad key $KEY."}}}]}'
	echo sk-file-0123456789 >key
	chmod 600 key
	export OPENAI_API_KEY=sk-env-0123456789
	while read -r option from; do
		run -3 --separate-stderr $AI $option < <(records one)
		[[ $stderr == "kandil-ai: openai: Bad key ***: the key is from $from"$'\n'* ]]
		[[ $stderr$output != *0123456789* ]]
	done <<-'END'
		--jobs=1 OPENAI_API_KEY
		--key-file=key 'key'
		--key-command=cat<key --key-command
	END
}

@test "a member that no request has is no silence" {
	control '{}'
	run -1 --separate-stderr kandil-ai -m openai/m --request '{prompt: .text, max_token: 9}' < <(records one)
	same "--request: unknown member 'max_token': did you mean 'max_tokens'?" \
		"$(jq -r .error.message <<<"$output")"
	run -1 --separate-stderr kandil-ai -m openai/m --request '{prompt: .text, logit_bias: {}}' < <(records one)
	[[ $output == *"what only the provider knows goes into 'body'"* ]]
	same 0 "$(asked | wc -l)"
	# A record that is the request itself has members of its own.
	run -0 --separate-stderr kandil-ai -m openai/m <<<'{"id":1,"prompt":"x","max_token":9}'
}

@test "a value that is wrong says where it stands" {
	mkdir -p "$XDG_CONFIG_HOME/kandil" .kandil
	printf '[ai]\n\nmax-cost = abc\n' >"$XDG_CONFIG_HOME/kandil/config"
	run -2 --separate-stderr $AI </dev/null
	[[ $stderr == "kandil-ai: $XDG_CONFIG_HOME/kandil/config:3: 'max-cost': an amount"* ]]
	run -2 --separate-stderr $AI --max-cost=x </dev/null
	[[ $stderr == "kandil-ai: --max-cost: an amount"* ]]
	printf '[ai]\njobs = 0\n' >"$XDG_CONFIG_HOME/kandil/config"
	run -2 --separate-stderr $AI </dev/null
	[[ $stderr == "kandil-ai: $XDG_CONFIG_HOME/kandil/config:2: 'jobs': "* ]]
	printf '[ai]\ntemperature = hot\n' >.kandil/config
	KANDIL_AI_JOBS=1 run -2 --separate-stderr $AI </dev/null
	[[ $stderr == "kandil-ai: .kandil/config:2: 'temperature': 'hot' is not a number"* ]]
	KANDIL_AI_JOBS=1 KANDIL_AI_TEMPERATURE=cold run -2 --separate-stderr $AI </dev/null
	[[ $stderr == "kandil-ai: environment variable 'KANDIL_AI_TEMPERATURE': 'cold' is not"* ]]
	KANDIL_AI_JOBS=1 run -0 --separate-stderr $AI --temperature=1 </dev/null
}

# llama_server COMMAND...: what llama:FILE starts.
llama_server() {
	printf '#!/bin/sh\necho $$ >pid\n%s\n' "$*" >llama-server
	chmod +x llama-server
	export KANDIL_LLAMA_SERVER=$PWD/llama-server
	: >m.gguf
}

@test "what a server of a file said before it ended is told" {
	llama_server 'echo "failed to load model" >&2; exit 1'
	for _ in $(seq 8); do
		run -2 --separate-stderr kandil-ai --no-cache -m llama:m.gguf -p .text < <(records one)
		same "kandil-ai: llama-server does not come up with 'm.gguf': failed to load model" "$stderr"
	done
}

@test "a signal while a server of a file starts is no failure of the server" {
	local pid
	llama_server 'exec sleep 60'
	env --default-signal=INT kandil-ai --no-cache -m llama:m.gguf -p .text \
		< <(records one) >out 2>err 3>&- &
	pid=$!
	soon [ -s pid ]
	kill -INT $pid
	try wait $pid
	same "130 " "$status $(grep -v waiting err)"
	run ! kill -0 "$(cat pid)"
}

# loops OPTION...: kandil-ai, whose second record's prompt has no end, in $pid.
loops() {
	printf '{"kind":"%s"}\n' note question >in
	env --default-signal=INT kandil-ai --no-cache -m exec:cat --kind=question \
		-p 'def f: f; f' "$@" in >out 2>err 3>&- &
	pid=$!
	soon computes $pid
}

# computes PID: it has done so for a tenth of a second.
computes() {
	[ "$(sed 's/.*) //' "/proc/$1/stat" | cut -d ' ' -f 12)" -ge 10 ]
}

gone() {
	! kill -0 "$1" 2>/dev/null || [[ $(sed 's/.*) //' "/proc/$1/stat") == Z* ]]
}

@test "a prompt without an end is ended by the first signal, and what is done is written" {
	local name
	for name in INT TERM; do
		loops
		kill -$name $pid
		soon gone $pid
		try wait $pid
		same "$((128 + $(kill -l $name))) {\"kind\":\"note\"}" "$status $(cat out)"
		loops -o file
		kill -$name $pid
		soon gone $pid
		try wait $pid
		same "kandil-ai: what was written so far is in 'file.part'" "$(cat err)"
		same '{"kind":"note"}' "$(cat file.part)"
	done
}

# ---- what it would cost

@test "a dry run knows what was kept, what a schema allows, and says the sum" {
	printf 'openai\tm\t-\t-\t1000\t-\t1000000\t-\ttest\n' >prices.tsv
	control '{"*": [{"text": "{\"mood\": \"good\"}"}]}'
	records one two three >in
	head -n 1 in | $AI --schema="$ROOT/tests/ai/mood.json" >/dev/null
	run -0 --separate-stderr $AI -n --prices=prices.tsv --schema="$ROOT/tests/ai/mood.json" in
	same '{"cached":true,"input_tokens":0,"output_tokens":0,"cost":"0","currency":"USD"}' \
		"$(head -n 1 <<<"$output" | jq -c .ai.estimate)"
	jq -ne '[inputs.ai.estimate | select(.cached | not)] | length == 2 and
		all(.output_tokens < 40 and .output_tokens > 5)' <<<"$output"
	[[ $stderr == "kandil-ai: 3 records, 2 to ask, 1 cached, 0 errors, about "*" USD" ]]
	run -0 --separate-stderr $AI -nq in
	same "" "$stderr"
	same 1 "$(asked | wc -l)"
}

@test "a dry run whose prices are not all known says so" {
	printf 'openai\tm\t-\t-\t1000\t-\t1000000\t-\ttest\n' >prices.tsv
	jq -nc '{prompt: "a"}, {prompt: "b", model: "openai/other"}' >in
	run -0 --separate-stderr kandil-ai -n -m openai/m --prices=prices.tsv in
	[[ $stderr == *", at least "*" USD: the price of 1 of 2 is not known: see --prices" ]]
	: >none.tsv
	run -0 --separate-stderr kandil-ai -n -m openai/m --prices=none.tsv in
	[[ $stderr == *", at a price that is not known: see --prices" ]]
	# What is on this machine costs nothing, and that is known.
	run -0 --separate-stderr kandil-ai -n -m exec:cat < <(jq -nc '{prompt: "a"}')
	[[ $stderr != *price* ]]
}

@test "a server that answers and lists no models is reachable" {
	control '{}'
	run -0 --separate-stderr kandil-ai --models
	same '[true,true,"it lists no models: --model=openai/NAME"]' \
		"$(jq -c 'select(.provider == "openai") | [.configured, .reachable, .hint]' <<<"$output")"
}

@test "--models on a terminal is a list to read: models by the names that --model takes, then who has none" {
	control '{"models": ["gpt-6-luna", "sec\u001bond"]}'
	"$ROOT/tests/lib/terminal" kandil-ai --models </dev/null | tr -d '\r' >shown
	same 'openai/gpt-6-luna (default)
openai/sec?ond' "$(head -n 2 shown)"
	grep -q '^gemini: no key: set GEMINI_API_KEY or GOOGLE_API_KEY,' shown
	same "" "$(grep -nE '^.{80}|^[{]' shown)"
	# A pipe and a file are for programs.
	kandil-ai --models | jq -e -s 'all(.kind == "model")' >/dev/null
	"$ROOT/tests/lib/terminal" kandil-ai --models --output=listed </dev/null
	jq -e -s 'all(.kind == "model")' listed >/dev/null
}

@test "of a server of one's own the first model is asked, and named" {
	unset OPENAI_BASE_URL OPENAI_API_KEY
	control '{}'
	run -2 --separate-stderr kandil-ai -p .text --base-url="$MODEL/v1" < <(records one)
	same "kandil-ai: --base-url: which model? --model=NAME: the server lists none" "$stderr"
	OPENAI_API_KEY=k run -3 --separate-stderr kandil-ai -p .text --base-url=http://127.0.0.1:1/v1 < <(records one)
	[[ $stderr == "kandil-ai: --base-url: which models are there? cannot connect: "* ]]
	control '{"models": 401}'
	OPENAI_API_KEY=k run -3 --separate-stderr kandil-ai -p .text --base-url="$MODEL/v1" < <(records one)
	same "kandil-ai: --base-url: which models are there? the server answers with status 401: \
the key is from OPENAI_API_KEY" "$stderr"
	control '{"models": ["first", "second"]}'
	run -0 --separate-stderr kandil-ai -p .text --base-url="$MODEL/v1" < <(records one two)
	[[ $stderr == "kandil-ai: --base-url: the model is 'first', the first that is listed;"* ]]
	same "first" "$(asked | jq -r .body.model | sort -u)"
}

# ---- limits

@test "who is refused waits as long as it was told, and the others do not wait for it" {
	control '{"delay": 5, "late": [{"status": 429, "headers": {"Retry-After": "1"},
		"body": {"error": {"message": "Slow down"}}}, "ok"]}'
	jq -nc 'range(90) | {id: ., text: ((if . % 7 == 6 then "late" else "ok" end) + " \(.)")}' >in
	run -0 --separate-stderr $AI --no-cache in
	same 90 "$(jq -r 'select(.ai).id' <<<"$output" | wc -l)"
	asked >log
	jq -sce 'group_by(.prompt) | map(select(.[0].prompt | startswith("late"))) |
		length == 12 and all(length == 2 and .[1].ms - .[0].ms >= 1000)' log
	# Before the first of them came again, nearly all had been asked.
	jq -sce 'map(.prompt) | . as $all | [range(length) | select($all[.] as $p |
		$all[:.] | index($p))][0] > 60' log
}
