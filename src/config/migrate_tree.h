/*
 * migrate_tree - the moves that a migration is made of. Internal to config/migrate*.c.
 *
 * The tree is the migration's own copy: nothing in it is shared. Paths are those of messages.
 */
#ifndef VSR_CONFIG_MIGRATE_TREE_H
#define VSR_CONFIG_MIGRATE_TREE_H

#include <stdbool.h>

#include "config/migrate.h"
#include "config/yaml_edit.h"
#include "core/map.h"

struct migrate {
    struct arena *arena;
    struct yaml_node *root;
    struct migration *result;
    struct map cards; /* name -> card mapping, of routing.modelCards */
    bool cards_known; /* `cards` was filled */
    vsr_str unplaced_name;
    struct yaml_node *unplaced; /* NULL until something has no place */
    struct map unplaced_names;  /* path -> how often it was set aside */
};

/* A key and its value, taken out of a mapping; `key` is NULL when it was not there. */
struct migrate_pair {
    struct yaml_node *key, *value;
};

struct migrate_pair migrate_take(struct yaml_node *mapping, const char *name);

/* Text of a scalar field; empty when it is no scalar or not there. */
vsr_str migrate_text(const struct yaml_node *mapping, const char *name);
/* Null, an empty text, list or mapping. */
bool migrate_is_empty(const struct yaml_node *node);

void migrate_report(struct migrate *m, enum migrate_kind kind, const struct yaml_node *at, vsr_str path, vsr_str to,
                    const char *format, ...) __attribute__((format(printf, 6, 7)));

/* The mapping or list `name` of `mapping`, made when it is not there; NULL when something else is. `at`: whom it is
 * made for. */
struct yaml_node *migrate_block(struct migrate *m, struct yaml_node *mapping, const char *name, enum yaml_kind kind,
                                const struct yaml_node *at);
/* The mapping at `path` (`a.b.c`) below the root, made where it is not there; NULL when something else is. */
struct yaml_node *migrate_mapping_at(struct migrate *m, vsr_str path, const struct yaml_node *at);

/* Keeps the pair under x-unplaced and asks for a look. */
void migrate_set_aside(struct migrate *m, struct migrate_pair pair, vsr_str path, const char *why);

/* Puts the pair into `mapping` (path `to_above`) as `name`, as far as that place is free. Takes the pair. */
void migrate_put(struct migrate *m, struct yaml_node *mapping, vsr_str to_above, const char *name,
                 struct migrate_pair pair, vsr_str path);
/* The same to a path below the root. */
void migrate_put_at(struct migrate *m, vsr_str to, struct migrate_pair pair, vsr_str path);

/* Gives the key another name; when that is taken, merges. */
void migrate_rename(struct migrate *m, struct yaml_node *mapping, vsr_str path, const char *old, const char *name);

/* Appends `name: text` where it is not set. `quoted`: text that must stay a text. */
void migrate_set(struct migrate *m, struct yaml_node *mapping, const char *name, vsr_str text, bool quoted,
                 const struct yaml_node *at);

/* Brings the keys named in `order` (NULL-terminated) to the front; the others keep their order behind them. */
void migrate_order(struct migrate *m, struct yaml_node *mapping, const char *const *order);

/* Element of a list whose `name` is that. */
struct yaml_node *migrate_named(const struct yaml_node *list, vsr_str name);

/* The card of a model, made when there is none; NULL when routing.modelCards cannot hold one. */
struct yaml_node *migrate_card(struct migrate *m, vsr_str name, const struct yaml_node *at);

/* Steps: migrate_routing.c, migrate_models.c, migrate_global.c */
void migrate_routing(struct migrate *m);
void migrate_models(struct migrate *m);
void migrate_default_card(struct migrate *m);
void migrate_global(struct migrate *m);

/* Turns on what replaced a selection method: `block` of global.router.learning. */
void migrate_learning(struct migrate *m, vsr_str block, const struct yaml_node *at);

#endif
