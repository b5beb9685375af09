// SPDX-License-Identifier: BSD-3-Clause
// A hole punch waits for a pinned page; meanwhile the page is touched again through the mapping. When the pin
// is let go, nobody wakes the punch: the new translation keeps the page's count from reaching what it waits
// for.
//
//   gcc -O2 -Wall -pthread pin_refault.c -o pin_refault && ./pin_refault DIR_ON_DAX
//
// Exit status: 1 shown, 0 not shown, 2 cannot run here. Nothing is left in DIR, and the punch is freed at the
// end.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { kPage = 4096 };
static atomic_int tid, done;

static void cannot(const char* what) {
  printf("cannot run: %s: %s\n", what, strerror(errno));
  exit(2);
}

static int temporary_file(const char* directory) {
  struct statx facts;
  const int fd = open(directory, O_TMPFILE | O_RDWR, 0600);
  if (fd < 0) cannot(directory);
  errno = ENOTSUP;
  if (statx(fd, "", AT_EMPTY_PATH, 0, &facts) != 0 || !(facts.stx_attributes & STATX_ATTR_DAX)) cannot("DAX");
  return fd;
}

static void* punch(void* file) {
  tid = gettid();
  if (fallocate(*(int*)file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, kPage) != 0) cannot("punch");
  done = 1;
  return NULL;
}

/// Whether the punch sleeps, and has done so for a while.
static int sleeps(void) {
  char path[64], line[256];
  int asleep = 0;
  snprintf(path, sizeof path, "/proc/self/task/%d/stat", tid);
  for (int i = 0; i < 50 && !done && asleep < 10; ++i) {
    FILE* stat = fopen(path, "r");
    const char* state = stat && fgets(line, sizeof line, stat) ? strrchr(line, ')') : NULL;
    asleep = state && strchr("SD", state[2]) ? asleep + 1 : 0;
    if (stat) fclose(stat);
    usleep(20000);
  }
  return !done && asleep >= 10;
}

static int ends_within(int ms) {
  for (int i = 0; i < ms && !done; ++i) usleep(1000);
  return done;
}

int main(int argc, char** argv) {
  if (argc != 2) cannot("usage: pin_refault DIR");
  if (sysconf(_SC_PAGESIZE) != kPage) cannot("pages of 4 KiB");
  int fd = temporary_file(argv[1]), ends[2];
  static char page[kPage] = "A";
  if (pwrite(fd, page, kPage, 0) != kPage || fsync(fd) != 0 || pipe(ends) != 0) cannot("write, pipe");
  char* map = mmap(NULL, kPage, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (map == MAP_FAILED || madvise(map, kPage, MADV_POPULATE_WRITE) != 0) cannot("mmap");
  const struct iovec part = {map, kPage};
  if (vmsplice(ends[1], &part, 1, 0) != kPage) cannot("vmsplice");

  pthread_t thread;
  pthread_create(&thread, NULL, punch, &fd);
  while (tid == 0) usleep(1000);
  const int waited = sleeps();
  if (waited && madvise(map, kPage, MADV_POPULATE_READ) != 0) cannot("touch");
  if (read(ends[0], page, kPage) != kPage) cannot("read of the pipe");
  const int stuck = !ends_within(3000);
  munmap(map, kPage);
  const char* freed =
      ends_within(3000) ? "unmapping the file freed it" : "unmapping the file did not free it";
  if (stuck) {
    printf("shown: the pin is gone, and the punch still slept after 3 s; %s\n", freed);
    return 1;
  }
  pthread_join(thread, NULL);
  printf("not shown: %s\n", waited ? "the punch ended with the pin" : "the punch did not wait");
  return 0;
}
