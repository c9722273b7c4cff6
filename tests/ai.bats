#!/usr/bin/env bats
# kandil-ai and who answers it: what is sent, what comes of what is said, over
# every protocol. aimock (tests/servers/aimock has what it says) is a stranger's
# idea of the providers; model.py keeps requests byte for byte.
# shellcheck disable=SC2046,SC2086 # options are words
load lib/common
load lib/servers

KEY=sk-test-3fd1c2a97b604e18
PROTOCOLS="openai responses anthropic gemini interactions ollama"

setup_file() {
	export AIMOCK=
	# Whoever comes without the key is sent away.
	if AIMOCK_API_KEYS=$KEY start_aimock "$BATS_FILE_TMPDIR/aimock"; then
		AIMOCK=$(cat "$BATS_FILE_TMPDIR/aimock/url")
	fi
	serve_model
}

setup() {
	providers_setup "$AIMOCK"
}

need_aimock() {
	[ -n "$AIMOCK" ] || skip "aimock is not installed: make deps-test"
}

# journal ID: what aimock has had under this X-Test-Id, an entry a line.
journal() {
	curl -fsS --noproxy '*' -H "Authorization: Bearer $KEY" \
		"$AIMOCK/__aimock/journal?testId=$1" | jq -c '.[]'
}

# script_run PROTOCOL "" | PROTOCOL --stream
script_run() {
	local name=$1$2 options
	read -ra options <<<"$(protocol "$1") $2"
	script "$name" | awk -F'\t' '{ printf "{\"id\":%d,\"text\":\"%s\"}\n", NR, $1 }' >"$name.in"
	try $AI "${options[@]}" --jobs=1 --system='"Be brief"' --header="X-Test-Id: $name" --retries=2 "$name.in" \
		>"$name.out" 2>"$name.err"
	echo $status >"$name.status"
}

# script NAME: prompt, what it ends in, how often it is sent. aimock cannot say
# all of it in each protocol, and delivers slowly only what streams.
script() {
	printf 'plain\t-\t1\nhurry\t-\t3\nnobody\tno_model\t1\n'
	case $1 in
	openai* | responses* | anthropic* | gemini*) printf 'too long\ttruncated\t1\n' ;;
	esac
	case $1 in
	openai* | gemini*) printf 'forbidden\trefused\t1\n' ;;
	anthropic*) printf 'won'\''t\trefused\t1\n' ;;
	esac
	case $1 in
	*--stream) printf 'drop\tcut_off\t3\n' ;;
	esac
}

script_check() {
	local name=$1$2
	each_once "$name.in" "$name.out"
	same 1 "$(cat "$name.status")"
	same "$(script "$name" | cut -f 1,2)" "$(jq -r 'select(.kind != "delta") |
		"\(.text)\t\(.error.code // "-")"' "$name.out")"
	jq -ne '[inputs | select(.text == "plain").ai.text] == ["plain words"]' "$name.out"
	# What was cut or refused was said, and is kept.
	jq -ne '[inputs.error | select(.code == "truncated" or .code == "refused")] |
		all(.reply | length > 4)' "$name.out"
	journal "$name" >"$name.journal"
	same "$(script "$name" | cut -f 1,3 | sort)" "$(jq -r '.body.messages[-1].content' \
		"$name.journal" | sort | uniq -c | awk '{ n = $1; $1 = ""; print substr($0, 2) "\t" n }')"
	# As the other side has understood it.
	jq -ne '[inputs.body] | all(.model == "m" and .messages[0] ==
		{"role": "system", "content": "Be brief"})' "$name.journal"
	# It had said for how long to stay away.
	jq -ne '[inputs | select(.body.messages[-1].content == "hurry").timestamp] |
		.[1] - .[0] >= 1000' "$name.journal"
}

@test "the same script over six protocols, whole and streamed" {
	need_aimock
	local one
	for one in $PROTOCOLS; do
		script_run "$one" "" &
		script_run "$one" --stream &
	done
	wait
	for one in $PROTOCOLS; do
		script_check "$one" ""
		script_check "$one" --stream
	done
}

@test "what is said arrives to the letter, in both directions" {
	need_aimock
	local one stream said
	said=$(jq -c '.fixtures[] | select(.match.userMessage | startswith("h\u00e9")).response.content' \
		"$ROOT/tests/servers/aimock/ask.json")
	jq -nc '{id: 1, text: "héllo \"wörld\" 🎈\n"}' >in
	for one in $PROTOCOLS; do
		for stream in "" --stream; do
			$AI $(protocol "$one") $stream in >out
			same "$said" "$(jq -c '.ai.text // empty' out)"
			[ -z "$stream" ] || same "$said" "$(jq -sc 'map(select(.kind == "delta").text) | add' out)"
		done
	done
}

@test "the last money ends the run, and the rest leaves unasked" {
	need_aimock
	local one
	for one in $PROTOCOLS; do
		records plain broke plain2 plain3 >in
		run -3 --separate-stderr $AI $(protocol "$one") --jobs=1 --header="X-Test-Id: broke-$one" in
		echo "$output" >out
		each_once in out
		same $'plain -\nbroke quota\nplain2 not_asked\nplain3 not_asked' \
			"$(jq -r '"\(.text) \(.error.code // "-")"' out)"
		[[ "$stderr" == *"none left"* ]]
		same 2 "$(journal "broke-$one" | wc -l)"
	done
}

@test "a wrong key is refused by name, and is not shown" {
	need_aimock
	local one wrong=sk-test-this-is-wrong-000
	export OPENAI_API_KEY=$wrong ANTHROPIC_API_KEY=$wrong GEMINI_API_KEY=$wrong OLLAMA_API_KEY=$wrong
	for one in $PROTOCOLS; do
		run -3 --separate-stderr $AI $(protocol "$one") --jobs=1 < <(records plain plain2)
		[[ "$stderr" == *"kandil-ai: "*": Invalid API key"* ]]
		[[ "$stderr$output" != *"$wrong"* ]]
		same "authentication not_asked" "$(jq -rn '[inputs.error.code] | join(" ")' <<<"$output")"
	done
}

@test "a reply that does not fit the schema is asked for again, and again, and told" {
	need_aimock
	local one
	for one in $PROTOCOLS; do
		records "as JSON" "as JSON, late" "as JSON, not once" >in
		run -1 --separate-stderr $AI $(protocol "$one") --schema="$ROOT/tests/ai/mood.json" \
			--header="X-Test-Id: json-$one" in
		echo "$output" >out
		each_once in out
		same '{"mood":"bad"} {"mood":"good"}' "$(jq -rn '[inputs.ai // empty | .json | tojson] |
			join(" ")' out)"
		same '["invalid_reply","Still no JSON.",2]' \
			"$(jq -c '.error // empty | [.code, .reply, .repairs]' out)"
		# The bad reply and what is wrong with it are part of the next question.
		journal "json-$one" >log
		[ "$(wc -l <log)" = 6 ]
		jq -ne '[inputs.body.messages | map(select(.role != "system")) | select(length > 1)] |
			length == 3 and all(.[1].role == "assistant" and .[2].role == "user") and
			any(.[1].content == "{\"mood\": \"furious\"}" and (.[2].content | contains("/mood")))' log
	done
}

@test "chaos on the way costs tries, not records" {
	need_aimock
	curl -fsS --noproxy '*' -H "Authorization: Bearer $KEY" -H "X-Test-Id: chaos" \
		-H 'Content-Type: application/json' "$AIMOCK/__aimock/chaos" --data \
		'{"dropRate": 0.08, "malformedRate": 0.08, "rateLimitRate": 0.08, "disconnectRate": 0.08}'
	records $(seq -f 'plain-%g' 60) >in
	run -0 --separate-stderr $AI $(protocol openai) --retries=12 --header="X-Test-Id: chaos" in
	echo "$output" >out
	each_once in out
	[ "$(jq -r 'select(.ai.text == "plain words").id' out | wc -l)" = 60 ]
	[ "$(jq -r 'select(.ai.attempts > 1).id' out | wc -l)" -ge 1 ]
}

@test "what goes over the wire, byte by byte" {
	local one stream line
	control '{}'
	records hello >in
	for one in $PROTOCOLS llamacpp; do
		for stream in "" --stream; do
			SERVER=$MODEL
			try $AI $(protocol "$one") $stream --system='"Be brief"' --max-tokens=50 --repairs=0 \
				--schema="$ROOT/tests/ai/mood.json" in >>out 2>>err
		done
	done
	asked | jq -c '{path, headers: (.headers | del(.host, ."content-length", ."user-agent") |
		map_values(sub("'$KEY'"; "KEY"))), body}' >sent
	same "$(cat "$ROOT/tests/ai/wire.ndjson")" "$(cat sent)"
}

@test "tokens are paid for by the table, and --max-cost stops in time" {
	local cost
	printf 'openai\tm\t-\t-\t1000\t-\t2000\t-\ttest\n' >prices.tsv
	control '{}'
	records $(seq 40) >in
	SERVER=$MODEL
	# A reply: 10 tokens in, 5 out: 0.02.
	run -0 --separate-stderr $AI $(protocol openai) --prices=prices.tsv --max-cost=9 in
	same 0.02 "$(jq -r .ai.cost <<<"$output" | sort -u)"
	control '{"delay": 20}'
	run -3 --separate-stderr $AI $(protocol openai) --prices=prices.tsv --max-cost=0.4 \
		--max-tokens=5 --jobs=4 in
	echo "$output" >out
	each_once in out
	[[ "$stderr" == *--max-cost=0.4* ]]
	cost=$(jq -n '[inputs.ai.cost // empty | tonumber] | add' out)
	jq -ne "$cost <= 0.4 + 4 * 0.02 and $cost >= 0.2"
	same "$(jq -r 'select(.ai).id' out | wc -l)" "$(asked | wc -l)"
	same not_asked,true "$(jq -r '.error // empty | "\(.code),\(.retryable)"' out | sort -u |
		sed s/budget/not_asked/ | sort -u)"
}

@test "the cache answers in place of the server, a cassette without any" {
	local name
	control '{}'
	records one two one >in
	SERVER=$MODEL
	kandil-ai --prompt=.text --cache=kept --cassette=tape $(protocol anthropic) in >first
	same 2 "$(asked | wc -l)"
	kandil-ai --prompt=.text --cache=kept $(protocol anthropic) in >second
	same 2 "$(asked | wc -l)"
	same "true true true" "$(jq -rn '[inputs.ai.cached | tostring] | join(" ")' second)"
	kandil-ai --prompt=.text --cassette=tape --replay $(protocol anthropic) in >third
	for name in second third; do
		same "$(jq -c .ai.text first)" "$(jq -c .ai.text $name)"
	done
	run -1 --separate-stderr kandil-ai --prompt=.text --cassette=tape --replay \
		$(protocol anthropic) < <(records three)
	same not_recorded "$(jq -r .error.code <<<"$output")"
	same 2 "$(asked | wc -l)"
	# One more character is another question; another place to write to is not.
	kandil-ai --prompt=.text --into=reply --cache=kept $(protocol anthropic) in >fourth
	same 2 "$(asked | wc -l)"
	kandil-ai --prompt='.text + "."' --cache=kept $(protocol anthropic) in >fifth
	same 4 "$(asked | wc -l)"
}

@test "a record that failed is tried again past the cache" {
	control '{"odd": [{"text": "no JSON"}, {"text": "{\"mood\": \"good\"}"}]}'
	SERVER=$MODEL
	try kandil-ai --prompt=.text --cache=kept --repairs=0 --schema="$ROOT/tests/ai/mood.json" \
		$(protocol openai) < <(records "odd one") >first
	same "1 invalid_reply" "$status $(jq -r .error.code first)"
	kandil-ai --prompt=.text --cache=kept --repairs=0 --schema="$ROOT/tests/ai/mood.json" \
		$(protocol openai) --retry first >second
	same good "$(jq -r .ai.json.mood second)"
}

@test "what a provider does not take is left out, once, and said" {
	local refusal='{"status": 400, "body": {"error": {"message":
		"Unsupported parameter: max_completion_tokens", "param": "max_completion_tokens",
		"code": "unsupported_parameter"}}}'
	control '{"one": ['"$refusal"', "ok"]}'
	SERVER=$MODEL
	run -0 --separate-stderr $AI $(protocol openai) --max-tokens=9 --jobs=1 < <(records one two three)
	# Once is enough to know.
	asked | jq -ne '[inputs.body | has("max_completion_tokens")] | map(select(.)) | length == 1'
	[ "$(grep -c max_tokens <<<"$stderr")" = 1 ]
}

@test "nothing is sent by a dry run" {
	control '{}'
	SERVER=$MODEL
	run -0 --separate-stderr $AI $(protocol gemini) --dry-run < <(records one two)
	same 0 "$(asked | wc -l)"
	[[ "$output" == *contents* && "$output$stderr" != *"$KEY"* ]]
}

@test "SIGTERM ends at once, and what was answered is not asked again" {
	local pid
	control '{"slow": ["stall-headers"]}'
	SERVER=$MODEL
	records one two "slow down" three >in
	kandil-ai --prompt=.text --cache=kept $(protocol openai) in >out 2>err &
	pid=$!
	have_asked() { [ "$(asked | wc -l)" = 4 ]; }
	soon have_asked
	# All but one are answered; the window's first has left.
	have_kept() {
		[ "$(kandil-ai -nq --prompt=.text --cache=kept $(protocol openai) in |
			jq -r 'select(.ai.estimate.cached).id' | wc -l)" = 3 ]
	}
	soon have_kept
	soon [ -s out ]
	kill -TERM $pid
	try wait $pid
	same 143 "$status"
	control '{}'
	kandil-ai --prompt=.text --cache=kept $(protocol openai) in >out
	each_once in out
	same 1 "$(asked | wc -l)"
}
