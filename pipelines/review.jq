# For kandil i18n review. The state of a review is {LOCALE: {KEY: {value, status, source, by, seen}}},
# where seen are the texts that stood when it was decided: what it may replace.
# Called with --arg to "fr,de" --arg here "de,es,fr", the locales that the catalogues have, --arg by
# NAME, and --slurpfile: state; mine, what was decided in this run, as patches; items, what a person
# looks at.

# Of a locale: whether it was asked for, and whether the catalogues have it.
def only: $to | split(",") | map(select(. != ""));
def wanted: . as $locale | only | length == 0 or index($locale) != null;
def here: . as $locale | $here | split(",") | index($locale) != null;

# Whether a decision is about this source text; one that names none is about any.
def about($source): .source == null or .source == "" or .source == $source;

# Translations that a person should look at, of a record.
def items:
	select(.kind == "string" and .key and (.error | not))
	| . as $string
	| (.translations // {}) | to_entries[]
	| select(.key | wanted)
	| select((.value.value and (.value.status | . == "draft" or . == "fuzzy")) or .value.stale)
	| {locale: .key, key: $string.key, source: $string.value, value: (.value.value // ""),
	   status: (if .value.stale then "stale" else .value.status end),
	   context: ($string.context // $string.file // ""), translation: .value};

# What these patches or states say about an item's present text.
def said_of($item; patches):
	patches[$item.locale]?[$item.key]? | select(type == "object" and about($item.source));
# What counts: it takes a moment until what was decided here is in the state.
def standing: . as $item | first(said_of($item; $state[0]), said_of($item; ($mine | reverse[])));
def open: select(isempty(standing));

# Whether a decision may replace that text of a catalogue; what it is from others may be anything.
def may_replace($text): (.seen | arrays | index([$text])) // false | . != false;
# Whether a translation is a person's word, and whether a decision gives way to it: it was written
# into the catalogue since.
def firm: (.status == "translated" or .status == "approved") and (.stale | not) and .value;
def gives_way_to($translation):
	$translation.value as $text
	| .value and ($translation | firm) and .value != $text and (may_replace($text) | not);
# The texts that a new decision may replace, of what was decided before ($known, or null) and the
# catalogue's translation.
def replaceable($known; $translation):
	(if $known and ($known | gives_way_to($translation) | not) then [] else [$translation.value // ""] end)
	+ ($known // {} | [.value // empty] + ([.seen | arrays] | add // []))
	| reduce .[] as $one ([]; if index([$one]) then . else . + [$one] end) | .[:8];

# The state is another than what was decided here, and than what this person was shown: the decision.
def meanwhile:
	. as $item | said_of($item; $state[0])
	| select(. != $item.known)
	| . as $other | select(any(said_of($item; $mine[]); . == $other) | not);

# Item number $n as it is now.
def item($n):
	$items[$n] | first(standing, null) as $known
	| . + {at: $n, $known}
	+ ($known // {} | {value, status: "\(.status) by \(.by // "somebody")"}
		| with_entries(select($known and .value)));
# The first from $n on that nobody has decided.
def next($n): first(range($n; $items | length) | select($items[.] | open | true)) as $at | item($at);

def line: tostring | gsub("[[:cntrl:]]"; "?");
# An item, and a decision, as a person sees them.
def shown:
	"\n\(.locale)  \(.key)  (\(.status))  \(.at + 1) of \($items | length)",
	(if .context != "" then "  where:        \(.context)" else empty end),
	"  source:       \(.source)",
	"  translation:  \(.value)"
	| gsub("(?!\n)[[:cntrl:]]"; "?");
def decision:
	"\(.by // "somebody") has "
	+ if .status == "fuzzy" then "marked it as fuzzy" else "approved it" end
	+ if .value then ": \(.value)" else "" end;

def is_error: .error.tool? // "" | tostring | startswith("kandil");
def failed($code; $message):
	. + {error: {tool: "kandil-i18n-review", $code, $message, retryable: false}};

# A decision, from a person or a record on standard input, as a merge patch; what is none becomes
# a record with an error, which every filter copies.
def patch($seen):
	if is_error then .
	elif ([.locale, .key, .value // ""] | all(type == "string")) and .locale != "" and .key != ""
		and ((.status == "approved" and (.value // "") != "") or .status == "fuzzy")
	then {(.locale): {(.key): ({value, status, source, by: $by, seen: $seen}
		| with_entries(select(.value != null)))}}
	else failed("bad_record"; "a decision has locale, key and status: approved, with a value, or fuzzy")
	end;

# A decision that no string has a place for, as a record with an error.
def misplaced($by_key):
	if .key as $key | $by_key | has($key) | not
	then failed("unknown_key"; "no catalogue has the key '\(.key)': is the decision about this app?")
	elif .locale | wanted | not
	then failed("other_locale"; "'\(.locale)' is not among the locales of --to: \(only | join(", "))")
	elif .locale | here | not
	then failed("unknown_locale"; "no catalogue is a translation into '\(.locale)': "
		+ if $here == "" then "there is none" else "there are \($here | gsub(","; ", "))" end)
	else empty end;

# What the verifier is asked about a decision on this string: whether it can be written. A doubt
# about the text that is there needs no check.
def to_check($string):
	.value as $value
	| select($value and (.status != "fuzzy" or $value != $string.translations[.locale].value?))
	| $string | {kind, key, value, format, placeholders, translations: {}} | del(.[] | nulls);
def check($string): . as $of | to_check($string)
	| .translations[$of.locale] = {value: $of.value, status: $of.status};
def check_of($strings): . as $of | check(first($strings[] | select(.key == $of.key)));

# Of a decision of a record, {decision, source, translation}, where the last two are the catalogue's:
# what was decided before, or null; its patch;
def known: (.decision + {source: .source}) as $item | first(said_of($item; $state[0]), null);
def patch_of: replaceable(known; .translation) as $seen | .decision | patch($seen);
# and what the state says about it: "left WHY", "over WHOM", or "".
def verdict:
	"'\(.decision.key)' in \(.decision.locale)" as $what
	| .source as $source | .translation as $translation | $translation.value as $value
	| ([known // empty | select(gives_way_to($translation) | not)] | .[0]) as $stands | .decision
	| if .source and $source and .source != $source
	  then "left \($what) is left alone: the decision is about another source text"
	  elif has("seen") and .seen != ($stands.value // $value)
	  then "left \($what) is left alone: "
		+ if $stands then ($stands | decision) else "the catalogue has another text by now" end
	  elif $stands and $stands.by != $by and ($stands | [.value, .status]) != [.value, .status]
	  then "over \($what): this overrules what stands, \($stands | decision)"
	  else "" end
	| line;

# Lines of standard input with the catalogue's strings, four lines each: the decision, or an error
# to be copied; for verdict; the verifier's record; the patch. Those that do not apply are empty.
# review weighed -nRr --unbuffered --slurpfile strings FILE
def weighed:
	reduce ($strings[] | select(.kind == "string" and .key)) as $s ({}; .[$s.key] = $s)
	| . as $by_key
	| inputs | select(test("^\\s*$") | not) | . as $raw
	| (try fromjson catch null)
	| if type == "object" then .
	  else (if . == null then "not_json" else "not_object" end) as $code
		| {kind: "error", line: input_line_number, $raw}
		| failed($code; "a decision is a line with a JSON object")
	  end
	| patch([]) as $patch
	| (first(($patch | select(is_error)), misplaced($by_key)) // null) as $bad
	| if $bad then $bad, "", "", ""
	  else . as $decision | $by_key[.key] as $string
		| {$decision, source: $string.value, translation: $string.translations[.locale]?}
		| ., verdict,
		  (first($decision | check($string)) // ""), patch_of
	  end
	| if type == "string" then . else tojson end;

# The errors among what comes back.
def errors: select(is_error);

# The record that the verifier refuses, as a file that it can say more about: XLIFF has ICU as it is.
def pair: (.translations | to_entries[0]) as $to
	| "<xliff xmlns=\"urn:oasis:names:tc:xliff:document:2.0\" version=\"2.1\" srcLang=\"en\""
	+ " trgLang=\"\($to.key | @html)\"><file id=\"1\"><unit id=\"1\" type=\"kandil:icu\"><segment>"
	+ "<source>\(.value | @html)</source><target>\($to.value.value | @html)</target>"
	+ "</segment></unit></file></xliff>";
# Of what it says, the gravest: [code, words].
def gravest:
	(map(select(.kind == "finding")) | sort_by(.severity as $s
		| ["critical", "high", "medium", "low", "info"] | index($s)) | .[0]) as $finding
	| (map(select(is_error).error) | .[0]) as $error
	| if $error then [$error.code, $error.message]
	  elif $finding then [($finding.rule | sub(".*/"; "") | gsub("-"; "_")),
		($finding.message | sub("^'[^']*': "; ""))]
	  else ["cannot_say", "the catalogue has no way to say this"] end
	| map(line);

# Whether all that was decided here is in the state's file.
def settled: $state[0] as $s | reduce $mine[] as $p ($s; . * $p) | . == $s;

# Strings with what was decided. What was decided about another source text, or about a string that
# is gone, changes nothing; nor does one for a locale that is not here, or was not asked for.
def decided:
	if .kind != "string" or (.key | not) then .
	else . as $string
		| reduce (($state[0] // {}) | to_entries[] | select(.key | wanted and here)
			| select(.value[$string.key]? | type == "object" and about($string.value))) as $of (.;
			.translations[$of.key] = ((.translations[$of.key] // {})
				+ ($of.value[$string.key] | {value, status} | with_entries(select(.value != null)))
				+ {source: "review", engine: "person"} | del(.hint, .stale))
			| $string.translations[$of.key].value as $text
			| if $text and ($of.value[$string.key] | may_replace($text))
			  then .translations[$of.key].replaces = $text else . end)
	end;

# A line for each decision on these strings that gives way to a text which none of those who decided
# has seen: somebody wrote it into the catalogue since.
def gives_way:
	select(.kind == "string" and .key) | . as $string
	| (.translations // {}) | to_entries[] | .key as $locale | .value as $translation
	| select($locale | wanted)
	| $state[0][$locale]?[$string.key]? | select(type == "object" and about($string.value))
	| select(.status == "approved" and gives_way_to($translation))
	| "'\($string.key)' in \($locale) stays as the catalogue has it, another text than "
	  + "\(.by // "somebody") decided about: decide again, or edit it there" | line;

# The decisions of the state that the catalogues, as these strings, have no place for: what they lack.
def left_out:
	(map(select(.kind == "string" and .key) | {(.key): true}) | add // {}) as $keys
	| $state[0] | paths(type == "object") | select(length == 2)
	| if .[0] | here | not then "locale" elif .[1] as $key | $keys | has($key)? | not then "key"
	  else empty end;

# How far the review is, of strings, what of it has no place here, and who of the others has decided
# what since the state $before:
# review far -rs --slurpfile before FILE STRINGS
def far:
	[left_out] as $out
	| map(items) | length as $all | ([.[] | open] | length) as $left
	| [$state[0] | paths(type == "object") | select(length == 2) | . as [$locale, $key]
		| {$locale, $key, known: $before[0][$locale]?[$key]?}
		| meanwhile | .by // "somebody"]
	| group_by(.) | map("\(.[0]) decided \(length)")
	| "\($all - $left) of \($all) decided\(if $left > 0 then ", \($left) left" else "" end)"
	+ if length > 0 then "; since the start \(join(", "))" else "" end
	+ ($out | group_by(.) | map("\(length) whose \(.[0]) is not here")
		| if length > 0 then "; left out: \(join(", "))" else "" end)
	| line;
