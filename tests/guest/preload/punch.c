// LD_PRELOAD: in place of a punch of $PUNCH, as no kernel that we have does it.
//   nothing   returns 0 at once: a file system whose punch takes none of the locks that an access holds
//   freeze    freezes the file system and writes: nobody comes back from it until somebody else thaws
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int fallocate(int fd, int mode, off_t offset, off_t length) {
  const char* instead = getenv("PUNCH");
  if ((mode & FALLOC_FL_PUNCH_HOLE) == 0 || instead == NULL)
    return (int)syscall(SYS_fallocate, fd, mode, offset, length);
  if (strcmp(instead, "freeze") != 0) return 0;
  if (ioctl(fd, FIFREEZE, 0) != 0) return -1;
  return pwrite(fd, "x", 1, offset) == 1 ? 0 : -1;
}
