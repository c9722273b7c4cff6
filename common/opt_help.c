/*
 * What a user and the build read of the option tables: usage, help, dump.
 */
#include "common/json.h"
#include "common/opt_table.h"

#include <stdio.h>
#include <stdlib.h>

enum { HELP_COLUMN = 26, HELP_WIDTH = 79 };

/* "usage: kandil-x …", one line. */
static void
synopsis(const struct tool *tool, const struct opt_command *command, struct buf *out)
{
	const char *operands = command ? command->operands : tool->operands;

	buf_addf(out, "usage: %s", tool->name);
	if (command)
		buf_addf(out, " %s", command->name);
	else if (tool->commands)
		buf_adds(out, " COMMAND");
	buf_adds(out, " [OPTION ...]");
	if (operands && *operands)
		buf_addf(out, " %s", operands);
	buf_addc(out, '\n');
}

void
opt_usage(const struct tool *tool, const struct opt_command *command)
{
	struct buf b = {0};

	synopsis(tool, command, &b);
	if (tool->commands && command == NULL) {
		buf_adds(&b, "commands:");
		for (const struct opt_command *c = tool->commands; c->name; c++)
			buf_addf(&b, " %s", c->name);
		buf_addc(&b, '\n');
	}
	buf_addf(&b, "'%s%s%s --help' lists the options\n", tool->name, command ? " " : "",
	    command ? command->name : "");
	fflush(stdout);
	fputs(b.ptr, stderr);
	exit(STATUS_USAGE);
}

static void
wrap(struct buf *out, const char *text)
{
	buf_add_wrapped(out, slice(text), HELP_COLUMN, HELP_COLUMN, HELP_WIDTH);
	buf_addc(out, '\n');
}

static void
help_row(struct buf *out, const struct opt *o)
{
	struct buf help = {0};
	size_t start = out->len, width;

	if (o->letter)
		buf_addf(out, "  -%c, --%s", o->letter, o->name);
	else
		buf_addf(out, "      --%s", o->name);
	if (o->type != OPT_FLAG)
		buf_addf(out, "=%s", o->arg);
	width = out->len - start;
	if (width + 2 > HELP_COLUMN)
		buf_addf(out, "\n%*s", HELP_COLUMN, "");
	else
		buf_addf(out, "%*s", (int)(HELP_COLUMN - width), "");
	buf_adds(&help, o->help);
	if (o->fallback)
		buf_addf(&help, " (default: %s)", o->fallback);
	wrap(out, help.ptr);
	buf_free(&help);
}

static void
help_rows(struct buf *out, const struct opt *opts)
{
	for (; opts && opts->name; opts++)
		help_row(out, opts);
}

void
opt_help(const struct tool *tool, const struct opt_command *command)
{
	static const struct opt answers[] = {
		{"help", 'h', OPT_FLAG, NULL, "print this help", 0, NULL, 0},
		{"version", 'V', OPT_FLAG, NULL, "print the version", 0, NULL, 0},
		{.name = NULL},
	};
	struct buf b = {0};

	synopsis(tool, command, &b);
	buf_addf(&b, "%s\n", command ? command->summary : tool->summary);
	if (tool->commands && command == NULL) {
		buf_adds(&b, "\ncommands:\n");
		for (const struct opt_command *c = tool->commands; c->name; c++) {
			buf_addf(&b, "  %-*s", HELP_COLUMN - 2, c->name);
			wrap(&b, c->summary);
		}
	}
	buf_adds(&b, "\noptions:\n");
	if (command)
		help_rows(&b, command->opts);
	help_rows(&b, tool->opts);
	help_rows(&b, opt_common);
	help_rows(&b, answers);
	if (tool->epilogue && command == NULL)
		buf_addf(&b, "\n%s\n", tool->epilogue);
	fwrite(b.ptr, 1, b.len, stdout);
	if (fflush(stdout) != 0 || ferror(stdout))
		die(STATUS_FAILED, "cannot write standard output:");
	exit(STATUS_OK);
}

static void
dump_row(struct buf *b, const struct opt_table *t, const struct opt_row *row)
{
	static const char *const types[] = {
		"flag", "text", "list", "words", "number", "size", "real", "choice"};
	const struct opt *o = row->opt;

	json_open(b, '{');
	json_add(b, "tool", slice(t->tool->name));
	if (t->command)
		json_add(b, "command", slice(t->command->name));
	json_add(b, "name", slice(o->name));
	if (o->letter)
		json_add(b, "letter", (struct slice){&o->letter, 1});
	json_add(b, "type", slice(types[o->type]));
	if (o->arg)
		json_add(b, "arg", slice(o->arg));
	json_add(b, "help", slice(o->help));
	if (o->fallback)
		json_add(b, "default", slice(o->fallback));
	if (row->value)
		json_add(b, "value", slice(row->value));
	if (row->source)
		json_add(b, "source", slice(row->source));
	json_name(b, "project");
	buf_adds(b, o->flags & OPT_PROJECT ? "true" : "false");
	json_close(b, '}');
	buf_addc(b, '\n');
}

static void
dump_table(struct buf *b, const struct tool *tool, const struct opt_command *command, void *settings)
{
	struct opt_table t;

	opt_table_init(&t, tool, command, settings);
	opt_configure(&t, false); /* who asks has read the same files */
	for (size_t i = 0; i < t.n; i++)
		dump_row(b, &t, &t.rows[i]);
}

void
opt_dump(const struct tool *tool, void *settings)
{
	struct buf b = {0};

	if (tool->commands == NULL)
		dump_table(&b, tool, NULL, settings);
	else
		for (const struct opt_command *c = tool->commands; c->name; c++)
			dump_table(&b, tool, c, settings);
	fwrite(b.ptr, 1, b.len, stdout);
	if (fflush(stdout) != 0 || ferror(stdout))
		die(STATUS_FAILED, "cannot write standard output:");
	exit(STATUS_OK);
}
