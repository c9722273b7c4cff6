/*
 * The pool: one socket a worker, one poll loop in the parent.
 *
 * A job waits, is dealt to the worker with the shortest queue, and is
 * finished; finished jobs are handed on from the head of a ring, so order is
 * kept and what is outstanding is bounded by the ring's size. The parent never
 * blocks on one worker: a worker whose answer is large may block writing it
 * while the parent still has an item to send.
 *
 * A worker answers in the order in which it was dealt, so when it dies the
 * first job of its queue is the one it died on. The others go back to waiting
 * and are dealt to the worker that takes its place.
 */
#include "common/jobs.h"

#include "common/child.h"
#include "common/mem.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	MAX_WORKERS = 256,
	QUEUE = 2, /* jobs a worker holds: the next one waits beside the current */
	CHUNK = 256 * 1024,
};

enum job_state { JOB_WAITING, JOB_DEALT, JOB_FINISHED };

struct job {
	enum job_state state;
	struct buf item, out;
	int status;
	bool died;
};

struct worker {
	struct child child;
	size_t queue[QUEUE], queued; /* numbers of jobs, the current first */
	struct buf send;	     /* bytes that the socket did not take yet */
	size_t sent;
	struct frame frame; /* of the answer that is arriving */
	size_t have;	    /* bytes of frame that arrived */
};

struct jobs {
	jobs_work *work;
	jobs_done *done;
	void *state;
	size_t n; /* workers; 0: the work is done in this process */
	struct worker *workers;
	size_t window; /* size of the ring */
	struct job *ring;
	size_t first, next; /* numbers of the oldest job and of the next new one */
};

static struct job *
job_at(struct jobs *j, size_t number)
{
	return &j->ring[number % j->window];
}

/* In the worker: item after item, until the parent is gone. */
static void
serve(int fd, void *state)
{
	struct jobs *j = state;
	struct buf item = {0}, out = {0};
	int status;

	for (size_t i = 0; i < j->n; i++)
		if (j->workers[i].child.pid > 0)
			close(j->workers[i].child.fd);
	for (;;) {
		child_read(fd, &item);
		buf_reset(&out);
		status = j->work(buf_slice(&item), &out, j->state);
		child_write(fd, status, buf_slice(&out));
	}
}

/* 0, or -1 where the system has no process or socket left. */
static int
worker_start(struct jobs *j, struct worker *w)
{
	w->queued = w->have = w->sent = 0;
	buf_reset(&w->send);
	return child_start(&w->child, serve, j);
}

static void
worker_died(struct jobs *j, struct worker *w)
{
	struct job *job;

	child_end(&w->child);
	for (size_t i = 0; i < w->queued; i++) {
		job = job_at(j, w->queue[i]);
		job->state = i == 0 ? JOB_FINISHED : JOB_WAITING;
		job->died = i == 0;
		buf_reset(&job->out);
	}
	w->queued = 0;
}

/* Whether errno only says that the other side is not ready. */
static bool
try_later(void)
{
	return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

static void
worker_send(struct jobs *j, struct worker *w)
{
	ssize_t n;

	while (w->sent < w->send.len) {
		n = send(w->child.fd, w->send.ptr + w->sent, w->send.len - w->sent,
		    MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0) {
			if (!try_later())
				worker_died(j, w);
			return;
		}
		w->sent += (size_t)n;
	}
	buf_reset(&w->send);
	w->sent = 0;
}

/* Takes the answer's next bytes: false when there are none now. */
static bool
worker_receive(struct jobs *j, struct worker *w)
{
	struct job *job = w->queued > 0 ? job_at(j, w->queue[0]) : NULL;
	bool head = w->have < sizeof(w->frame);
	size_t want;
	char *to;
	ssize_t n;

	if (job == NULL || head) {
		/* Without a job there is nothing to say but the end. */
		to = (char *)&w->frame + w->have;
		want = sizeof(w->frame) - w->have;
	} else {
		want = (size_t)w->frame.len - job->out.len;
		if (want > CHUNK)
			want = CHUNK;
		to = buf_room(&job->out, want);
	}
	n = recv(w->child.fd, to, want, MSG_DONTWAIT);
	if (n < 0 && try_later())
		return false;
	if (n <= 0 || job == NULL) {
		worker_died(j, w);
		return false;
	}
	if (head)
		w->have += (size_t)n;
	else
		job->out.len += (size_t)n;
	if (w->have == sizeof(w->frame) && job->out.len == w->frame.len) {
		job->out.ptr[job->out.len] = '\0';
		job->status = (int)w->frame.status;
		job->state = JOB_FINISHED;
		w->have = 0;
		w->queued--;
		memmove(w->queue, w->queue + 1, w->queued * sizeof(w->queue[0]));
	}
	return w->queued > 0;
}

static void
give(struct jobs *j, struct worker *w, size_t number)
{
	struct job *job = job_at(j, number);
	struct frame frame = {.len = job->item.len};

	buf_reset(&job->out);
	buf_room(&job->out, 1);
	job->state = JOB_DEALT;
	w->queue[w->queued++] = number;
	buf_add(&w->send, &frame, sizeof(frame));
	buf_addslice(&w->send, buf_slice(&job->item));
	worker_send(j, w);
}

static void
work_here(struct jobs *j, struct job *job)
{
	buf_reset(&job->out);
	job->status = j->work(buf_slice(&job->item), &job->out, j->state);
	job->state = JOB_FINISHED;
}

/*
 * The worker to deal to, started if need be; NULL when all are busy. *none
 * says that no process can be had at all.
 */
static struct worker *
shortest_queue(struct jobs *j, bool *none)
{
	struct worker *best = NULL;

	*none = true;
	for (size_t i = 0; i < j->n; i++) {
		struct worker *w = &j->workers[i];

		if (w->child.pid == 0 && worker_start(j, w) < 0)
			continue;
		*none = false;
		if (w->queued < QUEUE && (best == NULL || w->queued < best->queued))
			best = w;
	}
	return best;
}

static void
deal(struct jobs *j)
{
	struct worker *w;
	bool none;

	for (size_t i = j->first; i != j->next; i++) {
		if (job_at(j, i)->state != JOB_WAITING)
			continue;
		w = shortest_queue(j, &none);
		if (none)
			work_here(j, job_at(j, i));
		else if (w == NULL)
			return;
		else
			give(j, w, i);
	}
}

static void
deliver(struct jobs *j)
{
	while (j->first != j->next && job_at(j, j->first)->state == JOB_FINISHED) {
		struct job *job = job_at(j, j->first);

		j->done(buf_slice(&job->item), buf_slice(&job->out), job->status, job->died,
		    j->state);
		/* One large answer must not stay in memory for the whole run. */
		if (job->out.cap > CHUNK)
			buf_free(&job->out);
		j->first++;
	}
}

/* Moves what can be moved; waits for something to move when asked to. */
static void
pump(struct jobs *j, bool wait)
{
	struct pollfd fds[MAX_WORKERS];
	struct worker *busy[MAX_WORKERS];
	nfds_t n = 0;

	for (size_t i = 0; i < j->n; i++) {
		struct worker *w = &j->workers[i];

		if (w->child.pid == 0 || w->queued == 0)
			continue;
		busy[n] = w;
		fds[n++] = (struct pollfd){.fd = w->child.fd,
		    .events = (short)(w->send.len > 0 ? POLLIN | POLLOUT : POLLIN)};
	}
	if (n > 0 && poll(fds, n, wait ? -1 : 0) > 0)
		for (nfds_t i = 0; i < n; i++) {
			if (fds[i].revents & POLLOUT)
				worker_send(j, busy[i]);
			if (busy[i]->child.pid > 0 && fds[i].revents & (POLLIN | POLLHUP | POLLERR))
				while (worker_receive(j, busy[i]))
					;
		}
	deal(j);
	deliver(j);
}

struct jobs *
jobs_start(long n, jobs_work *work, jobs_done *done, void *state)
{
	struct jobs *j = xcalloc(1, sizeof(*j));

	if (n <= 0)
		n = sysconf(_SC_NPROCESSORS_ONLN);
	if (n > MAX_WORKERS)
		n = MAX_WORKERS;
	j->work = work;
	j->done = done;
	j->state = state;
	j->n = n > 1 ? (size_t)n : 0;
	j->window = n > 1 ? QUEUE * j->n : 1;
	j->ring = xcalloc(j->window, sizeof(*j->ring));
	j->workers = xcalloc(j->n, sizeof(*j->workers));
	/* Now, not at the first item: the data is loaded, the heap is small. */
	for (size_t i = 0; i < j->n; i++)
		if (worker_start(j, &j->workers[i]) < 0)
			break;
	return j;
}

void
jobs_add(struct jobs *j, struct slice item)
{
	struct job *job;

	while (j->next - j->first == j->window)
		pump(j, true);
	job = job_at(j, j->next++);
	job->state = JOB_WAITING;
	job->died = false;
	buf_reset(&job->item);
	buf_addslice(&job->item, item);
	if (j->n == 0) {
		work_here(j, job);
		deliver(j);
	} else {
		pump(j, false);
	}
}

void
jobs_finish(struct jobs *j)
{
	while (j->first != j->next)
		pump(j, true);
	for (size_t i = 0; i < j->n; i++) {
		child_end(&j->workers[i].child);
		buf_free(&j->workers[i].send);
	}
	for (size_t i = 0; i < j->window; i++) {
		buf_free(&j->ring[i].item);
		buf_free(&j->ring[i].out);
	}
	free(j->workers);
	free(j->ring);
	free(j);
}
