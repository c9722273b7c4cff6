#!/usr/bin/env bats
# kandil-collab serve as a process: what it refuses to start with, who comes in and by
# what, REST and its statuses, signals, TLS, and a history that outlives it. What is
# said on the wire is tests/unit/hub/*.dialog.
load lib/common
load lib/servers

ADMIN=0123456789abcdef-admin ALICE=0123456789abcdef-alice BOB=0123456789abcdef-bob
SECRET=the-secret-without-a-kid-of-32-characters

setup_file() {
	make_certificate IP:127.0.0.1
}

setup() {
	common_setup
	PATH=$ROOT/tests/lib:$PATH
	(
		umask 077
		printf '%s\n' "key admin $ADMIN role=service_role" \
			"key alice $ALICE read=team,log write=team" "key bob $BOB" "secret - $SECRET" >keys
	)
	echo 'import sys, urllib.parse; print(urllib.parse.quote(sys.stdin.read(), safe=""))' >quote.py
}

teardown() {
	stop_hubs
}

# ended STATUS: the hub has ended so.
ended() {
	local status=0
	wait "$HUB" || status=$?
	same "$1" "$status"
}

# said TEXT: waits until the hub has said it.
said() {
	local tries=600
	until grep -qF -- "$1" err; do
		[ $((tries -= 1)) -gt 0 ] || { cat err >&2; return 1; }
		sleep 0.05
	done
}

# url QUERY [PATH]
url() {
	echo "ws://127.0.0.1:$PORT${2:-/realtime/v1/websocket}?vsn=2.0.0${1:+&$1}"
}

# member NAME QUERY CONFIG [TOPIC]: joins in the background; what it hears is in NAME.
member() {
	echo "[\"1\",\"1\",\"realtime:${4:-team}\",\"phx_join\",{\"config\":$3}]" |
		ws --seconds=300 --until=never "$(url "$2")" >"$1" 3>&- 4>&- &
	echo $! >>pids
	hears "$1" phx_reply
	grep -q '"status":"ok"' "$1"
}

# hears NAME TEXT
hears() {
	local tries=600
	until grep -qF -- "$2" "$1"; do
		[ $((tries -= 1)) -gt 0 ] || { cat "$1" err >&2; return 1; }
		sleep 0.05
	done
}

# rest PATH CURL-OPTION...: status, then the body.
rest() {
	local path=$1
	shift
	curl -s --noproxy '*' -m 60 -o body -D head -w '%{http_code} ' "$@" "http://127.0.0.1:$PORT$path"
	cat body
}

# post KEY BODY [PATH] [CURL-OPTION...]; $TYPE is the body's
post() {
	local key=$1 body=$2 path=${3:-/api/broadcast}
	shift $(($# > 2 ? 3 : 2))
	: >body
	rest "$path" ${key:+-H "apikey: $key"} -H "content-type: ${TYPE:-application/json}" \
		--data-binary "$body" "$@"
}

metric() {
	rest /metrics >/dev/null
	sed -n "s/^kandil_collab_$1 //p" body
}

one() {
	echo "{\"messages\":[{\"topic\":\"$1\",\"event\":\"e\",\"payload\":$2}]}"
}

@test "nobody but this machine without a key file" {
	local listen
	for listen in 0.0.0.0:0 '*:0' :0 '[::]:0' 192.0.2.1:0 evil.localhost:0 128.0.0.1:0 \
		127.0.0.1:0,0.0.0.0:0; do
		run -2 kandil-collab serve --listen="$listen"
		[[ $output == *"can be reached from other machines: name a --key-file"* ]]
	done
}

@test "what cannot be meant is refused before anything listens" {
	refused() {
		local words=$1
		shift
		run -2 kandil-collab serve --listen=127.0.0.1:0 "$@"
		[[ $output == *"$words"* ]] || { echo "$output"; return 1; }
	}
	refused 'go together' --cert="$BATS_FILE_TMPDIR/cert.pem"
	refused 'go together' --tls-key="$BATS_FILE_TMPDIR/key.pem"
	refused 'how much is to be kept' --history-dir=h
	refused 'neither a number' --history=soon
	refused 'no number' --history=-5
	refused 'no origin' --origin=app.example
	refused 'no origin' --origin=https://app.example/
	refused 'no address' --listen=localhost
	refused 'no address' --listen=::1:4000
	refused 'no address' --listen=127.0.0.1:70000
	chmod 644 keys
	refused keys --key-file=keys
	run -3 kandil-collab serve --listen=127.0.0.1:0 --key-file=nowhere
	[[ $output == *nowhere* ]]
	run -2 kandil-collab serve operand
	[ ! -e h ]
}

@test "a port in use, a bad certificate, a folder in use: status 3" {
	start_hub --history=5 --history-dir=h
	run -3 kandil-collab serve --listen=127.0.0.1:"$PORT"
	[[ $output == *"127.0.0.1"* ]]
	run -3 kandil-collab serve --listen=127.0.0.1:0 --history=5 --history-dir=h
	[[ $output == *"in use by process $HUB"* ]]
	run -3 kandil-collab serve --listen=127.0.0.1:0 --cert=keys --tls-key=keys
	[[ $output == *keys* ]]
}

@test "it says where it listens, by the real port, and whether anybody may join" {
	start_hub --listen='[::1]:0' --listen=localhost:0
	said 'on http://[::1]:'
	same 3 "$(grep -c 'anybody on this machine may join: no --key-file' err)"
	kill "$HUB"
	ended 0
	start_hub --key-file=keys
	same "kandil-collab: listening on http://127.0.0.1:$PORT" "$(cat err)"
}

@test "a handshake is let in by a good key, and refused in the protocol's words" {
	local good expired none
	start_hub --key-file=keys
	good=$(kandil-collab token --key-file=keys --for=1h)
	expired=$(kandil-collab token --key-file=keys --for=1s)
	none=$(printf '{"alg":"none"}' | openssl base64 -A | tr -d =).$(cut -d. -f2 <<<"$good").
	enters() {
		echo '[null,"1","phoenix","heartbeat",{}]' | ws --count=1 "$@"
	}
	refused() {
		local want=$1
		shift
		run -2 ws "$@" </dev/null
		same "refused 401 {\"error\":\"$want\"}" "$output"
	}
	enters "$(url "apikey=$BOB")"
	enters "$(url "apikey=%20$BOB%20")"
	enters "$(url "apikey=$good")"
	enters "$(url "token=$good")"
	enters "$(url "token=$good" /socket/websocket)"
	enters --header="x-api-key: $BOB" "$(url apikey=wrong)"
	enters --header="sec-websocket-protocol: phoenix, base64url.bearer.phx.$(printf %s "$BOB" |
		openssl base64 -A | tr -d =)" "$(url '' /socket/websocket)"
	refused 'API key is missing' "$(url '')"
	refused 'API key is missing' "$(url apikey=)"
	refused 'API key is missing' --header="authorization: Bearer $BOB" "$(url '')"
	refused 'API key is missing' --header="cookie: apikey=$BOB" "$(url '')"
	refused 'The token provided is not a valid JWT' "$(url apikey=wrong)"
	refused 'The token provided is not a valid JWT' --header='x-api-key: wrong' "$(url "apikey=$BOB")"
	refused 'Failed to validate JWT signature' "$(url "apikey=${good%?????}AAAAA")"
	[[ $(ws "$(url "apikey=$none")" </dev/null) == 'refused 401 '* ]]
	sleep 2
	refused 'Token has expired' "$(url "apikey=$expired")"
	# Neither a key nor a token is ever said, nor counted by name.
	run ! grep -qE "$BOB|eyJ" err
	metric connections_total
	run ! grep -qE 'bob|anybody|realtime' body
	same 9 "$(metric 'refused_total{reason="key"}')"
}

@test "a hub's key file with one key serves a member, too" {
	start_hub --key-file=keys
	(umask 077; printf '# mine\nsecret - %s\nkey bob %s read=x\n' "$SECRET" "$BOB" >mine)
	run -0 --separate-stderr kandil-collab send team --url="$URL" --key-file=mine <<<'{"n":1}'
	same '' "$stderr$output"
	same 1 "$(metric rest_total)"
}

@test "limits are said, once for each and whoever is over it, and counted" {
	start_hub --key-file=keys --max-rate=1 --max-payload=1000 --max-topic-rate=2 --max-presence-rate=1
	for n in 1 2; do
		{
			echo '["1","1","realtime:team","phx_join",{}]'
			for _ in {1..30}; do echo '["1","2","realtime:team","broadcast",{}]'; done
		} | ws --until=phx_close "$(url "apikey=$ALICE")" >/dev/null
	done
	said "'alice' at 127.0.0.1 is over --max-rate=1, messages a second of a connection: its channel is closed"
	same 2 "$(metric 'limited_total{reason="rate"}')"
	{
		echo '["1","1","realtime:team","phx_join",{}]'
		for _ in {1..12}; do echo '["1","2","realtime:team","presence",{"event":"untrack"}]'; done
	} | ws --until=phx_close "$(url "apikey=$BOB")" >/dev/null
	said "'bob' at 127.0.0.1 is over --max-presence-rate=1, presence calls a second of a channel: it is closed"
	same 422 "$(post "$BOB" "$(one team "{\"x\":\"$(printf '%02000d' 0)\"}")" | head -c 3)"
	said "'bob' at 127.0.0.1 is over --max-payload=1000, bytes of a message: it is not taken"
	member b "apikey=$BOB" '{}'
	for _ in {1..60}; do post "$BOB" '{}' /api/broadcast/team/events/e && echo; done >statuses
	said "'bob' is over --max-topic-rate=2, messages a second to a topic: what is beyond is refused, a channel closed"
	same "$(grep -c ^429 statuses)" "$(metric 'limited_total{reason="topic_rate"}')"
	# The first of each, and no second within a minute.
	same 4 "$(grep -c ' over --max-' err)"
	run ! grep -qE "$ALICE|$BOB|eyJ" err
}

@test "a hub with -q says nothing of limits; one that is full, and readers who are slow, are told of" {
	start_hub --key-file=keys --max-connections=1 --max-queue=20000
	member a "apikey=$BOB" '{}'
	run -2 ws "$(url "apikey=$ALICE")" </dev/null
	said "'alice' at 127.0.0.1 is over --max-connections=1, connections at once: no more are let in"
	kill -STOP "$(tail -n 1 pids)"
	pad=$(head -c 19000 /dev/zero | tr '\0' x)
	# More than the kernel's buffers hold, before the silence of who is stopped is noticed.
	jq -nc --arg x "$pad" '{messages: [range(20) | {topic: "team", event: "e", payload: {$x}}]}' >many
	for _ in {1..40}; do
		same 202 "$(post "$BOB" @many | head -c 3)"
		! grep -q max-queue err || break
	done
	said "'bob' at 127.0.0.1 is over --max-queue=20000, bytes that a reader may be behind: it is dropped, and may come back"
	same 1 "$(metric 'limited_total{reason="slow"}')"
	PORT=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	kandil-collab serve -q --listen=127.0.0.1:"$PORT" --key-file=keys --max-payload=10 2>quiet 3>&- 4>&- &
	echo $! >>pids
	for _ in {1..200}; do
		[ "$(post "$BOB" "$(one team "{\"x\":\"$pad\"}")" | head -c 3)" != 422 ] || break
		sleep 0.05
	done
	[ "$(metric 'limited_total{reason="payload"}')" -ge 1 ]
	same '' "$(cat quiet)"
}

@test "too many connections are told so" {
	start_hub --key-file=keys --max-connections=1
	member first "apikey=$BOB" '{}'
	run -2 ws "$(url "apikey=$BOB")" </dev/null
	[[ $output == 'refused 429 {"error":"Too many connected users"}' || $output == 'refused 503 '* ]]
}

@test "pages: of loopback, of the hub's own host where a key is needed, or those named" {
	page() {
		local want=$1
		shift
		run -"$want" ws --count=1 "$@" <<<'[null,"1","phoenix","heartbeat",{}]'
		[ "$want" = 0 ] || same 'refused 403 {"error":"Origin is not allowed"}' "$output"
	}
	start_hub
	page 0 "$(url '')"
	page 0 --header='origin: http://localhost:3000' "$(url '')"
	page 0 --header='origin: http://127.0.0.1' "$(url '')"
	page 0 --header='origin: http://[::1]:8080' "$(url '')"
	page 2 --header='origin: https://evil.example' "$(url '')"
	page 2 --header='origin: http://localhost.evil.example' "$(url '')"
	page 2 --header='origin: null' "$(url '')"
	kill "$HUB"
	ended 0
	start_hub --origin=https://app.example,http://other.example:3000
	page 0 --header='origin: https://app.example' "$(url '')"
	page 0 --header='origin: http://other.example:3000' "$(url '')"
	page 2 --header='origin: http://app.example' "$(url '')"
	page 2 --header='origin: http://localhost' "$(url '')"
	page 2 --header='origin: https://app.example.evil' "$(url '')"
	kill "$HUB"
	ended 0
	start_hub --origin='*'
	page 0 --header='origin: https://evil.example' "$(url '')"
}

@test "a page whose name leads here by a trick gets nothing without a key, and its own host with one" {
	start_hub
	trick() {
		rest "$1" -H 'host: evil.example' "${@:2}"
	}
	same '401 {"message":"Unauthorized"}' "$(trick /metrics)"
	same '403 {"message":"Origin is not allowed"}' \
		"$(trick /api/broadcast -H 'origin: http://evil.example' -d "$(one t '{}')")"
	kill "$HUB"
	ended 0
	start_hub --key-file=keys
	same '401 {"message":"Unauthorized"}' \
		"$(trick /api/broadcast -H 'origin: http://evil.example' -d "$(one t '{}')")"
	same '202 ' "$(trick /api/broadcast -H 'origin: http://evil.example' -H "apikey: $BOB" \
		-d "$(one t '{}')")"
}

@test "REST: every status, with the protocol's bodies" {
	start_hub --key-file=keys --max-payload=1000
	same '202 ' "$(post "$BOB" "$(one team '{"n":1}')")"
	same '202 ' "$(post '' "$(one team '{"n":1}')" /realtime/v1/api/broadcast -H "Authorization: bearer $BOB")"
	same '202 ' "$(post "$BOB" "$(one team '{"n":1}')" "/api/broadcast?apikey=wrong&vsn=2.0.0")"
	same '401 {"message":"Unauthorized"}' "$(post '' "$(one team '{}')" "/api/broadcast?apikey=$BOB")"
	same '401 {"message":"Unauthorized"}' "$(post wrong "$(one team '{}')")"
	same '401 {"message":"Unauthorized"}' \
		"$(post "$BOB" "$(one team '{}')" /api/broadcast -H 'authorization: Basic eA==')"
	same '400 {"message":"Bad Request"}' "$(post "$BOB" '{"messages":')"
	same "422 {\"errors\":{\"messages\":[\"can't be blank\"]}}" "$(post "$BOB" '{}')"
	same "422 {\"errors\":{\"messages\":[\"can't be blank\"]}}" "$(post "$BOB" '{"messages":[]}')"
	same "422 {\"errors\":{\"messages\":[{\"payload\":[\"can't be blank\"],\"event\":[\"can't be blank\"]},{\"topic\":[\"can't be blank\"],\"event\":[\"is invalid\"]},{}]}}" \
		"$(post "$BOB" '{"messages":[{"topic":"t"},{"payload":{},"event":7},{"topic":"t","payload":{},"event":"e"}]}')"
	same '422 {"errors":{"messages":[{"payload":["is invalid"],"private":["is invalid"]}]}}' \
		"$(post "$BOB" '{"messages":[{"topic":"t","event":"e","payload":[],"private":7}]}')"
	same '422 {"errors":{"messages":[{"payload":["Payload size exceeds tenant limit"]}]}}' \
		"$(post "$BOB" "$(one team "{\"x\":\"$(printf '%02000d' 0)\"}")")"
	same '202 ' "$(post "$BOB" '{"n":1}' /api/broadcast/team/events/e)"
	same '202 ' "$(post "$BOB" '' /api/broadcast/team/events/e)"
	same '202 ' "$(TYPE='application/octet-stream; x=y' post "$BOB" 'bytes' /api/broadcast/team/events/e)"
	same '400 {"message":"Bad Request"}' "$(post "$BOB" '{' /api/broadcast/team/events/e)"
	same '415 {"error":"Unsupported Media Type. Use application/json or application/octet-stream"}' \
		"$(TYPE=text/plain post "$BOB" x /api/broadcast/team/events/e)"
	same '422 {"errors":{"payload":["Payload size exceeds tenant limit"]}}' \
		"$(post "$BOB" "\"$(printf '%02000d' 0)\"" /api/broadcast/team/events/e)"
	same "422 {\"errors\":{\"event\":[\"can't be blank\"]}}" "$(post "$BOB" '{}' /api/broadcast/team/events/)"
	same '403 {"message":"Unauthorized"}' "$(post "$BOB" '{}' '/api/broadcast/team/events/e?private=true')"
	same '202 ' "$(post "$ALICE" '{}' '/api/broadcast/team/events/e?private=true')"
	same '404 {"message":"not found"}' "$(post "$BOB" '{}' /api/broadcast/team)"
	same '404 {"message":"not found"}' "$(rest /elsewhere)"
	same '405 {"message":"Method Not Allowed"}' "$(rest /api/broadcast)"
	grep -qi '^allow: POST' head
}

@test "REST: a key's rate, with its headers" {
	# One a second, and ten at once.
	start_hub --key-file=keys --max-key-rate=1
	same '202 ' "$(post "$BOB" "$(one t '{}')")"
	grep -qi '^x-rate-limit: 10' head
	grep -qi '^x-rate-limit-remaining: 9' head
	grep -qi '^x-rate-rolling: 1' head
	many=$(jq -nc '{messages: [range(40) | {topic: "t", event: "e", payload: {}}]}')
	same '429 {"message":"Too many messages to broadcast, please reduce the batch size"}' "$(post "$BOB" "$many")"
	same '202 ' "$(post "$BOB" "$(jq -c '.messages |= .[:9]' <<<"$many")")"
	# Whichever second it is: there are no five left.
	same 429 "$(post "$BOB" "$(jq -c '.messages |= .[:5]' <<<"$many")" | head -c 3)"
	# Another key has its own.
	same '202 ' "$(post "$ALICE" "$(one t '{}')")"
}

@test "REST: a topic's rate is one for all who send to it; nothing of a batch beyond it is sent" {
	start_hub --key-file=keys --max-topic-rate=1
	member a "apikey=$BOB" '{}'
	many=$(jq -nc '{messages: [range(9) | {topic: "team", event: "e", payload: {n: .}}]}')
	same '202 ' "$(post "$ALICE" "$many")"
	hears a '{"n":8}'
	mixed=$(jq -c '.messages |= [.[] | .payload = {late: .payload.n}] + [.[] | .topic = "other"]' <<<"$many")
	same 429 "$(post "$BOB" "$mixed" | head -c 3)"
	same '202 ' "$(post "$BOB" "$(one other '{}')")"
	# What the batch had taken off is there again, whichever second it is: none of its nine counts.
	same '202 ' "$(post "$BOB" '{"n":10}' /api/broadcast/team/events/e)"
	for _ in {1..50}; do
		post "$BOB" '{}' /api/broadcast/team/events/e >status
		! grep -q ^429 status || break
	done
	same '429 {"message":"You have exceeded your rate limit"}' "$(cat status)"
	run ! grep -q late a
}

@test "REST: what is wrong with a million messages is not told a million times" {
	start_hub --key-file=keys
	python3 -c 'print("{\"messages\":[" + ",".join(["{}"] * 1000000) + "]}")' >million
	same 422 "$(post "$BOB" @million | head -c 3)"
	[ "$(wc -c <body)" -lt 100000 ]
	jq -e '.errors.messages | length > 100' body
}

@test "REST reaches members: text, JSON as it was, bytes, private or not, and names of any kind" {
	start_hub --key-file=keys
	member public "apikey=$BOB" '{}'
	member private "apikey=$ALICE" '{"private":true}'
	member odd "apikey=$BOB" '{}' 'a/é %'
	same '202 ' "$(post "$BOB" '{"messages":[{"topic":"team","event":"ev/é","payload":{"n":1.0},"id":"i1"}]}')"
	hears public '[null,null,"realtime:team","broadcast",{"event":"ev/é","payload":{"n":1.0},"type":"broadcast","meta":{"id":"i1"}}]'
	same '202 ' "$(post "$BOB" '{"n":2.0}' "/api/broadcast/$(printf 'a/é %%' | python3 quote.py)/events/ev%2F%C3%A9?apikey=x")"
	hears odd "$(printf '\004\017\005\000\001realtime:a/é %%ev/é{"n":2.0}' | od -An -v -tx1 | tr -d ' \n')"
	same '202 ' "$(post "$ALICE" '{"secret":1}' '/api/broadcast/team/events/e?private=true')"
	hears private "$(printf '{"secret":1}' | od -An -v -tx1 | tr -d ' \n')"
	same '202 ' "$(post "$BOB" '{"messages":[{"topic":"team","event":"e","payload":{"forged":1},"private":true}]}')"
	same '202 ' "$(printf '\001\002\377' | TYPE=application/octet-stream post "$ALICE" @- '/api/broadcast/team/events/e?private=true')"
	hears private 0102ff
	run ! grep -q forged private
	run ! grep -qE 'secret|0102ff' public
}

@test "CORS: a page that may speak to us may ask first" {
	start_hub --key-file=keys --origin=https://app.example
	same '204 ' "$(rest /api/broadcast -X OPTIONS -H 'origin: https://app.example' \
		-H 'access-control-request-method: POST')"
	grep -qi '^access-control-allow-origin: https://app.example' head
	grep -qi '^access-control-allow-headers: .*apikey' head
	same '202 ' "$(post "$BOB" "$(one t '{}')" /api/broadcast -H 'origin: https://app.example')"
	grep -qi '^access-control-allow-origin: https://app.example' head
	same '403 {"message":"Origin is not allowed"}' "$(rest /api/broadcast -X OPTIONS -H 'origin: https://evil.example')"
	run ! grep -qi '^access-control' head
}

@test "/healthz and /metrics" {
	start_hub --key-file=keys --history=10
	same '200 ok' "$(rest /healthz)"
	member a "apikey=$BOB" '{}'
	member b "apikey=$BOB" '{}'
	post "$BOB" "$(one team '{}')" >/dev/null
	same '200 ' "$(rest /metrics | head -c 4)"
	grep -qi '^content-type: text/plain; version=0.0.4' head
	# Every line is a comment or a sample; each sample has its HELP and TYPE before it.
	run ! grep -vE '^(# (HELP|TYPE) kandil_collab_[a-z_]+ .+|kandil_collab_[a-z_]+(\{reason="[a-z_]+"\})? [0-9.e+]+)$' body
	awk '/^# TYPE/ { known[$3] = 1 } /^[a-z]/ { sub(/[{ ].*/, ""); if (!($0 in known)) exit 1 }' body
	same '2 2 1 2 1 1' "$(for m in connections channels topics deliveries_total rest_total history_topics; do
		sed -n "s/^kandil_collab_$m //p" body; done | xargs)"
	# Not by a proxy, and not by everybody who has a key.
	same '401 {"message":"Unauthorized"}' "$(rest /metrics -H 'x-forwarded-for: 192.0.2.1')"
	same '401 {"message":"Unauthorized"}' "$(rest /metrics -H 'x-forwarded-for: 192.0.2.1' -H "apikey: $BOB")"
	same '200' "$(rest /metrics -H 'x-forwarded-for: 192.0.2.1' -H "apikey: $ADMIN" | head -c 3)"
}

@test "TLS" {
	start_hub --key-file=keys --cert="$BATS_FILE_TMPDIR/cert.pem" --tls-key="$BATS_FILE_TMPDIR/key.pem"
	said 'listening on https://'
	same ok "$(curl -sS --noproxy '*' --cacert "$BATS_FILE_TMPDIR/cert.pem" "https://127.0.0.1:$PORT/healthz")"
	echo '[null,"1","phoenix","heartbeat",{}]' | ws --count=1 "wss://127.0.0.1:$PORT/realtime/v1/websocket?apikey=$BOB&vsn=2.0.0"
	run ! curl -sS --noproxy '*' -m 5 "http://127.0.0.1:$PORT/healthz"
	# Who takes one for the other is told.
	export XDG_STATE_HOME=$PWD/state KANDIL_COLLAB_KEY=$BOB
	run -3 kandil-collab join t --url="http://127.0.0.1:$PORT" --as=a --once --for=1s </dev/null
	kandil-collab join t --url="http://127.0.0.1:$PORT" --as=a </dev/null 2>plain 3>&- 4>&- &
	echo $! >>pids
	soon grep -q 'before the upgrade: a hub with TLS wants https://: trying again' plain
	run kandil-collab send t --url="http://127.0.0.1:$PORT" <<<'{}'
	[[ $output == *"a hub with TLS wants https://"* ]]
	start_hub
	run -3 kandil-collab join t --url="https://127.0.0.1:$PORT" --as=b --once --for=30s </dev/null
	[[ $output == *": a hub without TLS wants http://"* ]]
	run -3 kandil-collab send t --url="https://127.0.0.1:$PORT" <<<'{}'
	[[ $output == *": a hub without TLS wants http://"* ]]
}

@test "SIGTERM drains: members are told, status 0; SIGINT likewise, by the signal" {
	start_hub
	member a '' '{}'
	kill "$HUB"
	hears a '"message":"Server requested disconnect"'
	hears a 'closed 1001 the server restarts'
	ended 0
	set -m
	start_hub
	set +m
	kill -INT "$HUB"
	ended 130
}

@test "who does not go is not waited for: five seconds, or a second signal" {
	local start
	# What it says after two seconds it has not come to; on a machine that is slow, another time.
	for _ in 1 2 3 4 5; do
		start_hub
		member a '' '{}'
		kill -STOP "$(tail -n 1 pids)"
		kill "$HUB"
		sleep 0.3
		kill -0 "$HUB"
		kill "$HUB"
		ended 0
		grep -q 'waiting for connections' err || break
	done
	run ! grep -q 'waiting for connections' err
	start_hub
	member b '' '{}'
	kill -STOP "$(tail -n 1 pids)"
	start=$SECONDS
	kill "$HUB"
	said 'waiting for connections that do not end, 3 s at most: a second signal cuts them'
	ended 0
	[ $((SECONDS - start)) -ge 4 ]
}

@test "SIGHUP reads the keys again: who lost theirs goes, who has one stays" {
	start_hub --key-file=keys
	member bob "apikey=$BOB" '{}'
	member alice "apikey=$ALICE" '{"private":true}'
	sed -i '/^key bob/d; s/read=team,log/read=log,team/' keys
	echo "key carl 0123456789abcdef-carl" >>keys
	kill -HUP "$HUB"
	said "read 'keys' again"
	hears bob '"message":"The token provided is not a valid JWT"'
	hears bob phx_close
	hears bob 'closed 1008'
	member carl apikey=0123456789abcdef-carl '{}'
	run -2 ws "$(url "apikey=$BOB")" </dev/null
	# Alice may no longer read the topic.
	sed -i 's/read=log,team/read=log/' keys
	kill -HUP "$HUB"
	hears alice '"message":"You no longer have permission to read from this Channel topic'
	# A file that is none changes nothing.
	echo 'key broken' >keys
	kill -HUP "$HUB"
	said 'the keys stay as they were'
	member again apikey=0123456789abcdef-carl '{}'
	kill "$HUB"
	ended 0
}

@test "a token that expires ends its channels, as the protocol says it" {
	start_hub --key-file=keys
	member a "apikey=$(kandil-collab token --key-file=keys --for=6s --read=team)" '{"private":true}'
	hears a '"message":"Token has expired '
	hears a '["1","1","realtime:team","phx_close",{}]'
	same 0 "$(metric channels)"
}

# stamped FROM FIRST LAST: kandil messages, as one batch.
stamped() {
	jq -nc --arg from "$1" --argjson first "$2" --argjson last "$3" '{messages: [range($first; $last + 1) |
		{topic: "team", event: "m", private: true, payload: {kandil: 1, from: $from, seq: ., payload: {n: .}}}]}'
}

# What has no text is shown in hex: `"type":"gone"`.
GONE=2274797065223a22676f6e6522

# healed FIRST LAST LAST-WORD: what the hub gives of a.x to a member who asks for it.
healed() {
	printf '%s\n' '["1","1","realtime:team","phx_join",{"config":{"private":true}}]' \
		"[\"1\",\"2\",\"realtime:team\",\"broadcast\",{\"type\":\"broadcast\",\"event\":\"kandil\",\"payload\":{\"kandil\":1,\"from\":\"b.y\",\"type\":\"want\",\"to\":\"hub\",\"of\":\"a.x\",\"first\":$1,\"last\":$2}}]" |
		ws --until="$3" "$(url "apikey=$ADMIN")" >healed
	grep -o '"seq":[0-9]*' healed | cut -d: -f2 | xargs
}

@test "a history in files outlives restarts and kill -9, and replays" {
	start_hub --key-file=keys --history=300 --history-dir=h
	same '202 ' "$(post "$ADMIN" "$(stamped a.x 1 200)")"
	kill "$HUB"
	ended 0
	start_hub --key-file=keys --history=300 --history-dir=h
	same '202 ' "$(post "$ADMIN" "$(stamped a.x 201 400)")"
	# Nothing was synced yet, perhaps: but it is in the kernel's hands.
	kill -9 "$HUB"
	ended 137
	start_hub --key-file=keys --history=300 --history-dir=h
	same 1 "$(metric history_topics)"
	same "$(seq 101 400 | xargs)" "$(healed 101 400 '"seq":400')"
	same 101 "$(healed 1 101 '"seq":101')"
	tail -n 2 healed | grep -o '^x .*' | head -n 1 | tail -c +3 | python3 -c 'import sys; print(bytes.fromhex(sys.stdin.read()))' >gone
	grep -q '"type":"gone","to":"b.y","of":"a.x","first":1,"last":100' gone
	echo '["1","1","realtime:team","phx_join",{"config":{"private":true,"broadcast":{"replay":{"since":0,"limit":3}}}}]' |
		ws --until='"seq":400' "$(url "apikey=$ALICE")" >replay
	same 3 "$(grep -c '"meta":{"replayed":true,"id":"[0-9a-f]*-[0-9]*"}' replay)"
	grep -q 'Only the newest messages are replayed' replay
	same "$(printf '398\n399\n400')" "$(grep -o '"seq":[0-9]*' replay | cut -d: -f2)"
	# A tail that was cut off is cut, which is said, and all before it is there.
	kill "$HUB"
	ended 0
	same private.realtime%3Ateam.history "$(cd h && echo *.history)"
	truncate -s -10 h/*.history
	start_hub --key-file=keys --history=300 --history-dir=h
	same "$(seq 390 399 | xargs)" "$(healed 390 400 "$GONE")"
	grep -qE "^kandil-collab: 'h/private.realtime%3Ateam.history' ends in a write that was cut off: [0-9]+ bytes were cut$" err
}

@test "a replay, and what the hub has, fit the queue of a member: nobody is dropped for asking" {
	start_hub --key-file=keys --history=5000 --max-queue=20000
	batch=$(jq -nc '{messages: [range(25) | {topic: "team", event: "e", private: true, payload: {n: ., pad: ("x" * 2000)}}]}')
	same '202 ' "$(post "$ADMIN" "$batch")"
	echo '["1","1","realtime:team","phx_join",{"config":{"private":true,"broadcast":{"replay":{"since":0}}}}]' |
		ws --until='{"n":24' "$(url "apikey=$ALICE")" >replay
	same "$(seq 0 24 | xargs)" "$(grep -o '{"n":[0-9]*' replay | tr -d '{"n:' | xargs)"
	# Two thousand senders: 60 kB of names.
	jq -nc '{messages: [range(2000) | {topic: "team", event: "m", private: true,
		payload: {kandil: 1, from: "sender-\(.).abcdefgh", seq: (. + 1), payload: 1}}]}' >many
	same '202 ' "$(post "$ADMIN" @many)"
	printf '%s\n' '["1","1","realtime:team","phx_join",{"config":{"private":true}}]' \
		'["1","2","realtime:team","broadcast",{"type":"broadcast","event":"kandil","payload":{"kandil":1,"from":"b.y","type":"hello","new":true,"last":0,"have":{}}}]' \
		'["1","3","realtime:team","broadcast",{"type":"broadcast","event":"kandil","payload":{"kandil":1,"from":"b.y","type":"want","to":"hub","of":"sender-7.abcdefgh","first":8,"last":8}}]' |
		ws --until='"again":true' "$(url "apikey=$ADMIN")" | grep -v 'phx_reply' >have
	sed -n 's/^x //p' have | while read -r hex; do printf %s "$hex" | python3 -c 'import sys
b = bytes.fromhex(sys.stdin.read()); print(b[5 + b[1] + b[2] + b[3]:].decode())'; done >said
	same 2000 "$(jq -s '[.[] | .have // {} | keys[]] | unique | length' said)"
	same 'false' "$(jq -s '[.[] | select(.type == "have")] | last | has("more")' said)"
	tail -n 1 have | grep -qF '"from":"sender-7.abcdefgh","seq":8,"payload":1,"again":true'
}

@test "a full disk under the history: said once, and the session goes on" {
	: >err
	(
		trap '' XFSZ
		ulimit -f 8
		exec kandil-collab serve --listen=127.0.0.1:0 --key-file=keys --history=10000 --history-dir=h 2>err 3>&- 4>&-
	) &
	HUB=$!
	echo $HUB >>pids
	hub_listens
	member a "apikey=$ALICE" '{"private":true}'
	post "$ADMIN" "$(stamped a.x 1 300)" >/dev/null
	hears a '"seq":300'
	said "cannot write 'h/private.realtime%3Ateam.history'"
	same 1 "$(grep -c 'cannot write' err)"
	[ "$(metric history_failures_total)" -gt 100 ]
	kill "$HUB"
	ended 0
	start_hub --key-file=keys --history=10000 --history-dir=h
	same 1 "$(grep -c . err)"
	kept=$(healed 1 300 "$GONE" | wc -w)
	[ "$kept" -gt 20 ]
	[ "$kept" -lt 100 ]
	same "$(seq 1 "$kept" | xargs)" "$(grep -o '"seq":[0-9]*' healed | cut -d: -f2 | xargs)"
}

@test "fewer files than connections: it says so, and keeps to what there is" {
	(
		ulimit -n 700
		exec kandil-collab serve --listen=127.0.0.1:0 2>err 3>&- 4>&-
	) &
	HUB=$!
	echo $HUB >>pids
	hub_listens
	said "the system gives 700 files, which is enough for 350 connections: raise it with 'ulimit -n'"
}
