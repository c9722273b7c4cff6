/*
 * dart: whatever bytes come, the reader ends, what it reports lies in the
 * text in order of position, and every string's value is an ICU message.
 */
#include "common/message.h"
#include "tools/extract/dart.h"
#include "tools/extract/files.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char core[] = "Text: 0\nA B: x y 1\n*: tooltip\nGet.snackbar: *\n";
static const char context[] = "[title-like]\ntitle *Text\n[text-classes]\n*Text\n[text-closures]\n"
			      "validator\n[helpers]\nshow\n[keeping]\ntrim pad*\n[localised]\ntr\n"
			      "[log-calls]\nprint log.*\n[errors]\n*Error\n[never-calls]\nKey\n";

static void
check(const struct source *source, const struct found *f, void *state)
{
	size_t *last = state;
	const char *s = source->text.ptr + f->start;
	struct arena arena = {0};
	struct message m;

	if (f->start < *last || f->end <= f->start || f->end > source->text.len || f->line == 0 ||
	    f->column == 0)
		abort();
	if (*s != '\'' && *s != '"' && *s != 'r')
		abort();
	if (utf8_valid(f->value.ptr, f->value.len) != f->value.len)
		abort();
	*last = f->start;
	if (strcmp(f->kind, "string") == 0 &&
	    (message_parse(f->value, MESSAGE_ICU, &arena, &m, NULL) != 0 ||
		(f->plural.len > 0 &&
		    message_parse(f->plural, MESSAGE_ICU, &arena, &m, NULL) != 0)))
		abort();
	arena_free(&arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct words *words;
	static struct dart *dart;
	struct buf text = {0}, facts = {0};
	struct names *names = names_new();
	size_t last = 0;

	if (words == NULL) {
		words = words_parse(slice(core), slice(context), NULL);
		dart = dart_new(words);
	}
	buf_add(&text, data, size);
	struct source source = {"a.dart", buf_slice(&text)};
	if (files_is_text(source.text, NULL)) {
		dart_is_generated(words, &source);
		dart_learn(dart, &source, &facts);
		names_add(names, buf_slice(&facts));
		names_resolve(names);
		dart_scan(dart, &source, names, LEVEL_ALL, false, check, &last, NULL);
		last = 0;
		dart_scan(dart, &source, NULL, LEVEL_ALL, true, check, &last, NULL);
	}
	names_free(names);
	buf_free(&text);
	buf_free(&facts);
	return 0;
}
