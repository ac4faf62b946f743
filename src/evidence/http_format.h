/*
 * http_format - how one kind of verdict is asked for over HTTP, and how its answer is read.
 *
 * To add one: evidence/http_<name>.c with its format, a line here, a row in remote.c. Formats are constant; any thread.
 */
#ifndef VSR_EVIDENCE_HTTP_FORMAT_H
#define VSR_EVIDENCE_HTTP_FORMAT_H

#include <stdint.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/str.h"

struct arena;
struct evidence_answer;
struct signal_source;

enum { HTTP_QUESTION_LEN_MAX = 64 << 20 }; /* a body of the gateway's own limit, every byte of it escaped */

/* A part of a question grew too long: the whole is. */
static inline void http_question_fail(struct buf *out) {
    (void)buf_reserve(out, SIZE_MAX);
}

struct http_format {
    const char *suffix;  /* of the URL */
    uint64_t timeout_ms; /* unless the configuration has one */
    /* In how many steps a question can do without what not all servers have; each is taken when one refuses (400, 422).
     * NULL: none. */
    unsigned (*steps)(const struct signal_source *source);
    /* The body of the question, after so many steps. Failure is the buffer's. */
    void (*write)(struct buf *out, const struct signal_source *source, vsr_str text, unsigned steps);
    /*
     * Sets numbers and labels of an answer that promises nothing else. What it needs lies in `arena`. An error quotes
     * nothing of the answer that could be the text again.
     */
    int (*read)(const struct signal_source *source, vsr_str body, struct arena *arena,
                struct evidence_answer *ret_answer, struct vsr_err *err);
};

/* Of formats for which there is one. */
static inline unsigned http_format_one_step(const struct signal_source *source) {
    (void)source;
    return 1;
}

#define HTTP_FORMATS(X) X(http_classify) X(http_guard) X(http_label) X(http_route)

#define X(name) extern const struct http_format name;
HTTP_FORMATS(X)
#undef X

#endif
