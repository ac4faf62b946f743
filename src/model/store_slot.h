/*
 * store_slot - what a store knows about one model. Private to the store*.c files; the store's lock guards all of it.
 *
 * A slot's wish says what it should be, its model what it is; they differ while a load is under way, and after one that
 * failed. What a configuration asks of it becomes its wish once the scout has looked for the files.
 *
 * A slot that nobody wants leaves the list at once, and is freed by the last of its users. One that is claimed stays in
 * the list unwanted, and goes with its last claim.
 */
#ifndef VSR_MODEL_STORE_SLOT_H
#define VSR_MODEL_STORE_SLOT_H

#include "model/store_state.h"
#include "model/wish.h"

struct slot {
    struct slot *next;   /* of all slots, or of those that are gone */
    struct slot *behind; /* of the queue */
    int readiness;       /* its number there; none when it is not wanted */
    struct wish *wish;
    struct wish *asked;         /* what it shall be, until it has been looked for; NULL: that is `wish` */
    enum readiness_state state; /* of the wish */
    struct vsr_err why;         /* of ABSENT and FAILED */
    struct model *model;        /* NULL: none is loaded */
    struct model *leaving;      /* of one that is gone: to be freed without the lock */
    uint64_t load_ms, self_test_us;
    struct result_key loaded_as;
    uint64_t used;                /* the store's clock when it was asked for last */
    const struct wish *under_way; /* what is being loaded; compared only: it may not be wanted any more */
    bool wanted;                  /* by the last configuration, not by claims alone */
    bool queued, loading, gone;
    bool awaited;  /* queued because somebody waits for it */
    bool called;   /* somebody asked for it while it was being looked for */
    bool settling; /* it is loaded; room is being made for it */
    size_t n_claims;
    size_t n_users; /* loaders, askers, claims, and the scout */
};

/* NULL: there is none. A name is what the configuration uses, or any other of the same model. */
struct slot *slot_of_path(const struct store *store, vsr_str path);
struct slot *slot_of_name(const struct store *store, vsr_str name);

/* At the end of the list, not wanted yet; the wish is one reference more. */
struct slot *slot_new(struct store *store, struct wish *wish);
/* None of the readiness any more. One that is not wanted is allowed, and stays as it is. */
void slot_unwant(struct store *store, struct slot *slot);
/* Takes it out of list, queue and readiness, and gives its model to slot_let_go(). Without one it is freed, unless
 * somebody still uses it. */
void slot_drop(struct store *store, struct slot *slot);
/* Frees the model of one slot that is gone; there is one. On a thread of the store's that has nothing to do for the
 * moment; gives up the lock meanwhile. */
void slot_let_go(struct store *store);
/* Of one user, who has raised `n_users`: frees the slot if it is gone and this was the last. */
void slot_leave(struct slot *slot);

/* Loaded without being asked for, and never unloaded for others. */
bool slot_is_eager(const struct slot *slot);

/* Behind all, or when somebody waits for it, before those that nobody waits for. One that is queued already keeps its
 * place unless the new one is better. */
void slot_enqueue(struct store *store, struct slot *slot, bool awaited);
/* One that is not queued is allowed. */
void slot_unqueue(struct store *store, struct slot *slot);

#endif
