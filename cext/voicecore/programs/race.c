/* A control: a build with the sanitizer of threads must end this with an error, any other does not notice. */
#include <pthread.h>
#include <stddef.h>

static long shared;

static void *add(void *nothing)
{
    shared++;
    return nothing;
}

int main(void)
{
    pthread_t other;
    if (pthread_create(&other, NULL, add, NULL))
        return 2;
    shared++;
    return pthread_join(other, NULL) != 0;
}
