#include "tools/ai/keys.h"

#include "common/path.h"
#include "common/secret.h"
#include "tools/ai/providers.h"

#include <stdlib.h>
#include <sys/stat.h>

static int
from_file(const char *name, struct buf *out, struct err *e)
{
	size_t from = out->len;
	struct stat st;
	struct err why;

	if (path_read(name, SECRET_SIZE, out, &why) < 0)
		return err_set(e, "no_key", "--key-file: %s", why.text);
	if (stat(name, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & (S_IRGRP | S_IROTH)))
		note("%s: others can read this key: chmod 600 '%s'", name, name);
	return secret_line(out, from, name, e) < 0 ? -1 : 1;
}

static int
from_variable(const char *value, struct slice which, struct buf *out, struct err *e)
{
	size_t from = out->len;
	char name[64];

	buf_adds(out, value);
	snprintf(name, sizeof(name), "%.*s", (int)which.len, which.ptr);
	return secret_check(out, from, name, e) < 0 ? -1 : 1;
}

int
key_find(const struct endpoint_settings *s, struct slice names, struct buf *out, struct buf *source,
    struct err *e)
{
	enum opt_source file = s->key_file ? opt_source("key-file") : OPT_DEFAULT;
	enum opt_source command = s->key_command ? opt_source("key-command") : OPT_DEFAULT;
	struct slice which;
	const char *value = names.ptr ? providers_env(names, &which) : NULL;

	/* The provider's own variable stands between the command line and the configuration. */
	if (value && file < OPT_ENVIRONMENT && command < OPT_ENVIRONMENT) {
		buf_addslice(source, which);
		return from_variable(value, which, out, e);
	}
	if (s->key_file && file >= command) {
		buf_addf(source, "'%s'", s->key_file);
		return from_file(s->key_file, out, e);
	}
	if (s->key_command) {
		buf_adds(source, opt_origin("key-command"));
		return secret_command(s->key_command, "key-command", out, e) < 0 ? -1 : 1;
	}
	return 0;
}
