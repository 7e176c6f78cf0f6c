#include "text.h"
#include <stdio.h>

int main(void)
{
    printf("%u words\n", words("a small build, recorded"));
    return 0;
}
