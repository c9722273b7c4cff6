/*
 * tmx_text: the content of a <seg>: text, and inline codes (bpt, ept, ph, it,
 * ut) that say in the text what stands for them.
 *
 * A code whose native content is one placeholder or one tag ("{key}", "%1$s",
 * "<b>") says that; any other is opaque, a tag of its own in the text:
 * <ph x="1"/>, <bpt i="2"/>. What <hi> marks is text. What <sub> holds stays
 * within its code.
 */
#ifndef KANDIL_FORMAT_TMX_TEXT_H
#define KANDIL_FORMAT_TMX_TEXT_H

#include "common/mem.h"
#include "common/xml.h"

struct tmx_code {
	struct slice text; /* as the text has it */
	size_t start, end; /* the whole element, in bytes of the document */
};

/* What is being read; zero-initialised is ready for the first. To be freed. */
struct tmx_text {
	struct buf text; /* what came so far */
	bool cut;	 /* it was too long: the rest is left out */
	/* The codes in order, the first 256; their texts are the arena's. */
	struct tmx_code *codes;
	size_t n, cap;
	/* Within. */
	struct arena *arena;
	struct buf code;
	struct slice tag;
	size_t depth, start;
};

void tmx_text_begin(struct tmx_text *, struct arena *);
/* Takes an event between the <seg>'s own open and close. */
void tmx_text_event(struct tmx_text *, const struct xml_event *);
void tmx_text_free(struct tmx_text *);

#endif
