#include "serve/extproc_bodies.h"

#include "net/server.h"

enum { UNSEEN, PROBE_DUE_MS, N_NOTES };
_Static_assert((int)N_NOTES <= (int)EXCHANGE_NOTES, "more is noted than there is room");

void extproc_bodies_shown(uint64_t *notes) {
    notes[UNSEEN] = 0;
}

bool extproc_bodies_unseen(uint64_t *notes, uint64_t now_ms) {
    if (++notes[UNSEEN] == EXTPROC_UNSEEN_MIN)
        notes[PROBE_DUE_MS] = now_ms + EXTPROC_PROBE_MS;
    return notes[UNSEEN] >= EXTPROC_UNSEEN_MIN;
}

bool extproc_bodies_refuse(uint64_t *notes, uint64_t now_ms) {
    if (notes[UNSEEN] < EXTPROC_UNSEEN_MIN)
        return false;
    if (now_ms < notes[PROBE_DUE_MS])
        return true;
    notes[PROBE_DUE_MS] = now_ms + EXTPROC_PROBE_MS;
    return false;
}
