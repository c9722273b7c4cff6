#!/usr/bin/env bats
# kandil-collab token: what it prints is a token by the rules of RFC 7515 and
# 7519, checked here by openssl and jq alone, for every kind of key.

load lib/common

setup() {
	common_setup
	umask 077
	echo 'secret - the-secret-without-a-kid-of-32-characters' >keys
}

# part N <token: header, claims (as JSON) or signature (as bytes).
part() {
	cut -d. -f"$1" | tr -d '\n' | tr -- -_ +/ |
		awk '{ while (length($0) % 4) $0 = $0 "="; print }' | openssl base64 -d -A
}

token() {
	kandil-collab token "$@"
}

@test "HS256 is openssl's HMAC of the first two parts" {
	token --key-file=keys --sub=anna --read='standup,review:*' --write=log >t
	same 1 "$(wc -l <t)"
	same '{"alg":"HS256","typ":"JWT"}' "$(part 1 <t)"
	same '{"role":"authenticated","sub":"anna","kandil":{"read":["standup","review:*"],"write":["log"]}}' \
		"$(part 2 <t | jq -c 'del(.iat, .exp)')"
	same 3600 "$(part 2 <t | jq '.exp - .iat')"
	same true "$(part 2 <t | jq --argjson now "$(date +%s)" '.iat <= $now and .iat > $now - 60')"
	cut -d. -f1,2 t | tr -d '\n' |
		openssl dgst -sha256 -hmac the-secret-without-a-kid-of-32-characters -binary >want
	part 3 <t | cmp - want
}

@test "--for, --role, --kid and --alg are what the token says" {
	printf 'key a 0123456789abcdef\nsecret old %s\nsecret new %s\n' \
		the-old-secret-of-32-characters-or-more the-new-secret-of-32-characters-or-more >keys
	token --key-file=keys --kid=new --alg=HS512 --role=service_role --for=1500ms >t
	same '{"alg":"HS512","typ":"JWT","kid":"new"}' "$(part 1 <t)"
	same '{"role":"service_role"}' "$(part 2 <t | jq -c 'del(.iat, .exp)')"
	same 2 "$(part 2 <t | jq '.exp - .iat')"
	cut -d. -f1,2 t | tr -d '\n' |
		openssl dgst -sha512 -hmac the-new-secret-of-32-characters-or-more -binary >want
	part 3 <t | cmp - want
	same old "$(token --key-file=keys | part 1 | jq -r .kid)"
}

@test "a file with a secret alone, plain and base64, is the same secret" {
	echo the-secret-without-a-kid-of-32-characters >plain
	printf 'base64:%s\n' "$(printf %s the-secret-without-a-kid-of-32-characters | openssl base64 -A)" >coded
	for file in plain coded; do
		token --key-file=$file >t
		cut -d. -f1,2 t | tr -d '\n' |
			openssl dgst -sha256 -hmac the-secret-without-a-kid-of-32-characters -binary >want
		part 3 <t | cmp - want
	done
}

@test "RSA keys in PEM of both forms sign what openssl verifies" {
	openssl genrsa -out pkcs8 2048
	openssl rsa -in pkcs8 -traditional -out pkcs1
	openssl rsa -in pkcs8 -pubout -out public
	for file in pkcs8 pkcs1; do
		for bits in 256 512; do
			token --key-file=$file --alg=RS$bits --kid=k >t
			same "RS$bits k" "$(part 1 <t | jq -r '"\(.alg) \(.kid)"')"
			part 3 <t >signature
			cut -d. -f1,2 t | tr -d '\n' |
				openssl dgst -sha$bits -verify public -signature signature
		done
	done
	same RS256 "$(token --key-file=pkcs8 | part 1 | jq -r .alg)"
}

@test "EC keys on P-256 sign what openssl verifies, R and S as 64 bytes" {
	openssl ecparam -name prime256v1 -genkey -out ec
	openssl ec -in ec -pubout -out public
	for _ in 1 2 3 4 5; do
		token --key-file=ec >t
		same ES256 "$(part 1 <t | jq -r .alg)"
		part 3 <t >raw
		same 64 "$(wc -c <raw)"
		# As DER, for openssl: each half an integer.
		hex=$(od -An -v -tx1 raw | tr -d ' \n')
		printf 'asn1=SEQUENCE:s\n[s]\nr=INTEGER:0x%s\ns=INTEGER:0x%s\n' "${hex:0:64}" "${hex:64}" >conf
		openssl asn1parse -genconf conf -noout -out signature
		cut -d. -f1,2 t | tr -d '\n' | openssl dgst -sha256 -verify public -signature signature
	done
}

@test "a JSON Web Key signs, and gives its kid" {
	echo '{"kty":"oct","kid":"j","k":"dGhlLXNlY3JldC13aXRob3V0LWEta2lkLW9mLTMyLWNoYXJhY3RlcnM"}' >jwk
	token --key-file=jwk >t
	same '{"alg":"HS256","typ":"JWT","kid":"j"}' "$(part 1 <t)"
	cut -d. -f1,2 t | tr -d '\n' |
		openssl dgst -sha256 -hmac the-secret-without-a-kid-of-32-characters -binary >want
	part 3 <t | cmp - want
}

@test "what cannot be signed is refused, with the reason" {
	while IFS='|' read -r want options text; do
		status=0
		# shellcheck disable=SC2086 # several options
		token $options >out 2>err || status=$?
		same "$want $text" "$status $(cat err)"
		same '' "$(cat out)"
	done <<-'END'
		2||kandil-collab: token needs --key-file=FILE: the hub's key file, or a private key
		2|--key-file=keys --alg=none|kandil-collab: --alg: no such algorithm, 'none': HS256, HS384, HS512, RS256, RS384, RS512 or ES256
		2|--key-file=keys --alg=RS256|kandil-collab: --key-file=keys: it has no key that signs as --kid and --alg say
		2|--key-file=keys --kid=x|kandil-collab: --key-file=keys: it has no key that signs as --kid and --alg say
		2|--key-file=keys --for=0s|kandil-collab: --for: no length of time, '0s': 30s, 5m, 24h
		2|--key-file=keys --for=ever|kandil-collab: --for: no length of time, 'ever': 30s, 5m, 24h
		2|--key-file=keys x|kandil-collab: token takes no operand: 'x'
		3|--key-file=missing|kandil-collab: --key-file: cannot open 'missing': No such file or directory
	END
}

@test "keys that are open, encrypted, weak or damaged are refused" {
	chmod 640 keys
	run -2 --separate-stderr token --key-file=keys
	[[ $stderr == *"others may read 'keys' (mode 0640): chmod 600 'keys'" ]]
	openssl genrsa -aes128 -passout pass:secret -out locked 2048
	run -2 --separate-stderr token --key-file=locked </dev/null
	[[ $stderr == *'the key is encrypted: openssl pkey'* ]]
	openssl genrsa -out weak 1024
	run -2 --separate-stderr token --key-file=weak
	[[ $stderr == *'an RSA key of 1024 bits: 2048 to 8192 are taken' ]]
	openssl ecparam -name secp384r1 -genkey -noout -out curve
	run -2 --separate-stderr token --key-file=curve
	[[ $stderr == *'an elliptic curve other than P-256' ]]
	openssl genpkey -algorithm ed25519 -out other
	run -2 --separate-stderr token --key-file=other
	[[ $stderr == *'a key of another kind than RSA and P-256' ]]
	echo short >secret
	run -2 --separate-stderr token --key-file=secret
	[[ $stderr == *'a secret of 5 bytes is too short: 32 or more' ]]
	: >empty
	run -2 --separate-stderr token --key-file=empty
	[[ $stderr == *'empty: it is empty' ]]
}

@test "a full disk under the token is status 3" {
	run -3 --separate-stderr bash -c 'kandil-collab token --key-file=keys >/dev/full'
	[[ $stderr == *'No space left on device'* ]]
}

@test "-o makes the file ours alone from the first, and replaces an older one" {
	umask 022
	token --key-file=keys -o new
	same 600 "$(stat -c %a new)"
	part 2 <new | jq -e .role
	echo old >older
	chmod 644 older
	ln older held
	ln -s older link
	token --key-file=keys -o link
	same '600 644 old' "$(stat -c %a older) $(stat -c %a held) $(cat held)"
	[ -L link ]
	part 2 <older | jq -e .role
	run ! ls ./*.part
	# It is what a member reads.
	run -3 --separate-stderr kandil-collab join t --token-file=link --url=http://127.0.0.1:9 --for=1ms </dev/null
	[[ $stderr != *'others may'* ]]
	mkfifo fifo
	token --key-file=keys -o fifo &
	part 2 <fifo | jq -e .role
	wait $!
	# What was begun, and could not be finished, is nobody's: it is whole, or not there.
	# shellcheck disable=SC2016 # the pipe takes what no file may
	run -3 bash -c "trap '' XFSZ; (ulimit -f 0; kandil-collab token --key-file=keys -o cut) 2>&1 | cat"'; exit ${PIPESTATUS[0]}'
	same "kandil-collab: cannot write 'cut': File too large" "$output"
	run -2 --separate-stderr kandil-collab token -o cut
	same "kandil-collab: token needs --key-file=FILE: the hub's key file, or a private key" "$stderr"
	run -3 --separate-stderr kandil-collab token --key-file=none -o older
	[[ $stderr == *"'none'"* && $stderr != *older* ]]
	run -3 --separate-stderr kandil-collab token --key-file=keys -o none/cut
	same "kandil-collab: cannot write 'none/cut': No such file or directory" "$stderr"
	part 2 <older | jq -e .role
	run ! ls ./*.part ./cut
}

@test "a redirected token that others could read is said" {
	umask 022
	run -0 --separate-stderr bash -c 'kandil-collab token --key-file=keys >open'
	[[ $stderr == *'others may read the file that standard output goes to (mode 0644): -o FILE'* ]]
	run -0 --separate-stderr bash -c 'kandil-collab token -q --key-file=keys >open'
	same '' "$stderr"
	run -0 --separate-stderr bash -c 'umask 077; kandil-collab token --key-file=keys >ours'
	same '' "$stderr"
}

@test "a file in the wrong place is told as what it is, and never shown" {
	echo a-key-of-its-own-1234 >word
	token --key-file=keys -o jwt
	openssl genrsa -out pem 2048
	echo '{"kty":"oct","k":"dGhlLXNlY3JldC13aXRob3V0LWEta2lkLW9mLTMyLWNoYXJhY3RlcnM"}' >jwk
	echo '{"keys":[]}' >keyset
	printf '# two\nkey a 0123456789abcdef\nkey b 0123456789abcdeg role=x\n' >ring
	while IFS='|' read -r command text; do
		# shellcheck disable=SC2086 # several options
		run -2 --separate-stderr kandil-collab $command </dev/null
		[[ $stderr == *"$text"* ]] || { echo "$command: $stderr" >&2; return 1; }
		run ! grep -qE 'a-key-of|eyJ|0123|the-secret' <<<"$stderr"
	done <<-'END'
		serve --key-file=word|'word' holds one key alone, as a member has it: a hub's key file has lines 'key NAME VALUE'
		serve --key-file=jwt|'jwt' holds a token, as a member has it: a hub's key file has lines
		serve --key-file=pem|'pem' holds a key in PEM: a hub takes public keys as a JSON Web Key Set, in a line 'jwks FILE'
		serve --key-file=jwk|'jwk' holds a JSON Web Key: a hub's key file names a set of public keys in a line 'jwks FILE'
		serve --key-file=keyset|'keyset' holds a JSON Web Key Set: a hub's key file names a set
		join t --key-file=ring|'ring' is a hub's key file, with 2 keys: a member wants a file with its own key alone
		send t --key-file=keys|'keys' is a hub's key file, with no line 'key NAME VALUE': --token-file wants what 'kandil-collab token --key-file=keys' makes of it
		join t --key-file=pem|'pem' holds a key in PEM: a member wants a token alone, as 'kandil-collab token --key-file=FILE' makes it, or a key alone
		join t --key-file=jwk|'jwk' holds a JSON Web Key: a member wants a token alone
		join t --token-file=keys|'keys' holds a hub's keys: a member wants a token alone, as 'kandil-collab token --key-file=FILE' makes it
		join t --token-file=keyset|'keyset' holds a JSON Web Key Set: a member wants a token alone
		token --key-file=jwt|--key-file=jwt: it holds a token, which signs nothing
		token --key-file=keyset|--key-file=keyset: it is a JSON Web Key Set: token wants one private key
		token --key-file=ring|--key-file=ring: it has no key that signs: a line is 'secret KID|- VALUE'
		token --key-file=word|a secret of 21 bytes is too short: 32 or more
	END
}
