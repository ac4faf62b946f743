#include "dsl/lsp_walk.h"

/* ---- words */

static bool is_among(const struct token *token, const char *const *words) {
    if (token->kind != TOKEN_IDENT)
        return false;
    for (size_t i = 0; words[i]; i++)
        if (str_eq_c(token->text, words[i]))
            return true;
    return false;
}

bool lsp_is_word(const struct token *token, const char *word) {
    return token && token->kind == TOKEN_IDENT && str_eq_c(token->text, word);
}

bool lsp_is_declaration(const struct token *token) {
    static const char *const words[] = { "ROUTING",       "ENTRYPOINT", "RECIPE", "SIGNAL", "PROJECTION", "ROUTE",
                                         "DECISION_TREE", "MODEL",      "PLUGIN", "TEST",   NULL };
    return is_among(token, words);
}

bool lsp_is_item(const struct token *token) {
    static const char *const words[] = { "PRIORITY",  "TIER",   "WHEN", "DESCRIPTION", "NAME",  "MODEL",
                                         "ALGORITHM", "PLUGIN", "FOR",  "EMIT",        "EXTRA", NULL };
    return is_among(token, words);
}

bool lsp_is_operator(const struct token *token) {
    static const char *const words[] = { "AND", "OR", "NOT", NULL };
    return is_among(token, words);
}

static bool is_text(const struct token *token) {
    return token && (token->kind == TOKEN_IDENT || token->kind == TOKEN_STRING);
}

/* ---- frames */

struct lsp_frame *lsp_walk_top(struct lsp_walk *walk) {
    return &walk->frames[walk->n - 1];
}

static struct lsp_frame *push(struct lsp_walk *walk, enum lsp_frame_kind kind, const struct token *opened) {
    struct lsp_frame *below = walk->n > 0 ? lsp_walk_top(walk) : NULL, *frame;
    if (walk->n == LSP_FRAMES_MAX) {
        walk->lost++;
        return NULL;
    }
    frame = &walk->frames[walk->n++];
    *frame = (struct lsp_frame){ .kind = kind, .opened = opened, .operand = true, .listing = true };
    if (below)
        frame->decl = below->kind == LSP_FRAME_PROGRAM ? below->head : below->decl;
    return frame;
}

static void push_fields(struct lsp_walk *walk, const struct token *opened, const struct language_block *block) {
    struct lsp_frame *frame = push(walk, LSP_FRAME_FIELDS, opened);
    if (frame)
        frame->block = block;
}

/* What a value, an item or a declaration was waiting for is there. */
static void close_frame(struct lsp_walk *walk, const struct token *token) {
    struct lsp_frame *frame;
    bool brace = token_is(token, '}');
    if (walk->lost > 0) {
        walk->lost--;
        return;
    }
    if (walk->n == 1)
        return;
    walk->n--;
    frame = lsp_walk_top(walk);
    frame->last = token;
    if (frame->kind == LSP_FRAME_FIELDS)
        frame->state = LSP_STATE_KEY;
    frame->operand = false;
    frame->listing = false;
    if (brace && (frame->kind == LSP_FRAME_PROGRAM || frame->kind == LSP_FRAME_BODY || frame->kind == LSP_FRAME_TREE))
        frame->head = NULL;
    if (walk->n == 1)
        walk->recipe = NULL;
}

/* ---- blocks */

const struct dsl_program *lsp_walk_scope(const struct lsp_walk *walk) {
    const struct dsl_program *program = &walk->document->parsed.program;
    DSL_EACH(decl, program, DSL_RECIPE) {
        if (walk->recipe && decl->at.start == walk->recipe->at.start && decl->recipe)
            return decl->recipe;
    }
    return program;
}

vsr_str lsp_frame_word(const struct lsp_frame *frame, size_t i) {
    return i < frame->n_words ? frame->words[i]->text : VSR_STR("");
}

static const struct language_block *block_of_plugin(const struct lsp_walk *walk, vsr_str name) {
    const struct dsl_program *scope = lsp_walk_scope(walk);
    DSL_EACH(decl, scope, DSL_PLUGIN) {
        if (str_eq(decl->name.text, name))
            return language_block(walk->language, LANGUAGE_PLUGINS, decl->type.text);
    }
    return language_block(walk->language, LANGUAGE_PLUGINS, name);
}

static void open_declaration(struct lsp_walk *walk, const struct lsp_frame *frame, const struct token *token) {
    const struct language *language = walk->language;
    const struct token *head = frame->head;
    if (lsp_is_word(head, "RECIPE")) {
        walk->recipe = head;
        (void)push(walk, LSP_FRAME_PROGRAM, token);
    } else if (lsp_is_word(head, "ROUTE")) {
        (void)push(walk, LSP_FRAME_BODY, token);
    } else if (lsp_is_word(head, "DECISION_TREE")) {
        (void)push(walk, LSP_FRAME_TREE, token);
    } else if (lsp_is_word(head, "TEST")) {
        (void)push(walk, LSP_FRAME_TEST, token);
    } else if (lsp_is_word(head, "ROUTING")) {
        push_fields(walk, token, language->routing);
    } else if (lsp_is_word(head, "ENTRYPOINT")) {
        push_fields(walk, token, language->entrypoint);
    } else if (lsp_is_word(head, "MODEL")) {
        push_fields(walk, token, language->model);
    } else if (lsp_is_word(head, "SIGNAL")) {
        push_fields(walk, token, language_block(language, LANGUAGE_SIGNALS, lsp_frame_word(frame, 0)));
    } else if (lsp_is_word(head, "PLUGIN")) {
        push_fields(walk, token, language_block(language, LANGUAGE_PLUGINS, lsp_frame_word(frame, 1)));
    } else if (lsp_is_word(head, "PROJECTION")) {
        vsr_str kind = lsp_frame_word(frame, 0);
        push_fields(walk, token,
                    str_eq_c(kind, "partition") ? language->partition
                    : str_eq_c(kind, "score")   ? language->score
                    : str_eq_c(kind, "mapping") ? language->mapping
                                                : NULL);
    } else {
        (void)push(walk, LSP_FRAME_UNKNOWN, token);
    }
}

static void open_item(struct lsp_walk *walk, const struct lsp_frame *frame, const struct token *token) {
    const struct language *language = walk->language;
    const struct token *head = frame->head;
    if (lsp_is_word(head, "ALGORITHM"))
        push_fields(walk, token, language_block(language, LANGUAGE_ALGORITHMS, lsp_frame_word(frame, 0)));
    else if (lsp_is_word(head, "PLUGIN"))
        push_fields(walk, token, block_of_plugin(walk, lsp_frame_word(frame, 0)));
    else if (lsp_is_word(head, "EMIT"))
        push_fields(walk, token, str_eq_c(lsp_frame_word(frame, 0), "retention") ? language->retention : NULL);
    else if (lsp_is_word(head, "EXTRA"))
        push_fields(walk, token, language->extra);
    else if (lsp_is_word(head, "FOR"))
        (void)push(walk, LSP_FRAME_BODY, token);
    else
        (void)push(walk, LSP_FRAME_UNKNOWN, token);
}

static void open_in_condition(struct lsp_walk *walk, const struct lsp_frame *frame, const struct token *token) {
    const struct token *last = frame->last;
    if (last && last->kind == TOKEN_IDENT && last != frame->head && !lsp_is_operator(last)) {
        struct lsp_frame *leaf = push(walk, LSP_FRAME_LEAF, token);
        if (leaf)
            leaf->type = last->text;
    } else {
        (void)push(walk, LSP_FRAME_GROUP, token);
    }
}

static void open_in_body(struct lsp_walk *walk, const struct lsp_frame *frame, const struct token *token) {
    if (token_is(token, '{'))
        open_item(walk, frame, token);
    else if (token_is(token, '(') && lsp_is_word(frame->head, "MODEL"))
        push_fields(walk, token, walk->language->ref);
    else if (token_is(token, '[') && lsp_is_word(frame->head, "FOR"))
        (void)push(walk, LSP_FRAME_MODELS, token);
    else if (token_is(token, '(') && lsp_is_word(frame->head, "WHEN"))
        open_in_condition(walk, frame, token);
    else
        (void)push(walk, LSP_FRAME_UNKNOWN, token);
}

static void open_in_fields(struct lsp_walk *walk, const struct lsp_frame *frame, const struct token *token) {
    struct lsp_frame *list;
    if (!token_is(token, '[')) {
        push_fields(walk, token, frame->field ? frame->field->block : NULL);
        return;
    }
    list = push(walk, LSP_FRAME_LIST, token);
    if (list) {
        list->field = frame->field;
        list->key = frame->key;
    }
}

/* A brace, a bracket or a parenthesis. */
static void open_frame(struct lsp_walk *walk, const struct token *token) {
    const struct lsp_frame *frame = lsp_walk_top(walk);
    if (walk->lost > 0) {
        walk->lost++;
        return;
    }
    switch (frame->kind) {
    case LSP_FRAME_PROGRAM:
        if (token_is(token, '('))
            push_fields(walk, token, NULL);
        else
            open_declaration(walk, frame, token);
        break;
    case LSP_FRAME_BODY:
        open_in_body(walk, frame, token);
        break;
    case LSP_FRAME_TREE:
        if (token_is(token, '{'))
            (void)push(walk, LSP_FRAME_BODY, token);
        else
            open_in_condition(walk, frame, token);
        break;
    case LSP_FRAME_GROUP:
        open_in_condition(walk, frame, token);
        break;
    case LSP_FRAME_FIELDS:
    case LSP_FRAME_LIST:
        open_in_fields(walk, frame, token);
        break;
    case LSP_FRAME_MODELS:
        push_fields(walk, token, walk->language->ref);
        break;
    case LSP_FRAME_TEST:
    case LSP_FRAME_LEAF:
        push_fields(walk, token, NULL);
        break;
    case LSP_FRAME_UNKNOWN:
        (void)push(walk, LSP_FRAME_UNKNOWN, token);
        break;
    }
}

/* ---- taking */

static void take_in_condition(struct lsp_frame *frame, const struct token *token) {
    if (token->kind == TOKEN_IDENT)
        frame->operand = lsp_is_operator(token);
}

/* A field: its name, or a scalar. */
static void take_in_fields(struct lsp_frame *frame, const struct token *token) {
    if (token_is(token, ':') || token_is(token, '=')) {
        frame->state = LSP_STATE_VALUE;
        return;
    }
    if (token->kind == TOKEN_PUNCTUATION)
        return;
    if (frame->state == LSP_STATE_VALUE) {
        if (frame->key && str_eq_c(frame->key->text, "type") && is_text(token))
            frame->type = token->text;
        frame->state = LSP_STATE_KEY;
        return;
    }
    frame->key = token;
    frame->field = frame->block ? language_field(frame->block, token->text) : NULL;
    frame->state = LSP_STATE_COLON;
}

static void take_head(struct lsp_frame *frame, const struct token *token) {
    frame->head = token;
    frame->n_words = 0;
    frame->operand = true;
    frame->listing = true;
}

static void take_in_items(struct lsp_frame *frame, const struct token *token) {
    bool waits = frame->head && frame->n_words == 0 && frame->head->at.line == token->at.line &&
                 !lsp_is_word(frame->head, "WHEN") && !lsp_is_word(frame->head, "EXTRA");
    if (token_is(token, ',')) {
        frame->listing = true;
        return;
    }
    if (lsp_is_item(token) && !waits) {
        take_head(frame, token);
        return;
    }
    if (!frame->head || token->kind == TOKEN_PUNCTUATION)
        return;
    take_in_condition(frame, token);
    frame->listing = false;
    if (frame->n_words < VSR_COUNT(frame->words))
        frame->words[frame->n_words] = token;
    frame->n_words++;
}

static void take_in_program(struct lsp_frame *frame, const struct token *token) {
    if (!frame->head) {
        if (token->kind == TOKEN_IDENT)
            take_head(frame, token);
        return;
    }
    if (token->kind == TOKEN_PUNCTUATION)
        return;
    if (frame->n_words < VSR_COUNT(frame->words))
        frame->words[frame->n_words] = token;
    frame->n_words++;
}

static void take_in_tree(struct lsp_frame *frame, const struct token *token) {
    if (lsp_is_word(token, "IF") || lsp_is_word(token, "ELSE"))
        take_head(frame, token);
    else
        take_in_condition(frame, token);
}

bool lsp_walk_restarts(const struct lsp_walk *walk, const struct token *token) {
    const struct lsp_frame *frame = &walk->frames[walk->n - 1];
    if (walk->n == 1 || token->at.col != 1 || !lsp_is_declaration(token))
        return false;
    return frame->kind != LSP_FRAME_PROGRAM || !walk->recipe || token->at.col <= walk->recipe->at.col;
}

static void take_word(const struct lsp_walk *walk, struct lsp_frame *frame, const struct token *token) {
    switch (frame->kind) {
    case LSP_FRAME_PROGRAM:
        if (frame->head && token->at.line != frame->head->at.line && lsp_is_declaration(token))
            frame->head = NULL;
        take_in_program(frame, token);
        break;
    case LSP_FRAME_BODY:
        take_in_items(frame, token);
        break;
    case LSP_FRAME_TREE:
        take_in_tree(frame, token);
        break;
    case LSP_FRAME_FIELDS:
        take_in_fields(frame, token);
        break;
    case LSP_FRAME_GROUP:
        take_in_condition(frame, token);
        break;
    case LSP_FRAME_LEAF: /* behind the name come fields */
        if (is_text(token)) {
            frame->kind = LSP_FRAME_FIELDS;
            frame->block = walk->language->leaf;
        }
        break;
    case LSP_FRAME_MODELS:
        frame->listing = token_is(token, ',');
        break;
    case LSP_FRAME_TEST:
    case LSP_FRAME_LIST:
    case LSP_FRAME_UNKNOWN:
        break;
    }
    frame->last = token;
}

void lsp_walk_init(struct lsp_walk *walk, const struct language *language, const struct lsp_document *document) {
    static const struct token start = { .kind = TOKEN_END };
    walk->language = language;
    walk->document = document;
    walk->n = 0;
    walk->lost = 0;
    walk->recipe = NULL;
    (void)push(walk, LSP_FRAME_PROGRAM, &start);
}

void lsp_walk_take(struct lsp_walk *walk, const struct token *token) {
    if (lsp_walk_restarts(walk, token))
        lsp_walk_init(walk, walk->language, walk->document);
    if (token_is(token, '{') || token_is(token, '[') || token_is(token, '('))
        open_frame(walk, token);
    else if (token_is(token, '}') || token_is(token, ']') || token_is(token, ')'))
        close_frame(walk, token);
    else if (walk->lost == 0)
        take_word(walk, lsp_walk_top(walk), token);
}
