/* Keys: legal, stable, one for each message, in the order of their appearance. */
#include "tests/unit/check.h"
#include "common/message.h"
#include "tools/extract/keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct words *words;

/* The key of a message at a line of a.dart; *names as keys_of gives them. */
static const char *
key_at(struct keys *k, const char *value, size_t line, const char *context)
{
	static char text[200];
	struct found f = {.kind = "string", .format = "icu", .value = slice(value), .line = line,
		.context = slice(context)};
	struct slice names, key = keys_of(k, "lib/a.dart", &f, &names);

	snprintf(text, sizeof(text), "%.*s%s%.*s", (int)key.len, key.ptr, names.len ? " " : "",
	    (int)names.len, names.ptr);
	return text;
}

static const char *
key(struct keys *k, const char *value)
{
	return key_at(k, value, 1, "");
}

static void
slugs(void)
{
	struct keys *k = keys_new(KEYS_SLUG, words);

	CHECK_TEXT(key(k, "Hello world"), "helloWorld");
	CHECK_TEXT(key(k, "Don't panic!"), "dontPanic");
	CHECK_TEXT(key(k, "3 items"), "msg3Items");
	CHECK_TEXT(key(k, "Continue"), "continueText");
	CHECK_TEXT(key(k, "\xc3\x9c" "ber uns"), "uberUns");
	CHECK_TEXT(key(k, "FAQ and HELP"), "faqAndHelp");
	/* Long texts end with the word that reaches forty bytes. */
	CHECK_TEXT(key(k, "one two three four five six seven eight nine ten eleven"),
	    "oneTwoThreeFourFiveSixSevenEightNineTenEleven");
	/* Nothing that a key can be made of: the hash tells them apart. */
	CHECK_TEXT(key(k, "\xe4\xbd\xa0\xe5\xa5\xbd"), "msg");
	CHECK(strncmp(key(k, "\xe5\x86\x8d\xe8\xa6\x8b"), "msg_", 4) == 0);
	CHECK(strlen(key(k, "\xe5\x86\x8d\xe8\xa6\x8b")) == 10);
	keys_free(k);
}

static void
collisions(void)
{
	struct keys *k = keys_new(KEYS_SLUG, words);
	char second[64];

	CHECK_TEXT(key(k, "Save"), "save");
	snprintf(second, sizeof(second), "%s", key(k, "Save!"));
	CHECK(strncmp(second, "save_", 5) == 0 && strlen(second) == 11);
	CHECK(strspn(second + 5, "0123456789abcdef") == 6);
	/* The same message is the same key, before and after the collision. */
	CHECK_TEXT(key(k, "Save"), "save");
	CHECK_TEXT(key(k, "Save!"), second);
	/* Another context is another message. */
	CHECK(strcmp(key_at(k, "Save", 9, "menu"), "save") != 0);
	CHECK_TEXT(key_at(k, "Save", 900, ""), "save");
	keys_free(k);

	/* What comes first keeps the slug; hashes do not depend on the order. */
	k = keys_new(KEYS_SLUG, words);
	CHECK_TEXT(key(k, "Save!"), "save");
	CHECK(strcmp(key(k, "Save"), second) != 0);
	keys_free(k);
}

static void
placeholders(void)
{
	struct keys *k = keys_new(KEYS_SLUG, words);

	/* By position: renaming an expression changes no key, and the first names stay. */
	CHECK_TEXT(key(k, "Hello {name}, {n} left"), "helloP1P2Left");
	CHECK_TEXT(key(k, "Hello {user}, {count} left"), "helloP1P2Left name n");
	CHECK_TEXT(key(k, "{n} items"), "p1Items");
	CHECK_TEXT(key(k, "Items"), "items");
	/* The same placeholder twice is not two placeholders. */
	CHECK_TEXT(key(k, "{a} and {a}"), "p1AndP1");
	CHECK_TEXT(key(k, "{a} and {b}"), "p1AndP2");
	keys_free(k);
}

static void
other_kinds(void)
{
	struct keys *k = keys_new(KEYS_HASH, words);
	char hash[64];

	snprintf(hash, sizeof(hash), "%s", key(k, "Save"));
	CHECK(strncmp(hash, "msg_", 4) == 0 && strlen(hash) == 16);
	CHECK_TEXT(key_at(k, "Save", 7, ""), hash);
	CHECK(strcmp(key(k, "Save!"), hash) != 0);
	keys_free(k);

	k = keys_new(KEYS_LINE, words);
	CHECK_TEXT(key_at(k, "Save", 12, ""), "msg_12");
	CHECK_TEXT(key_at(k, "Save", 12, ""), "msg_12");
	CHECK_TEXT(key_at(k, "Open", 12, ""), "a_msg_12");
	CHECK(strncmp(key_at(k, "Close", 12, ""), "a_msg_12_", 9) == 0);
	keys_free(k);
}

/* Memory is bounded: beyond KEYS_MAX new keys carry their hash, and stay unique. */
static void
bound(void)
{
	struct keys *k = keys_new(KEYS_SLUG, words);
	char text[64], first[64];

	for (int i = 0; i < KEYS_MAX; i++) {
		snprintf(text, sizeof(text), "word%d", i);
		key(k, text);
	}
	CHECK_TEXT(key(k, "word7"), "word7");
	snprintf(first, sizeof(first), "%s", key(k, "new"));
	CHECK(strncmp(first, "new", 3) == 0 && strchr(first, '_') != NULL);
	CHECK_TEXT(key(k, "new"), first);
	CHECK(strcmp(key(k, "new!"), first) != 0);
	keys_free(k);
}

static void
from_catalogue(void)
{
	static const char arb[] = "{\"@@locale\":\"en\",\"greeting\":\"Hello {who}\","
				  "\"@greeting\":{},\"itIs\":\"It's {x}\",\"other\":\"Hello {y}\"}";
	char name[] = "/tmp/kandil-keys-XXXXXX";
	int fd = mkstemp(name);
	struct keys *k = keys_new(KEYS_SLUG, words);
	struct err e = {0};

	CHECK(write(fd, arb, sizeof(arb) - 1) == (ssize_t)sizeof(arb) - 1);
	close(fd);
	CHECK(keys_from_arb(k, name, MESSAGE_ARB, &e) == 0);
	CHECK_TEXT(key(k, "Hello {name}"), "greeting who");
	CHECK_TEXT(key(k, "It's {n}"), "itIs x");
	/* A slug that the catalogue has for another text is taken. */
	CHECK(strncmp(key(k, "Greeting"), "greeting_", 9) == 0);
	CHECK(keys_from_arb(k, "/nonexistent.arb", MESSAGE_ARB, &e) == -1);
	CHECK_TEXT(e.code, "cannot_read");
	unlink(name);
	keys_free(k);
}

int
main(void)
{
	struct err e = {0};

	words = words_load(&e);
	if (words == NULL) {
		fprintf(stderr, "%s\n", e.text);
		return 1;
	}
	slugs();
	collisions();
	placeholders();
	other_kinds();
	bound();
	from_catalogue();
	words_free(words);
	return check_done();
}
