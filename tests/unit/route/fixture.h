/*
 * fixture - a recipe from YAML text and one evaluation of a chat body, for tests of route/.
 */
#ifndef VSR_TESTS_ROUTE_FIXTURE_H
#define VSR_TESTS_ROUTE_FIXTURE_H

#include "test.h"

#include "config/load.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/json.h"
#include "core/json_write.h"
#include "route/route.h"

struct fixture {
    struct arena *arena;  /* of the recipe */
    struct arena *memory; /* of the request */
    const struct config_document *doc;
    struct route *route;
    struct route_scratch *scratch;
    struct route_state *state;
    const struct route_outcome *outcome;
    struct diag diag;
};

/* The part of a document that evaluation does not look at. */
#define FIXTURE_HEAD "version: v0.3\nlisteners: [{name: main, address: 127.0.0.1, port: 8080}]\n"

static inline int fixture_load(struct fixture *f, const char *yaml) {
    static const struct config_kind algorithms[] = { { .type = "static", .ready = true } };
    struct config_load_options options = { .parts = { .families = route_families(), .algorithms = { algorithms, 1 } } };
    int rc;
    *f = (struct fixture){ .arena = arena_new(0, 0), .memory = arena_new(0, 0) };
    diag_init(&f->diag, f->arena, VSR_STR("test.yaml"));
    rc = config_load_text(f->arena, str_from_c(yaml), VSR_STR("test.yaml"), &options, &f->doc, &f->diag);
    if (rc < 0)
        return rc;
    rc = route_build(f->arena, f->doc, &f->doc->scopes[0], &f->route, &f->diag);
    if (rc < 0)
        return rc;
    return route_scratch_new(f->route, &f->scratch, NULL);
}

static inline void fixture_print_problems(struct fixture *f) {
    struct buf out;
    buf_init(&out, 1 << 20);
    diag_print(&f->diag, &out, false);
    print_error("%.*s", (int)out.len, out.ptr);
    buf_done(&out);
}

static inline void fixture_must_load(struct fixture *f, const char *yaml) {
    if (fixture_load(f, yaml) < 0) {
        fixture_print_problems(f);
        fail_msg("the configuration does not load");
    }
}

static inline void fixture_free(struct fixture *f) {
    route_scratch_free(f->scratch);
    arena_free(f->memory);
    arena_free(f->arena);
}

/* Evaluates facts; the state stays in the fixture. */
static inline const struct route_outcome *fixture_route(struct fixture *f, const struct request_facts *facts,
                                                        bool full) {
    struct route_options options = { .full = full };
    f->state = route_begin(f->route, f->scratch, f->memory, facts, &options);
    CHECK_INT(route_step(f->state, NULL), ROUTE_DONE, "step");
    return f->outcome = route_outcome(f->state);
}

static inline const struct request_facts *fixture_facts(struct fixture *f, vsr_str body) {
    struct json_doc doc;
    struct facts_options options = { 0 };
    struct request_facts *facts = ARENA_NEW(f->memory, struct request_facts);
    struct vsr_err err = VSR_ERR_NONE;
    CHECK_MSG(json_parse(f->memory, arena_str(f->memory, body), &doc, &err) == 0, "%s", err.text);
    CHECK_MSG(facts_read_chat(f->memory, &doc, &options, facts, &err) == 0, "%s", err.text);
    return facts;
}

/* A request with one user message. */
static inline const struct request_facts *fixture_prompt(struct fixture *f, vsr_str prompt) {
    const struct request_facts *facts;
    struct buf body;
    buf_init(&body, 64 << 20);
    buf_append_c(&body, "{\"model\":\"auto\",\"messages\":[{\"role\":\"user\",\"content\":");
    json_quote(&body, prompt);
    buf_append_c(&body, "}]}");
    facts = fixture_facts(f, buf_str(&body));
    buf_done(&body);
    return facts;
}

#endif
