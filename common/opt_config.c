/*
 * Configuration: the environment and the two config files, as
 * kandil-config(5) describes them.
 */
#include "common/opt_table.h"
#include "common/path.h"

#include <ctype.h>
#include <stdlib.h>
#include <unistd.h>

enum { CONFIG_MAX = 1024 * 1024 };

static const char *
short_name(const struct tool *tool)
{
	return strncmp(tool->name, "kandil-", 7) == 0 ? tool->name + 7 : tool->name;
}

static void
apply_environment(struct opt_table *t)
{
	struct buf name = {0};
	struct err e;

	for (size_t i = 0; i < t->n; i++) {
		const char *value;

		if (t->rows[i].opt->flags & OPT_TYPED)
			continue;
		buf_reset(&name);
		buf_addf(&name, "KANDIL_%s_%s", short_name(t->tool), t->rows[i].opt->name);
		for (char *p = name.ptr; *p; p++)
			*p = *p == '-' ? '_' : (char)toupper((unsigned char)*p);
		value = getenv(name.ptr);
		if (value == NULL)
			continue;
		if (opt_set(t, &t->rows[i], value, "environment", &e) != 0)
			die(STATUS_USAGE, "environment variable '%s': %s", name.ptr, e.text);
		buf_splice(&name, 0, 0, S("environment variable '"));
		buf_addc(&name, '\'');
		t->rows[i].origin = opt_keep(name.ptr, name.len);
	}
	buf_free(&name);
}

struct config {
	struct opt_table *table;
	const char *file;
	bool project; /* only options marked for it may be set */
	size_t line;
	bool whole;   /* as of opt_configure */
};

/* Whether one of the paths (a list by commas) is absolute or goes up. */
static bool
leads_outside(struct slice paths)
{
	while (paths.len) {
		const char *comma = memchr(paths.ptr, ',', paths.len);
		size_t n = comma ? (size_t)(comma - paths.ptr) : paths.len;

		/* Of each path the components, and of these the two dots. */
		if (n && paths.ptr[0] == '/')
			return true;
		for (size_t i = 0; i + 1 < n; i++)
			if (paths.ptr[i] == '.' && paths.ptr[i + 1] == '.' &&
			    (i == 0 || paths.ptr[i - 1] == '/') &&
			    (i + 2 == n || paths.ptr[i + 2] == '/'))
				return true;
		n += comma != NULL;
		paths.ptr += n;
		paths.len -= n;
	}
	return false;
}

/* One `name = value`. mine: it stood in this tool's own section. */
static void
apply_setting(struct config *c, struct slice name, struct slice value, bool mine)
{
	struct opt_row *row = opt_table_name(c->table, name);
	struct buf origin = {0};
	struct err e;
	char *text;

	if (row == NULL) {
		/* A tool with commands shares its section between them. */
		if (mine && c->table->tool->commands == NULL)
			warn("%s:%zu: unknown option '%.*s': ignored; '%s --help' lists them", c->file,
			    c->line, (int)name.len, name.ptr, c->table->tool->name);
		return;
	}
	if (row->opt->flags & OPT_TYPED)
		return;
	if (c->project && !(row->opt->flags & OPT_PROJECT)) {
		warn("%s:%zu: a project may not set '%s': ignored; set it in your own configuration",
		    c->file, c->line, row->opt->name);
		return;
	}
	if (c->project && (row->opt->flags & OPT_INSIDE) && leads_outside(value)) {
		warn("%s:%zu: a project may not set '%s' to a path outside its folder: ignored", c->file,
		    c->line, row->opt->name);
		return;
	}
	text = opt_keep(value.ptr, value.len);
	if (opt_set(c->table, row, text, c->file, &e) != 0)
		die(STATUS_USAGE, "%s:%zu: '%s': %s", c->file, c->line, row->opt->name, e.text);
	buf_addf(&origin, "%s:%zu: '%s'", c->file, c->line, row->opt->name);
	row->origin = opt_keep(origin.ptr, origin.len);
	buf_free(&origin);
}

/* The programs are those that lie beside this one, where it goes by its own name. */
static bool
is_program(const char *bin, const char *start, struct slice name)
{
	struct buf file = {0};
	bool there;

	for (size_t i = 0; i < name.len; i++)
		if (!islower((unsigned char)name.ptr[i]) && !isdigit((unsigned char)name.ptr[i]) &&
		    name.ptr[i] != '-')
			return false;
	buf_addf(&file, "%s/%s%.*s", bin, start, (int)name.len, name.ptr);
	there = name.len > 0 && access(file.ptr, F_OK) == 0;
	buf_free(&file);
	return there;
}

static void
check_section(const struct config *c, struct slice name)
{
	const struct tool *tool = c->table->tool;
	char *bin;

	if (slice_is(name, short_name(tool)) || slice_is(name, "kandil"))
		return;
	bin = path_bin();
	if (bin && is_program(bin, "", slice(tool->name)) && !is_program(bin, "kandil-", name))
		warn("%s:%zu: there is no program for the section '%.*s': ignored; they are named "
		     "as by 'kandil config'", c->file, c->line, (int)name.len, name.ptr);
	free(bin);
}

static void
apply_line(struct config *c, struct slice line, struct slice *section)
{
	const char *equals;
	struct slice name, value;

	line = slice_trim(line);
	if (line.len == 0 || line.ptr[0] == '#')
		return;
	if (line.ptr[0] == '[') {
		if (line.ptr[line.len - 1] != ']')
			die(STATUS_USAGE, "%s:%zu: ']' is missing", c->file, c->line);
		*section = slice_trim((struct slice){line.ptr + 1, line.len - 2});
		if (section->len == 0)
			die(STATUS_USAGE, "%s:%zu: '[]': a section needs the name of a program",
			    c->file, c->line);
		if (c->whole)
			check_section(c, *section);
		return;
	}
	equals = memchr(line.ptr, '=', line.len);
	if (equals == NULL)
		die(STATUS_USAGE, "%s:%zu: 'name = value' is expected", c->file, c->line);
	name = slice_trim((struct slice){line.ptr, (size_t)(equals - line.ptr)});
	value = slice_trim((struct slice){equals + 1, (size_t)(line.ptr + line.len - equals - 1)});
	if (section->len == 0 || slice_is(*section, short_name(c->table->tool)))
		apply_setting(c, name, value, section->len > 0);
}

static void
apply_file(struct opt_table *t, const char *name, bool project, bool whole)
{
	struct config c = {t, name, project, 0, whole};
	struct buf text = {0};
	struct slice section = {"", 0}, rest, line;
	struct err e;

	if (access(name, F_OK) != 0)
		return;
	if (path_read(name, CONFIG_MAX, &text, &e) != 0)
		die(STATUS_USAGE, "%s", e.text);
	/* The section's name lies in text, which stays until the end. */
	rest = buf_slice(&text);
	while (slice_line(&rest, &line)) {
		c.line++;
		apply_line(&c, line, &section);
	}
	buf_free(&text);
}

void
opt_configure(struct opt_table *t, bool whole)
{
	char *user = path_config("config");

	if (user)
		apply_file(t, opt_keep(user, strlen(user)), false, whole);
	free(user);
	apply_file(t, ".kandil/config", true, whole);
	apply_environment(t);
}
