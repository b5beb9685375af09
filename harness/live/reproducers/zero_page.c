// SPDX-License-Identifier: BSD-3-Clause
// A store to a hole allocates the block before it unmaps the zero page. A pwrite() in between finds a block
// that is not new, so it unmaps nothing itself; for a moment a load finds zero where pwrite() has returned.
// The file is mapped many times here, so that the unmapping takes long: it comes to the mapping that was made
// last at last.
//
//   gcc -O2 -Wall -pthread zero_page.c -o zero_page && ./zero_page DIR_ON_DAX [ROUNDS]
//
// Exit status: 1 shown, 0 not shown in so many rounds, 2 cannot run here. Nothing is left in DIR.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { kPage = 4096, kMappings = 100, kLongestDelayNs = 400000 };

static _Atomic uint64_t* stored_through;
static atomic_int turn, finished;
static int rounds = 200;

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

static _Atomic uint64_t* mapping_of(int fd) {
  void* map = mmap(NULL, kPage, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (map == MAP_FAILED) cannot("mmap");
  return map;
}

static long now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000L + now.tv_nsec;
}

/// In every round a write fault on the hole, at another word than pwrite()'s.
static void* store(void* unused) {
  for (int i = 1; i <= rounds; ++i) {
    while (turn < i) continue;
    stored_through[1] = 1;
    finished = i;
  }
  return unused;
}

int main(int argc, char** argv) {
  if (argc < 2) cannot("usage: zero_page DIR [ROUNDS]");
  if (sysconf(_SC_PAGESIZE) != kPage) cannot("pages of 4 KiB");
  if (argc > 2) rounds = atoi(argv[2]);
  const int fd = temporary_file(argv[1]);
  if (ftruncate(fd, kPage) != 0) cannot("ftruncate");
  stored_through = mapping_of(fd);
  for (int i = 0; i < kMappings; ++i) mapping_of(fd);
  _Atomic uint64_t* loaded_through = mapping_of(fd);
  pthread_t thread;
  pthread_create(&thread, NULL, store, NULL);
  int stale = 0, right_later = 0;
  for (int i = 1; i <= rounds; ++i) {
    const uint64_t written = (uint64_t)i;
    if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, kPage) != 0) cannot("punch");
    if (*loaded_through != 0) cannot("a punched page that is not zero");  // this load maps the zero page
    const long start = now_ns() + rand() % kLongestDelayNs;
    turn = i;
    while (now_ns() < start) continue;
    if (pwrite(fd, &written, sizeof written, 0) != sizeof written) cannot("write");
    const int wrong = *loaded_through != written;
    while (finished < i) continue;
    stale += wrong;
    right_later += wrong && *loaded_through == written;
  }
  pthread_join(thread, NULL);
  if (stale > 0)
    printf("shown: in %d of %d rounds a load found zero after pwrite() had returned; %d were right later\n",
           stale, rounds, right_later);
  else
    printf("not shown: in %d rounds every load found what pwrite() had written\n", rounds);
  return stale > 0;
}
