#include "common/record.h"

#include "common/mem.h"
#include "common/record_io.h"

#include <stdlib.h>

void
run_start(struct run *run, const struct tool *tool, void *settings, int argc, char **argv)
{
	int first;

	die_name(tool->name);
	out_signals();
	*run = (struct run){.tool = tool, .common = settings};
	first = opt_parse(tool, settings, argc, argv, &run->command);
	run->operands = argv + first;
	run->noperands = argc - first;
	die_verbosity(run->common->quiet ? -1 : run->common->verbose);
	run->io = xcalloc(1, sizeof(*run->io));
	out_open(run);
}

void
run_command(struct run *run, void *settings)
{
	run->command->run(run, settings);
}

void
run_status(struct run *run, enum status status)
{
	if ((int)status > run->status)
		run->status = (int)status;
}

int
run_finish(struct run *run)
{
	struct record_io *io = run->io;

	out_close(run);
	out_raise();
	lines_free(&io->lines);
	buf_free(&io->edit);
	buf_free(&io->kind);
	buf_free(&io->unwrapped);
	capture_free(&io->direct);
	free(io);
	return run->status;
}

void
record_partial(struct record *r)
{
	run_status(r->run, STATUS_PARTIAL);
}

void
record_set(struct record *r, const char *const *path, size_t n, struct slice value)
{
	struct buf *edit = &r->run->io->edit;

	if (r->text.ptr != edit->ptr || edit->ptr == NULL) {
		buf_reset(edit);
		buf_addslice(edit, r->text);
	}
	json_set(edit, path, n, value);
	r->text = buf_slice(edit);
}

void
record_pass(struct record *r)
{
	out_line(r->run, r->text);
}

void
record_emit(struct run *run, struct slice object)
{
	out_line(run, object);
}

bool
record_kind(const struct record *r, const char *kind)
{
	return json_is(r->kind, kind);
}

bool
record_get(const struct record *r, const char *name, struct slice *value)
{
	return json_get(r->text, name, value);
}

bool
record_get_text(const struct record *r, const char *name, struct buf *out)
{
	return json_get_text(r->text, name, out);
}
