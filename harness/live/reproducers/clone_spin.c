// SPDX-License-Identifier: BSD-3-Clause
// XFS with reflink: a clone onto a file of a higher inode number than its source spins, with no sleep, for as
// long as a page of that file is pinned.
//
//   gcc -O2 -Wall -pthread clone_spin.c -o clone_spin && ./clone_spin DIR_ON_DAX
//
// Exit status: 1 shown, 0 not shown, 2 cannot run here. Nothing is left in DIR.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { kPage = 4096, kTries = 5 };
static int files[2];  // by inode number
static atomic_int done;

static void cannot(const char* what) {
  printf("cannot run: %s: %s\n", what, strerror(errno));
  exit(2);
}

static int temporary_file(const char* directory) {
  static char page[kPage] = "A";
  struct statx facts;
  const int fd = open(directory, O_TMPFILE | O_RDWR, 0600);
  if (fd < 0) cannot(directory);
  if (pwrite(fd, page, kPage, 0) != kPage || fsync(fd) != 0) cannot("write");
  errno = ENOTSUP;
  if (statx(fd, "", AT_EMPTY_PATH, 0, &facts) != 0 || !(facts.stx_attributes & STATX_ATTR_DAX)) cannot("DAX");
  return fd;
}

static unsigned long inode_of(int fd) {
  struct stat info;
  return fstat(fd, &info) == 0 ? info.st_ino : 0;
}

static void* clone_file(void* unused) {
  if (ioctl(files[1], FICLONE, files[0]) != 0) cannot("clone");
  done = 1;
  return unused;
}

static long cpu_ms(pthread_t thread) {
  clockid_t clock;
  struct timespec used = {0, 0};
  if (pthread_getcpuclockid(thread, &clock) == 0) clock_gettime(clock, &used);
  return used.tv_sec * 1000 + used.tv_nsec / 1000000;
}

/// CPU time that the clone used in one second while the pin was held; -1: it did not wait.
static long stage(const char* directory) {
  int ends[2];
  files[0] = temporary_file(directory);
  files[1] = temporary_file(directory);
  if (inode_of(files[0]) > inode_of(files[1])) {
    const int lower = files[1];
    files[1] = files[0];
    files[0] = lower;
  }
  char* map = mmap(NULL, kPage, PROT_READ | PROT_WRITE, MAP_SHARED, files[1], 0);
  if (map == MAP_FAILED || pipe(ends) != 0 || madvise(map, kPage, MADV_POPULATE_WRITE) != 0) cannot("mmap");
  const struct iovec page = {map, kPage};
  if (vmsplice(ends[1], &page, 1, 0) != kPage) cannot("vmsplice");
  pthread_t thread;
  done = 0;
  pthread_create(&thread, NULL, clone_file, NULL);
  sleep(1);
  const long used = done ? -1 : cpu_ms(thread);
  char out[kPage];
  if (read(ends[0], out, kPage) != kPage) cannot("read of the pipe");
  pthread_join(thread, NULL);
  munmap(map, kPage);
  close(files[0]), close(files[1]), close(ends[0]), close(ends[1]);
  return used;
}

int main(int argc, char** argv) {
  long used = -1;
  if (argc != 2) cannot("usage: clone_spin DIR");
  if (sysconf(_SC_PAGESIZE) != kPage) cannot("pages of 4 KiB");
  for (int i = 0; i < kTries && used < 500; ++i) used = stage(argv[1]);
  if (used >= 500)
    printf("shown: the clone ran for %ld ms of the second in which the page was pinned\n", used);
  if (used < 500)
    printf("not shown: the clone %s\n", used < 0 ? "did not wait" : "slept while the page was pinned");
  return used >= 500;
}
