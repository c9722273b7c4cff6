#include "common/xml.h"

#include "common/mem.h"

#include <expat.h>
#include <stdlib.h>

enum {
	PIECE = 256 << 10, /* what xml_read feeds at a time, so that the caps are checked */
	ATTRIBUTES = 1000, /* of one element */
};

struct xml {
	XML_Parser parser;
	xml_handler *handler;
	void *state;
	size_t depth;
	size_t fed; /* bytes so far */

	struct buf text; /* the character data that is being collected */
	bool collecting;
	struct xml_event run; /* where it began */

	struct xml_attribute *attributes;
	size_t cap;

	bool done; /* nothing more is reported */
	int result; /* what the handler returned, or -1 with err */
	struct err err;
};

/* expat allocates by these, so that it cannot run out of memory either. */
static void *
allocate(size_t size)
{
	return xmalloc(size);
}

static void *
reallocate(void *old, size_t size)
{
	return xrealloc(old, size);
}

static void
stop(struct xml *x, int result)
{
	x->done = true;
	x->result = result;
	XML_StopParser(x->parser, XML_FALSE);
}

static void
fail(struct xml *x, const char *code, const char *what)
{
	if (x->done)
		return;
	err_set(&x->err, code, "%s", what);
	x->err.line = XML_GetCurrentLineNumber(x->parser);
	x->err.column = XML_GetCurrentColumnNumber(x->parser) + 1;
	stop(x, -1);
}

static void
place(struct xml *x, struct xml_event *event)
{
	event->start = (size_t)XML_GetCurrentByteIndex(x->parser);
	event->end = event->start + (size_t)XML_GetCurrentByteCount(x->parser);
	event->line = XML_GetCurrentLineNumber(x->parser);
	event->column = XML_GetCurrentColumnNumber(x->parser) + 1;
	event->depth = x->depth;
}

static void
emit(struct xml *x, const struct xml_event *event)
{
	int result;

	if (!x->done && (result = x->handler(event, x->state)) != 0)
		stop(x, result);
}

/* Reports the text that ends where the present event starts. */
static void
flush_text(struct xml *x)
{
	if (!x->collecting)
		return;
	x->collecting = false;
	x->run.type = XML_TEXT;
	x->run.text = buf_slice(&x->text);
	x->run.end = (size_t)XML_GetCurrentByteIndex(x->parser);
	emit(x, &x->run);
}

static void
begin_text(struct xml *x)
{
	if (x->collecting)
		return;
	x->collecting = true;
	buf_reset(&x->text);
	x->run = (struct xml_event){.type = XML_TEXT};
	place(x, &x->run);
}

static void
on_text(void *state, const char *text, int len)
{
	struct xml *x = state;

	if (x->done)
		return;
	begin_text(x);
	if (x->text.len + (size_t)len > XML_LONGEST)
		fail(x, "too_large", "a text is too long");
	else
		buf_add(&x->text, text, (size_t)len);
}

/* A text that begins with a CDATA section starts at that section's own markup. */
static void
on_cdata(void *state)
{
	begin_text(state);
}

/* ---- attributes ---- */

/* Whether the raw value refers to an entity that is none of XML's own five. */
static bool
has_entity(const char *at, const char *end)
{
	static const char *const own[] = {"amp;", "lt;", "gt;", "quot;", "apos;", "#"};

	while ((at = memchr(at, '&', (size_t)(end - at))) != NULL) {
		bool known = false;
		struct slice rest = {at + 1, (size_t)(end - at - 1)};

		for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
			known |= slice_starts(rest, own[i]);
		if (!known)
			return true;
		at++;
	}
	return false;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/*
 * expat does not say where attributes stand, so the tag is read once more: it is known to be
 * well-formed, and `specified` attributes are in it, in order.
 */
static void
place_attributes(struct xml *x, size_t specified, size_t start)
{
	int offset = 0, size = 0;
	const char *input = XML_GetInputContext(x->parser, &offset, &size);
	const char *tag = input != NULL ? input + offset : NULL, *at = tag, *end;

	if (tag == NULL || size - offset < XML_GetCurrentByteCount(x->parser))
		return;
	end = tag + XML_GetCurrentByteCount(x->parser);
	/* In UTF-16 every other byte of markup is NUL. */
	if (end - tag < 2 || tag[0] != '<' || tag[1] == '\0')
		return;
	for (size_t i = 0; i < specified; i++) {
		const char *quote = memchr(at, '=', (size_t)(end - at)), *close;

		while (quote != NULL && ++quote < end && is_blank(*quote))
			continue;
		if (quote == NULL || quote == end)
			return;
		close = memchr(quote + 1, *quote, (size_t)(end - quote - 1));
		if (close == NULL)
			return;
		/* Below an external document type, expat drops such references silently. */
		if (has_entity(quote + 1, close))
			fail(x, "entities_refused", "a reference to an unknown entity");
		x->attributes[i].start = start + (size_t)(quote + 1 - tag);
		x->attributes[i].end = start + (size_t)(close - tag);
		at = close + 1;
	}
}

static void
on_open(void *state, const char *name, const char **pairs)
{
	struct xml *x = state;
	struct xml_event event = {.type = XML_OPEN, .name = slice(name)};
	size_t n = 0;

	flush_text(x);
	if (x->done)
		return;
	if (++x->depth > XML_DEPTH) {
		fail(x, "too_deep", "elements are nested too deeply");
		return;
	}
	place(x, &event);
	for (; pairs[0] != NULL; pairs += 2, n++) {
		if (n == ATTRIBUTES) {
			fail(x, "too_large", "an element has too many attributes");
			return;
		}
		x->attributes = xgrow(x->attributes, n, &x->cap, sizeof(*x->attributes));
		x->attributes[n] = (struct xml_attribute){slice(pairs[0]), slice(pairs[1]), 0, 0};
	}
	place_attributes(x, (size_t)XML_GetSpecifiedAttributeCount(x->parser) / 2, event.start);
	event.attributes = x->attributes;
	event.nattributes = n;
	emit(x, &event);
}

static void
on_close(void *state, const char *name)
{
	struct xml *x = state;
	struct xml_event event = {.type = XML_CLOSE, .name = slice(name)};

	flush_text(x);
	place(x, &event);
	/* expat gives the second half of <name/> no length, and the place after the tag. */
	x->depth -= x->depth > 0;
	emit(x, &event);
}

static void
on_comment(void *state, const char *text)
{
	struct xml *x = state;
	struct xml_event event = {.type = XML_COMMENT, .text = slice(text)};

	flush_text(x);
	place(x, &event);
	emit(x, &event);
}

static void
on_instruction(void *state, const char *name, const char *text)
{
	struct xml *x = state;
	struct xml_event event = {.type = XML_INSTRUCTION, .name = slice(name), .text = slice(text)};

	flush_text(x);
	place(x, &event);
	emit(x, &event);
}

/* ---- what is refused ---- */

static void
on_entity(void *state, const char *name, int parameter, const char *value, int length,
    const char *base, const char *system, const char *public, const char *notation)
{
	(void)name, (void)parameter, (void)value, (void)length;
	(void)base, (void)system, (void)public, (void)notation;
	fail(state, "entities_refused", "the document type declares entities");
}

static void
on_skipped(void *state, const char *name, int parameter)
{
	(void)name, (void)parameter;
	fail(state, "entities_refused", "a reference to an unknown entity");
}

/* Default values would come again with every element. */
static void
on_attlist(void *state, const char *element, const char *attribute, const char *type,
    const char *value, int required)
{
	(void)element, (void)attribute, (void)type, (void)required;
	if (value != NULL)
		fail(state, "entities_refused", "the document type declares default values");
}

/* ---- the reader ---- */

struct xml *
xml_open(xml_handler *handler, void *state)
{
	static const XML_Memory_Handling_Suite memory = {allocate, reallocate, free};
	struct xml *x = xcalloc(1, sizeof(*x));

	x->parser = XML_ParserCreate_MM(NULL, &memory, NULL);
	if (x->parser == NULL)
		die(STATUS_FAILED, "out of memory");
	x->handler = handler;
	x->state = state;
	XML_SetUserData(x->parser, x);
	XML_SetElementHandler(x->parser, on_open, on_close);
	XML_SetCharacterDataHandler(x->parser, on_text);
	XML_SetStartCdataSectionHandler(x->parser, on_cdata);
	XML_SetCommentHandler(x->parser, on_comment);
	XML_SetProcessingInstructionHandler(x->parser, on_instruction);
	XML_SetEntityDeclHandler(x->parser, on_entity);
	XML_SetSkippedEntityHandler(x->parser, on_skipped);
	XML_SetAttlistDeclHandler(x->parser, on_attlist);
	XML_SetParamEntityParsing(x->parser, XML_PARAM_ENTITY_PARSING_NEVER);
	return x;
}

void
xml_close(struct xml *x)
{
	if (x == NULL)
		return;
	XML_ParserFree(x->parser);
	buf_free(&x->text);
	free(x->attributes);
	free(x);
}

static int
feed(struct xml *x, struct slice piece, bool last, struct err *e)
{
	bool ok = XML_Parse(x->parser, piece.ptr, (int)piece.len, last) == XML_STATUS_OK;
	enum XML_Error error = XML_GetErrorCode(x->parser);

	x->fed += piece.len;
	if (ok && !last && !x->done &&
	    x->fed - (size_t)XML_GetCurrentByteIndex(x->parser) > XML_TAG + piece.len)
		fail(x, "too_large", "a tag is too long");
	else if (!ok && !x->done && error == XML_ERROR_UNDEFINED_ENTITY)
		fail(x, "entities_refused", "a reference to an unknown entity");
	else if (!ok && !x->done)
		fail(x, "bad_xml", XML_ErrorString(error));
	if (x->done && x->result == -1 && x->err.code != NULL && e != NULL)
		*e = x->err;
	return x->result;
}

int
xml_feed(struct xml *x, struct slice piece, bool last, struct err *e)
{
	int result;

	while (piece.len > PIECE) {
		if ((result = feed(x, (struct slice){piece.ptr, PIECE}, false, e)) != 0)
			return result;
		piece.ptr += PIECE, piece.len -= PIECE;
	}
	return feed(x, piece, last, e);
}

int
xml_read(struct slice document, xml_handler *handler, void *state, struct err *e)
{
	struct xml *x = xml_open(handler, state);
	int result = xml_feed(x, document, true, e);

	xml_close(x);
	return result;
}

bool
xml_attribute(const struct xml_event *event, const char *name, struct slice *value)
{
	for (size_t i = 0; i < event->nattributes; i++) {
		if (slice_is(event->attributes[i].name, name)) {
			*value = event->attributes[i].value;
			return true;
		}
	}
	return false;
}
