# For kandil i18n review. The state of a review is {LOCALE: {KEY: {value, status, source, by}}}.

# Whether a decision is about this source text; one that names none is about any.
def about($source): .source == null or .source == "" or .source == $source;

# Translations that a person should look at: jq -c --arg to "fr,de" 'items'
def items:
	($to | split(",") | map(select(. != ""))) as $only
	| select(.kind == "string" and .key and (.error | not))
	| . as $string
	| (.translations // {}) | to_entries[]
	| select(($only | length) == 0 or (.key as $locale | $only | index($locale)))
	| select((.value.value and (.value.status | . == "draft" or . == "fuzzy")) or .value.stale)
	| {locale: .key, key: $string.key, source: $string.value, value: (.value.value // ""),
	   status: (if .value.stale then "stale" else .value.status end),
	   context: ($string.context // $string.file // "")};

# Items that nobody has decided: jq -c --slurpfile state FILE 'items | open'
def open:
	. as $item
	| select($state[0][.locale][.key]? | (type != "object") or (about($item.source) | not));

# An item as a person sees it.
def shown:
	"\n\(.locale)  \(.key)  (\(.status))",
	(if .context != "" then "  where:        \(.context)" else empty end),
	"  source:       \(.source)",
	"  translation:  \(.value)"
	| gsub("(?!\n)[[:cntrl:]]"; "?");

def is_error: .error.tool? // "" | tostring | startswith("kandil");

# A decision, from a person or a record on standard input, as a merge patch; what is none becomes
# a record with an error, which every filter copies: jq -c --arg by NAME 'patch($by)'
def patch($by):
	if is_error then .
	elif ([.locale, .key, .value // ""] | all(type == "string")) and .locale != "" and .key != ""
		and ((.status == "approved" and (.value // "") != "") or .status == "fuzzy")
	then {(.locale): {(.key): ({value, status, source, by: $by}
		| with_entries(select(.value != null)))}}
	else . + {error: {tool: "kandil-i18n-review", code: "bad_record", retryable: false,
		message: "a decision has locale, key and status: approved, with a value, or fuzzy"}}
	end;
# The errors among what comes back.
def errors: select(is_error);

# Strings with what was decided: jq -c --slurpfile state FILE 'decided'. What was decided about
# another source text, or about a string that is gone, changes nothing.
def decided:
	if .kind != "string" or (.key | not) then .
	else . as $string
		| reduce (($state[0] // {}) | to_entries[]
			| select(.value[$string.key]? | type == "object" and about($string.value))) as $of (.;
			.translations[$of.key] = ((.translations[$of.key] // {})
				+ ($of.value[$string.key] | {value, status} | with_entries(select(.value != null)))
				+ {source: "review", engine: "person"} | del(.hint, .stale)))
	end;

# How far the review is: jq -rs --slurpfile state FILE 'map(items) | far'
def far:
	length as $all | ([.[] | open] | length) as $left
	| "\($all - $left) of \($all) decided\(if $left > 0 then ", \($left) left" else "" end)";
