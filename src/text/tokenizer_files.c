/*
 * A tokenizer from the files of a model's directory. A vocab.txt is read as the tokenizer.json that it stands for.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/json.h"
#include "core/json_write.h"
#include "core/utf8.h"
#include "text/tokenizer_engine.h"
#include "text/tokenizer_work.h"

enum { CONFIG_LEN_MAX = 4 << 20 };

#define LENGTH_MAX_SENSIBLE 100000000 /* files say 1e30 for none */

struct mapped {
    vsr_str text;
    void *at;
};

static void unmap(struct mapped *file) {
    if (file->at)
        munmap(file->at, file->text.len);
    *file = (struct mapped){ 0 };
}

/* VSR_E_NOT_FOUND when there is no such file. */
static int map_file(struct arena *arena, vsr_str directory, const char *name, size_t len_max, struct mapped *ret,
                    struct vsr_err *err) {
    const char *path = arena_printf(arena, "%.*s/%s", VSR_FMT(directory), name).ptr;
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO would wait for a writer */
    *ret = (struct mapped){ .text = { "", 0 } };
    if (fd < 0)
        return err_set(err, errno == ENOENT || errno == ENOTDIR ? VSR_E_NOT_FOUND : VSR_E_IO, "%s: %s", path,
                       strerror(errno));
    if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode) || (uint64_t)status.st_size > len_max) {
        close(fd);
        return err_set(err, VSR_E_LIMIT, "%s is no file of at most %zu bytes", path, len_max);
    }
    if (status.st_size > 0) {
        ret->at = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (ret->at == MAP_FAILED) {
            ret->at = NULL;
            close(fd);
            return err_set(err, VSR_E_IO, "%s: %s", path, strerror(errno));
        }
        ret->text = str_make(ret->at, (size_t)status.st_size);
    }
    close(fd);
    return 0;
}

/* What tokenizer_config.json says of what the other files leave open. */
struct config {
    struct tokenizer_vocab_options vocab;
    bool lower_case;         /* said outright */
    bool no_basic_tokenizer; /* do_basic_tokenize false */
    bool no_prefix_space;    /* add_prefix_space false */
    bool has_bos, add_bos, has_eos, add_eos;
    bool truncates_left;
    size_t length_max;
    vsr_str class; /* tokenizer_class; empty: not said */
};

static bool read_flag(const struct json_doc *doc, const char *key, bool *ret) {
    return json_bool(doc, json_get(doc, 0, str_from_c(key)), ret);
}

static void read_vocab_options(const struct json_doc *doc, struct config *ret) {
    bool flag;
    if (read_flag(doc, "do_lower_case", &flag)) {
        ret->vocab.cased = !flag;
        ret->lower_case = flag;
    }
    if (read_flag(doc, "tokenize_chinese_chars", &flag))
        ret->vocab.ideographs = !flag;
    if (read_flag(doc, "strip_accents", &flag))
        ret->vocab.accents = flag ? TOKENIZER_ACCENTS_STRIPPED : TOKENIZER_ACCENTS_KEPT;
    if (read_flag(doc, "do_basic_tokenize", &flag))
        ret->no_basic_tokenizer = !flag;
}

static int read_config(struct arena *arena, vsr_str directory, struct config *ret, struct vsr_err *err) {
    struct mapped file;
    struct json_doc doc;
    json_ref ref;
    double length;
    int rc = map_file(arena, directory, "tokenizer_config.json", CONFIG_LEN_MAX, &file, err);
    *ret = (struct config){ 0 };
    if (rc == VSR_E_NOT_FOUND)
        return 0;
    if (rc < 0)
        return rc;
    rc = json_parse(arena, file.text, &doc, err);
    if (rc == 0 && !json_is(&doc, 0, JSON_OBJECT))
        rc = err_set(err, VSR_E_INVALID, "is no object");
    if (rc == 0) {
        bool prefix;
        read_vocab_options(&doc, ret);
        ret->no_prefix_space = read_flag(&doc, "add_prefix_space", &prefix) && !prefix;
        ret->has_bos = read_flag(&doc, "add_bos_token", &ret->add_bos);
        ret->has_eos = read_flag(&doc, "add_eos_token", &ret->add_eos);
        ref = json_get(&doc, 0, VSR_STR("truncation_side"));
        ret->truncates_left = json_is(&doc, ref, JSON_STRING) && json_str_eq(&doc, ref, VSR_STR("left"));
        ref = json_get(&doc, 0, VSR_STR("tokenizer_class"));
        if (json_is(&doc, ref, JSON_STRING) && json_str(arena, &doc, ref, &ret->class))
            ret->class = arena_str(arena, ret->class); /* the file is unmapped */
        ref = json_get(&doc, 0, VSR_STR("model_max_length"));
        if (json_is(&doc, ref, JSON_NUMBER) && json_double(&doc, ref, &length) && length >= 1 &&
            length <= LENGTH_MAX_SENSIBLE)
            ret->length_max = (size_t)length;
    } else {
        err_wrap(err, "%.*s/tokenizer_config.json", VSR_FMT(directory));
    }
    unmap(&file);
    return rc;
}

static bool has_line(vsr_str vocab, vsr_str name, uint32_t *ret_id) {
    *ret_id = 0;
    for (vsr_str rest = vocab; rest.ptr; ++*ret_id)
        if (str_eq(str_trim(str_split(&rest, '\n')), name))
            return true;
    return false;
}

static void write_vocab(struct buf *out, vsr_str vocab) {
    uint64_t id = 0;
    (void)buf_append_c(out, "\"vocab\":{");
    for (vsr_str rest = vocab; rest.ptr; id++) {
        vsr_str line = str_split(&rest, '\n');
        if (!rest.ptr && line.len == 0) /* behind the last line */
            break;
        if (line.len && line.ptr[line.len - 1] == '\r')
            line.len--;
        (void)buf_append_c(out, id ? "," : "");
        json_quote(out, line);
        (void)buf_append_c(out, ":");
        (void)buf_append_u64(out, id);
    }
    (void)buf_append_c(out, "}");
}

static void write_added(struct buf *out, vsr_str vocab) {
    static const char *const names[] = { "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]",
                                         "<s>",   "<pad>", "</s>",  "<unk>", "<mask>" };
    bool first = true;
    (void)buf_append_c(out, "\"added_tokens\":[");
    for (size_t i = 0; i < VSR_COUNT(names); i++) {
        uint32_t id;
        if (!has_line(vocab, str_from_c(names[i]), &id))
            continue;
        (void)buf_printf(out, "%s{\"id\":%u,\"content\":\"%s\",\"special\":true,\"normalized\":false%s}",
                         first ? "" : ",", id, names[i], i == 9 ? ",\"lstrip\":true" : "");
        first = false;
    }
    (void)buf_append_c(out, "],");
}

/* BERT's template, or that of MPNet, whose vocabulary says <s> for [CLS]. */
static int write_template(struct buf *out, vsr_str vocab, struct vsr_err *err) {
    uint32_t cls, sep;
    if (has_line(vocab, VSR_STR("[CLS]"), &cls) && has_line(vocab, VSR_STR("[SEP]"), &sep))
        (void)buf_printf(
            out, "\"post_processor\":{\"type\":\"BertProcessing\",\"cls\":[\"[CLS]\",%u],\"sep\":[\"[SEP]\",%u]},", cls,
            sep);
    else if (has_line(vocab, VSR_STR("<s>"), &cls) && has_line(vocab, VSR_STR("</s>"), &sep))
        (void)
            buf_printf(out,
                       "\"post_processor\":{\"type\":\"RobertaProcessing\",\"cls\":[\"<s>\",%u],\"sep\":[\"</s>\",%u],"
                       "\"trim_offsets\":false,\"add_prefix_space\":false},",
                       cls, sep);
    else
        return err_set(err, VSR_E_INVALID, "vocab.txt has neither [CLS] and [SEP] nor <s> and </s>");
    return 0;
}

static void write_normalizer(struct buf *out, const struct tokenizer_vocab_options *options) {
    static const char *const accents[] = { "null", "false", "true" };
    (void)buf_printf(out,
                     "\"normalizer\":{\"type\":\"BertNormalizer\",\"lowercase\":%s,\"handle_chinese_chars\":%s,"
                     "\"strip_accents\":%s},",
                     options->cased ? "false" : "true", options->ideographs ? "false" : "true",
                     accents[options->accents]);
}

int tokenizer_from_vocab(struct arena *arena, vsr_str vocab, const struct tokenizer_vocab_options *options,
                         struct tokenizer **ret, struct vsr_err *err) {
    static const struct tokenizer_vocab_options usual = { 0 };
    uint32_t unk;
    struct buf json;
    int rc;
    if (vocab.len > TOKENIZER_FILE_LEN_MAX / 8)
        return err_set(err, VSR_E_LIMIT, "a vocab.txt of %zu bytes is longer than %d", vocab.len,
                       TOKENIZER_FILE_LEN_MAX / 8);
    if (utf8_check(vocab) != vocab.len)
        return err_set(err, VSR_E_INVALID, "vocab.txt is no UTF-8 at byte %zu", utf8_check(vocab));
    buf_init(&json, TOKENIZER_FILE_LEN_MAX);
    (void)buf_append_c(&json, "{");
    write_added(&json, vocab);
    rc = write_template(&json, vocab, err);
    write_normalizer(&json, options ? options : &usual);
    (void)buf_printf(&json,
                     "\"pre_tokenizer\":{\"type\":\"BertPreTokenizer\"},\"model\":{\"type\":\"WordPiece\","
                     "\"unk_token\":\"%s\",",
                     has_line(vocab, VSR_STR("[UNK]"), &unk) ? "[UNK]" : "<unk>");
    write_vocab(&json, vocab);
    (void)buf_append_c(&json, "}}");
    if (rc == 0 && buf_failed(&json))
        rc = err_set(err, buf_failed(&json), "vocab.txt is too long");
    if (rc == 0)
        rc = tokenizer_from_json(arena, buf_str(&json), ret, err);
    if (rc < 0 && rc != VSR_E_LIMIT)
        err_wrap(err, "vocab.txt");
    buf_done(&json);
    return rc;
}

/* What the configuration says of a SentencePiece model, whose file leaves it open. */
static int apply_config(const struct config *config, struct tokenizer *t, struct vsr_err *err) {
    struct template_ends ends;
    if (config->lower_case)
        return err_set(err, VSR_E_INVALID,
                       "tokenizer_config.json: do_lower_case goes with a vocab.txt, not with a "
                       "SentencePiece model; use the tokenizer.json of this model");
    t->sentencepiece->add_dummy_prefix &= !config->no_prefix_space;
    if (!config->has_bos && !config->has_eos)
        return 0;
    ends.first = ends.second = config->has_bos && !config->add_bos ? TOKEN_NONE : t->bos;
    ends.last = config->add_eos ? t->eos : TOKEN_NONE;
    ends.second_type = 1;
    t->template = (struct token_template){ 0 };
    token_template_around(&t->template, t->arena, ends);
    return 0;
}

static int from_vocab(struct arena *arena, vsr_str vocab, const struct config *config, struct tokenizer **ret,
                      struct vsr_err *err) {
    if (config->no_basic_tokenizer)
        return err_set(err, VSR_E_INVALID,
                       "tokenizer_config.json: do_basic_tokenize false is not known here; use the "
                       "tokenizer.json of this model");
    return tokenizer_from_vocab(arena, vocab, &config->vocab, ret, err);
}

static int from_sentencepiece(struct arena *arena, vsr_str model, const struct config *config, struct tokenizer **ret,
                              struct vsr_err *err) {
    int rc = tokenizer_from_sentencepiece(arena, model, ret, err);
    return rc < 0 ? rc : apply_config(config, *ret, err);
}

/* Models of other kinds have a file of that name too, and other ids. Of the configuration nothing counts: the library
 * that the models are made with does not look at do_lower_case here, which some of them say. */
static int from_xlm_roberta(struct arena *arena, vsr_str model, const struct config *config, struct tokenizer **ret,
                            struct vsr_err *err) {
    static const char *const classes[] = { "", "XLMRobertaTokenizer", "XLMRobertaTokenizerFast" };
    for (size_t i = 0; i < VSR_COUNT(classes); i++)
        if (str_eq_c(config->class, classes[i]))
            return tokenizer_from_xlm_roberta(arena, model, ret, err);
    return err_set(err, VSR_E_INVALID,
                   "tokenizer_config.json: ids of a %.*s are not known here, only an XLMRobertaTokenizer's; use the "
                   "tokenizer.json of this model",
                   VSR_FMT(str_sub(config->class, 0, 64)));
}

typedef int from_file(struct arena *arena, vsr_str text, const struct config *config, struct tokenizer **ret,
                      struct vsr_err *err);

static int from_json(struct arena *arena, vsr_str text, const struct config *config, struct tokenizer **ret,
                     struct vsr_err *err) {
    (void)config; /* it says all there is */
    return tokenizer_from_json(arena, text, ret, err);
}

static from_file *const readers[] = { from_json,          from_vocab,         from_sentencepiece,
                                      from_sentencepiece, from_sentencepiece, from_xlm_roberta };

const char *const tokenizer_files[] = {
    "tokenizer.json", "vocab.txt", "tokenizer.model", "spm.model", "spiece.model", "sentencepiece.bpe.model", NULL,
};
_Static_assert(VSR_COUNT(tokenizer_files) == VSR_COUNT(readers) + 1, "a reader for each file");

int tokenizer_open(struct arena *arena, vsr_str directory, struct tokenizer **ret, struct vsr_err *err) {
    struct config config;
    struct tokenizer *t = NULL;
    struct arena *own = arena_new(0, 0);
    int rc = read_config(own, directory, &config, err);
    for (size_t i = 0; rc == 0 && !t && tokenizer_files[i]; i++) {
        struct mapped file;
        rc = map_file(own, directory, tokenizer_files[i], TOKENIZER_FILE_LEN_MAX, &file, err);
        if (rc == VSR_E_NOT_FOUND) {
            rc = 0;
            continue;
        }
        if (rc < 0)
            break;
        rc = readers[i](arena, file.text, &config, &t, err);
        if (rc < 0)
            err_wrap(err, "%.*s/%s", VSR_FMT(directory), tokenizer_files[i]);
        unmap(&file);
    }
    if (rc == 0 && !t)
        rc = err_set(err, VSR_E_NOT_FOUND,
                     "%.*s has no tokenizer: neither tokenizer.json nor vocab.txt nor a SentencePiece model is there",
                     VSR_FMT(directory));
    arena_free(own);
    if (rc < 0 || !t)
        return rc;
    t->truncates_left = config.truncates_left;
    t->length_max = config.length_max;
    *ret = t;
    return 0;
}
