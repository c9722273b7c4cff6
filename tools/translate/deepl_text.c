#include "tools/translate/engine_part.h"

#include "common/json.h"

#include <ctype.h>
#include <stdio.h>

/* DeepL's names of languages, its bodies and replies. Source: DeepL API v2. */

/* Targets that DeepL tells apart by region or script; of the others it knows the language. */
static const struct {
	const char *locale, *name;
} targets[] = {{"en-GB", "EN-GB"}, {"en-AU", "EN-GB"}, {"en", "EN-US"}, {"pt-PT", "PT-PT"},
    {"pt", "PT-BR"}, {"zh-Hant", "ZH-HANT"}, {"zh-TW", "ZH-HANT"}, {"zh-HK", "ZH-HANT"},
    {"zh", "ZH-HANS"}, {"es-419", "ES-419"}, {"no", "NB"}, {"nn", "NB"}};

void
deepl_language(const char *locale, bool target, struct buf *out)
{
	char name[LOCALE_MAX];
	size_t n = strcspn(locale, "-");

	snprintf(name, sizeof(name), "%s", locale);
	do {
		for (size_t i = 0; target && i < sizeof(targets) / sizeof(*targets); i++)
			if (strcmp(targets[i].locale, name) == 0) {
				buf_adds(out, targets[i].name);
				return;
			}
	} while (locale_parent(name));
	if (strcmp(locale, "no") == 0 || strcmp(locale, "nn") == 0)
		buf_adds(out, "NB");
	else
		for (size_t i = 0; i < n; i++)
			buf_addc(out, (char)toupper((unsigned char)locale[i]));
}

/* Not billed, and what it shares with no other text of its request is not told. */
void
deepl_context(const struct work *w, size_t piece, struct buf *out)
{
	const struct gap *gap = w->gap;

	if (gap->context.len)
		buf_addf(out, "%.*s. ", (int)gap->context.len, gap->context.ptr);
	if (gap->note.len)
		buf_addf(out, "%.*s. ", (int)(gap->note.len < 500 ? gap->note.len : 0), gap->note.ptr);
	if (w->pieces[piece].number.len)
		buf_addf(out, "The number in this text is %.*s. ",
		    (int)w->pieces[piece].number.len, w->pieces[piece].number.ptr);
	buf_adds(out, "Text of the user interface of an app.");
}

/* --deepl-glossary: LOCALE=ID for that locale, a bare ID for all others. */
static struct slice
glossary_id(const struct engine_settings *s, const char *locale)
{
	struct slice any = {"", 0};
	char name[LOCALE_MAX];

	for (size_t i = 0; s->deepl_glossary && i < s->deepl_glossary->n; i++) {
		const char *word = s->deepl_glossary->v[i], *equals = strchr(word, '=');

		if (!equals)
			any = slice(word);
		else if (locale_canonical((struct slice){word, (size_t)(equals - word)}, name) &&
		    strcmp(name, locale) == 0)
			return slice(equals + 1);
	}
	return any;
}

void
deepl_body(const struct engine *e, const struct batch *b, const struct deepl_piece *pieces,
    size_t n, struct slice context, struct buf *out)
{
	static const char *const formality[] = {NULL, "prefer_more", "prefer_less"};
	const struct engine_settings *s = &e->settings;
	const char *locale = s->targets[b->target].locale;
	struct buf text = {0};

	json_open(out, '{');
	json_name(out, "text");
	json_open(out, '[');
	for (size_t i = 0; i < n; i++) {
		buf_reset(&text);
		mask_put(batch_text(b, pieces[i].work, pieces[i].piece), MASK_XML, &text);
		json_put(out, buf_slice(&text));
	}
	json_close(out, ']');
	buf_reset(&text);
	deepl_language(b->back ? locale : s->from, false, &text);
	json_add(out, "source_lang", buf_slice(&text));
	buf_reset(&text);
	deepl_language(b->back ? s->from : locale, true, &text);
	json_add(out, "target_lang", buf_slice(&text));
	if (context.len)
		json_add(out, "context", context);
	json_add(out, "split_sentences", S("0"));
	json_add_raw(out, "preserve_formatting", S("true"));
	if (!b->back && formality[s->formality])
		json_add(out, "formality", slice(formality[s->formality]));
	if (!b->back && glossary_id(s, locale).len)
		json_add(out, "glossary_id", glossary_id(s, locale));
	json_add_raw(out, "show_billed_characters", S("true"));
	json_add(out, "tag_handling", S("xml"));
	json_add(out, "tag_handling_version", S("v2"));
	json_close(out, '}');
	buf_free(&text);
}

int
deepl_read(struct engine *e, const struct batch *b, const struct deepl_piece *pieces, size_t n,
    struct slice reply, long long *billed, struct err *err)
{
	struct slice list, one, number;
	struct buf text = {0};
	long long characters;
	size_t i = 0, there = 0;

	if (json_check(reply, NULL) < 0 || json_type(reply) != JSON_OBJECT ||
	    !json_get(reply, "translations", &list) || json_type(list) != JSON_ARRAY)
		return err_set(err, "bad_reply", "its reply is no list of translations");
	for (struct json_walk w = json_walk(list); json_element(&w, &one);)
		there++;
	if (there != n)
		return err_set(err, "bad_reply", "it answered %zu of %zu texts", there, n);
	for (struct json_walk w = json_walk(list); json_element(&w, &one); i++) {
		if (json_type(one) != JSON_OBJECT || !json_get_text(one, "text", &text))
			break;
		*batch_answer(b, pieces[i].work, pieces[i].piece) = engine_keep(e, buf_slice(&text));
		if (json_get(one, "billed_characters", &number) && json_long(number, &characters) &&
		    characters > 0)
			*billed += characters;
	}
	buf_free(&text);
	return i == n ? 0 : err_set(err, "bad_reply", "one of its translations is no text");
}
