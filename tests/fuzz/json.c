/*
 * json: what json_check accepts can be walked, decoded, quoted and spliced
 * without harm, and stays acceptable.
 */
#include "common/json.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
walk(struct slice value, struct buf *out)
{
	struct json_walk w = json_walk(value);
	struct slice key, inner;

	json_text(value, out);
	if (json_type(value) == JSON_OBJECT)
		while (json_member(&w, &key, &inner)) {
			json_text(key, out);
			walk(inner, out);
		}
	else if (json_type(value) == JSON_ARRAY)
		while (json_element(&w, &inner))
			walk(inner, out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const path[] = {"a", "b"};
	struct slice text = slice_trim((struct slice){(const char *)data, size});
	struct buf out = {0}, object = {0};

	if (json_check(text, NULL) == 0) {
		walk(text, &out);
		if (json_type(text) == JSON_OBJECT) {
			struct slice value;

			buf_addslice(&object, text);
			json_set(&object, path, 2, S("[1]"));
			if (json_check(buf_slice(&object), NULL) != 0 ||
			    !json_path(buf_slice(&object), path, 2, &value) || !slice_is(value, "[1]"))
				abort();
			json_drop(&object, "a");
			if (json_check(buf_slice(&object), NULL) != 0 ||
			    json_get(buf_slice(&object), "a", &value))
				abort();
		}
		buf_reset(&object);
		json_quote(&object, buf_slice(&out));
		if (json_check(buf_slice(&object), NULL) != 0)
			abort();
	}
	buf_free(&out);
	buf_free(&object);
	return 0;
}
