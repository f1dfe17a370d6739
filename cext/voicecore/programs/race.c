/* A control: a build with the sanitizer of threads must end this with an error, any other does not notice. */
#include <pthread.h>
#include <stddef.h>

/* Often: two single accesses at the very same moment go unseen by the sanitizer, too (seen once in some runs). */
#define TIMES 100000

static volatile long shared;

static void *add(void *nothing)
{
    for (int time = 0; time < TIMES; time++)
        shared++;
    return nothing;
}

int main(void)
{
    pthread_t other;
    if (pthread_create(&other, NULL, add, NULL))
        return 2;
    add(NULL);
    return pthread_join(other, NULL) != 0;
}
