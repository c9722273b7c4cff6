#!/usr/bin/env bats
# The front door: which program answers, help, config, completions.

load lib/common

setup() {
	common_setup
	mkdir exec
	export KANDIL_EXEC_PATH=$PWD/exec
}

# program NAME [LINE...]: a script in $KANDIL_EXEC_PATH that says its name and
# arguments, or does what the lines say.
program() {
	local file=exec/$1
	shift
	{
		echo '#!/bin/sh'
		if [ $# -gt 0 ]; then
			printf '%s\n' "$@"
		else
			echo 'echo "$(basename "$0") $*"'
		fi
	} >"$file"
	chmod +x "$file"
}

@test "the longest name that exists answers, with the rest as its arguments" {
	program kandil-a
	program kandil-a-b
	program kandil-a-b-c-d
	same 'kandil-a-b-c-d e' "$(kandil a b c d e)"
	same 'kandil-a-b c x' "$(kandil a b c x)"
	same 'kandil-a c b' "$(kandil a c b)"
	same 'kandil-a-b c --d' "$(kandil a-b c --d)"
}

@test "words end at the first option, capital, dot or slash" {
	program kandil-a
	program kandil-a-b
	same 'kandil-a -x b' "$(kandil a -x b)"
	same 'kandil-a B' "$(kandil a B)"
	same 'kandil-a b.dart' "$(kandil a b.dart)"
	same 'kandil-a ../b' "$(kandil a ../b)"
	same 'kandil-a  b' "$(kandil a '' b)"
	same 'kandil-a -- b' "$(kandil a -- b)"
}

@test "at most four words make a name" {
	program kandil-a-b-c-d-e
	run ! kandil a b c d e
}

@test "the program takes this process's place: status, signals and stdin are its own" {
	program kandil-a 'exit 7'
	program kandil-b 'kill -TERM $$'
	program kandil-c cat
	run -7 kandil a
	run -143 kandil b
	same 'through' "$(echo through | kandil c)"
	program kandil-d 'echo $$'
	kandil d >pid &
	wait $!
	same $! "$(cat pid)"
}

@test "a pipeline finds the programs beside the front door" {
	program kandil-a 'command -v kandil'
	same "$(realpath "$BIN")/kandil" "$(PATH=/usr/bin:/bin "$BIN/kandil" a)"
}

@test "what is in PATH answers last, and the current folder never" {
	mkdir path
	printf '#!/bin/sh\necho path\n' >path/kandil-p
	cp path/kandil-p kandil-q
	chmod +x path/kandil-p kandil-q
	same path "$(PATH=$PWD/path:$PATH kandil p)"
	program kandil-p 'echo exec'
	same exec "$(PATH=$PWD/path:$PATH kandil p)"
	PATH=.::$PATH run -2 kandil q
	# Nor does it for what a pipeline calls, with no PATH at all.
	mv kandil-q jq
	program kandil-r 'command -v jq'
	PATH='' run "$BIN/kandil" r
	[[ $output != *"$PWD/jq"* && $output != ./jq && $output != jq ]]
}

@test "a file that cannot be executed does not answer" {
	echo 'echo no' >exec/kandil-a
	mkdir exec/kandil-b
	run -2 kandil a
	run -2 kandil b
}

@test "an unknown word suggests the nearest and ends with 2" {
	program kandil-simulate-devops
	run -2 --separate-stderr kandil simulate devop
	same "kandil: unknown command 'simulate devop': did you mean 'simulate devops'?" "$stderr"
	run -2 --separate-stderr kandil hlep
	same "kandil: unknown command 'hlep': did you mean 'help'?" "$stderr"
	run -2 --separate-stderr kandil qqqq
	same "kandil: unknown command 'qqqq': 'kandil help' lists them" "$stderr"
	[ -z "$output" ]
}

@test "the beginning of a command says how to go on" {
	program kandil-simulate-devops-drill
	program kandil-simulate-devops-replay
	run -2 --separate-stderr kandil simulate devops
	same "kandil: 'simulate devops' is only the beginning of a command: go on with 'drill', 'replay'" \
		"$stderr"
}

@test "without words, or with a wrong option, it says how it is used" {
	run -2 --separate-stderr kandil
	same "$(kandil help)" "$stderr"
	[ -z "$output" ]
	run -2 --separate-stderr kandil --hepl
	[[ $stderr == *"unknown option '--hepl'"*usage* ]]
	run -0 --separate-stderr kandil --version
	same "kandil $(cat "$ROOT/VERSION")" "$output"
	[ -z "$stderr" ]
}

@test "help lists programs and pipelines with what they are for" {
	program kandil-a-b '# summary: does a and b' 'echo never run'
	run -0 --separate-stderr kandil help
	[[ $output == *'  a b                      does a and b'* ]]
	[[ $output != *'never run'* ]]
	awk 'length > 80 { exit 1 }' <<<"$output"
	same "$output" "$(kandil --help)"
	same "$output" "$(kandil -h)"
	output=$(tr -s ' \n' '  ' <<<"$output")
	for tool in "$BIN"/kandil-*; do
		[[ $output == *" $(basename "$tool" | cut -d- -f2-) $("$tool" --help | sed -n 2p) "* ]]
	done
	for pipeline in "$BIN"/../libexec/kandil/*; do
		[[ $output == *"$(sed -n 's/^# summary: //p' "$pipeline")"* ]]
	done
	kandil help --json | jq -se 'any(.[]; .words == "a b" and .summary == "does a and b" and .pipeline)' >/dev/null
}

@test "help names what is only in PATH, and does not run it" {
	mkdir path
	cp "$(type -P true)" path/kandil-foreign
	PATH=$PWD/path:$PATH run -0 kandil help
	same '  foreign' "$(grep foreign <<<"$output" | sed 's/ *$//')"
}

@test "help with the beginning of commands lists those" {
	run -0 kandil help i18n
	same 'i18n check
i18n extract
i18n review' "$(grep -o '^  i18n [a-z]*' <<<"$output" | sed 's/^  //')"
}

@test "what a configuration holds cannot reach the terminal" {
	mkdir -p "$XDG_CONFIG_HOME/kandil"
	printf '[translate]\nfrom = \033]0;x\007fr\n' >"$XDG_CONFIG_HOME/kandil/config"
	same 'from = ?]0;x?fr' "$(kandil config translate | grep '^from')"
}

@test "help WORD shows the manual that lies beside the program" {
	[ -f "$BIN/../share/man/man1/kandil.1" ]
	# man is asked for the page in the built folder, whichever man it is.
	mkdir path
	printf '#!/bin/sh\necho "$MANPATH $*"\n' >path/man
	chmod +x path/man
	local man
	man=$(realpath "$BIN")/../share/man
	same "$man 1 kandil" "$(PATH=$PWD/path:$PATH kandil help help)"
	same "$man 1 kandil-ai" "$(PATH=$PWD/path:$PATH kandil help ai)"
	# Each page that is about no program is a topic, and the list has no other.
	local page topic
	for page in "$man"/man[57]/*; do
		topic=$(basename "${page%.*}")
		same "$man ${page##*.} $topic" "$(PATH=$PWD/path:$PATH kandil help "${topic#kandil-}")"
		echo "${topic#kandil-}"
	done | sort >topics
	grep -qx kandil topics && grep -qx session topics
	kandil help | tr '\n' ' ' | sed 's/.*; topics: //; s/, /\n/g; s/ $/\n/' | cmp - topics
	kandil help --json | jq -r '.topic // empty' | cmp - topics
}

@test "a topic is a page that lies there, however many there are" {
	mkdir moved
	cp -R "$BIN" "$BIN/../share" moved
	rm moved/share/man/man5/*
	for topic in a-long-one another-long-one the-third-of-them one-more-of-these; do
		cp moved/share/man/man7/kandil.7 "moved/share/man/man5/kandil-$topic.5"
	done
	touch moved/share/man/man5/{kandil.conf.5,kandil-.5,kandil-x.5.part,other.5}
	same 'a-long-one another-long-one kandil one-more-of-these session the-third-of-them' \
		"$(moved/bin/kandil help --json | jq -r '.topic // empty' | xargs)"
	moved/bin/kandil help | awk 'length > 80 { exit 1 }'
	rm -r moved/share/man
	same "'kandil help WORD ...' opens a manual" "$(moved/bin/kandil help | tail -n 1)"
}

@test "without man, mandoc shows the manual" {
	mkdir path
	ln -s "$(command -v mandoc)" path/mandoc
	PATH=$PWD/path run -0 "$BIN/kandil" help records
	col -b <<<"$output" | grep -q 'A record is a JSON object .*NDJSON'
}

# Every --help: of programs, of their commands, of pipelines.
helps() {
	local program
	for program in "$BIN"/kandil*; do
		echo "$program"
		"$program" --dump-options | jq -r '.command // empty' | sort -u |
			sed "s,^,$program ,"
	done
	ls "$BIN"/../libexec/kandil/*
}

@test "every --help fits a terminal of 80 columns" {
	helps >all
	grep -q '/kandil-catalog check$' all && grep -q '/kandil-i18n-review$' all
	local line words wide=
	while read -r line; do
		read -ra words <<<"$line"
		"${words[@]}" --help </dev/null >out
		[ -s out ]
		if grep -E '.{81}' out; then wide+=" ${line##*/}"; fi
	done <all
	same '' "$wide"
}

@test "help for a program without a manual is its --help" {
	program kandil-a 'echo "help: $*"'
	same 'help: --help' "$(kandil help a)"
	run -2 kandil help nosuch
	run -2 kandil help ../../etc/passwd
}

@test "every pipeline says what it is, and explains itself" {
	for pipeline in "$BIN"/../libexec/kandil/*; do
		grep -q '^# summary: [a-z]' "$pipeline"
		run -0 --separate-stderr "$pipeline" --help
		[[ $output == *'usage: kandil'* ]]
		[[ $output != *'pipefail'* ]]
		[ -z "$stderr" ]
		run -2 --separate-stderr "$pipeline" --nosuch
		[[ $stderr == "$(basename "$pipeline"): "* ]]
	done
}

@test "config prints what is in force and where it comes from" {
	tool=$(basename "$(find "$BIN" -name 'kandil-*' | sort | head -n 1)")
	name=${tool#kandil-}
	mkdir -p .kandil "$XDG_CONFIG_HOME/kandil"
	printf '[%s]\nmax-record = 5M\n' "$name" >"$XDG_CONFIG_HOME/kandil/config"
	printf '[%s]\nverbose = true\n' "$name" >.kandil/config
	run -0 --separate-stderr kandil config "$name"
	# A source stands above what came from it.
	[[ $output == *"# $XDG_CONFIG_HOME/kandil/config:
max-record = 5M
"*"
# .kandil/config:
verbose = true"* ]]
	same "[$name]" "$(sed -n 1p <<<"$output")"
	variable=KANDIL_${name^^}_MAX_RECORD
	export "${variable//-/_}=6M"
	[[ $(kandil config "$name") == *'# environment:
max-record = 6M'* ]]
	kandil config --json "$name" |
		jq -se --arg tool "$tool" 'any(.[]; .name == "max-record" and .tool == $tool and .value == "6M")' >/dev/null
	# What is printed can be a configuration file.
	kandil config "$name" >printed
	unset "${variable//-/_}"
	rm .kandil/config
	mv printed "$XDG_CONFIG_HOME/kandil/config"
	same 6M "$(kandil config --json "$name" | jq -r 'select(.name == "max-record").value' | uniq)"
}

@test "config of a pipeline names the programs whose settings it goes by" {
	printf '#!/bin/sh\n# summary: x\n# needs: kandil-ai, jq, kandil-catalog\n' >exec/kandil-mine
	printf '#!/bin/sh\n# summary: x\n' >exec/kandil-other
	chmod +x exec/kandil-*
	run -2 --separate-stderr kandil config chat
	same "kandil: 'chat' is a pipeline, without settings of its own: see 'kandil config ai'" "$stderr"
	run -2 --separate-stderr kandil config mine
	same "kandil: 'mine' is a pipeline, without settings of its own: see 'kandil config ai catalog'" "$stderr"
	run -2 --separate-stderr kandil config other
	same "kandil: 'other' is a pipeline, without settings of its own" "$stderr"
}

@test "config without a name shows every program; a wrong name is an error" {
	run -0 --separate-stderr kandil config
	for tool in "$BIN"/kandil-*; do
		grep -Fxq "[$(basename "$tool" | cut -d- -f2-)]" <<<"$output"
	done
	run -2 kandil config nosuch
}

@test "a wrong configuration is reported and ends with 2" {
	mkdir -p "$XDG_CONFIG_HOME/kandil"
	echo 'max-record = lots' >"$XDG_CONFIG_HOME/kandil/config"
	run -2 --separate-stderr kandil config
	[[ $stderr == *"config:1: 'max-record'"* ]]
}

# complete WORD...: what bash offers for the last word.
complete_bash() {
	bash -c '
		. "$1"
		shift
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
		_kandil
		printf "%s\n" "${COMPREPLY[@]}"' bash "$PWD/completions" "$@"
}

@test "the built tree works wherever it is put" {
	mkdir -p moved/usr
	cp -R "$BIN" "$BIN/../libexec" "$BIN/../share" moved/usr
	cp -R "$ROOT/examples/flutter-app" app
	cd app
	PATH=../moved/usr/bin:/usr/bin:/bin kandil i18n extract -q --to=fr lib >out || [ $? = 1 ]
	jq -se 'any(.[]; .locale == "fr" and .entries > 0)' out >/dev/null
	PATH=../moved/usr/bin:/usr/bin:/bin kandil help | grep -q 'i18n extract'
}

@test "bash completes words, options and choices" {
	kandil completions bash >completions
	bash -n completions
	same 'check
extract
review' "$(complete_bash kandil i18n '')"
	same extract "$(complete_bash kandil i18n ex)"
	same --max-record= "$(complete_bash kandil-catalog read --max)"
	same --max-record= "$(complete_bash kandil catalog read --max)"
	same critical "$(complete_bash kandil catalog check --fail-on = cr)"
	same --fail-on= "$(complete_bash kandil-catalog -q check --fai)"
	same '--to=' "$(complete_bash kandil i18n extract --t)"
	same likely "$(complete_bash kandil i18n check --level = li)"
	same 'bash
fish
zsh' "$(complete_bash kandil completions '')"
	same translate "$(complete_bash kandil config tr)"
	same records "$(complete_bash kandil help rec)"
	same session "$(complete_bash kandil help ses)"
	same extract "$(complete_bash kandil help i18n ex)"
	# Files of the folder only where an option takes a file.
	touch file-here
	same file-here "$(complete_bash kandil-ai --schema = file)"
	same file-here "$(complete_bash kandil-ai --schema file)"
	same file-here "$(complete_bash kandil-ai file)"
	same "" "$(complete_bash kandil-ai --model = file)$(complete_bash kandil-ai --model file)"
	same responses "$(complete_bash kandil-ai --api = resp)"
}

@test "completions hold exactly the options of the tables" {
	{
		kandil config --json | jq -r '"--" + .name'
		sed -n '/^# usage:/,/^# needs:/p' "$BIN"/../libexec/kandil/* | grep -o -- '--[a-z][a-z0-9-]*'
	} | sort -u >want
	kandil completions bash | grep -o -- '--[a-z][a-z0-9-]*' | grep -Ev -- '^--(help|version|json)$' | sort -u |
		cmp - want
	kandil completions fish | grep -o -- ' -l [a-z0-9-]*' | sed 's/ -l /--/' | grep -v json | sort -u | cmp - want
}

@test "zsh and fish can read their completions" {
	kandil completions zsh >_kandil
	kandil completions fish >kandil.fish
	for shell in zsh fish; do
		command -v $shell >/dev/null || skip "$shell is not here"
	done
	zsh -n _kandil
	fish --no-execute kandil.fish
	fish -c 'source kandil.fish; complete -C "kandil i18n ex"' | grep -q '^extract'
}

@test "each installed program completes by itself" {
	[ "$BIN" -ef "$ROOT/build/bin" ] || skip "install takes what is in build"
	make -s -C "$ROOT" install DESTDIR="$PWD/root" PREFIX=/usr
	for tool in "$BIN"/kandil-*; do
		grep -q _kandil "root/usr/share/bash-completion/completions/$(basename "$tool")"
		grep -q -- "-c $(basename "$tool") " "root/usr/share/fish/vendor_completions.d/$(basename "$tool").fish"
	done
	make -s -C "$ROOT" uninstall DESTDIR="$PWD/root" PREFIX=/usr
	[ -z "$(find root ! -type d)" ]
}

@test "completions of an unknown shell are a usage error" {
	run -2 --separate-stderr kandil completions tcsh
	[[ $stderr == *"'tcsh'"* ]]
}
