#include "tools/collab/keyfile.h"

#include "common/json.h"
#include "common/path.h"
#include "tools/collab/jwt.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OTHERS = S_IRWXG | S_IRWXO, OTHERS_WRITE = S_IWGRP | S_IWOTH };

/* Whether others may do none of what these modes say. */
static int
check(const char *name, mode_t modes, struct err *e)
{
	uid_t me = geteuid();
	struct stat st;

	if (stat(name, &st) != 0)
		return err_set(e, "cannot_read", "cannot open '%s': %s", name, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return err_set(e, "cannot_read", "'%s' is no regular file", name);
	if (me != 0 && st.st_uid != me && st.st_uid != 0)
		return err_set(e, "open_key_file",
		    "'%s' belongs to somebody else, who could change it: chown it", name);
	if (me != 0 && st.st_uid == 0)
		modes &= ~(mode_t)S_IRGRP;
	if (st.st_mode & modes)
		return err_set(e, "open_key_file", "others may %s '%s' (mode %04o): chmod %s '%s'",
		    st.st_mode & modes & OTHERS_WRITE ? "write" : "read", name,
		    (unsigned)(st.st_mode & 07777), modes & S_IROTH ? "600" : "go-w", name);
	return 0;
}

/* ---- what it holds ---- */

#define BLANKS " \t\r\n"

/* The first line that is neither blank nor a comment; ptr NULL: there is none. */
static struct slice
first_line(struct slice text)
{
	struct slice line;

	while (slice_line(&text, &line)) {
		line = slice_trim(line);
		if (line.len && *line.ptr != '#')
			return line;
	}
	return (struct slice){NULL, 0};
}

static size_t
word_length(struct slice line)
{
	size_t n = 0;

	while (n < line.len && memchr(BLANKS, line.ptr[n], sizeof(BLANKS) - 1) == NULL)
		n++;
	return n;
}

static bool
is_token(struct slice word)
{
	struct jwt jwt = {0};
	bool good = word.len <= JWT_SIZE && jwt_read(&jwt, word, NULL) == 0;

	jwt_free(&jwt);
	return good;
}

enum keyfile_kind
keyfile_kind(struct slice text)
{
	struct slice line, word, set;

	text = slice_trim(text);
	if (text.len == 0)
		return KEYFILE_EMPTY;
	if (*text.ptr == '{')
		return json_check(text, NULL) == 0 && json_get(text, "keys", &set) ? KEYFILE_JWKS
										: KEYFILE_JWK;
	if (memmem(text.ptr, text.len, "-----BEGIN ", 11))
		return KEYFILE_PEM;
	/* A word that is one key may begin as a comment does. */
	line = word_length(text) == text.len ? text : first_line(text);
	word = (struct slice){line.ptr, word_length(line)};
	if (slice_is(word, "key") || slice_is(word, "secret") || slice_is(word, "jwks"))
		return KEYFILE_RING;
	if (word.len == 0 || word.len < line.len)
		return KEYFILE_OTHER;
	return is_token(word) ? KEYFILE_TOKEN : KEYFILE_WORD;
}

const char *
keyfile_kind_name(enum keyfile_kind kind)
{
	static const char *const names[] = {[KEYFILE_EMPTY] = "nothing",
	    [KEYFILE_WORD] = "one key alone", [KEYFILE_TOKEN] = "a token",
	    [KEYFILE_JWK] = "a JSON Web Key", [KEYFILE_JWKS] = "a JSON Web Key Set",
	    [KEYFILE_PEM] = "a key in PEM", [KEYFILE_RING] = "a hub's keys",
	    [KEYFILE_OTHER] = "something else"};

	return names[kind];
}

/* ---- reading it ---- */

/* Some editors begin a file with a BOM, which is no part of what it holds. */
static int
read_text(const char *name, struct buf *out, struct err *e)
{
	static const char bom[] = "\xEF\xBB\xBF";
	size_t from = out->len;

	if (path_read(name, KEYFILE_SIZE, out, e) < 0)
		return -1;
	if (slice_starts((struct slice){out->ptr + from, out->len - from}, bom))
		buf_splice(out, from, sizeof(bom) - 1, S(""));
	return 0;
}

int
keyfile_check(const char *name, struct err *e)
{
	return check(name, OTHERS, e);
}

int
keyfile_read(const char *name, struct buf *out, struct err *e)
{
	return check(name, OTHERS, e) < 0 ? -1 : read_text(name, out, e);
}

int
keyfile_read_public(const char *name, struct buf *out, struct err *e)
{
	return check(name, OTHERS_WRITE, e) < 0 ? -1 : read_text(name, out, e);
}

enum status
keyfile_status(const struct err *e)
{
	return strcmp(e->code, "cannot_read") == 0 ? STATUS_FAILED : STATUS_USAGE;
}
