#include "allocations.h"

#include <errno.h>
#include <stdlib.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *old);

atomic_long allocations, unfreed, fails_at;

static int is_refused(void)
{
    allocations++;
    if (fails_at > 0 && --fails_at == 0) {
        errno = ENOMEM;
        return 1;
    }
    return 0;
}

static void *counted(void *memory)
{
    unfreed += memory != NULL;
    return memory;
}

void *malloc(size_t size)
{
    return is_refused() ? NULL : counted(__libc_malloc(size));
}

void *calloc(size_t count, size_t size)
{
    return is_refused() ? NULL : counted(__libc_calloc(count, size));
}

void *realloc(void *old, size_t size)
{
    if (is_refused())
        return NULL;
    void *memory = __libc_realloc(old, size);
    unfreed += !old && memory;
    return memory;
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return is_refused() ? NULL : counted(__libc_memalign(alignment, size));
}

void free(void *old)
{
    allocations++;
    unfreed -= old != NULL;
    __libc_free(old);
}
