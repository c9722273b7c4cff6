# A string that stands in source code, as a finding. Failed records pass.
if .kind == "string" then
	{kind: "finding", rule: "i18n-hard-coded", severity: "low",
	 message: "a string is shown that does not come from a catalogue",
	 address: "\(.file):\(.line)", evidence: .value, fix: "read it from the catalogue, by the key '\(.key)'",
	 file, line, column, span, key}
else select(.error) end
