/* C11's threads by POSIX calls, for the thread sanitizer, which knows only those.
 *
 * Debian's librdkafka starts its threads by thrd_create: the sanitizer has then no state for them, and the first
 * instrumented callback that runs there ends the process. Each executable of the tsan preset links this library before the
 * C library, so that librdkafka's calls come here. glibc's mtx_t and cnd_t have room for their POSIX relatives (asserted
 * below). Compiled with the sanitizer, so that no call here is a tail call: called_from_lib in tsan.supp is about callers.
 */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <threads.h>

static_assert(sizeof(mtx_t) >= sizeof(pthread_mutex_t), "mtx_t holds a POSIX mutex");
static_assert(sizeof(cnd_t) >= sizeof(pthread_cond_t), "cnd_t holds a POSIX condition variable");
static_assert(sizeof(thrd_t) == sizeof(pthread_t), "thrd_t is a POSIX thread");

static int outcome(int error) {
  switch (error) {
    case 0: return thrd_success;
    case ENOMEM: return thrd_nomem;
    case ETIMEDOUT: return thrd_timedout;
    case EBUSY: return thrd_busy;
    default: return thrd_error;
  }
}

struct Start {
  thrd_start_t function;
  void *argument;
};

static void *run(void *opaque) {
  struct Start start = *(struct Start *)opaque;
  free(opaque);
  return (void *)(intptr_t)start.function(start.argument);
}

int thrd_create(thrd_t *thread, thrd_start_t function, void *argument) {
  struct Start *start = malloc(sizeof *start);
  if (start == NULL) return thrd_nomem;
  *start = (struct Start){function, argument};
  int error = pthread_create((pthread_t *)thread, NULL, run, start);
  if (error != 0) free(start);
  return outcome(error);
}

int thrd_join(thrd_t thread, int *result) {
  void *returned = NULL;
  int error = pthread_join((pthread_t)thread, &returned);
  if (error == 0 && result != NULL) *result = (int)(intptr_t)returned;
  return outcome(error);
}

int mtx_init(mtx_t *mutex, int type) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  if (type & mtx_recursive) pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
  int error = pthread_mutex_init((pthread_mutex_t *)mutex, &attributes);
  pthread_mutexattr_destroy(&attributes);
  return outcome(error);
}

void mtx_destroy(mtx_t *mutex) { pthread_mutex_destroy((pthread_mutex_t *)mutex); }
int mtx_lock(mtx_t *mutex) { return outcome(pthread_mutex_lock((pthread_mutex_t *)mutex)); }
int mtx_trylock(mtx_t *mutex) { return outcome(pthread_mutex_trylock((pthread_mutex_t *)mutex)); }
int mtx_unlock(mtx_t *mutex) { return outcome(pthread_mutex_unlock((pthread_mutex_t *)mutex)); }

int cnd_init(cnd_t *condition) { return outcome(pthread_cond_init((pthread_cond_t *)condition, NULL)); }
void cnd_destroy(cnd_t *condition) { pthread_cond_destroy((pthread_cond_t *)condition); }
int cnd_signal(cnd_t *condition) { return outcome(pthread_cond_signal((pthread_cond_t *)condition)); }
int cnd_broadcast(cnd_t *condition) { return outcome(pthread_cond_broadcast((pthread_cond_t *)condition)); }

int cnd_wait(cnd_t *condition, mtx_t *mutex) {
  return outcome(pthread_cond_wait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex));
}

int cnd_timedwait(cnd_t *condition, mtx_t *mutex, const struct timespec *until) {
  return outcome(pthread_cond_timedwait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex, until));
}

void call_once(once_flag *flag, void (*function)(void)) {
  static_assert(sizeof(once_flag) == sizeof(pthread_once_t), "once_flag is a POSIX one");
  pthread_once((pthread_once_t *)flag, function);
}
