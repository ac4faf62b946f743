#include "text/stop_words.h"

/* In byte order, for the search by halves. */
static const char *const stop_words[] = {
    "a",     "about", "also",  "am",     "an",   "and",   "are",   "as",   "at",    "be",   "been", "being",
    "but",   "by",    "can",   "could",  "did",  "do",    "does",  "down", "for",   "from", "had",  "has",
    "have",  "he",    "here",  "i",      "if",   "in",    "into",  "is",   "it",    "its",  "just", "may",
    "me",    "might", "must",  "my",     "no",   "not",   "of",    "off",  "on",    "or",   "our",  "out",
    "over",  "shall", "she",   "should", "so",   "than",  "that",  "the",  "their", "them", "then", "there",
    "these", "they",  "this",  "those",  "to",   "too",   "under", "up",   "us",    "very", "was",  "we",
    "were",  "what",  "which", "who",    "whom", "whose", "will",  "with", "would", "you",  "your",
};

bool stop_word(vsr_str token) {
    size_t low = 0, high = VSR_COUNT(stop_words);
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = str_cmp(token, str_from_c(stop_words[middle]));
        if (order == 0)
            return true;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return false;
}
