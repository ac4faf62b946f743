/*
 * lsp_context - what could be written at a place, also in a program that does not parse: it is being written.
 *
 * The words before the place are read by a small automaton that knows which blocks are open. A keyword of a declaration
 * at the start of a line closes them all, so that a brace that is missing costs one declaration.
 */
#include "dsl/lsp_parts.h"

enum frame_kind {
    FRAME_PROGRAM, /* declarations */
    FRAME_BODY,    /* of a route, a branch, a FOR */
    FRAME_TREE,
    FRAME_TEST,
    FRAME_FIELDS,  /* key: value, key = value */
    FRAME_LIST,    /* values of `field` */
    FRAME_GROUP,   /* parentheses of a condition */
    FRAME_LEAF,    /* parentheses of a signal */
    FRAME_MODELS,  /* brackets of a FOR */
    FRAME_UNKNOWN, /* no rule says what is in it */
};

enum field_state { STATE_KEY, STATE_COLON, STATE_VALUE };

struct frame {
    enum frame_kind kind;
    const struct token *opened;
    const struct token *head;     /* keyword of the item; NULL: a new one begins */
    const struct token *words[2]; /* behind it */
    size_t n_words;
    bool options; /* the parentheses behind a name are over */
    const struct token *last;
    bool operand; /* GROUP, and conditions of items: a signal comes next */
    bool listing; /* of models: one comes next */
    enum field_state state;
    const struct token *key;
    const struct language_block *block;
    const struct language_field *field;
    vsr_str type;             /* LEAF: of the signal; FIELDS: what the field `type` said */
    const struct token *decl; /* keyword of the declaration it is in */
};

enum { FRAMES_MAX = 2 * DSL_DEPTH_MAX + 8 };

struct walk {
    const struct language *language;
    const struct lsp_document *document;
    struct frame frames[FRAMES_MAX];
    size_t n;
    size_t lost;                /* frames above the last one that are not kept */
    const struct token *recipe; /* keyword of the recipe around it */
};

static bool is_among(const struct token *token, const char *const *words) {
    if (token->kind != TOKEN_IDENT)
        return false;
    for (size_t i = 0; words[i]; i++)
        if (str_eq_c(token->text, words[i]))
            return true;
    return false;
}

static bool is_word(const struct token *token, const char *word) {
    return token && token->kind == TOKEN_IDENT && str_eq_c(token->text, word);
}

static bool is_declaration(const struct token *token) {
    static const char *const words[] = { "ROUTING",       "ENTRYPOINT", "RECIPE", "SIGNAL", "PROJECTION", "ROUTE",
                                         "DECISION_TREE", "MODEL",      "PLUGIN", "TEST",   NULL };
    return is_among(token, words);
}

static bool is_item(const struct token *token) {
    static const char *const words[] = { "PRIORITY",  "TIER",   "WHEN", "DESCRIPTION", "NAME",  "MODEL",
                                         "ALGORITHM", "PLUGIN", "FOR",  "EMIT",        "EXTRA", NULL };
    return is_among(token, words);
}

static bool is_operator(const struct token *token) {
    static const char *const words[] = { "AND", "OR", "NOT", NULL };
    return is_among(token, words);
}

static bool is_text(const struct token *token) {
    return token && (token->kind == TOKEN_IDENT || token->kind == TOKEN_STRING);
}

/* ---- frames */

static struct frame *top(struct walk *walk) {
    return &walk->frames[walk->n - 1];
}

static struct frame *push(struct walk *walk, enum frame_kind kind, const struct token *opened) {
    struct frame *below = walk->n > 0 ? top(walk) : NULL, *frame;
    if (walk->n == FRAMES_MAX) {
        walk->lost++;
        return NULL;
    }
    frame = &walk->frames[walk->n++];
    *frame = (struct frame){ .kind = kind, .opened = opened, .operand = true, .listing = true };
    if (below)
        frame->decl = below->kind == FRAME_PROGRAM ? below->head : below->decl;
    return frame;
}

static void push_fields(struct walk *walk, const struct token *opened, const struct language_block *block) {
    struct frame *frame = push(walk, FRAME_FIELDS, opened);
    if (frame)
        frame->block = block;
}

/* What a value, an item or a declaration was waiting for is there. */
static void close_frame(struct walk *walk, const struct token *token) {
    struct frame *frame;
    bool brace = token_is(token, '}');
    if (walk->lost > 0) {
        walk->lost--;
        return;
    }
    if (walk->n == 1)
        return;
    walk->n--;
    frame = top(walk);
    frame->last = token;
    if (frame->kind == FRAME_FIELDS)
        frame->state = STATE_KEY;
    frame->operand = false;
    frame->listing = false;
    frame->options = true;
    if (brace && (frame->kind == FRAME_PROGRAM || frame->kind == FRAME_BODY || frame->kind == FRAME_TREE))
        frame->head = NULL;
    if (walk->n == 1)
        walk->recipe = NULL;
}

/* ---- blocks */

static const struct dsl_program *scope_of(const struct walk *walk) {
    const struct dsl_program *program = &walk->document->parsed.program;
    if (walk->recipe)
        DSL_EACH(decl, program, DSL_RECIPE)
    if (decl->at.start == walk->recipe->at.start && decl->recipe)
        return decl->recipe;
    return program;
}

static vsr_str word(const struct frame *frame, size_t i) {
    return i < frame->n_words ? frame->words[i]->text : VSR_STR("");
}

static const struct language_block *block_of_plugin(const struct walk *walk, vsr_str name) {
    const struct dsl_program *scope = scope_of(walk);
    DSL_EACH(decl, scope, DSL_PLUGIN)
    if (str_eq(decl->name.text, name))
        return language_block(walk->language, LANGUAGE_PLUGINS, decl->type.text);
    return language_block(walk->language, LANGUAGE_PLUGINS, name);
}

static void open_declaration(struct walk *walk, const struct frame *frame, const struct token *token) {
    const struct language *language = walk->language;
    const struct token *head = frame->head;
    if (is_word(head, "RECIPE")) {
        walk->recipe = head;
        (void)push(walk, FRAME_PROGRAM, token);
    } else if (is_word(head, "ROUTE")) {
        (void)push(walk, FRAME_BODY, token);
    } else if (is_word(head, "DECISION_TREE")) {
        (void)push(walk, FRAME_TREE, token);
    } else if (is_word(head, "TEST")) {
        (void)push(walk, FRAME_TEST, token);
    } else if (is_word(head, "ROUTING")) {
        push_fields(walk, token, language->routing);
    } else if (is_word(head, "ENTRYPOINT")) {
        push_fields(walk, token, language->entrypoint);
    } else if (is_word(head, "MODEL")) {
        push_fields(walk, token, language->model);
    } else if (is_word(head, "SIGNAL")) {
        push_fields(walk, token, language_block(language, LANGUAGE_SIGNALS, word(frame, 0)));
    } else if (is_word(head, "PLUGIN")) {
        push_fields(walk, token, language_block(language, LANGUAGE_PLUGINS, word(frame, 1)));
    } else if (is_word(head, "PROJECTION")) {
        vsr_str kind = word(frame, 0);
        push_fields(walk, token,
                    str_eq_c(kind, "partition") ? language->partition
                    : str_eq_c(kind, "score")   ? language->score
                    : str_eq_c(kind, "mapping") ? language->mapping
                                                : NULL);
    } else {
        (void)push(walk, FRAME_UNKNOWN, token);
    }
}

static void open_item(struct walk *walk, const struct frame *frame, const struct token *token) {
    const struct language *language = walk->language;
    const struct token *head = frame->head;
    if (is_word(head, "ALGORITHM"))
        push_fields(walk, token, language_block(language, LANGUAGE_ALGORITHMS, word(frame, 0)));
    else if (is_word(head, "PLUGIN"))
        push_fields(walk, token, block_of_plugin(walk, word(frame, 0)));
    else if (is_word(head, "EMIT"))
        push_fields(walk, token, str_eq_c(word(frame, 0), "retention") ? language->retention : NULL);
    else if (is_word(head, "EXTRA"))
        push_fields(walk, token, language->extra);
    else if (is_word(head, "FOR"))
        (void)push(walk, FRAME_BODY, token);
    else
        (void)push(walk, FRAME_UNKNOWN, token);
}

/* A brace, a bracket or a parenthesis. */
static void open_frame(struct walk *walk, const struct token *token) {
    struct frame *frame = top(walk);
    const struct token *last = frame->last;
    if (walk->lost > 0) {
        walk->lost++;
        return;
    }
    switch (frame->kind) {
    case FRAME_PROGRAM:
        if (token_is(token, '('))
            push_fields(walk, token, NULL);
        else
            open_declaration(walk, frame, token);
        return;
    case FRAME_BODY:
        if (token_is(token, '{'))
            open_item(walk, frame, token);
        else if (token_is(token, '(') && is_word(frame->head, "MODEL"))
            push_fields(walk, token, walk->language->ref);
        else if (token_is(token, '[') && is_word(frame->head, "FOR"))
            (void)push(walk, FRAME_MODELS, token);
        else if (token_is(token, '(') && is_word(frame->head, "WHEN"))
            break;
        else
            (void)push(walk, FRAME_UNKNOWN, token);
        return;
    case FRAME_TREE:
        if (token_is(token, '{'))
            (void)push(walk, FRAME_BODY, token);
        else
            break;
        return;
    case FRAME_MODELS:
        push_fields(walk, token, walk->language->ref);
        return;
    case FRAME_FIELDS:
    case FRAME_LIST:
        if (token_is(token, '[')) {
            const struct language_field *field = frame->field;
            const struct token *key = frame->key;
            struct frame *list = push(walk, FRAME_LIST, token);
            if (list) {
                list->field = field;
                list->key = key;
            }
        } else {
            push_fields(walk, token, frame->field ? frame->field->block : NULL);
        }
        return;
    case FRAME_TEST:
        push_fields(walk, token, NULL);
        return;
    case FRAME_LEAF:
        push_fields(walk, token, NULL);
        return;
    case FRAME_GROUP:
        break;
    case FRAME_UNKNOWN:
        (void)push(walk, FRAME_UNKNOWN, token);
        return;
    }
    /* In a condition. */
    if (last && last->kind == TOKEN_IDENT && last != frame->head && !is_operator(last)) {
        struct frame *leaf = push(walk, FRAME_LEAF, token);
        if (leaf)
            leaf->type = last->text;
    } else {
        (void)push(walk, FRAME_GROUP, token);
    }
}

/* ---- words */

static void take_in_condition(struct frame *frame, const struct token *token) {
    if (token->kind == TOKEN_IDENT)
        frame->operand = is_operator(token);
}

/* A field: its name, or a scalar. */
static void take_in_fields(struct walk *walk, struct frame *frame, const struct token *token) {
    if (token_is(token, ':') || token_is(token, '=')) {
        frame->state = STATE_VALUE;
        return;
    }
    if (token->kind == TOKEN_PUNCTUATION)
        return;
    if (frame->state == STATE_VALUE) {
        if (frame->key && str_eq_c(frame->key->text, "type") && is_text(token))
            frame->type = token->text;
        frame->state = STATE_KEY;
        return;
    }
    frame->key = token;
    frame->field = frame->block ? language_field(frame->block, token->text) : NULL;
    frame->state = STATE_COLON;
    (void)walk;
}

static void take_head(struct frame *frame, const struct token *token) {
    frame->head = token;
    frame->n_words = 0;
    frame->options = false;
    frame->operand = true;
    frame->listing = true;
}

static void take_in_items(struct frame *frame, const struct token *token) {
    bool waits = frame->head && frame->n_words == 0 && frame->head->at.line == token->at.line &&
                 !is_word(frame->head, "WHEN") && !is_word(frame->head, "EXTRA");
    if (token_is(token, ',')) {
        frame->listing = true;
        return;
    }
    if (is_item(token) && !waits) {
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

static void take_in_program(struct frame *frame, const struct token *token) {
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

static void take_in_tree(struct frame *frame, const struct token *token) {
    if (is_word(token, "IF") || is_word(token, "ELSE"))
        take_head(frame, token);
    else
        take_in_condition(frame, token);
}

/* A declaration at the start of a line, whatever is open. */
static bool resynchronises(const struct walk *walk, const struct token *token) {
    const struct frame *frame = &walk->frames[walk->n - 1];
    if (walk->n == 1 || token->at.col != 1 || !is_declaration(token))
        return false;
    return frame->kind != FRAME_PROGRAM || !walk->recipe || token->at.col <= walk->recipe->at.col;
}

static void take(struct walk *walk, const struct token *token) {
    struct frame *frame = top(walk);
    if (resynchronises(walk, token)) {
        const struct token *opened = walk->frames[0].opened;
        walk->n = 0;
        walk->lost = 0;
        walk->recipe = NULL;
        frame = push(walk, FRAME_PROGRAM, opened);
    }
    if (token_is(token, '{') || token_is(token, '[') || token_is(token, '(')) {
        open_frame(walk, token);
        return;
    }
    if (token_is(token, '}') || token_is(token, ']') || token_is(token, ')')) {
        close_frame(walk, token);
        return;
    }
    if (walk->lost > 0)
        return;
    switch (frame->kind) {
    case FRAME_PROGRAM:
        if (walk->frames[walk->n - 1].head && token->at.line != frame->head->at.line && is_declaration(token))
            frame->head = NULL;
        take_in_program(frame, token);
        break;
    case FRAME_BODY:
        take_in_items(frame, token);
        break;
    case FRAME_TREE:
        take_in_tree(frame, token);
        break;
    case FRAME_FIELDS:
        take_in_fields(walk, frame, token);
        break;
    case FRAME_GROUP:
        take_in_condition(frame, token);
        break;
    case FRAME_LEAF: { /* behind the name come fields */
        if (is_text(token)) {
            vsr_str type = frame->type;
            frame->kind = FRAME_FIELDS;
            frame->block = walk->language->leaf;
            frame->type = type;
        }
        break;
    }
    case FRAME_MODELS:
        frame->listing = token_is(token, ',');
        break;
    case FRAME_TEST:
    case FRAME_LIST:
    case FRAME_UNKNOWN:
        break;
    }
    frame->last = token;
}

/* ---- roles */

static void role_of_value(const struct walk *walk, const struct frame *frame, struct lsp_context *ret) {
    vsr_str key = frame->key ? frame->key->text : VSR_STR("");
    bool partition = frame->decl && is_word(frame->decl, "PROJECTION");
    const struct frame *program = &walk->frames[0];
    for (size_t i = 0; i < walk->n; i++)
        if (walk->frames[i].kind == FRAME_PROGRAM)
            program = &walk->frames[i];
    partition = partition && str_eq_c(word(program, 0), "partition");
    ret->role = ROLE_VALUE;
    ret->field = frame->field;
    if (frame->decl && is_word(frame->decl, "ENTRYPOINT") && str_eq_c(key, "recipe"))
        ret->role = ROLE_RECIPE;
    else if (partition && (str_eq_c(key, "members") || str_eq_c(key, "default")))
        ret->role = ROLE_SIGNAL;
    else if (frame->decl && is_word(frame->decl, "PROJECTION") && str_eq_c(key, "source"))
        ret->role = ROLE_SCORE;
    else if (str_eq_c(key, "name") && frame->type.len > 0 &&
             (str_eq_c(frame->type, "projection") || language_block(walk->language, LANGUAGE_SIGNALS, frame->type)))
        ret->role = ROLE_SIGNAL, ret->type = frame->type;
    else if (frame->field && !frame->field->field->choices &&
             (str_eq_c(key, "model") || str_ends(key, VSR_STR("_model")) || str_eq_c(key, "models") ||
              str_ends(key, VSR_STR("_models"))))
        ret->role = ROLE_MODEL;
}

static void role_in_program(const struct frame *frame, struct lsp_context *ret) {
    const struct token *head = frame->head;
    size_t n = frame->n_words;
    if (!head)
        ret->role = ROLE_DECLARATION;
    else if (is_word(head, "SIGNAL"))
        ret->role = n == 0 ? ROLE_SIGNAL_TYPE : n == 1 ? ROLE_NAME : ROLE_NONE;
    else if (is_word(head, "PROJECTION"))
        ret->role = n == 0 ? ROLE_PROJECTION : n == 1 ? ROLE_NAME : ROLE_NONE;
    else if (is_word(head, "PLUGIN"))
        ret->role = n == 0 ? ROLE_NAME : n == 1 ? ROLE_PLUGIN_TYPE : ROLE_NONE;
    else if (!is_word(head, "ROUTING") && !is_word(head, "ENTRYPOINT"))
        ret->role = n == 0 ? ROLE_NAME : ROLE_NONE;
    if (ret->role == ROLE_NAME && is_word(head, "SIGNAL"))
        ret->type = word(frame, 0);
}

static void role_in_body(const struct frame *frame, struct lsp_context *ret) {
    const struct token *head = frame->head;
    size_t n = frame->n_words;
    if (is_word(head, "WHEN"))
        ret->role = frame->operand ? ROLE_CONDITION : ROLE_OPERATOR;
    else if (is_word(head, "MODEL"))
        ret->role = frame->listing ? ROLE_MODEL : ROLE_ITEM;
    else if (is_word(head, "ALGORITHM"))
        ret->role = n == 0 ? ROLE_ALGORITHM : ROLE_ITEM;
    else if (is_word(head, "PLUGIN"))
        ret->role = n == 0 ? ROLE_PLUGIN : ROLE_ITEM;
    else if (is_word(head, "EMIT"))
        ret->role = n == 0 ? ROLE_EMIT : ROLE_ITEM;
    else if (is_word(head, "FOR"))
        ret->role = ROLE_NONE;
    else
        ret->role = head && n == 0 ? ROLE_NONE : ROLE_ITEM;
}

static bool is_option(const struct frame *frame) {
    return frame->opened && token_is(frame->opened, '(') && frame->type.len == 0;
}

void lsp_context_at(const struct lsp_document *document, const struct language *language, const struct tokens *tokens,
                    size_t n, struct lsp_context *ret) {
    static const struct token start = { .kind = TOKEN_END };
    struct walk walk = { .language = language, .document = document };
    const struct token *here = n < tokens->n ? &tokens->items[n] : NULL;
    const struct frame *frame;
    *ret = (struct lsp_context){ .role = ROLE_NONE };
    (void)push(&walk, FRAME_PROGRAM, &start);
    for (size_t i = 0; i < n && i < tokens->n && tokens->items[i].kind != TOKEN_END; i++)
        take(&walk, &tokens->items[i]);
    ret->program = scope_of(&walk);
    ret->in_recipe = walk.recipe != NULL;
    frame = top(&walk);
    if (walk.lost > 0)
        return;
    if (here && here->kind == TOKEN_IDENT && resynchronises(&walk, here)) {
        ret->role = ROLE_DECLARATION;
        ret->program = &document->parsed.program;
        ret->in_recipe = false;
        return;
    }
    switch (frame->kind) {
    case FRAME_PROGRAM:
        role_in_program(frame, ret);
        if (here && frame->head && here->at.line != frame->head->at.line && is_declaration(here))
            ret->role = ROLE_DECLARATION;
        break;
    case FRAME_BODY:
        ret->in_branch = walk.n > 1 && walk.frames[walk.n - 2].kind == FRAME_TREE;
        role_in_body(frame, ret);
        if (here && is_item(here) &&
            (ret->role == ROLE_OPERATOR || (frame->head && frame->head->at.line != here->at.line)))
            ret->role = ROLE_ITEM;
        break;
    case FRAME_TREE:
        ret->role = ROLE_BRANCH;
        if (is_word(frame->head, "IF"))
            ret->role = frame->operand ? ROLE_CONDITION : ROLE_OPERATOR;
        break;
    case FRAME_GROUP:
        ret->role = frame->operand ? ROLE_CONDITION : ROLE_OPERATOR;
        break;
    case FRAME_LEAF:
        ret->role = ROLE_SIGNAL;
        ret->type = frame->type;
        break;
    case FRAME_MODELS:
        ret->role = frame->listing ? ROLE_MODEL : ROLE_NONE;
        break;
    case FRAME_TEST:
        ret->role = frame->last && frame->last->kind == TOKEN_ARROW ? ROLE_ROUTE : ROLE_NONE;
        break;
    case FRAME_LIST:
        role_of_value(&walk, frame, ret);
        break;
    case FRAME_FIELDS:
        if (frame->state == STATE_VALUE) {
            role_of_value(&walk, frame, ret);
        } else if (frame->state == STATE_KEY) {
            ret->role = ROLE_FIELD;
            ret->block = frame->block;
            ret->opened = frame->opened;
            ret->option = is_option(frame);
            ret->strategy = ret->option && walk.n == 2 && is_word(frame->decl, "RECIPE");
        }
        break;
    case FRAME_UNKNOWN:
        break;
    }
    if (here && ret->role == ROLE_OPERATOR && !is_operator(here))
        ret->role = ROLE_NONE;
    if (here && ret->role == ROLE_CONDITION && is_operator(here))
        ret->role = ROLE_OPERATOR;
}

size_t lsp_token_at(const struct tokens *tokens, uint32_t byte) {
    size_t low = 0, high = tokens->n;
    while (low < high) { /* the first that ends at the byte or behind it */
        size_t mid = low + (high - low) / 2;
        if (tokens->items[mid].at.end < byte)
            low = mid + 1;
        else
            high = mid;
    }
    if (low + 1 < tokens->n && tokens->items[low].at.end == byte && tokens->items[low + 1].at.start == byte &&
        tokens->items[low + 1].kind != TOKEN_PUNCTUATION && tokens->items[low + 1].kind != TOKEN_END)
        low++; /* the word, not the sign before it */
    if (low == tokens->n || tokens->items[low].at.start > byte || tokens->items[low].kind == TOKEN_END)
        return tokens->n;
    return low;
}
