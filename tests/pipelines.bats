#!/usr/bin/env bats
# What is made of programs: kandil i18n extract, kandil i18n check, i18n.mk.

load lib/common

setup() {
	common_setup
	cp -R "$ROOT/examples/flutter-app/." .
	pipelines=$BIN/../share/kandil/pipelines
}

# The status of a run in which translations are missing is 1.
partial() {
	"$@" || [ $? = 1 ]
}

@test "i18n extract is the three programs in one" {
	mkdir one two
	{ partial kandil-extract lib | partial kandil-translate -q --to=ar,fr |
		partial kandil-catalog write --arb=one; } | sed 's,"one/,"two/,' >want
	partial kandil i18n extract --to=ar --to=fr --arb=two lib >got 2>summary
	cmp want got
	diff -r one two
	grep -q '^  locale  strings .*to review  missing$' summary
	grep -q '^  ar ' summary
}

@test "i18n extract takes --file, --stdin, and the folder of l10n.yaml" {
	partial kandil i18n extract -q --file=lib/screens/settings.dart --to fr >got 2>err
	[ ! -s err ]
	[ "$(find . -name '*_fr.arb')" = "./$(sed -n 's/^arb-dir: //p' l10n.yaml)/app_fr.arb" ]
	rm -r lib/l10n
	kandil-extract lib/screens/settings.dart |
		partial kandil i18n extract -q --stdin --to=fr >again
	cmp got again
}

@test "i18n extract gives the worst status of its stages" {
	run -3 --separate-stderr kandil i18n extract --arb=l10n --to=fr lib missing
	[[ $stderr == *"missing: "* ]]
	# A table of what was not done would say that it was.
	[[ $stderr != *strings* ]]
	run -2 --separate-stderr kandil i18n extract -q --to=nosuchlocale lib
	run -2 --separate-stderr kandil i18n extract lib
	[[ $stderr == *"--to=ar,fr"* ]]
}

@test "i18n extract where there is nothing says what to name" {
	mkdir empty
	cd empty
	run -2 --separate-stderr kandil i18n extract --arb=l10n --to=fr
	[[ $stderr == *"no pubspec.yaml here: name files or folders"* ]]
	[ -z "$output" ]
	[ ! -e l10n ]
}

@test "pipelines speak to a terminal in lines, else in records" {
	script -qec 'kandil i18n extract --arb=l10n --to=fr lib' /dev/null >lines || true
	grep -Eq '^  l10n/app_fr.arb: [0-9]+ messages, [0-9]+ missing, written' lines
	script -qec 'kandil i18n check --arb=l10n lib' /dev/null >lines || true
	grep -Eq '^lib/[a-z/]*.dart:[0-9]+:[0-9]+: low: shown, and in the catalogue' lines
	run ! grep -q '^{' lines
	for pipeline in check extract; do
		same "kandil-i18n-$pipeline $(cat "$ROOT/VERSION")" "$(kandil i18n $pipeline -V)"
	done
}

@test "i18n extract run again changes no byte" {
	partial kandil i18n extract -q --to=ar,es,fr lib >first
	cp -R lib/l10n before
	partial kandil i18n extract -q --to=ar,es,fr lib >second
	diff -r before lib/l10n
	same false "$(jq .changed second | sort -u)"
}

@test "i18n check finds strings in the source, and faults of the catalogues" {
	partial kandil i18n extract -q --to=fr lib >/dev/null
	run -1 --separate-stderr kandil i18n check lib/screens/settings.dart
	same finding "$(jq -r .kind <<<"$output" | sort -u)"
	jq -se 'any(.[]; .rule == "i18n-hard-coded" and .file == "lib/screens/settings.dart"
		and .line > 0 and (.evidence | length > 0))' <<<"$output" >/dev/null
	jq -se 'any(.[]; .rule != "i18n-hard-coded")' <<<"$output" >/dev/null
}

@test "i18n check is content with an app that shows nothing of its own" {
	mkdir clean clean/lib clean/l10n
	cd clean
	echo "f(c) => Text(AppLocalizations.of(c)!.hello);" >lib/main.dart
	echo '{"@@locale":"en","hello":"Hello"}' >l10n/app_en.arb
	echo '{"@@locale":"fr","hello":"Bonjour"}' >l10n/app_fr.arb
	run -0 --separate-stderr kandil i18n check --arb=l10n
	[ -z "$output" ]
	echo "f() => Text('Hello');" >>lib/main.dart
	run -1 --separate-stderr kandil i18n check --arb=l10n
	same 'lib/main.dart:2' "$(jq -r .address <<<"$output")"
	same "shown, and in the catalogue as 'hello'" "$(jq -r .message <<<"$output")"
	sed -i 's/Hello/Good day/' lib/main.dart
	run -1 --separate-stderr kandil i18n check -q --arb=l10n
	same "shown, and not from a catalogue" "$(jq -r .message <<<"$output")"
}

@test "i18n.mk builds the catalogues once, and again when a source changes" {
	make -f "$pipelines/i18n.mk" TO=fr >log 2>&1
	[ -f lib/l10n/app_fr.arb ]
	grep -q kandil-extract log
	make -f "$pipelines/i18n.mk" TO=fr >log 2>&1
	run ! grep kandil- log
	make -f "$pipelines/i18n.mk" TO=fr,es >log 2>&1
	[ -f lib/l10n/app_es.arb ]
	run ! grep kandil-extract log
	make -f "$pipelines/i18n.mk" TO=fr,es >log 2>&1
	run ! grep kandil- log
	sleep 0.01
	echo "f() => Text('Brand new words');" >>lib/main.dart
	make -f "$pipelines/i18n.mk" TO=fr >log 2>&1
	grep -q 'Brand new words' lib/l10n/app_en.arb
}

@test "i18n.mk leaves no half file behind a stage that fails" {
	mkdir bin
	printf '#!/bin/sh\necho half\nexit 3\n' >bin/kandil-translate
	chmod +x bin/kandil-translate
	PATH=$PWD/bin:$PATH run -2 make -f "$pipelines/i18n.mk" TO=fr
	[ -f .kandil/i18n/strings.ndjson ]
	[ ! -e .kandil/i18n/translated.ndjson ]
	[ ! -e lib/l10n ]
}

i18n_make() {
	make -f "$pipelines/i18n.mk" "$@" >log 2>&1
}

@test "i18n.mk keeps what people write into the catalogues between two runs" {
	i18n_make TO=fr
	sed -i 's/"Annuler"/"Abandonner"/' lib/l10n/app_fr.arb
	i18n_make TO=fr
	sed -i 's/"cancel": "Cancel"/"cancel": "Cancel now"/' lib/l10n/app_en.arb
	i18n_make TO=fr
	i18n_make TO=fr
	run ! grep kandil- log
	same '"Cancel now" "Abandonner"' "$(jq -c .cancel lib/l10n/app_en.arb lib/l10n/app_fr.arb | xargs -d '\n')"
	# A text that only the template has is translated, too.
	jq '.save2 = "Settings"' lib/l10n/app_en.arb >new
	cp new lib/l10n/app_en.arb
	i18n_make TO=fr
	same Paramètres "$(jq -r .save2 lib/l10n/app_fr.arb)"
	rm lib/l10n/app_fr.arb
	i18n_make TO=fr
	same Paramètres "$(jq -r .save2 lib/l10n/app_fr.arb)"
}

@test "i18n.mk is stale for another engine and other options" {
	i18n_make TO=fr ENGINE=rules
	i18n_make TO=fr ENGINE=pseudo
	grep -q 'kandil-translate.*--engine=pseudo' log
	run ! grep kandil-extract log
	i18n_make TO=fr ENGINE=pseudo "TRANSLATE=--isolate --formality='more'"
	grep -q 'kandil-translate.*--isolate' log
	i18n_make TO=fr ENGINE=pseudo "TRANSLATE=--isolate --formality='more'"
	run ! grep kandil- log
}

@test "i18n.mk writes what there is when an engine cannot go on, and fails" {
	printf '#!/bin/sh\nexit 3\n' >ai
	chmod +x ai
	KANDIL_AI=$PWD/ai run ! i18n_make TO=fr ENGINE=model
	grep -q 'could not be asked for' log
	same Annuler "$(jq -r .cancel lib/l10n/app_fr.arb)"
	[ ! -e .kandil/i18n/translated.ndjson ]
	# Once it can, the rest is made.
	cat >ai <<-'SH'
		#!/bin/sh
		exec jq -c --unbuffered '(.prompt | split("\n") | map(select(startswith("{"))) | .[0] | fromjson) as $batch |
			.ai = {json: {translations: [$batch.texts[] | {id, value: "«\(.text)»"}]}}'
	SH
	KANDIL_AI=$PWD/ai i18n_make TO=fr ENGINE=model
	same '«Corner Shop»' "$(jq -r .cornerShop lib/l10n/app_fr.arb)"
}

@test "i18n.mk keeps Android, i18next and Xcode catalogues up to date" {
	rm -r ./*
	mkdir -p app/src/main/res/values locales/en
	printf '<resources>\n\t<string name="ok">Cancel</string>\n\t<string name="hi">Hello %%1$s</string>\n</resources>\n' \
		>app/src/main/res/values/strings.xml
	echo '{"ok": "Cancel", "hi": "Hello {{name}}"}' >locales/en/translation.json
	echo '{"sourceLanguage":"en","strings":{"Cancel":{},"Save":{}},"version":"1.0"}' >Localizable.xcstrings
	for format in android i18next xcstrings; do
		i18n_make FORMAT=$format TO=fr
		i18n_make FORMAT=$format TO=fr
		run ! grep kandil- log
	done
	grep -q '<string name="hi">Bonjour %1$s</string>' app/src/main/res/values-fr/strings.xml
	same 'Annuler Bonjour {{name}}' "$(jq -r '"\(.ok) \(.hi)"' locales/fr/translation.json)"
	same Annuler "$(jq -r '.strings.Cancel.localizations.fr.stringUnit.value' Localizable.xcstrings)"
	# Another catalogue has other texts: all stages run again.
	sed -i 's/Annuler/Abandonner/' locales/fr/translation.json
	sed -i 's/"ok": "Cancel"/"ok": "Cancel", "save": "Save"/' locales/en/translation.json
	i18n_make FORMAT=i18next TO=fr
	same 'Abandonner Enregistrer' "$(jq -r '"\(.ok) \(.save)"' locales/fr/translation.json)"
	run -2 --separate-stderr make -f "$pipelines/i18n.mk" FORMAT=docx
	[[ $stderr == *FORMAT=docx* ]]
}

# A hub for those who review together.
review_hub() {
	local tries=600
	kandil-collab serve --listen=127.0.0.1:0 2>hub.err 3>&- 4>&- &
	HUB=$!
	until port=$(sed -n 's,.*listening on http://127.0.0.1:\([0-9]*\).*,\1,p' hub.err) && [ -n "$port" ]; do
		[ $((tries -= 1)) -gt 0 ] || return 1
		sleep 0.05
	done
	export KANDIL_COLLAB_URL=http://127.0.0.1:$port
}

teardown() {
	[ -z "${HUB-}" ] || kill -KILL "$HUB"
	[ -z "${SLOW-}" ] || kill -KILL "$SLOW"
	[ -z "${OFFICE-}" ] || kill -KILL "$OFFICE"
}

# decide LOCALE KEY STATUS VALUE
decide() {
	jq -cn --arg locale "$1" --arg key "$2" --arg status "$3" --arg value "$4" \
		'{$locale, $key, $status, $value}'
}

@test "i18n review: what two people decide, each on a machine, is in the catalogues of both" {
	partial kandil i18n extract -q --to=fr,ar
	mkdir ../amira ../bob
	cp -R . ../amira
	cp -R . ../bob
	review_hub
	# Neither need be there when the other is: somebody always is.
	kandil-collab sync app --as=office --state-dir=office 3>&- 4>&- &
	OFFICE=$!
	(
		cd ../amira
		decide fr p1Item approved '{count} pièce' | kandil i18n review -q --as=amira app
	) 3>&- 4>&- &
	local amira=$!
	(
		cd ../bob
		{
			decide ar p1Items approved '{count} قطعة'
			decide fr p1Items fuzzy '{count} pièces'
		} | kandil i18n review -q --as=bob app
	)
	wait $amira
	for who in amira bob; do
		cd ../$who
		# 1: there are translations that nobody has made yet.
		run -1 --separate-stderr kandil i18n review --as=$who --apply app </dev/null
		[[ $stderr == *"3 of 3 decided"* ]]
		kandil-catalog read -q >read.ndjson # ARB knows what is to be reviewed, and what is not
		[ "$(jq -r 'select(.key == "p1Item").translations.fr | .status, .value' read.ndjson)" = "translated
{count} pièce" ]
		[ "$(jq -r 'select(.key == "p1Items").translations | .ar.status, .ar.value, .fr.status' read.ndjson)" = "translated
{count} قطعة
fuzzy" ]
	done
	diff -r ../amira/lib ../bob/lib
}

@test "i18n review: at a terminal, without a hub: approve, edit, skip; the file keeps what waits" {
	partial kandil i18n extract -q --to=fr
	export KANDIL_COLLAB_URL=http://127.0.0.1:1
	"$ROOT/tests/lib/terminal" kandil i18n review --to=fr --as=amira app >screen <<-'END' || same 1 $?
		[q]uit 	a
		[q]uit 	e
		  > 	 !\n
	END
	grep -q '2 of 2 decided' screen
	grep -q '2 lines wait in the outbox' screen
	[ "$(jq -c '.fr | map([.status, .by]) | unique' .kandil/review/app.json)" = '[["approved","amira"]]' ]
	[ "$(jq -r '.fr.p1Items.value' .kandil/review/app.json)" = '{count} éléments !' ]
	grep -q 'translation:  {count} élément' screen
}

@test "i18n review: a decision about another text is left alone, one that is none is told" {
	partial kandil i18n extract -q --to=fr
	review_hub
	{
		echo '{"locale":"fr","key":"p1Item","status":"approved","value":"x","source":"{count} things"}'
		echo '{"locale":"fr","key":"p1Item","status":"perfect"}'
	} >decisions
	run -1 --separate-stderr kandil i18n review --apply app <decisions
	[ "$(jq -r '.error.code // empty' <<<"${lines[0]}")" = bad_record ]
	[[ $stderr == *"0 of 2 decided, 2 left"* ]]
	[ "$(kandil-catalog read -q | jq -r 'select(.key == "p1Item").translations.fr.value')" = '{count} élément' ]
	run -2 kandil i18n review
	run -2 kandil i18n review --nothing app
	run -3 kandil i18n review --arb=missing app </dev/null
	[[ $output == *missing* ]]
}

# Records that cannot be taken, and why: CODE ID, a line each.
refused() {
	jq -r 'select(.error) | "\(.error.code) \(.id // .line)"' "$@"
}

@test "i18n review: what --apply would refuse is refused when it is decided, and the rest goes on" {
	partial kandil i18n extract -q --to=fr
	review_hub
	cat >decisions <<-'END'
		{"id":1,"locale":"fr","key":"p1Item","status":"approved","value":"{total} pièce"}
		{"id":2,"locale":"fr","key":"p1Item","status":"approved","value":"<b>{count}</b> pièce"}
		{"id":3,"locale":"fr","key":"p1Item","status":"approved","value":"{count, plural, one {pièce}}"}
		{"id":4,"locale":"fr","key":"p1Item","status":"approved","value":"{count, plural, few {a} other {{count} b}}"}
		{"id":5,"locale":"fr","key":"p1Item","status":"fuzzy","value":"pièce"}
		{"id":6,"locale":"none of us","key":"p1Item","status":"approved","value":"{count}"}
		nonsense
		[7]
		{"id":9,"locale":"fr","key":"p1Items","status":"approved","value":"{count} pièces d'or"}
	END
	run -1 --separate-stderr kandil i18n review --as=amira --apply app <decisions
	jq -c 'select(.error)' <<<"$output" >errors
	same 'renamed_placeholder 1
added_tag 2
bad_syntax 3
lost_placeholder 4
lost_placeholder 5
unknown_locale 6
not_json 7
not_object 8' "$(refused errors)"
	same 'placeholder {count} became {total}' "$(jq -r 'select(.id == 1).error.message' errors)"
	[[ $stderr == *'1 of 2 decided, 1 left'* ]]
	# Nothing was left for the catalogues to withhold.
	same 0 "$(jq -s 'map(.withheld // 0) | add' <<<"$output")"
	[ "$(jq -c '.fr | keys' .kandil/review/app.json)" = '["p1Items"]' ]
	same "{count} pièces d'or" "$(kandil-catalog read -q |
		jq -r 'select(.key == "p1Items").translations.fr.value')"
}

@test "i18n review: a decision that has no place in the catalogues is refused, and not shared" {
	partial kandil i18n extract -q --to=fr,ar
	export KANDIL_COLLAB_URL=http://127.0.0.1:1
	cat >decisions <<-'END'
		{"id":1,"locale":"de","key":"search","status":"approved","value":"Suche"}
		{"id":2,"locale":"fr","key":"nosuch","status":"approved","value":"Rechercher"}
		{"id":3,"locale":"ar","key":"search","status":"approved","value":"بحث"}
		{"id":4,"locale":"en","key":"search","status":"fuzzy"}
		{"id":5,"locale":"fr","key":"search","status":"approved","value":"Chercher"}
	END
	run -1 --separate-stderr kandil i18n review --to=fr app <decisions
	same 'other_locale 1
unknown_key 2
other_locale 3
other_locale 4' "$(refused <<<"$output")"
	same "'de' is not among the locales of --to: fr" "$(jq -r 'select(.id == 1).error.message' <<<"$output")"
	same '{"fr":["search"]}' "$(jq -c 'map_values(keys)' .kandil/review/app.json)"
	run -1 --separate-stderr kandil i18n review app <decisions
	same 'unknown_locale 1
unknown_key 2
unknown_locale 4' "$(refused <<<"$output")"
	same "no catalogue is a translation into 'de': there are ar, fr" \
		"$(jq -r 'select(.id == 1).error.message' <<<"$output")"
	same '{"ar":["search"],"fr":["search"]}' "$(jq -Sc 'map_values(keys)' .kandil/review/app.json)"
}

@test "i18n review: --to is of the locales that the catalogues have" {
	mkdir l10n
	echo '{"@@locale":"en","hi":"Hi"}' >l10n/app_en.arb
	run -2 --separate-stderr kandil i18n review --arb=l10n --to=fr app </dev/null
	same "kandil-i18n-review: no catalogue is a translation yet: try 'kandil i18n extract --to=fr'" "$stderr"
	echo '{"@@locale":"pt_BR","hi":"Oi"}' >l10n/app_pt_BR.arb
	echo '{"@@locale":"de"}' >l10n/app_de.arb
	run -2 --separate-stderr kandil i18n review --arb=l10n --to=de,xx --to yy app </dev/null
	same "kandil-i18n-review: no catalogue is a translation into 'xx,yy': choose from de, pt-BR" "$stderr"
	[ -z "$output" ]
	[ ! -e .kandil ]
	# As files spell it, too; and a catalogue that is empty yet is one.
	export KANDIL_COLLAB_URL=http://127.0.0.1:1
	decide de hi approved Hallo >decision
	run -1 --separate-stderr kandil i18n review --arb=l10n --to=pt_BR,de app <decision
	same '' "$output"
	same Hallo "$(jq -r .de.hi.value .kandil/review/app.json)"
}

@test "i18n review --apply --to writes those locales, and what has no place here is counted" {
	partial kandil i18n extract -q --to=fr,ar
	# As others decided it, who have more catalogues, and an older one.
	mkdir -p .kandil/review
	echo '{"fr":{"p1Item":{"value":"{count} pièce","status":"approved","by":"bob"},
			"gone":{"value":"Parti","status":"approved","by":"bob"}},
		"ar":{"p1Items":{"value":"{count} قطعة","status":"approved","by":"bob"},"lost":{"status":"fuzzy"}},
		"de":{"search":{"value":"Suche","status":"approved","by":"bob"}}}' >.kandil/review/app.json
	cp -R lib/l10n before
	export KANDIL_COLLAB_URL=http://127.0.0.1:1
	run -1 --separate-stderr kandil i18n review --apply --to=fr app </dev/null
	same '1 of 2 decided, 1 left; left out: 2 whose key is not here, 1 whose locale is not here' \
		"$(tail -n 1 <<<"$stderr")"
	same 'Files before/app_fr.arb and lib/l10n/app_fr.arb differ' "$(diff -rq before lib/l10n)"
	same '{count} pièce' "$(jq -r .p1Item lib/l10n/app_fr.arb)"
	run -1 --separate-stderr kandil i18n review --apply app </dev/null
	same '{count} قطعة' "$(jq -r .p1Items lib/l10n/app_ar.arb)"
	same 'app_ar.arb app_en.arb app_fr.arb' "$(cd lib/l10n && echo *)"
	run ! grep -rq 'gone\|Parti' lib/l10n
}

# applied STATUS: --apply ends with it; what it says is in $stderr.
applied() {
	run "-$1" --separate-stderr kandil i18n review --as=amira --apply app </dev/null
}

# french: the text of the catalogue.
french() {
	jq -r .search lib/l10n/app_fr.arb
}

@test "i18n review --apply: a decision replaces the text it was taken about, and no other" {
	partial kandil i18n extract -q --to=fr
	export KANDIL_COLLAB_URL=http://127.0.0.1:1
	review() { kandil i18n review -q --as="$1" app >out 2>&1 || same 1 $?; }
	left() { sed -i "s/\"search\": \"[^\"]*\"/\"search\": \"$1\"/" lib/l10n/app_fr.arb; }
	decide fr search approved Rechercher | review amira
	applied 1 # texts that nobody has translated
	same Rechercher "$(french)"
	# The catalogue has it as a person's now. What is decided later wins, in as many steps as it takes.
	decide fr search approved Chercher | review bob
	decide fr search approved Trouver | review bob
	applied 1
	same Trouver "$(french)"
	[[ $stderr != *'stays as'* ]]
	# As it stood for those who decided, however many decisions ago.
	left Rechercher
	applied 1
	same Trouver "$(french)"
	# What somebody wrote since, nobody who decided has seen.
	left Dénicher
	applied 1
	same Dénicher "$(french)"
	[[ $stderr == *"'search' in fr stays as the catalogue has it, another text than bob decided about: decide again"* ]]
	# Whoever decides now has.
	jq -cn '{locale: "fr", key: "search", status: "approved", value: "Fouiller", seen: "Trouver"}' | review bob
	grep -q 'left alone: the catalogue has another text by now' out
	jq -cn '{locale: "fr", key: "search", status: "approved", value: "Fouiller", seen: "Dénicher"}' | review bob
	applied 1
	same Fouiller "$(french)"
	[[ $stderr != *'stays as'* ]]
	# What others send is not trusted.
	jq '.fr.search += {seen: "Fouiller", value: "Piller"}' .kandil/review/app.json >state
	cp state .kandil/review/app.json
	applied 1
	same Fouiller "$(french)"
	[[ $stderr == *'stays as'* ]]
}

@test "i18n review: records do not wait for a hub that is not there" {
	partial kandil i18n extract -q --to=fr
	export KANDIL_COLLAB_URL=http://127.0.0.1:1
	decide fr p1Item approved '{count} pièce' >decision
	# Half a minute is what a slow one gets.
	run -1 --separate-stderr timeout 25 kandil i18n review app <decision
	[[ $stderr == *'no hub answers'*'1 line waits in the outbox'*'1 of 2 decided, 1 left' ]]
	# It goes to the others as soon as there are any.
	review_hub
	kandil-collab sync app --as=office --state-dir=office --state=office.json 3>&- 4>&- &
	OFFICE=$!
	run -0 --separate-stderr kandil i18n review app </dev/null
	same '1 of 2 decided, 1 left' "$stderr"
	same '{count} pièce' "$(jq -r .fr.p1Item.value office.json)"
}

# A hub that takes four seconds before it says a word.
slow_hub() {
	review_hub
	local tries=200
	cat >slow.py <<-'END'
		import socket, sys, threading, time
		def pump(a, b):
		    try:
		        while data := a.recv(65536):
		            b.sendall(data)
		    except OSError:
		        pass
		    finally:
		        for s in (a, b):
		            try:
		                s.shutdown(socket.SHUT_RDWR)
		            except OSError:
		                pass
		def serve(client):
		    time.sleep(4)
		    hub = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
		    threading.Thread(target=pump, args=(hub, client), daemon=True).start()
		    pump(client, hub)
		listener = socket.create_server(("127.0.0.1", 0))
		print(listener.getsockname()[1], flush=True)
		while True:
		    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
	END
	python3 slow.py "$port" >slow.port 3>&- 4>&- &
	SLOW=$!
	until [ -s slow.port ]; do
		[ $((tries -= 1)) -gt 0 ] || return 1
		sleep 0.05
	done
	export KANDIL_COLLAB_URL
	KANDIL_COLLAB_URL=http://127.0.0.1:$(cat slow.port)
}

@test "i18n review: records wait for a hub that is slow" {
	partial kandil i18n extract -q --to=fr
	slow_hub
	decide fr p1Item approved '{count} pièce' >decision
	run -0 --separate-stderr kandil i18n review app <decision
	same '1 of 2 decided, 1 left' "$stderr"
}

@test "i18n review: an edit that loses a placeholder is asked again, b goes back" {
	partial kandil i18n extract -q --to=fr
	export KANDIL_COLLAB_URL=http://127.0.0.1:1
	"$ROOT/tests/lib/terminal" kandil i18n review --to=fr --as=amira app >screen <<-'END' || same 1 $?
		1 of 2	b
		[q]uit 	e
		  > 	\x15{cont} pièces\n
		placeholder {count} became {cont}
		  > {cont} 	\x01\x1b[C\x1b[C\x1b[Cu\n
		2 of 2	b
		(approved by amira)	s
		2 of 2	f
	END
	[ "$(jq -c '.fr | map_values([.status, .value])' .kandil/review/app.json)" = \
		'{"p1Item":["approved","{count} pièces"],"p1Items":["fuzzy","{count} éléments"]}' ]
	# What is decided is not asked; one who goes back sees it.
	jq '.fr |= {p1Item}' .kandil/review/app.json >less
	mv less .kandil/review/app.json
	"$ROOT/tests/lib/terminal" kandil i18n review --to=fr --as=amira app >screen <<-'END' || same 1 $?
		2 of 2	a
	END
	grep -q '2 of 2 decided' screen
	run ! grep -q '1 of 2' screen
}

@test "i18n review: what waits is said, though it is known late that nobody answers" {
	partial kandil i18n extract -q --to=fr
	export KANDIL_COLLAB_URL=http://127.0.0.1:1
	# It tells when it has been cut short for being slow: to be told so twice would end it at once.
	mkdir bin
	cat >bin/kandil-collab <<-END
		#!/bin/bash
		[ "\$(wc -l <runs)" = 2 ] || { echo >>runs; exec "$BIN/kandil-collab" "\$@"; }
		trap 'echo >>signals' TERM
		echo '{"kind":"status","state":"open"}'
		until [ -s signals ]; do sleep 0.1; done
		echo '{"kind":"status","state":"down","code":"cannot_connect"}'
		sleep 1
		exec "$BIN/kandil-collab" "\$@" --for=10ms
	END
	chmod +x bin/kandil-collab
	: >runs
	decide fr p1Item approved '{count} pièce' >decision
	PATH=$PWD/bin:$PATH run -1 --separate-stderr "$BIN/../libexec/kandil/kandil-i18n-review" app <decision
	same 1 "$(wc -l <signals)"
	[[ $stderr == *'1 line waits in the outbox'* ]]
}

@test "i18n review: an interrupted one leaves nothing behind that holds the session" {
	partial kandil i18n extract -q --to=fr
	export KANDIL_COLLAB_URL=http://127.0.0.1:1
	# While the item is being shown, and while a key is waited for.
	for shown in '1 of 2' '[q]uit '; do
		run -254 "$ROOT/tests/lib/terminal" kandil i18n review --as=amira app < <(printf '%s\t\\x03\n' "$shown")
	done
	printf '1 of 2\tq\n' | "$ROOT/tests/lib/terminal" kandil i18n review --as=amira app >screen || same 1 $?
	grep -q '0 of 2 decided, 2 left' screen
}

@test "i18n review: who overrules somebody, or is overruled, hears of it" {
	partial kandil i18n extract -q --to=fr
	mkdir ../bob
	cp -R . ../bob
	review_hub
	kandil-collab sync app --as=office --state-dir=office 3>&- 4>&- &
	OFFICE=$!
	decide fr p1Item approved '{count} pièce' >decision
	# Bob decides what is on Amira's screen.
	cat >amira <<-'END'
		for ((tries = 1200; tries > 0; tries--)); do
			grep -q '1 of 2' shown && break
			sleep 0.05
		done >/dev/null 2>&1 &&
			(cd ../bob && kandil i18n review -q --as=bob app) <decision &&
			for ((tries = 1200; tries > 0; tries--)); do
				grep -q bob .kandil/review/app.json && echo 'bob is done' && break
				sleep 0.05
			done 2>/dev/null &
		kandil i18n review --to=fr --as=amira app | tee shown
	END
	"$ROOT/tests/lib/terminal" bash amira >screen <<-'END' || { cat screen >&2; false; }
		bob is done	a
		bob has approved it: {count} pièce
		[k]eep 	k
		2 of 2	a
	END
	grep -q '2 of 2 decided; since the start bob decided 1' screen
	same bob "$(jq -r .fr.p1Item.by .kandil/review/app.json)"
	{
		echo '{"locale":"fr","key":"p1Item","status":"approved","value":"{count} x","source":"{count} things"}'
		echo '{"locale":"fr","key":"p1Item","status":"approved","value":"{count} x","seen":"{count} élément"}'
		echo '{"locale":"fr","key":"p1Items","status":"fuzzy","seen":"{count} éléments"}'
	} >decisions
	run -1 --separate-stderr kandil i18n review --as=carol app <decisions
	same '' "$output"
	same "kandil-i18n-review: 'p1Item' in fr is left alone: the decision is about another source text
kandil-i18n-review: 'p1Item' in fr is left alone: bob has approved it: {count} pièce
kandil-i18n-review: 'p1Items' in fr: this overrules what stands, amira has approved it: {count} éléments
2 of 2 decided" "$stderr"
	same 'bob carol' "$(jq -r '.fr | "\(.p1Item.by) \(.p1Items.by)"' .kandil/review/app.json)"
}
