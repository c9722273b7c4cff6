# The environment of every test: nothing of the user's. Sourced.
# shellcheck shell=bash

# clean_environment SCRATCH BIN
clean_environment() {
	local name
	for name in $(compgen -e | grep '^KANDIL_' || true); do
		case $name in
		KANDIL_BUILD | KANDIL_SANITIZED) ;;
		*) unset "$name" ;;
		esac
	done
	# Whoever has keys must not pay for tests, nor learn what they send.
	for name in $(compgen -e | grep -E '_API_KEY$|_AUTH_TOKEN$|^DEEPL_(AUTH|SERVER)' || true) \
		$(compgen -e | grep -Ei '^(OPENAI|ANTHROPIC|GEMINI)_|_proxy$' || true) \
		OLLAMA_HOST LLAMA_SERVER_URL AZURE_OPENAI_ENDPOINT CURL_CA_BUNDLE SSL_CERT_FILE; do
		unset "$name"
	done
	unset LANGUAGE LC_CTYPE LC_MESSAGES NO_COLOR COLUMNS SOURCE_DATE_EPOCH MAKEFLAGS MFLAGS
	unset XDG_DATA_HOME XDG_STATE_HOME
	export LC_ALL=C.UTF-8 TZ=UTC TERM=dumb
	export HOME=$1/home XDG_CONFIG_HOME=$1/config XDG_CACHE_HOME=$1/cache
	export GIT_CONFIG_NOSYSTEM=1
	short_lookups
	# What the packages bring comes before the wrappers of version managers, which take half a
	# second to find a python3.
	export PATH=$2:/usr/bin:/bin:$PATH
	mkdir -p "$HOME"
}

# Names that do not exist are asked for. Where no name server answers, the resolver would go on for
# ten seconds, and so long a connection may take at most: who is not known would be late.
short_lookups() {
	export RES_OPTIONS='timeout:1 attempts:2'
}

# A finding must never look like a status of ours: 134 is abort's. Leaks are
# looked for in the unit tests only: a filter ends with its buffers in hand.
sanitizer_environment() {
	export KANDIL_SANITIZED=1
	export ASAN_OPTIONS=abort_on_error=1:detect_leaks=${1:-0}:allocator_may_return_null=1
	export UBSAN_OPTIONS=abort_on_error=1:print_stacktrace=1
	export LSAN_OPTIONS=suppressions=$ROOT/tests/lib/leaks:print_suppressions=0
}
