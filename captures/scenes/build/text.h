/* Counts the words of a text. */
unsigned words(const char *text);
