#include "tools/collab/marks.h"

#include "common/path.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct slot {
	uint64_t value, inverse;
};

/* Numbers are the machine's own; a counter never crosses a disk's sector. */
struct marks_file {
	char magic[32];
	struct slot slots[MARKS][2];
};
_Static_assert(sizeof(struct marks_file) == 32 + 32 * MARKS, "a counter has 32 bytes");

static const char magic[32] = "kandil marks 1\n";

static uint64_t
load(const struct slot *s, bool *valid)
{
	uint64_t value = __atomic_load_n(&s->value, __ATOMIC_RELAXED);

	*valid = __atomic_load_n(&s->inverse, __ATOMIC_RELAXED) == ~value;
	return value;
}

/* Ordered, so that the other slot is whole while this one is not. */
static void
store(struct slot *s, uint64_t value)
{
	__atomic_store_n(&s->value, value, __ATOMIC_SEQ_CST);
	__atomic_store_n(&s->inverse, ~value, __ATOMIC_SEQ_CST);
}

/* The newest of the two slots, which is the larger; false when neither is valid. */
static bool
newest(const struct slot pair[2], uint64_t *value, unsigned *which)
{
	bool valid[2];
	uint64_t v[2] = {load(&pair[0], &valid[0]), load(&pair[1], &valid[1])};

	*which = valid[1] && (!valid[0] || v[1] > v[0]);
	*value = valid[*which] ? v[*which] : 0;
	return valid[*which];
}

uint64_t
marks_get(const struct marks *m, unsigned i)
{
	uint64_t value;
	unsigned which;

	newest(m->file->slots[i], &value, &which);
	return value;
}

void
marks_set(struct marks *m, unsigned i, uint64_t value)
{
	struct slot *pair = m->file->slots[i];

	if (value < marks_get(m, i))
		store(&pair[m->turn[i] ^ 1], value);
	store(&pair[m->turn[i]], value);
	m->turn[i] ^= 1;
}

/* Writes the whole file of zeros: stores into a hole could find the disk full. */
static int
make(int fd, const char *name, struct err *e)
{
	struct marks_file zeros = {.magic = {0}};

	memcpy(zeros.magic, magic, sizeof(magic));
	for (unsigned i = 0; i < MARKS; i++)
		zeros.slots[i][0].inverse = zeros.slots[i][1].inverse = ~(uint64_t)0;
	if (ftruncate(fd, 0) != 0 || lseek(fd, 0, SEEK_SET) != 0 ||
	    path_write(fd, (struct slice){(const char *)&zeros, sizeof(zeros)}) != 0 ||
	    fsync(fd) != 0)
		return err_set(e, errno == ENOSPC || errno == EDQUOT ? "disk_full" : "cannot_write",
		    "cannot write '%s': %s", name, strerror(errno));
	return 0;
}

static int
map(struct marks *m, int fd, const char *name, bool *damaged, struct err *e)
{
	struct stat st;
	void *at;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return err_set(e, "cannot_write", "'%s' is no regular file", name);
	if ((size_t)st.st_size != sizeof(struct marks_file)) {
		*damaged = st.st_size != 0;
		if (make(fd, name, e) != 0)
			return -1;
	}
	at = mmap(NULL, sizeof(struct marks_file), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		return err_set(e, "cannot_write", "cannot map '%s': %s", name, strerror(errno));
	m->file = at;
	if (memcmp(m->file->magic, magic, sizeof(magic)) != 0) {
		*damaged = true;
		return make(fd, name, e);
	}
	return 0;
}

int
marks_open(struct marks *m, const char *name, bool *damaged, struct err *e)
{
	int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600), rc;

	*damaged = false;
	*m = (struct marks){0};
	if (fd < 0)
		return err_set(e, "cannot_write", "cannot open '%s': %s", name, strerror(errno));
	rc = map(m, fd, name, damaged, e);
	close(fd);
	if (rc != 0) {
		marks_close(m);
		return -1;
	}
	for (unsigned i = 0; i < MARKS; i++) {
		uint64_t value;
		unsigned which;

		if (newest(m->file->slots[i], &value, &which)) {
			m->turn[i] = which ^ 1;
			continue;
		}
		*damaged = true;
		store(&m->file->slots[i][0], 0);
		store(&m->file->slots[i][1], 0);
	}
	return 0;
}

void
marks_close(struct marks *m)
{
	if (m->file)
		munmap(m->file, sizeof(struct marks_file));
	m->file = NULL;
}
