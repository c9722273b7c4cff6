/*
 * tmx_scan: where the units of a TMX document stand, for who writes into it.
 *
 * All offsets are those of the text. Source: TMX 1.4b.
 */
#ifndef KANDIL_FORMAT_TMX_SCAN_H
#define KANDIL_FORMAT_TMX_SCAN_H

#include "common/format/catalog.h"
#include "common/format/xliff_message.h"

/* A <tuv>. */
struct tmx_variant {
	struct slice locale, text;
	struct catalog_span tag, span, seg; /* seg: its content; end 0: it has none */
	size_t end_tag;			    /* where its end tag starts; of <tuv/> no such place */
	struct catalog_span status;	    /* our property; end 0: none */
	struct xliff_code *codes; /* inline, in order; the file's arena's */
	size_t ncodes;
};

/* A <tu>. */
struct tmx_unit {
	struct slice tuid; /* ptr NULL: none */
	struct slice source; /* its own srclang; len 0: the header's */
	struct slice tag;    /* <tu …>, the text's */
	struct tmx_variant *v;
	size_t n, cap;
	struct catalog_span span;
};

struct tmx_file {
	struct tmx_unit *units;
	size_t n, cap;
	struct catalog_span body; /* its content; start 0: it has none */
	struct arena arena;
};

/*
 * 0, or -1 with e: what xml.h says, "bad_charset", and "bad_catalog" where elements
 * stand within others in which TMX has none. To be freed in both cases.
 */
int tmx_scan(struct slice text, struct tmx_file *, struct err *e);
void tmx_scan_free(struct tmx_file *);

#endif
