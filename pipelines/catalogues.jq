# What kandil-catalog write says of each catalogue, as lines for people.

def visible: gsub("[[:cntrl:]]"; "?");

if .error then "  \(.file // "-"): \(.error.message)"
else "  \(.file): \(.entries) messages"
	+ (if .missing > 0 then ", \(.missing) missing" else "" end)
	+ (if .changed then ", written" else ", unchanged" end)
end | visible
