/* Runs a fuzz target once over each file named: what libFuzzer found stays found, without clang. */
#include <stdio.h>

#include "fuzz.h"

static uint8_t data[1 << 20];

int main(int count, char **names)
{
    for (int i = 1; i < count; i++) {
        FILE *file = fopen(names[i], "rb");
        if (!file) {
            perror(names[i]);
            return 2;
        }
        size_t size = fread(data, 1, sizeof data, file);
        fclose(file);
        (void)LLVMFuzzerTestOneInput(data, size);
    }
    printf("%d replayed\n", count - 1);
    return 0;
}
