/* l10n.yaml: found by climbing from the catalogue's folder. */
#include "tools/catalog/l10n.h"

#include "common/mem.h"
#include "common/message.h"
#include "common/path.h"
#include "common/yaml.h"

#include <stdlib.h>
#include <unistd.h>

enum { CLIMB = 16 }; /* folders upwards that are tried */

static char *
copy_slice(struct slice s)
{
	return xstrndup(s.ptr, s.len);
}

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

	return yaml_get(y, &name, 1, &value) ? copy_slice(value) : xstrdup(otherwise);
}

static int
parse(const char *file, const char *base, struct l10n *l, struct err *e)
{
	struct buf text = {0};
	struct yaml *y = NULL;

	if (path_read(file, YAML_SIZE, &text, e) == 0)
		y = yaml_parse(buf_slice(&text), e);
	buf_free(&text);
	if (!y)
		return -1;
	char *folder = text_of(y, "arb-dir", "lib/l10n");
	l->found = true;
	l->arb_dir = *base ? path_join(base, folder) : xstrdup(folder);
	l->template = text_of(y, "template-arb-file", "app_en.arb");
	l->accessor = text_of(y, "output-class", "AppLocalizations");
	l->dialect = MESSAGE_ARB | (is_true(y, "use-escaping") ? MESSAGE_ESCAPING : 0u) |
	    (is_true(y, "relax-syntax") ? MESSAGE_RELAXED : 0u);
	free(folder);
	yaml_close(y);
	return 0;
}

int
l10n_read(const char *folder, struct l10n *l, struct err *e)
{
	char *base = xstrdup(*folder ? folder : "."), *file, *pubspec;
	int rc = 0;

	*l = (struct l10n){.dialect = MESSAGE_ARB};
	for (int i = 0; i < CLIMB; i++) {
		file = path_join(base, "l10n.yaml");
		pubspec = path_join(base, "pubspec.yaml");
		bool there = access(file, F_OK) == 0, root = access(pubspec, F_OK) == 0;
		if (there)
			rc = parse(file, strcmp(base, ".") == 0 ? "" : base, l, e);
		free(file);
		free(pubspec);
		if (there || root)
			break;
		/* "a/b" → "a" → "." → ".." → "../..": names stay as the user would write them. */
		char *slash = strrchr(base, '/');
		bool up = strcmp(slash ? slash + 1 : base, "..") == 0 || strcmp(base, ".") == 0;
		char *above;
		if (strcmp(base, "/") == 0)
			break;
		if (up)
			above = strcmp(base, ".") == 0 ? xstrdup("..") : path_join(base, "..");
		else if (!slash)
			above = xstrdup(".");
		else
			above =
			    slash == base ? xstrdup("/") : xstrndup(base, (size_t)(slash - base));
		free(base);
		base = above;
	}
	free(base);
	if (!l->arb_dir && rc == 0) {
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
