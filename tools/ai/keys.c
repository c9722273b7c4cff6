#include "tools/ai/keys.h"

#include "common/path.h"
#include "common/spawn.h"
#include "tools/ai/providers.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { KEY_SIZE = 64 * 1024, COMMAND_MS = 10000 };

void
key_wipe(struct buf *key)
{
	if (key->ptr)
		explicit_bzero(key->ptr, key->cap);
	buf_free(key);
}

/* What was read, in place; a key goes into a header, so it must fit one. */
static int
check_key(struct buf *out, size_t from, const char *where, struct err *e)
{
	struct slice line = slice_trim((struct slice){out->ptr + from, out->len - from});

	if (line.len == 0)
		return err_set(e, "no_key", "%s: holds no key", where);
	for (size_t i = 0; i < line.len; i++)
		if ((unsigned char)line.ptr[i] <= ' ' || line.ptr[i] == 127)
			return err_set(e, "no_key",
			    "%s: a key has no blanks and no control characters in it", where);
	memmove(out->ptr + from, line.ptr, line.len);
	buf_cut(out, from + line.len);
	return 1;
}

/* The first line, as password managers write the secret. */
static void
first_line(struct buf *out, size_t from)
{
	struct slice rest = {out->ptr + from, out->len - from}, line = {"", 0};

	slice_line(&rest, &line);
	buf_cut(out, from + line.len);
}

static int
from_file(const char *name, struct buf *out, struct err *e)
{
	size_t from = out->len;
	struct stat st;
	struct err why;

	if (path_read(name, KEY_SIZE, out, &why) < 0)
		return err_set(e, "no_key", "--key-file: %s", why.text);
	if (stat(name, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & (S_IRGRP | S_IROTH)))
		note("%s: others can read this key: chmod 600 '%s'", name, name);
	first_line(out, from);
	return check_key(out, from, name, e);
}

static int
from_command(const char *command, struct buf *out, struct err *e)
{
	const char *argv[] = {"/bin/sh", "-c", command, NULL};
	struct spawn_options options = {.argv = argv, .flags = SPAWN_NO_IN | SPAWN_ERR};
	size_t from = out->len;
	struct err why;

	if (spawn_run(&options, (struct slice){"", 0}, KEY_SIZE, COMMAND_MS, NULL, out, &why) < 0)
		return err_set(e, "no_key", "key-command '%s': %s", command, why.text);
	first_line(out, from);
	return check_key(out, from, "key-command", e);
}

int
key_find(const struct endpoint_settings *s, struct slice names, struct buf *out, struct err *e)
{
	struct slice which;
	const char *value;
	size_t from = out->len;
	char name[64];

	if (s->key_file)
		return from_file(s->key_file, out, e);
	value = names.ptr ? providers_env(names, &which) : NULL;
	if (value) {
		buf_adds(out, value);
		snprintf(name, sizeof(name), "%.*s", (int)which.len, which.ptr);
		return check_key(out, from, name, e);
	}
	if (s->key_command)
		return from_command(s->key_command, out, e);
	return 0;
}
