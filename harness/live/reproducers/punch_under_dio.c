// SPDX-License-Identifier: BSD-3-Clause
// A hole punch waits for pages that are the buffer of an O_DIRECT read. The read ends, the pages are idle,
// and the punch sleeps on: the put of these pages has woken nobody. Pinning them once more and letting go
// wakes it.
//
//   gcc -O2 -Wall -pthread punch_under_dio.c -o punch_under_dio && ./punch_under_dio DIR_ON_DAX BLOCK_DEVICE
//
// The block device (the one under DIR will do) is only read. Exit status: 1 shown, 0 not shown, 2 cannot run
// here. Nothing is left in DIR, and the punch is freed at the end.
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

enum { kPage = 4096, kPages = 256, kPunches = 200 };
static int file, device;
static char* map;
static atomic_int punched, stop;

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

static void* read_into_mapping(void* unused) {
  while (!stop)
    if (pread(device, map, kPages * kPage, 0) < 0) cannot("O_DIRECT read into the mapping");
  return unused;
}

static void* punch(void* unused) {
  while (punched < kPunches) {
    if (fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, kPage) != 0) cannot("punch");
    ++punched;
  }
  return unused;
}

/// Whether the punches go on, or are at their end.
static int goes_on(void) {
  const int before = punched;
  for (int i = 0; i < 2000 && punched == before && before < kPunches; ++i) usleep(1000);
  return punched != before || before == kPunches;
}

static void pin_once_more(void) {
  int ends[2];
  char page[kPage];
  if (pipe(ends) != 0) cannot("pipe");
  for (int i = 0; i < kPages; ++i) {
    const struct iovec part = {map + i * kPage, kPage};
    if (vmsplice(ends[1], &part, 1, 0) != kPage || read(ends[0], page, kPage) != kPage) cannot("vmsplice");
  }
}

int main(int argc, char** argv) {
  if (argc != 3) cannot("usage: punch_under_dio DIR BLOCK_DEVICE");
  if (sysconf(_SC_PAGESIZE) != kPage) cannot("pages of 4 KiB");
  file = temporary_file(argv[1]);
  device = open(argv[2], O_RDONLY | O_DIRECT);
  if (device < 0 || ftruncate(file, kPages * kPage) != 0) cannot(argv[2]);
  map = mmap(NULL, kPages * kPage, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (map == MAP_FAILED) cannot("mmap");
  pthread_t reader, puncher;
  pthread_create(&reader, NULL, read_into_mapping, NULL);
  pthread_create(&puncher, NULL, punch, NULL);
  while (goes_on() && punched < kPunches) continue;
  stop = 1;
  pthread_join(reader, NULL);
  const int stuck = !goes_on();  // without a reader a punch that was only starved goes on
  const int before = punched;
  if (stuck) pin_once_more();
  const int lost = stuck && goes_on();
  munmap(map, kPages * kPage);
  if (lost)
    printf(
        "shown: after %d punches one slept on when no read was left; pinning the pages once more woke it\n",
        before);
  else
    printf("not shown: %s\n", stuck ? "a punch slept on, but for another reason" : "every punch ended");
  return lost;
}
