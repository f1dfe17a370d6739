/* A control: a sanitized build must end this with an error, any other does not notice. */
#include <limits.h>

int main(int count, char **words)
{
    volatile int most = INT_MAX;
    (void)words;
    most = most + count;
    return 0;
}
