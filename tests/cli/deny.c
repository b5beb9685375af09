/* deny NAME,... COMMAND...: runs COMMAND with those system calls refused (EPERM), as the seccomp profiles of
   containers and sandboxes do. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct {
  const char* name;
  long number;
} calls[] = {{"mbind", SYS_mbind},
             {"get_mempolicy", SYS_get_mempolicy},
             {"set_mempolicy", SYS_set_mempolicy},
             {"move_pages", SYS_move_pages},
             {"sched_setaffinity", SYS_sched_setaffinity}};
enum { kCalls = sizeof calls / sizeof calls[0] };

int main(int argc, char** argv) {
  if (argc < 3) {
    fputs("usage: deny NAME,... COMMAND...\n", stderr);
    return 2;
  }
  struct sock_filter code[1 + 2 * kCalls + 1];
  unsigned short length = 0;
  code[length++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
  for (char* name = strtok(argv[1], ","); name != NULL; name = strtok(NULL, ",")) {
    size_t i = 0;
    while (i < kCalls && strcmp(calls[i].name, name) != 0) ++i;
    if (i == kCalls || length + 2U >= sizeof code / sizeof code[0]) {
      fprintf(stderr, "deny: %s\n", name);
      return 2;
    }
    code[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)calls[i].number, 0, 1);
    code[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
  }
  code[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  const struct sock_fprog program = {length, code};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
    perror("deny");
    return 77;
  }
  execvp(argv[2], argv + 2);
  perror(argv[2]);
  return 127;
}
