/* Looking at trees, whoever built them. */
#include "config/yaml_tree.h"

struct yaml_node *yaml_get_key(const struct yaml_node *mapping, vsr_str key) {
    if (!mapping || mapping->kind != YAML_MAPPING)
        return NULL;
    for (size_t i = 0; i < mapping->n_items; i++)
        if (str_eq(mapping->keys[i]->text, key))
            return mapping->keys[i];
    return NULL;
}

struct yaml_node *yaml_get(const struct yaml_node *mapping, vsr_str key) {
    if (!mapping || mapping->kind != YAML_MAPPING)
        return NULL;
    for (size_t i = 0; i < mapping->n_items; i++)
        if (str_eq(mapping->keys[i]->text, key))
            return mapping->items[i];
    return NULL;
}

bool yaml_is_null(const struct yaml_node *node) {
    if (!node || node->kind == YAML_NULL)
        return true;
    if (node->kind != YAML_SCALAR || node->quoted)
        return false;
    if (node->text.len == 0)
        return true;
    return !node->substituted && (str_eq_c(node->text, "~") || str_eq_nocase(node->text, VSR_STR("null")));
}

static void set_second_file(struct yaml_node *node) {
    if (node->line >= YAML_SECOND_FILE)
        return; /* aliases share nodes */
    node->line += YAML_SECOND_FILE;
    for (size_t i = 0; i < node->n_items; i++) {
        if (node->kind == YAML_MAPPING)
            set_second_file(node->keys[i]);
        set_second_file(node->items[i]);
    }
}

void yaml_tree_set_second_file(struct yaml_node *root) {
    set_second_file(root);
}
