#!/usr/bin/env bats
# The engine of kandil-ai: what it holds, what it sets aside, whom it waits for.
# The server is tests/servers/model.py; its head says what it can do.
# shellcheck disable=SC2086,SC2154 # options are words; stderr is set by run --separate-stderr
load lib/common
load lib/servers

setup_file() {
	serve_model
}

setup() {
	openai_setup
	export MISTRAL_API_KEY=k
}

# numbered N WORD: as many records, each with another prompt that starts with WORD.
numbered() {
	seq "$1" | sed "s/.*/{\"id\":&,\"text\":\"$2 &\"}/"
}

# unsaid TEXT: a reply that says TEXT, and neither its model nor what it took.
unsaid() {
	printf '{"body":{"choices":[{"message":{"content":"%s"},"finish_reason":"stop"}]}}' "$1"
}

# The dearest of models: a token of output costs 1, one of input nothing.
prices() {
	printf 'openai\tm\t-\t-\t0\t-\t1000000\t-\ttest\n' >prices.tsv
}

@test "a large record's answer names its own model, where the reply names none" {
	control "{\"*\":[$(unsaid yes)]}"
	for i in $(seq 40); do
		printf '{"id":%d,"model":"openai/model-%d","prompt":"%d %030000d"}\n' "$i" "$i" "$i" 0
	done >in
	kandil-ai --no-cache -j 40 in >out
	[ "$(jq -c 'select(.ai.model == "model-\(.id)")' out | wc -l)" = 40 ]
}

@test "whoever stops reading ends it, whatever is in flight" {
	control '{"wait":["stall-headers"]}'
	{
		numbered 1 ok
		numbered 8 wait
	} >in
	timeout 120 $AI --no-cache in | head -n 1 >out
	[ "${PIPESTATUS[0]}" = 141 ]
	[ "$(jq -r .ai.text out)" = "re: ok 1" ]
}

@test "where few files may be open, fewer are in flight and none fails" {
	control '{"delay":50}'
	numbered 200 ok >in
	run -0 --separate-stderr bash -c "ulimit -n 100; $AI --no-cache -j 256 in >out"
	[[ $stderr == *"--jobs=256 needs more open files"* ]]
	[ "$(jq -c 'select(.ai.text)' out | wc -l)" = 200 ]
}

@test "a provider's long pause holds nobody else's records in the window" {
	control '{"b":[{"status":429,"headers":{"Retry-After":"600"},"body":{"error":{"message":"slow"}}}]}'
	mkdir -p "$XDG_CONFIG_HOME/kandil/ai"
	printf 'other\topenai\t%s/v1\tMISTRAL_API_KEY\tbearer\t-\t-\n' "$MODEL" \
		>"$XDG_CONFIG_HOME/kandil/ai/providers.tsv"
	for i in $(seq 40); do
		printf '{"prompt":"b %d","model":"other/m"}\n{"prompt":"a %d","model":"openai/m"}\n' "$i" "$i"
	done >in
	kandil-ai --no-cache --unordered -j 2 --window=80 in >out 2>err &
	pid=$!
	have_forty() { [ "$(wc -l <out)" = 40 ]; }
	soon have_forty
	kill $pid
	wait $pid || [ $? = 143 ]
	[ "$(jq -r .ai.text out | grep -c '^re: a')" = 40 ]
	[ "$(asked | jq -c 'select(.prompt | startswith("b"))' | wc -l)" -le 2 ]
}

@test "a budget is kept where the server does not say what it took" {
	prices
	control "{\"*\":[$(unsaid yes)]}"
	numbered 50 ok >in
	run -3 --separate-stderr $AI --no-cache --prices=prices.tsv --max-cost=40 --max-tokens=4 -j 1 in
	[ "$(jq -r 'select(.ai).id' <<<"$output" | wc -l)" = 10 ]
	[ "$(jq -r 'select(.error.code == "not_asked").id' <<<"$output" | wc -l)" = 40 ]
}

@test "a stream that was cut has cost what it says, or what was set aside for it" {
	local plan n
	prices
	numbered 50 ok >in
	# Behind its usage, which is 5 tokens; before.
	while read -r plan n; do
		control "{\"*\":[\"$plan\"]}"
		run -3 --separate-stderr $AI --no-cache --prices=prices.tsv --max-cost=40 \
			--max-tokens=4 --stream --retries=0 -j 1 in
		[ "$(jq -r 'select(.error.code == "cut_off").id' <<<"$output" | wc -l)" = "$n" ]
		[ "$(asked | wc -l)" = "$n" ]
	done <<<$'close-end 8\nclose-body 10'
}

@test "what a request did not use lets the next go at once" {
	control '{}'
	# The first is taken for more than 500 tokens, and takes 15: fifty seconds' worth.
	numbered 2 ok | timeout 30 $AI --no-cache --tpm=600 -j 2 >out
	[ "$(wc -l <out)" = 2 ]
}

@test "two processes on one cache pay for nothing twice, nor for each other's death" {
	local n one two out
	numbered 40 ok >in
	for n in 1 8; do
		control '{"delay":20}'
		rm -rf kept
		timeout 60 $AI --cache=kept -j "$n" in >one 3>&- &
		one=$!
		timeout 60 $AI --cache=kept -j "$n" in >two 3>&- &
		two=$!
		wait $one
		wait $two
		for out in one two; do
			same "$(seq 40 | sed 's/^/re: ok /')" "$(jq -r .ai.text $out)"
		done
		same 40 "$(asked | wc -l)"
	done
	# What who was killed was asking is asked by the other.
	control '{"wait":["stall-headers","ok"]}'
	numbered 1 wait >in
	$AI --cache=killed in >one 3>&- &
	one=$!
	is_asked() { [ "$(asked | wc -l)" = 1 ]; }
	soon is_asked
	$AI --cache=killed in >two 3>&- &
	two=$!
	kill -KILL $one
	wait $two
	same '"re: wait 1" 2' "$(jq -c .ai.text two) $(asked | wc -l)"
	wait $one || true
}

@test "an answer whose repair was asked for was not in the cache" {
	control '{"*":[{"text":"no"},{"text":"1"}]}'
	echo '{"text":"one"}' >in
	run -1 --separate-stderr $AI --schema='{"type":"integer"}' --repairs=0 in
	[ "$(jq -r .error.code <<<"$output")" = invalid_reply ]
	run -0 --separate-stderr $AI --schema='{"type":"integer"}' in
	[ "$(jq -c '[.ai.json,.ai.cached]' <<<"$output")" = "[1,false]" ]
	run -0 --separate-stderr $AI --schema='{"type":"integer"}' in
	[ "$(jq -c '[.ai.json,.ai.cached]' <<<"$output")" = "[1,true]" ]
}

@test "llama: a server that says much while it answers is heard, and answers" {
	# shellcheck disable=SC2016 # python's
	printf '%s\n' '#!/usr/bin/python3' 'import sys, http.server' 'class H(http.server.BaseHTTPRequestHandler):' \
		'  protocol_version = "HTTP/1.1"' '  def log_message(self, *a): pass' \
		'  def do_GET(self): self.say(b"{}")' \
		'  def do_POST(self):' '    self.rfile.read(int(self.headers["content-length"]))' \
		'    sys.stderr.write("slot update: a line of a talkative server\\n" * 10000)' \
		'    self.say(b"{\"choices\":[{\"message\":{\"content\":\"heard\"},\"finish_reason\":\"stop\"}]}")' \
		'  def say(self, b):' '    self.send_response(200)' '    self.send_header("content-type", "application/json")' \
		'    self.send_header("content-length", str(len(b)))' '    self.end_headers()' '    self.wfile.write(b)' \
		'http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[sys.argv.index("--port") + 1])), H).serve_forever()' >talker
	chmod +x talker
	: >model.gguf
	printf '{"t":"a"}\n{"t":"b"}\n' >in
	KANDIL_LLAMA_SERVER=$PWD/talker run -0 --separate-stderr timeout 60 \
		kandil-ai --no-cache --model=llama:model.gguf --prompt=.t in
	same 'heard heard' "$(jq -r .ai.text <<<"$output" | xargs)"
}
