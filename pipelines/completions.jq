# Completions from option tables (kandil config --json) and the list of
# programs and topics (kandil help --json), for one $shell. bash and zsh get functions that
# look things up; completions.bash and completions.zsh hold what calls them.

def quoted: "'" + gsub("'"; "'\\''") + "'";

# "kandil catalog read": what a person types, which is how tables are keyed.
def command: (.tool | gsub("-"; " ")) + (if .command then " " + .command else "" end);

def choices: if .type == "choice" then .arg | split("|") else [] end;
def takes_value: .type != "flag";
# Of all others the files of the folder are no values.
def takes_file: takes_value and ((.arg // "") | test("FILE|DIR|PATH|GLOB"; "i"));
def long: "--" + .name + (if takes_value then "=" else "" end);

# The word that may follow each beginning of each command.
def next_words($commands):
	[$commands[] | split(" ") | range(1; length) as $i | {at: .[:$i] | join(" "), word: .[$i]}]
	| group_by(.at) | map({at: .[0].at, words: map(.word) | unique});

def lookup($name; rows):
	$name + "() {\n\tcase $1 in\n" + (rows | map("\t" + (.key | quoted) + ") echo " + (.words | join(" ") | quoted) + " ;;\n") | add // "")
	+ "\tesac\n}\n";

def fish_option:
	. as $row
	| "complete -c " + (if .pipeline then "kandil" else .tool end)
	+ (if .pipeline then " -n " + ("__fish_seen_subcommand_from " + (.tool | split("-") | last) | quoted)
	   elif .command then " -n " + ("__fish_seen_subcommand_from " + .command | quoted) else "" end)
	+ " -l " + .name + (if .letter then " -s " + .letter else "" end)
	+ (if takes_value then (if choices != [] then " -x -a " + (choices | join(" ") | quoted)
		elif takes_file then " -r" else " -x" end) else "" end)
	+ (if .help == "" then "" else " -d " + (.help | quoted) end);

# What follows the front door's own words.
def own_operands($programs; $topics):
	($programs | map(.words)) as $all
	| {help: ($all + $topics + ["help"]),
	   config: ($programs | map(select(.pipeline | not) | .words)),
	   completions: ["bash", "zsh", "fish"]};

[.[] | select(.tool)] as $options
| [.[] | select(.words)] as $programs
| own_operands($programs; [.[] | .topic // empty]) as $operands
| ($options | map(command) + ($programs | map("kandil " + .words))
	+ [$operands | to_entries[] | .key as $word | .value[] | "kandil \($word) \(.)"]
	| unique) as $commands
| ($options | group_by(command)) as $tables
| if $shell == "fish" then
	($options[] | fish_option),
	($operands | to_entries[] | "complete -c kandil -n " + ("__fish_seen_subcommand_from " + .key | quoted)
		+ " -a " + (.value | map(split(" ")[0]) | unique | join(" ") | quoted)),
	($options | map(select(.command)) | unique_by([.tool, .command])[]
		| "complete -c \(.tool) -n __fish_use_subcommand -a \(.command)"),
	($programs[] | .summary as $summary | .words | split(" ") |
		if length == 1 then "complete -c kandil -n __fish_use_subcommand -a \(.[0]) -d " + ($summary | quoted)
		else "complete -c kandil -n __fish_use_subcommand -a \(.[0])",
			"complete -c kandil -n " + ("__fish_seen_subcommand_from " + .[0] | quoted)
			+ " -a \(.[1]) -d " + ($summary | quoted) end)
else
	(if $shell == "zsh" then "#compdef kandil " + ([$options[].tool] | unique | map(select(. != "kandil")) | join(" ")) else empty end),
	"# made by `kandil completions \($shell)`",
	lookup("_kandil_words"; next_words($commands) | map({key: .at, words})),
	lookup("_kandil_options"; $tables | map({key: (.[0] | command), words: (map(long) + ["--help", "--version"])})),
	lookup("_kandil_files"; [$options[] | select(takes_file) | {key: (command + " --" + .name), words: ["yes"]}]),
	lookup("_kandil_choices"; [$options[] | select(choices != []) | {key: (command + " --" + .name), words: choices}])
end
