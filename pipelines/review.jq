# For kandil i18n review. The state of a review is {LOCALE: {KEY: {value, status, by}}}.

# Translations that a person should look at: jq -c --arg to "fr,de" 'items'
def items:
	($to | split(",") | map(select(. != ""))) as $only
	| select(.kind == "string" and .key and (.error | not))
	| . as $string
	| (.translations // {}) | to_entries[]
	| select(($only | length) == 0 or (.key as $locale | $only | index($locale)))
	| select(.value.value and (.value.status | . == "draft" or . == "fuzzy") or .value.stale)
	| {locale: .key, key: $string.key, source: $string.value, value: .value.value,
	   context: ($string.context // $string.file)};

# A decision, from a person or from a record on standard input, as a merge patch.
def patch($by):
	select(.locale and .key and (.status | . == "approved" or . == "fuzzy"))
	| {(.locale): {(.key): ({value: (.value // ""), status, by: $by})}};

# Strings with what was decided: jq -c --slurpfile state FILE 'decided'. A decision about a
# text that the catalogue does not have any more changes nothing but that text.
def decided:
	if .kind != "string" or (.key | not) then .
	else .key as $key
		| reduce (($state[0] // {}) | to_entries[] | select(.value[$key]?)) as $of (.;
			.translations[$of.key] = ((.translations[$of.key] // {})
				+ ($of.value[$key] | {value, status})
				+ {source: "review", engine: "person"} | del(.hint, .stale)))
	end;
