// SPDX-License-Identifier: BSD-3-Clause
// The last close of an unlinked file does not wait for a pinned page of it: its blocks are freed, another
// file gets them, and that file's data comes out of a pipe that was filled from the unlinked one.
//
//   gcc -O2 -Wall -pthread pin_unlink.c -o pin_unlink && ./pin_unlink DIR_ON_DAX
//
// Exit status: 1 shown, 0 not shown, 2 cannot run here. Nothing is left in DIR.
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

enum { kPage = 4096, kPages = 16, kPinned = 4, kVictims = 400, kTries = 6 };

static const int kSizes[] = {16, 4, 1, 32};  // of the victims in pages: freed blocks may have fallen apart
static atomic_int done;

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

static void fill(int fd, int pages, char byte) {
  static char bytes[kPages * 2 * kPage];
  const off_t length = (off_t)pages * kPage;
  memset(bytes, byte, length);
  // Allocated first: ext4 rounds the size up where a write allocates, and passes small free pieces by.
  if (fallocate(fd, 0, 0, length) != 0 || pwrite(fd, bytes, length, 0) != length) cannot("write");
}

static void* last_close(void* file) {
  close(*(int*)file);
  done = 1;
  return NULL;
}

/// What comes out of the pipe after the last close: 'A' the file's own data, 'V' another file's.
static char stage(const char* directory, int* waited) {
  int victims[kVictims], ends[2];
  for (int i = 0; i < kVictims; ++i) victims[i] = temporary_file(directory);
  int fd = temporary_file(directory);  // it never had a name: its last close evicts it
  fill(fd, kPages, 'A');
  fsync(fd);
  char* map = mmap(NULL, kPages * kPage, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (map == MAP_FAILED || pipe(ends) != 0) cannot("mmap, pipe");
  const struct iovec page = {map + kPinned * kPage, kPage};
  if (vmsplice(ends[1], &page, 1, 0) != kPage) cannot("vmsplice");
  munmap(map, kPages * kPage);

  pthread_t thread;
  done = 0;
  pthread_create(&thread, NULL, last_close, &fd);
  for (int i = 0; i < 100 && !done; ++i) usleep(10000);
  *waited = !done;
  for (int i = 0; i < kVictims && !*waited; ++i) {
    if (i % 100 == 0) syncfs(victims[0]);  // freed blocks are not reused before the transaction is committed
    fill(victims[i], kSizes[i % 4], 'V');
  }
  char out[kPage];
  if (read(ends[0], out, kPage) != kPage) cannot("read of the pipe");
  pthread_join(thread, NULL);
  for (int i = 0; i < kVictims; ++i) close(victims[i]);
  close(ends[0]), close(ends[1]);
  return out[0];
}

int main(int argc, char** argv) {
  int waited = 0;
  if (argc != 2) cannot("usage: pin_unlink DIR");
  if (sysconf(_SC_PAGESIZE) != kPage) cannot("pages of 4 KiB");
  for (int i = 0; i < kTries && !waited; ++i) {
    if (stage(argv[1], &waited) != 'V') continue;
    printf("shown: the last close did not wait, and another file's data came out of the pipe\n");
    return 1;
  }
  printf("not shown: %s\n", waited ? "the close waited for the pin" : "no other file came to have the block");
  return 0;
}
