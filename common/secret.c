#include "common/secret.h"

#include "common/spawn.h"

enum { COMMAND_MS = 10000, SHORTEST = 8 /* bytes that could be a secret */ };

int
secret_check(struct buf *out, size_t from, const char *where, struct err *e)
{
	struct slice text;

	buf_room(out, 0);
	text = slice_trim((struct slice){out->ptr + from, out->len - from});
	if (text.len == 0)
		return err_set(e, "no_key", "%s: holds no key", where);
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.ptr[i] <= ' ' || text.ptr[i] == 127)
			return err_set(e, "no_key",
			    "%s: a key has no blanks and no control characters in it", where);
	memmove(out->ptr + from, text.ptr, text.len);
	buf_cut(out, from + text.len);
	return 0;
}

int
secret_line(struct buf *out, size_t from, const char *where, struct err *e)
{
	struct slice rest, line = {"", 0};

	buf_room(out, 0);
	rest = (struct slice){out->ptr + from, out->len - from};
	slice_line(&rest, &line);
	buf_cut(out, from + line.len);
	return secret_check(out, from, where, e);
}

int
secret_command(const char *command, const char *name, struct buf *out, struct err *e)
{
	const char *argv[] = {"/bin/sh", "-c", command, NULL};
	struct spawn_options options = {.argv = argv, .flags = SPAWN_NO_IN | SPAWN_ERR};
	size_t from = out->len;
	struct err why;

	if (spawn_run(&options, S(""), SECRET_SIZE, COMMAND_MS, NULL, out, &why) < 0)
		return err_set(e, "no_key", "%s '%s': %s", name, command, why.text);
	return secret_line(out, from, name, e);
}

/* The text may have been cut within the secret: what is left of it at the end. */
static void
hide_tail(struct buf *text, struct slice secret)
{
	for (size_t n = secret.len - 1 < text->len ? secret.len - 1 : text->len;
	    n >= SHORTEST / 2; n--)
		if (memcmp(text->ptr + text->len - n, secret.ptr, n) == 0) {
			buf_splice(text, text->len - n, n, S("***"));
			return;
		}
}

void
secret_hide(struct buf *text, struct slice secret)
{
	const char *at;
	size_t from = 0;

	if (secret.len < SHORTEST)
		return;
	while (from < text->len &&
	    (at = memmem(text->ptr + from, text->len - from, secret.ptr, secret.len))) {
		from = (size_t)(at - text->ptr);
		buf_splice(text, from, secret.len, S("***"));
		from += 3;
	}
	hide_tail(text, secret);
}

void
secret_wipe(struct buf *b)
{
	if (b->ptr)
		explicit_bzero(b->ptr, b->cap);
	buf_free(b);
}
