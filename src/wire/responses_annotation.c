#include "wire/responses_annotation.h"

#include "core/arena.h"
#include "core/buf.h"
#include "wire/answer_model.h"
#include "wire/member_write.h"

bool responses_annotation_write(struct arena *arena, const struct answer_delta *delta, struct buf *out) {
    struct json_doc doc;
    json_ref type, nested;
    struct json_writer w;
    if (json_parse(arena, delta->text, &doc, NULL) < 0 || !json_is(&doc, 0, JSON_OBJECT))
        return false;
    type = value_get(&doc, 0, "type");
    if (delta->family == PROTOCOL_RESPONSES) {
        buf_append(out, delta->text);
        return true;
    }
    nested = value_get(&doc, 0, "url_citation");
    if (delta->family != PROTOCOL_CHAT || !json_is(&doc, type, JSON_STRING) || !json_is(&doc, nested, JSON_OBJECT))
        return false;
    json_write_init(&w, out);
    json_write_begin_object(&w);
    member_str(&w, "type", VSR_STR("url_citation"));
    for (json_ref at = json_first(&doc, nested); at != JSON_NONE;) {
        json_ref value = json_next(&doc, nested, at);
        vsr_str name;
        if (!json_str(arena, &doc, at, &name))
            return false;
        json_write_key(&w, name);
        json_write_raw(&w, json_raw(&doc, value));
        at = json_next(&doc, nested, value);
    }
    json_write_end(&w);
    return true;
}
