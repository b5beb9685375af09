// SPDX-License-Identifier: BSD-3-Clause
// A page is stored through a mapping, a hole is punched elsewhere in the file, fsync returns: was the page
// written back? The kernel's own trace event fs_dax:dax_writeback_one tells. The same without a punch is the
// control.
//
//   gcc -O2 -Wall -pthread fsync_after_punch.c -o fsync_after_punch && ./fsync_after_punch DIR_ON_DAX
//
// Needs root (tracefs). Exit status: 1 shown, 0 not shown, 2 cannot run here. Nothing is left in DIR.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { kPage = 4096, kPages = 16, kStored = 1, kPunched = 4 };
static const char kTrace[] = "/sys/kernel/tracing/instances/fsync_after_punch";

static void cannot(const char* what) {
  printf("cannot run: %s: %s\n", what, strerror(errno));
  rmdir(kTrace);
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

static void write_trace(const char* file, const char* text) {
  char path[256];
  snprintf(path, sizeof path, "%s/%s", kTrace, file);
  const int fd = open(path, O_WRONLY | O_TRUNC);
  if (fd < 0 || write(fd, text, strlen(text)) < 0) cannot(path);
  close(fd);
}

/// Whether a write-back of the stored page stands in the trace.
static int written_back(unsigned long inode) {
  char path[256], line[512];
  unsigned long ino, first, count;
  int seen = 0;
  snprintf(path, sizeof path, "%s/trace", kTrace);
  FILE* trace = fopen(path, "r");
  if (!trace) cannot(path);
  while (fgets(line, sizeof line, trace)) {
    const char* event = strstr(line, "dax_writeback_one: ");
    if (!event || !(event = strstr(event, " ino "))) continue;
    if (sscanf(event, " ino %lx pgoff %lx pglen %lx", &ino, &first, &count) == 3 && ino == inode)
      seen |= first <= kStored && kStored < first + count;
  }
  fclose(trace);
  return seen;
}

/// Stores a page, punches another one or not, and fsyncs: was the stored page written back?
static int flushed(const char* directory, int punch) {
  static char bytes[kPages * kPage];
  const int fd = temporary_file(directory);
  struct stat info;
  memset(bytes, 'A', sizeof bytes);
  if (pwrite(fd, bytes, sizeof bytes, 0) != sizeof bytes || fsync(fd) != 0 || fstat(fd, &info) != 0)
    cannot("write");
  char* map = mmap(NULL, sizeof bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (map == MAP_FAILED) cannot("mmap");
  write_trace("trace", "\n");
  memset(map + kStored * kPage, 'B', kPage);
  const int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
  if (punch && fallocate(fd, mode, kPunched * kPage, kPage) != 0) cannot("punch");
  if (fsync(fd) != 0) cannot("fsync");
  munmap(map, sizeof bytes);
  close(fd);
  return written_back(info.st_ino);
}

int main(int argc, char** argv) {
  if (argc != 2) cannot("usage: fsync_after_punch DIR");
  if (sysconf(_SC_PAGESIZE) != kPage) cannot("pages of 4 KiB");
  if (mkdir(kTrace, 0700) != 0 && errno != EEXIST) cannot(kTrace);
  write_trace("events/fs_dax/dax_writeback_one/enable", "1");
  const int control = flushed(argv[1], 0);
  const int after = flushed(argv[1], 1);
  errno = ENODATA;
  if (!control) cannot("a store and fsync without a punch show as no write-back");
  rmdir(kTrace);
  printf(after
             ? "not shown: fsync wrote the stored page back\n"
             : "shown: fsync returned, and the page that was stored before the punch was not written back\n");
  return !after;
}
