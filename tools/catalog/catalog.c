/* kandil-catalog: reads, merges, writes and checks message catalogues. */
#include "tools/catalog/catalog.h"

#define AT(member) offsetof(struct settings, member)

static const struct opt options[] = {
	{"source-locale", 0, OPT_TEXT, "LOCALE", "language of the source texts", OPT_PROJECT, "en",
	    AT(source_locale)},
	{"template", 0, OPT_TEXT, "FILE", "catalogue that the others translate", OPT_PROJECT, NULL,
	    AT(template)},
	{0},
};

static const struct opt write_options[] = {
    {"arb", 0, OPT_TEXT, "DIR", "write ARB files there", OPT_PROJECT, NULL, AT(arb)},
    {"po", 0, OPT_TEXT, "DIR", "write PO files there", OPT_PROJECT, NULL, AT(po)},
    {"xliff", 0, OPT_TEXT, "DIR", "write XLIFF 2.1 files there", OPT_PROJECT, NULL, AT(xliff)},
    {"android", 0, OPT_TEXT, "DIR", "write Android string resources there (res)", OPT_PROJECT, NULL,
	AT(android)},
    {"i18next", 0, OPT_TEXT, "DIR", "write i18next JSON files there (locales)", OPT_PROJECT, NULL,
	AT(i18next)},
    {"strings", 0, OPT_TEXT, "DIR", "write .strings and .stringsdict files there", OPT_PROJECT,
	NULL, AT(strings)},
    {"xcstrings", 0, OPT_TEXT, "FILE", "write that string catalogue of Xcode", OPT_PROJECT, NULL,
	AT(xcstrings)},
    {"tmx", 0, OPT_TEXT, "FILE", "write that translation memory", OPT_PROJECT, NULL, AT(tmx)},
    {"name", 0, OPT_TEXT, "NAME", "stem of new files: NAME_ar.arb, NAME.pot", OPT_PROJECT, NULL,
	AT(name)},
    {"to", 0, OPT_LIST, "LOCALE,...", "write these languages only", OPT_PROJECT, NULL, AT(to)},
    {"force", 0, OPT_FLAG, NULL, "replace what a person translated too", 0, NULL, AT(force)},
    {"prune", 0, OPT_FLAG, NULL, "PO: make entries that no record named obsolete", 0, NULL, AT(prune)},
    {"dry-run", 'n', OPT_FLAG, NULL, "say what would change, change nothing", 0, NULL, AT(dry_run)},
    {0},
};

static const struct opt check_options[] = {
    {"fail-on", 0, OPT_CHOICE, "info|low|medium|high|critical|never",
	"severity from which the status is 1", OPT_PROJECT, "low", AT(fail_on)},
    {"used-in", 0, OPT_LIST, "DIR,...", "Dart sources: keys that none names are unused",
	OPT_PROJECT, NULL, AT(used_in)},
    {"fix", 0, OPT_FLAG, NULL, "put right what has one right answer", 0, NULL, AT(fix)},
    {"dry-run", 'n', OPT_FLAG, NULL, "with --fix: say what, change nothing", 0, NULL, AT(dry_run)},
    {"table", 0, OPT_FLAG, NULL, "lines for people, as on a terminal", 0, NULL, AT(table)},
    {0},
};

static const struct opt stats_options[] = {
	{"table", 0, OPT_FLAG, NULL, "a table for people, as on a terminal", 0, NULL, AT(table)},
	{0},
};

static const struct opt_command commands[] = {
    {"read", "catalogues to string records", "[FILE ...]", NULL, read_run},
    {"write", "string records into catalogues, merging", "[RECORDS ...]", write_options, write_run},
    {"check", "finds what is wrong with catalogues", "[FILE ...]", check_options, check_run},
    {"stats", "how far each language is", "[FILE ...]", stats_options, stats_run},
    {0},
};

static const struct tool tool = {
    .name = "kandil-catalog",
    .summary = "reads, merges, writes and checks message catalogues",
    .operands = "[FILE ...]",
    .opts = options,
    .commands = commands,
    .epilogue =
	"kandil-extract lib | kandil-translate --to=ar,fr |\n"
	"  kandil-catalog write --arb lib/l10n\n"
	"kandil-catalog check lib/l10n --used-in=lib\n",
};

int
main(int argc, char **argv)
{
	struct settings settings = {0};
	struct run run;

	run_start(&run, &tool, &settings, argc, argv);
	run_command(&run, &settings);
	return run_finish(&run);
}
