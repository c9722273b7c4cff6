/* jsonfile: members of one name, in objects small and large, and what is left of them. */
#include "common/format/jsonfile.h"

#include "tests/unit/check.h"

enum { MANY = 200000 };

static struct jsonfile f;
static struct err e;

/* An object in which "a" stands three times, among others. */
static void
open_object(struct buf *text, int others)
{
	buf_reset(text);
	buf_adds(text, "{\"a\":1");
	for (int i = 0; i < others; i++)
		buf_addf(text, ",\"k%d\":0", i);
	buf_adds(text, ",\"a\":2,\"b\":3,\"a\":4}");
	CHECK(jsonfile_open(&f, buf_slice(text), &e) == 0);
	CHECK(f.v[0].indexed == (others > 10));
}

static bool
child_is(const char *name, const char *value)
{
	size_t i = jsonfile_child(&f, 0, slice(name));

	return i == JSONFILE_NONE ? value == NULL : value && slice_is(f.v[i].value, value);
}

static void
test_names(int others)
{
	struct buf text = {0}, out = {0};
	size_t last;

	/* What is before a member counts once that is removed, or has another name. */
	open_object(&text, others);
	last = jsonfile_child(&f, 0, S("a"));
	CHECK(child_is("a", "4"));
	jsonfile_remove(&f, last);
	jsonfile_remove(&f, last);
	CHECK(child_is("a", "2"));
	jsonfile_rename(&f, jsonfile_child(&f, 0, S("a")), S("b"));
	CHECK(child_is("a", "1"));
	jsonfile_remove_named(&f, 0, S("b"));
	CHECK(child_is("b", NULL) && child_is("a", "1"));
	jsonfile_free(&f);

	/* One that does not count goes without a trace, and so do all. */
	open_object(&text, others);
	last = jsonfile_child(&f, 0, S("a"));
	jsonfile_remove(&f, f.v[f.v[last].previous].previous);
	CHECK(child_is("a", "4"));
	jsonfile_remove(&f, last);
	CHECK(child_is("a", "1"));
	jsonfile_append(&f, 0, S("a"), JSON_STRING);
	jsonfile_set(&f, f.v[0].last, S("new"));
	CHECK(jsonfile_child(&f, 0, S("a")) == f.v[0].last);
	jsonfile_remove_named(&f, 0, S("a"));
	CHECK(child_is("a", NULL));
	jsonfile_remove_named(&f, 0, S("a"));
	jsonfile_write(&f, NULL, &out);
	CHECK(!memmem(out.ptr, out.len, "\"a\"", 3) && memmem(out.ptr, out.len, "\"b\":3", 5));
	jsonfile_free(&f);
	buf_free(&text);
	buf_free(&out);
}

/* One name that stands twice is nothing to the others: this takes time in proportion. */
static void
test_many(void)
{
	struct buf text = {0}, name = {0};

	open_object(&text, MANY);
	for (int i = 0; i < MANY; i++) {
		buf_reset(&name);
		buf_addf(&name, "k%d", i);
		jsonfile_remove_named(&f, 0, buf_slice(&name));
	}
	CHECK(child_is("k0", NULL) && child_is("k199999", NULL) && child_is("a", "4"));
	jsonfile_free(&f);
	buf_free(&text);
	buf_free(&name);
}

int
main(void)
{
	test_names(0);
	test_names(20);
	test_many();
	return check_done();
}
