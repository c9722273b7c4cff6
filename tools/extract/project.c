#include "tools/extract/project.h"

#include "common/jobs.h"
#include "common/mem.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

void
project_learn_file(struct files *f, int fd, const char *file, struct buf *facts)
{
	struct err e;
	struct stat st;

	if (fd < 0)
		return;
	/* What a fifo holds is there once: it is left to the second pass. */
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return;
	}
	if (f->dart == NULL)
		f->dart = dart_new(f->words);
	int status = files_slurp(fd, f->max_file, &f->text, &e);
	struct source source = {file, buf_slice(&f->text)};
	if (status == 0 && files_is_text(source.text, &e) &&
	    !dart_is_generated(f->words, &source))
		dart_learn(f->dart, &source, facts);
	close(fd);
}

void
project_no_fault(const char *path, int error, void *state)
{
	(void)path, (void)error, (void)state;
}

/* ---- over operands ---- */

struct learning {
	struct files *files;
	struct names *names;
	struct jobs *jobs;
	const char *operand; /* at hand */
};

static int
learn_job(struct slice item, struct buf *out, void *state)
{
	struct learning *l = state;
	char *file = xstrndup(item.ptr, item.len);

	project_learn_file(l->files, open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), file, out);
	free(file);
	return 0;
}

static void
learn_done(struct slice item, struct slice out, int status, bool died, void *state)
{
	struct learning *l = state;

	(void)item, (void)status, (void)died;
	names_add(l->names, out);
}

static int
learn_visit(const struct walk_file *file, void *state)
{
	struct learning *l = state;

	if (files_is_dart(file->path) && (file->operand || files_wants(l->files, file->path, l->operand)))
		jobs_add(l->jobs, slice(file->path));
	return 0;
}

void
project_learn(struct files *f, char *const *operands, int noperands,
    const struct walk_options *options, long jobs, struct names *names)
{
	struct learning l = {.files = f, .names = names};

	l.jobs = jobs_start(jobs, learn_job, learn_done, &l);
	for (int i = 0; i < noperands; i++) {
		l.operand = operands[i];
		walk(operands[i], options, learn_visit, project_no_fault, &l);
	}
	jobs_finish(l.jobs);
	names_resolve(names);
}
