# A table of where translations come from, by locale: strings, one column a
# source, what a person must look at first, and what is missing. Reads string
# records.
#	jq -rs --arg locales ar,es,fr -f sources.jq

# "memory:/usr/share/…" and its like are one source.
def source:
	if .status == "missing" then "missing"
	elif .status == "fuzzy" or .status == "draft" or .stale then "to review"
	else (.source // .engine // "unknown") | if type == "object" then .from // .kind // "memory" else tostring end
		| split(":")[0] | split("/")[0]
	end;

def pad($n): . + " " * ([$n - length, 0] | max);

def table:
	(map(map(length)) | transpose | map(max)) as $widths
	| .[] | [., $widths] | transpose | map(.[0] as $cell | .[1] as $n | $cell | pad($n))
	| "  " + join("  ");

[.[] | select(.kind == "string" and .translations)] as $strings
| ($locales | split(",") | map(gsub("_"; "-") | select(. as $l | any($strings[]; .translations | has($l))))) as $locales
| [$locales[] as $locale
	| {locale: $locale, by: ([$strings[].translations[$locale] | values | source]
		| group_by(.) | map({key: .[0], value: length}) | from_entries)}] as $rows
| ([$rows[].by | keys_unsorted[]] | unique - ["to review", "missing"]) as $sources
| [["locale", "strings"] + $sources + ["to review", "missing"]]
	+ [$rows[] | [.locale, ($strings | length | tostring)]
		+ [.by as $by | ($sources + ["to review", "missing"])[] | $by[.] // 0 | tostring]]
| select(length > 1) | table | sub(" +$"; "")
