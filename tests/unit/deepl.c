/*
 * deepl: DeepL's names of languages and its replies; request: a model's replies.
 * The conversation itself is in translate.bats.
 */
#include "tests/unit/check.h"

#include "common/json.h"
#include "tools/translate/engine_part.h"

static const char *
name_of(const char *locale, bool target)
{
	static struct buf out;

	buf_reset(&out);
	deepl_language(locale, target, &out);
	return out.ptr;
}

static void
test_languages(void)
{
	static const char *const names[][3] = {{"fr", "FR", "FR"}, {"fr-CA", "FR", "FR"},
	    {"en", "EN-US", "EN"}, {"en-GB", "EN-GB", "EN"}, {"en-AU", "EN-GB", "EN"},
	    {"pt", "PT-BR", "PT"}, {"pt-BR", "PT-BR", "PT"}, {"pt-PT", "PT-PT", "PT"},
	    {"pt-AO", "PT-PT", "PT"}, {"zh", "ZH-HANS", "ZH"}, {"zh-Hans-SG", "ZH-HANS", "ZH"},
	    {"zh-Hant", "ZH-HANT", "ZH"}, {"zh-TW", "ZH-HANT", "ZH"},
	    {"zh-Hant-HK", "ZH-HANT", "ZH"}, {"es", "ES", "ES"}, {"es-MX", "ES-419", "ES"},
	    {"nb", "NB", "NB"}, {"no", "NB", "NB"}, {"nn", "NB", "NB"}, {"sr-Latn", "SR", "SR"}};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		CHECK_TEXT(name_of(names[i][0], true), names[i][1]);
		CHECK_TEXT(name_of(names[i][0], false), names[i][2]);
	}
}

/* A batch of two texts, the first of two pieces. */
static struct slice answers[3];
static struct work works[2] = {{.n = 2, .answers = answers}, {.n = 1, .answers = answers + 2}};
static struct work *list[2] = {&works[0], &works[1]};
static struct batch batch = {.v = list, .n = 2, .pieces = 3};

/* "a|b|c" of the answers after a model's reply; "-" where there is none. */
static const char *
reply(struct engine *e, const char *json)
{
	static struct buf out;

	CHECK(json_check(slice(json), NULL) == 0);
	bool ok = request_read(e, &batch, slice(json));
	buf_reset(&out);
	for (size_t i = 0; i < 3; i++)
		buf_addf(&out, "%s%.*s", i ? "|" : "", answers[i].ptr ? (int)answers[i].len : 1,
		    answers[i].ptr ? answers[i].ptr : "-");
	return ok ? out.ptr : "no list";
}

static void
test_model_replies(struct engine *e)
{
	CHECK_TEXT(reply(e, "{\"translations\":[{\"id\":\"3\",\"value\":\"c\"},"
			    "{\"id\":\"1\",\"value\":\"a\"},{\"id\":\"2\",\"value\":\"\"}]}"),
	    "a||c");
	CHECK_TEXT(reply(e, "[{\"id\":\"1\",\"value\":\"x\"}]"), "x|-|-");
	/* The first word for an id stands; ids that were not asked, and what is no text, do not. */
	CHECK_TEXT(reply(e, "[{\"id\":\"1\",\"value\":\"x\"},{\"id\":\"1\",\"value\":\"y\"},"
			    "{\"id\":\"0\",\"value\":\"z\"},{\"id\":\"4\",\"value\":\"z\"},"
			    "{\"id\":\"-1\",\"value\":\"z\"},{\"id\":\"2x\",\"value\":\"z\"},"
			    "{\"id\":2,\"value\":\"z\"},{\"id\":\"2\",\"value\":7},7,null,[],"
			    "{\"id\":\"99999999999999999999999\",\"value\":\"z\"}]"), "x|-|-");
	CHECK_TEXT(reply(e, "{\"translations\":{}}"), "no list");
	CHECK_TEXT(reply(e, "\"text\""), "no list");
}

static void
test_deepl_replies(struct engine *e)
{
	struct deepl_piece pieces[2] = {{&works[0], 1}, {&works[1], 0}};
	long long billed = 0;
	struct err err;
	static const char *const bad[] = {"", "<html>", "[]", "{}", "{\"translations\":{}}",
	    "{\"translations\":[]}", "{\"translations\":[{\"text\":\"a\"}]}",
	    "{\"translations\":[{\"text\":\"a\"},{\"text\":7}]}",
	    "{\"translations\":[{\"text\":\"a\"},{\"text\":\"b\"},{\"text\":\"c\"}]}"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK(deepl_read(e, &batch, pieces, 2, slice(bad[i]), &billed, &err) < 0);
	billed = 0;
	CHECK(deepl_read(e, &batch, pieces, 2, S("{\"translations\":[{\"text\":\"a\","
		"\"billed_characters\":4},{\"text\":\"b\",\"billed_characters\":-1}]}"),
		  &billed, &err) == 0);
	CHECK(slice_is(answers[1], "a") && slice_is(answers[2], "b"));
	CHECK(billed == 4);
}

int
main(void)
{
	struct engine engine = {.texts = 0};

	test_languages();
	test_model_replies(&engine);
	test_deepl_replies(&engine);
	arena_free(&engine.arena);
	return check_done();
}
