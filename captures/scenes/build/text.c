#include "text.h"
#include <ctype.h>

unsigned words(const char *text)
{
    unsigned count = 0;
    for (int inside = 0; *text; text++) {
        int space = isspace((unsigned char)*text) != 0;
        count += !space && !inside;
        inside = !space;
    }
    return count;
}
