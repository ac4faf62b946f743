#include "model/directory.h"

#include "core/arena.h"
#include "files.h"

#define COMMIT "0123456789abcdef0123456789abcdef01234567"

struct setting {
    struct tree tree;
    struct arena *arena;
    struct model_places places;
};

static void begin(struct setting *s) {
    tree_make(&s->tree);
    s->arena = arena_new(0, 0);
    s->places.models_dir = arena_str(s->arena, tree_str(&s->tree, "store"));
    s->places.hub_dir = arena_str(s->arena, tree_str(&s->tree, "hub"));
}

static void end(struct setting *s) {
    arena_free(s->arena);
    tree_remove(&s->tree);
}

static void cached(struct setting *s, const char *repo, const char *commit) {
    char path[256];
    snprintf(path, sizeof(path), "hub/%s/blobs/aa", repo);
    tree_text(&s->tree, path, "{\"model_type\":\"bert\"}");
    snprintf(path, sizeof(path), "hub/%s/snapshots/%s/config.json", repo, commit);
    tree_link(&s->tree, path, "../../blobs/aa");
}

static int find(struct setting *s, const char *name, struct model_directory *ret, struct vsr_err *err) {
    *err = VSR_ERR_NONE;
    *ret = (struct model_directory){ 0 };
    return model_directory_find(s->arena, &s->places, str_from_c(name), VSR_STR(""), VSR_STR(""), ret, err);
}

static void check_found(struct setting *s, const char *name, const char *want_path, const char *want_name) {
    struct model_directory found;
    struct vsr_err err;
    CHECK_MSG(find(s, name, &found, &err) == 0, "\"%s\": %s", name, err.text);
    CHECK_STR(found.path, tree_path(&s->tree, want_path), name);
    CHECK_STR(found.name, want_name, name);
    CHECK(found.path.ptr[found.path.len] == 0, name);
}

TEST(names_by_strangers) {
    static const struct {
        const char *name;
        bool is_public;
    } cases[] = {
        { "bert-light", true },
        { "models/own", true },
        { "models/team/own/", true },
        { "own", true },
        { "owner/name", true },
        { "/etc", false },
        { "../other/tenant", false },
        { "./own", false },
        { "models/../../x", false },
        { "a/b/c", false },
        { "..", false },
        { "", false },
        { "models/", false },
        { "~/own", false },
    };
    for (size_t i = 0; i < VSR_COUNT(cases); i++)
        CHECK_INT(model_directory_is_public(str_from_c(cases[i].name)), cases[i].is_public, cases[i].name);
}

TEST(models_directory) {
    struct setting s;
    begin(&s);
    tree_model(&s.tree, "store/mom-embedding-light");
    tree_model(&s.tree, "store/my-own");
    tree_model(&s.tree, "store/team/deep");
    tree_model(&s.tree, "elsewhere/plain");
    check_found(&s, "bert-light", "store/mom-embedding-light", "models/mom-embedding-light");
    check_found(&s, "models/embedding-light", "store/mom-embedding-light", "models/mom-embedding-light");
    check_found(&s, "sentence-transformers/all-MiniLM-L12-v2", "store/mom-embedding-light",
                "models/mom-embedding-light");
    check_found(&s, "my-own", "store/my-own", "models/my-own");
    check_found(&s, "models/my-own", "store/my-own", "models/my-own");
    check_found(&s, "models/my-own/", "store/my-own", "models/my-own");
    check_found(&s, "models/team/deep", "store/team/deep", "models/team/deep");
    check_found(&s, tree_path(&s.tree, "elsewhere/plain"), "elsewhere/plain", "");
    check_found(&s, tree_path(&s.tree, "elsewhere/plain/"), "elsewhere/plain", "");
    end(&s);
}

TEST(an_alias_is_a_directory_too) {
    struct setting s;
    begin(&s);
    tree_model(&s.tree, "store/qwen3");
    check_found(&s, "models/qwen3", "store/qwen3", "models/qwen3");
    tree_model(&s.tree, "store/mom-embedding-pro");
    check_found(&s, "models/qwen3", "store/mom-embedding-pro", "models/mom-embedding-pro");
    end(&s);
}

TEST(hub_cache) {
    struct setting s;
    struct model_directory found;
    struct vsr_err err;
    begin(&s);
    cached(&s, "models--Qwen--Qwen3-Embedding-0.6B", COMMIT);
    CHECK_INT(find(&s, "qwen3", &found, &err), VSR_E_NOT_FOUND, "no refs yet");
    tree_text(&s.tree, "hub/models--Qwen--Qwen3-Embedding-0.6B/refs/main", COMMIT "\n");
    check_found(&s, "qwen3", "hub/models--Qwen--Qwen3-Embedding-0.6B/snapshots/" COMMIT, "");
    CHECK_INT(find(&s, "Qwen/Qwen3-Embedding-0.6B", &found, &err), 0, "by repository");
    CHECK_INT(found.layout, MODEL_LAYOUT_SNAPSHOT, "layout");
    CHECK_STR(found.repo_id, "Qwen/Qwen3-Embedding-0.6B", "repository");
    CHECK_STR(found.commit, COMMIT, "commit");
    CHECK_INT(model_directory_find(s.arena, &s.places, VSR_STR("qwen3"), VSR_STR(""), VSR_STR(COMMIT), &found, &err), 0,
              "a commit is a revision");
    CHECK_INT(model_directory_find(s.arena, &s.places, VSR_STR("qwen3"), VSR_STR(""), VSR_STR("dev"), &found, &err),
              VSR_E_NOT_FOUND, "another branch");
    tree_model(&s.tree, "store/mom-embedding-pro");
    check_found(&s, "qwen3", "store/mom-embedding-pro", "models/mom-embedding-pro");
    end(&s);
}

TEST(hostile_names) {
    static const char *const names[] = {
        "models/../secret", "models/", "models//a", "models/a/../../b", "models/.", "..", "models/a\\b", "models/a\nb",
    };
    struct setting s;
    struct model_directory found;
    struct vsr_err err;
    begin(&s);
    tree_model(&s.tree, "secret");
    tree_model(&s.tree, "b");
    for (size_t i = 0; i < VSR_COUNT(names); i++)
        CHECK_INT(find(&s, names[i], &found, &err), VSR_E_INVALID, names[i]);
    end(&s);
}

TEST(hostile_refs) {
    static const char *const refs[] = { "../../../../secret", "a/b", "", "..", "/etc", ".", "x\\y" };
    struct setting s;
    struct model_directory found;
    struct vsr_err err;
    begin(&s);
    tree_model(&s.tree, "secret");
    cached(&s, "models--me--own", COMMIT);
    for (size_t i = 0; i < VSR_COUNT(refs); i++) {
        tree_text(&s.tree, "hub/models--me--own/refs/main", refs[i]);
        CHECK_INT(find(&s, "me/own", &found, &err), VSR_E_NOT_FOUND, refs[i]);
    }
    CHECK_INT(model_directory_find(s.arena, &s.places, VSR_STR("me/own"), VSR_STR(""), VSR_STR("../main"), &found,
                                   &err),
              VSR_E_NOT_FOUND, "revision");
    end(&s);
}

TEST(absent_says_what_to_do) {
    struct setting s;
    struct model_directory found;
    struct vsr_err err;
    begin(&s);
    CHECK_INT(find(&s, "gemma", &found, &err), VSR_E_NOT_FOUND, "known");
    CHECK(strstr(err.text, "vsr model pull gemma") != NULL, err.text);
    CHECK(strstr(err.text, "store/mom-embedding-flash") != NULL, err.text);
    CHECK_INT(find(&s, "nobody-knows", &found, &err), VSR_E_NOT_FOUND, "unknown");
    CHECK(strstr(err.text, "OWNER/NAME") != NULL, err.text);
    end(&s);
}

TEST(all_of_them) {
    static const char *const want[] = {
        "store/a",
        "store/team/x",
        "store/z",
        ("hub/models--me--own/snapshots/" COMMIT),
    };
    struct setting s;
    struct model_directory *found;
    struct vsr_err err = VSR_ERR_NONE;
    size_t n;
    begin(&s);
    CHECK_INT(model_directory_list(s.arena, &s.places, &found, &n, &err), 0, "no places");
    CHECK_INT(n, 0, "no places");
    tree_model(&s.tree, "store/z");
    tree_model(&s.tree, "store/a");
    tree_model(&s.tree, "store/team/x");
    tree_model(&s.tree, "store/team/too/deep");
    tree_model(&s.tree, "store/.a.pull");
    tree_text(&s.tree, "store/notes/readme.txt", "nothing");
    tree_text(&s.tree, "store/file", "nothing");
    cached(&s, "models--me--own", COMMIT);
    tree_text(&s.tree, "hub/models--me--own/refs/main", COMMIT);
    cached(&s, "models--me--norefs", COMMIT);
    cached(&s, "datasets--me--own", COMMIT);
    tree_text(&s.tree, "hub/datasets--me--own/refs/main", COMMIT);
    CHECK_INT(model_directory_list(s.arena, &s.places, &found, &n, &err), 0, err.text);
    CHECK_INT(n, VSR_COUNT(want), "count");
    for (size_t i = 0; i < n; i++)
        CHECK_STR(found[i].path, tree_path(&s.tree, want[i]), want[i]);
    CHECK_STR(found[1].name, "models/team/x", "name");
    CHECK_STR(found[3].repo_id, "me/own", "repository");
    end(&s);
}

TEST(places) {
    static const char *const variables[] = { "HF_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME", "HOME" };
    static const char *const want[] = { "/v", "/v/hub", "/v/huggingface/hub", "/v/.cache/huggingface/hub" };
    struct arena *arena = arena_new(0, 0);
    for (size_t i = 0; i < VSR_COUNT(variables); i++)
        unsetenv(variables[i]);
    CHECK_STR(model_places_make(arena, "m/").hub_dir, "", "nothing set");
    CHECK_STR(model_places_make(arena, "m//").models_dir, "m", "slashes");
    for (size_t i = VSR_COUNT(variables); i > 0; i--) {
        setenv(variables[i - 1], "/v", 1);
        CHECK_STR(model_places_make(arena, "m").hub_dir, want[i - 1], variables[i - 1]);
    }
    arena_free(arena);
}

RUN_TESTS(T(names_by_strangers), T(models_directory), T(an_alias_is_a_directory_too), T(hub_cache), T(hostile_names),
          T(hostile_refs), T(absent_says_what_to_do), T(all_of_them), T(places))
