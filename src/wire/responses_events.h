/*
 * responses_events - the event types of a Responses stream (gateway.md 6.4): one table for encoder, decoder, relay and
 * event log.
 *
 * To add a type that others begin to send: a line in RESPONSES_EVENTS; a case in responses_decoder.c when it says
 * something that other protocols can say. Types that are not in the table pass as they are.
 */
#ifndef VSR_WIRE_RESPONSES_EVENTS_H
#define VSR_WIRE_RESPONSES_EVENTS_H

#include <stdbool.h>

#include "core/str.h"

enum {
    RESPONSES_EVENT_HAS_RESPONSE = 1u << 0, /* member `response`: the object so far */
    RESPONSES_EVENT_ENDS = 1u << 1,         /* the last one of its stream */
};

/* name, type, flags */
#define RESPONSES_EVENTS(X) \
    X(QUEUED, "response.queued", RESPONSES_EVENT_HAS_RESPONSE) \
    X(CREATED, "response.created", RESPONSES_EVENT_HAS_RESPONSE) \
    X(IN_PROGRESS, "response.in_progress", RESPONSES_EVENT_HAS_RESPONSE) \
    X(COMPLETED, "response.completed", RESPONSES_EVENT_HAS_RESPONSE | RESPONSES_EVENT_ENDS) \
    X(INCOMPLETE, "response.incomplete", RESPONSES_EVENT_HAS_RESPONSE | RESPONSES_EVENT_ENDS) \
    X(FAILED, "response.failed", RESPONSES_EVENT_HAS_RESPONSE | RESPONSES_EVENT_ENDS) \
    X(CANCELLED, "response.cancelled", RESPONSES_EVENT_HAS_RESPONSE | RESPONSES_EVENT_ENDS) \
    X(ERROR, "error", RESPONSES_EVENT_ENDS) \
    X(ITEM_ADDED, "response.output_item.added", 0) \
    X(ITEM_DONE, "response.output_item.done", 0) \
    X(PART_ADDED, "response.content_part.added", 0) \
    X(PART_DONE, "response.content_part.done", 0) \
    X(TEXT_DELTA, "response.output_text.delta", 0) \
    X(TEXT_DONE, "response.output_text.done", 0) \
    X(ANNOTATION_ADDED, "response.output_text.annotation.added", 0) \
    X(REFUSAL_DELTA, "response.refusal.delta", 0) \
    X(REFUSAL_DONE, "response.refusal.done", 0) \
    X(REASONING_DELTA, "response.reasoning_text.delta", 0) \
    X(REASONING_DONE, "response.reasoning_text.done", 0) \
    X(SUMMARY_PART_ADDED, "response.reasoning_summary_part.added", 0) \
    X(SUMMARY_PART_DONE, "response.reasoning_summary_part.done", 0) \
    X(SUMMARY_DELTA, "response.reasoning_summary_text.delta", 0) \
    X(SUMMARY_DONE, "response.reasoning_summary_text.done", 0) \
    X(ARGUMENTS_DELTA, "response.function_call_arguments.delta", 0) \
    X(ARGUMENTS_DONE, "response.function_call_arguments.done", 0) \
    X(CUSTOM_INPUT_DELTA, "response.custom_tool_call_input.delta", 0) \
    X(CUSTOM_INPUT_DONE, "response.custom_tool_call_input.done", 0) \
    X(MCP_LIST_IN_PROGRESS, "response.mcp_list_tools.in_progress", 0) \
    X(MCP_LIST_COMPLETED, "response.mcp_list_tools.completed", 0) \
    X(MCP_LIST_FAILED, "response.mcp_list_tools.failed", 0) \
    X(MCP_CALL_IN_PROGRESS, "response.mcp_call.in_progress", 0) \
    X(MCP_CALL_COMPLETED, "response.mcp_call.completed", 0) \
    X(MCP_CALL_FAILED, "response.mcp_call.failed", 0) \
    X(MCP_ARGUMENTS_DELTA, "response.mcp_call_arguments.delta", 0) \
    X(MCP_ARGUMENTS_DONE, "response.mcp_call_arguments.done", 0) \
    X(FILE_SEARCH_IN_PROGRESS, "response.file_search_call.in_progress", 0) \
    X(FILE_SEARCH_SEARCHING, "response.file_search_call.searching", 0) \
    X(FILE_SEARCH_COMPLETED, "response.file_search_call.completed", 0) \
    X(WEB_SEARCH_IN_PROGRESS, "response.web_search_call.in_progress", 0) \
    X(WEB_SEARCH_SEARCHING, "response.web_search_call.searching", 0) \
    X(WEB_SEARCH_COMPLETED, "response.web_search_call.completed", 0) \
    X(IMAGE_IN_PROGRESS, "response.image_generation_call.in_progress", 0) \
    X(IMAGE_GENERATING, "response.image_generation_call.generating", 0) \
    X(IMAGE_PARTIAL, "response.image_generation_call.partial_image", 0) \
    X(IMAGE_COMPLETED, "response.image_generation_call.completed", 0) \
    X(CODE_IN_PROGRESS, "response.code_interpreter_call.in_progress", 0) \
    X(CODE_INTERPRETING, "response.code_interpreter_call.interpreting", 0) \
    X(CODE_COMPLETED, "response.code_interpreter_call.completed", 0) \
    X(CODE_DELTA, "response.code_interpreter_call_code.delta", 0) \
    X(CODE_DONE, "response.code_interpreter_call_code.done", 0) \
    X(SHELL_COMMAND_ADDED, "response.shell_call_command.added", 0) \
    X(SHELL_COMMAND_DELTA, "response.shell_call_command.delta", 0) \
    X(SHELL_COMMAND_DONE, "response.shell_call_command.done", 0) \
    X(SHELL_OUTPUT_DELTA, "response.shell_call_output_content.delta", 0) \
    X(SHELL_OUTPUT_DONE, "response.shell_call_output_content.done", 0) \
    X(AUDIO_DELTA, "response.audio.delta", 0) \
    X(AUDIO_DONE, "response.audio.done", 0) \
    X(TRANSCRIPT_DELTA, "response.audio.transcript.delta", 0) \
    X(TRANSCRIPT_DONE, "response.audio.transcript.done", 0) \
    X(COMPACTING, "response.compaction.compacting", 0)

enum responses_event {
#define X(name, type, flags) RESPONSES_EVENT_##name,
    RESPONSES_EVENTS(X)
#undef X
        RESPONSES_EVENT_COUNT,
    RESPONSES_EVENT_UNKNOWN = RESPONSES_EVENT_COUNT
};

vsr_str responses_event_type(enum responses_event event);
unsigned responses_event_flags(enum responses_event event); /* of UNKNOWN: 0 */
enum responses_event responses_event_find(vsr_str type);

#endif
