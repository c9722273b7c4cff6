/* l10n.yaml: found by climbing from the catalogue's folder. */
#include "common/format/l10n.h"

#include "common/mem.h"
#include "common/message.h"
#include "common/path.h"
#include "common/yaml.h"

#include <stdlib.h>
#include <unistd.h>

enum { CLIMB = 16 }; /* folders upwards that are tried */

static bool
is_true(const struct yaml *y, const char *name)
{
	struct slice value;

	return yaml_get(y, &name, 1, &value) && slice_is(value, "true");
}

/* The text at name, else what it is by default. */
static char *
text_of(const struct yaml *y, const char *name, const char *otherwise)
{
	struct slice value;

	return yaml_get(y, &name, 1, &value) ? xstrndup(value.ptr, value.len) : xstrdup(otherwise);
}

/* The error with its place before it. */
static int
fail(const char *file, struct err *e)
{
	struct err at = *e;

	return at.line ? err_set(e, at.code, "%s:%zu: %s", file, at.line, at.text) : -1;
}

static int
parse(const char *file, const char *base, struct l10n *l, struct err *e)
{
	struct buf text = {0};
	struct yaml *y = NULL;

	*e = (struct err){0};
	if (path_read(file, YAML_SIZE, &text, e) == 0)
		y = yaml_parse(buf_slice(&text), e);
	buf_free(&text);
	if (!y)
		return fail(file, e);
	char *folder = text_of(y, "arb-dir", "lib/l10n");
	l->found = true;
	l->arb_dir = strcmp(base, ".") == 0 ? xstrdup(folder) : path_join(base, folder);
	l->template = text_of(y, "template-arb-file", "app_en.arb");
	l->accessor = text_of(y, "output-class", "AppLocalizations");
	l->dialect = MESSAGE_ARB | (is_true(y, "use-escaping") ? MESSAGE_ESCAPING : 0u) |
	    (is_true(y, "relax-syntax") ? MESSAGE_RELAXED : 0u);
	free(folder);
	yaml_close(y);
	return 0;
}

/*
 * The folder above, named as the user would: "a/b" → "a" → "." → ".." →
 * "../.."; NULL above "/". Frees the one given.
 */
static char *
folder_above(char *folder)
{
	char *slash = strrchr(folder, '/'), *above;

	if (strcmp(folder, "/") == 0)
		above = NULL;
	else if (strcmp(folder, ".") == 0)
		above = xstrdup("..");
	else if (strcmp(slash ? slash + 1 : folder, "..") == 0)
		above = path_join(folder, "..");
	else if (slash == NULL)
		above = xstrdup(".");
	else
		above = slash == folder ? xstrdup("/") : xstrndup(folder, (size_t)(slash - folder));
	free(folder);
	return above;
}

/* Whether folder has a file of that name, which is put together in *path. */
static bool
has_file(const char *folder, const char *name, char **path)
{
	*path = path_join(folder, name);
	return access(*path, F_OK) == 0;
}

int
l10n_read(const char *folder, struct l10n *l, struct err *e)
{
	char *base = xstrdup(*folder ? folder : "."), *file, *pubspec;
	bool done = false;
	int rc = 0;

	*l = (struct l10n){.dialect = MESSAGE_ARB};
	for (int i = 0; i < CLIMB && base && !done; i++) {
		done = has_file(base, "l10n.yaml", &file);
		if (done) {
			rc = parse(file, base, l, e);
		} else {
			/* A package's root ends the climb, with or without an l10n.yaml. */
			done = has_file(base, "pubspec.yaml", &pubspec);
			free(pubspec);
		}
		free(file);
		if (!done)
			base = folder_above(base);
	}
	free(base);
	if (!l->found && rc == 0) {
		l->arb_dir = xstrdup("lib/l10n");
		l->template = xstrdup("app_en.arb");
		l->accessor = xstrdup("AppLocalizations");
	}
	return rc;
}

void
l10n_free(struct l10n *l)
{
	free(l->arb_dir);
	free(l->template);
	free(l->accessor);
	*l = (struct l10n){0};
}
