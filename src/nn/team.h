/*
 * team - the cores that passes share: one pass alone spreads over all of them, many passes have one each.
 *
 * A team of `cores` has a helper thread for each core but one. A pass is a crew: it takes a core for the thread that it
 * came on, waiting until there is one, and whenever it has work that falls into parts (crew_run()) takes on helpers
 * that are idle, up to its share of the cores. When a pass waits for a core, crews that have more than their share give
 * helpers back, at the end of a part and not of a pass. So no more threads work than there are cores, however many
 * passes come; and a long pass grows when others end.
 *
 *     threads that work = the crews' own threads + their helpers <= cores        free = cores - that
 *
 * What a part computes must not depend on who computes it: parts are handed out as threads come for them.
 *
 * A helper that is in a crew looks out for the next parts for some ten microseconds before it sleeps: between two
 * layers there is no time to wake a thread. Nothing is allocated once a team is made. Any thread may begin a crew; a
 * crew belongs to the thread that began it.
 */
#ifndef VSR_NN_TEAM_H
#define VSR_NN_TEAM_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

struct crew;
struct team;

enum { TEAM_CORES_MAX = 256 };

/* What a helper keeps from one pass to the next, whoever's they are. */
struct crew_kit {
    void *data; /* NULL at first */
    void (*free)(void *data);
};

/* VSR_E_INVALID, or VSR_E_NOMEM for threads. */
int team_new(size_t cores, struct team **ret, struct vsr_err *err) VSR_MUST_CHECK;
/* After all crews. NULL is allowed. */
void team_free(struct team *team);

/* Waits for a core. At most `threads_max` threads will work for it, the caller's among them; 0: any number. */
struct crew *crew_begin(struct team *team, size_t threads_max);
void crew_end(struct crew *crew);

/* The caller is member 0, helpers are 1 to cores - 1 and the same thread each time. */
typedef int crew_part(void *owner, size_t part, size_t member, struct vsr_err *err);

/*
 * Runs parts 0 to n - 1 and returns when all are done. Returns 0, or the failure of the least part that failed; behind
 * a failure parts may be left out. `crew` NULL: all on the caller's thread.
 */
int crew_run(struct crew *crew, size_t n, crew_part *part, void *owner, struct vsr_err *err) VSR_MUST_CHECK;

/* Takes on who is idle, and says how many threads there are now: for deciding how finely to cut. `crew` NULL: 1. */
size_t crew_gather(struct crew *crew);

/* Of the helper `member` (not 0), on that helper, while it runs a part. */
struct crew_kit *crew_kit(struct crew *crew, size_t member);

struct team_stats {
    size_t cores, crews, working; /* now: crews, and the threads that are theirs */
    size_t working_most;          /* ever */
    uint64_t helped;              /* parts that helpers did */
};

struct team_stats team_stats(struct team *team);

#endif
