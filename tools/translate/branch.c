#include "tools/translate/branch.h"

static bool
is_branch(const struct message_node *node)
{
	return node->type >= MESSAGE_PLURAL && node->type <= MESSAGE_SELECT;
}

const struct message_node *
branch_single(const struct message *m)
{
	const struct message_node *found = NULL;

	for (size_t i = 0; i < m->n; i++) {
		if (!is_branch(&m->nodes[i]))
			continue;
		if (found || m->nodes[i].offset)
			return NULL;
		found = &m->nodes[i];
	}
	return found;
}

/* Appends sibling nodes [from, to) as they read outside any plural. */
static void
add_nodes(const struct message *m, const struct message_node *from, const struct message_node *to,
    struct buf *out)
{
	struct buf literal = {0};

	for (const struct message_node *node = from; node < to; node += node->size) {
		if (node->type == MESSAGE_POUND) {
			buf_addf(out, "{%.*s}", (int)node->name.len, node->name.ptr);
		} else if (node->type == MESSAGE_TEXT) {
			buf_reset(&literal);
			message_literal(m, node, &literal);
			/* What was read from this dialect can be said in it. */
			message_quote(buf_slice(&literal), m->dialect, false, true, out);
		} else {
			buf_addslice(out, message_bytes(m, node));
		}
	}
	buf_free(&literal);
}

void
branch_flatten(const struct message *m, const struct message_node *branch,
    const struct message_node *chosen, struct buf *out)
{
	add_nodes(m, m->nodes, branch, out);
	add_nodes(m, chosen + 1, chosen + chosen->size, out);
	add_nodes(m, branch + branch->size, m->nodes + m->n, out);
}

void
branch_open(const struct message_node *branch, struct buf *out)
{
	static const char *const words[] = {[MESSAGE_PLURAL] = "plural",
	    [MESSAGE_ORDINAL] = "selectordinal", [MESSAGE_SELECT] = "select"};

	buf_addf(out, "{%.*s, %s,", (int)branch->name.len, branch->name.ptr, words[branch->type]);
}

void
branch_close(struct buf *out)
{
	buf_addc(out, '}');
}

bool
branch_add(const struct message_node *branch, struct slice selector, struct slice text,
    unsigned dialect, bool pound, struct arena *arena, struct buf *out)
{
	size_t mark = out->len;
	struct buf literal = {0};
	struct message m;
	bool ok = message_parse(text, dialect, arena, &m, NULL) == 0;

	buf_addf(out, " %.*s{", (int)selector.len, selector.ptr);
	for (size_t i = 0; ok && i < m.n; i++) {
		const struct message_node *node = &m.nodes[i];

		if (is_branch(node)) {
			ok = false;
		} else if (node->type == MESSAGE_TEXT) {
			buf_reset(&literal);
			message_literal(&m, node, &literal);
			ok = message_quote(buf_slice(&literal), dialect,
			    branch->type != MESSAGE_SELECT, true, out);
		} else if (pound && node->type == MESSAGE_PLACEHOLDER && !node->style.len &&
		    slice_eq(node->name, branch->name)) {
			buf_addc(out, '#');
		} else {
			buf_addslice(out, message_bytes(&m, node));
		}
	}
	buf_addc(out, '}');
	buf_free(&literal);
	if (!ok)
		buf_cut(out, mark);
	return ok;
}

bool
branch_has_pound(const struct message *m)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->nodes[i].type == MESSAGE_POUND)
			return true;
	return false;
}
