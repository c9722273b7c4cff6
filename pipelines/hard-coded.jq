# Strings that stand in source code, as findings; failed records pass. $known is
# what the catalogues have. With $lines they are lines for people.
#	jq -rn --argjson lines false --slurpfile known CATALOGUES -f hard-coded.jq

def visible: gsub("[[:cntrl:]]"; "?");

def finding($have):
	$have[.value] as $key
	| {kind: "finding", rule: "i18n-hard-coded", severity: "low",
	 message: (if $key then "shown, and in the catalogue as '\($key)'"
		else "shown, and not from a catalogue" end),
	 address: "\(.file):\(.line)", evidence: .value, fix: "read it from the catalogue, by the key '\($key // .key)'",
	 file, line, column, span, key: ($key // .key)};

def line:
	if .error then "\(.file // "-"):\(.line // 0): \(.error.message)"
	else "\(.file):\(.line):\(.column): \(.severity): \(.message): '\(.evidence)' [\(.rule)]"
	end | visible;

($known | map(select(.kind == "string" and .value) | {key: .value, value: .key}) | from_entries) as $have
| inputs
| if .kind == "string" then finding($have) else select(.error) end
| if $lines then line else tojson end
