/* Canonical text of configurations: the published profiles byte for byte, and what each construct becomes. */
#include "decompiled.h"

TEST(published_profiles_are_byte_for_byte) {
    if (!test_shared_dir())
        skip();
    for (size_t i = 0; i < VSR_COUNT(published_profiles); i++) {
        struct arena *arena = arena_new(0, 0);
        struct yaml_node *root = yaml_parsed(arena, read_published(arena, published_profiles[i], "config.yaml"));
        check_same_text(decompiled(arena, root, NULL), read_published(arena, published_profiles[i], "recipe.dsl"),
                        published_profiles[i]);
        arena_free(arena);
    }
}

RUN_TESTS(T(published_profiles_are_byte_for_byte))
