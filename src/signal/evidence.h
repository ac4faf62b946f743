/*
 * evidence - what families ask of models, and what models answer.
 *
 * A family that needs a model does not call one. Before it judges it says what it wants to know: an *ask* is a kind of
 * answer, a *source* (who is asked) and a text. Whoever drives the engine obtains raw numbers - a vector,
 * probabilities, spans - and the family judges them. So the same asks and answers give the same result everywhere.
 *
 *     build()   signal_source_add(), signal_bank_add()        once for a recipe
 *     ask()     evidence_ask(...)                              the caller sees what is asked, and answers
 *     eval()    evidence_ask(...) with the same arguments      is now answered, with numbers or with a failure
 *
 * Asks of one evaluation are unique by kind, source and text: families that want the same share one, also across
 * stages.
 *
 * Sources are built once and read-only: any thread. Asks belong to one evaluation and one thread.
 */
#ifndef VSR_SIGNAL_EVIDENCE_H
#define VSR_SIGNAL_EVIDENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/str.h"
#include "signal/models.h"
#include "signal/results.h"

struct arena;
struct config_strings;
struct signal_builder;
struct signal_risk;
struct similarity_scale;

/* ---- who is asked */

enum signal_source_kind {
    SOURCE_MODEL,           /* of this process: `model` */
    SOURCE_HTTP_EMBEDDINGS, /* an embeddings API; config: struct config_semantic, its endpoint */
    SOURCE_HTTP_CLASSIFY,   /* a server that gives every label its probability; config: struct config_external_model */
    SOURCE_HTTP_GUARD,      /* a chat model with a verdict of safe or unsafe; config: struct config_external_model */
    SOURCE_HTTP_LABEL,      /* a chat model that picks one of `labels` by `instructions`; config: the same */
    SOURCE_HTTP_ROUTE,      /* a chat model that picks the route, of `labels`, that fits; config: the same */
    SOURCE_MCP_CLASSIFY,    /* a tool; config: struct config_mcp_classifier */
    SOURCE_MCP_EMBEDDINGS,  /* a tool; config: struct config_semantic, its mcp */
};

/* Something a source can pick. */
struct signal_label {
    vsr_str name, description; /* of a route; else the description is empty */
};

struct signal_source {
    enum signal_source_kind kind;
    struct signal_model model;         /* SOURCE_MODEL */
    bool images;                       /* SOURCE_MODEL that embeds: data URIs are images (signal/picture_example.h) */
    size_t layers;                     /* SOURCE_MODEL that embeds: leave it after so many; 0: all */
    const struct signal_risk *risk;    /* SOURCE_MODEL that classifies: counts in any part of a text; NULL: none */
    const void *config;                /* the others: as said above. Compared by address */
    const struct signal_label *labels; /* what the answer may name; NULL: whatever the source knows */
    size_t n_labels;
    vsr_str instructions;
    int64_t timeout_ms; /* of the configuration; 0: the default of its kind */
};

struct signal_sources {
    struct signal_source *items;
    size_t n, cap;
};

/*
 * The number of the source within its recipe; equal ones are one. Keeps what it points to.
 */
uint32_t signal_source_add(struct signal_builder *builder, const struct signal_source *source);

/* What people know it by: the path of a model, the name of a model elsewhere or of a tool. */
vsr_str signal_source_name(const struct signal_source *source);

/* Labels without descriptions. Live in the builder's arena, texts where they are. */
struct signal_label *signal_labels_from(struct signal_builder *builder, const struct config_strings *names);

/* ---- what is asked */

enum evidence_kind {
    EVIDENCE_VECTOR,  /* the text's embedding, whole: whoever wants less of it cuts it */
    EVIDENCE_CLASSES, /* one probability for each label */
    EVIDENCE_SPANS,   /* parts of the text, each with a label */
};

/* Bytes [start, end) of the ask's text. */
struct evidence_span {
    size_t start, end;
    uint32_t label;
    double confidence;
};

/*
 * Either a failure, with a reason for people or NULL, or numbers. All memory is the answerer's until the evaluation
 * ends: usually the request's arena.
 */
struct evidence_answer {
    enum signal_code code; /* SIGNAL_OK: the numbers are there */
    const char *reason;
    const float *numbers; /* VECTOR: of unit length; CLASSES: by label. A pick that none of the labels is: all 0 */
    size_t n;
    const struct evidence_span *spans; /* SPANS: by start */
    size_t n_spans;
    const vsr_str *labels; /* CLASSES: as many as numbers; SPANS: those that spans name */
    size_t n_labels;
    const struct similarity_scale *similarity; /* VECTOR: what its cosines mean; NULL: what they are */
    const char *model, *version;               /* who said so, for people; NULL: not known */
    bool remembered;                           /* no model was run for this ask */
    bool cut; /* the end of the text was left out: it was too long. Whoever looks for attacks or personal data must see
                 all of a text: what was left out is not clean */
};

enum { EVIDENCE_ASKERS_MAX = 32 }; /* families; bits of `askers` */

struct evidence_ask {
    enum evidence_kind kind;
    uint32_t source; /* index into route_sources() */
    vsr_str text;    /* valid until the evaluation ends */
    bool answered;
    struct evidence_answer answer; /* once it is answered */
    int64_t timeout_ms;            /* how long the answer is worth waiting for; 0: no limit */
    uint32_t askers;               /* bit per family of the recipe that asked */
};

/* ---- the asks of one evaluation */

enum { EVIDENCE_ASKS_MAX = 1 << 16 }; /* a text of some 20 MB in pieces for one model */

struct evidence_asks {
    struct arena *arena;
    struct evidence_ask **items; /* in the order of asking */
    size_t n, cap;
    uint32_t *slots; /* index + 1, by hash; 0: free */
    size_t n_slots;
    bool closed;    /* nobody answers any more: what is new counts as unavailable */
    uint32_t asker; /* the family that asks now */
};

void evidence_asks_init(struct evidence_asks *asks, struct arena *arena);

/*
 * The ask of that kind, source and text (by content); made when it is new, and kept: `text` too. Never NULL. Within
 * eval() it is always answered: with a failure when nobody did, when it was not asked before, or when there was no
 * memory.
 */
const struct evidence_ask *evidence_ask(struct evidence_asks *asks, enum evidence_kind kind, uint32_t source,
                                        vsr_str text);

/*
 * Takes an answer. One that breaks its promise - a number that is not finite or no probability, a vector of length
 * zero, a span outside the text - becomes a failure, so that families need not look; a vector of another length is
 * brought to 1, and a probability that rounding made greater is 1.
 */
void evidence_take(struct evidence_asks *asks, struct evidence_ask *ask, const struct evidence_answer *answer);

#endif
