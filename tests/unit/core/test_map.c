#include "test.h"

#include "core/arena.h"
#include "core/map.h"

TEST(put_get_replace) {
    struct arena *arena = arena_new(0, 0);
    struct map map;
    int a = 1, b = 2;
    map_init(&map, arena);
    CHECK(map_get(&map, VSR_STR("x")) == NULL, "empty");
    CHECK(map_put(&map, VSR_STR("x"), &a) == NULL, "new");
    CHECK(map_put(&map, VSR_STR("x"), &b) == &a, "replaced");
    CHECK(map_get(&map, VSR_STR("x")) == &b, "found");
    CHECK(map_put(&map, VSR_STR(""), &a) == NULL, "empty key");
    CHECK(map_get(&map, VSR_STR("")) == &a, "empty key found");
    CHECK_INT(map.n, 2, "two entries");
    arena_free(arena);
}

TEST(many_keys_in_order) {
    struct arena *arena = arena_new(0, 0);
    struct map map;
    static int values[10000];
    map_init(&map, arena);
    for (int i = 0; i < 10000; i++)
        CHECK(map_put(&map, arena_printf(arena, "key-%d", i), &values[i]) == NULL, "new");
    for (int i = 0; i < 10000; i++) {
        CHECK(map_get(&map, arena_printf(arena, "key-%d", i)) == &values[i], "found");
        CHECK(map.entries[i].value == &values[i], "order of insertion");
    }
    CHECK(map_get(&map, VSR_STR("key-10000")) == NULL, "absent");
    arena_free(arena);
}

RUN_TESTS(T(put_get_replace), T(many_keys_in_order))
